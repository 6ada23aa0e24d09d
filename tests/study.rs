//! Studies: the ready-made ones, the figures that others worked out, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{hashwatt, names_in, number};
use serde_json::{Value, json};

/// Set to write the examples anew in place of comparing with them.
const RENEW: &str = "HASHWATT_RENEW_EXAMPLES";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn studies() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("studies")).unwrap().map(|entry| entry.unwrap().path()).collect();
    // Those in the folder beside them are for `hashwatt infer`.
    files.retain(|path| path.is_file());
    files.sort();
    assert!(files.len() >= 5 && files.iter().all(|path| path.extension().unwrap() == "toml"), "{files:?}");
    files
}

fn ready_made(name: &str) -> Value {
    hashwatt(&["study", text(&root().join("studies").join(name)), "--json"]).json()
}

/// Returns the cases of a window and a fleet.
fn cases<'a>(study: &'a Value, window: &str, fleet: &str) -> Vec<&'a Value> {
    let place = |list: &Value, name: &str| {
        let named = |entry: &Value| entry == name || entry["name"] == name;
        list.as_array().unwrap().iter().position(named).unwrap_or_else(|| panic!("{name}"))
    };
    let (window, fleet) = (place(&study["windows"], window), place(&study["fleets"], fleet));
    let is_meant = |case: &&Value| case["window"] == window && case["fleet"] == fleet;
    study["cases"].as_array().unwrap().iter().filter(is_meant).collect()
}

#[track_caller]
fn assert_near(found: &Value, expected: f64, part: f64) {
    let found = number(found);
    assert!((found / expected - 1.0).abs() <= part, "{found} is not {expected}");
}

/// One Antminer S9, by exact rational arithmetic over the epochs elsewhere: subsidy only.
#[test]
fn an_s9_in_both_windows_is_what_others_worked_out() {
    let study = ready_made("bitcoin-2017-2018.toml");
    for (window, coins, kwh) in [("summer of 2017", 0.26600, 6088.0), ("winter of 2018", 0.05994, 27015.0)] {
        let s9 = cases(&study, window, "Antminer S9");
        for count in 1..=5 {
            let one = s9.iter().find(|case| case["count"] == count).unwrap();
            let outcome = &one["outcome"];
            assert_near(&outcome["coins"], coins * f64::from(count), 0.001);
            assert_near(&outcome["energy_per_coin_kwh"], kwh, 0.001);
            assert_near(&outcome["energy_kwh"], 1.323 * 24.0 * 51.0 * f64::from(count), 1e-9);
        }
        // At the articles' own price, and over those of the days.
        let at = |price: f64| s9.iter().find(|case| case["coin_price"] == price && case["count"] == 1).unwrap();
        assert_near(&at(3840.10)["outcome"]["revenue"], coins * 3840.10, 0.001);
        assert!(s9.iter().any(|case| case["coin_price"] != 3840.10));
    }
    // A hundred thousand times less from a card of that time, and less again from a processor.
    let coins = |fleet: &str| number(&cases(&study, "summer of 2017", fleet)[0]["outcome"]["coins"]);
    assert_near(&json!(coins("Radeon HD 7970")), 1.08e-5, 0.01);
    assert!(coins("desktop processor") < 1e-6);
}

#[test]
fn monero_of_that_time_takes_rates_of_that_time() {
    let study = ready_made("monero-2017-2018.toml");
    assert!(study["cases"].as_array().unwrap().iter().all(|case| case["algorithm"] == "cryptonight"));
    // 536 H/s over 51 days at a mean difficulty of 9.93e9 and about 7.4 XMR a block, to the 3 % of that mean.
    let one = cases(&study, "summer of 2017", "Ryzen 7 1700")[0];
    assert_near(&one["outcome"]["coins"], 536.0 * 51.0 * 86_400.0 / 9.93e9 * 7.45, 0.03);
}

#[test]
fn every_ready_made_study_runs_without_options_and_says_what_it_found() {
    for path in studies() {
        let study = hashwatt(&["study", text(&path), "--json"]).json();
        let verdict = study["verdict"].as_array().unwrap();
        assert!(verdict.len() >= 5, "{path:?}: {verdict:?}");
        for sentence in verdict {
            let sentence = sentence.as_str().unwrap();
            assert!(
                sentence.ends_with('.') && sentence.starts_with(|c: char| c.is_uppercase() || c.is_numeric()),
                "{sentence}"
            );
            assert!(!sentence.contains("NaN") && !sentence.contains("inf "), "{sentence}");
        }
        let shown = hashwatt(&["study", text(&path)]);
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""), "{path:?}");
        assert!(shown.stdout.contains(verdict[0].as_str().unwrap()), "{path:?}");
        assert!(!study["sensitivities"].as_array().unwrap().is_empty(), "{path:?}");
    }
}

