// Says whose keys are trusted: [fingerprint, address, decision] of each; then waits for the window.
const [keys] = arguments;
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const { PgpSqliteDb2 } = ChromeUtils.importESModule(
  "chrome://openpgp/content/modules/sqliteDb.sys.mjs"
);
for (const [fingerprint, address, decision] of keys) {
  await PgpSqliteDb2.updateAcceptance(fingerprint, [address], decision);
}

const hasWindow = () => {
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  const pane = window?.document.getElementById("tabmail")?.currentAbout3Pane;
  return pane?.threadTree && pane.messageBrowser?.contentWindow?.gMessageListeners;
};
while (!hasWindow()) {
  await new Promise(resolve => setTimeout(resolve, 50));
}
