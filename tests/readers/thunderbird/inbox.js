// Opens the inbox of this account and waits until it has one message.
const [host, user] = arguments;
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const window = Services.wm.getMostRecentWindow("mail:3pane");
const pane = window.document.getElementById("tabmail").currentAbout3Pane;
const server = MailServices.accounts.findServer(user, host, "imap");
const inbox = () => server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);

// "Get Messages": again every second, because one that comes while another is under way is dropped.
const until = async (isReady, ask) => {
  for (let turn = 0; !isReady(); turn++) {
    if (turn % 20 == 0) {
      ask();
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
};
await until(inbox, () => server.performExpand(window.msgWindow));
pane.displayFolder(inbox().URI);
await until(
  () => pane.gFolder == inbox() && pane.gDBView?.rowCount == 1,
  () => inbox().getNewMessages(window.msgWindow, null)
);
