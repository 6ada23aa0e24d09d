//! `hashwatt selftest`: every engine against known answers and its oracle, without timing.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::exit::Failure;
use super::output::{HEADING, Output};
use super::select;
use super::workshop::Workshop;
use crate::engine::{Candidate, EngineId};
use crate::report::table::{Column, Table};
use crate::sysroot::Sysroot;

#[derive(Serialize)]
struct Results {
    engines: Vec<Row>,
}

/// How one engine did. An engine that computes a wrong hash ends the program instead.
#[derive(Serialize)]
struct Row {
    id: EngineId,
    device_name: String,
    /// False where it wasn't tested.
    passed: bool,
    checks: usize,
    verified_by: Option<String>,
    /// Why it wasn't tested.
    skipped: Option<String>,
    hint: Option<String>,
}

pub(super) fn run(filters: &[String], threads: Option<usize>, output: &mut Output) -> Result<ExitCode, Failure> {
    let workshop = Workshop::open(&Sysroot::default(), threads, output.quiet)?;
    let chosen = select::by_filters(&workshop.registry, filters)?;
    let engines = chosen.into_iter().map(|candidate| row(&workshop, candidate)).collect::<Result<Vec<_>, _>>()?;
    workshop.terminal.clear();
    if output.json {
        output.json(&Results { engines })?;
    } else {
        print(&engines, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(workshop: &Workshop, candidate: &Candidate) -> Result<Row, Failure> {
    let untested = Row {
        id: candidate.id.clone(),
        device_name: candidate.device_name.clone(),
        passed: false,
        checks: 0,
        verified_by: None,
        skipped: None,
        hint: None,
    };
    if let Some(unavailable) = candidate.unavailable() {
        let hint = Some(unavailable.hint.clone()).filter(|hint| !hint.is_empty());
        return Ok(Row { skipped: Some(unavailable.reason.clone()), hint, ..untested });
    }
    let tested = workshop.test(candidate)?;
    Ok(Row { passed: true, checks: tested.checks, verified_by: Some(tested.verified_by), ..untested })
}

fn print(engines: &[Row], output: &mut Output) -> Result<(), Failure> {
    let columns = [
        Column::left("engine"),
        Column::left("result"),
        Column::right("checks"),
        Column::left("verified by, or why not"),
        Column::left("device"),
    ];
    let mut table = Table::new(columns).header_style(HEADING);
    for engine in engines {
        let result = if engine.passed { "passed" } else { "skipped" };
        let checks = if engine.passed { engine.checks.to_string() } else { String::new() };
        let by = engine.verified_by.as_ref().or(engine.skipped.as_ref()).cloned().unwrap_or_default();
        table.push_row([engine.id.to_string(), result.to_owned(), checks, by, engine.device_name.clone()]);
    }
    output.table(&table)?;
    for engine in engines {
        if let Some(hint) = &engine.hint {
            output.remark(&format!("to mend {}: {hint}", engine.id))?;
        }
    }
    let passed = engines.iter().filter(|engine| engine.passed).count();
    let green = Style::new().fg_color(Some(AnsiColor::Green.into()));
    let rest = if passed < engines.len() { "; the others can't run here" } else { "" };
    output.line(&format!("{green}{passed} of {} engines passed{green:#}{rest}", engines.len()))?;
    Ok(())
}
