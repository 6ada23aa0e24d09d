//! The plots of a report, from records.

use super::plot::{
    BreakEven, BreakEvenLine, Distribution, Mark, Plot, RatePanel, Row, RowPlot, SamplePoint, Values, distributions,
    rates,
};
use super::reference::ReferenceMachine;
use super::summary::labelled;
use super::units::{format_interval, format_kwh, format_rough_money, format_si};
use crate::coin::{Coin, NetworkPoint};
use crate::device::Device;
use crate::interval::Interval;
use crate::record::{Benchmark, Provenance, Record, Sample};
use crate::study::Cost;

/// What the marks stand for.
const LEGEND: [(Mark, &str); 3] =
    [(Mark::Disc, "measured"), (Mark::Ring, "declared power"), (Mark::Diamond, "published by others, see Sources")];

const JOULES_PER_KWH: f64 = 3_600_000.0;

/// One engine of one record, with what its coins come to.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What of the record's name stands behind the engine's; empty with one record.
    pub suffix: &'a str,
    /// The engine.
    pub benchmark: &'a Benchmark,
    /// What its coins come to.
    pub cost: Option<&'a Cost>,
}

impl Entry<'_> {
    /// Returns the engine's name, with that of the record where there are several.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}{}", labelled(self.benchmark), self.suffix)
    }

    fn mark(&self) -> Mark {
        if self.benchmark.energy_j_per_hash.provenance == Provenance::Measured { Mark::Disc } else { Mark::Ring }
    }
}

/// Draws the rates of a record's engines over time.
#[must_use]
pub fn rates_over_time(id: &str, title: &str, record: &Record) -> Option<Plot> {
    let panel = |benchmark: &Benchmark| {
        let sample = |(index, sample): (usize, &Sample)| SamplePoint {
            turn: sample.turn,
            start_s: sample.start_s,
            duration_s: sample.duration_s,
            rate_hps: sample.rate_hps(),
            is_outlier: benchmark.outliers.contains(&index),
        };
        RatePanel {
            label: labelled(benchmark),
            words: format_interval(&benchmark.rate_hps.interval(), "H/s"),
            rate_hps: benchmark.rate_hps.interval(),
            samples: benchmark.samples.iter().enumerate().map(sample).collect(),
        }
    };
    rates(id, title, &record.benchmarks.iter().map(panel).collect::<Vec<_>>())
}

/// Draws how the samples of a record's engines spread.
#[must_use]
pub fn spread(id: &str, title: &str, record: &Record) -> Option<Plot> {
    let engine = |benchmark: &Benchmark| Distribution {
        label: labelled(benchmark),
        median: benchmark.rate_hps.interval(),
        samples: benchmark.samples.iter().map(Sample::rate_hps).collect(),
        outliers: benchmark.outliers.clone(),
    };
    distributions(id, title, &record.benchmarks.iter().map(engine).collect::<Vec<_>>())
}

/// Draws the joules per hash of all engines of an algorithm beside published machines: the least on top.
#[must_use]
pub fn energy_per_hash(algorithm: &str, entries: &[Entry<'_>], published: &[&ReferenceMachine]) -> Option<Plot> {
    let of_entry = |entry: &Entry<'_>| {
        let gross = entry.benchmark.energy_j_per_hash.gross?;
        Some(Row { label: entry.label(), words: format_interval(&gross, "J"), value: gross, mark: entry.mark() })
    };
    let rows: Vec<Row> = entries.iter().filter_map(of_entry).collect();
    if rows.is_empty() {
        return None;
    }
    let of_machine = |machine: &&ReferenceMachine| {
        let value = machine.energy_j_per_hash();
        Row { label: machine.label.clone(), words: format_si(value.value, "J", 3), value, mark: Mark::Diamond }
    };
    let plot = RowPlot {
        id: &format!("energy-{algorithm}").replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
        title: &format!("Energy per hash, {algorithm}"),
        axis: "gross joules per hash, logarithmic",
        values: Values::Si("J"),
        legend: &LEGEND,
    };
    plot.draw(&sorted(rows, published.iter().map(of_machine)))
}

