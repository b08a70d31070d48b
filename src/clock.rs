//! The system's clock, in whole seconds.

use std::time::{SystemTime, UNIX_EPOCH};

/// The second now, since 1970. A clock that shows no such second counts as 1970: by that nothing is old.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}
