//! `hashwatt selftest`: every engine against known answers and its oracle, without timing.

use std::collections::HashMap;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::exit::Failure;
use super::output::{HEADING, Output};
use super::select;
use super::workshop::{Tested, Workshop};
use crate::bench::{Supplier, groups};
use crate::engine::{Candidate, EngineId};
use crate::randomx;
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
    let tested = test_in_groups(&workshop, &chosen)?;
    let engines: Vec<Row> = chosen.into_iter().map(|candidate| row(candidate, tested.get(&candidate.id))).collect();
    workshop.terminal.clear();
    if output.json {
        output.json(&Results { engines })?;
    } else {
        print(&engines, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tests those that can run here, so many at a time as fit into memory together.
fn test_in_groups(workshop: &Workshop, chosen: &[&Candidate]) -> Result<HashMap<EngineId, Tested>, Failure> {
    let present: Vec<&Candidate> = chosen.iter().copied().filter(|one| one.availability.is_ok()).collect();
    let room = randomx::usable_memory_bytes(&Sysroot::default());
    let mut tested = HashMap::new();
    for group in groups(&present, |candidate| workshop.registry.resources(candidate), room) {
        let members: Vec<&Candidate> = present.iter().copied().filter(|one| group.contains(&one.id)).collect();
        tested.extend(group.into_iter().zip(workshop.test_together(&members)?));
    }
    Ok(tested)
}

fn row(candidate: &Candidate, tested: Option<&Tested>) -> Row {
    let unavailable = candidate.unavailable();
    Row {
        id: candidate.id.clone(),
        device_name: candidate.device_name.clone(),
        passed: tested.is_some(),
        checks: tested.map_or(0, |tested| tested.checks),
        verified_by: tested.map(|tested| tested.verified_by.clone()),
        skipped: unavailable.map(|unavailable| unavailable.reason.clone()),
        hint: unavailable.map(|unavailable| unavailable.hint.clone()).filter(|hint| !hint.is_empty()),
    }
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