/// Draws what the electricity of a coin costs with each engine, and with published machines at the same price.
#[must_use]
pub fn cost_per_coin(
    coin: Coin,
    price_kwh: f64,
    entries: &[Entry<'_>],
    published: &[&ReferenceMachine],
) -> Option<Plot> {
    let row = |label: String, kwh: Interval, mark: Mark| {
        let money = format_rough_money(kwh.value * price_kwh, "USD");
        Row { label, words: format!("{money}, {}", format_kwh(kwh.value, 3)), value: kwh.scaled(price_kwh), mark }
    };
    let of_entry = |entry: &Entry<'_>| Some(row(entry.label(), energy_per_coin_kwh(coin, entry)?, entry.mark()));
    let rows: Vec<Row> = entries.iter().filter_map(of_entry).collect();
    if rows.is_empty() {
        return None;
    }
    let of_machine =
        |machine: &&ReferenceMachine| row(machine.label.clone(), machine_kwh_per_coin(coin, machine), Mark::Diamond);
    let plot = RowPlot {
        id: &format!("cost-{coin}"),
        title: &format!("Electricity for one {}, at {price_kwh} USD per kWh", coin.symbol()),
        axis: &format!("USD per {}, logarithmic", coin.symbol()),
        values: Values::Plain,
        legend: &LEGEND,
    };
    plot.draw(&sorted(rows, published.iter().map(of_machine)))
}

/// Draws the break-even frontier of the best engine on each device, and of the best and the worst published machine.
#[must_use]
pub fn break_even(coin: Coin, price_kwh: f64, entries: &[Entry<'_>], published: &[&ReferenceMachine]) -> Option<Plot> {
    let mut engines: Vec<(&Entry<'_>, Interval)> =
        entries.iter().filter_map(|entry| Some((entry, energy_per_coin_kwh(coin, entry)?))).collect();
    engines.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
    // A software adapter's device is the processors, whatever its id says.
    let mut devices: Vec<(&str, Device)> = Vec::new();
    engines.retain(|(entry, _)| {
        let device = (entry.suffix, entry.benchmark.device);
        let is_first = !devices.contains(&device);
        devices.extend(is_first.then_some(device));
        is_first
    });
    if engines.is_empty() {
        return None;
    }
    let line = |label: String, energy_per_coin_kwh: Interval| BreakEvenLine { label, energy_per_coin_kwh };
    let mut lines: Vec<BreakEvenLine> =
        engines.iter().take(4).map(|(entry, energy)| line(entry.label(), *energy)).collect();
    let by_energy = |a: &&&ReferenceMachine, b: &&&ReferenceMachine| {
        a.energy_j_per_hash().value.total_cmp(&b.energy_j_per_hash().value)
    };
    let (best, worst) = (published.iter().min_by(by_energy), published.iter().max_by(by_energy));
    lines.extend(best.map(|machine| line(machine.label.clone(), machine_kwh_per_coin(coin, machine))));
    lines.extend(
        worst
            .filter(|_| published.len() > 1)
            .map(|machine| line(machine.label.clone(), machine_kwh_per_coin(coin, machine))),
    );
    let plot = BreakEven {
        id: &format!("break-even-{coin}"),
        title: &format!("What one {} has to fetch to pay for its electricity", coin.symbol()),
        symbol: coin.symbol(),
        currency: "USD",
        price_kwh,
        coin_price: None,
    };
    plot.draw(&lines)
}

fn energy_per_coin_kwh(coin: Coin, entry: &Entry<'_>) -> Option<Interval> {
    let cost = entry.cost.filter(|cost| cost.inputs.coin == coin)?;
    let (value, range) = (cost.energy_per_coin_kwh?, cost.energy_per_coin_kwh_interval?);
    Some(Interval { value, low: range.low, high: range.high })
}

fn machine_kwh_per_coin(coin: Coin, machine: &ReferenceMachine) -> Interval {
    let hashes_per_coin = NetworkPoint::snapshot(coin).hashes_expected_per_coin();
    machine.energy_j_per_hash().scaled(hashes_per_coin / JOULES_PER_KWH)
}

/// Puts engines and published machines together, the least on top.
fn sorted(mut rows: Vec<Row>, published: impl Iterator<Item = Row>) -> Vec<Row> {
    rows.extend(published);
    rows.sort_by(|a, b| a.value.value.total_cmp(&b.value.value));
    rows
}
