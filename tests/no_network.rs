//! The program opens no internet socket: its system calls are watched while it works.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;
#[path = "common/trials.rs"]
mod trials;

use std::env;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use trials::trial;

/// Makes this very test open a socket, to prove that watching notices it.
const OPEN_A_SOCKET: &str = "HASHWATT_TEST_OPENS_A_SOCKET";

fn main() -> ExitCode {
    if env::var_os(OPEN_A_SOCKET).is_some() {
        // Nobody listens there; the attempt is what counts.
        let _ = TcpStream::connect("127.0.0.1:9");
        return ExitCode::SUCCESS;
    }
    let reason = why_not();
    let reason = reason.as_deref();
    let trials = vec![
        trial("watching_notices_a_socket", reason, watching_notices_a_socket),
        trial("devices_opens_none", reason, || opens_none(&["devices"])),
        trial("benchmarks_open_none", reason, || opens_none(&["bench", "sha256d/*", "--time", "0.3"])),
        trial("the_whole_job_opens_none", reason.or(why_not_whole()), || opens_none(&[])),
    ];
    trials::run(trials, true)
}

/// Tells why no process can be watched here, if none can.
fn why_not() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("strace is a tool of Linux".to_owned());
    }
    let run = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stdin(Stdio::null()).output();
    match run {
        Err(_) => Some("strace isn't installed".to_owned()),
        Ok(output) if !output.status.success() => Some("strace isn't allowed here".to_owned()),
        Ok(_) => None,
    }
}

/// The bare program builds a dataset, and takes a minute or two.
fn why_not_whole() -> Option<&'static str> {
    let is_asked_for = env::var_os("HASHWATT_TEST_WHOLE_JOB").is_some();
    (!is_asked_for).then_some("takes minutes: set HASHWATT_TEST_WHOLE_JOB=1")
}

/// Runs a program and returns the system calls that open or connect a socket.
fn sockets_of(program: &Path, arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let calls = directory.path().join("calls");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=socket,connect", "-o"]).arg(&calls).arg(program).args(arguments);
    if arguments.is_empty() && program.ends_with("hashwatt") {
        command.arg("--json");
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::read_to_string(&calls).unwrap()
}

fn watching_notices_a_socket() {
    // `env` sets the variable for this test's own executable.
    let me = env::current_exe().unwrap();
    let calls = sockets_of(Path::new("env"), &[&format!("{OPEN_A_SOCKET}=1"), me.to_str().unwrap()]);
    assert!(calls.contains("AF_INET"), "{calls}");
}

fn opens_none(arguments: &[&str]) {
    let calls = sockets_of(Path::new(env!("CARGO_BIN_EXE_hashwatt")), arguments);
    let internet: Vec<&str> = calls.lines().filter(|line| line.contains("AF_INET")).collect();
    assert_eq!(internet, [""; 0], "{arguments:?}");
}
