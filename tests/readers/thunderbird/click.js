
// Clicks on the message until all of it is shown. On a busy machine the first click may come before it is fetched, and
// then shows nothing.
const isShown = ({ lock, body, row }) => lock == "message-encrypted-ok" && body.trim() && row != "[...]";
for (let turn = 0; turn < 600 && !isShown(seen()); turn++) {
  if (turn % 150 == 0) {
    pane.threadTree.selectedIndex = -1;
    await wait(100);
    pane.threadTree.selectedIndex = row;
  }
  await wait(100);
}
return seen();
