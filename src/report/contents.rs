//! What a report of records says, and in which order: the main result, plots, tables, and what the numbers leave out.

use super::comparison;
use super::document::{Block, Data, Document, Fact, Section};
use super::figures::{self, Entry};
use super::reference::ReferenceMachine;
use super::summary::{assumptions, costs, duration, notes, rates};
use super::tables;
use super::units::{between, format_coins, format_interval, format_kwh, format_rough_money, format_si};
use crate::coin::Coin;
use crate::coin::history::SECONDS_PER_YEAR;
use crate::record::Record;
use crate::statistics::Verdict;
use crate::study::{Comparison, Cost, Run};

/// By how much a rate may differ from record to record and still be the same.
const THRESHOLD: f64 = 0.03;

/// A record to report on.
#[derive(Debug, Clone)]
pub struct Source {
    /// How the report calls it; unique among those of one report.
    pub name: String,
    /// What it holds.
    pub record: Record,
    /// The record as JSON, with all that its file holds.
    pub json: String,
}

/// What a report assumes.
#[derive(Debug, Clone)]
pub struct Assumptions<'a> {
    /// The price of electricity, in USD per kWh.
    pub price_kwh: f64,
    /// Machines to compare with.
    pub published: Vec<&'a ReferenceMachine>,
}

/// All that the parts of a report are made from.
struct Material<'a> {
    sources: &'a [Source],
    /// For each record, what the coins of each of its engines come to.
    costs: &'a [Vec<Option<Cost>>],
    entries: Vec<Entry<'a>>,
    comparison: Option<Comparison>,
    assumptions: &'a Assumptions<'a>,
}

/// Makes a report of one record or several, of which the first is the base that the others are compared with.
#[must_use]
pub fn document(sources: &[Source], assumptions: &Assumptions<'_>) -> Document {
    let of_record = |source: &Source| costs(&source.record, assumptions.price_kwh);
    let costs: Vec<Vec<Option<Cost>>> = sources.iter().map(of_record).collect();
    let suffixes: Vec<String> = match sources {
        [_] => vec![String::new()],
        _ => sources.iter().map(|source| format!(", {}", source.name)).collect(),
    };
    let entries = sources.iter().zip(&costs).zip(&suffixes).flat_map(|((source, costs), suffix)| {
        let of = |(benchmark, cost)| Entry { suffix, benchmark, cost: Option::as_ref(cost) };
        source.record.benchmarks.iter().zip(costs).map(of)
    });
    let material =
        Material { sources, costs: &costs, entries: entries.collect(), comparison: compare(sources), assumptions };
    let sections = [
        Section::of("In short", material.facts()),
        Section::of("Energy", material.energy()),
        Section::of("Cost of a coin", material.cost()),
        Section::of("Rates", material.rates()),
        Section::of("Differences", material.differences()),
        Section::of("Machine and run", material.machine()),
        Section::of("Warnings", material.warnings()),
        Section::of("Assumed, and left out", material.left_out()),
        Section::of("Sources", material.published()),
    ];
    Document {
        title: title(sources),
        subtitle: subtitle(sources),
        headline: material.headline(),
        sections: sections.into_iter().flatten().collect(),
        data: sources
            .iter()
            .map(|source| Data { kind: "record", name: source.name.clone(), json: source.json.clone() })
            .collect(),
    }
}

fn compare(sources: &[Source]) -> Option<Comparison> {
    if sources.len() < 2 {
        return None;
    }
    let run = |source: &Source| Run { path: source.name.clone().into(), record: source.record.clone() };
    let runs: Vec<Run> = sources.iter().map(run).collect();
    let (base, new) = runs.split_at(1);
    Some(Comparison::new(base, &new.chunks(1).collect::<Vec<_>>(), THRESHOLD))
}

fn title(sources: &[Source]) -> String {
    let mut processors: Vec<&str> = Vec::new();
    for source in sources {
        let brand = source.record.machine.cpu.brand.as_deref().unwrap_or("a processor of unknown brand");
        if !processors.contains(&brand) {
            processors.push(brand);
        }
    }
    match processors[..] {
        [only] => format!("What a hash costs on {only}"),
        [first, second] => format!("What a hash costs on {first} and {second}"),
        _ => format!("What a hash costs on {} machines", processors.len()),
    }
}

