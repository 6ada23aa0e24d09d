//! `hashwatt compare`: whether one record's engines are faster or slower than another's.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::args::CompareArguments;
use super::exit::{Failure, RECORD, REGRESSION};
use super::output::{HEADING, Output};
use crate::engine::EngineId;
use crate::interval::Interval;
use crate::record::{self, Benchmark, Record, Sample};
use crate::report::table::{Column, Table};
use crate::report::units::format_interval;
use crate::statistics::{Verdict, ratio_interval, verdict};

#[derive(Serialize)]
struct Comparison {
    pairs: Vec<Pair>,
    unpaired: Vec<Unpaired>,
    differences: Vec<Difference>,
}

/// One engine in the base and in a new record.
#[derive(Serialize)]
struct Pair {
    id: EngineId,
    /// The new record.
    new: PathBuf,
    base_rate_hps: Interval,
    new_rate_hps: Interval,
    /// New over base.
    ratio: Option<Interval>,
    verdict: Verdict,
    /// The same of joules per hash, where both have them: greater is worse.
    energy: Option<EnergyPair>,
}

#[derive(Serialize)]
struct EnergyPair {
    /// New over base.
    ratio: Interval,
    /// Faster and slower stand for less and more energy.
    verdict: Verdict,
}

/// An engine that has no counterpart.
#[derive(Serialize)]
struct Unpaired {
    id: EngineId,
    file: PathBuf,
    reason: String,
}

/// Something that differs between the machines of two records.
#[derive(Serialize)]
struct Difference {
    new: PathBuf,
    what: String,
    base: String,
    new_value: String,
}

pub(super) fn run(arguments: &CompareArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let base = record::read(&arguments.base)?;
    let mut comparison = Comparison { pairs: Vec::new(), unpaired: Vec::new(), differences: Vec::new() };
    for path in &arguments.new {
        let new = record::read(path)?;
        compare(arguments, &base, path, &new, &mut comparison);
    }
    if comparison.pairs.is_empty() {
        let reasons: Vec<String> =
            comparison.unpaired.iter().map(|one| format!("{}: {}", one.id, one.reason)).collect();
        let help = if reasons.is_empty() { "the records hold no engine".to_owned() } else { reasons.join("; ") };
        return Err(Failure::new(RECORD, "these records can't be compared: no engine is in both", help));
    }
    if output.json {
        output.json(&comparison)?;
    } else {
        print(arguments, &comparison, output)?;
    }
    let is_worse = |pair: &Pair| {
        pair.verdict == Verdict::Slower || pair.energy.as_ref().is_some_and(|energy| energy.verdict == Verdict::Slower)
    };
    let has_regression = arguments.fail_on_regression && comparison.pairs.iter().any(is_worse);
    Ok(if has_regression { ExitCode::from(REGRESSION) } else { ExitCode::SUCCESS })
}

fn compare(arguments: &CompareArguments, base: &Record, path: &Path, new: &Record, comparison: &mut Comparison) {
    let find = |record: &Record, id: &EngineId| record.benchmarks.iter().find(|one| one.id == *id).cloned();
    for before in &base.benchmarks {
        let reason = match find(new, &before.id) {
            None => format!("it isn't in {}", path.display()),
            Some(after) => match why_not_comparable(base, before, new, &after) {
                Some(reason) => reason,
                None => {
                    comparison.pairs.push(pair(arguments.threshold, path, before, &after));
                    continue;
                }
            },
        };
        comparison.unpaired.push(Unpaired { id: before.id.clone(), file: arguments.base.clone(), reason });
    }
    for after in new.benchmarks.iter().filter(|after| find(base, &after.id).is_none()) {
        let reason = format!("it isn't in {}", arguments.base.display());
        comparison.unpaired.push(Unpaired { id: after.id.clone(), file: path.to_owned(), reason });
    }
    comparison.differences.extend(differences(path, base, new));
}

/// Tells why two benchmarks of one engine say nothing about each other, if they don't.
fn why_not_comparable(base: &Record, before: &Benchmark, new: &Record, after: &Benchmark) -> Option<String> {
    if before.device_name != after.device_name {
        return Some(format!("the devices differ: {:?} and {:?}", before.device_name, after.device_name));
    }
    let driver = |record: &Record| {
        let gpu = record.machine.gpus.iter().find(|gpu| gpu.id == before.id.device());
        gpu.map(|gpu| format!("{} {}", gpu.driver, gpu.driver_info))
    };
    if driver(base) != driver(new) {
        let name = |record: &Record| driver(record).unwrap_or_else(|| "no driver".to_owned());
        return Some(format!("the drivers differ: {:?} and {:?}", name(base), name(new)));
    }
    (before.threads != after.threads)
        .then(|| format!("the numbers of threads differ: {} and {}", before.threads, after.threads))
}

fn pair(threshold: f64, path: &Path, before: &Benchmark, after: &Benchmark) -> Pair {
    #[expect(clippy::cast_precision_loss, reason = "a count of hashes")]
    let rate = |sample: &Sample| Some(sample.hashes as f64 / sample.duration_s);
    let estimate = ratio_interval(&[&turns(before, rate)], &[&turns(after, rate)]);
    let ratio = estimate.map(|estimate| estimate.interval);
    Pair {
        id: before.id.clone(),
        new: path.to_owned(),
        base_rate_hps: before.rate_hps.interval(),
        new_rate_hps: after.rate_hps.interval(),
        verdict: ratio.map_or(Verdict::Inconclusive, |ratio| verdict(&ratio, threshold)),
        ratio,
        energy: energy_pair(threshold, before, after),
    }
}

