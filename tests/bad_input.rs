//! Bad input is refused before work starts: the right exit code, an error that names the value, nothing half written.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::process::Stdio;

use common::{HEADER_125552, NONCE_125552, Running, command, hashwatt, hashwatt_with, names_in, write_tree};

const KEY: &str = "00";

fn scan_header(header: &str) -> common::Run {
    hashwatt(&["scan", "sha256d", "--header", header, "--nonces", "0..1", "--json"])
}

#[test]
fn headers_that_are_none_are_refused_with_their_length_or_their_first_wrong_character() {
    scan_header(&HEADER_125552[..159]).is_refused(2, &["--header", "160 hex digits", "159"]);
    scan_header(&HEADER_125552[..158]).is_refused(2, &["160 hex digits", "158"]);
    scan_header(&format!("{HEADER_125552}00")).is_refused(2, &["160 hex digits", "162"]);
    scan_header("").is_refused(2, &["160 hex digits"]);
    scan_header(&HEADER_125552.replacen("81cd", "81xd", 1)).is_refused(2, &["'x'", "position 10"]);
    scan_header(&format!("0x{}", &HEADER_125552[2..])).is_refused(2, &["'x'", "position 1"]);
    scan_header(&"é".repeat(80)).is_refused(2, &["--header"]);
}

#[test]
fn hex_of_other_options_is_refused_by_name() {
    let target = |hex: &str| {
        hashwatt(&["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..1", "--target", hex, "--json"])
    };
    target("00ff").is_refused(2, &["--target", "00ff"]);
    target(&"g".repeat(64)).is_refused(2, &["--target"]);
    let blob = "00".repeat(76);
    let scan = |key: &str, blob: &str| {
        hashwatt(&["scan", "randomx-v1", "--key", key, "--blob", blob, "--nonces", "0..1", "--json"])
    };
    scan("0", &blob).is_refused(2, &["--key", "1 hex digit"]);
    scan(KEY, &blob[1..]).is_refused(2, &["--blob", "151 hex digits"]);
    scan("zz", &blob).is_refused(2, &["--key", "'z'", "position 0"]);
    scan(KEY, "00").is_refused(2, &["39", "1 bytes"]);
    scan(&"00".repeat(61), &blob).is_refused(2, &["60 bytes", "61"]);
    hashwatt(&["hash", "sha256d", "--input", "123"]).is_refused(2, &["--input", "3 hex digits"]);
    hashwatt(&["hash", "sha256d", "--input", "12 3"]).is_refused(2, &["--input", "' '", "position 2"]);
}

#[test]
fn ranges_that_wrap_run_backwards_or_are_empty_are_refused() {
    let cases = [
        ("0..4294967297", "wrap"),
        ("4294967295..0x100000001", "wrap"),
        ("10..5", "backwards"),
        ("5..5", "no nonce"),
        ("5", ".."),
        ("a..b", "\"a\""),
        ("0..1..2", "\"1..2\""),
        ("0..99999999999999999999", "99999999999999999999"),
        ("-1..5", "-1"),
    ];
    for (range, reason) in cases {
        let nonces = format!("--nonces={range}");
        hashwatt(&["scan", "sha256d", "--header", HEADER_125552, &nonces, "--json"]).is_refused(2, &[range, reason]);
    }
}

#[test]
fn a_nonce_field_outside_the_blob_is_refused() {
    let scan = |offset: &str| {
        hashwatt(&[
            "scan",
            "randomx-v1",
            "--key",
            KEY,
            "--blob",
            "00000000",
            "--nonce-offset",
            offset,
            "--nonces",
            "0..1",
        ])
    };
    scan("1").is_refused(2, &["at 1", "4 bytes"]);
    scan("18446744073709551615").is_refused(2, &["18446744073709551615"]);
}

#[test]
fn an_unknown_engine_is_refused_with_the_nearest_name() {
    let cases = [
        ("sha256d/cpu/sclar", "sha256d/cpu/scalar"),
        ("scaler", "sha256d/cpu/scalar"),
        ("sha256d/cpu/shani", "sha256d/cpu/sha-ni"),
        ("sha256/cpu/scalar", "sha256d/cpu/scalar"),
    ];
    for (typed, meant) in cases {
        let suggestion = format!("did you mean {meant}?");
        hashwatt(&["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..1", "--engine", typed])
            .is_refused(2, &[typed, &suggestion]);
        hashwatt(&["hash", "sha256d", "--input", "00", "--engine", typed]).is_refused(2, &[typed, &suggestion]);
        hashwatt(&["bench", typed]).is_refused(2, &[typed, &suggestion]);
        hashwatt(&["selftest", typed]).is_refused(2, &[typed, &suggestion]);
    }
    hashwatt(&["bench", "qqqq/*"]).is_refused(2, &["qqqq", "hashwatt devices"]);
    hashwatt(&["bench", "[", "--json"]).is_refused(2, &["\"[\""]);
    hashwatt(&["hash", "sha256d", "--input", "00", "--engine", "randomx-v1/cpu/interpreter+light"])
        .is_refused(2, &["randomx-v1/cpu/interpreter+light", "sha256d/cpu/scalar"]);
}

