//! Standard output: one JSON document where that is asked for, colours where they are wanted, and known hashes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;

use common::{HASH_125552, HEADER_125552, NONCE_125552, Run, available_engines, hashwatt, hashwatt_with, number};
use serde_json::{Value, json};

/// What begins every escape code.
const ESCAPE: char = '\u{1b}';

/// Variables with their values.
type Environment<'a> = &'a [(&'a str, &'a str)];

#[test]
fn every_command_prints_exactly_one_json_document() {
    let nonces = format!("{}..{}", NONCE_125552, NONCE_125552 + 1);
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("report.md");
    let record = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/records/1.0-declared-watts.json");
    let runs: [&[&str]; 10] = [
        &["devices"],
        &["selftest", "sha256d/cpu/*"],
        &["bench", "sha256d/cpu/scalar", "--time", "0.1"],
        &["bench", "sha256d/cpu/scalar", "--time", "0.1", "--format", "json"],
        &["scan", "sha256d", "--header", HEADER_125552, "--nonces", &nonces],
        &["hash", "sha256d", "--input", "00"],
        &["cost", "--coin", "xmr", "--hashrate", "1k"],
        &["cost", "--machine", "S9", "--from", "2017-05-17", "--to", "2017-07-06"],
        &["network", "btc", "--date", "2017-05-17"],
        &["report", record, "--out", out.to_str().unwrap()],
    ];
    for arguments in runs {
        for run in [
            hashwatt(&[arguments, &["--json"]].concat()),
            // Where colours are forced a document still has none.
            hashwatt_with(&[&["--json", "--color", "always"], arguments].concat(), &[("CLICOLOR_FORCE", "1")]),
        ] {
            assert!(run.json().is_object(), "{arguments:?}");
            assert!(!run.stdout.contains(ESCAPE), "{arguments:?}");
        }
    }
}

