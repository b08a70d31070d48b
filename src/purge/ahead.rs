//! Work that is done ahead of its use: while one thread reads a file, another one looks at what was read, or writes
//! it.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, scope};

/// How many things may lie ready. More only fall out of the processor's cache.
const READY: usize = 2;

/// Gives `take` all that `make` makes, in its order. If that is much, a thread of its own makes it; where none can
/// be had, it is made when it is wanted.
pub fn ahead<T: Send, R>(
    is_much: bool,
    mut make: impl Iterator<Item = T> + Send,
    take: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
) -> R {
    if !is_much {
        return take(&mut make);
    }
    let make = Mutex::new(make);
    let made = || make.lock().unwrap_or_else(PoisonError::into_inner);
    scope(|scope| {
        let (give, given) = sync_channel(READY);
        // Nobody takes any more where `take` has ended early.
        let work = move || made().by_ref().try_for_each(|one| give.send(one)).unwrap_or_default();
        match Builder::new().spawn_scoped(scope, work) {
            Ok(_) => take(&mut given.into_iter()),
            Err(_) => take(&mut *made()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_comes_in_order_and_whoever_has_enough_may_stop() {
        for is_much in [false, true] {
            assert_eq!(ahead(is_much, 0..1000, |all| all.collect::<Vec<_>>()), Vec::from_iter(0..1000));
            assert_eq!(ahead(is_much, 0.., |all| all.nth(7)), Some(7));
            assert_eq!(ahead(is_much, 0..0, |all| all.next()), None);
        }
    }
}
