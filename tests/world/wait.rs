//! Waiting for what another process does.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asks until there is an answer. The bound is for a machine with other things to do; no test measures
/// time.
#[track_caller]
pub fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < end, "waited for {what}");
        sleep(Duration::from_millis(5));
    }
}