/// Measures shortly with a format, and returns what was printed and the record that was written.
fn bench_as(format: &str) -> (String, Value) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.json");
    let run = ["bench", "sha256d/cpu/*", "--time", "0.1", "--meter", "watts:50W", "--format", format, "--out"];
    let run = hashwatt(&[&run[..], &[path.to_str().unwrap()]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    (run.stdout, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

#[test]
fn csv_has_a_row_for_each_sample_and_nothing_else() {
    let (printed, record) = bench_as("csv");
    let mut lines = printed.lines();
    let header = "id,device,turn,sample,start_s,duration_s,hashes,rate_hps,is_outlier,energy_j[watts:50W@cpu]";
    assert_eq!(lines.next(), Some(header));
    for benchmark in record["benchmarks"].as_array().unwrap() {
        for (index, sample) in benchmark["samples"].as_array().unwrap().iter().enumerate() {
            let cells: Vec<&str> = lines.next().unwrap().split(',').collect();
            let numbers: Vec<f64> = cells[2..8].iter().map(|cell| cell.parse().unwrap()).collect();
            let field = |name: &str| number(&sample[name]);
            let rate_hps = field("hashes") / field("duration_s");
            let expected =
                [field("turn"), index as f64, field("start_s"), field("duration_s"), field("hashes"), rate_hps];
            assert_eq!(numbers, expected);
            assert_eq!((cells[0], cells[1]), (benchmark["id"].as_str().unwrap(), "cpu"));
            let is_outlier = benchmark["outliers"].as_array().unwrap().contains(&json!(index));
            assert_eq!(cells[8], is_outlier.to_string());
            assert_eq!(cells[9].parse::<f64>().unwrap(), number(&sample["energy_j"]["watts:50W@cpu"]));
            assert_eq!(cells.len(), 10);
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn markdown_has_the_machine_the_table_and_the_warnings() {
    let (printed, record) = bench_as("markdown");
    let version = concat!("hashwatt ", env!("CARGO_PKG_VERSION"));
    assert!(printed.starts_with(version), "{printed}");
    let machine = printed.lines().next().unwrap();
    for known in [&record["started_utc"], &record["machine"]["os"]["kernel"]].iter().filter(|known| !known.is_null()) {
        assert!(machine.contains(known.as_str().unwrap()), "{known} isn't in {machine}");
    }
    let rows: Vec<&str> = printed.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows[0].starts_with("| engine | rate (median, 95 %) | mean |"), "{printed}");
    assert!(rows[1].starts_with("| :-- | --: | --: |"), "{printed}");
    let benchmarks = record["benchmarks"].as_array().unwrap();
    assert_eq!(rows.len(), 2 + benchmarks.len());
    for (row, benchmark) in rows[2..].iter().zip(benchmarks) {
        assert!(row.starts_with(&format!("| {} | ", benchmark["id"].as_str().unwrap())), "{row}");
        assert_eq!(row.matches(" | ").count(), rows[0].matches(" | ").count(), "{row}");
    }
    let warnings = record["warnings"].as_array().unwrap();
    let listed: Vec<&str> = printed.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(listed.len(), warnings.len(), "{printed}");
    for (line, warning) in listed.iter().zip(warnings) {
        assert!(line.ends_with(&format!("(`{}`)", warning["code"].as_str().unwrap())), "{line}");
    }
    assert!(!printed.contains(ESCAPE));
}

#[test]
fn a_format_and_json_may_not_contradict_each_other() {
    let bench = ["bench", "sha256d/cpu/scalar", "--time", "0.1", "--json", "--format"];
    for format in ["table", "csv", "markdown"] {
        hashwatt(&[&bench[..], &[format]].concat()).is_refused(2, &["--json", "--format"]);
        // The bare program takes it, too, and looks at it before it measures.
        hashwatt(&["--json", "--format", format]).is_refused(2, &["--json", "--format"]);
    }
    assert!(hashwatt(&[&bench[..], &["json"]].concat()).json().is_object());
    hashwatt(&["--format", "csv", "bench"]).is_refused(2, &["behind the command"]);
    hashwatt(&["bench", "--format", "xml"]).is_refused(2, &["xml", "markdown"]);
}

#[test]
fn quiet_says_nothing_on_standard_error() {
    for arguments in
        [&["selftest", "sha256d/cpu/scalar", "-q"][..], &["bench", "sha256d/cpu/scalar", "--time", "0.1", "-q"]]
    {
        let run = hashwatt(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn escape_codes_appear_where_they_are_asked_for_and_nowhere_else() {
    let devices = |arguments: &[&str], environment: Environment<'_>| {
        let run = hashwatt_with(&[&["devices"], arguments].concat(), environment);
        assert_eq!(run.code, Some(0));
        run.stdout.contains(ESCAPE)
    };
    let cases: [(&[&str], Environment<'_>, bool); 9] = [
        (&[], &[], false),
        (&[], &[("NO_COLOR", "1")], false),
        (&[], &[("TERM", "dumb")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
        (&["--color", "always"], &[("TERM", "dumb")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color", "auto"], &[], false),
    ];
    for (arguments, environment, expected) in cases {
        assert_eq!(devices(arguments, environment), expected, "{arguments:?} {environment:?}");
    }
}

/// Runs the program on a terminal; returns what it wrote there.
#[cfg(unix)]
fn on_terminal(arguments: &[&str], environment: Environment<'_>) -> String {
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let terminal = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut command = common::command(arguments);
    command.env("TERM", "xterm").envs(environment.iter().copied());
    command.stdout(terminal.try_clone().unwrap()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    // The last copies of the terminal's other end here: after the program's own there is nothing more to read.
    drop(command);
    let mut text = Vec::new();
    // Linux reports the end as an error of input and output.
    let _ = fs::File::from(master).read_to_end(&mut text);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_colours_unless_the_environment_or_an_option_says_otherwise() {
    let cases: [(&[&str], Environment<'_>, bool); 10] = [
        (&[], &[], true),
        (&[], &[("NO_COLOR", "1")], false),
        // Set and empty is not set.
        (&[], &[("NO_COLOR", "")], true),
        (&[], &[("TERM", "dumb")], false),
        (&[], &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR", "0")], false),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color", "always"], &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
        (&["--json"], &[], false),
    ];
    for (arguments, environment, expected) in cases {
        let cost = ["cost", "--coin", "btc", "--hashrate", "1T"];
        let printed = on_terminal(&[&cost, arguments].concat(), environment);
        assert!(printed.contains("coins"), "{printed}");
        assert_eq!(printed.contains(ESCAPE), expected, "{arguments:?} {environment:?}: {printed:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_dumb_terminal_gets_lines_of_progress_and_no_codes() {
    let bench = ["bench", "sha256d/cpu/scalar", "--time", "0.1"];
    let printed = on_terminal(&bench, &[("TERM", "dumb")]);
    assert!(printed.contains("measuring sha256d/cpu/scalar (1 of"), "{printed:?}");
    assert!(!printed.contains(ESCAPE), "{printed:?}");
    // Elsewhere a bar is drawn over and over, which takes codes.
    assert!(on_terminal(&bench, &[("NO_COLOR", "1")]).contains(ESCAPE));
}

#[test]
fn errors_and_help_follow_the_same_wish_for_colours() {
    let ways: [&[&str]; 3] = [&["bench", "sha256d/cpu/sclar"], &["bench", "--no-such-option"], &["bench", "--help"]];
    for way in ways {
        let said = |arguments: &[&str], environment: Environment<'_>| {
            let run = hashwatt_with(&[way, arguments].concat(), environment);
            run.stdout + &run.stderr
        };
        assert!(said(&["--color", "always"], &[]).contains(ESCAPE), "{way:?}");
        assert!(said(&["--color=always"], &[]).contains(ESCAPE), "{way:?}");
        assert!(said(&[], &[("CLICOLOR_FORCE", "1")]).contains(ESCAPE), "{way:?}");
        assert!(!said(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]).contains(ESCAPE), "{way:?}");
        assert!(!said(&[], &[]).contains(ESCAPE), "{way:?}");
    }
}

#[test]
fn an_error_leaves_standard_output_empty_in_every_format() {
    for format in ["table", "json", "csv", "markdown"] {
        let run = hashwatt(&["bench", "sha256d/cpu/sclar", "--format", format, "--color", "always"]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{format}");
    }
}

#[test]
fn the_colours_change_nothing_but_escape_codes() {
    let plain = hashwatt(&["cost", "--coin", "btc", "--hashrate", "1T"]).stdout;
    let colored = hashwatt(&["cost", "--coin", "btc", "--hashrate", "1T", "--color", "always"]).stdout;
    let mut stripped = String::new();
    for (index, part) in colored.split(ESCAPE).enumerate() {
        // A code ends with its first letter.
        let text = if index == 0 { part } else { part.split_once('m').unwrap().1 };
        stripped.push_str(text);
    }
    assert_eq!(stripped, plain);
}

#[test]
fn help_and_version_go_to_standard_output() {
    let version = hashwatt(&["--version"]);
    assert_eq!((version.code, version.stderr.as_str()), (Some(0), ""));
    assert_eq!(version.stdout.trim(), concat!("hashwatt ", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["help"], &["bench", "--help"], &["scan", "sha256d", "--help"]] {
        let help = hashwatt(arguments);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(help.stdout.contains("Usage: hashwatt"), "{arguments:?}");
    }
}

#[test]
fn devices_says_why_something_is_missing_and_what_mends_it() {
    let directory = tempfile::tempdir().unwrap();
    let devices = hashwatt(&["devices", "--sysroot", directory.path().to_str().unwrap(), "--json"]).json();
    for list in ["cpus", "gpus", "engines", "meters"] {
        assert!(devices[list].is_array(), "{list}");
    }
    for engine in devices["engines"].as_array().unwrap() {
        let is_available = engine["available"].as_bool().unwrap();
        assert_eq!(engine["reason"].is_null(), is_available, "{engine}");
    }
    let rapl = devices["meters"].as_array().unwrap().iter().find(|meter| meter["name"] == "rapl").unwrap();
    assert_eq!(rapl["available"], false, "an empty tree holds no counter, and nothing falls back to the real one");
    assert!(rapl["reason"].is_string() && rapl["hint"].is_string() && rapl["covers"].is_string(), "{rapl}");
}

fn hash(arguments: &[&str]) -> Run {
    hashwatt(&[&["hash"], arguments].concat())
}

/// The hash of nothing and of `hello` by `sha256sum | xxd -r -p | sha256sum`, turned around; and a block's own.
#[test]
fn every_cpu_engine_hashes_known_inputs_as_bitcoin_displays_them() {
    let known = [
        ("", "56944c5d3f98413ef45cf54545538103cc9f298e0575820ad3591376e2e0f65d"),
        ("68656c6c6f", "503d8319a48348cdc610a582f7bf754b5833df65038606eb48510790dfc99595"),
        (HEADER_125552, HASH_125552),
    ];
    for (input, expected) in known {
        assert_eq!(hash(&["sha256d", "--input", input]).stdout, format!("{expected}\n"));
        for engine in available_engines().iter().filter(|id| id.starts_with("sha256d/cpu/")) {
            let hashed = hash(&["sha256d", "--input", input, "--engine", engine, "--json"]).json();
            assert_eq!(hashed, json!({ "engine": engine, "hash": expected }));
        }
    }
}

/// The first vector of upstream's own tests.
#[test]
fn light_mode_hashes_upstreams_first_vector_in_byte_order() {
    let input = const_hex::encode("This is a test");
    let key = const_hex::encode("test key 000");
    let expected = "639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f";
    let interpreter = ["--engine", "randomx-v1/cpu/interpreter+light"];
    let arguments = ["randomx-v1", "--input", &input, "--key", &key, "--json"];
    let hashed = hash(&[&arguments[..], &interpreter].concat()).json();
    assert_eq!(hashed, json!({ "engine": "randomx-v1/cpu/interpreter+light", "hash": expected }));
    assert_eq!(hash(&["randomx-v1", "--input", &input, "--key", &key, "-q"]).stdout, format!("{expected}\n"));
}

#[test]
fn selftest_tests_every_engine_that_runs_here_and_names_the_others() {
    let tested = hashwatt(&["selftest", "sha256d/*", "--json"]).json();
    let available = available_engines();
    for engine in tested["engines"].as_array().unwrap() {
        let id = engine["id"].as_str().unwrap();
        let is_here = available.iter().any(|other| other == id);
        assert_eq!(engine["passed"].as_bool(), Some(is_here), "{engine}");
        assert_eq!(engine["checks"].as_u64().unwrap() > 0, is_here, "{engine}");
        assert_eq!(engine["verified_by"].is_string(), is_here, "{engine}");
        assert_eq!(engine["skipped"].is_null(), is_here, "{engine}");
    }
}

#[test]
fn a_dry_run_says_what_the_run_then_does() {
    let arguments = ["bench", "sha256d/cpu/*", "--time", "0.3", "--seed", "5", "--json"];
    let planned = hashwatt(&[&arguments[..], &["--dry-run"]].concat()).json();
    let record = hashwatt(&arguments).json();
    assert_eq!(planned["plan"], record["plan"]);
    assert_eq!(planned["groups"], record["groups"]);
    let mut turns: Vec<(f64, String)> = Vec::new();
    for benchmark in record["benchmarks"].as_array().unwrap() {
        let mut last = None;
        for sample in benchmark["samples"].as_array().unwrap() {
            if last.replace(sample["turn"].clone()) != Some(sample["turn"].clone()) {
                turns.push((sample["start_s"].as_f64().unwrap(), benchmark["id"].as_str().unwrap().to_owned()));
            }
        }
    }
    turns.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ran: Vec<&str> = turns.iter().map(|(_, id)| id.as_str()).collect();
    let meant: Vec<&str> = planned["turns"][0].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ran, meant);
    let duration = &planned["duration_s"];
    assert!(duration["low"].as_f64() <= duration["expected"].as_f64(), "{duration}");
    assert!(duration["expected"].as_f64() <= duration["high"].as_f64(), "{duration}");
}

#[test]
fn a_sweep_has_a_row_for_each_number_of_threads_and_says_which_were_best() {
    let most = std::thread::available_parallelism().unwrap().get().min(2);
    let counts: Vec<usize> = (1..=most).collect();
    let sweep = format!("--sweep-threads=1-{most}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sweep.json");
    let file = file.to_str().unwrap();
    let arguments = ["bench", "sha256d/cpu/scalar", &sweep, "--time", "0.2", "--meter", "watts:50W@cpu"];
    let planned = hashwatt(&[&arguments[..], &["--dry-run", "--json"]].concat()).json();
    assert_eq!(planned["sweep_threads"], json!(counts));
    let turns: usize = planned["turns"].as_array().unwrap().iter().map(|group| group.as_array().unwrap().len()).sum();
    assert_eq!(turns as u64, most as u64 * planned["plan"]["rounds"].as_u64().unwrap());

    let run = hashwatt(&[&arguments[..], &["--out", file]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("sha256d/cpu/scalar hashed most in a second on "), "{run:?}");
    assert!(run.stdout.contains("and most with a joule on "), "{run:?}");
    let record: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let rows = record["benchmarks"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["threads"].clone()).collect::<Vec<_>>(), counts);
    assert!(rows.iter().all(|row| row["id"] == "sha256d/cpu/scalar" && row["threads_by"] == "sweep"), "{rows:?}");

    // A row of the sweep is named by its threads, and the id alone names none.
    let cost = |engine: &str| hashwatt(&["cost", file, "--engine", engine, "--json"]);
    assert_eq!(cost("sha256d/cpu/scalar@1").json()["inputs"]["algorithm"], "sha256d");
    cost("sha256d/cpu/scalar").is_refused(15, &["sha256d/cpu/scalar@1"]);
}