#[test]
fn a_known_engine_without_its_device_has_a_code_of_its_own() {
    hashwatt(&["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..1", "--engine", "sha256d/gpu77/wgsl"])
        .is_refused(11, &["sha256d/gpu77/wgsl", "no gpu77"]);
    hashwatt(&["bench", "sha256d/gpu77/wgsl"]).is_refused(11, &["gpu77"]);
}

#[test]
fn zero_threads_and_more_than_make_sense_are_refused() {
    for threads in ["0", "100000", "18446744073709551615"] {
        hashwatt(&["bench", "sha256d/cpu/scalar", "--threads", threads]).is_refused(2, &[threads, "--threads 1"]);
        hashwatt(&["selftest", "sha256d/cpu/scalar", "--threads", threads]).is_refused(2, &[threads]);
        let scan = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..1", "--threads", threads];
        hashwatt(&scan).is_refused(2, &[threads]);
        hashwatt(&["--threads", threads, "--json"]).is_refused(2, &[threads]);
    }
    for list in ["0", "1,", "x", "2-1", "1..2", "1-100000", "18446744073709551616"] {
        let sweep = format!("--sweep-threads={list}");
        hashwatt(&["bench", "sha256d/cpu/scalar", &sweep]).is_refused(2, &["threads"]);
    }
    hashwatt(&["bench", "--threads", "1", "--sweep-threads"]).is_refused(2, &["--threads", "--sweep-threads"]);
    for threads in ["-1", "two", "1.5", ""] {
        hashwatt(&["bench", &format!("--threads={threads}")]).is_refused(2, &[threads]);
    }
}

#[test]
fn times_and_meters_that_are_none_are_refused() {
    for time in ["0", "-1", "nan", "inf", "1e9", "soon"] {
        hashwatt(&["bench", "sha256d/cpu/scalar", &format!("--time={time}"), "--json"]).is_refused(2, &["time"]);
    }
    for meter in ["watts:0W", "watts:-5W", "watts:", "watts:65W±200%", "watts:65W@cpu7", "plug", "rapl@gpu0"] {
        hashwatt(&["bench", "sha256d/cpu/scalar", "--meter", meter]).is_refused(2, &[meter]);
    }
    hashwatt(&["bench", "sha256d/cpu/scalar", "--meter", "none", "--meter", "auto"]).is_refused(2, &["none", "auto"]);
    hashwatt(&["bench", "sha256d/cpu/scalar", "--meter", "watts:5W", "--meter", "watts:6W"])
        .is_refused(2, &["watts:5W@cpu", "watts:6W@cpu"]);
}

#[test]
fn options_of_the_bare_program_before_a_command_are_refused_and_not_passed_over() {
    hashwatt(&["--meter", "watts:65W", "bench", "sha256d/cpu/scalar"]).is_refused(2, &["before a command"]);
    hashwatt(&["--out", "record.json", "devices"]).is_refused(2, &["before a command"]);
    hashwatt(&["mine"]).is_refused(2, &["mine"]);
}

#[test]
fn a_sysroot_that_can_not_be_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent");
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [&absent, &file] {
        let path = path.to_str().unwrap();
        hashwatt(&["devices", "--sysroot", path, "--json"]).is_refused(2, &[path, "--sysroot"]);
        hashwatt(&["bench", "sha256d/cpu/scalar", "--sysroot", path]).is_refused(2, &[path]);
        hashwatt(&["--sysroot", path, "--json"]).is_refused(2, &[path]);
    }
}

#[test]
fn masks_of_versions_are_checked_and_plain_engines_refuse_them() {
    let run = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..1", "--version-mask"];
    for (mask, reason) in [("1fffe00", "eight hex digits"), ("0x1fffe0", "eight hex digits"), ("00000000", "no bit")] {
        hashwatt(&[&run[..], &[mask]].concat()).is_refused(2, &[mask, reason]);
    }
    let plain = ["1fffe000", "--engine", "sha256d/cpu/scalar"];
    hashwatt(&[&run[..], &plain].concat()).is_refused(2, &["1fffe000", "doesn't roll", "sha256d/cpu/scalar+rolled"]);
    // 65,536 versions with each nonce: too many to list, and refused before a single one is hashed.
    let all = format!("7{}", "f".repeat(63));
    let run = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..1000", "--target", &all, "--engine"];
    hashwatt(&[&run[..], &["sha256d/cpu/scalar+rolled"]].concat()).is_refused(2, &["65536000", "versions"]);
}

