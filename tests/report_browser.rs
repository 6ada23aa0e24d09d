//! Reports in a real browser: nothing is loaded, nothing is said on the console, nothing overflows, all plots are there,
//! and their words can be read.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[path = "common/browser.rs"]
mod browser;
mod common;
#[path = "common/trials.rs"]
mod trials;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use browser::Browser;
use common::hashwatt;
use serde_json::{Value, json};
use tempfile::TempDir;
use trials::trial;

/// Set where a browser has to be there, as in the project's own checks: then these tests fail without one.
const EXPECTED: &str = "HASHWATT_EXPECT_BROWSER";

const INSPECT: &str = include_str!("common/inspect.js");

/// The pages that are looked at: width, medium and colours. A sheet of A4 is 718 pixels wide within its margins.
const VIEWS: [(u32, &str, &str); 7] = [
    (1280, "screen", "light"),
    (1280, "screen", "dark"),
    (800, "screen", "light"),
    (380, "screen", "light"),
    (380, "screen", "dark"),
    (320, "screen", "light"),
    (718, "print", "dark"),
];

fn main() -> ExitCode {
    let reason = if env::var_os(EXPECTED).is_some() { None } else { browser::why_not() };
    let reason = reason.as_deref();
    let trials = vec![
        trial("a_report_of_one_record_is_sound", reason, || is_sound(&[example()])),
        trial("a_report_of_several_records_is_sound", reason, || {
            is_sound(&[fixture("1.0-declared-watts.json"), fixture("1.0-interrupted.json"), example()]);
        }),
        trial("a_report_with_hostile_names_is_sound", reason, hostile_names),
        trial("reports_of_studies_are_sound", reason, studies),
        trial("a_study_with_hostile_names_is_sound", reason, hostile_study),
        trial("faults_are_noticed", reason, faults_are_noticed),
    ];
    trials::run(trials, true)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example() -> PathBuf {
    root().join("docs/examples/record.json")
}

fn fixture(name: &str) -> PathBuf {
    root().join("tests/records").join(name)
}

/// Makes a report, and returns its file with the titles of the plots that it shall have.
fn report(records: &[PathBuf]) -> (TempDir, PathBuf, Vec<String>) {
    made("report", records, "/plots")
}

fn made(command: &str, inputs: &[PathBuf], pointer: &str) -> (TempDir, PathBuf, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.html");
    let mut arguments = vec![command, "--json", "--out", file.to_str().unwrap()];
    arguments.extend(inputs.iter().map(|path| path.to_str().unwrap()));
    let plots = hashwatt(&arguments).json().pointer(pointer).unwrap().as_array().unwrap().clone();
    assert!(!plots.is_empty());
    (directory, file, plots.iter().map(|title| title.as_str().unwrap().to_owned()).collect())
}

fn is_sound(records: &[PathBuf]) {
    looks_sound(&report(records));
}

fn looks_sound((_directory, file, plots): &(TempDir, PathBuf, Vec<String>)) {
    let mut browser = Browser::start();
    for view in VIEWS {
        let faults = faults(&mut browser, file, view, plots);
        assert!(faults.is_empty(), "{view:?}: {faults:#?}");
    }
}

fn study(path: &Path) {
    looks_sound(&made("study", &[path.to_owned()], "/report/plots"));
}

/// All that are ready-made.
fn studies() {
    let paths = fs::read_dir(root().join("studies")).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).for_each(|path| study(&path));
}

/// Names that are long, and names that are pieces of a page; figures without power, price or profit.
fn hostile_study() {
    let hostile = "</script><script>alert(1)</script><img src='http://192.0.2.1/x.png' onerror='alert(2)'>";
    let long = "w".repeat(300);
    let text = format!(
        "name = \"{hostile}\"\ndescription = \"{long}\"\ncoin = \"btc\"\ncurrency = \"<b>&'W\"\nnotes = [\"{hostile}\"]\n\
         growth = \"-10%/epoch\"\n[[window]]\nname = \"{hostile}\"\nfrom = 2026-01-01\nto = 2028-12-31\n\
         [[scenario]]\nname = \"{hostile}\"\ncoin_price = [1e-9, 1e5]\n[[scenario]]\nname = \"{long}\"\n\
         [[fleet]]\nname = \"{hostile}\"\nhashrate = \"1E\"\npower = \"1W±90%\"\n\
         [[fleet]]\nname = \"{long}\"\nhashrate = \"1e-9\"\n\
         [monte_carlo]\npaths = 1000\nluck = \"solo\"\nprice = {{ volatility = \"60%\" }}\n"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    fs::write(&path, text).unwrap();
    study(&path);
}

/// Returns what is wrong with a page in one view.
fn faults(
    browser: &mut Browser,
    file: &Path,
    (width, media, scheme): (u32, &str, &str),
    plots: &[String],
) -> Vec<String> {
    browser.open(file, width, media, scheme);
    let seen = browser.evaluate(INSPECT);
    let mut faults: Vec<String> =
        seen["faults"].as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_owned()).collect();
    if seen["plots"] != json!(plots) {
        faults.push(format!("plots: {} and not {plots:?}", seen["plots"]));
    }
    // Whatever was still on its way comes before the answer to a second question.
    browser.evaluate("new Promise((resolve) => setTimeout(resolve, 100))");
    let url = format!("file://{}", file.display());
    faults.extend(browser.events.iter().filter_map(|event| complaint(event, &url)));
    faults
}

