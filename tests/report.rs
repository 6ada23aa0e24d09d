//! `hashwatt report`: what is written, what it carries with it, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{hashwatt, names_in};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> PathBuf {
    root().join("tests/records").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Makes a report, and returns its text and the document that tells of it.
fn report(records: &[&Path], form: &str) -> (String, Value) {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join(format!("report.{form}"));
    let mut arguments = vec!["report", "--json", "--out", text(&out)];
    arguments.extend(records.iter().map(|record| text(record)));
    let document = hashwatt(&arguments).json();
    let written = fs::read_to_string(&out).unwrap();
    assert_eq!(document["out"], text(&out));
    assert_eq!(document["bytes"], written.len());
    assert_eq!(names_in(directory.path()).len(), 1, "nothing else is left behind");
    (written, document)
}

/// Takes the records out of a page again, as any reader of HTML would: what stands between the marks of an element.
fn embedded(page: &str) -> Vec<Value> {
    let elements = page.split("<script type=\"application/json\" id=\"record-").skip(1);
    let content = |element: &str| {
        let (_, content) = element.split_once('>').unwrap();
        serde_json::from_str(content.split("</script>").next().unwrap()).unwrap()
    };
    elements.map(content).collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_page_stands_alone_and_says_what_is_in_it() {
    let (page, document) = report(&[&fixture("1.0-declared-watts.json")], "html");
    assert_eq!(document["format"], "html");
    let plots = document["plots"].as_array().unwrap();
    assert!(plots.len() >= 5, "{plots:?}");
    // Each is drawn for wide pages and for narrow ones, with a title and a description.
    for mark in ["<svg ", "<title id=", "<desc id="] {
        assert_eq!(page.matches(mark).count(), 2 * plots.len(), "{mark}");
    }
    for (name, mark) in [("plots", "<figcaption>"), ("tables", "<caption>")] {
        let titles: Vec<&str> = page.split(mark).skip(1).map(|rest| rest.split("</").next().unwrap()).collect();
        assert_eq!(document[name], json!(titles));
    }
    for headline in document["headline"].as_array().unwrap() {
        assert!(page.contains(&format!("<p class=\"headline\">{}</p>", headline.as_str().unwrap())));
    }
    // Nothing is fetched: no address at all, no script that runs, no style or picture from elsewhere.
    for sign in ["http:", "https:", "src=", "url(", "@import", "<link", "<iframe", "<object"] {
        assert!(!page.contains(sign), "{sign}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("default-src 'none'"));
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
}

#[test]
fn the_records_come_out_as_they_went_in() {
    let directory = tempfile::tempdir().unwrap();
    let mut newer = read(&fixture("1.0-declared-watts.json"));
    newer["format_version"]["minor"] = json!(99);
    newer["benchmarks"][0]["of a later version"] = json!("</script><!-- <script> \u{2028} ]]>");
    let newer_path = directory.path().join("newer.json");
    fs::write(&newer_path, serde_json::to_string_pretty(&newer).unwrap()).unwrap();
    let (page, _) = report(&[&newer_path, &fixture("1.0-interrupted.json")], "html");
    let records = embedded(&page);
    assert_eq!(records, [newer, read(&fixture("1.0-interrupted.json"))], "with what this version doesn't know");
    // And they can be used again.
    let again = directory.path().join("again.json");
    fs::write(&again, records[0].to_string()).unwrap();
    let cost = |path: &Path| hashwatt(&["cost", text(path), "--engine", "sha256d/cpu/sha-ni", "--json"]).json();
    assert_eq!(cost(&again), cost(&newer_path));
}

#[test]
fn figures_are_those_of_the_other_commands() {
    let path = fixture("1.0-declared-watts.json");
    let (page, document) = report(&[&path], "html");
    let cost = hashwatt(&["cost", text(&path), "--engine", "sha256d/cpu/sha-ni", "--json"]).json();
    // To three digits, as far as the measurement goes.
    let money = |times: f64| format!("{:.0}", (times * cost["cost_per_coin"].as_f64().unwrap() / 1e7).round() * 1e7);
    let sentence = document["headline"][0].as_str().unwrap();
    assert!(sentence.replace(',', "").contains(&format!("{} USD at 0.05 USD per kWh", money(1.0))), "{sentence}");
    assert!(
        page.contains("covers what the user&#39;s figure covers (declared, not measured)"),
        "what the joules cover"
    );
    // Another price, another cost.
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("r.html");
    let arguments = ["report", text(&path), "--out", text(&out), "--price-kwh", "0.1", "--json"];
    let dearer = hashwatt(&arguments).json();
    assert!(dearer["headline"][0].as_str().unwrap().replace(',', "").contains(&money(2.0)), "{dearer}");
}

#[test]
fn what_a_record_says_is_never_taken_for_a_page() {
    let hostile = "</script><b onclick='x'>&amp;\"";
    let mut record = read(&fixture("1.0-declared-watts.json"));
    for place in ["/machine/cpu/brand", "/machine/os/kernel", "/tool/name", "/started_utc", "/sensors/0/name"] {
        *record.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = json!(hostile);
    }
    for field in ["id", "device_name", "engine", "verified_by"] {
        record["benchmarks"][0][field] = json!(format!("{field} {hostile}"));
    }
    record["benchmarks"][0]["energy_j_per_hash"]["coverage"] = json!(hostile);
    record["benchmarks"][0]["energy_j_per_hash"]["meters"] = json!([hostile]);
    record["benchmarks"][0]["energy_j_per_hash"]["net_reason"] = json!(hostile);
    record["setups"] = json!([{ "name": hostile, "phases_s": { hostile: 5.0 }, "used_by": [] }]);
    record["warnings"] = json!([{ "code": hostile, "text": hostile, "hint": hostile }]);
    let directory = tempfile::tempdir().unwrap();
    // A name of a file may hold anything but a slash.
    let [path, other] = ["<b onclick='x'>.json", "b.json"].map(|name| directory.path().join(name));
    fs::write(&path, record.to_string()).unwrap();
    record["machine"]["cpu"]["microcode"] = json!("<b>");
    fs::write(&other, record.to_string()).unwrap();
    let (page, _) = report(&[&path, &other], "html");
    assert_eq!(page.matches("<b").count(), 1, "the body");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.matches("&lt;b onclick=&#39;x&#39;&gt;&amp;amp;&quot;").count() > 20);
    assert_eq!(embedded(&page)[1], record);
    let (text, _) = report(&[&path, &other], "md");
    assert!(!text.replace("\\<", "").contains("<b"), "{text}");
}

#[test]
fn markdown_has_the_tables_and_csv_the_samples() {
    let (one, two) = (fixture("1.0-declared-watts.json"), fixture("1.0-interrupted.json"));
    let (markdown, document) = report(&[&one, &two], "md");
    assert_eq!((&document["format"], &document["plots"]), (&json!("markdown"), &json!([])));
    for caption in document["tables"].as_array().unwrap() {
        assert!(markdown.contains(&format!("{}:\n\n| ", caption.as_str().unwrap())), "{caption}");
    }
    assert!(markdown.starts_with("# What a hash costs on "));

    let (csv, document) = report(&[&one, &two], "csv");
    assert_eq!((&document["format"], &document["tables"]), (&json!("csv"), &json!([])));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("record,id,device,turn,sample,start_s,"), "{}", lines[0]);
    let samples = |path: &Path| -> usize {
        let record = read(path);
        record["benchmarks"].as_array().unwrap().iter().map(|one| one["samples"].as_array().unwrap().len()).sum()
    };
    for path in [&one, &two] {
        let name = format!("{},", path.file_name().unwrap().to_str().unwrap());
        assert_eq!(lines.iter().filter(|line| line.starts_with(&name)).count(), samples(path));
    }
}

#[test]
fn several_records_are_judged_as_compare_judges_them() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (fixture("1.0-declared-watts.json"), directory.path().join("twice.json"));
    let mut twice = read(&one);
    twice["machine"]["cpu"]["governor"] = json!("made up");
    for sample in twice["benchmarks"][0]["samples"].as_array_mut().unwrap() {
        sample["duration_s"] = json!(sample["duration_s"].as_f64().unwrap() / 4.0);
    }
    fs::write(&two, twice.to_string()).unwrap();
    let (page, document) = report(&[&one, &two], "html");
    let comparison = hashwatt(&["compare", text(&one), text(&two), "--json"]).json();
    let pair = &comparison["pairs"][0];
    assert_eq!(pair["verdict"], "faster");
    assert!(
        document["headline"].to_string().contains("Against 1.0-declared-watts.json, by rate: 1 faster"),
        "{document}"
    );
    let ratio = |name: &str| format!("{:.3}", pair["ratio"][name].as_f64().unwrap());
    let words = format!("{} ({} to {})", ratio("value"), ratio("low"), ratio("high"));
    assert!(page.contains(&words), "{words}");
    for difference in comparison["differences"].as_array().unwrap() {
        assert!(
            page.contains(&format!("<th scope=\"row\">{}</th>", difference["what"].as_str().unwrap())),
            "{difference}"
        );
    }
    // Files of the same name are told apart, and no directory is told at all.
    let (page, document) = report(&[&one, &one], "html");
    assert!(page.contains("1.0-declared-watts.json (2)") && !page.contains("tests/records"), "{document}");
}

