//! fdm, which pulls mail by IMAP.

use crate::{machine, pulled};

#[test]
fn fdm_conf() {
    machine::alone(Some("fetch"), || {
        let configuration = include_str!("../../contrib/fdm/fdm.conf");
        pulled::prove(
            "[fdm](fdm): `fdm.conf`",
            ".fdm.conf",
            configuration,
            include_str!("../../contrib/fdm/crontab"),
        );
    });
}
