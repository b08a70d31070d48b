//! Work on many messages, shared by threads: nearly all of it is waiting for the kernel.

use std::num::NonZero;
use std::thread::{available_parallelism, scope};

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
    let all = |ones: &mut [A], others: &mut [B]| {
        ones.iter_mut().zip(others).try_for_each(|(one, other)| act(one, other))
    };
    let share = share_of(ones.len());
    if share >= ones.len() {
        return all(ones, others);
    }
    scope(|scope| {
        let shares = ones.chunks_mut(share).zip(others.chunks_mut(share));
        let threads: Vec<_> = shares.map(|(ones, others)| scope.spawn(|| all(ones, others))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

/// How many of `count` each thread takes.
fn share_of(count: usize) -> usize {
    let threads = available_parallelism().map_or(1, NonZero::get).min(MOST).min(count / FEW).max(1);
    count.div_ceil(threads).max(1)
}
