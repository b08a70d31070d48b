//! A large message that is sealed: judged while it is read, without a place for all of it.

use crate::message::Arrival;
use crate::mime::{self, Encoding};
use crate::openpgp;

use super::{Verdict, judge};

/// A message of which the beginning was read, and which is in the middle of the data of PGP/MIME (RFC 3156, 4).
pub struct Passing {
    /// How many octets the host's `From ` line has.
    frame: usize,
    lines: openpgp::Passing,
}

impl Passing {
    /// Looks at the beginning of what arrives, whether it breaks off there.
    pub fn begin(arrived: &[u8]) -> Option<Self> {
        let message = Arrival::read(arrived).message;
        let frame = arrived.len() - message.len();
        let tree = mime::walk(message);
        let part = tree.parts.last()?;
        let above = &tree.parts[part.parent?];
        let is_data = above.content.media == "multipart/encrypted"
            && part.content.media == "application/octet-stream"
            && part.content.encoding == Encoding::Identity;
        if !is_data || part.at + part.body.len() < message.len() {
            return None;
        }
        let lines = openpgp::Passing::begin(arrived, frame + part.at)?;
        Some(Passing { frame, lines })
    }

    /// How many octets of the beginning are kept.
    pub fn at(&self) -> usize {
        self.lines.at()
    }

    /// How many octets of what follows need not be kept, and whether there may be more of them.
    pub fn pass(&mut self, text: &[u8]) -> (usize, bool) {
        self.lines.pass(text)
    }

