//! The bare `hashwatt`: self-test, a quick benchmark, energy, coins and cost.

use std::process::ExitCode;

use serde::Serialize;

use super::args::{Format, MeasureArguments};
use super::choose::{Choice, choose, considered};
use super::exit::{Failure, INTERRUPTED};
use super::measure::{Measurement, exit_code, worth_printing};
use super::output::Output;
use super::summary;
use super::workshop::{Workshop, is_heavy};
use crate::bench::Plan;
use crate::engine::EngineId;
use crate::record::Record;
use crate::report::summary::{costs as costs_of, main_job, notes};
use crate::report::{csv, markdown};
use crate::study::Cost;

/// The record with one more field.
#[derive(Serialize)]
struct WithCost<'a> {
    #[serde(flatten)]
    record: &'a Record,
    cost: Vec<CostOf<'a>>,
}

/// The cost of one engine's coins.
#[derive(Serialize)]
struct CostOf<'a> {
    id: &'a EngineId,
    #[serde(flatten)]
    cost: &'a Cost,
}

pub(super) fn run(arguments: &MeasureArguments, price_kwh: f64, output: &mut Output) -> Result<ExitCode, Failure> {
    let format = output.format(arguments.format)?;
    let mut measurement = Measurement::open(arguments, Vec::new(), output.quiet)?;
    let choice = match test_and_choose(&measurement.workshop) {
        Ok(choice) => choice,
        // Nothing was measured yet, but a record that says so is due all the same.
        Err(failure) if failure.code == INTERRUPTED => Choice::default(),
        Err(failure) => return Err(failure),
    };
    let ids: Vec<&str> = choice.ids.iter().map(EngineId::as_str).collect();
    let (record, faults) = measurement.run(&ids, Plan::default(), None, choice.calibrations)?;
    let written = measurement.write(&record)?;
    let faults = worth_printing(&record, faults)?;
    let costs = costs_of(&record, price_kwh);
    match format {
        Format::Json => {
            let cost = record
                .benchmarks
                .iter()
                .zip(&costs)
                .filter_map(|(benchmark, cost)| Some(CostOf { id: &benchmark.id, cost: cost.as_ref()? }))
                .collect();
            output.json(&WithCost { record: &record, cost })?;
        }
        Format::Csv => output.text(&csv::samples(&record))?,
        Format::Markdown => {
            let table = main_job(&record, &costs);
            output.text(&markdown::report(&record, &table, &notes(&record, &costs)))?;
        }
        Format::Table => {
            summary::print_main_job(&record, &costs, output)?;
            if let Some(path) = written {
                output.remark(&format!("record: {}", path.display()))?;
            }
        }
    }
    exit_code(&record, faults)
}

/// Tests every engine that may be chosen and is quick to build (the session tests the others before it measures them),
/// then chooses.
fn test_and_choose(workshop: &Workshop) -> Result<Choice, Failure> {
    for candidate in considered(&workshop.registry) {
        if !is_heavy(candidate) {
            workshop.test(candidate)?;
        }
    }
    choose(workshop)
}
