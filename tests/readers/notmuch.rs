//! notmuch shows and finds sealed mail as the original.

use serde_json::{Value, json};

use crate::database::{Database, Shown, read};
use crate::gnupg::Gnupg;
use crate::originals::{self, Original};
use crate::world::World;

/// All messages in one database; what is shown of each.
fn shown(world: &World, messages: impl Fn(&Original) -> Vec<u8>) -> Vec<(Original, Shown)> {
    let originals = originals::all();
    for original in &originals {
        world.write(&format!("mail/new/{}", original.name), &messages(original));
    }
    let gnupg = Gnupg::with_keys(world);
    let database = Database::index(world, &gnupg);
    originals
        .into_iter()
        .map(|original| {
            let shown = find_and_show(&database, &original);
            (original, shown)
        })
        .collect()
}

/// The index knows the real Subject and the text, not the `[...]` that stands outside.
fn find_and_show(database: &Database, original: &Original) -> Shown {
    let id = format!("id:{}", original.message_id());
    let subject = format!("subject:\"{}\" and {id}", original.subject);
    assert_eq!(database.count(&subject), 1, "{}: {subject}", original.name);
    let text = format!("\"{}\" and {id}", original.text);
    assert_eq!(database.count(&text), 1, "{}: {text}", original.name);
    read(&database.show(&id).succeeds()).expect("the message")
}

#[test]
fn notmuch_shows_and_finds_sealed_mail_as_the_original() {
    let unsealed = World::new();
    let sealed = World::new();
    let rows = shown(&unsealed, |original| original.bytes.clone());
    for ((original, unsealed), (_, sealed)) in rows.into_iter().zip(shown(&sealed, Original::sealed)) {
        let name = &original.name;
        assert_eq!(sealed.subject, original.subject, "{name}");
        assert_eq!(sealed.from, "Bob Signer <bob@example.net>", "{name}");
        assert_eq!(sealed.masked_subject.as_deref(), Some("[...]"), "{name}");
        assert_eq!((&sealed.subject, &sealed.from), (&unsealed.subject, &unsealed.from), "{name}");
        assert_eq!(sealed.parts, unsealed.parts, "{name}");
        let good = json!({ "signatures": ["good"] });
        assert_eq!(sealed.parts.contains(&good), original.is_signed, "{name}: {:#?}", sealed.parts);
        let names = |part: &Value| part["filename"].as_str().map(str::to_owned);
        let attachment =
            sealed.parts.iter().filter(|part| part["content-disposition"] == "attachment").find_map(names);
        assert_eq!(attachment, original.attachment, "{name}");
    }
}