/// Tells what an event says against a page, if anything.
fn complaint(event: &Value, url: &str) -> Option<String> {
    let parameters = &event["params"];
    match event["method"].as_str()? {
        "Network.requestWillBeSent" if parameters["request"]["url"] != url => {
            Some(format!("request: {}", parameters["request"]["url"]))
        }
        "Log.entryAdded" if parameters["entry"]["level"] != "verbose" && parameters["entry"]["level"] != "info" => {
            Some(format!("console: {}", parameters["entry"]["text"]))
        }
        "Runtime.consoleAPICalled" => Some(format!("console: {}", parameters["args"])),
        "Runtime.exceptionThrown" => Some(format!("exception: {}", parameters["exceptionDetails"])),
        _ => None,
    }
}

/// Names that are long, and names that are pieces of a page.
fn hostile_names() {
    let mut record: Value = serde_json::from_str(&fs::read_to_string(example()).unwrap()).unwrap();
    let hostile = "</script><script>alert(1)</script><img src=\"http://192.0.2.1/x.png\" onerror='alert(2)'>";
    record["machine"]["cpu"]["brand"] = json!(hostile);
    record["warnings"] = json!([{ "code": hostile, "text": "x".repeat(500), "hint": hostile }]);
    record["benchmarks"][0]["id"] = json!(hostile);
    record["benchmarks"][1]["id"] = json!("W".repeat(300));
    record["benchmarks"][2]["device_name"] = json!("w".repeat(300));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("<img src=x>.json");
    fs::write(&path, record.to_string()).unwrap();
    is_sound(&[path]);
}

/// What these tests are for is planted, one after the other: each has to be noticed, and nothing else.
fn faults_are_noticed() {
    let (directory, file, plots) = report(&[example()]);
    let page = fs::read_to_string(&file).unwrap();
    // Without its policy the page would load what it names.
    let (before, policy) = page.split_once("<meta http-equiv=").unwrap();
    let lax = format!("{before}{}", policy.split_once('\n').unwrap().1);
    let planted = |page: &str, what: &str| page.replacen("</main>", &format!("{what}</main>"), 1);
    let first_text = lax.find("<text").unwrap();
    let cases = [
        ("nothing", lax.clone(), ""),
        ("a script", planted(&lax, "<script>console.error('planted')</script>"), "console: "),
        ("an exception", planted(&lax, "<script>throw new Error('planted')</script>"), "exception: "),
        ("a request", planted(&lax, "<img src=\"http://192.0.2.1/x.png\">"), "request: \"http://192.0.2.1/x.png\""),
        ("a request against the policy", planted(&page, "<img src=\"http://192.0.2.1/x.png\">"), "console: "),
        ("a wide block", planted(&lax, "<div style=\"width:2000px\">wide</div>"), "overflow: "),
        (
            "a plot less",
            lax.replacen("<svg", "<svg hidden", 2).replace("[hidden]", "x").replacen(
                "<svg hidden",
                "<svg style=\"display:none\"",
                2,
            ),
            "plots: ",
        ),
        (
            "words twice at one place",
            format!(
                "{}<text x=\"200\" y=\"30\">planted</text><text x=\"205\" y=\"31\">planted</text>{}",
                &lax[..first_text],
                &lax[first_text..]
            ),
            "overlap in ",
        ),
        ("faint words", planted(&lax, "<p style=\"color:#aaa;background:#fff\">faint</p>"), "faint: "),
    ];
    let mut browser = Browser::start();
    for (name, text, beginning) in cases {
        let path = directory.path().join("planted.html");
        fs::write(&path, text).unwrap();
        let found = faults(&mut browser, &path, (1280, "screen", "light"), &plots);
        if beginning.is_empty() {
            assert!(found.is_empty(), "{name}: {found:#?}");
        } else {
            assert!(found.iter().any(|fault| fault.starts_with(beginning)), "{name}: {found:#?}");
        }
    }
}