fn subtitle(sources: &[Source]) -> String {
    let of = |source: &Source| {
        let tool = &source.record.tool;
        let end = if source.record.interrupted { ", interrupted" } else { "" };
        format!("{}: measured {} with {} {}{end}", source.name, source.record.started_utc, tool.name, tool.version)
    };
    sources.iter().map(of).collect::<Vec<_>>().join("; ")
}

impl<'a> Material<'a> {
    /// Returns the engine that needs the least energy for a coin, or, where no energy is known, the fastest one.
    fn best(&self, coin: Coin) -> Option<(&Entry<'a>, &'a Cost)> {
        let of_coin = self.entries.iter().filter_map(|entry| Some((entry, entry.cost?)));
        let of_coin = of_coin.filter(|(_, cost)| cost.inputs.coin == coin);
        let thriftiest = of_coin.clone().filter_map(|(entry, cost)| Some((cost.energy_per_coin_kwh?, (entry, cost))));
        let fastest = || of_coin.max_by(|a, b| a.1.coins_per_day.total_cmp(&b.1.coins_per_day));
        thriftiest.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, best)| best).or_else(fastest)
    }

    fn headline(&self) -> Vec<String> {
        let coins = [Coin::Btc, Coin::Xmr];
        let best: Vec<(&Entry<'a>, &Cost)> = coins.into_iter().filter_map(|coin| self.best(coin)).collect();
        let mut sentences: Vec<String> = best.iter().map(|(entry, cost)| main_result(entry, cost)).collect();
        if self.entries.is_empty() {
            sentences.push("Nothing was measured.".to_owned());
        }
        sentences.extend(self.comparison.as_ref().map(|comparison| verdicts(comparison, &self.sources[0].name)));
        sentences
    }

    fn facts(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for coin in [Coin::Btc, Coin::Xmr] {
            let Some((entry, cost)) = self.best(coin) else { continue };
            blocks.push(Block::Text(chosen(entry, cost)));
            blocks.push(Block::Facts(facts_of(entry, cost)));
            blocks.extend(self.beside_published(entry).map(Block::Text));
        }
        blocks
    }

    /// Says how the best published machine compares with an engine.
    fn beside_published(&self, entry: &Entry<'_>) -> Option<String> {
        let gross = entry.benchmark.energy_j_per_hash.gross?;
        let joules = |machine: &ReferenceMachine| machine.energy_j_per_hash().value;
        let machines = self.published_of(&entry.benchmark.algorithm);
        let best = machines.into_iter().min_by(|a, b| joules(a).total_cmp(&joules(b)))?;
        let ratio = gross.value / joules(best);
        let (times, word) = if ratio >= 1.0 { (ratio, "less") } else { (ratio.recip(), "more") };
        let times = if times >= 100.0 { format_coins(round_to_two(times)) } else { format!("{times:.1}") };
        Some(format!(
            "By its published figures, {} takes {} per hash, {times} times {word} than this.",
            best.label,
            format_si(joules(best), "J", 3),
        ))
    }

    fn published_of(&self, algorithm: &str) -> Vec<&'a ReferenceMachine> {
        self.assumptions.published.iter().copied().filter(|machine| machine.algorithm == algorithm).collect()
    }

    fn energy(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut algorithms: Vec<&str> = Vec::new();
        for entry in &self.entries {
            if !algorithms.contains(&entry.benchmark.algorithm.as_str()) {
                algorithms.push(&entry.benchmark.algorithm);
            }
        }
        for algorithm in algorithms {
            let of: Vec<Entry<'_>> =
                self.entries.iter().copied().filter(|entry| entry.benchmark.algorithm == algorithm).collect();
            match figures::energy_per_hash(algorithm, &of, &self.published_of(algorithm)) {
                Some(plot) => blocks.push(Block::Plot(Box::new(plot))),
                None => blocks.push(Block::Text(no_energy(algorithm, &of))),
            }
        }
        for source in self.sources.iter().filter(|source| !source.record.benchmarks.is_empty()) {
            blocks.push(Block::Table(self.caption("Joules per hash", source), tables::energies(&source.record)));
            if !source.record.sensors.is_empty() {
                blocks.push(Block::Table(self.caption("Meters", source), tables::meters(&source.record)));
            }
        }
        blocks
    }

    fn cost(&self) -> Vec<Block> {
        let price_kwh = self.assumptions.price_kwh;
        let mut blocks = Vec::new();
        for coin in [Coin::Btc, Coin::Xmr] {
            let published = self.published_of(coin.algorithm());
            let cost = figures::cost_per_coin(coin, price_kwh, &self.entries, &published);
            let break_even = figures::break_even(coin, price_kwh, &self.entries, &published);
            blocks.extend(cost.map(|plot| Block::Plot(Box::new(plot))));
            if let Some(plot) = break_even {
                blocks.push(Block::Plot(Box::new(plot)));
                blocks.push(Block::Text(ABOVE_THE_LINE.to_owned()));
            }
        }
        for (source, costs) in self.sources.iter().zip(self.costs) {
            if costs.iter().any(Option::is_some) {
                blocks.push(Block::Table(
                    self.caption("Coins and their cost", source),
                    tables::costs(&source.record, costs),
                ));
            }
        }
        blocks
    }

    fn rates(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for (index, source) in self.sources.iter().enumerate() {
            let record = &source.record;
            if record.benchmarks.is_empty() {
                continue;
            }
            let over_time =
                figures::rates_over_time(&format!("rates-{index}"), &self.caption("Rate over time", source), record);
            let spread = self.caption("How samples spread around their median", source);
            let spread = figures::spread(&format!("spread-{index}"), &spread, record);
            blocks.extend([over_time, spread].into_iter().flatten().map(|plot| Block::Plot(Box::new(plot))));
            blocks.push(Block::Table(self.caption("Engines", source), rates(record)));
        }
        blocks
    }

    fn differences(&self) -> Vec<Block> {
        let Some(comparison) = &self.comparison else { return Vec::new() };
        let mut blocks = vec![Block::Text(format!("The base is {}.", self.sources[0].name))];
        if !comparison.pairs.is_empty() {
            blocks.push(Block::Table("Rates against the base".to_owned(), comparison::table_of_files(comparison)));
            blocks.push(Block::Text(comparison::explanation(THRESHOLD)));
        }
        blocks.push(Block::List(comparison::remarks(comparison)));
        if comparison.differences.is_empty() {
            blocks.push(Block::Text("The records tell the same machine and the same program.".to_owned()));
        } else {
            let table = tables::differences(&comparison.differences);
            blocks.push(Block::Table("Machine and program, where they differ from the base".to_owned(), table));
        }
        blocks
    }

    fn machine(&self) -> Vec<Block> {
        let names: Vec<String> = self.sources.iter().map(|source| source.name.clone()).collect();
        let records: Vec<&Record> = self.sources.iter().map(|source| &source.record).collect();
        vec![Block::Table("What is known of machine and run".to_owned(), tables::machines(&names, &records))]
    }

    fn warnings(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for source in self.sources {
            let warnings = &source.record.warnings;
            let mut items: Vec<String> =
                warnings.iter().map(|warning| format!("{} ({})", warning.sentence(), warning.code)).collect();
            items.extend(notes(&source.record, &[]));
            if self.sources.len() > 1 && !items.is_empty() {
                blocks.push(Block::Text(format!("{}:", source.name)));
            }
            blocks.extend((!items.is_empty()).then_some(Block::List(items)));
        }
        blocks
    }

    fn left_out(&self) -> Vec<Block> {
        let mut items: Vec<String> = Vec::new();
        let costs: Vec<Option<Cost>> = self.costs.iter().flatten().cloned().collect();
        items.extend(assumptions(&costs));
        for entry in &self.entries {
            let coverage = &entry.benchmark.energy_j_per_hash.coverage;
            let item = format!("energy on {}: {coverage}", entry.benchmark.device);
            if !coverage.is_empty() && !items.contains(&item) {
                items.push(item);
            }
        }
        items.extend(LEFT_OUT.map(ToOwned::to_owned));
        vec![Block::List(items)]
    }

    fn published(&self) -> Vec<Block> {
        let is_shown = |machine: &&&ReferenceMachine| {
            let mut of = self.entries.iter().filter(|entry| entry.benchmark.algorithm == machine.algorithm);
            of.any(|entry| entry.benchmark.energy_j_per_hash.gross.is_some())
        };
        let shown: Vec<&ReferenceMachine> = self.assumptions.published.iter().filter(is_shown).copied().collect();
        if shown.is_empty() {
            return Vec::new();
        }
        vec![
            Block::Text(
                "Machines that others described. Their figures are those of makers and reviewers, at other places of \
                 the power supply, and nothing here has checked them."
                    .to_owned(),
            ),
            Block::Table("Published machines".to_owned(), tables::published(&shown)),
        ]
    }

    /// Says of which record a table or plot is, where there are several.
    fn caption(&self, words: &str, source: &Source) -> String {
        if self.sources.len() == 1 { words.to_owned() } else { format!("{words}: {}", source.name) }
    }
}

