//! A small runner: the program with arguments and environment, and what it gave.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The block whose hash the Bitcoin wiki works out step by step.
pub(crate) const HEADER_125552: &str = concat!(
    "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2",
    "fffc8d750423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695",
);
/// Its nonce.
pub(crate) const NONCE_125552: u64 = 2_504_433_986;
/// Its hash, big end first.
pub(crate) const HASH_125552: &str = "00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d";

/// Longer than anything that a test waits for, even on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Makes the program's command, with nothing in its environment that changes what it does.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hashwatt"));
    // In a CI job a terminal has colours whatever it is.
    for name in ["HASHWATT_FAULT", "HASHWATT_FAULT_AFTER", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    // What a run finds out about this machine is none of the user's.
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn hashwatt(arguments: &[&str]) -> Run {
    hashwatt_with(arguments, &[])
}

/// Runs the program to its end in an environment.
pub(crate) fn hashwatt_with(arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let output = command(arguments).envs(environment.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Run {
    /// Asserts that the run succeeded, and reads the one JSON document that it printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.document()
    }

    /// Reads the one JSON document that the run printed, whatever its exit code.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts a refusal: the exit code, an empty standard output, and an error that says each of `words`.
    #[track_caller]
    pub(crate) fn is_refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(self.stderr.contains("error"), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} isn't said: {self:?}");
        }
    }
}

/// Returns the ids of the engines that `devices` calls available.
pub(crate) fn available_engines() -> Vec<String> {
    let devices = hashwatt(&["devices", "--json"]).json();
    let engines = devices["engines"].as_array().unwrap().iter();
    let available = engines.filter(|engine| engine["available"] == true);
    available.map(|engine| engine["id"].as_str().unwrap().to_owned()).collect()
}

/// Writes a tree of small files, which stands for /sys and /proc.
pub(crate) fn write_tree(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Lists the names in a directory, hidden ones too.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Returns a number of a JSON document.
#[track_caller]
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Asserts that two figures agree to nine digits.
#[track_caller]
pub(crate) fn assert_close(actual: f64, expected: f64, what: &str) {
    let difference = (actual - expected).abs();
    assert!(difference <= 1e-9 * expected.abs(), "{what}: {actual} is not {expected}");
}

/// The program while it runs. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    stderr: String,
}

impl Running {
    /// Starts the program; its standard output goes where `stdout` says.
    pub(crate) fn start(command: &mut Command, stdout: Stdio) -> Self {
        let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let pipe = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, stderr: String::new() }
    }

    /// Waits for a line on standard error that contains `text`.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.stderr.push_str(&line);
            self.stderr.push('\n');
            if line.contains(text) {
                return;
            }
        }
        panic!("{text:?} was never said: {}", self.stderr);
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, and gives what is left on standard output and standard error.
    #[track_caller]
    pub(crate) fn end(mut self) -> Run {
        let mut stdout = self.child.stdout.take();
        let reader = thread::spawn(move || {
            let mut text = String::new();
            if let Some(pipe) = &mut stdout {
                pipe.read_to_string(&mut text).unwrap();
            }
            text
        });
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it doesn't end: {}", self.stderr);
            thread::sleep(Duration::from_millis(5));
        };
        let mut stderr = std::mem::take(&mut self.stderr);
        for line in &self.lines {
            stderr.push_str(&line);
            stderr.push('\n');
        }
        Run { code: status.code(), stdout: reader.join().unwrap(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
