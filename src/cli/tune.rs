//! `hashwatt tune`: which variant of the kernels is the fastest on each graphics adapter.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::exit::Failure;
use super::gpu::as_found_before;
use super::output::{HEADING, Output};
use super::select;
use super::workshop::Workshop;
use crate::device::Device;
use crate::engine::{Candidate, EngineId};
use crate::report::table::{Column, Table};
use crate::report::units::format_si;
use crate::sha256d::gpu::{Trial, Tuned};
use crate::sysroot::Sysroot;

/// What `hashwatt tune` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hashwatt tune                     every adapter
  hashwatt tune '*/gpu0/*' --json   one adapter, for a script

What is found is kept in the user's cache directory, and used from then on until the driver or the kernels change.")]
pub(super) struct TuneArguments {
    /// Engines to tune: globs over ids, such as '*/gpu0/*' ('*' crosses '/') [default: all on graphics adapters]
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

#[derive(Serialize)]
struct Results {
    engines: Vec<Row>,
    /// Where the choices are kept; null where there is no such place.
    kept_in: Option<String>,
}

#[derive(Serialize)]
struct Row {
    id: EngineId,
    device_name: String,
    best: TrialRow,
    /// In the order in which they were tried, the usual variant first.
    trials: Vec<TrialRow>,
}

#[derive(Serialize)]
struct TrialRow {
    variant: String,
    /// By the adapter's own clock where it has one.
    rate_hps: Option<f64>,
    /// Why there is no rate.
    reason: Option<String>,
}

impl From<&Trial> for TrialRow {
    fn from(trial: &Trial) -> Self {
        let (rate_hps, reason) = match &trial.rate_hps {
            Ok(rate_hps) => (Some(*rate_hps), None),
            Err(reason) => (None, Some(reason.clone())),
        };
        Self { variant: trial.variant.to_string(), rate_hps, reason }
    }
}

pub(super) fn run(arguments: &TuneArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let settings = as_found_before();
    let workshop = Workshop::open_with(&Sysroot::default(), None, output.quiet, &settings)?;
    let chosen = tunable(&workshop, &arguments.filters)?;
    let mut engines = Vec::new();
    for candidate in chosen {
        let (tuned, error) = workshop.registry.tune(&candidate.id, &settings.choices, &workshop.preparation(&[]))?;
        if let Some(error) = error {
            let path = settings.choices.path().map_or_else(String::new, |path| format!(" in {}", path.display()));
            output.remark(&format!("the choice can't be kept{path}: {error}"))?;
        }
        let Tuned { best, trials } = tuned;
        engines.push(Row {
            id: candidate.id.clone(),
            device_name: candidate.device_name.clone(),
            best: (&best).into(),
            trials: trials.iter().map(TrialRow::from).collect(),
        });
    }
    workshop.terminal.clear();
    let kept_in = settings.choices.path().map(|path| path.display().to_string());
    let results = Results { engines, kept_in };
    if output.json {
        output.json(&results)?;
    } else {
        print(&results, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the engines that the filters mean and that have variants.
fn tunable<'a>(workshop: &'a Workshop, filters: &[String]) -> Result<Vec<&'a Candidate>, Failure> {
    let all = ["*/gpu[0-9]*/*".to_owned()];
    let chosen = select::by_filters(&workshop.registry, if filters.is_empty() { &all } else { filters })?;
    let (tunable, others): (Vec<&Candidate>, Vec<&Candidate>) =
        chosen.into_iter().partition(|candidate| matches!(candidate.id.device().parse(), Ok(Device::Gpu(_))));
    match (tunable.is_empty(), others.first()) {
        (true, Some(other)) => Err(Failure::usage(
            format!("{} has no variants to choose from", other.id),
            "only engines on one graphics adapter have: hashwatt tune '*/gpu0/*'",
        )),
        _ => Ok(tunable.into_iter().filter(|candidate| candidate.availability.is_ok()).collect()),
    }
}

fn print(results: &Results, output: &mut Output) -> Result<(), Failure> {
    for row in &results.engines {
        output.line(&format!("{HEADING}{}{HEADING:#}  {}", row.id, row.device_name))?;
        let usual = row.trials.first().and_then(|trial| trial.rate_hps);
        let columns = [Column::right("rate"), Column::right("to the usual"), Column::left("variant")];
        let mut table = Table::new(columns).header_style(HEADING);
        for trial in &row.trials {
            let is_best = trial.variant == row.best.variant;
            let rate = trial.rate_hps.map_or_else(|| "-".to_owned(), |rate| format_si(rate, "H/s", 3));
            let ratio =
                trial.rate_hps.zip(usual).map_or_else(String::new, |(rate, usual)| format!("{:.3}", rate / usual));
            let note = trial.reason.as_ref().map_or_else(String::new, |reason| format!("  ({reason})"));
            let mark = if is_best { "  <- fastest" } else { "" };
            table.push_row([rate, ratio, format!("{}{note}{mark}", trial.variant)]);
        }
        output.table(&table)?;
    }
    if let Some(path) = &results.kept_in {
        output.remark(&format!("kept in {path}; hashwatt bench --no-autotune runs the usual variant"))?;
    }
    Ok(())
}