/// How a break-even frontier is read.
const ABOVE_THE_LINE: &str = "Above its line a machine earns more than its electricity costs, below it less.";

/// What no figure of a report holds, whatever the record.
const LEFT_OUT: [&str; 5] = [
    "a cost is electricity alone: the machine itself, cooling, rent, repair and work are left out",
    "coins are the expectation at one difficulty, which moves on; luck, fees of pools and of transactions, and stale \
     shares are left out",
    "joules per hash are gross: what the device draws when idle is part of them, unless a column says net",
    "intervals are those of this measurement, at 95 %; they don't say by how much other days or other machines of the \
     same kind differ",
    "rates and joules of different algorithms can't be compared",
];

/// The sentence to quote.
fn main_result(entry: &Entry<'_>, cost: &Cost) -> String {
    let coin = cost.inputs.coin.name().to_lowercase();
    let time = duration(cost.hashes_expected_per_coin / entry.benchmark.rate_hps.median / SECONDS_PER_YEAR);
    let (price, currency) = (cost.inputs.price_kwh, &cost.inputs.currency);
    let interval =
        cost.energy_per_coin_kwh_interval.filter(|range| range.low < range.high).map_or_else(String::new, |range| {
            format!(" ({})", between(&format_kwh(range.low, 3), &format_kwh(range.high, 3)))
        });
    match (cost.energy_per_coin_kwh, cost.cost_per_coin) {
        (Some(energy), Some(money)) => format!(
            "One {coin} takes this machine {time} and {}{interval} of electricity: {} at {price} {currency} per kWh.",
            format_kwh(energy, 3),
            format_rough_money(money, currency),
        ),
        _ => format!(
            "One {coin} takes this machine {time}. What it costs isn't known, because no meter could be read; each \
             watt drawn makes {} at {price} {currency} per kWh.",
            format_rough_money(cost.cost_per_coin_per_w, currency),
        ),
    }
}

