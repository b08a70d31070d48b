// Shows the message in this row of the list and returns what can be seen of it.
const [row] = arguments;
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const pane = Services.wm
  .getMostRecentWindow("mail:3pane")
  .document.getElementById("tabmail").currentAbout3Pane;
const view = pane.messageBrowser.contentWindow;
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

const icon = id => {
  const element = view.document.getElementById(id);
  return element.hidden ? "" : (element.getAttribute("src") ?? "").replace(/^.*\/|\.svg.*$/g, "");
};
const bar = view.document.getElementById("imip-bar");
const seen = () => ({
  row: pane.gDBView.cellTextForColumn(row, "subjectCol"),
  subject: view.document
    .getElementById("expandedsubjectBox")
    .textContent.trim()
    .replace(/^Subject:/, ""),
  from: view.document.getElementById("expandedfromBox").textContent.trim(),
  lock: icon("encryptedHdrIcon"),
  seal: icon("signedHdrIcon"),
  body: view.getMessagePaneBrowser().contentDocument.body?.innerText ?? "",
  attachments: view.currentAttachments.map(attachment => attachment.name),
  invitation: bar && !bar.collapsed ? bar.getAttribute("label") : "",
  bars: [...view.document.querySelectorAll("#mail-notification-top notification-message")].map(
    message => message.shadowRoot?.textContent.replace(/\s+/g, " ").trim() ?? ""
  ),
});

// Signatures, bars and the list come later than the text: until nothing has changed for a second.
let last = "";
for (let same = 0, turn = 0; same < 10 && turn < 600; turn++) {
  const now = JSON.stringify(seen());
  same = now == last ? same + 1 : 0;
  last = now;
  await wait(100);
}
return seen();
