use std::io::Read;

use super::*;

/// The form of RFC 4155 but for the zone, which is told: 2026-01-05 12:00:00 UTC.
const FROM: &str = "From a@example.org Mon Jan  5 12:00:00 2026 +0000\n";
const NOON: i64 = 1_767_614_400;

fn contents(text: &str) -> Option<Contents> {
    read(text.as_bytes()).unwrap()
}

/// What stands in each message, and the doubt about it.
fn divided(text: &str) -> Vec<(&str, Option<Doubt>)> {
    let contents = contents(text).unwrap_or_else(|| panic!("no mbox: {text:?}"));
    assert_eq!(contents.length, text.len() as u64);
    assert!(contents.messages.windows(2).all(|pair| pair[0].end == pair[1].start));
    assert_eq!(contents.messages.last().map(|message| message.end), Some(text.len() as u64));
    let span = |message: &Message| &text[message.start as usize..message.end as usize];
    contents.messages.iter().map(|message| (span(message), message.doubt)).collect()
}

#[test]
fn a_message_begins_with_a_dated_line_behind_an_empty_one() {
    let two = format!("{FROM}Subject: one\n\nbody\n>From quoted\nFrom here on\n\n");
    let last = format!("{FROM}Subject: two\n\nbody without an end");
    assert_eq!(divided(&format!("{two}{last}")), [(&two[..], None), (&last, None)]);
    let crlf = format!("{FROM}Subject: one\n\nbody\n\n").replace('\n', "\r\n");
    assert_eq!(divided(&crlf.repeat(3)), [(&crlf[..], None); 3]);
    // Empty lines in front belong to nobody, and an empty message is one.
    let bare = format!("{FROM}\n");
    let contents = contents(&format!("\n\n{bare}{bare}{FROM}")).unwrap();
    let spans: Vec<(u64, u64)> =
        contents.messages.iter().map(|message| (message.start, message.end)).collect();
    assert_eq!(spans, [(2, 53), (53, 104), (104, 154)]);
}

#[test]
fn a_message_is_described() {
    let text = format!("{FROM}Status: RO\nX-Status: F\nX-IMAPbase: 1 2\n\nbody\n\n{FROM}X-IMAPbase: 3 4\n\n");
    let contents = contents(&text).unwrap();
    let first = &contents.messages[0];
    assert_eq!((first.start, first.from_line, first.header, first.end), (0, 50, 39, 96));
    assert_eq!((first.time, first.flags), (NOON, Flags::SEEN.with(Flags::FLAGGED)));
    assert_eq!(contents.messages[1].flags, Flags::NONE);
    assert_eq!(contents.base.as_deref(), Some(&b"X-IMAPbase: 1 2\n"[..]));
}

#[test]
fn what_some_readers_divide_is_doubtful() {
    let dated = FROM.trim_end();
    for (name, text, doubt) in [
        ("a date, no empty line before", format!("body\n{dated}\nSubject: x\n\n"), true),
        ("a date, no field behind", format!("body\n\n{dated}\nand no field\n\n"), true),
        ("a date in the middle of a text", format!("body\n{dated}\nand no field\n\n"), true),
        ("no date, but a field behind", "body\n\nFrom the desk of:\nSubject: x\n\n".to_owned(), true),
        ("no date, no field behind", "body\n\nFrom here on\nit is prose\n\n".to_owned(), false),
        ("no date, no empty line", "body\nFrom: x\nFrom here on\nA: b\n\n".to_owned(), false),
        ("quoted", format!("body\n\n>{dated}\nSubject: x\n\n"), false),
        (
            "a line that is too long",
            format!("body\n\nFrom {}{}\nA: b\n\n", "x".repeat(2000), &dated[4..]),
            true,
        ),
    ] {
        let message = format!("{FROM}A: b\n\n{text}");
        let other = format!("{FROM}A: b\n\n");
        let doubt = doubt.then_some(Doubt::FromLine);
        let whole = format!("{other}{message}{other}");
        assert_eq!(divided(&whole), [(&other[..], None), (&message, doubt), (&other, None)], "{name}");
    }
}