/// Says which engine stands for a coin, and why.
fn chosen(entry: &Entry<'_>, cost: &Cost) -> String {
    let why = match cost.energy_per_coin_kwh {
        Some(_) => "which takes the least energy for a coin",
        None => "the fastest",
    };
    format!("{} with {}, {why}:", cost.inputs.coin.name(), entry.label())
}

fn facts_of(entry: &Entry<'_>, cost: &Cost) -> Vec<Fact> {
    let benchmark = entry.benchmark;
    let (symbol, currency, price) = (cost.inputs.coin.symbol(), &cost.inputs.currency, cost.inputs.price_kwh);
    let fact = |name: &str, value: String, note: String| Fact { name: name.to_owned(), value, note };
    let energy = &benchmark.energy_j_per_hash;
    let mut facts = vec![fact(
        "rate",
        format_interval(&benchmark.rate_hps.interval(), "H/s"),
        format!("{} {symbol} a day", format_coins(cost.coins_per_day)),
    )];
    match (energy.gross, cost.energy_per_coin_kwh, cost.energy_per_coin_kwh_interval) {
        (Some(gross), Some(kwh), Some(range)) => {
            let money = |kwh: f64| format_rough_money(kwh * price, currency);
            facts.push(fact("energy per hash", format_interval(&gross, "J"), energy.provenance.to_string()));
            let note = between(&format_kwh(range.low, 3), &format_kwh(range.high, 3));
            facts.push(fact(&format!("energy per {symbol}"), format_kwh(kwh, 3), note));
            facts.push(fact(
                &format!("electricity per {symbol}"),
                money(kwh),
                between(&money(range.low), &money(range.high)),
            ));
        }
        _ => facts.push(fact("energy per hash", "unavailable".to_owned(), energy.reason.clone().unwrap_or_default())),
    }
    facts
}

