//! The name of a message's file in a Maildir (maildir(5)): what tells it from all others, its size, its
//! flags.

/// What is known of a message besides its text: flags of IMAP (RFC 9051, 2.3.2), as a Maildir name and the
/// Status fields of an mbox have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// None of them: unread.
    pub const NONE: Flags = Flags(0);
    /// `D`: not finished.
    pub const DRAFT: Flags = Flags(1);
    /// `F`: marked by the user.
    pub const FLAGGED: Flags = Flags(2);
    /// `P`: resent, forwarded or bounced.
    pub const PASSED: Flags = Flags(4);
    /// `R`: answered.
    pub const REPLIED: Flags = Flags(8);
    /// `S`: read.
    pub const SEEN: Flags = Flags(16);
    /// `T`: to be removed by its reader.
    pub const TRASHED: Flags = Flags(32);

    /// The letters of a Maildir; others (Dovecot's keywords are `a` to `z`) mean nothing here.
    pub fn of_letters(letters: &[u8]) -> Self {
        letters.iter().fold(Flags::NONE, |flags, letter| match letter {
            b'D' => flags.with(Flags::DRAFT),
            b'F' => flags.with(Flags::FLAGGED),
            b'P' => flags.with(Flags::PASSED),
            b'R' => flags.with(Flags::REPLIED),
            b'S' => flags.with(Flags::SEEN),
            b'T' => flags.with(Flags::TRASHED),
            _ => flags,
        })
    }

    /// Their letters, in the order in which a name has them.
    pub fn letters(self) -> String {
        let all = [
            ('D', Flags::DRAFT),
            ('F', Flags::FLAGGED),
            ('P', Flags::PASSED),
            ('R', Flags::REPLIED),
            ('S', Flags::SEEN),
            ('T', Flags::TRASHED),
        ];
        all.into_iter().filter(|(_, flag)| self.has(*flag)).map(|(letter, _)| letter).collect()
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Flags) -> Self {
        Flags(self.0 | other.0)
    }

    /// These but those.
    #[must_use]
    pub const fn without(self, other: Flags) -> Self {
        Flags(self.0 & !other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What stands before the flags: a colon, or what OfflineIMAP and mbsync write where file names have none.
const MARKS: [&[u8]; 3] = [b":2,", b"!2,", b";2,"];

/// A file name, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The message's identity: the part that stays when flags change.
    pub base: &'a [u8],
    /// The letters behind `:2,` or the like; None where there is no such part.
    pub letters: Option<&'a [u8]>,
}

impl<'a> Name<'a> {
    /// The message that `file` is the name of; None for what is no message.
    ///
    /// Names with a dot in front are none (maildir(5)). A program that writes messages begins a name with
    /// the second, and one that changes flags writes `:2,`; whatever has neither (`notes`,
    /// `dovecot-uidlist`) is somebody else's file.
    pub fn of(file: &'a [u8]) -> Option<Self> {
        let (base, letters) = match MARKS.iter().find_map(|mark| memchr::memmem::rfind(file, mark)) {
            Some(mark) => (&file[..mark], Some(&file[mark + 3..])),
            // `:1,` and whatever else stands behind a colon is no part of the identity either.
            None => (&file[..memchr::memrchr(b':', file).unwrap_or(file.len())], None),
        };
        let is_message = match file.first() {
            None | Some(b'.') => false,
            Some(first) => !base.is_empty() && (first.is_ascii_digit() || letters.is_some()),
        };
        is_message.then_some(Name { base, letters })
    }

    /// Its flags.
    pub fn flags(&self) -> Flags {
        self.letters.map_or(Flags::NONE, Flags::of_letters)
    }

    /// The second at which it was delivered, by the name: the number in front, if a dot or an underscore
    /// (OfflineIMAP) ends it.
    pub fn second(&self) -> Option<i64> {
        let digits = self.base.iter().take_while(|octet| octet.is_ascii_digit()).count();
        match self.base.get(digits) {
            Some(b'.' | b'_') => std::str::from_utf8(&self.base[..digits]).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// Its size in octets, by the `,S=` of Maildir++ and Dovecot.
    pub fn size(&self) -> Option<u64> {
        let start = memchr::memmem::find(self.base, b",S=")? + 3;
        let rest = &self.base[start..];
        let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_identity_flags_second_and_size() {
        let seen = Flags::SEEN;
        for (file, base, flags, second, size) in [
            ("1500000000.M1P2.host", "1500000000.M1P2.host", Flags::NONE, Some(1_500_000_000), None),
            ("1.a,S=12,W=13:2,S", "1.a,S=12,W=13", seen, Some(1), Some(12)),
            ("1.a:2,", "1.a", Flags::NONE, Some(1), None),
            ("1.a:2,FSab", "1.a", seen.with(Flags::FLAGGED), Some(1), None),
            ("1.a!2,FS", "1.a", seen.with(Flags::FLAGGED), Some(1), None),
            ("1.a;2,F", "1.a", Flags::FLAGGED, Some(1), None),
            ("1.a!2,F:2,S", "1.a!2,F", seen, Some(1), None),
            ("1.a:1,x", "1.a", Flags::NONE, Some(1), None),
            ("1.a:2,S:2,F", "1.a:2,S", Flags::FLAGGED, Some(1), None),
            (
                "1_0.9.host,U=1,FMD5=ab:2,ST",
                "1_0.9.host,U=1,FMD5=ab",
                seen.with(Flags::TRASHED),
                Some(1),
                None,
            ),
            ("letter:2,DPR", "letter", Flags::DRAFT.with(Flags::PASSED).with(Flags::REPLIED), None, None),
            ("99999999999999999999.a", "99999999999999999999.a", Flags::NONE, None, None),
            ("12,S=x.eml", "12,S=x.eml", Flags::NONE, None, None),
        ] {
            let name = Name::of(file.as_bytes()).unwrap_or_else(|| panic!("{file}"));
            assert_eq!(name.base.escape_ascii().to_string(), base, "{file}");
            assert_eq!((name.flags(), name.second(), name.size()), (flags, second, size), "{file}");
        }
    }

    #[test]
    fn what_is_no_message_has_no_name() {
        for file in ["", ".", "..", ".nfs0001", ".1500000000.a:2,S", "notes", "dovecot-uidlist", ":2,S"] {
            assert_eq!(Name::of(file.as_bytes()), None, "{file:?}");
        }
        assert!(Name::of(b"1.caf\xe9:2,S").is_some_and(|name| name.flags() == Flags::SEEN));
    }
}