#[test]
fn another_record_takes_the_place_of_the_one_that_is_named() {
    let study = root().join("studies/today-bitcoin.toml");
    let mut record: Value =
        serde_json::from_str(&fs::read_to_string(root().join("docs/examples/record.json")).unwrap()).unwrap();
    record["benchmarks"].as_array_mut().unwrap().retain(|one| one["id"] == "sha256d/cpu/scalar");
    for (end, rate) in [("median", 2e6), ("low", 1.9e6), ("high", 2.1e6)] {
        record["benchmarks"][0]["rate_hps"][end] = json!(rate);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mine.json");
    fs::write(&path, record.to_string()).unwrap();
    let found = hashwatt(&["study", text(&study), "--record", text(&path), "--json"]).json();
    assert_eq!(found["record"], "mine.json");
    let own = &found["cases"][0]["machines"][0];
    assert_eq!((&own["name"], &own["rate_hps"]["value"]), (&json!("PC of the record"), &json!(2e6)));
    // The graphics card is left out, and that is said.
    assert!(
        found["notes"].to_string().contains("left out: sha256d/gpu0/*, because mine.json holds no such engine"),
        "{found}"
    );
    // Without anything that fits there is nothing to look at.
    record["benchmarks"] = json!([]);
    fs::write(&path, record.to_string()).unwrap();
    let words = ["sha256d/cpu/*", "mine.json holds no engine", "optional = true"];
    hashwatt(&["study", text(&study), "--record", text(&path)]).is_refused(2, &words);
}

#[test]
fn neither_threads_nor_the_form_change_a_figure() {
    let path = root().join("studies/asics-in-a-year-or-two.toml");
    let one = hashwatt(&["study", text(&path), "--threads", "1", "--json"]).stdout;
    let three = hashwatt(&["study", text(&path), "--threads", "3", "--json"]).stdout;
    assert!(one == three);
}

const GOOD: &str =
    "name = \"t\"\ncoin = \"btc\"\n[[window]]\nfrom = 2017-05-17\nto = 2017-07-06\n[[fleet]]\nmachine = \"S9\"\n";

#[test]
fn what_can_not_be_is_refused_with_its_line_and_what_to_do_instead() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    let monte_carlo = |more: &str| format!("{GOOD}[monte_carlo]\n{more}\n");
    let cases: [(String, &[&str]); 33] = [
        (GOOD.replace("coin =", "currency = \"pieces of eight\"\ncoin ="), &["line 2, column 12", "1 to 10 letters"]),
        (GOOD.replace("2017-05-17", "2008-12-31"), &["line 3", "before Bitcoin began", "2009-01-03", "take a later day"]),
        (GOOD.replace("2017-07-06", "2030-01-01"), &["line 3", "past the data", "growth = "]),
        (GOOD.replace("2017-07-06", "2016-07-06"), &["line 5", "before it begins", "exchange the two days"]),
        (GOOD.replace("2017-07-06", "2017-07-32"), &["line 5"]),
        (GOOD.replace("to = 2017-07-06\n", ""), &["line 3", "a beginning and an end", "both days included"]),
        (GOOD.replace("coin = \"btc\"\n", ""), &["it isn't said which coin", "coin = \"btc\""]),
        (GOOD.replace("btc", "doge"), &["line 2, column 8", "doge", "btc"]),
        (GOOD.replace("\"S9\"", "\"S8\""), &["line 7, column 11", "no machine is called \"S8\"", "nearest"]),
        (GOOD.replace("\"S9\"", "\"S19\""), &["line 7", "could be Antminer S19 Pro", "give more of the name"]),
        (GOOD.replace("\"S9\"", "\"Ryzen 7 1700X\""), &["known for randomx-v1", "not for sha256d", "windows ="]),
        (GOOD.replace("machine", "machin"), &["line 7, column 1", "did you mean \"machine\"?"]),
        (GOOD.replace("coin =", "price_kwh = -1\ncoin ="), &["line 2, column 13", "a price is a number from 0 on"]),
        (GOOD.replace("coin =", "coin_price = 1e99\ncoin ="), &["line 2", "no market has a price above"]),
        (GOOD.replace("coin =", "difficulty = 0\ncoin ="), &["line 2", "above zero"]),
        (GOOD.replace("coin =", "growth = \"900%/epoch\"\ncoin ="), &["line 2", "-75% to 300%"]),
        (GOOD.replace("[[fleet]]", "[fleet"), &["line 6"]),
        (GOOD.replace("[[fleet]]\nmachine = \"S9\"", ""), &["no fleet", "[[fleet]]"]),
        (GOOD.replace("machine = \"S9\"", "count = 2"), &["line 6", "one kind of machine", "hashrate"]),
        (GOOD.replace("machine = \"S9\"", "machine = \"S9\"\nhashrate = \"1T\""), &["in one of three ways"]),
        (GOOD.replace("machine = \"S9\"", "engine = \"sha256d/*\""), &["line 7", "none is named", "--record FILE"]),
        (format!("{GOOD}windows = [\"sumer\"]\n"), &["line 8", "no window \"sumer\""]),
        (format!("{GOOD}[[fleet]]\nmachine = \"S9\"\n"), &["line 8", "another fleet", "a name of its own"]),
        (format!("{GOOD}[main]\nfleet = \"Antminer S7\"\n"), &["line 9", "no fleet", "did you mean \"Antminer S9\"?"]),
        (format!("{GOOD}[sensitivity]\npue = 1.1\n"), &["line 8", "pue is no range", "low ="]),
        (monte_carlo("paths = 7"), &["line 9", "7 paths", "10000"]),
        (monte_carlo("luck = \"bad\""), &["line 9", "\"bad\"", "\"solo\""]),
        (monte_carlo("correlation = 0.5"), &["line 9", "only where both walk"]),
        (monte_carlo("correlation = 2"), &["line 9", "from -1 to 1"]),
        (monte_carlo("difficulty = { resample = [2017-01-01, 2017-02-01] }"), &["line 9", "too few"]),
        (monte_carlo("difficulty = { resample = [2017-01-01, 2017-12-31], volatility = \"1%\" }"), &["line 9", "one of two"]),
        (monte_carlo("volatility = 3"), &["line 9, column 1", "no key \"volatility\"", "known here: paths"]),
        (
            "name = \"t\"\ncoin = \"xmr\"\n[[window]]\nfrom = 2019-11-01\nto = 2019-12-31\n[[fleet]]\nhashrate = 1000\n".to_owned(),
            &["line 3", "changed its proof of work", "two windows"],
        ),
    ];
    for (study, words) in cases {
        fs::write(&path, &study).unwrap();
        let run = hashwatt(&["study", text(&path), "--out", text(&directory.path().join("r.html"))]);
        run.is_refused(2, words);
        assert!(run.stderr.contains("s.toml"), "{run:?}");
        assert_eq!(names_in(directory.path()), ["s.toml"], "nothing is left behind");
    }
}

