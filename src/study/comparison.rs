//! What the records of one side say about those of another, engine by engine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use crate::interval::Interval;
use crate::record::{Benchmark, Record, Sample};
use crate::statistics::{Verdict, ratio_interval, verdict};

/// A record with the file that holds it.
#[derive(Debug, Clone)]
pub struct Run {
    /// The file, as it was named.
    pub path: PathBuf,
    /// What it holds.
    pub record: Record,
}

/// What the records of one side say about those of others.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    /// One for each engine of the base and each side that has it, too.
    pub pairs: Vec<Pair>,
    /// Engines that were not compared, or not pooled.
    pub unpaired: Vec<Unpaired>,
    /// What differs between the first record's machine and program and those of the others.
    pub differences: Vec<Difference>,
}

/// One engine on the base side and on a new side.
#[derive(Debug, Serialize)]
pub struct Pair {
    /// The engine; in a sweep with its number of threads, as in `sha256d/cpu/scalar@2`.
    pub id: String,
    /// The records of the base that were judged together.
    pub base: Vec<PathBuf>,
    /// Those of the new side.
    pub new: Vec<PathBuf>,
    /// The rate of the base, in hashes per second.
    pub base_rate_hps: Interval,
    /// The rate of the new side, in hashes per second.
    pub new_rate_hps: Interval,
    /// New over base; none with too few samples or turns.
    pub ratio: Option<Interval>,
    /// What the ratio says.
    pub verdict: Verdict,
    /// The same of joules per hash, where all have them: greater is worse.
    pub energy: Option<EnergyPair>,
}

/// The joules per hash of one engine on both sides.
#[derive(Debug, Serialize)]
pub struct EnergyPair {
    /// New over base.
    pub ratio: Interval,
    /// Faster and slower stand for less and more energy.
    pub verdict: Verdict,
}

/// An engine of a record that was not compared.
#[derive(Debug, Serialize)]
pub struct Unpaired {
    /// The engine.
    pub id: String,
    /// The record that holds it.
    pub file: PathBuf,
    /// Why it was left out.
    pub reason: String,
}

/// Something that differs between the machine or the program of the first record and that of another one.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The other record.
    pub new: PathBuf,
    /// The path of the field, such as `machine.cpu.microcode`.
    pub what: String,
    /// What the first record has there, as JSON.
    pub base: String,
    /// What the other one has there, as JSON.
    pub new_value: String,
}

/// One engine in a run.
#[derive(Clone, Copy)]
struct Member<'a> {
    run: &'a Run,
    benchmark: &'a Benchmark,
}

impl Comparison {
    /// Compares each side of `sides` with `base`, whose first record is what differences are told from. A rate may
    /// differ by `threshold`, as a fraction, and still be the same. Neither side may be without records.
    #[must_use]
    pub fn new(base: &[Run], sides: &[&[Run]], threshold: f64) -> Self {
        let mut comparison = Self::default();
        let pools: Vec<Vec<Member<'_>>> = ids(base).iter().map(|id| comparison.pool(base, id)).collect();
        for side in sides {
            comparison.add_side(&pools, base, side, threshold);
        }
        for other in base.iter().skip(1).chain(sides.iter().copied().flatten()) {
            comparison.differences.extend(differences(&base[0].record, other));
        }
        comparison
    }

