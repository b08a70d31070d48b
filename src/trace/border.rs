//! The border: the hop at which a message came in from a host that is not ours.
//!
//! Fields are written from the bottom up. From the top down they are evidence as long as a host of ours wrote
//! them and got the message from a host of ours; the first that came from elsewhere is the border, and
//! whatever stands below it anybody can have written.

use crate::message::Header;

use super::hop::{Hop, Passage, State};
use super::ours::Ours;

/// What the trace fields of a message prove.
#[derive(Clone, Debug)]
pub struct Judgement<'a> {
    /// The state of the border hop; unknown when there is none.
    pub verdict: State,
    /// Where the border is among the hops: the lowest of them that a host of ours wrote. None: no trace
    /// field, or the trail is lost at a host that is not known for ours.
    pub border: Option<usize>,
    /// All hops, in the order of the fields. Those below the border are claims.
    pub hops: Vec<Hop<'a>>,
    /// How many hops from the top are evidence.
    pub proven: usize,
}

impl<'a> Judgement<'a> {
    /// The border hop.
    pub fn border_hop(&self) -> Option<&Hop<'a>> {
        self.hops.get(self.border?)
    }
}

/// Reads all trace fields of a header section.
pub fn judge<'a>(header: Header<'a>, ours: &Ours) -> Judgement<'a> {
    let hops: Vec<Hop> = header.all("Received").map(|field| Hop::read(field.body())).collect();
    let arrival = Walk::new(ours).down(hops.iter().copied());
    Judgement { verdict: arrival.verdict, border: arrival.border, proven: arrival.proven, hops }
}

/// The verdict and the border hop alone: reads no field below the border.
pub fn arrival<'a>(header: Header<'a>, ours: &Ours) -> (State, Option<Hop<'a>>) {
    let walked = Walk::new(ours).down(header.all("Received").map(|field| Hop::read(field.body())));
    (walked.verdict, walked.border.and(walked.lowest))
}

/// A walk from the top down.
struct Walk<'a, 'o> {
    ours: &'o Ours,
    /// The host that wrote the topmost field; below a fetch, the provider's.
    here: Option<&'a [u8]>,
    /// A fetch was passed, so the next writer is the provider.
    fetched: bool,
}

struct Arrival<'a> {
    verdict: State,
    border: Option<usize>,
    lowest: Option<Hop<'a>>,
    proven: usize,
}

impl<'a, 'o> Walk<'a, 'o> {
    fn new(ours: &'o Ours) -> Self {
        Walk { ours, here: None, fetched: false }
    }

    fn down(mut self, hops: impl Iterator<Item = Hop<'a>>) -> Arrival<'a> {
        let mut lowest: Option<Hop> = None;
        let mut proven = 0;
        for hop in hops {
            if !self.is_ours(&hop) {
                return Arrival { verdict: State::Unknown, border: None, lowest, proven };
            }
            lowest = Some(hop);
            proven += 1;
            if !self.goes_on_below(&hop) {
                break;
            }
        }
        // A note without its field says nothing, nor does a fetch without the provider's.
        let says = |hop: &Hop| match hop.passage {
            Passage::Hop | Passage::Program => true,
            Passage::Fetched => hop.state == State::Plain,
            Passage::Note => false,
        };
        let border = lowest.filter(says);
        let verdict = border.map_or(State::Unknown, |hop| hop.state);
        Arrival { verdict, border: border.and(proven.checked_sub(1)), lowest, proven }
    }

    fn is_ours(&mut self, hop: &Hop<'a>) -> bool {
        // The host that runs us wrote the topmost field; the provider's is the first behind a fetch.
        if (self.here.is_none() || self.fetched) && hop.by.is_some() {
            self.here = hop.by;
            self.fetched = false;
        }
        self.ours.wrote(hop, self.here)
    }

    fn goes_on_below(&mut self, hop: &Hop<'a>) -> bool {
        match hop.passage {
            _ if hop.doubt.is_some() => false,
            Passage::Note => true,
            Passage::Fetched => {
                self.fetched = hop.state != State::Plain;
                self.fetched
            }
            Passage::Hop | Passage::Program => {
                hop.state == State::Local || self.ours.sent(&hop.from, self.here)
            }
        }
    }
}

#[cfg(test)]
mod tests;
