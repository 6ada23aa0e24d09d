//! Transcripts: what miners and pools said, a line of JSON for each message.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::message::{parse, parse_value};
use super::session::{Session, SessionSummary};
use crate::traffic::escape::printable;
use crate::traffic::flows::parse_moment;
use crate::traffic::input::{Faults, Input, InputError, Line, Lines, Skipped};

/// The longest line that is read, at least.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Sessions of one transcript.
const SESSIONS_MAX: usize = 100_000;

/// A transcript that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The operating system's, or damaged compression.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Too many lines that can't be read, or none that can.
    #[error(
        "{path:?} is no transcript that can be read: {count} lines are none of it; the first is line {line}: {reason}"
    )]
    Lines {
        /// The file.
        path: PathBuf,
        /// How many lines.
        count: u64,
        /// The first such line's number, from 1 on.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// More sessions than fit into memory.
    #[error("{path:?} has more than {SESSIONS_MAX} sessions")]
    Sessions {
        /// The file.
        path: PathBuf,
    },
    /// Nothing of mining.
    #[error("{path:?} holds no message of a mining protocol, in {lines} lines")]
    Nothing {
        /// The file.
        path: PathBuf,
        /// Lines in all.
        lines: u64,
    },
}

/// What was read of a transcript.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// Each session by its name, in the order of names.
    pub sessions: Vec<(String, SessionSummary)>,
    /// Lines in all.
    pub lines: u64,
    /// `gzip` or `zstd`, where it was compressed.
    pub compression: Option<&'static str>,
    /// What is wrong with the input all the same.
    pub faults: Faults,
}

/// A line of a transcript.
#[derive(Deserialize)]
struct Entry {
    time: Moment,
    #[serde(default)]
    session: String,
    message: Value,
}

/// Seconds since 1970, or a date with a time of day.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(f64),
    Text(String),
}

/// Reads a transcript.
///
/// # Errors
///
/// It can't be read, or holds nothing that is known.
pub fn read(mut input: Input) -> Result<Transcript, TranscriptError> {
    let path = input.path().to_owned();
    let mut transcript = Transcript { compression: input.compression(), ..Transcript::default() };
    let mut sessions: BTreeMap<String, Session> = BTreeMap::new();
    let mut lines = Lines::new(input.by_ref(), LINE_BYTES_MAX);
    let fault = loop {
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        transcript.lines += 1;
        let entry = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => continue,
            Line::Whole(line) => read_entry(line),
            Line::TooLong => Err("it is longer than any message".to_owned()),
        };
        match entry {
            Ok((time_s, entry)) => {
                if !sessions.contains_key(&entry.session) && sessions.len() == SESSIONS_MAX {
                    return Err(TranscriptError::Sessions { path });
                }
                let message = match &entry.message {
                    Value::String(text) => parse(text.trim().as_bytes()),
                    value => parse_value(value),
                };
                sessions.entry(entry.session).or_default().take_parsed(time_s, message);
            }
            Err(reason) => {
                if !transcript.faults.skipped.note(transcript.lines, || printable(&reason)) {
                    return Err(unreadable(path, &mut transcript.faults.skipped));
                }
            }
        }
    };
    if let Some(error) = fault {
        transcript.faults.cut_off = Some(input.cut_off_by(error)?);
    }
    transcript.faults.has_changed = input.has_changed();
    let finished = sessions.into_iter().filter_map(|(name, session)| Some((printable(&name), session.finish()?)));
    transcript.sessions = finished.collect();
    match transcript.sessions.is_empty() {
        true if transcript.faults.skipped.count > 0 => Err(unreadable(path, &mut transcript.faults.skipped)),
        true => Err(TranscriptError::Nothing { path, lines: transcript.lines }),
        false => Ok(transcript),
    }
}

fn unreadable(path: PathBuf, skipped: &mut Skipped) -> TranscriptError {
    let (line, reason) = skipped.first.swap_remove(0);
    TranscriptError::Lines { path, count: skipped.count, line, reason }
}

fn read_entry(line: &[u8]) -> Result<(f64, Entry), String> {
    let entry: Entry = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let time_s = match &entry.time {
        Moment::Seconds(seconds) => Some(*seconds),
        Moment::Text(text) => parse_moment(text.as_bytes()),
    };
    let time_s = time_s.filter(|time_s| (0.0..=4_102_444_800.0).contains(time_s));
    Ok((time_s.ok_or("its time can't be read, or lies before 1970 or after 2100")?, entry))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use super::*;

    fn read_text(text: &str) -> Result<Transcript, TranscriptError> {
        read(Input::from_reader(Path::new("t.jsonl"), Cursor::new(text.as_bytes().to_vec())).unwrap())
    }

    const LOGIN: &str = r#"{"time":100,"session":"a","message":{"method":"login","params":{},"id":1}}"#;
    const JOB: &str = "{\"time\":\"1970-01-01T00:01:40Z\",\"session\":\"a\",\"message\":\"{\\\"method\\\":\\\"job\\\",\
                       \\\"params\\\":{\\\"job_id\\\":\\\"1\\\",\\\"target\\\":\\\"b88d0600\\\"}}\\n\"}";
    const SHARE: &str = r#"{"time":157,"session":"a","message":{"method":"submit","params":{"job_id":"1"},"id":2}}"#;

    #[test]
    fn messages_may_be_objects_or_texts_and_times_numbers_or_dates() {
        let other = LOGIN.replace("\"a\"", "\"b\\u001b\"");
        let transcript = read_text(&format!("{LOGIN}\n{JOB}\n\n{other}\n{SHARE}\n")).unwrap();
        assert_eq!((transcript.lines, transcript.faults.skipped.count), (5, 0));
        let names: Vec<_> = transcript.sessions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b\\u{1b}"]);
        let rate = transcript.sessions[0].1.hash_rate_hps.unwrap();
        assert!((rate.value - 10_000.0 / 57.0).abs() < 0.01, "{rate:?}");
    }

    #[test]
    fn what_is_no_transcript_is_refused() {
        for (text, words) in [
            ("", "holds no message of a mining protocol, in 0 lines"),
            ("{\"time\":1,\"message\":{\"method\":\"x\"}}\n", "holds no message of a mining protocol, in 1 lines"),
            ("hello\n", "the first is line 1: expected value"),
            ("{\"time\":-5,\"message\":{}}\n", "its time can't be read"),
            ("{\"message\":{}}\n", "missing field `time`"),
        ] {
            let error = read_text(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
        let broken = "x\n".repeat(1_001);
        let error = read_text(&format!("{LOGIN}\n{broken}")).unwrap_err().to_string();
        assert!(error.contains("1001 lines are none of it; the first is line 2"), "{error}");
    }
}