    fn add_side(&mut self, pools: &[Vec<Member<'_>>], base: &[Run], side: &[Run], threshold: f64) {
        for before in pools {
            let Member { run, benchmark } = before[0];
            let name = benchmark.name();
            let after = self.pool(side, &name);
            let reason = match after.first() {
                None => Some(format!("it isn't in {}", names(side))),
                Some(first) => why_not_comparable(before[0], *first),
            };
            match reason {
                Some(reason) => self.refuse(&name, run, reason),
                None => self.pairs.push(pair(threshold, before, &after)),
            }
        }
        let is_known = |id: &str| pools.iter().any(|pool| pool[0].benchmark.name() == id);
        for id in ids(side).into_iter().filter(|id| !is_known(id)) {
            let holder = side.iter().find(|run| find(run, &id).is_some()).unwrap_or(&side[0]);
            self.refuse(&id, holder, format!("it isn't in {}", names(base)));
        }
    }

    /// Returns an engine of all records of a side which are runs of one and the same thing: those that can be compared
    /// with the first, each once.
    fn pool<'a>(&mut self, side: &'a [Run], id: &str) -> Vec<Member<'a>> {
        let mut pool: Vec<Member<'a>> = Vec::new();
        for run in side {
            let Some(benchmark) = find(run, id) else { continue };
            let member = Member { run, benchmark };
            let reason = match (pool.iter().find(|other| other.run.record == run.record), pool.first()) {
                (Some(same), _) => Some(format!("it is the same run as that of {}", same.run.path.display())),
                (None, Some(first)) => why_not_comparable(*first, member)
                    .map(|reason| format!("it can't be pooled with {}: {reason}", first.run.path.display())),
                (None, None) => None,
            };
            match reason {
                Some(reason) => self.refuse(id, run, reason),
                None => pool.push(member),
            }
        }
        pool
    }

    fn refuse(&mut self, id: &str, run: &Run, reason: String) {
        self.unpaired.push(Unpaired { id: id.to_owned(), file: run.path.clone(), reason });
    }
}

/// Names the engines of a side, each once, in the order in which they come; in a sweep, each with its threads.
fn ids(side: &[Run]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for benchmark in side.iter().flat_map(|run| &run.record.benchmarks) {
        let name = benchmark.name();
        if !ids.contains(&name) {
            ids.push(name);
        }
    }
    ids
}

fn find<'a>(run: &'a Run, id: &str) -> Option<&'a Benchmark> {
    run.record.benchmarks.iter().find(|benchmark| benchmark.name() == id)
}

fn names(side: &[Run]) -> String {
    let names: Vec<String> = side.iter().map(|run| run.path.display().to_string()).collect();
    names.join(", ")
}

/// Tells why two benchmarks of one engine say nothing about each other, if they don't.
fn why_not_comparable(before: Member<'_>, after: Member<'_>) -> Option<String> {
    let (left, right) = (before.benchmark, after.benchmark);
    if left.device_name != right.device_name {
        return Some(format!("the devices differ: {:?} and {:?}", left.device_name, right.device_name));
    }
    let driver = |member: Member<'_>| {
        let gpu = member.run.record.machine.gpus.iter().find(|gpu| gpu.id == left.id.device());
        gpu.map(|gpu| format!("{} {}", gpu.driver, gpu.driver_info))
    };
    if driver(before) != driver(after) {
        let name = |member: Member<'_>| driver(member).unwrap_or_else(|| "no driver".to_owned());
        return Some(format!("the drivers differ: {:?} and {:?}", name(before), name(after)));
    }
    if left.threads != right.threads {
        return Some(format!("the numbers of threads differ: {} and {}", left.threads, right.threads));
    }
    let build = |member: Member<'_>| if member.run.record.tool.optimized { "with" } else { "without" };
    (build(before) != build(after))
        .then(|| format!("the programs were built {} and {} optimisation", build(before), build(after)))
}

