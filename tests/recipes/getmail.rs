//! getmail6, which pulls mail by POP3.

use crate::{machine, pulled};

#[test]
fn getmailrc() {
    machine::alone(Some("fetch"), || {
        let configuration = include_str!("../../contrib/getmail6/getmailrc");
        let crontab = include_str!("../../contrib/getmail6/crontab");
        pulled::prove(
            "[getmail6](getmail6): `getmailrc`",
            ".config/getmail/getmailrc",
            configuration,
            crontab,
        );
    });
}
