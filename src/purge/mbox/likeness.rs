//! A new file made like the one whose place it takes: group, mode, access list, other attributes, times.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use rustix::fd::OwnedFd;
use rustix::fs::{Gid, Mode, Stat, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use crate::store::mbox::Mbox;

/// Gives `new` what `old` has, whose state is `before`. The owner is the same already: it is this process's
/// user.
///
/// Both times are kept: a reader compares them to tell new mail.
///
/// # Errors
/// Something cannot be kept.
pub fn give(old: &Mbox, before: &Stat, new: &OwnedFd) -> Result<()> {
    let named = || old.path.display().to_string();
    if rustix::fs::fstat(new).with_context(named)?.st_gid != before.st_gid {
        let group = Gid::from_raw(before.st_gid);
        rustix::fs::fchown(new, None, Some(group)).with_context(|| {
            format!("{}: its group, number {}, cannot be given to a new file", named(), before.st_gid)
        })?;
    }
    // Last, since a change of the group takes rights away, and an access list is a part of the mode.
    rustix::fs::fchmod(new, Mode::from_raw_mode(before.st_mode)).with_context(named)?;
    give_attributes(&old.file, new).with_context(named)?;
    let times = Timestamps {
        last_access: Timespec { tv_sec: before.st_atime, tv_nsec: before.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: before.st_mtime, tv_nsec: before.st_mtime_nsec as _ },
    };
    rustix::fs::futimens(new, &times).with_context(named)
}

fn give_attributes(old: &OwnedFd, new: &OwnedFd) -> Result<()> {
    let (wanted, there) = (names(old)?, names(new)?);
    // A directory may give each new file an access list.
    for name in there.difference(&wanted) {
        rustix::fs::fremovexattr(new, name.as_slice()).with_context(|| shown(name))?;
    }
    for name in &wanted {
        let value = value(old, name).with_context(|| shown(name))?;
        rustix::fs::fsetxattr(new, name.as_slice(), &value, XattrFlags::empty())
            .with_context(|| shown(name))?;
    }
    Ok(())
}

fn shown(name: &[u8]) -> String {
    format!("its attribute {} cannot be given to a new file", crate::escape::foreign(name))
}

/// The attributes that a file's owner gives. Those of the system (`security.selinux`, `security.ima`) it gives
/// to the new file itself, by its policy and by what is in the file.
fn names(file: &OwnedFd) -> Result<BTreeSet<Vec<u8>>> {
    let list = grown(|buffer| rustix::fs::flistxattr(file, buffer))?;
    let names = list.split(|octet| *octet == 0).filter(|name| !name.is_empty());
    let is_kept = |name: &&[u8]| !name.starts_with(b"security.") && !name.starts_with(b"trusted.");
    Ok(names.filter(is_kept).map(<[u8]>::to_vec).collect())
}

fn value(file: &OwnedFd, name: &[u8]) -> Result<Vec<u8>> {
    grown(|buffer| rustix::fs::fgetxattr(file, name, buffer))
}

/// What `read` puts into a buffer that is large enough. Nothing where the file system has no attributes.
fn grown(read: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> Result<Vec<u8>> {
    // The kernel's own bound is 64 KiB.
    for size in [1024, 64 * 1024] {
        let mut buffer = vec![0; size];
        match read(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
            Err(errno) => return Err(errno.into()),
        }
    }
    bail!(Errno::RANGE)
}