/// Compares joules per hash, where both sides read the same meters.
fn energy_pair(threshold: f64, before: &Benchmark, after: &Benchmark) -> Option<EnergyPair> {
    let meters = &before.energy_j_per_hash.meters;
    if meters.is_empty() || *meters != after.energy_j_per_hash.meters {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of hashes")]
    let joules = |sample: &Sample| Some(sample.energy_j.get(&meters[0])? / sample.hashes as f64);
    let ratio = ratio_interval(&[&turns(before, joules)], &[&turns(after, joules)])?.interval;
    let verdict = match verdict(&ratio, threshold) {
        Verdict::Faster => Verdict::Slower,
        Verdict::Slower => Verdict::Faster,
        other => other,
    };
    Some(EnergyPair { ratio, verdict })
}

/// Puts a figure of each sample into its turn.
fn turns(benchmark: &Benchmark, figure: impl Fn(&Sample) -> Option<f64>) -> Vec<Vec<f64>> {
    let mut turns: Vec<Vec<f64>> = Vec::new();
    let mut last = None;
    for sample in &benchmark.samples {
        if last.replace(sample.turn) != Some(sample.turn) {
            turns.push(Vec::new());
        }
        if let (Some(turn), Some(figure)) = (turns.last_mut(), figure(sample)) {
            turn.push(figure);
        }
    }
    turns
}

/// Names what differs between the machines and programs of two records.
fn differences(path: &Path, base: &Record, new: &Record) -> Vec<Difference> {
    let mut differences = Vec::new();
    let (Ok(base), Ok(new)) = (facts(base), facts(new)) else { return differences };
    for (what, base, new) in flatten(&base, &new) {
        differences.push(Difference { new: path.to_owned(), what, base, new_value: new });
    }
    differences
}

/// What of a record explains a difference between two runs.
fn facts(record: &Record) -> serde_json::Result<serde_json::Value> {
    let mut machine = serde_json::to_value(&record.machine)?;
    // What is free changes from minute to minute and explains nothing.
    if let Some(memory) = machine.get_mut("memory").and_then(serde_json::Value::as_object_mut) {
        memory.retain(|name, _| name != "available_bytes" && !name.ends_with("_free"));
    }
    Ok(serde_json::json!({ "machine": machine, "tool": serde_json::to_value(&record.tool)? }))
}

/// Lists the leaves at which two documents differ, by path.
fn flatten(base: &serde_json::Value, new: &serde_json::Value) -> Vec<(String, String, String)> {
    use serde_json::Value::Object;
    match (base, new) {
        (Object(left), Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            let absent = serde_json::Value::Null;
            let mut found = Vec::new();
            for name in names {
                let (left, right) = (left.get(name).unwrap_or(&absent), right.get(name).unwrap_or(&absent));
                for (path, base, new) in flatten(left, right) {
                    let path = if path.is_empty() { name.clone() } else { format!("{name}.{path}") };
                    found.push((path, base, new));
                }
            }
            found
        }
        (left, right) if left == right => Vec::new(),
        (left, right) => vec![(String::new(), left.to_string(), right.to_string())],
    }
}

fn print(arguments: &CompareArguments, comparison: &Comparison, output: &mut Output) -> Result<(), Failure> {
    let columns = [
        Column::left("engine"),
        Column::right("base"),
        Column::right("new"),
        Column::right("new / base").unit("95 %"),
        Column::left("verdict"),
        Column::left("energy").unit("per hash"),
    ];
    let mut table = Table::new(columns).header_style(HEADING);
    let ratio = |ratio: &Interval| format!("{:.3} ({:.3} to {:.3})", ratio.value, ratio.low, ratio.high);
    for pair in &comparison.pairs {
        let energy = pair.energy.as_ref().map_or_else(String::new, |energy| {
            let word = match energy.verdict {
                Verdict::Faster => "less",
                Verdict::Slower => "more",
                Verdict::Same => "same",
                Verdict::Inconclusive => "inconclusive",
            };
            format!("{} {word}", ratio(&energy.ratio))
        });
        table.push_row([
            pair.id.to_string(),
            format_interval(&pair.base_rate_hps, "H/s"),
            format_interval(&pair.new_rate_hps, "H/s"),
            pair.ratio.as_ref().map_or_else(|| "too few samples".to_owned(), ratio),
            word(pair.verdict).to_owned(),
            energy,
        ]);
    }
    output.table(&table)?;
    let percent = arguments.threshold * 100.0;
    output.remark(&format!(
        "same: the interval lies within ±{percent} %; faster, slower: wholly beyond; else inconclusive. One record a \
         side can't show by how much runs differ."
    ))?;
    for one in &comparison.unpaired {
        output.remark(&format!("not compared: {} of {}: {}", one.id, one.file.display(), one.reason))?;
    }
    for one in &comparison.differences {
        output.remark(&format!("differs: {}: {} and {}", one.what, one.base, one.new_value))?;
    }
    Ok(())
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Inconclusive => "inconclusive",
    }
}
