//! `hashwatt infer --stratum`: transcripts.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::args::InferArguments;
use super::reading::print_faults;
use super::sessions::{Findings, Named};
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::report::units::format_count;
use crate::traffic::escape::printable;
use crate::traffic::input::Input;
use crate::traffic::stratum::{Transcript, TranscriptError, read_transcript};

#[derive(Debug, Serialize)]
struct Source {
    file: String,
    compression: Option<&'static str>,
    lines: u64,
    skipped_lines: u64,
    cut_off_because: Option<String>,
    changed_while_read: bool,
}

pub(super) fn run(path: &Path, arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let Transcript { sessions, compression, lines, faults } = read_transcript(Input::open(path)?)?;
    let named = |(name, summary)| Named { name, summary, missing_bytes: None };
    let findings = Findings::new(sessions.into_iter().map(named).collect(), None, arguments);
    let source = Source {
        file: path.display().to_string(),
        compression,
        lines,
        skipped_lines: faults.skipped.count,
        cut_off_because: faults.cut_off.clone(),
        changed_while_read: faults.has_changed,
    };
    let print_reading = |output: &mut Output| {
        let name = printable(&path.display().to_string());
        output.remark(&format!("read: {name}: {} lines", format_count(lines)))?;
        print_faults(&faults, "line", output)
    };
    findings.print(source, print_reading, output)
}

impl From<TranscriptError> for Failure {
    fn from(error: TranscriptError) -> Self {
        let help = match &error {
            TranscriptError::Input(_) => "",
            _ => "each line is an object with time (seconds since 1970, or RFC 3339), session and message",
        };
        Self::usage(error.to_string(), help)
    }
}