/// Says why an algorithm has no plot of energy.
fn no_energy(algorithm: &str, entries: &[Entry<'_>]) -> String {
    let mut reasons: Vec<&str> =
        entries.iter().filter_map(|entry| entry.benchmark.energy_j_per_hash.reason.as_deref()).collect();
    reasons.dedup();
    let because = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
    format!("Joules per hash of {algorithm} are unavailable{because}.")
}

/// Says what became of the base's engines.
fn verdicts(comparison: &Comparison, base: &str) -> String {
    let count = |verdict| comparison.pairs.iter().filter(|pair| pair.verdict == verdict).count();
    let words = [Verdict::Faster, Verdict::Slower, Verdict::Same, Verdict::Inconclusive]
        .into_iter()
        .filter(|verdict| count(*verdict) > 0)
        .map(|verdict| format!("{} {}", count(verdict), comparison::word(verdict)));
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        return format!("Nothing can be compared with {base}; the reasons stand below.");
    }
    format!("Against {base}, by rate: {}.", words.join(", "))
}

/// Rounds to two significant digits.
fn round_to_two(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::*;

    fn source(name: &str, json: &str) -> Source {
        Source { name: name.to_owned(), record: serde_json::from_str(json).unwrap(), json: json.to_owned() }
    }

    const DECLARED: &str = include_str!("../../tests/records/1.0-declared-watts.json");
    const INTERRUPTED: &str = include_str!("../../tests/records/1.0-interrupted.json");

    fn report(sources: &[Source]) -> Document {
        let published = reference::machines("sha256d");
        document(sources, &Assumptions { price_kwh: 0.05, published: published.iter().collect() })
    }

    #[test]
    fn the_headline_is_of_the_engine_that_takes_the_least_energy() {
        let document = report(&[source("a.json", DECLARED)]);
        // 1.588 µJ of sha-ni times 124,932,866,006,548.16 × 4,295,032,833 / 3.125 hashes a coin is 75.7 TWh.
        let sentence = &document.headline[0];
        assert!(
            sentence.starts_with("One bitcoin takes this machine 135.") && sentence.contains("75.7 TWh"),
            "{sentence}"
        );
        assert!(sentence.ends_with("3,790,000,000 USD at 0.05 USD per kWh."), "{sentence}");
        let plots: Vec<&str> = document.plots().collect();
        let expected = [
            "Energy per hash, sha256d",
            "Electricity for one BTC, at 0.05 USD per kWh",
            "What one BTC has to fetch to pay for its electricity",
            "Rate over time",
            "How samples spread around their median",
        ];
        assert_eq!(plots, expected);
    }

    #[test]
    fn without_joules_the_reasons_are_told_and_nothing_is_made_up() {
        let document = report(&[source("a.json", INTERRUPTED)]);
        assert!(
            document.headline[0].contains("isn't known, because no meter could be read"),
            "{:?}",
            document.headline
        );
        assert_eq!(document.plots().collect::<Vec<_>>(), ["Rate over time", "How samples spread around their median"]);
        let energy = &document.sections.iter().find(|section| section.title == "Energy").unwrap().blocks[0];
        let Block::Text(words) = energy else { panic!("{energy:?}") };
        assert_eq!(words, "Joules per hash of sha256d are unavailable: --meter none switched the meters off.");
        assert!(document.sections.iter().all(|section| section.title != "Sources"), "nothing published is shown");
    }

    #[test]
    fn several_records_are_compared_with_the_first() {
        let document = report(&[source("a.json", DECLARED), source("b.json", INTERRUPTED)]);
        let last = document.headline.last().unwrap();
        assert!(last.starts_with("Against a.json, by rate:"), "{last}");
        assert!(document.plots().any(|title| title == "Rate over time: b.json"));
        assert!(document.tables().any(|caption| caption == "Rates against the base"));
    }

    #[test]
    fn a_record_without_engines_says_so() {
        let mut empty = source("a.json", DECLARED);
        empty.record.benchmarks.clear();
        let document = report(&[empty]);
        assert_eq!(document.headline, ["Nothing was measured."]);
        assert_eq!(document.plots().count(), 0);
    }
}
