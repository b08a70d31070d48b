//! Removes old mail; what that means is in `purge`.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use selfseal::cli::purge_old::{Answer, Arguments};
use selfseal::clock;
use selfseal::exit;
use selfseal::purge::owner::{Owner, of_all_users};
use selfseal::purge::report::{Detail, Report};
use selfseal::purge::{self, Task};

fn main() -> ExitCode {
    exit::tool("purge-old", |arguments: Arguments| {
        arguments.consistent()?;
        if arguments.nice {
            rustix::process::nice(19).context("--nice")?;
        }
        let end = arguments.end();
        let mut status = 0;
        for mailbox in mailboxes(&arguments)? {
            if end.is_some_and(|end| Instant::now() >= end) {
                let of_others = exit::complain("purge-old", &purge::out_of_time(&mailbox));
                return Ok(if status == 0 { of_others } else { status });
            }
            // One that fails does not stop the others; the first failure is the status.
            let of_this = one(&arguments, &mailbox, end);
            let of_this = of_this.unwrap_or_else(|error| exit::complain("purge-old", &error));
            status = if status == 0 { of_this } else { status };
        }
        Ok(status)
    })
}

fn mailboxes(arguments: &Arguments) -> Result<Vec<PathBuf>> {
    if !arguments.users {
        return Ok(arguments.mailboxes.clone());
    }
    let all = arguments.mailboxes.iter().map(|name| of_all_users(name));
    Ok(all.collect::<Result<Vec<_>>>()?.concat())
}

/// Purges one mailbox, from root as its owner, and answers with a status.
fn one(arguments: &Arguments, path: &Path, end: Option<Instant>) -> Result<u8> {
    if let Some(owner) = Owner::of(path)? {
        return owner.run(&arguments.words_for(path, end)?);
    }
    let rules = arguments.rules();
    let move_to = arguments.move_to.as_deref().map(purge::target).transpose()?;
    let task = Task {
        rules: &rules,
        by: arguments.by(),
        conditions: &arguments.conditions,
        now: clock::now(),
        is_dry: arguments.dry_run,
        move_to: move_to.as_ref(),
        tells_sizes: arguments.detail() == Detail::Messages || arguments.json,
        clean_tmp: arguments.clean_tmp == Answer::Yes,
        end,
    };
    let mut report = Report::begin(arguments.detail(), arguments.json, arguments.act(), task.now);
    purge::purge(path, arguments.recursive, &task, &mut report).map(|()| 0)
}
