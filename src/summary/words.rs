//! Numbers as people read them, the same in text and on the page.

/// A number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `number` and the noun that it counts.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A share in percent. It is 0 or 100 only when none or all is meant: one message in a million that came in
/// the clear must not round away.
pub fn share(part: u64, whole: u64) -> String {
    if part == 0 {
        return "0 %".to_owned();
    }
    if part >= whole {
        return "100 %".to_owned();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    match tenths {
        0 => "<0.1 %".to_owned(),
        1000.. => ">99.9 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "message", "messages"), "1 message");
        assert_eq!(counted(0, "message", "messages"), "0 messages");
    }

    #[test]
    fn a_share_never_rounds_to_none_or_all() {
        for (part, whole, text) in [
            (0, 0, "0 %"),
            (0, 10, "0 %"),
            (10, 10, "100 %"),
            (1, 1_000_000, "<0.1 %"),
            (999_999, 1_000_000, ">99.9 %"),
            (1, 3, "33.3 %"),
            (2, 3, "66.7 %"),
            (1, 1000, "0.1 %"),
            (u64::MAX - 1, u64::MAX, ">99.9 %"),
        ] {
            assert_eq!(share(part, whole), text, "{part} of {whole}");
        }
    }
}
