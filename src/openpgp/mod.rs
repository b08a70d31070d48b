//! Is it an encrypted OpenPGP message? Recognising only: armor and the headers of packets (RFC 9580).
//!
//! No library is asked, because recognition must be wider than decryption: a library stops at what it
//! cannot parse (LibrePGP's packet 20, a future version) and refuses by policy what is old, and both are
//! encrypted all the same. It must be narrower too: readers were seen to show a literal behind a session
//! key, and words as base64. What is not looked at is not believed.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod armor;
mod message;
mod octets;
mod packet;
mod passage;
mod signature;

pub use armor::{Armor, Label, next_label};
pub use message::{Message, Recipient, may_begin_with, message};
pub use octets::Octets;
pub use passage::{Passage, Passing};
pub use signature::is_signature;

/// Why something is not an encrypted OpenPGP message that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No armor begins here.
    NoArmor,
    /// Armor of something else: a signature, a key.
    OtherLabel,
    /// More than 8 armor header lines, or more than 512 octets of them, or an unknown key.
    ArmorHeader,
    /// Lines of differing lengths, above 76 or below 32 octets.
    ArmorLines,
    /// Something in the armor that is no base64, such as a blank between words.
    ArmorText,
    /// Something behind the armor.
    BehindArmor,
    /// Something that is no packet, or a packet that is malformed.
    Malformed,
    /// It begins with a packet that is neither a session key, a marker nor padding.
    NoSessionKey,
    /// Session keys of versions that do not fit the container, or too many.
    SessionKeyVersion,
    /// A session key that is too short to be one.
    SessionKeyTooShort,
    /// Something else than an encryption container follows the session keys.
    NoContainer,
    /// No cipher, or an unknown one.
    Cipher,
    /// A container that is too short to hold anything.
    ContainerTooShort,
    /// A container that claims more than there is.
    CutOff,
    /// Something readable may stand behind the container.
    BehindContainer,
}

impl Fault {
    /// What is so, said of the part.
    pub fn words(self) -> &'static str {
        match self {
            Fault::NoArmor => "is readable",
            Fault::OtherLabel => "is armor, but of no message",
            Fault::ArmorHeader => "has armor header lines that can hold text",
            Fault::ArmorLines => "has armor lines of odd lengths",
            Fault::ArmorText => "has armor with something in it that is no base64",
            Fault::BehindArmor => "is readable beside the armor",
            Fault::Malformed => "has malformed OpenPGP packets",
            Fault::NoSessionKey => "is OpenPGP, but not encrypted",
            Fault::SessionKeyVersion => "has session keys that do not fit its data",
            Fault::SessionKeyTooShort => "has a session key that is too short",
            Fault::NoContainer => "has a session key before data that is not encrypted",
            Fault::Cipher => "names no cipher that is known",
            Fault::ContainerTooShort => "has too little encrypted data to be any",
            Fault::CutOff => "claims more encrypted data than there is",
            Fault::BehindContainer => "has something behind its encrypted data",
        }
    }
}