#[test]
fn what_can_not_be_done_is_refused_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let record = fixture("1.0-declared-watts.json");
    let out = place("r.html");
    let refused = |records: &[&Path], out: &Path, code: i32, words: &[&str]| {
        let mut arguments = vec!["report", "--out", text(out)];
        arguments.extend(records.iter().map(|path| text(path)));
        hashwatt(&arguments).is_refused(code, words);
    };
    for name in ["r.pdf", "r", ".html", "r.html.gz", "r.json"] {
        refused(&[&record], &place(name), 2, &[name, ".html", ".md", ".csv"]);
    }
    refused(&[&record, &place("absent.json")], &out, 15, &["absent.json"]);
    let bad = |name: &str, content: &str| {
        fs::write(place(name), content).unwrap();
        place(name)
    };
    refused(&[&bad("text.json", "no json")], &out, 15, &["no record"]);
    refused(
        &[&bad("other.json", r#"{"format":"other","format_version":{"major":1,"minor":0}}"#)],
        &out,
        15,
        &["other"],
    );
    let mut newer = read(&record);
    newer["format_version"]["major"] = json!(2);
    refused(&[&bad("newer.json", &newer.to_string())], &out, 15, &["2.0", "the version of hashwatt that wrote it"]);
    refused(&[&record], &place("absent/r.html"), 2, &["absent", "directory"]);
    let own = bad("own.md", &fs::read_to_string(&record).unwrap());
    refused(&[&own], &own, 2, &["one of the records"]);
    assert_eq!(read(&own), read(&record));
    hashwatt(&["report", text(&record)]).is_refused(2, &["--out"]);
    hashwatt(&["report", "--out", text(&out)]).is_refused(2, &["RECORD"]);
    hashwatt(&["report", text(&record), "--out", text(&out), "--price-kwh=-1"]).is_refused(2, &["price"]);
    assert_eq!(names_in(directory.path()), ["newer.json", "other.json", "own.md", "text.json"]);
}

#[test]
fn records_with_absurd_figures_still_make_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.json");
    let out = directory.path().join("r.html");
    let absurd = [
        ("/benchmarks/0/rate_hps/median", json!(0)),
        ("/benchmarks/0/rate_hps/median", json!(-5)),
        ("/benchmarks/0/rate_hps/low", json!(1e300)),
        ("/benchmarks/0/samples/0/duration_s", json!(0)),
        ("/benchmarks/0/samples/0/duration_s", json!(1e308)),
        ("/benchmarks/0/samples/0/start_s", json!(-1e308)),
        ("/benchmarks/0/samples/0/turn", json!(u32::MAX)),
        ("/benchmarks/0/samples", json!([])),
        ("/benchmarks/0/outliers", json!([999_999])),
        ("/benchmarks/0/energy_j_per_hash/gross/value", json!(-1)),
        ("/benchmarks/0/energy_j_per_hash/gross/low", json!(0)),
        ("/benchmarks/0/energy_j_per_hash/gross", json!({ "value": 1e308, "low": 1e-308, "high": 1.7e308 })),
        ("/benchmarks", json!([])),
        ("/sensors/0/quantum_s", json!(-1)),
    ];
    for (place, value) in absurd {
        let mut record = read(&fixture("1.0-declared-watts.json"));
        *record.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value.clone();
        fs::write(&path, record.to_string()).unwrap();
        let run = hashwatt(&["report", text(&path), "--out", text(&out)]);
        assert_eq!(run.code, Some(0), "{place} {value}: {run:?}");
        let page = fs::read_to_string(&out).unwrap();
        let drawings = page.split("<svg").skip(1).map(|rest| rest.split("</svg>").next().unwrap());
        for drawing in drawings {
            let shapes = drawing.split("</desc>").nth(1).unwrap();
            assert!(!shapes.contains("NaN") && !shapes.contains("\"inf"), "{place} {value}: {shapes}");
        }
    }
}

#[test]
fn the_example_is_what_the_program_makes() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("report.html");
    let example = root().join("docs/examples");
    assert_eq!(hashwatt(&["report", text(&example.join("record.json")), "--out", text(&out)]).code, Some(0));
    assert!(
        fs::read_to_string(&out).unwrap() == fs::read_to_string(example.join("report.html")).unwrap(),
        "docs/examples/report.html is out of date; renew it: \
         cargo run -- report docs/examples/record.json --out docs/examples/report.html"
    );
}
