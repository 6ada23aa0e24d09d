//! `hashwatt compare`: whether one record's engines are faster or slower than another's.

use std::path::PathBuf;
use std::process::ExitCode;

use super::args::CompareArguments;
use super::comparison::{Comparison, Pair, Run};
use super::exit::{Failure, RECORD, REGRESSION};
use super::output::{HEADING, Output};
use crate::interval::Interval;
use crate::record::{self, ReadError};
use crate::report::table::{Column, Table};
use crate::report::units::format_interval;
use crate::statistics::Verdict;

pub(super) fn run(arguments: &CompareArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let base = runs([&arguments.base].into_iter().chain(&arguments.more_base))?;
    let new = runs(&arguments.new)?;
    let sides: Vec<&[Run]> = if arguments.pool { vec![&new] } else { new.chunks(1).collect() };
    let comparison = Comparison::new(&base, &sides, arguments.threshold);
    if comparison.pairs.is_empty() {
        let reasons: Vec<String> =
            comparison.unpaired.iter().map(|one| format!("{}: {}", one.id, one.reason)).collect();
        let help = if reasons.is_empty() { "the records hold no engine".to_owned() } else { reasons.join("; ") };
        return Err(Failure::new(RECORD, "these records can't be compared: no engine is comparable in both", help));
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

/// Reads the records of a side.
fn runs<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<Run>, ReadError> {
    paths.into_iter().map(|path| Ok(Run { path: path.clone(), record: record::read(path)? })).collect()
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
            pair.ratio.as_ref().map_or_else(|| "too few samples or turns".to_owned(), ratio),
            word(pair.verdict).to_owned(),
            energy,
        ]);
    }
    output.table(&table)?;
    let percent = arguments.threshold * 100.0;
    output.remark(&format!(
        "same: the interval lies within ±{percent} %; faster, slower: wholly beyond; else inconclusive."
    ))?;
    for remark in remarks_on_runs(&comparison.pairs) {
        output.remark(&remark)?;
    }
    for one in &comparison.unpaired {
        output.remark(&format!("not compared: {} of {}: {}", one.id, one.file.display(), one.reason))?;
    }
    let is_several = arguments.more_base.len() + arguments.new.len() > 1;
    for one in &comparison.differences {
        let path = if is_several { format!(" in {}", one.new.display()) } else { String::new() };
        output.remark(&format!("differs{path}: {}: {} and {}", one.what, one.base, one.new_value))?;
    }
    Ok(())
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

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Inconclusive => "inconclusive",
    }
}
