//! Without enough memory, or below a host's file size limit, the mail is kept and no signal ends the program.

use super::{LETTER, LOCAL, field};
use crate::world::{Outcome, World};

/// Runs under a limit of bash's `ulimit`.
fn limited(world: &World, limit: &str, arguments: &str, message: &str) -> Outcome {
    let program = world.where_is("tls-audit");
    let script = format!("ulimit {limit}; exec {} {arguments}", program.display());
    world.command("/bin/bash").args(["-c", &script]).input(message.as_bytes()).run()
}

#[test]
fn short_of_memory_it_defers() {
    let world = World::new();
    let large_header =
        format!("{LOCAL}X-Long: {}\n{LETTER}", format!("{}\n ", "x".repeat(998)).repeat(20_000));
    let large_body = format!("{LOCAL}{LETTER}{}", format!("{}\n", "x".repeat(998)).repeat(20_000));
    let mut deferred = 0;
    for message in [&large_header, &large_body] {
        for limit in (12_000..100_000).step_by(9_000) {
            for arguments in ["", "--warn --strict /bin/cat"] {
                let outcome = limited(&world, &format!("-v {limit}"), arguments, message);
                if outcome.status() == 0 {
                    assert!(outcome.stdout().ends_with(message.as_bytes()), "{limit} {arguments}");
                } else {
                    outcome.defers("no memory for");
                    deferred += 1;
                }
            }
        }
    }
    assert!((8..40).contains(&deferred), "{deferred} of 44 were short");
}

#[test]
fn beyond_the_hosts_file_size_limit_it_defers() {
    let world = World::new();
    let message = format!("{LOCAL}{LETTER}{}", "0123456789abcde\n".repeat(10_000));
    world.write("message", message.as_bytes());
    for arguments in ["/bin/cat", "/bin/cat <message", ">out", ">out <message", ">>out <message"] {
        let outcome = limited(&world, "-f 100", arguments, &message);
        outcome.defers("more than the host's file size limit of 102400");
        assert!(world.files(".").iter().all(|(path, bytes)| path.ends_with("message") || bytes.is_empty()));
    }
    let whole = limited(&world, "-f 200", "/bin/cat <message", &message).succeeds();
    assert!(whole == (field("border=local") + &message).into_bytes());
}
