//! Chromium without a window, driven over a pipe by the `DevTools` protocol.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than a page takes on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the browser may be called.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Gives the browser the two ends of its pipe as it wants them: commands at 3, answers at 4.
const SHELL: &str = "commands=$1 answers=$2; shift 2; exec \"$@\" 3<\"$commands\" 4>\"$answers\"";

/// A browser with one page. Dropped, it is ended.
pub(crate) struct Browser {
    child: Child,
    commands: File,
    answers: Receiver<Value>,
    session: Option<String>,
    last_id: u64,
    /// What happened, in order, that was no answer.
    pub(crate) events: Vec<Value>,
    _directory: TempDir,
}

/// Tells why there is no browser here, if there is none.
pub(crate) fn why_not() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("the pipe to the browser was tried under Linux only".to_owned());
    }
    name().is_none().then(|| format!("none of {} is installed", NAMES.join(", ")))
}

fn name() -> Option<&'static str> {
    let is_there = |name: &&str| {
        env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|directory| directory.join(name).is_file()))
    };
    NAMES.into_iter().find(is_there)
}

impl Browser {
    /// Starts the browser with an empty page.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [commands, answers] = ["commands", "answers"].map(|name| directory.path().join(name));
        assert!(Command::new("mkfifo").args([&commands, &answers]).status().unwrap().success());
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "sh"]).args([&commands, &answers]).arg(name().unwrap());
        // It opens nothing but pages that these tests wrote, and as root it has no sandbox.
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.args(["--remote-debugging-pipe", "--no-first-run", "--disable-extensions"]);
        command.arg(format!("--user-data-dir={}", directory.path().join("profile").display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Opened for both directions, neither end waits for the other, should the browser not come up.
        let [commands, answers] =
            [commands, answers].map(|pipe| OpenOptions::new().read(true).write(true).open(pipe).unwrap());
        let mut browser = Self {
            child,
            commands,
            answers: read(answers),
            session: None,
            last_id: 0,
            events: Vec::new(),
            _directory: directory,
        };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Sends a command, and waits for its answer.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).unwrap();
        loop {
            let message = self.next(method);
            if message["id"] == self.last_id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// Opens a file in a page of a width, and waits until it is there. `media` is `screen` or `print`, `scheme` is
    /// `light` or `dark`. Events from before are forgotten.
    #[track_caller]
    pub(crate) fn open(&mut self, file: &Path, width: u32, media: &str, scheme: &str) {
        let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "media": media, "features": features }));
        self.events.clear();
        self.call("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next("the page");
            self.events.push(event);
        }
    }

    /// Computes an expression in the page.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            &json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }),
        );
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].clone()
    }

    #[track_caller]
    fn next(&mut self, what_for: &str) -> Value {
        let message = self.answers.recv_timeout(PATIENCE);
        message.unwrap_or_else(|error| {
            panic!("no word from the browser ({what_for}): {error}; {:?}", self.child.try_wait())
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes messages from the pipe, each of which ends with a zero byte.
fn read(answers: File) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(answers);
        let mut bytes = Vec::new();
        while reader.read_until(0, &mut bytes).is_ok_and(|length| length > 0) {
            bytes.pop();
            if sender.send(serde_json::from_slice(&bytes).unwrap()).is_err() {
                break;
            }
            bytes.clear();
        }
    });
    receiver
}
