//! `hashwatt infer --flows`, `--stratum` and `--pcap`: records that others took.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;
#[path = "../src/traffic/capture/wire.rs"]
#[allow(dead_code, reason = "the module's own tests use the rest")]
mod wire;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::{assert_close, hashwatt, number};
use wire::{Form, known_answer, write};

const HEAD: &str = "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\t\
                    service\tduration\torig_bytes\tresp_bytes\thistory\torig_pkts\torig_ip_bytes\t\
                    resp_pkts\tresp_ip_bytes\n";

/// A miner of Bitcoin for a day, with a share in 15 s and a job in 30 s; beside it pages and a keyboard.
fn conn_log() -> String {
    let shares = 5_760;
    let (up_packets, up_payload) = (2 * shares + 2_880, shares * 115 + 170);
    let (down_packets, down_payload) = (shares + 2_880, shares * 40 + 2_880 * 1_000);
    let mut log = format!(
        "{HEAD}1495065600.0\t10.0.0.5\t50000\t198.51.100.7\t443\ttcp\t-\t86400.0\t{up_payload}\t\
         {down_payload}\tShADad\t{up_packets}\t{}\t{down_packets}\t{}\n",
        up_payload + 52 * up_packets,
        down_payload + 52 * down_packets
    );
    for page in 0..200 {
        log += &format!(
            "{}.5\t10.0.0.9\t5{page:04}\t203.0.113.80\t443\ttcp\tssl\t12.0\t2500\t250000\t\
             ShADadFf\t80\t6700\t200\t260000\n",
            1_495_065_600 + page * 400
        );
    }
    log + "1495065600.0\t10.0.0.9\t50001\t203.0.113.22\t22\ttcp\tssh\t30000.0\t90000\t120000\t\
           ShADad\t5000\t350000\t4800\t370000\n"
}

