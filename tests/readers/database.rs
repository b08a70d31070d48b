//! A notmuch database over one Maildir, which decrypts what it indexes and what it shows.

use serde_json::{Value, json};

use crate::gnupg::Gnupg;
use crate::programs::require;
use crate::world::{Outcome, Run, World};

/// A database over the Maildir `mail` of a world.
pub struct Database<'a> {
    world: &'a World,
    gnupg: &'a Gnupg<'a>,
}

/// What notmuch shows of one message.
#[derive(Debug, PartialEq)]
pub struct Shown {
    pub subject: String,
    pub from: String,
    /// Each part that is no container, in order, as notmuch prints it; and each signature's status.
    pub parts: Vec<Value>,
    /// The Subject that stands outside, if another one was inside.
    pub masked_subject: Option<String>,
}

impl<'a> Database<'a> {
    /// Indexes what lies in the Maildir.
    pub fn index(world: &'a World, gnupg: &'a Gnupg<'a>) -> Self {
        require("notmuch");
        let settings = format!(
            "[database]\npath={}\n[user]\nname=Alice\nprimary_email=alice@example.org\n\
             [new]\ntags=new\n[index]\ndecrypt=true\n[crypto]\ngpg_path=gpg\n",
            world.path("mail").display()
        );
        world.write("notmuch-config", settings.as_bytes());
        let database = Database { world, gnupg };
        let outcome = database.command(&["new", "--quiet"]).run();
        assert_eq!(outcome.status(), 0, "notmuch new: {}", outcome.stderr());
        database
    }

    /// How many messages a search finds.
    pub fn count(&self, query: &str) -> usize {
        let printed = self.command(&["count", query]).run().succeeds();
        String::from_utf8_lossy(&printed).trim().parse().expect("a number")
    }

    /// What `notmuch show` prints, decrypted, with signatures verified, however it ends.
    pub fn show(&self, query: &str) -> Outcome {
        let options =
            ["--format=json", "--include-html", "--entire-thread=false", "--decrypt=true", "--verify"];
        self.command(&["show"]).args(options).args([query]).run()
    }

    fn command(&self, arguments: &[&str]) -> Run {
        let settings = self.world.path("notmuch-config");
        let run = self.world.command("notmuch").env("NOTMUCH_CONFIG", settings).env("LANG", "C.UTF-8");
        run.env("GNUPGHOME", self.gnupg.home()).args(arguments)
    }
}

/// Reads what `show` printed of the one message that the query matched; nothing if it matched none.
pub fn read(printed: &[u8]) -> Option<Shown> {
    // notmuch prints some octets as they came, of whatever charset.
    let text = String::from_utf8_lossy(printed);
    let threads: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let message = matched(&threads)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut parts = Vec::new();
    for part in message["body"].as_array().expect("a body") {
        collect(part, &mut parts);
    }
    Some(Shown {
        subject: text(&message["headers"]["Subject"]),
        from: text(&message["headers"]["From"]),
        parts,
        masked_subject: message["crypto"]["decrypted"]["header-mask"]["Subject"].as_str().map(str::to_owned),
    })
}

// Threads are lists of [message, replies]; a message that was not asked for is null.
fn matched(threads: &Value) -> Option<&Value> {
    match threads {
        Value::Array(nodes) => nodes.iter().find_map(matched),
        Value::Object(_) => Some(threads),
        _ => None,
    }
}

fn collect(part: &Value, found: &mut Vec<Value>) {
    if !part["sigstatus"].is_null() {
        let statuses = part["sigstatus"].as_array().into_iter().flatten();
        found.push(json!({ "signatures": statuses.map(|one| &one["status"]).collect::<Vec<_>>() }));
    }
    match &part["content"] {
        Value::Array(children) => children.iter().for_each(|child| collect_child(child, found)),
        _ if part["content-type"] == "application/pgp-encrypted" => {}
        _ => found.push(plainly(part)),
    }
}

// The child of a message/rfc822 part is a message: fields and a body of its own.
fn collect_child(child: &Value, found: &mut Vec<Value>) {
    let Some(body) = child["body"].as_array() else { return collect(child, found) };
    found.push(child["headers"].clone());
    body.iter().for_each(|part| collect(part, found));
}

// Of a part, what does not depend on its place or its line ends: decrypted text has LF, and the length
// is that of the transfer form, which has CRLF inside a payload.
fn plainly(part: &Value) -> Value {
    let mut part = part.clone();
    let members = part.as_object_mut().expect("a part");
    members.remove("id");
    members.remove("content-length");
    if let Some(Value::String(text)) = members.get_mut("content") {
        *text = text.replace("\r\n", "\n");
    }
    part
}
