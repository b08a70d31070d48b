//! Elements of BER (X.690, 8.1), as far as CMS needs them.

/// Elements inside elements; the deepest that makers write is about 12.
const DEEPEST: usize = 64;

pub(super) const OCTET_STRING: u8 = 0x04;
/// An OCTET STRING in pieces.
pub(super) const PIECES: u8 = 0x24;

/// Elements, one behind the other.
#[derive(Clone, Copy)]
pub(super) struct Ber<'a> {
    octets: &'a [u8],
    depth: usize,
}

pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    depth: usize,
}

impl<'a> Element<'a> {
    pub fn inside(&self) -> Ber<'a> {
        Ber { octets: self.content, depth: self.depth + 1 }
    }
}

impl<'a> Ber<'a> {
    pub fn of(octets: &'a [u8]) -> Self {
        Ber { octets, depth: 0 }
    }

    /// The next element; none at the end, or where what follows is no whole one.
    pub fn element(&mut self) -> Option<Element<'a>> {
        let head = Head::read(self.octets)?;
        let body = self.octets.get(head.width..)?;
        let (len, closed) = match head.len {
            Some(len) => (len, len),
            None => {
                let len = indefinite(body, self.depth)?;
                (len, len + 2)
            }
        };
        let content = body.get(..len)?;
        self.octets = body.get(closed..)?;
        Some(Element { tag: head.tag, content, depth: self.depth })
    }

    fn tagged(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.octets.first() != Some(&tag) {
            return None;
        }
        self.element()
    }

    pub fn constructed(&mut self, tag: u8) -> Option<Ber<'a>> {
        self.tagged(tag).map(|element| element.inside())
    }

    pub fn primitive(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.tagged(tag).map(|element| element.content)
    }

    pub fn skip_if(&mut self, tag: u8) {
        self.tagged(tag);
    }

    /// How many elements there are, if all of them have content and an allowed tag.
    pub fn count(&mut self, is_allowed: impl Fn(u8) -> bool) -> Option<usize> {
        let mut count = 0;
        while !self.octets.is_empty() {
            let element = self.element()?;
            if !is_allowed(element.tag) || element.content.is_empty() {
                return None;
            }
            count += 1;
        }
        Some(count)
    }

    /// Whether all that is left are elements with these tags.
    pub fn is_only(&mut self, tags: &[u8]) -> bool {
        while let Some(element) = self.element() {
            if !tags.contains(&element.tag) {
                return false;
            }
        }
        self.octets.is_empty()
    }

    /// The octets of a string in pieces; the pieces may be in pieces again.
    pub fn pieces(self) -> Option<Vec<&'a [u8]>> {
        let mut pieces = Vec::new();
        let mut open = vec![self];
        while let Some(last) = open.last_mut() {
            if last.octets.is_empty() {
                open.pop();
                continue;
            }
            let element = last.element()?;
            match element.tag {
                OCTET_STRING => pieces.push(element.content),
                PIECES if open.len() < DEEPEST => open.push(element.inside()),
                _ => return None,
            }
        }
        Some(pieces)
    }

    /// What follows the elements that were read, of `all` in which they began.
    pub fn behind(&self, all: &'a [u8]) -> Option<&'a [u8]> {
        all.get(all.len() - self.octets.len()..)
    }
}

/// A tag and a length.
struct Head {
    tag: u8,
    /// None: indefinite, up to two zeros.
    len: Option<usize>,
    width: usize,
}

impl Head {
    fn read(octets: &[u8]) -> Option<Self> {
        let (&tag, rest) = octets.split_first()?;
        // Tags of more than one octet do not occur in CMS.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let first = *rest.first()?;
        let constructed = tag & 0x20 != 0;
        match first {
            0..=0x7f => Some(Head { tag, len: Some(first.into()), width: 2 }),
            0x80 if constructed => Some(Head { tag, len: None, width: 2 }),
            0x81..=0x88 => {
                let width = usize::from(first & 0x7f);
                let digits = rest.get(1..1 + width)?;
                // Lengths need not be the shortest form.
                let len = digits
                    .iter()
                    .try_fold(0usize, |len, octet| Some(len.checked_mul(256)? + usize::from(*octet)))?;
                Some(Head { tag, len: Some(len), width: 2 + width })
            }
            _ => None,
        }
    }
}

/// The length of a body of indefinite length, up to its own two zeros.
fn indefinite(body: &[u8], depth: usize) -> Option<usize> {
    let mut at = 0;
    let mut open = 1;
    loop {
        let rest = body.get(at..)?;
        if rest.starts_with(&[0, 0]) {
            open -= 1;
            if open == 0 {
                return Some(at);
            }
            at += 2;
            continue;
        }
        let head = Head::read(rest)?;
        at = at.checked_add(head.width)?;
        match head.len {
            Some(len) => at = at.checked_add(len)?,
            None => open += 1,
        }
        if depth + open > DEEPEST {
            return None;
        }
    }
}