fn in_file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    (directory, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_miner_is_found_in_a_log_by_its_shape() {
    let (_directory, path) = in_file("conn.log", conn_log().as_bytes());
    let document = hashwatt(&["infer", "--flows", text(&path), "--json"]).json();
    let candidates = document["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 1, "{candidates:#?}");
    assert_eq!((&candidates[0]["client"], &candidates[0]["server_port"]), (&"10.0.0.5".into(), &443.into()));
    let shares = &candidates[0]["shares"][0];
    assert_eq!(shares["coin"], "btc");
    let rate = &shares["share_rate_per_s"];
    assert!(number(&rate["low"]) < 1.0 / 15.0 && 1.0 / 15.0 < number(&rate["high"]), "{shares}");
    let hypotheses = document["hypotheses"].as_array().unwrap();
    assert!(hypotheses.iter().any(|hypothesis| hypothesis["consistent"] == true), "{hypotheses:#?}");
    assert!(document["summary"].as_str().unwrap().contains("1 endpoint looks like mining"));
    assert_eq!(document["source"]["tcp_records"], 202);
    // With the difficulty known there is a hash rate that holds the truth: 512 * 2^32 / 15.
    let known = ["infer", "--flows", text(&path), "--coin", "btc", "--pool", "fixed=512", "--json"];
    let document = hashwatt(&known).json();
    let truth = 512.0 * 4_294_967_296.0 / 15.0;
    let holds = |hypothesis: &serde_json::Value| {
        let rate = &hypothesis["hash_rate_hps"];
        let ends = (rate["low"].as_f64(), rate["high"].as_f64());
        matches!(ends, (Some(low), Some(high)) if low > 0.0 && low <= truth && truth <= high)
    };
    assert!(document["hypotheses"].as_array().unwrap().iter().any(holds), "{document:#}");
}

#[test]
fn standard_input_and_compression_give_the_same() {
    let log = conn_log();
    let (_directory, path) = in_file("conn.log", log.as_bytes());
    let of_file = hashwatt(&["infer", "--flows", text(&path), "--json"]).json();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(log.as_bytes()).unwrap();
    let (_directory, packed) = in_file("conn.log.gz", &encoder.finish().unwrap());
    let of_packed = hashwatt(&["infer", "--flows", text(&packed), "--json"]).json();
    assert_eq!(of_packed["candidates"], of_file["candidates"]);
    assert_eq!(of_packed["source"]["compression"], "gzip");
    let mut child = common::command(&["infer", "--flows", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(log.as_bytes()).unwrap();
    let printed = child.wait_with_output().unwrap().stdout;
    let of_input: serde_json::Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(of_input["candidates"], of_file["candidates"]);
}

/// Difficulty 10,000, five shares in 57 s.
#[test]
fn the_known_answer_is_read_from_a_capture_and_from_a_transcript() {
    let (_directory, path) = in_file("x.pcapng", &write(&known_answer(), Form::Pcapng, false, 1, 65_535));
    let document = hashwatt(&["infer", "--pcap", text(&path), "--json"]).json();
    let job = r#"{"method":"job","params":{"job_id":"1","target":"b88d0600"}}"#;
    let mut transcript = format!("{{\"time\":100,\"message\":{job}}}\n");
    for id in 1..=5 {
        let submit = format!(r#"{{"method":"submit","params":{{"job_id":"1"}},"id":{id}}}"#);
        transcript += &format!("{{\"time\":{},\"message\":{submit}}}\n", 100 + id);
    }
    transcript += "{\"time\":157,\"message\":{\"method\":\"keepalived\",\"id\":9}}\n";
    let (_directory, path) = in_file("x.jsonl", transcript.as_bytes());
    let other = hashwatt(&["infer", "--stratum", text(&path), "--json"]).json();
    for document in [&document, &other] {
        let rate = &document["hypotheses"][0]["hash_rate_hps"];
        // 2^32 over the target 0x00068db8 is 10,000.017.
        assert_close(number(&rate["best"]), 5.0 * 4_294_967_296.0 / 429_496.0 / 57.0, "best");
        assert!((number(&rate["low"]) - 284.8).abs() < 0.1 && (number(&rate["high"]) - 2_047.1).abs() < 0.1, "{rate}");
        assert_eq!(document["hypotheses"][0]["consistent"], true);
    }
    assert_eq!(
        (&document["sessions"][0]["shares"]["accepted"], &other["sessions"][0]["shares"]["unanswered"]),
        (&5.into(), &5.into())
    );
    assert_eq!(document["sessions"][0]["protocol"], "stratum-xmr");
    assert!(document["encrypted"].as_array().unwrap().is_empty());
    let shown = hashwatt(&["infer", "--pcap", text(&path.with_file_name("none"))]);
    shown.is_refused(2, &["can't read"]);
}

#[test]
fn nothing_of_a_record_steers_the_terminal() {
    let line = "{\"time\":1,\"session\":\"\\u001b]0;x\\u0007\\u202e\",\
                \"message\":{\"method\":\"mining.subscribe\",\"id\":1}}\n";
    let refused =
        "{\"time\":2,\"session\":\"\\u001b]0;x\\u0007\\u202e\",\"message\":{\"method\":\"\\u009b2J\",\"id\":1}}\n";
    let (_directory, path) = in_file("x.jsonl", [line, refused, "\u{1b}[2J{\n"].concat().as_bytes());
    let run = hashwatt(&["infer", "--stratum", text(&path)]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let all = run.stdout + &run.stderr;
    let steers = |character: &char| (character.is_control() && *character != '\n') || *character == '\u{202e}';
    assert!(!all.contains(|character: char| steers(&character)), "{all:?}");
    assert!(all.contains("\\u{1b}]0;x\\u{7}\\u{202e}"), "{all}");
}

#[test]
fn bad_input_is_refused_with_the_place_and_the_next_step() {
    let (_directory, path) = in_file("bad", b"what is this?\n");
    hashwatt(&["infer", "--flows", text(&path)]).is_refused(2, &["holds no flow records", "line 1", "nfdump -o csv"]);
    hashwatt(&["infer", "--pcap", text(&path)]).is_refused(2, &["is no capture file", "77686174", "tcpdump -w"]);
    hashwatt(&["infer", "--stratum", text(&path)]).is_refused(2, &["no transcript", "line 1", "time"]);
    hashwatt(&["infer", "--flows", text(&path), "--pcap", text(&path)]).is_refused(2, &["cannot be used with"]);
    hashwatt(&["infer", "--pcap", text(&path), "--sampling", "10"]).is_refused(2, &["cannot be used with"]);
    let broken = conn_log() + &"1495\tx\n".repeat(1_001);
    let (_directory, path) = in_file("conn.log", broken.as_bytes());
    hashwatt(&["infer", "--flows", text(&path)]).is_refused(2, &["more than 1000 lines", "line 206"]);
    let broken = conn_log() + "1495\tx\n";
    let (_directory, path) = in_file("conn.log", broken.as_bytes());
    let run = hashwatt(&["infer", "--flows", text(&path)]);
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.contains("line 206 (it has fewer columns than the heading)"), "{}", run.stdout);
}
