//! What the program tells of itself: completions, the manual page, and a schema that its records keep to.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::hashwatt;
use jsonschema::Validator;
use serde_json::{Value, json};

fn committed() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/record.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn validator() -> Validator {
    let schema = committed();
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("the schema is no schema: {error}"));
    jsonschema::validator_for(&schema).unwrap()
}

fn fixtures() -> Vec<PathBuf> {
    let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records");
    let paths: Vec<PathBuf> = fs::read_dir(records).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(paths.len() >= 2, "{paths:?}");
    paths
}

#[track_caller]
fn assert_valid(record: &Value, whose: &str) {
    let faults: Vec<String> =
        validator().iter_errors(record).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(faults.is_empty(), "{whose}: {faults:#?}");
}

#[test]
fn the_committed_schema_is_the_one_that_the_program_prints() {
    let printed = hashwatt(&["generate", "schema"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/record.schema.json");
    assert!(
        printed.stdout == fs::read_to_string(path).unwrap(),
        "docs/record.schema.json is out of date; renew it: cargo run -- generate schema > docs/record.schema.json"
    );
    let schema = printed.json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "hashwatt record");
    assert_eq!(schema["properties"]["format"]["const"], "hashwatt-record");
}

#[test]
fn every_field_in_the_schema_is_described_and_none_is_forbidden() {
    fn walk(schema: &Value, path: &str, seen: &mut usize) {
        assert_ne!(schema["additionalProperties"], json!(false), "{path}");
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            *seen += 1;
            let description = field["description"].as_str().unwrap_or_else(|| panic!("{path}.{name}: no description"));
            // Links of Rust's documentation mean nothing here.
            assert!(!description.contains("[`") && !description.contains('\n'), "{path}.{name}: {description}");
        }
    }
    let schema = committed();
    let mut seen = 0;
    walk(&schema, "record", &mut seen);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        walk(definition, name, &mut seen);
    }
    assert!(seen > 90, "{seen} fields can't be all");
}

#[test]
fn new_records_and_old_ones_keep_to_the_schema() {
    for path in fixtures() {
        assert_valid(&serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap(), &path.display().to_string());
    }
    let arguments = ["bench", "sha256d/cpu/scalar", "--time", "0.1", "--meter", "watts:50W", "--json"];
    assert_valid(&hashwatt(&arguments).json(), "a record of now");
}

#[test]
fn the_schema_refuses_what_is_no_record_and_allows_what_is_not_known_yet() {
    let validator = validator();
    let mut record: Value = serde_json::from_str(&fs::read_to_string(&fixtures()[0]).unwrap()).unwrap();
    record["format_version"]["minor"] = 99.into();
    record["something new"] = 1.into();
    record["benchmarks"][0]["samples"][0]["something new"] = "x".into();
    assert!(validator.is_valid(&record));
    let wrongs: [(&str, Value); 7] = [
        ("/format", "other".into()),
        ("/format_version/major", 2.into()),
        ("/interrupted", Value::Null),
        ("/benchmarks/0/threads", (-1).into()),
        ("/benchmarks/0/device", "tpu0".into()),
        ("/benchmarks/0/rate_hps/median", "fast".into()),
        ("/benchmarks/0/samples/0/hashes", 0.5.into()),
    ];
    for (pointer, wrong) in wrongs {
        let mut broken = record.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&broken), "{pointer}");
    }
    record.as_object_mut().unwrap().remove("benchmarks");
    assert!(!validator.is_valid(&record), "a record without benchmarks");
}

#[test]
fn completions_know_commands_and_options_in_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = hashwatt(&["generate", "completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["selftest", "compare", "fail-on-regression", "markdown"] {
            // Fish completes options without their dashes; elvish and PowerShell don't complete values.
            let is_value = word == "markdown" && ["elvish", "powershell"].contains(&shell);
            assert!(is_value || run.stdout.contains(word), "{shell}: {word}");
        }
        let document = hashwatt(&["generate", "completions", shell, "--json"]).json();
        assert_eq!(document, json!({ "shell": shell, "script": run.stdout }));
    }
    hashwatt(&["generate", "completions", "dos"]).is_refused(2, &["dos", "bash"]);
}

#[test]
fn the_manual_page_has_every_command_in_the_order_of_the_help() {
    let run = hashwatt(&["generate", "man"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let title = concat!(".TH HASHWATT 1 \"\" \"hashwatt ", env!("CARGO_PKG_VERSION"), "\" \"User Commands\"");
    assert_eq!(run.stdout.lines().filter(|line| line.starts_with(".TH")).collect::<Vec<_>>(), [title]);
    let headings: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    let expected = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "\"HASHWATT DEVICES\"",
        "\"HASHWATT SELFTEST\"",
        "\"HASHWATT BENCH\"",
        "\"HASHWATT TUNE\"",
        "\"HASHWATT SCAN\"",
        "\"HASHWATT SCAN SHA256D\"",
        "\"HASHWATT SCAN RANDOMX-V1\"",
        "\"HASHWATT SCAN RANDOMX-V2\"",
        "\"HASHWATT HASH\"",
        "\"HASHWATT HASH SHA256D\"",
        "\"HASHWATT HASH RANDOMX-V1\"",
        "\"HASHWATT HASH RANDOMX-V2\"",
        "\"HASHWATT COMPARE\"",
        "\"HASHWATT COST\"",
        "\"HASHWATT NETWORK\"",
        "\"HASHWATT INFER\"",
        "\"HASHWATT REPORT\"",
        "\"HASHWATT GENERATE\"",
        "\"HASHWATT GENERATE COMPLETIONS\"",
        "\"HASHWATT GENERATE MAN\"",
        "\"HASHWATT GENERATE SCHEMA\"",
        "\"HASHWATT GENERATE KERNEL\"",
        "\"EXAMPLES AND EXIT CODES\"",
    ];
    assert_eq!(headings, expected);
    assert_eq!(run.stdout.matches("\\fB\\-\\-color\\fR \\fI<WHEN>").count(), 1, "what all commands take stands once");
    assert_eq!(hashwatt(&["generate", "man", "--json"]).json()["man"], run.stdout);
}

#[test]
fn kernels_are_printed_as_they_are_committed_and_in_every_variant() {
    for (arguments, file) in [(&["generate", "kernel"][..], "plain"), (&["generate", "kernel", "--rolled"], "rolled")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("shaders/expanded/sha256d_{file}.wgsl"));
        assert!(hashwatt(arguments).stdout == fs::read_to_string(path).unwrap(), "{file}");
    }
    let other = ["generate", "kernel", "--rolled", "--gpu-variant", "schedule=shared,workgroup=32", "--json"];
    let document = hashwatt(&other).json();
    assert!(document["source"].as_str().unwrap().contains("var<workgroup> schedule"));
    assert_eq!(document["operations_of_a_version"]["additions"], 886);
    assert_eq!(document["operations_of_a_nonce"]["additions"], 156);
}
