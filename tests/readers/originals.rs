//! The originals and what a reader has to show of each: `tests/fixtures/readers/INDEX.tsv`.

use crate::world::{World, fixture};

/// One row of the index.
#[derive(Debug, Clone)]
pub struct Original {
    pub name: String,
    /// The form it is sealed in: `spliced` or `wrapped` (RFC 9788's payload, two ways).
    pub form: String,
    pub subject: String,
    /// A piece of the text that the reader shows.
    pub text: String,
    /// The name of its attachment.
    pub attachment: Option<String>,
    /// What it invites to.
    pub invitation: Option<String>,
    /// It carries the signer's PGP/MIME signature.
    pub is_signed: bool,
    pub bytes: Vec<u8>,
}

impl Original {
    /// What stands between `<` and `>` in its Message-ID.
    pub fn message_id(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let (_, rest) = text.split_once("Message-ID: <").expect("a Message-ID");
        rest.split('>').next().expect("its end").to_owned()
    }

    /// The message as the built program seals it to Alice.
    pub fn sealed(&self) -> Vec<u8> {
        seal(&self.bytes)
    }
}

/// All rows, in the order of the index.
pub fn all() -> Vec<Original> {
    let index = String::from_utf8(fixture("readers/INDEX.tsv")).expect("UTF-8");
    index.lines().skip(1).map(row).collect()
}

fn row(line: &str) -> Original {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, form, subject, text, attachment, invitation, signature] = cells[..] else {
        panic!("seven cells: {line:?}");
    };
    let optional = |cell: &str| (cell != "-").then(|| cell.to_owned());
    Original {
        name: name.to_owned(),
        form: form.to_owned(),
        subject: subject.to_owned(),
        text: text.to_owned(),
        attachment: optional(attachment),
        invitation: optional(invitation),
        is_signed: signature == "good",
        bytes: fixture(&format!("readers/{name}")),
    }
}

/// Seals with the built program and Alice's certificate in its default place.
pub fn seal(message: &[u8]) -> Vec<u8> {
    World::with_alice().program("encrypt-to-self").input(message).run().succeeds()
}