/// To read a header section behind each took minutes.
#[test]
fn a_sender_cannot_make_an_mbox_long_to_read() {
    let line = "From : Mon Jan  5 12:00:59 2026\n";
    let message = format!("{FROM}A: b\n\ntext\n{}\n", line.repeat(60_000));
    let other = format!("{FROM}A: b\n\n");
    let found = divided(&format!("{message}{other}")).into_iter().map(|(_, doubt)| doubt).collect::<Vec<_>>();
    assert_eq!(found, [Some(Doubt::FromLine), None]);
    let claims: String = (0..8_000).map(|n| format!("Content-Length: {}\n", 1_000_000_000 + n)).collect();
    let claiming = format!("{FROM}{claims}\n");
    assert_eq!(divided(&(claiming.repeat(20) + &other.repeat(20_000))).len(), 20_020);
}

#[test]
fn a_false_content_length_joins_no_messages_and_lets_none_go() {
    let message = |length: usize| format!("{FROM}Content-Length: {length}\n\nbody\n\n");
    let other = format!("{FROM}A: b\n\nbody\n\n");
    let none = [None; 4];
    let both = [None, Some(Doubt::ContentLength), Some(Doubt::ContentLength), None];
    for (name, length, doubts) in [
        ("true", 5, none),
        ("true, the empty line counted", 6, none),
        ("too short", 2, none),
        ("into the next message", 30, none),
        ("to the end of the next", 6 + other.len(), both),
        ("to the end of the next but for the empty line", 5 + other.len(), both),
        ("beyond the end", 100_000, none),
    ] {
        let text = format!("{other}{}{other}{other}", message(length));
        let found: Vec<Option<Doubt>> = divided(&text).into_iter().map(|(_, doubt)| doubt).collect();
        assert_eq!(found, doubts, "{name}");
    }
    let text = format!("{other}{}{other}{other}", message(6 + 2 * other.len()));
    let found: Vec<bool> = divided(&text).into_iter().map(|(_, doubt)| doubt.is_some()).collect();
    assert_eq!(found, [false, true, true, true], "to the end of the file");
}

#[test]
fn a_header_section_of_any_length_hides_no_flag() {
    let other = format!("{FROM}A: b\n\n");
    for (octets, doubt) in [(200_000, None), (300_000, Some(Doubt::LongHeader))] {
        let field = format!("X: {}\n", "x".repeat(94)).repeat(octets / 98);
        let text = format!("{other}{FROM}{field}Status: R\n\nbody\n\n{other}");
        let contents = contents(&text).unwrap();
        let doubts: Vec<Option<Doubt>> = contents.messages.iter().map(|message| message.doubt).collect();
        assert_eq!(doubts, [None, doubt, None], "{octets}");
        assert_eq!(contents.messages[1].flags.has(Flags::SEEN), doubt.is_none());
    }
}

#[test]
fn what_does_not_begin_with_a_message_is_no_mbox() {
    for text in ["x", "\n", "From here on\n", "From: a@b\n\nhi\n", "Subject: x\n\nFrom a@b\n", ">From x\n"] {
        assert_eq!(contents(text), None, "{text:?}");
    }
    assert_eq!(contents(&format!("x\n\n{FROM}A: b\n\n")), None);
    assert_eq!(contents(&format!("{}no field\n", FROM)), None);
    assert_eq!(contents(""), Some(Contents::default()));
}

/// Gives a few octets at a time, as the network does.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(buffer.len()).min(self.0.len());
        let (now, rest) = self.0.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.0 = rest;
        Ok(length)
    }
}

