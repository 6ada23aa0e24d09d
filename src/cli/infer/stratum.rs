//! `hashwatt infer --stratum`: transcripts.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::args::InferArguments;
use super::flows::print_skipped;
use super::sessions::{self, Hypothesis, Named};
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::report::units::format_count;
use crate::traffic::escape::printable;
use crate::traffic::input::Input;
use crate::traffic::stratum::{TranscriptError, read_transcript};

/// The document of `--json`.
#[derive(Debug, Serialize)]
struct Document {
    source: Source,
    sessions: Vec<Named>,
    hypotheses: Vec<Hypothesis>,
    assumptions: Vec<String>,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Source {
    file: String,
    compression: Option<&'static str>,
    lines: u64,
    skipped_lines: u64,
    changed_while_read: bool,
}

pub(super) fn run(path: &Path, arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let transcript = read_transcript(Input::open(path)?)?;
    let mut assumptions = sessions::assumptions();
    let named = |(name, summary)| Named { name, summary, missing_bytes: None };
    let sessions: Vec<Named> = transcript.sessions.into_iter().map(named).collect();
    let hypotheses = sessions::hypotheses(&sessions, arguments, &mut assumptions);
    if output.json {
        let source = Source {
            file: path.display().to_string(),
            compression: transcript.compression,
            lines: transcript.lines,
            skipped_lines: transcript.skipped.count,
            changed_while_read: transcript.has_changed,
        };
        let summary = sessions::summary(&hypotheses, 0);
        output.json(&Document { source, sessions, hypotheses, assumptions, summary })?;
        return Ok(ExitCode::SUCCESS);
    }
    sessions::print(&sessions, &[], &hypotheses, output)?;
    let lines = format_count(transcript.lines);
    output.remark(&format!("\nread: {}: {lines} lines", printable(&path.display().to_string())))?;
    print_skipped(&transcript.skipped, "line", output)?;
    if transcript.has_changed {
        output.remark("note: the file changed while it was read")?;
    }
    for assumption in &assumptions {
        output.remark(&format!("assumed: {assumption}"))?;
    }
    Ok(ExitCode::SUCCESS)
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
