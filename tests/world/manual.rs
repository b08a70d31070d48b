//! The way back from a sealed message, by the rule of selfseal(7): lines that share nothing with the
//! program, as anyone would write them.

fn position(hay: &[u8], needle: &[u8]) -> usize {
    let found = hay.windows(needle.len()).position(|window| window == needle);
    found.unwrap_or_else(|| panic!("{} is not there", needle.escape_ascii()))
}

/// The original inside a decrypted payload.
pub fn original(payload: &[u8]) -> Vec<u8> {
    let end = position(payload, b"\r\n");
    let first = String::from_utf8(payload[..end].to_vec()).unwrap();
    let word = |name: &str| first.split(name).nth(1).unwrap().split(';').next().unwrap().to_owned();
    let mut text = payload[end + 2..].to_vec();
    if word("form=") == "spliced" {
        for _ in 0..word("added=").parse().unwrap() {
            text.drain(..position(&text, b"\r\n") + 2);
        }
        let header = position(&[b"\r\n", text.as_slice()].concat(), b"\r\n\r\n");
        let twin = b" ; protected-headers=\"v1\"; hp=\"cipher\"\r\n";
        if text[..header].windows(twin.len()).any(|window| window == twin) {
            let at = position(&text, twin);
            text.drain(at..at + twin.len());
        }
    } else {
        text = [b"\r\n".as_slice(), &text].concat();
        let start = position(&text, b"\r\nContent-Type: multipart/mixed; boundary=\"");
        let boundary = text[start..].split(|octet| *octet == b'"').nth(1).unwrap().to_vec();
        let open = [b"\r\n--".as_slice(), &boundary, b"\r\n"].concat();
        text.drain(..position(&text, &open) + open.len());
        text.truncate(position(&text, &[b"\r\n--".as_slice(), &boundary, b"--"].concat()));
    }
    if word("form=") == "divided" {
        let at = position(&[b"\n".as_slice(), &text].concat(), b"\n\r\n");
        text.drain(at..at + 2);
    }
    if word("lines=") == "lf" {
        text = text.split(|octet| *octet == b'\r').collect::<Vec<_>>().concat();
    }
    text
}

/// The armor in a sealed message.
#[allow(dead_code, reason = "the unit tests begin with a payload")]
pub fn armor(sealed: &[u8]) -> &[u8] {
    let start = position(sealed, b"-----BEGIN PGP MESSAGE-----");
    let tail = b"-----END PGP MESSAGE-----";
    &sealed[start..start + position(&sealed[start..], tail) + tail.len()]
}