#[test]
fn messages_of_all_sizes_are_found_wherever_the_parts_of_a_large_file_end() {
    let mut text = String::new();
    let mut starts = Vec::new();
    // Sizes around that of a part, and such as move its ends through each octet of a separator.
    for size in (0..200).chain([262_100, 786_000, 1_048_500, 1_048_576, 3_000_000]).chain(10_000..10_300) {
        starts.push(text.len() as u64);
        text += &format!("{FROM}A: b\n\n{}\n\n", "x".repeat(size));
    }
    let whole = contents(&text).unwrap();
    assert!(whole.messages.iter().all(|message| message.doubt.is_none()));
    assert_eq!(whole.messages.iter().map(|message| message.start).collect::<Vec<_>>(), starts);
    for octets in [7777, 1_048_575] {
        assert_eq!(read(Slow(text.as_bytes(), octets)).unwrap().unwrap(), whole, "{octets} at a time");
    }
}

#[test]
fn a_beginning_is_read_whole_wherever_a_part_of_the_file_ends() {
    let beginning = format!("{FROM}Subject: x\nStatus: R\nX-Status:\n F\n\n");
    let (head, end) = (format!("{FROM}A: b\n\n"), "From x\n\n");
    for cut in 0..=beginning.len() {
        let filled = window::CHUNK - head.len() - 2 - cut;
        let text = format!("{head}{}\n\n{beginning}{end}", "x".repeat(filled));
        let contents = contents(&text).unwrap();
        let [first, second] = &contents.messages[..] else { panic!("{cut}: {:?}", contents.messages) };
        assert_eq!((first.doubt, first.end), (None, second.start), "{cut}");
        assert_eq!((second.start, second.header), ((window::CHUNK - cut) as u64, 34), "{cut}");
        assert_eq!(second.flags, Flags::SEEN.with(Flags::FLAGGED), "{cut}");
    }
}

#[test]
fn header_sections_come_one_by_one_without_what_a_server_keeps() {
    let headers = |text: &str, octets: usize| {
        let mut found = Vec::new();
        let is_mbox = each_header(Slow(text.as_bytes(), octets), |header| {
            found.push(String::from_utf8_lossy(header).into_owned());
        });
        is_mbox.unwrap().then_some(found)
    };
    let internal = "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\n\n";
    let text = format!(
        "{FROM}{internal}{FROM}A: b\n\nFrom here\nx\n\n{FROM}C: d\n e\n\n{}\n{FROM}\n",
        "x\n".repeat(1 << 20)
    );
    for octets in [1 << 20, 4096] {
        assert_eq!(headers(&text, octets).unwrap(), ["A: b\n", "C: d\n e\n", ""], "{octets} at a time");
    }
    assert_eq!(headers("", 1).unwrap(), [""; 0]);
    assert_eq!(headers("A: b\n\nhi\n", 1), None);
    assert_eq!(headers("From nobody\nA: b\n\nhi\n", 100), None);
}

proptest::proptest! {
    /// A reader that knows lines only: separators and doubts are the same.
    #[test]
    fn separators_are_those_that_a_walk_over_lines_finds(
        lines in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::strategy::Just(FROM), proptest::strategy::Just("\n"), proptest::strategy::Just("A: b\n"),
                proptest::strategy::Just("From here\n"), proptest::strategy::Just("text\n"),
            ],
            0..40,
        )
    ) {
        let lines = [&[FROM, "A: b\n"], &lines[..]].concat();
        let mut expected: Vec<(u64, bool)> = Vec::new();
        let mut offset = 0;
        for (at, line) in lines.iter().enumerate() {
            let is_apart = at == 0 || lines[at - 1] == "\n";
            let is_followed = matches!(lines.get(at + 1), None | Some(&"\n" | &"A: b\n"));
            match *line {
                FROM if is_apart && is_followed => expected.push((offset, false)),
                FROM => expected.last_mut().unwrap().1 = true,
                "From here\n" if is_apart && is_followed => expected.last_mut().unwrap().1 = true,
                _ => {}
            }
            offset += line.len() as u64;
        }
        let found = contents(&lines.concat()).unwrap();
        let found: Vec<(u64, bool)> =
            found.messages.iter().map(|message| (message.start, message.doubt.is_some())).collect();
        proptest::prop_assert_eq!(found, expected);
    }
}
