//! `hashwatt compare`: whether one record's engines are faster or slower than another's.

use std::path::PathBuf;
use std::process::ExitCode;

use super::args::CompareArguments;
use super::exit::{Failure, RECORD, REGRESSION};
use super::output::{HEADING, Output};
use crate::record::{self, ReadError};
use crate::report::comparison::{explanation, remarks, table};
use crate::statistics::Verdict;
use crate::study::{Comparison, Pair, Run};

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
pub(super) fn runs<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<Run>, ReadError> {
    paths.into_iter().map(|path| Ok(Run { path: path.clone(), record: record::read(path)? })).collect()
}

fn print(arguments: &CompareArguments, comparison: &Comparison, output: &mut Output) -> Result<(), Failure> {
    output.table(&table(comparison).header_style(HEADING))?;
    output.remark(&explanation(arguments.threshold))?;
    for remark in remarks(comparison) {
        output.remark(&remark)?;
    }
    let is_several = arguments.more_base.len() + arguments.new.len() > 1;
    for one in &comparison.differences {
        let path = if is_several { format!(" in {}", one.new.display()) } else { String::new() };
        output.remark(&format!("differs{path}: {}: {} and {}", one.what, one.base, one.new_value))?;
    }
    Ok(())
}
