//! What a recipient asks of the border hop, and what the sender of a message below it is told.

use crate::trace::{Hop, State, Version};

/// How well a message must have come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Under TLS of any version.
    Tls,
    /// Under TLS 1.2 or newer.
    Tls1_2,
    /// Under TLS 1.3 or newer.
    Tls1_3,
    /// Under TLS, from a host whose certificate was verified.
    Verified,
}

impl Level {
    /// Whether a message passes. A hop that never crossed a network does; what is not stated does too,
    /// unless `strict`.
    pub fn passes(self, verdict: State, border: Option<&Hop>, strict: bool) -> bool {
        match verdict {
            State::Local => true,
            State::Plain => false,
            State::Unknown => !strict,
            State::Tls => self.is_reached(border).unwrap_or(!strict),
        }
    }

    /// None: the writer of the field does not say.
    fn is_reached(self, border: Option<&Hop>) -> Option<bool> {
        let tls = border.map(|hop| hop.tls).unwrap_or_default();
        match self {
            Level::Tls => Some(true),
            Level::Tls1_2 => tls.version.map(|version| version >= Version::Tls1_2),
            Level::Tls1_3 => tls.version.map(|version| version >= Version::Tls1_3),
            Level::Verified => tls.verified,
        }
    }

    /// The refusal: one line with what to do in it (RFC 5248: 5.7.10 is "Encryption Needed").
    pub fn refusal(self) -> String {
        let (accepts, remedy) = match self {
            Level::Tls => ("over TLS", "to turn on STARTTLS for outgoing mail"),
            Level::Tls1_2 => ("over TLS 1.2 or newer", "to turn on STARTTLS with TLS 1.2 for outgoing mail"),
            Level::Tls1_3 => ("over TLS 1.3 or newer", "to turn on STARTTLS with TLS 1.3 for outgoing mail"),
            Level::Verified => (
                "over TLS from hosts whose certificate it can verify",
                "to send with a client certificate of a public authority",
            ),
        };
        format!(
            "5.7.10 This mailbox accepts mail only {accepts}; please ask your mail provider {remedy} and send your message again"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 4] = [Level::Tls, Level::Tls1_2, Level::Tls1_3, Level::Verified];

    fn hop(tls: &str, with: &str) -> String {
        format!("from a (b.example [192.0.2.1]) {tls} by mx.example (Postfix) with {with} id 1; Mon")
    }

    #[test]
    fn each_level_asks_for_what_its_name_says() {
        let old = "(using TLSv1.1 with cipher AES256-SHA (256/256 bits)) (No client certificate requested)";
        let good = "(using TLSv1.2 with cipher AES256-SHA (256/256 bits))";
        let best = "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) (Client CN \"b\", Issuer \"c\" (verified OK))";
        for (tls, with, lenient, strict) in [
            ("", "ESMTP", [false; 4], [false; 4]),
            ("", "ESMTPS", [true; 4], [true, false, false, false]),
            (old, "ESMTPS", [true, false, false, false], [true, false, false, false]),
            (good, "ESMTPS", [true, true, false, true], [true, true, false, false]),
            (best, "ESMTPS", [true; 4], [true; 4]),
        ] {
            let body = hop(tls, with);
            let hop = Hop::read(body.as_bytes());
            let passes = |strict| LEVELS.map(|level| level.passes(hop.state, Some(&hop), strict));
            assert_eq!((passes(false), passes(true)), (lenient, strict), "{tls} {with}");
        }
    }

    #[test]
    fn what_came_over_no_network_passes_and_what_nobody_knows_unless_strict() {
        for level in LEVELS {
            assert!(level.passes(State::Local, None, true));
            assert!(level.passes(State::Unknown, None, false) && !level.passes(State::Unknown, None, true));
        }
    }

    #[test]
    fn a_refusal_is_one_short_line_that_begins_with_its_code() {
        for level in LEVELS {
            let said = level.refusal();
            assert!(
                said.starts_with("5.7.10 ")
                    && said.len() < 300
                    && said.is_ascii()
                    && said.lines().count() == 1,
                "{said}"
            );
        }
    }
}
