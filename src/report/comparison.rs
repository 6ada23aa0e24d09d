//! What a comparison of records says, for people.

use super::table::{Column, Table};
use super::units::format_interval;
use crate::interval::Interval;
use crate::statistics::Verdict;
use crate::study::{Comparison, Pair};

/// Makes the table of the engines that were compared.
#[must_use]
pub fn table(comparison: &Comparison) -> Table {
    let mut table = Table::new(columns());
    for pair in &comparison.pairs {
        table.push_row(row(pair));
    }
    table
}

/// Makes the same table with one more column, which names the records of the new side.
#[must_use]
pub fn table_of_files(comparison: &Comparison) -> Table {
    let mut table = Table::new(columns().into_iter().chain([Column::left("record")]));
    for pair in &comparison.pairs {
        let names: Vec<String> = pair.new.iter().map(|path| path.display().to_string()).collect();
        table.push_row(row(pair).into_iter().chain([names.join(", ")]));
    }
    table
}

fn columns() -> [Column; 6] {
    [
        Column::left("engine"),
        Column::right("base"),
        Column::right("new"),
        Column::right("new / base").unit("95 %"),
        Column::left("verdict"),
        Column::left("energy").unit("per hash"),
    ]
}

fn row(pair: &Pair) -> [String; 6] {
    let energy = pair.energy.as_ref().map_or_else(String::new, |energy| {
        let word = match energy.verdict {
            Verdict::Faster => "less",
            Verdict::Slower => "more",
            Verdict::Same => "same",
            Verdict::Inconclusive => "inconclusive",
        };
        format!("{} {word}", ratio(&energy.ratio))
    });
    [
        pair.id.clone(),
        format_interval(&pair.base_rate_hps, "H/s"),
        format_interval(&pair.new_rate_hps, "H/s"),
        pair.ratio.as_ref().map_or_else(|| "too few samples or turns".to_owned(), ratio),
        word(pair.verdict).to_owned(),
        energy,
    ]
}

/// Words a ratio with its interval.
#[must_use]
pub fn ratio(ratio: &Interval) -> String {
    format!("{:.3} ({:.3} to {:.3})", ratio.value, ratio.low, ratio.high)
}

/// Says what the verdicts mean at a threshold, which is a fraction.
#[must_use]
pub fn explanation(threshold: f64) -> String {
    let percent = threshold * 100.0;
    format!("same: the interval lies within ±{percent} %; faster, slower: wholly beyond; else inconclusive.")
}

/// Says from how many records it is known by how much runs differ, and what was not compared, each on one line.
#[must_use]
pub fn remarks(comparison: &Comparison) -> Vec<String> {
    let mut remarks = remarks_on_runs(&comparison.pairs);
    let unpaired = comparison.unpaired.iter();
    remarks.extend(unpaired.map(|one| format!("not compared: {} of {}: {}", one.id, one.file.display(), one.reason)));
    remarks
}

/// Says from how many records it is known by how much runs differ; once where that is the same for all engines.
fn remarks_on_runs(pairs: &[Pair]) -> Vec<String> {
    let counts = |pair: &Pair| (pair.base.len(), pair.new.len());
    let mut seen: Vec<(usize, usize)> = Vec::new();
    for pair in pairs {
        if !seen.contains(&counts(pair)) {
            seen.push(counts(pair));
        }
    }
    let remark = |&(base, new): &(usize, usize)| {
        let of: Vec<&str> =
            pairs.iter().filter(|pair| counts(pair) == (base, new)).map(|pair| pair.id.as_str()).collect();
        let whose = if seen.len() > 1 { format!("{}: ", of.join(", ")) } else { String::new() };
        if (base, new) == (1, 1) {
            return format!("{whose}one record a side can't show by how much runs differ.");
        }
        format!("{whose}by how much runs differ was estimated from {base} base and {new} new records.")
    };
    seen.iter().map(remark).collect()
}

/// Names a verdict.
#[must_use]
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Inconclusive => "inconclusive",
    }
}
