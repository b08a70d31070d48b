// What can be seen of the message in this row of the list, which is the one that is shown: `seen()`.
const [row] = arguments;
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const pane = Services.wm
  .getMostRecentWindow("mail:3pane")
  .document.getElementById("tabmail").currentAbout3Pane;
const view = pane.messageBrowser.contentWindow;

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
