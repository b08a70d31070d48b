//! `purge-old` on a Maildir of a million messages.

use std::fs::{self, File};

use rustix::fs::{AtFlags, linkat};

use super::{letter, maildir};
use crate::world::World;

const MESSAGES: usize = 1_000_000;

/// Files of which the messages are further names: to make a name takes less than to make a file. No file of ext4
/// has more than 65,000 of them.
const FILES: usize = 40;

/// The first half of the files is old.
fn is_old(number: usize) -> bool {
    number % FILES < FILES / 2
}

/// Where a message is, and how its name ends.
fn place(number: usize) -> (&'static str, &'static str) {
    match number / FILES % 8 {
        0 => ("new", ""),
        1 => ("cur", ":2,FS"),
        2 => ("cur", ":2,DS"),
        _ => ("cur", ":2,S"),
    }
}

fn stays(number: usize) -> bool {
    !is_old(number) || matches!(place(number).1, ":2,FS" | ":2,DS")
}

fn make(world: &World) {
    maildir(world, "box");
    for number in 0..FILES {
        letter(world, &format!("files/{number}"), if is_old(number) { 100 } else { 1 });
    }
    let directory = |name| File::open(world.path(name)).expect("a directory");
    let (files, new, cur) = (directory("files"), directory("box/new"), directory("box/cur"));
    for number in 0..MESSAGES {
        let (part, end) = place(number);
        let name = format!("{}.{number}.mx.example.org,S=41{end}", 1_700_000_000 + number);
        let part = if part == "new" { &new } else { &cur };
        linkat(&files, (number % FILES).to_string(), part, name, AtFlags::empty()).expect("a name");
    }
}

/// For each message whether it is there.
fn left(world: &World) -> Vec<bool> {
    let mut is_there = vec![false; MESSAGES];
    for part in ["new", "cur"] {
        for entry in fs::read_dir(world.path("box").join(part)).expect("a directory") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            let number = name.split('.').nth(1).and_then(|number| number.parse::<usize>().ok());
            is_there[number.expect("a number")] = true;
        }
    }
    is_there
}

#[test]
fn of_a_million_messages_the_right_ones_go_and_memory_is_bounded() {
    let world = World::new();
    make(&world);
    // In kB: its heap and the stacks of its threads, used or not.
    let with_memory = |limit: u32| {
        let program = world.where_is("purge-old");
        let script = format!("ulimit -d {limit}; exec {} --older-than 90d box", program.display());
        world.command("/bin/bash").args(["-c", &script]).run()
    };
    // What is too little is a status, no signal.
    assert_eq!(with_memory(30_000).status(), 75);
    assert!(left(&world).iter().enumerate().all(|(number, is_there)| *is_there || !stays(number)));
    assert_eq!(with_memory(200_000).succeeds(), b"");
    let left = left(&world);
    let wrong = (0..MESSAGES).find(|number| left[*number] != stays(*number));
    assert_eq!(wrong, None, "{:?}", wrong.map(place));
}
