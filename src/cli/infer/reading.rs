//! What every command that reads a file of records says of the reading.

use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::report::units::format_count;
use crate::traffic::input::{Faults, InputError};

/// Says what could not be read, each of which is a `what`, and whether the file was whole and stood still.
pub(super) fn print_faults(faults: &Faults, what: &str, output: &mut Output) -> Result<(), Failure> {
    let Faults { skipped, cut_off, has_changed } = faults;
    if skipped.count > 0 {
        let named: Vec<String> =
            skipped.first.iter().map(|(number, reason)| format!("{what} {number} ({reason})")).collect();
        let (count, named) = (format_count(skipped.count), named.join(", "));
        output.remark(&format!("note: skipped what can't be read, {count} in all: {named}"))?;
    }
    if let Some(reason) = cut_off {
        output.remark(&format!("note: the file isn't whole: {reason}"))?;
    }
    if *has_changed {
        output.remark("note: the file changed while it was read")?;
    }
    Ok(())
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::usage(error.to_string(), "")
    }
}
