//! `hashwatt infer --pcap`: captured packets.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::args::InferArguments;
use super::reading::print_faults;
use super::sessions::{Findings, Named, NamedEncrypted};
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::report::units::format_count;
use crate::traffic::capture::{self, Capture, CaptureError, Found};
use crate::traffic::escape::printable;
use crate::traffic::input::Input;
use crate::traffic::stratum::Outcome;

#[derive(Debug, Serialize)]
struct Source {
    file: String,
    kind: &'static str,
    compression: Option<&'static str>,
    packets: u64,
    tcp_segments: u64,
    fragments: u64,
    packets_of_unknown_links: u64,
    skipped_packets: u64,
    connections: u64,
    connections_not_kept: u64,
    connections_cut_short: u64,
    clock_steps: u64,
    cut_off_because: Option<String>,
    changed_while_read: bool,
}

pub(super) fn run(path: &Path, arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let mut capture = capture::read(Input::open(path)?)?;
    let (sessions, encrypted) = sort(std::mem::take(&mut capture.found));
    let findings = Findings::new(sessions, Some(encrypted), arguments);
    findings.print(source(path, &capture), |output| print_reading(path, &capture, output), output)
}

/// Parts what could be read from what is encrypted, those with the most shares first.
fn sort(found: Vec<Found>) -> (Vec<Named>, Vec<NamedEncrypted>) {
    let (mut sessions, mut encrypted) = (Vec::new(), Vec::new());
    for found in found {
        let name = format!("{} to {}", found.client, found.server);
        match found.outcome {
            Outcome::Session(summary) => {
                sessions.push(Named { name, summary: *summary, missing_bytes: Some(found.missing_bytes) });
            }
            Outcome::Encrypted(figures) => encrypted.push(NamedEncrypted { name, figures }),
        }
    }
    sessions.sort_by_key(|session| std::cmp::Reverse(session.summary.shares.counted()));
    encrypted.sort_by_key(|connection| std::cmp::Reverse(connection.figures.messages_up));
    (sessions, encrypted)
}

fn source(path: &Path, capture: &Capture) -> Source {
    Source {
        file: path.display().to_string(),
        kind: capture.kind,
        compression: capture.compression,
        packets: capture.packets,
        tcp_segments: capture.segments,
        fragments: capture.fragments,
        packets_of_unknown_links: capture.other_links,
        skipped_packets: capture.faults.skipped.count,
        connections: capture.streams.connections,
        connections_not_kept: capture.streams.not_kept,
        connections_cut_short: capture.streams.cut_short,
        clock_steps: capture.clock_steps,
        cut_off_because: capture.faults.cut_off.clone(),
        changed_while_read: capture.faults.has_changed,
    }
}

fn print_reading(path: &Path, capture: &Capture, output: &mut Output) -> Result<(), Failure> {
    let name = printable(&path.display().to_string());
    output.remark(&format!(
        "read: {name} ({}): {} packets, {} connections of TCP",
        capture.kind,
        format_count(capture.packets),
        format_count(capture.streams.connections)
    ))?;
    let counts = [
        (capture.fragments, "fragments of IP packets were passed over"),
        (capture.other_links, "packets of link types that can't be read were passed over"),
        (capture.streams.not_kept, "connections more may be mining, and aren't listed"),
        (capture.streams.cut_short, "connections were ended early, because too many were open at once"),
        (capture.clock_steps, "packets bear a time more than a second before that of the one before"),
    ];
    for (count, text) in counts {
        if count > 0 {
            output.remark(&format!("note: {} {text}", format_count(count)))?;
        }
    }
    print_faults(&capture.faults, "packet", output)
}

impl From<CaptureError> for Failure {
    fn from(error: CaptureError) -> Self {
        let help = match &error {
            CaptureError::Input(_) => "",
            _ => "tcpdump -w, dumpcap and Wireshark write pcap and pcapng",
        };
        Self::usage(error.to_string(), help)
    }
}
