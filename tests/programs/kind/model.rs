//! Trees of parts whose kind is known before they are printed.

use proptest::prelude::*;

use super::*;

/// What is in a leaf.
#[derive(Clone, Debug)]
enum Leaf {
    Armor,
    Attachment,
    Html,
    Empty,
    Text,
    Csv,
    Quotation,
}

/// A part and how it is written down.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(Leaf, Encoding),
    Multipart(&'static str, Vec<Tree>, bool),
    PgpMime,
    Forwarded(Box<Tree>),
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

/// What the model knows: whether something is encrypted, readable, PGP/MIME.
#[derive(Default)]
struct Known {
    encrypted: bool,
    readable: bool,
    pgp_mime: bool,
}

impl Tree {
    fn know(&self, known: &mut Known) {
        match self {
            Tree::Leaf(Leaf::Armor | Leaf::Attachment | Leaf::Html, _) => known.encrypted = true,
            Tree::Leaf(Leaf::Empty, _) => {}
            Tree::Leaf(Leaf::Text | Leaf::Csv | Leaf::Quotation, _) => known.readable = true,
            Tree::PgpMime => (known.encrypted, known.pgp_mime) = (true, true),
            Tree::Multipart(_, parts, _) => parts.iter().for_each(|part| part.know(known)),
            Tree::Forwarded(inside) => {
                known.readable = true;
                inside.know(known);
            }
        }
    }

    fn kind(&self) -> &'static str {
        let mut known = Known::default();
        self.know(&mut known);
        match known {
            Known { encrypted: false, .. } => "plain",
            Known { readable: true, .. } => "partial",
            Known { pgp_mime: true, .. } if matches!(self, Tree::PgpMime) => "pgp-mime",
            Known { pgp_mime: true, .. } => "pgp-mime-mangled",
            _ => "pgp-inline",
        }
    }

    /// The entity, with boundaries that are numbered by `count`.
    fn print(&self, count: &mut usize) -> String {
        *count += 1;
        match self {
            Tree::Leaf(leaf, encoding) => leaf.print(*encoding),
            Tree::PgpMime => {
                multipart_with(ENCRYPTED, &format!("n{count}n"), &[version(), data(&armor(&packets()))])
            }
            Tree::Forwarded(inside) => {
                part("message/rfc822", &format!("Subject: inside\n{}", inside.print(count)))
            }
            Tree::Multipart(subtype, parts, closes) => {
                let boundary = format!("n{count}n");
                let parts: Vec<String> = parts.iter().map(|part| part.print(count)).collect();
                let entity = multipart_with(&format!("multipart/{subtype}"), &boundary, &parts);
                let close = format!("--{boundary}--\n");
                if *closes {
                    entity
                } else {
                    entity.strip_suffix(&close).expect("a close delimiter").to_owned()
                }
            }
        }
    }
}

impl Leaf {
    fn print(&self, encoding: Encoding) -> String {
        let armor = armor(&packets());
        let (media, text) = match self {
            Leaf::Armor => ("text/plain; charset=utf-8", armor),
            Leaf::Attachment => ("application/octet-stream; name=\"a.pdf.asc\"", armor),
            Leaf::Html => ("text/html", format!("<html><body><pre>{armor}</pre></body></html>\n")),
            Leaf::Empty => ("text/plain", "\n \n".to_owned()),
            Leaf::Text => ("text/plain", "the launch code is zero\n".to_owned()),
            Leaf::Csv => ("text/csv; name=a.csv", "a;b\n".to_owned()),
            Leaf::Quotation => ("text/plain", armor.replace("-----BEGIN", "> -----BEGIN")),
        };
        let (name, body) = match encoding {
            Encoding::None => ("7bit", text),
            Encoding::Base64 => ("base64", base64_lines(text.as_bytes(), 76)),
            Encoding::QuotedPrintable => {
                ("quoted-printable", text.replace('=', "=3D").replace("t c", "t=\n c"))
            }
        };
        format!("Content-Transfer-Encoding: {name}\nContent-Type: {media}\n\n{body}")
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => Just(Leaf::Armor),
        2 => Just(Leaf::Attachment),
        2 => Just(Leaf::Html),
        2 => Just(Leaf::Empty),
        1 => Just(Leaf::Text),
        1 => Just(Leaf::Csv),
        1 => Just(Leaf::Quotation),
    ];
    let encoding = prop_oneof![Just(Encoding::None), Just(Encoding::Base64), Just(Encoding::QuotedPrintable)];
    let single =
        prop_oneof![6 => (leaf, encoding).prop_map(|(l, e)| Tree::Leaf(l, e)), 1 => Just(Tree::PgpMime)];
    single.prop_recursive(4, 24, 4, |inside| {
        let subtype = prop_oneof![Just("mixed"), Just("alternative"), Just("related"), Just("x-unknown")];
        prop_oneof![
            8 => (subtype, prop::collection::vec(inside.clone(), 1..4), any::<bool>())
                .prop_map(|(subtype, parts, closes)| Tree::Multipart(subtype, parts, closes)),
            1 => inside.prop_map(|tree| Tree::Forwarded(Box::new(tree))),
        ]
    })
}

proptest! {
    #[test]
    fn a_generated_message_is_of_the_kind_that_it_was_made(tree in trees(), crlf in any::<bool>()) {
        let mut message = format!("{HEADER}{}", tree.print(&mut 0));
        if crlf {
            message = message.replace('\n', "\r\n");
        }
        let verdict = kind::of(message.as_bytes());
        prop_assert_eq!(verdict.kind.as_str(), tree.kind(), "{}\n{}", verdict, message);
    }

    /// Whatever is cut off or put in, nothing panics, and no readable line passes as encrypted.
    #[test]
    fn a_sentence_put_in_anywhere_is_never_called_encrypted(tree in trees(), place in any::<prop::sample::Index>()) {
        let entity = tree.print(&mut 0);
        // Between two lines of some body: an empty line around it keeps it out of header sections.
        let lines: Vec<&str> = entity.split_inclusive('\n').collect();
        let at = place.index(lines.len());
        let mut spoilt: String = lines[..at].concat();
        spoilt += "\n\nThis sentence, the launch code, is readable: 0000.\n\n";
        spoilt += &lines[at..].concat();
        let verdict = judge(&spoilt);
        // A preamble may hold a sentence; everywhere else it shows.
        let before = lines[..at].iter().rev().find(|line| **line != "\n");
        let in_preamble = before.is_some_and(|line| line.starts_with("Content-Type: multipart/"));
        prop_assert!(in_preamble || !verdict.kind.is_encrypted(), "{}\n{}", verdict, spoilt);
    }

    #[test]
    fn any_octets_get_a_verdict(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
        kind::of(&octets);
    }
}
