//! A machine of its own for a test: this one's files, what tests/machines installed on top of them, a network of one
//! loopback device, and nothing is left of it when the test ends.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::made;

/// Set on such a machine.
const MARK: &str = "SELFSEAL_MACHINE";

/// Runs `test` as root of a machine that has this layer of tests/machines, or none.
///
/// It is called first in a test: there it starts the test again, on that machine, and fails as that fails.
#[track_caller]
pub fn alone(layer: Option<&str>, test: impl FnOnce()) {
    if std::env::var_os(MARK).is_some() {
        return test();
    }
    let layer = layer.map(tar).unwrap_or_default();
    let thread = std::thread::current();
    let output = Command::new("unshare")
        .args(["--mount", "--net", "--uts", "--pid", "--fork", "--kill-child"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes/machine.sh"))
        .arg("--alone")
        .arg(layer)
        .arg(std::env::current_exe().expect("the test's own path"))
        .args(["--exact", thread.name().expect("a test's name"), "--nocapture"])
        .env(MARK, "yes")
        .output()
        .expect("unshare: apt-get install util-linux");
    // Shown where the test fails, or by --nocapture.
    print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "on a machine of its own: {} (it takes root and the right to mount)",
        output.status
    );
}

/// From now on only root makes files where temporary ones lie, since that may be a disk.
pub fn close_temporary_directories() {
    for directory in ["/tmp", "/var/tmp"] {
        fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("a mode");
    }
}

fn tar(layer: &str) -> PathBuf {
    let tar = made(&format!("machines/{layer}.tar"));
    assert!(tar.is_file(), "{}: not there; tests/run makes it with tests/machines", tar.display());
    tar
}