#[test]
fn a_target_that_everything_meets_is_refused_for_more_nonces_than_can_be_listed() {
    let target = "f".repeat(64);
    hashwatt(&["scan", "sha256d", "--header", HEADER_125552, "--target", &target]).is_refused(2, &["4294967296"]);
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_is_no_error() {
    let nonces = format!("{}..{}", NONCE_125552, NONCE_125552 + 1);
    let runs: [&[&str]; 6] = [
        &["devices"],
        &["devices", "--json"],
        &["--help"],
        &["cost", "--coin", "btc", "--hashrate", "1T"],
        &["scan", "sha256d", "--header", HEADER_125552, "--nonces", &nonces],
        &["hash", "sha256d", "--input", ""],
    ];
    for arguments in runs {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Running::start(&mut command(arguments), Stdio::from(writer)).end();
        assert_eq!((run.code, run.stderr.contains("error")), (Some(0), false), "{arguments:?}: {run:?}");
    }
}

#[test]
fn too_little_memory_for_fast_mode_is_refused_with_both_figures() {
    let directory = tempfile::tempdir().unwrap();
    // 2 GiB of memory; the dataset alone takes 2080 MiB.
    write_tree(directory.path(), &[("proc/meminfo", "MemTotal: 2097152 kB\nMemAvailable: 2097152 kB\n")]);
    let sysroot = directory.path().to_str().unwrap();
    for id in ["randomx-v1/cpu/interpreter+fast", "randomx-v2/cpu/interpreter+fast"] {
        hashwatt(&["bench", id, "--sysroot", sysroot, "--json"]).is_refused(11, &[id, "2048 MiB", "MiB of memory"]);
    }
    let devices = hashwatt(&["devices", "--sysroot", sysroot, "--json"]).json();
    let engines = devices["engines"].as_array().unwrap();
    let of = |id: &str| engines.iter().find(|engine| engine["id"] == id).unwrap();
    let fast = of("randomx-v1/cpu/interpreter+fast");
    assert_eq!(fast["available"], false);
    assert!(fast["reason"].as_str().unwrap().contains("2048 MiB") && fast["hint"].is_string(), "{fast}");
    assert_eq!(of("randomx-v1/cpu/interpreter+light")["available"], true, "light mode needs 256 MiB");
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_driver_gpu_engines_are_unavailable_with_the_reason_and_the_rest_goes_on() {
    let no_driver = [("VK_DRIVER_FILES", "/nonexistent"), ("VK_ICD_FILENAMES", "/nonexistent")];
    let devices = hashwatt_with(&["devices", "--json"], &no_driver).json();
    assert_eq!(devices["gpus"].as_array().unwrap().len(), 0);
    let engines = devices["engines"].as_array().unwrap();
    let gpu = engines.iter().find(|engine| engine["id"] == "sha256d/gpu0/wgsl").unwrap();
    assert_eq!(gpu["available"], false);
    assert!(gpu["reason"].as_str().unwrap().contains("no graphics adapter"), "{gpu}");
    assert!(gpu["hint"].as_str().unwrap().contains("mesa-vulkan-drivers"), "{gpu}");
    let scan = ["scan", "sha256d", "--header", HEADER_125552, "--nonces", "0..1", "--json", "--engine"];
    let with = |engine| hashwatt_with(&[&scan[..], &[engine]].concat(), &no_driver);
    with("sha256d/gpu0/wgsl").is_refused(11, &["sha256d/gpu0/wgsl", "no graphics adapter", "help"]);
    assert_eq!(with("sha256d/cpu/scalar").json()["scanned"], 1);
    hashwatt_with(&["bench", "*/gpu0/*"], &no_driver).is_refused(11, &["no graphics adapter"]);
}

#[test]
fn a_place_where_no_record_can_be_written_is_refused_before_the_work() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent/record.json");
    let places = [absent.to_str().unwrap(), directory.path().to_str().unwrap()];
    for place in places {
        // An hour: the refusal can't have come after the work.
        let run = hashwatt(&["bench", "sha256d/cpu/scalar", "--time", "3600", "--out", place, "--json"]);
        run.is_refused(2, &[place, "can't write"]);
        assert!(!run.stderr.contains("measuring"), "{run:?}");
    }
    assert_eq!(names_in(directory.path()), [""; 0]);
}

#[test]
fn a_refused_run_leaves_an_existing_file_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    fs::write(&path, "before").unwrap();
    let out = path.to_str().unwrap();
    hashwatt(&["bench", "sha256d/cpu/sclar", "--out", out]).is_refused(2, &["sclar"]);
    hashwatt(&["bench", "sha256d/gpu77/wgsl", "--out", out]).is_refused(11, &["gpu77"]);
    hashwatt(&["bench", "sha256d/cpu/scalar", "--out", out, "--threads", "0"]).is_refused(2, &["0 threads"]);
    let empty = directory.path().join("sysroot");
    fs::create_dir(&empty).unwrap();
    let sysroot = empty.to_str().unwrap();
    hashwatt(&["bench", "sha256d/cpu/scalar", "--out", out, "--meter", "rapl", "--sysroot", sysroot])
        .is_refused(12, &["rapl"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(names_in(directory.path()), ["record.json", "sysroot"]);
}
