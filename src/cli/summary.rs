//! Prints what a record says.

use super::exit::Failure;
use super::output::{HEADING, Output};
use crate::record::Record;
use crate::report::summary::{INTERRUPTED, assumptions, main_job, sentences, setups};
use crate::study::Cost;

/// Prints the table of the bare program with what it means.
pub(super) fn print_main_job(record: &Record, costs: &[Option<Cost>], output: &mut Output) -> Result<(), Failure> {
    if record.benchmarks.is_empty() {
        output.line("nothing was measured")?;
    } else {
        output.table(&main_job(record, costs).header_style(HEADING))?;
    }
    let sentences = sentences(record, costs);
    if !sentences.is_empty() {
        output.line(&format!("\n{}\n", sentences.join("\n")))?;
    }
    if let Some(assumptions) = assumptions(costs) {
        output.remark(&assumptions)?;
    }
    print_setups(record, output)?;
    print_warnings(record, output)
}

/// Prints what was built before the clock started.
pub(super) fn print_setups(record: &Record, output: &mut Output) -> Result<(), Failure> {
    if let Some(setups) = setups(record) {
        output.remark(&setups)?;
    }
    Ok(())
}

/// Prints the warnings, each on one line.
pub(super) fn print_warnings(record: &Record, output: &mut Output) -> Result<(), Failure> {
    if record.interrupted {
        output.line(INTERRUPTED)?;
    }
    for warning in &record.warnings {
        output.remark(&format!("note: {}", warning.sentence()))?;
    }
    Ok(())
}
