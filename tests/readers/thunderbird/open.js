// Opens the mailbox of this name and waits until its list has this many rows.
const [name, rows] = arguments;
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const pane = Services.wm
  .getMostRecentWindow("mail:3pane")
  .document.getElementById("tabmail").currentAbout3Pane;
const folder = MailServices.accounts.localFoldersServer.rootFolder.getChildNamed(name);
pane.displayFolder(folder.URI);
while (pane.gFolder != folder || pane.gDBView?.rowCount != rows) {
  await new Promise(resolve => setTimeout(resolve, 50));
}
