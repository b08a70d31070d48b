//! fetchmail, which pulls mail by IMAP.

use crate::{machine, pulled};

#[test]
fn fetchmailrc() {
    machine::alone(Some("fetch"), || {
        let configuration = include_str!("../../contrib/fetchmail/fetchmailrc");
        let crontab = include_str!("../../contrib/fetchmail/crontab");
        pulled::prove("[fetchmail](fetchmail): `fetchmailrc`", ".fetchmailrc", configuration, crontab);
    });
}
