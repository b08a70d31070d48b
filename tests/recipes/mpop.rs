//! mpop, which pulls mail by POP3.

use crate::{machine, pulled};

#[test]
fn mpoprc() {
    machine::alone(Some("fetch"), || {
        let configuration = include_str!("../../contrib/mpop/mpoprc");
        pulled::prove(
            "[mpop](mpop): `mpoprc`",
            ".mpoprc",
            configuration,
            include_str!("../../contrib/mpop/crontab"),
        );
    });
}
