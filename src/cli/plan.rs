//! `hashwatt bench --dry-run`: what would be measured, in which order, and how long it would take.

use std::time::Duration;

use serde::Serialize;

use super::exit::Failure;
use super::output::Output;
use crate::bench::{Estimate, Plan};
use crate::engine::EngineId;
use crate::record::{Order, PlanRecord};

/// A run that hasn't begun.
#[derive(Serialize)]
pub(super) struct Planned {
    pub(super) plan: PlanRecord,
    pub(super) threads: usize,
    /// The numbers of threads that engines on the processors would be measured with; empty for no sweep.
    pub(super) sweep_threads: Vec<usize>,
    /// The names of the meters that would be read.
    pub(super) meters: Vec<String>,
    pub(super) groups: Vec<Vec<EngineId>>,
    /// Whose turn it would be, group by group; engines by the names that they have in the record.
    pub(super) turns: Vec<Vec<String>>,
    /// Engines that can't run here.
    pub(super) unavailable: Vec<EngineId>,
    pub(super) duration_s: DurationS,
}

/// How long it would take, in seconds.
#[derive(Serialize)]
pub(super) struct DurationS {
    expected: f64,
    low: f64,
    high: f64,
    measured: f64,
    lead_ins: Ends,
    idle: f64,
    /// What would be built first, with a rough time each.
    builds: std::collections::BTreeMap<String, f64>,
}

#[derive(Serialize)]
struct Ends {
    low: f64,
    high: f64,
}

impl From<&Estimate> for DurationS {
    fn from(estimate: &Estimate) -> Self {
        let builds = estimate.builds.iter().map(|(name, time)| (name.clone(), time.as_secs_f64())).collect();
        let (low, high) = estimate.lead_ins;
        Self {
            expected: estimate.expected.as_secs_f64(),
            low: estimate.total.0.as_secs_f64(),
            high: estimate.total.1.as_secs_f64(),
            measured: estimate.measured.as_secs_f64(),
            lead_ins: Ends { low: low.as_secs_f64(), high: high.as_secs_f64() },
            idle: estimate.idle.as_secs_f64(),
            builds,
        }
    }
}

/// Prints a plan.
pub(super) fn print(planned: &Planned, plan: &Plan, output: &mut Output) -> Result<(), Failure> {
    if output.json {
        output.json(planned)?;
        return Ok(());
    }
    let PlanRecord { rounds, samples_per_turn, sample_s, measured_s, seed, idle_s, .. } = &planned.plan;
    let engines: usize = planned.groups.iter().map(Vec::len).sum();
    output.heading("plan")?;
    let sweep: Vec<String> = planned.sweep_threads.iter().map(ToString::to_string).collect();
    let (each, threads) = if sweep.is_empty() {
        ("each", count(planned.threads, "thread"))
    } else {
        ("for each number of threads", format!("{} threads of the processors", sweep.join(", ")))
    };
    output.line(&format!(
        "{engines} {}, {} s {each}: {rounds} turns of {samples_per_turn} samples of {sample_s:.3} s, on {threads}",
        if engines == 1 { "engine" } else { "engines" },
        short(*measured_s),
    ))?;
    for (number, (group, turns)) in planned.groups.iter().zip(&planned.turns).enumerate() {
        if planned.groups.len() > 1 {
            output.line(&format!("group {}: {} in memory together", number + 1, count(group.len(), "engine")))?;
        }
        if *idle_s > 0.0 {
            output.line(&format!("  devices idle, {} s, before the turns and after them", short(*idle_s)))?;
        }
        for (number, names) in rows(plan, turns).enumerate() {
            output.line(&format!("  {:>3}. {names}", number + 1))?;
        }
    }
    let meters = if planned.meters.is_empty() { "none".to_owned() } else { planned.meters.join(", ") };
    output.line(&format!("order {}, seed {seed}; meters: {meters}", order(plan)))?;
    for id in &planned.unavailable {
        output.remark(&format!("left out, because it can't run here: {id}"))?;
    }
    let duration = &planned.duration_s;
    let mut parts = vec![format!("{} measured", time(duration.measured))];
    parts.push(format!(
        "{} to {} of lead-in until rates are steady",
        time(duration.lead_ins.low),
        time(duration.lead_ins.high)
    ));
    if duration.idle > 0.0 {
        parts.push(format!("{} idle", time(duration.idle)));
    }
    parts.extend(duration.builds.iter().map(|(name, seconds)| format!("about {} to build the {name}", time(*seconds))));
    output.line(&format!(
        "it would take about {} ({} to {}): {}",
        time(duration.expected),
        time(duration.low),
        time(duration.high),
        parts.join(", "),
    ))?;
    Ok(())
}

/// Words the turns of a group: a line for each round, or for each engine that has all its turns in a row.
fn rows<'a>(plan: &Plan, turns: &'a [String]) -> impl Iterator<Item = String> + use<'a> {
    let (length, is_round) = match plan.order {
        Order::Interleaved => (turns.len() / plan.rounds.max(1) as usize, true),
        Order::Sequential => (plan.rounds as usize, false),
    };
    turns.chunks(length.max(1)).map(move |names| {
        let shown = if is_round { names } else { &names[..1] };
        if is_round { shown.join("  ") } else { format!("{}, {}", shown.join(""), count(length, "turn")) }
    })
}

fn order(plan: &Plan) -> &'static str {
    match plan.order {
        Order::Interleaved => "interleaved",
        Order::Sequential => "sequential",
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Words a number of seconds without needless digits.
fn short(seconds: f64) -> String {
    let text = format!("{seconds:.1}");
    text.strip_suffix(".0").map_or(text.clone(), ToOwned::to_owned)
}

/// Words a time that need not be exact.
fn time(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.max(0.0)).as_secs_f64().round();
    let (minutes, rest) = ((whole / 60.0).floor(), whole % 60.0);
    match seconds {
        seconds if seconds < 10.0 => format!("{} s", short(seconds)),
        seconds if seconds < 120.0 => format!("{whole:.0} s"),
        _ => format!("{minutes:.0} min {rest:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_counts_are_worded_for_people() {
        assert_eq!((time(3.0).as_str(), time(9.94).as_str(), time(61.6).as_str()), ("3 s", "9.9 s", "62 s"));
        assert_eq!((time(150.0).as_str(), time(3600.0).as_str()), ("2 min 30 s", "60 min 0 s"));
        assert_eq!((count(1, "thread").as_str(), count(2, "thread").as_str()), ("1 thread", "2 threads"));
        assert_eq!((short(30.0).as_str(), short(0.25).as_str()), ("30", "0.2"));
    }
}