/// Rates of `RandomX` say nothing of the time before it.
#[test]
fn rates_of_another_time_are_refused_and_why_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    let study = |fleet: &str| {
        format!("name = \"t\"\ncoin = \"xmr\"\n[[window]]\nfrom = 2017-05-17\nto = 2017-07-06\n[[fleet]]\n{fleet}\n")
    };
    fs::write(&path, study("machine = \"Ryzen 9 3950X\"")).unwrap();
    let words = ["randomx-v1", "not for cryptonight", "Monero blocks are proven with cryptonight from 2017-05-17"];
    hashwatt(&["study", text(&path)]).is_refused(2, &words);
    fs::write(&path, study("engine = \"randomx-v1/*\"")).unwrap();
    let record = root().join("docs/examples/record.json");
    let words = ["no engine \"randomx-v1/*\" of cryptonight from 2017-05-17"];
    hashwatt(&["study", text(&path), "--record", text(&record)]).is_refused(2, &words);
}

#[test]
fn files_that_are_none_are_refused_and_inputs_are_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let study = place("s.toml");
    fs::write(&study, GOOD).unwrap();
    hashwatt(&["study", text(&place("absent.toml"))]).is_refused(2, &["absent.toml", "studies/"]);
    hashwatt(&["study", text(directory.path())]).is_refused(2, &["can't read"]);
    for name in ["r.pdf", "r", "r.json", "s.toml"] {
        hashwatt(&["study", text(&study), "--out", text(&place(name))]).is_refused(2, &[name, ".html", ".md", ".csv"]);
    }
    fs::copy(&study, place("s.md")).unwrap();
    let words = ["is what the study is made from"];
    hashwatt(&["study", text(&place("s.md")), "--out", text(&place("s.md"))]).is_refused(2, &words);
    assert_eq!(fs::read_to_string(place("s.md")).unwrap(), GOOD);
    let mut newer: Value =
        serde_json::from_str(&fs::read_to_string(root().join("docs/examples/record.json")).unwrap()).unwrap();
    newer["format_version"]["major"] = json!(2);
    fs::write(place("newer.json"), newer.to_string()).unwrap();
    let words = ["the version of hashwatt that wrote it"];
    hashwatt(&["study", text(&study), "--record", text(&place("newer.json"))]).is_refused(15, &words);
    hashwatt(&["study", text(&study), "--record", text(&place("absent.json"))]).is_refused(15, &["absent.json"]);
    fs::write(&study, format!("epochs = \"absent.csv\"\n{GOOD}")).unwrap();
    hashwatt(&["study", text(&study)]).is_refused(2, &["absent.csv", "beside the study"]);
    fs::write(place("epochs.csv"), "height,bits\n1,1d00ffff\n").unwrap();
    fs::write(&study, format!("epochs = \"epochs.csv\"\n{GOOD}")).unwrap();
    hashwatt(&["study", text(&study)]).is_refused(2, &["epochs.csv", "line 1, column 10"]);
    hashwatt(&["study"]).is_refused(2, &["FILE"]);
}

