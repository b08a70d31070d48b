//! The octets of packets, plain or inside base64, read at the few places that matter.
//!
//! Of 25 MB of armor a verdict needs the packets' lengths and some first octets. Decoding all of it would
//! cost more than everything else together.

use std::borrow::Cow;
use std::ops::Range;

use super::Passage;
use super::packet::Chunk;

/// Octets that can be asked for one by one.
#[derive(Clone, Debug)]
pub struct Octets<'a> {
    text: Cow<'a, [u8]>,
    /// Letters of base64 in a line, and octets from one line's start to the next one's; none for plain.
    lines: Option<(usize, usize)>,
    len: usize,
    /// What was let go, and the piece of a packet's body that leads out of it.
    gap: Option<(Range<usize>, Chunk)>,
}

impl<'a> Octets<'a> {
    /// The octets themselves.
    pub fn plain(text: impl Into<Cow<'a, [u8]>>) -> Self {
        let text = text.into();
        Octets { len: text.len(), text, lines: None, gap: None }
    }

    /// Base64 of `letters` letters without padding, in lines of `line` letters that begin `stride` octets
    /// apart. The caller has seen that nothing else is in it.
    pub fn base64(text: impl Into<Cow<'a, [u8]>>, letters: usize, line: usize, stride: usize) -> Self {
        Octets {
            text: text.into(),
            lines: Some((line.max(1), stride)),
            len: letters / 4 * 3 + letters % 4 * 3 / 4,
            gap: None,
        }
    }

    /// These and those of `passage`, which stood behind the first `before`.
    pub fn around(self, passage: Passage, before: usize) -> Self {
        let gap = before..before + passage.octets;
        Octets { len: self.len + passage.octets, gap: Some((gap, passage.chunk)), ..self }
    }

    /// The piece of a packet's body that leads out of what was let go, if `index` is in there.
    pub(super) fn chunk_behind(&self, index: usize) -> Option<Chunk> {
        self.gap.as_ref().filter(|(gap, _)| gap.contains(&index)).map(|(_, chunk)| *chunk)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The octet at `index`, unless it was let go.
    pub fn at(&self, index: usize) -> Option<u8> {
        if index >= self.len {
            return None;
        }
        let index = match &self.gap {
            Some((gap, _)) if gap.contains(&index) => return None,
            Some((gap, _)) if index >= gap.end => index - gap.len(),
            _ => index,
        };
        let Some((line, stride)) = self.lines else {
            return self.text.get(index).copied();
        };
        let letter = |n: usize| Some(u16::from(value(*self.text.get(n / line * stride + n % line)?)));
        let first = index / 3 * 4 + index % 3;
        let two = letter(first)? << 6 | letter(first + 1)?;
        Some((two >> (4 - 2 * (index % 3))) as u8)
    }

    /// The `count` octets from `index` on.
    pub fn range(&self, index: usize, count: usize) -> Option<Vec<u8>> {
        // Not more than a packet's header can name: the count may come from the sender.
        (index..index.checked_add(count)?).map(|n| self.at(n)).collect()
    }
}

/// The six bits of a letter of base64.
fn value(letter: u8) -> u8 {
    match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    }
}