fn pair(threshold: f64, before: &[Member<'_>], after: &[Member<'_>]) -> Pair {
    let rates = |pool: &[Member<'_>]| turns_of(pool, |sample| Some(sample.rate_hps()));
    let ratio = ratio(&rates(before), &rates(after));
    let paths = |pool: &[Member<'_>]| pool.iter().map(|member| member.run.path.clone()).collect();
    Pair {
        id: before[0].benchmark.name(),
        base: paths(before),
        new: paths(after),
        base_rate_hps: pooled_rate(before),
        new_rate_hps: pooled_rate(after),
        verdict: ratio.map_or(Verdict::Inconclusive, |ratio| verdict(&ratio, threshold)),
        ratio,
        energy: energy_pair(threshold, before, after),
    }
}

/// Compares joules per hash, where all records read the same meter.
fn energy_pair(threshold: f64, before: &[Member<'_>], after: &[Member<'_>]) -> Option<EnergyPair> {
    let meters = |member: &Member<'_>| member.benchmark.energy_j_per_hash.meters.clone();
    let common = meters(&before[0]);
    let meter = common.first()?;
    if before.iter().chain(after).any(|member| meters(member) != common) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of hashes")]
    let joules = |sample: &Sample| Some(sample.energy_j.get(meter)? / sample.hashes as f64);
    let ratio = ratio(&turns_of(before, joules), &turns_of(after, joules))?;
    let verdict = match verdict(&ratio, threshold) {
        Verdict::Faster => Verdict::Slower,
        Verdict::Slower => Verdict::Faster,
        other => other,
    };
    Some(EnergyPair { ratio, verdict })
}

fn ratio(before: &[Vec<Vec<f64>>], after: &[Vec<Vec<f64>>]) -> Option<Interval> {
    let before: Vec<&[Vec<f64>]> = before.iter().map(Vec::as_slice).collect();
    let after: Vec<&[Vec<f64>]> = after.iter().map(Vec::as_slice).collect();
    ratio_interval(&before, &after).map(|estimate| estimate.interval)
}

/// Returns the rate of a record; of several the geometric mean of their medians, between their outermost bounds.
fn pooled_rate(pool: &[Member<'_>]) -> Interval {
    let rates: Vec<Interval> = pool.iter().map(|member| member.benchmark.rate_hps.interval()).collect();
    if let [only] = rates[..] {
        return only;
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of files")]
    let mean = rates.iter().map(|rate| rate.value.ln()).sum::<f64>() / rates.len() as f64;
    let low = rates.iter().map(|rate| rate.low).fold(f64::INFINITY, f64::min);
    let high = rates.iter().map(|rate| rate.high).fold(f64::NEG_INFINITY, f64::max);
    Interval { value: mean.exp(), low, high }
}

/// Puts a figure of each sample into its turn, for each record.
fn turns_of(pool: &[Member<'_>], figure: impl Fn(&Sample) -> Option<f64>) -> Vec<Vec<Vec<f64>>> {
    pool.iter().map(|member| turns(member.benchmark, &figure)).collect()
}

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

/// Names what differs between the machines and programs of two records, and in how their engines were set.
fn differences(base: &Record, other: &Run) -> Vec<Difference> {
    let (Ok(left), Ok(right)) = (facts(base, &other.record), facts(&other.record, base)) else { return Vec::new() };
    let difference = |(what, base, new_value)| Difference { new: other.path.clone(), what, base, new_value };
    flatten(&left, &right).into_iter().map(difference).collect()
}

/// What of a record explains a difference to another.
fn facts(record: &Record, other: &Record) -> serde_json::Result<Value> {
    let mut machine = serde_json::to_value(&record.machine)?;
    // What is free changes from minute to minute and explains nothing.
    if let Some(memory) = machine.get_mut("memory").and_then(Value::as_object_mut) {
        memory.retain(|name, _| name != "available_bytes" && !name.ends_with("_free"));
    }
    // Older records have no settings, and an engine of one record alone explains nothing.
    let is_in_other = |benchmark: &&Benchmark| {
        other.benchmarks.iter().any(|other| other.name() == benchmark.name() && !other.settings.is_empty())
    };
    let set = record.benchmarks.iter().filter(|benchmark| !benchmark.settings.is_empty()).filter(is_in_other);
    let settings: BTreeMap<String, _> = set.map(|benchmark| (benchmark.name(), &benchmark.settings)).collect();
    let tool = serde_json::to_value(&record.tool)?;
    Ok(serde_json::json!({ "machine": machine, "settings": settings, "tool": tool }))
}

/// Lists the leaves at which two documents differ, by path.
fn flatten(base: &Value, new: &Value) -> Vec<(String, String, String)> {
    use serde_json::Value::{Array, Object};
    let is_list = |list: &[Value]| list.iter().all(Value::is_object);
    match (base, new) {
        // Adapters and caches one by one; lists of names as a whole.
        (Array(left), Array(right)) if left.len() == right.len() && is_list(left) && is_list(right) => {
            let indexed = left.iter().zip(right).enumerate();
            let of = |(index, (left, right)): (usize, (&Value, &Value))| {
                let name =
                    move |path: String| if path.is_empty() { index.to_string() } else { format!("{index}.{path}") };
                flatten(left, right).into_iter().map(move |(path, base, new)| (name(path), base, new))
            };
            indexed.flat_map(of).collect()
        }
        (Object(left), Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            let absent = Value::Null;
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