    /// Judges the whole of what arrived by what was kept of it, as [`super::of`] judges a whole message.
    pub fn verdict(self, kept: &[u8]) -> Verdict {
        judge::judge(&kept[self.frame..], 0, self.lines.passage().behind(self.frame))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;
    use crate::kind::{self, Kind};

    /// How the verdict on `message` comes when it arrives in a beginning and pieces, and how many octets of it
    /// were kept.
    fn while_read(message: &[u8], beginning: usize, pieces: &[usize]) -> (Verdict, usize) {
        let (beginning, mut rest) = message.split_at(beginning.min(message.len()));
        let Some(mut passing) = Passing::begin(beginning) else {
            return (kind::of(Arrival::read(message).message), message.len());
        };
        let (at, mut kept, mut goes_on) = (passing.at(), beginning.to_vec(), true);
        for piece in pieces.iter().cycle() {
            let (piece, behind) = rest.split_at((*piece).min(rest.len()));
            kept.extend_from_slice(piece);
            rest = behind;
            if rest.is_empty() || !goes_on {
                break;
            }
            let let_go;
            (let_go, goes_on) = passing.pass(&kept[at..]);
            kept.drain(at..at + let_go);
        }
        kept.extend_from_slice(rest);
        (passing.verdict(&kept), kept.len())
    }

    /// How a container's length is written down.
    #[derive(Clone, Copy, Debug)]
    enum Lengths {
        Definite,
        Legacy,
        /// The old way to say "to the end".
        Indeterminate,
        /// Chunks of 2 to this power.
        Partial(u8),
    }

    /// A PKESK and a SEIPD container of so many octets.
    fn packets(lengths: Lengths, len: usize) -> Vec<u8> {
        let mut octets = vec![0xc1, 94, 3, 1, 2, 3, 4, 5, 6, 7, 8, 18];
        octets.resize(2 + 94, 7);
        let body: Vec<u8> = [1].into_iter().chain((1..len).map(|n| (n * n / 7 + n) as u8)).collect();
        match lengths {
            Lengths::Definite => {
                octets.extend([0xd2, 255]);
                octets.extend((len as u32).to_be_bytes());
                octets.extend(body);
            }
            // Tag 9 is SED; 18 does not fit into the legacy format.
            Lengths::Legacy => {
                octets.push(0x80 | 9 << 2 | 2);
                octets.extend((len as u32).to_be_bytes());
                octets.extend(body);
            }
            Lengths::Indeterminate => {
                octets.push(0x80 | 9 << 2 | 3);
                octets.extend(body);
            }
            Lengths::Partial(power) => {
                octets.push(0xd2);
                let mut chunks = body.chunks_exact(1 << power);
                for chunk in &mut chunks {
                    octets.push(224 + power);
                    octets.extend(chunk);
                }
                let last = chunks.remainder();
                octets.push(255);
                octets.extend((last.len() as u32).to_be_bytes());
                octets.extend(last);
            }
        }
        octets
    }

    /// A sealed message, its data in lines of `letters` that end like this.
    fn sealed(octets: &[u8], letters: usize, eol: &str) -> Vec<u8> {
        let data = STANDARD.encode(octets);
        let before = [
            "From: bob@example.net",
            "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b",
            "",
            "--b",
            "Content-Type: application/pgp-encrypted",
            "",
            "Version: 1",
            "--b",
            "Content-Type: application/octet-stream",
            "",
            "-----BEGIN PGP MESSAGE-----",
            "",
        ];
        let lines = before.into_iter().map(str::as_bytes).chain(data.as_bytes().chunks(letters));
        let behind = ["-----END PGP MESSAGE-----", "", "--b--", ""].into_iter().map(str::as_bytes);
        lines.chain(behind).collect::<Vec<_>>().join(eol.as_bytes())
    }

    fn any_lengths() -> impl Strategy<Value = Lengths> {
        prop_oneof![
            Just(Lengths::Definite),
            Just(Lengths::Legacy),
            Just(Lengths::Indeterminate),
            (9_u8..13).prop_map(Lengths::Partial),
        ]
    }

    const FORMS: [Lengths; 5] =
        [Lengths::Definite, Lengths::Legacy, Lengths::Partial(9), Lengths::Partial(12), Lengths::Partial(16)];

    #[test]
    fn a_sealed_message_leaves_little() {
        for lengths in FORMS {
            for (letters, eol) in [(64, "\n"), (76, "\r\n"), (60, "\n"), (32, "\r\n")] {
                let message = sealed(&packets(lengths, 100_000), letters, eol);
                let (verdict, left) = while_read(&message, 4096, &[3000]);
                assert_eq!(verdict, kind::of(&message));
                assert_eq!(verdict.kind, Kind::PgpMime, "{verdict}");
                assert!(left < 4096 + 3000 + 1000, "{lengths:?} {letters} {eol:?}: {left}");
            }
        }
    }

    #[test]
    fn what_is_not_passed_through_is_judged_all_the_same() {
        // Lines that do not hold whole octets, and a container that ends with the data.
        for (lengths, letters) in [(Lengths::Definite, 63), (Lengths::Indeterminate, 64)] {
            let message = sealed(&packets(lengths, 20_000), letters, "\n");
            let (verdict, left) = while_read(&message, 4096, &[3000]);
            assert_eq!(verdict, kind::of(&message));
            assert_eq!(left, message.len());
        }
    }

    #[test]
    fn a_readable_line_in_the_middle_is_seen_wherever_it_is() {
        let message = sealed(&packets(Lengths::Definite, 20_000), 64, "\n");
        let text = b"a sentence that is as long as a line of base64 has to be, is it?\n";
        let lines = message.split_inclusive(|octet| *octet == b'\n');
        let starts = lines.scan(0, |at, line| Some((std::mem::replace(at, *at + line.len()), line.len())));
        let mut count = 0;
        for (at, _) in starts.filter(|(_, len)| *len == text.len()) {
            count += 1;
            let mut changed = message.clone();
            changed[at..at + text.len()].copy_from_slice(text);
            let (verdict, _) = while_read(&changed, 4096, &[3000, 65, 64, 1]);
            assert_eq!(verdict, kind::of(&changed), "{at}");
            assert!(!verdict.kind.is_encrypted(), "{at}");
        }
        assert!(count > 400, "{count}");
    }

    /// What may stand behind the container.
    const BEHIND: &[&[u8]] = &[b"", b"", b"\xd5\x02ab", b"\xca\x03PGP", b"\n", b"\xcb\x05hello"];

    /// What somebody may put anywhere.
    const BETWEEN: &[&[u8]] = &[
        b"a sentence\n",
        b"\n",
        b"\r",
        b"--b\n",
        b"\n--b\n\nhi\n",
        b"=aaaa\n",
        b"-----BEGIN PGP MESSAGE-----\n\n",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Whatever is changed, cut off, put in or put behind, and however it arrives.
        #[test]
        fn the_verdict_is_that_on_the_whole(
            lengths in any_lengths(),
            len in 3_000_usize..20_000,
            lines in prop::sample::select(vec![64_usize, 64, 76, 60, 32, 63, 28]),
            eol in prop::sample::select(vec!["\n", "\r\n"]),
            more in prop::sample::select(BEHIND),
            beginning in 100_usize..9_000,
            pieces in proptest::collection::vec(1_usize..4_000, 1..5),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            frame in any::<bool>(),
            kept in proptest::option::weighted(0.3, any::<prop::sample::Index>()),
            put in proptest::option::of((any::<prop::sample::Index>(), prop::sample::select(BETWEEN))),
        ) {
            let mut message = sealed(&[&packets(lengths, len), more].concat(), lines, eol);
            for (at, octet) in changes {
                let at = at.index(message.len());
                message[at] = octet;
            }
            if let Some((at, text)) = put {
                let at = at.index(message.len());
                message.splice(at..at, text.iter().copied());
            }
            if let Some(kept) = kept {
                message.truncate(kept.index(message.len()).max(1));
            }
            if frame {
                message.splice(0..0, b"From bob@example.net Mon Jan  1 00:00:00 2026\n".iter().copied());
            }
            let (verdict, _) = while_read(&message, beginning, &pieces);
            prop_assert_eq!(verdict, kind::of(Arrival::read(&message).message));
        }
    }
}
