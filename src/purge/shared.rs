//! Work on many messages, shared by threads: nearly all of it is waiting for the kernel.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, available_parallelism, scope};

use anyhow::Result;

/// Fewer messages are not worth a thread.
const FEW: usize = 512;

/// More threads only wait for each other: the kernel changes a directory for one at a time.
const MOST: usize = 4;

/// Does `act` to each pair of what stands at the same place in both.
///
/// # Errors
/// One that `act` failed with. Each thread stops at its own.
pub fn each<A: Send, B: Send>(
    ones: &mut [A],
    others: &mut [B],
    act: impl Fn(&mut A, &mut B) -> Result<()> + Sync,
) -> Result<()> {
    let count = threads_for(ones.len());
    let share = ones.len().div_ceil(count).max(1);
    let shares = Mutex::new(ones.chunks_mut(share).zip(others.chunks_mut(share)));
    let work = || {
        loop {
            let next = shares.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((ones, others)) = next else { return Ok(()) };
            ones.iter_mut().zip(others).try_for_each(|(one, other)| act(one, other))?;
        }
    };
    scope(|scope| {
        // Where no other thread can be had, this one does it all.
        let spawn = |_| Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..count).filter_map(spawn).collect();
        let own = work();
        others.into_iter().fold(own, |done, other| match other.join() {
            Ok(others) => done.and(others),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

/// How many threads `count` messages are worth. How many processors there are is asked where it matters only: the
/// answer takes some twenty system calls.
fn threads_for(count: usize) -> usize {
    match count / FEW {
        0 | 1 => 1,
        worth => available_parallelism().map_or(1, NonZero::get).min(MOST).min(worth),
    }
}
