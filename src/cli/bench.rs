//! `hashwatt bench`: measures the engines that the filters name.

use std::process::ExitCode;

use super::args::{BenchArguments, Format, Preset};
use super::exit::{Failure, UNSTABLE};
use super::measure::{Measurement, exit_code, worth_printing};
use super::output::{HEADING, Output};
use super::{plan, select, summary, surroundings};
use crate::bench::Plan;
use crate::report::summary::{best_of_sweeps, notes, rates};
use crate::report::{csv, markdown};

pub(super) fn run(arguments: &BenchArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let format = output.format(arguments.measure.format)?;
    let seconds = arguments.time.unwrap_or(arguments.preset.seconds());
    let plan = Plan { order: arguments.order.into(), seed: arguments.seed, ..Plan::new(seconds)? };
    let sweep = arguments.sweep_threads.as_deref().map_or_else(|| Ok(Vec::new()), select::sweep)?;
    let mut measurement = Measurement::open(&arguments.measure, sweep, output.quiet)?;
    let chosen = select::by_filters(&measurement.workshop.registry, &arguments.filters)?;
    let ids: Vec<String> = chosen.iter().map(|candidate| candidate.id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let preset = arguments.time.is_none().then(|| arguments.preset.name());
    if arguments.dry_run {
        plan::print(&measurement.planned(&ids, &plan, preset), &plan, output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (record, faults) = measurement.run(&ids, plan, preset, Vec::new())?;
    let written = measurement.write(&record)?;
    let faults = worth_printing(&record, faults)?;
    match format {
        Format::Json => output.json(&record)?,
        Format::Csv => output.text(&csv::samples(&record))?,
        Format::Markdown => {
            output.text(&markdown::report(&record, &rates(&record), &notes(&record, &[])))?;
        }
        Format::Table => {
            output.table(&rates(&record).header_style(HEADING))?;
            best_of_sweeps(&record).iter().try_for_each(|sentence| output.line(sentence))?;
            summary::print_setups(&record, output)?;
            summary::print_warnings(&record, output)?;
            if let Some(path) = written {
                output.remark(&format!("record: {}", path.display()))?;
            }
        }
    }
    let code = exit_code(&record, faults)?;
    match record.warnings.iter().find(|warning| surroundings::is_unstable(warning)) {
        Some(warning) if arguments.preset == Preset::Strict && !record.interrupted => {
            let message = format!("the measurement was not stable: {}", warning.text);
            Err(Failure::new(UNSTABLE, message, warning.hint.clone()))
        }
        _ => Ok(code),
    }
}
