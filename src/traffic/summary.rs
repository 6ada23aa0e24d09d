//! What an observation supports, in plain words.

use super::hypothesis::{Family, Hypothesis};
use super::narrow::ExtraObservation;
use super::network::{Earnings, Representative};
use super::observation::{Observation, Per, Unit};
use crate::report::units::{between, format_coins, format_count, format_factor, format_number, format_si};

/// Writes the paragraph, from the figures alone.
pub(super) fn summary(
    observation: &Observation,
    earnings: &Earnings,
    hypotheses: &[Hypothesis],
    factor_open: Option<f64>,
    extras: &[ExtraObservation],
) -> String {
    let fitting: Vec<&Hypothesis> = hypotheses.iter().filter(|hypothesis| hypothesis.consistent).collect();
    let mut sentences = vec![seen(observation)];
    if fitting.is_empty() {
        sentences.push("No explanation that is known here fits.".to_owned());
        return sentences.join(" ");
    }
    sentences.push(format!("{} of {} explanations fit.", fitting.len(), hypotheses.len()));
    sentences.extend(without_mining(&fitting));
    sentences.extend(too_few(observation, hypotheses));
    let machine = earnings.machines.first();
    sentences.extend(pooled(&fitting, machine, earnings));
    sentences.extend(bounds(&fitting, machine));
    sentences.extend(narrowing(factor_open, extras));
    sentences.join(" ")
}

fn seen(observation: &Observation) -> String {
    let count = observation.count;
    let (low, high) = (format_count(count.low), format_count(count.high));
    let number = if count.is_exact() { low } else { format!("{low} to {high}") };
    let unit = match observation.unit {
        Unit::Unknown => String::new(),
        unit => format!(" {}", unit.plural()),
    };
    let per = match observation.per {
        Per::Day => " a day",
        Per::Total => " in all",
    };
    let sampled = match observation.sampling {
        1 => String::new(),
        part => format!(", in one packet of {}", format_count(part)),
    };
    let window = observation.window.map_or_else(String::new, |window| {
        format!(" from {} to {} ({} days)", window.from(), window.to(), window.days())
    });
    let unknown = if observation.unit == Unit::Unknown { "; nobody says of what" } else { "" };
    format!("Seen were {number}{unit}{per}{sampled}{window}{unknown}.")
}

fn without_mining(fitting: &[&Hypothesis]) -> Option<String> {
    let node = fitting.iter().find(|hypothesis| hypothesis.family == Family::Node)?;
    let number = numbers(node.connections.low, node.connections.high);
    let what = if number == "1" { "1 full node shows".to_owned() } else { format!("{number} full nodes show") };
    Some(format!("One of them has no mining at all: {what} as much."))
}

/// Says where even one worker would show more.
fn too_few(observation: &Observation, hypotheses: &[Hypothesis]) -> Option<String> {
    let vardiff = |hypothesis: &&Hypothesis| hypothesis.name.starts_with("share/vardiff");
    let all: Vec<&Hypothesis> = hypotheses.iter().filter(vardiff).collect();
    let least = all.iter().filter_map(|hypothesis| hypothesis.events_per_connection_day.low).reduce(f64::min)?;
    let is_too_few = all.iter().all(|hypothesis| !hypothesis.consistent) && observation.mean_per_day().1 < least;
    let least = format_count(least.round() as u128);
    is_too_few.then(|| {
        format!(
            "As shares they are too few for one worker at a pool that keeps the share rate constant, which shows \
             {least} a day or more: only weak workers on a pool's least difficulty, or on a fixed one, send so few."
        )
    })
}

