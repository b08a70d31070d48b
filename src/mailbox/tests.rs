use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::*;

fn maildir(at: &Path) {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(at.join(part)).unwrap();
    }
}

/// What `path` is: a word, or why it is nothing.
fn kind(path: &Path) -> String {
    match Mailbox::at(path) {
        Ok(Mailbox::Maildir(_)) => "maildir".to_owned(),
        Ok(Mailbox::Tree(_)) => "tree".to_owned(),
        Ok(Mailbox::Mbox(_)) => "mbox".to_owned(),
        Err(error) => match error.downcast::<NoMailbox>() {
            Ok(NoMailbox(why)) => why.replace(&path.display().to_string(), "PATH"),
            Err(error) => panic!("{error:#}"),
        },
    }
}

/// The folders below `root` by path.
fn folders(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let came_to_the_end = tree::walk(Directory::open(root).unwrap().unwrap(), &mut |folder| {
        let path = folder.unwrap().path().strip_prefix(root).unwrap().to_owned();
        found.push(path.display().to_string());
        true
    });
    assert!(came_to_the_end);
    found
}

#[test]
fn a_path_is_known_for_what_it_is() {
    let place = TempDir::new().unwrap();
    let at = |name: &str| place.path().join(name);
    maildir(&at("maildir"));
    maildir(&at("half"));
    fs::remove_dir(at("half/tmp")).unwrap();
    maildir(&at("linked"));
    fs::remove_dir(at("linked/cur")).unwrap();
    symlink(at("maildir/cur"), at("linked/cur")).unwrap();
    maildir(&at("tree/inbox"));
    maildir(&at("tree/lists/rust"));
    fs::create_dir_all(at("tree/.notmuch/xapian")).unwrap();
    fs::create_dir_all(at("tree/lists/empty")).unwrap();
    maildir(&at("home/Maildir"));
    fs::create_dir_all(at("home/Documents")).unwrap();
    fs::write(at("home/Documents/letter"), "From me").unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("mbox"), "From a@b Thu Jan  1 00:00:00 1970\n").unwrap();
    fs::write(at("empty-mbox"), "").unwrap();
    fs::write(at("letter"), "From: a@b\n").unwrap();
    symlink(at("maildir"), at("link-to-maildir")).unwrap();
    symlink(at("mbox"), at("link-to-mbox")).unwrap();
    for (name, expected) in [
        ("maildir", "maildir"),
        ("maildir/", "maildir"),
        ("link-to-maildir", "maildir"),
        ("tree", "tree"),
        ("mbox", "mbox"),
        ("empty-mbox", "mbox"),
        ("half", "PATH: is no mailbox: it has no cur, new and tmp"),
        ("linked", "PATH: is no mailbox: it has no cur, new and tmp"),
        ("home", "PATH: is no mailbox: PATH/Documents is no Maildir"),
        ("empty", "PATH: is no mailbox: it has no cur, new and tmp"),
        ("letter", "PATH: is no mailbox: no From line stands at its beginning"),
        ("link-to-mbox", "PATH: is a symbolic link; give its target"),
        ("missing", "PATH: is missing"),
        ("mbox/below", "PATH: is missing"),
    ] {
        assert_eq!(kind(&at(name)).replace(&*at("home").to_string_lossy(), "PATH"), expected, "{name}");
    }
    for path in ["/", "/etc", "/usr", "/dev/null", "/tmp/.."] {
        let why = kind(Path::new(path));
        assert!(why.contains("is no"), "{path}: {why}");
    }
}

#[test]
fn folders_are_found_in_every_layout_and_no_link_is_followed() {
    let place = TempDir::new().unwrap();
    let at = |name: &str| place.path().join(name);
    for name in ["box", "box/.Lists.rust", "box/.Lists", "box/plain", "box/above/below", "box/cur/maildir"] {
        maildir(&at(name));
    }
    maildir(&at("box/.Lists/.inside"));
    fs::create_dir_all(at("box/sieve/scripts")).unwrap();
    fs::create_dir_all(at("box/.hidden/deep")).unwrap();
    maildir(&at("box/.hidden/deep/box"));
    File::create(at("box/dovecot-uidlist")).unwrap();
    maildir(&at("elsewhere"));
    symlink(at("elsewhere"), at("box/.link")).unwrap();
    symlink(at("elsewhere"), at("box/link")).unwrap();
    assert_eq!(folders(&at("box")), ["", ".Lists", ".Lists.rust", "above/below", "plain"]);

    maildir(&at("tree/b"));
    maildir(&at("tree/a/c"));
    maildir(&at("tree/.dot"));
    assert_eq!(folders(&at("tree")), ["a/c", "b"]);
}

#[test]
fn messages_are_the_regular_files_with_a_messages_name() {
    let place = TempDir::new().unwrap();
    maildir(place.path());
    for file in
        ["cur/1.a:2,FS", "cur/2.b,S=7:2,S", "cur/notes", "cur/.hidden", "new/3.c", "new/4.d:2,FS", "tmp/5.e"]
    {
        fs::write(place.path().join(file), "A: b\n c\nD: e\n\nbody\n").unwrap();
    }
    fs::create_dir(place.path().join("cur/6.f:2,S")).unwrap();
    symlink(place.path().join("cur/notes"), place.path().join("cur/7.g:2,S")).unwrap();
    let Ok(Ok(maildir)) = Maildir::inside(Directory::open(place.path()).unwrap().unwrap()) else { panic!() };
    let mut found = Vec::new();
    for part in Part::ALL {
        maildir
            .each_message(part, |message| {
                assert_eq!(message.header()?.unwrap(), b"A: b\n c\nD: e\n");
                assert_eq!(message.stat()?.unwrap().st_size, 19);
                let file = message.file.to_str().unwrap().to_owned();
                found.push((file, message.flags(), message.name.size()));
                Ok(())
            })
            .unwrap();
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let named = |name: &str, flags, size| (name.to_owned(), flags, size);
    let expected = [
        named("1.a:2,FS", Flags::SEEN.with(Flags::FLAGGED), None),
        named("2.b,S=7:2,S", Flags::SEEN, Some(7)),
        named("3.c", Flags::NONE, None),
        // It lies in new, so nobody has read it.
        named("4.d:2,FS", Flags::FLAGGED, None),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_header_section_is_read_to_its_end_and_no_further() {
    let place = TempDir::new().unwrap();
    maildir(place.path());
    let long = format!("A: {}\n", "x".repeat(70)).repeat(1000);
    for (text, header) in [
        (String::new(), ""),
        ("A: b".to_owned(), "A: b"),
        ("no header section".to_owned(), ""),
        (format!("{long}\n{}", "body\n".repeat(10_000)), &long),
        (format!("{long}no field"), &long),
    ] {
        fs::write(place.path().join("cur/1.a:2,"), &text).unwrap();
        let cur = Directory::open(&place.path().join("cur")).unwrap().unwrap();
        let read = maildir::header(&cur, "1.a:2,".as_ref()).unwrap().unwrap();
        assert!(read == header.as_bytes(), "{}", read.escape_ascii());
    }
    let endless = vec![b'A'; 3 << 20];
    fs::write(place.path().join("cur/1.a:2,"), [b"A: ", &endless[..]].concat()).unwrap();
    let cur = Directory::open(&place.path().join("cur")).unwrap().unwrap();
    let length = maildir::header(&cur, "1.a:2,".as_ref()).unwrap().unwrap().len();
    assert!((1 << 20..2 << 20).contains(&length), "{length}");
}
