//! A real node accepts our work: a `monerod` of a private chain hands out a block template, our engines find its nonce,
//! and the node takes the block. Nothing but the loopback interface is used, and the payout address is the one of
//! Monero's own functional tests.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;
#[path = "common/trials.rs"]
mod trials;

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{available_engines, hashwatt};
use serde_json::{Value, json};
use tempfile::TempDir;
use trials::trial;

/// Where it is set, the test has to run: a machine that should have the node mustn't pass without it.
const EXPECTED: &str = "HASHWATT_EXPECT_MONEROD";
/// One hash in so many is a block.
const DIFFICULTY: u32 = 20;
/// That none of so many hashes is one happens once in a thousand million.
const NONCES: u32 = 400;
/// How many are scanned at a time.
const PORTION: u32 = 50;
const NONCE_OFFSET: usize = 39;
/// From Monero's tests/functional_tests: nobody's money goes there.
const ADDRESS: &str = "42ey1afDFnn4886T7196doS9GPMzexD9gXpsZJDwVjeRVdFCSoHnv7KPbBeGpzJBzHRCAs9UxqeoyFQMYbqSWYTfJJQAWDm";
/// How long the node may take to answer first.
const START: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let is_there = Command::new("monerod").arg("--version").stdin(Stdio::null()).output().is_ok();
    let reason = (!is_there && env::var_os(EXPECTED).is_none()).then_some("monerod isn't installed");
    trials::run(vec![trial("a_node_accepts_blocks_that_our_engines_found", reason, our_blocks_are_accepted)], true)
}

/// A node with a chain of its own. Dropped, it is ended, and its files are gone.
struct Node {
    child: Child,
    rpc_port: u16,
    _directory: TempDir,
}

impl Node {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Both are held until both are known, so that they differ.
        let ports = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let [rpc_port, p2p_port] = ports.map(|listener| listener.local_addr().unwrap().port());
        let mut command = Command::new("monerod");
        command.args(["--regtest", "--offline", "--non-interactive", "--no-igd", "--no-zmq"]);
        command.args(["--check-updates", "disabled", "--log-level", "0", "--data-dir"]).arg(directory.path());
        command.args(["--rpc-bind-ip", "127.0.0.1", "--rpc-bind-port", &rpc_port.to_string()]);
        command.args(["--p2p-bind-ip", "127.0.0.1", "--p2p-bind-port", &p2p_port.to_string()]);
        command.args(["--fixed-difficulty", &DIFFICULTY.to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut node = Self { child, rpc_port, _directory: directory };
        let deadline = Instant::now() + START;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, rpc_port)).is_err() {
            assert_eq!(node.child.try_wait().unwrap(), None, "it ended early");
            assert!(Instant::now() < deadline, "it never listened");
            thread::sleep(Duration::from_millis(100));
        }
        node
    }

    /// Calls a method, and returns the whole answer.
    fn call(&self, method: &str, parameters: &Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": "0", "method": method, "params": parameters }).to_string();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.rpc_port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = body.len();
        let head = "POST /json_rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close";
        write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        // It may keep the connection open: what its head announces is all.
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some(document) = document(&answer) {
                return document;
            }
            let count = stream.read(&mut chunk).unwrap();
            assert!(count > 0, "{method}: {}", String::from_utf8_lossy(&answer));
            answer.extend(&chunk[..count]);
        }
    }

    /// Calls a method that has to succeed.
    fn result(&self, method: &str, parameters: &Value) -> Value {
        let mut answer = self.call(method, parameters);
        assert_eq!(answer["result"]["status"], "OK", "{method}: {answer}");
        answer["result"].take()
    }

    fn height(&self) -> u64 {
        self.result("get_info", &json!({}))["height"].as_u64().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the body of an answer once it is complete.
fn document(answer: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length: usize =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())?;
    (body.len() >= length).then(|| serde_json::from_str(&body[..length]).unwrap())
}

/// Scans for the first nonce that meets the difficulty, and returns it with its hash, and one that doesn't.
fn mine(engine: &str, template: &Value) -> (u64, String, u64) {
    let (key, blob) = (template["seed_hash"].as_str().unwrap(), template["blockhashing_blob"].as_str().unwrap());
    for start in (0..NONCES).step_by(PORTION as usize) {
        let (nonces, difficulty) = (format!("{start}..{}", start + PORTION), DIFFICULTY.to_string());
        let run = ["scan", "randomx-v1", "--key", key, "--blob", blob, "--nonces", &nonces, "--difficulty"];
        let found = hashwatt(&[&run[..], &[&difficulty, "--engine", engine, "--json"]].concat()).json();
        assert_eq!(found["engine"], engine);
        let hits = found["hits"].as_array().unwrap();
        let nonces: Vec<u64> = hits.iter().map(|hit| hit["nonce"].as_u64().unwrap()).collect();
        if let Some(hit) = hits.first() {
            let miss = (u64::from(start)..).find(|nonce| !nonces.contains(nonce)).unwrap();
            return (nonces[0], hit["hash"].as_str().unwrap().to_owned(), miss);
        }
    }
    panic!("no nonce in {NONCES}");
}

/// Returns the template with a nonce in it.
fn block(template: &Value, nonce: u64) -> String {
    let mut blob = const_hex::decode(template["blocktemplate_blob"].as_str().unwrap()).unwrap();
    let nonce = u32::try_from(nonce).unwrap().to_le_bytes();
    blob[NONCE_OFFSET..NONCE_OFFSET + 4].copy_from_slice(&nonce);
    const_hex::encode(blob)
}

fn our_blocks_are_accepted() {
    let node = Node::start();
    let available = available_engines();
    let compiled = ["randomx-v1/cpu/jit+light", "randomx-v1/cpu/jit+fast"];
    let mut engines: Vec<&str> = compiled.into_iter().filter(|id| available.iter().any(|one| one == id)).collect();
    if engines.is_empty() {
        engines.push("randomx-v1/cpu/interpreter+light");
    }
    for engine in engines {
        let height = node.height();
        let template = node.result("get_block_template", &json!({ "wallet_address": ADDRESS, "reserve_size": 0 }));
        assert_eq!(template["difficulty"], DIFFICULTY);
        let (nonce, hash, miss) = mine(engine, &template);
        // A nonce that doesn't meet the difficulty is refused: to be accepted means something.
        let refused = node.call("submit_block", &json!([block(&template, miss)]));
        assert!(refused["error"]["message"].is_string(), "{refused}");
        assert_eq!(node.height(), height);
        node.result("submit_block", &json!([block(&template, nonce)]));
        assert_eq!(node.height(), height + 1, "{engine}");
        let last = node.result("get_last_block_header", &json!({ "fill_pow_hash": true }));
        let header = &last["block_header"];
        assert_eq!((&header["nonce"], &header["pow_hash"]), (&json!(nonce), &json!(hash)), "{engine}: {header}");
        // RandomX is Monero's proof of work since version 12.
        assert!(header["major_version"].as_u64().unwrap() >= 12, "{header}");
    }
}