/// Says how many connections to a pool there are, and what they would earn with the strongest machine of the time.
fn pooled(fitting: &[&Hypothesis], machine: Option<&Representative>, earnings: &Earnings) -> Option<String> {
    let is_counted =
        |hypothesis: &&&Hypothesis| hypothesis.family == Family::Pool && hypothesis.connections.high.is_some();
    let counted: Vec<&&Hypothesis> = fitting.iter().filter(is_counted).collect();
    let low = counted.iter().filter_map(|hypothesis| hypothesis.connections.low).min()?;
    let high = counted.iter().filter_map(|hypothesis| hypothesis.connections.high).max()?;
    let number = numbers(Some(low), Some(high));
    let plural = if number == "1" { "" } else { "s" };
    let mut text = format!("As traffic with a pool it is {number} connection{plural}");
    if let Some(machine) = machine {
        let rate = |connections: u64| connections as f64 * machine.rate_hps;
        let coins = |connections: u64| format_coins(rate(connections) * earnings.coins_per_hps);
        let words = |connections: u64| format_si(rate(connections), "H/s", 3);
        let ends = |of: &dyn Fn(u64) -> String| if low == high { of(low) } else { between(&of(low), &of(high)) };
        text.push_str(&format!(
            "; with one {} at each that would be {} and {} {} in this time",
            machine.name,
            ends(&words),
            ends(&coins),
            earnings.coin.symbol(),
        ));
    }
    Some(text + ".")
}

/// Says between what the hash rate lies, or why it has no upper end.
fn bounds(fitting: &[&Hypothesis], machine: Option<&Representative>) -> Vec<String> {
    let mut sentences = Vec::new();
    let is_open = |hypothesis: &&&Hypothesis| hypothesis.unbounded_because.is_some();
    let rate = |rate: f64| {
        let machines = machine.map_or_else(String::new, |machine| {
            format!(" ({} {})", format_number(rate / machine.rate_hps), machine.name)
        });
        format!("{}{machines}", format_si(rate, "H/s", 2))
    };
    let silent = |hypothesis: &&Hypothesis| {
        let is_alone = matches!(hypothesis.family, Family::Solo | Family::Rpc);
        hypothesis.hash_rate_hps.high.filter(|_| is_alone)
    };
    if let Some(high) = fitting.iter().find_map(silent) {
        let who = "Mining alone, without a block of the window that is theirs,";
        sentences.push(format!("{who} has at most {}.", rate(high)));
    }
    let pooled = |hypothesis: &&&Hypothesis| matches!(hypothesis.family, Family::Pool | Family::Proxy);
    if let Some(open) = fitting.iter().filter(pooled).find(is_open) {
        let because = open.unbounded_because.as_deref().unwrap_or_default();
        sentences.push(format!("At a pool the hash rate has no upper end: {because}."));
    } else {
        let ends: Vec<(f64, f64)> = fitting
            .iter()
            .filter(pooled)
            .filter_map(|hypothesis| hypothesis.hash_rate_hps.low.zip(hypothesis.hash_rate_hps.high))
            .collect();
        if let Some((low, high)) = ends.into_iter().reduce(|(a, b), (low, high)| (a.min(low), b.max(high))) {
            sentences.push(format!("At a pool the hash rate lies between {} and {}.", rate(low), rate(high)));
        }
    }
    sentences
}

/// Says which single observation more would narrow the hash rate most.
fn narrowing(factor_open: Option<f64>, extras: &[ExtraObservation]) -> Option<String> {
    let open = factor_open?;
    match extras.first() {
        Some(best) if best.factor_left < open * 0.99 => Some(format!(
            "What would narrow the hash rate most: {} ({}). Of a factor of {} between its ends, {} would be left on \
             average.",
            best.what,
            best.option,
            format_factor(open),
            format_factor(best.factor_left),
        )),
        _ => Some(format!(
            "The hash rate stays open by a factor of {}; none of the observations that are tried here would narrow it.",
            format_factor(open)
        )),
    }
}

fn numbers(low: Option<u64>, high: Option<u64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) if low == high => format_count(low),
        (Some(low), Some(high)) => format!("{} to {}", format_count(low), format_count(high)),
        (Some(low), None) => format!("{} or more", format_count(low)),
        (None, Some(high)) => format!("up to {}", format_count(high)),
        (None, None) => "any number of".to_owned(),
    }
}