#[test]
fn windows_of_blocks_have_the_figures_of_their_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    let study = "name = \"t\"\ncoin = \"btc\"\n[[window]]\nfrom_height = 465696\nto_height = 467711\n[[fleet]]\nhashrate = \"1E\"\n";
    fs::write(&path, study).unwrap();
    let found = hashwatt(&["study", text(&path), "--json"]).json();
    // One whole epoch at 2405093370490484606849 hashes a block and 12.5 BTC, from its first header to the next one's.
    let seconds = number(&found["windows"][0]["days"]) * 86_400.0;
    assert_near(&found["cases"][0]["outcome"]["coins"], 1e18 * seconds / 2.405_093_370_490_484_6e21 * 12.5, 1e-9);
    assert!((1.0e6..1.2e6).contains(&seconds), "{seconds}");
    fs::write(&path, study.replace("467711", "465695")).unwrap();
    hashwatt(&["study", text(&path)]).is_refused(2, &["block 465695 comes before block 465696", "exchange"]);
    fs::write(&path, study.replace("467711", "99999999")).unwrap();
    hashwatt(&["study", text(&path)]).is_refused(2, &["past the data", "earlier blocks"]);
}

#[test]
fn the_csv_has_a_row_for_each_case_and_the_page_stands_alone() {
    let directory = tempfile::tempdir().unwrap();
    let study = root().join("studies/asics-in-a-year-or-two.toml");
    let run = |name: &str| {
        let out = directory.path().join(name);
        let found = hashwatt(&["study", text(&study), "--out", text(&out), "--json"]).json();
        let written = fs::read_to_string(&out).unwrap();
        assert_eq!(found["report"]["bytes"], written.len());
        (found, written)
    };
    let (found, csv) = run("r.csv");
    let mut lines = csv.lines();
    let headings: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(headings[0], "window");
    assert!(headings.contains(&"profit_p50") && headings.contains(&"energy_per_coin_kwh"), "{headings:?}");
    assert_eq!(lines.count(), found["cases"].as_array().unwrap().len());
    let (found, page) = run("r.html");
    let plots = found["report"]["plots"].as_array().unwrap();
    assert!(plots.len() >= 6, "{plots:?}");
    for mark in ["<svg ", "<title id=", "<desc id="] {
        assert_eq!(page.matches(mark).count(), 2 * plots.len(), "{mark}");
    }
    for sign in ["http:", "https:", "src=", "url(", "@import", "<link", "<iframe", "<object"] {
        assert!(!page.contains(sign), "{sign}");
    }
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    // The study file comes out of it again.
    let data =
        page.split("id=\"study-1\"").nth(1).unwrap().split_once('>').unwrap().1.split("</script>").next().unwrap();
    assert_eq!(serde_json::from_str::<String>(data).unwrap(), fs::read_to_string(&study).unwrap());
    for sentence in found["verdict"].as_array().unwrap() {
        let escaped = sentence.as_str().unwrap().replace('\'', "&#39;");
        assert!(page.contains(&escaped), "{sentence}");
    }
}

#[test]
fn the_examples_are_what_the_program_makes() {
    let directory = tempfile::tempdir().unwrap();
    for path in studies() {
        for form in ["html", "md"] {
            let name = format!("{}.{form}", path.file_stem().unwrap().to_str().unwrap());
            let example = root().join("docs/examples").join(&name);
            let out = directory.path().join(&name);
            assert_eq!(hashwatt(&["study", text(&path), "--out", text(&out)]).code, Some(0));
            let made = fs::read_to_string(&out).unwrap();
            assert!(made.len() < 1 << 20, "{name} has {} bytes", made.len());
            if std::env::var_os(RENEW).is_some() {
                fs::write(&example, made).unwrap();
            } else {
                let is_same = fs::read_to_string(&example).is_ok_and(|known| known == made);
                assert!(is_same, "{example:?} is out of date; renew it: {RENEW}=1 cargo test --test study");
            }
        }
    }
}
