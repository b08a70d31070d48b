// Adds an IMAP account and its OpenPGP key, as the dialogs do.
const [host, user, password, certificate, keyFile] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { EnigmailKeyRing } = ChromeUtils.importESModule("chrome://openpgp/content/modules/keyRing.sys.mjs");
const { PgpSqliteDb2 } = ChromeUtils.importESModule("chrome://openpgp/content/modules/sqliteDb.sys.mjs");
const window = Services.wm.getMostRecentWindow("mail:3pane");

// The server is here, and the only one.
Services.prefs.setIntPref("network.proxy.type", 0);
Services.io.offline = false;

// "Confirm Security Exception": Debian's certificate is signed by nobody.
const der = certificate.replace(/-----.*?-----|\s/g, "");
const x509 = Cc["@mozilla.org/security/x509certdb;1"]
  .getService(Ci.nsIX509CertDB)
  .constructX509FromBase64(der);
Cc["@mozilla.org/security/certoverride;1"]
  .getService(Ci.nsICertOverrideService)
  .rememberValidityOverride(host, 993, {}, x509, false);

const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
login.init(`imap://${host}`, null, `imap://${host}`, user, password, "", "");
await Services.logins.addLoginAsync(login);
const server = MailServices.accounts.createIncomingServer(user, host, "imap");
server.port = 993;
server.socketType = Ci.nsMsgSocketType.SSL;
server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
const identity = MailServices.accounts.createIdentity();
identity.email = `${user}@${host}`;
const account = MailServices.accounts.createAccount();
account.addIdentity(identity);
account.incomingServer = server;

// "Add Key": import, accept as one's own, select.
const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
file.initWithPath(keyFile);
const found = {};
const neverAsked = () => "";
await EnigmailKeyRing.importSecKeyFromFile(window, neverAsked, false, file, {}, found);
for (const id of found.keys) {
  const key = EnigmailKeyRing.getKeyById(id.replace(/^0x/, "").toUpperCase());
  await PgpSqliteDb2.acceptAsPersonalKey(key.fpr);
  identity.setUnicharAttribute("openpgp_key_id", key.keyId);
}
