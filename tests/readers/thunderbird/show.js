
// Shows the message and returns what can be seen of it.
const isEncrypted = pane.gDBView.cellTextForColumn(row, "subjectCol") == "[...]";

const loaded = new Promise(resolve =>
  view.addEventListener("MsgLoaded", resolve, { once: true })
);
const processed = new Promise(resolve =>
  view.document.addEventListener("openpgpprocessed", resolve, { once: true })
);
pane.threadTree.selectedIndex = row;
await loaded;
// It comes when all decryption is done, and never for mail that needs none.
if (isEncrypted) {
  await processed;
}

// Signatures, bars and the list come later than the text: until nothing has changed for a second.
let last = "";
for (let same = 0, turn = 0; same < 10 && turn < 600; turn++) {
  const now = JSON.stringify(seen());
  same = now == last ? same + 1 : 0;
  last = now;
  await wait(100);
}
return seen();
