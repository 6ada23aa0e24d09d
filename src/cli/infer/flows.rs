//! `hashwatt infer --flows`: which endpoints of flow records look like mining, and what their shares leave possible.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::args::InferArguments;
use super::count::inference;
use super::reading::print_faults;
use super::text::{paragraph, print, print_assumptions};
use crate::cli::exit::Failure;
use crate::cli::output::{HEADING, Output};
use crate::coin::Coin;
use crate::coin::history::SECONDS_PER_DAY;
use crate::coin::history::{Window, format_moment};
use crate::report::table::{Column, Table};
use crate::report::units::format_count;
use crate::traffic::escape::printable;
use crate::traffic::flows::{self, Candidate, Endpoints, Evidence, FlowError, Reading, Search, ShareEstimate, search};
use crate::traffic::input::Input;
use crate::traffic::{Count, Hypothesis, Inference, Observation, Per, Unit, parse_pool};

/// Candidates that a terminal shows.
const SHOWN: usize = 20;

/// The document of `--json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    source: Source,
    candidates: Vec<CandidateFigures<'a>>,
    candidates_in_all: u64,
    nodes: Vec<NodeFigures>,
    hypotheses: Vec<&'a Hypothesis>,
    assumptions: Vec<String>,
    summary: String,
}

/// What was read.
#[derive(Debug, Serialize)]
struct Source {
    file: String,
    kind: &'static str,
    compression: Option<&'static str>,
    lines: u64,
    tcp_records: u64,
    other_records: u64,
    skipped_lines: u64,
    first_skipped: Vec<SkippedLine>,
    endpoints: usize,
    endpoints_dropped: u64,
    cut_off_because: Option<String>,
    changed_while_read: bool,
    sampling: u32,
}

#[derive(Debug, Serialize)]
struct SkippedLine {
    line: u64,
    reason: String,
}

#[derive(Debug, Serialize)]
struct CandidateFigures<'a> {
    client: String,
    server: String,
    server_port: u16,
    score: i32,
    evidence: &'a [Evidence],
    from: String,
    to: String,
    records: u32,
    connections: f64,
    connected_s: f64,
    up_packets: u64,
    up_bytes: u64,
    down_packets: u64,
    down_bytes: u64,
    shares: &'a [ShareEstimate],
}

/// A client that talks to nodes.
#[derive(Debug, Serialize)]
struct NodeFigures {
    client: String,
    peers: u64,
    records: u64,
    span_s: f64,
}

pub(super) fn run(path: &Path, arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let sampling = arguments.sampling.unwrap_or(1);
    if let Some(pool) = &arguments.pool {
        parse_pool(pool, arguments.coin.unwrap_or(Coin::Btc))?;
    }
    let (endpoints, reading) = flows::read(Input::open(path)?)?;
    let found = search(&endpoints, f64::from(sampling));
    let mut assumptions = assumptions(arguments, &endpoints, &reading);
    let inferences = inferences(arguments, &found, &mut assumptions);
    let summary = summary(&found, &inferences);
    if output.json {
        for inference in &inferences {
            let new = inference.assumptions.iter().filter(|text| !assumptions.contains(text));
            let new: Vec<String> = new.cloned().collect();
            assumptions.extend(new);
        }
        output.json(&Document {
            source: source(path, &endpoints, &reading, sampling),
            candidates: found.candidates.iter().map(|candidate| figures(candidate, sampling.into())).collect(),
            candidates_in_all: found.candidates_in_all,
            nodes: nodes(&found),
            hypotheses: inferences.iter().flat_map(|inference| &inference.hypotheses).collect(),
            assumptions,
            summary,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    print_candidates(&found, sampling.into(), output)?;
    for inference in &inferences {
        let coin = inference.observation.coin.name();
        output.heading(&format!("\nIf these are shares of {coin}"))?;
        print(inference, output)?;
    }
    output.line("")?;
    paragraph(&summary, output)?;
    output.line("")?;
    print_reading(path, &endpoints, &reading, output)?;
    print_assumptions(&assumptions, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Holds the shares of all candidates together against every explanation, for each coin that they can be of.
fn inferences(arguments: &InferArguments, found: &Search, assumptions: &mut Vec<String>) -> Vec<Inference> {
    let mut inferences = Vec::new();
    for coin in [Coin::Btc, Coin::Xmr] {
        if arguments.coin.is_some_and(|asked| asked != coin) {
            continue;
        }
        let Some(observation) = observation(arguments, found, coin) else { continue };
        match observation.and_then(|observation| inference(arguments, &observation)) {
            Ok(inference) => inferences.push(inference),
            Err(failure) => {
                assumptions.push(format!(
                    "no machines and coins are computed for {}: {}",
                    coin.name(),
                    failure.message
                ));
            }
        }
    }
    inferences
}

/// Adds up the shares of all candidates that can be of a coin. `None` where there is none.
fn observation(arguments: &InferArguments, found: &Search, coin: Coin) -> Option<Result<Observation, Failure>> {
    let estimate = |candidate: &Candidate| {
        let mut fitting = candidate.estimates.iter().filter(|estimate| estimate.inconsistent_because.is_none());
        fitting.find(|estimate| estimate.coin == coin).map(|estimate| estimate.share_rate_per_s)
    };
    let fitting: Vec<_> =
        found.candidates.iter().filter_map(|candidate| Some((candidate, estimate(candidate)?))).collect();
    let first_s = fitting.iter().map(|(candidate, _)| candidate.endpoint.first_s).reduce(f64::min)?;
    let last_s = fitting.iter().map(|(candidate, _)| candidate.endpoint.last_s).reduce(f64::max)?;
    // Each is there for a part of the whole time only.
    let parts: Vec<_> = fitting
        .iter()
        .map(|(candidate, rate)| rate.scaled(SECONDS_PER_DAY * candidate.endpoint.span_s() / (last_s - first_s)))
        .collect();
    let (low, high) = parts.iter().fold((0.0, 0.0), |(low, high), part| (low + part.low, high + part.high));
    let count = Count { low: low.floor() as u64, high: high.ceil() as u64 };
    let window = Window::holding(first_s as i64, last_s as i64).map_err(Failure::from);
    Some(window.and_then(|window| {
        let pool = arguments.pool.as_deref().map(|text| parse_pool(text, coin)).transpose()?;
        let share_difficulty = arguments.share_difficulty;
        let observation = Observation::new(coin, count, Per::Day, Some(window));
        Ok(Observation { unit: Unit::Share, pool, share_difficulty, ..observation })
    }))
}

fn summary(found: &Search, inferences: &[Inference]) -> String {
    let mut sentences = Vec::new();
    match found.candidates_in_all {
        0 => sentences.push(
            "No endpoint looks like mining by the shape of its flows. Miners that speak through a VPN or a tunnel with \
             others look like it, and so do those that found no work."
                .to_owned(),
        ),
        count => {
            let are = match count {
                1 => "1 endpoint looks".to_owned(),
                _ => format!("{} endpoints look", format_count(count)),
            };
            sentences.push(format!(
                "{are} like mining by the shape of flows alone. Other software that sends short messages at a steady \
                 pace looks the same; a capture of a few minutes would tell."
            ));
        }
    }
    if let Some(node) = found.nodes.first() {
        let day = node.records as f64 / (node.span_s / SECONDS_PER_DAY).max(1.0);
        sentences.push(format!(
            "{} has {day:.0} connections a day to ports of nodes, and so a plain node without mining may do: one of \
             Bitcoin Core makes about 720 short ones a day.",
            node.client
        ));
    }
    sentences.extend(inferences.iter().map(|inference| inference.summary.clone()));
    sentences.join(" ")
}

fn assumptions(arguments: &InferArguments, endpoints: &Endpoints, reading: &Reading) -> Vec<String> {
    let mut assumptions = vec![
        "messages have the sizes that METHODOLOGY.md lists; what no sensor calls TLS is in the clear".to_owned(),
        "bytes to the server that aren't headers, logins or signs of life are shares".to_owned(),
    ];
    if arguments.sampling.is_some_and(|sampling| sampling > 1) {
        assumptions.push("packets were sampled at random, and records hold what was sampled, not scaled up".to_owned());
    }
    let (dropped, packets) = endpoints.dropped();
    if dropped > 0 {
        assumptions.push(format!(
            "{} endpoints with the fewest packets ({} in all) were dropped to make room: none of them mines",
            format_count(dropped),
            format_count(packets)
        ));
    }
    if reading.kind.starts_with("nfdump") {
        assumptions.push("the end with the lower port is the server".to_owned());
    }
    assumptions
}

fn source(path: &Path, endpoints: &Endpoints, reading: &Reading, sampling: u32) -> Source {
    let skipped = |(line, reason): &(u64, String)| SkippedLine { line: *line, reason: reason.clone() };
    Source {
        file: path.display().to_string(),
        kind: reading.kind,
        compression: reading.compression,
        lines: reading.lines,
        tcp_records: reading.records,
        other_records: reading.not_tcp,
        skipped_lines: reading.faults.skipped.count,
        first_skipped: reading.faults.skipped.first.iter().map(skipped).collect(),
        endpoints: endpoints.len(),
        endpoints_dropped: endpoints.dropped().0,
        cut_off_because: reading.faults.cut_off.clone(),
        changed_while_read: reading.faults.has_changed,
        sampling,
    }
}

fn figures(candidate: &Candidate, sampling: f64) -> CandidateFigures<'_> {
    let endpoint = &candidate.endpoint;
    CandidateFigures {
        client: endpoint.key.client.to_string(),
        server: endpoint.key.server.to_string(),
        server_port: endpoint.key.server_port,
        score: candidate.score,
        evidence: &candidate.evidence,
        from: format_moment(endpoint.first_s as i64),
        to: format_moment(endpoint.last_s as i64),
        records: endpoint.records,
        connections: endpoint.concurrency(sampling),
        connected_s: endpoint.time_s(sampling),
        up_packets: endpoint.up[0],
        up_bytes: endpoint.up[1],
        down_packets: endpoint.down[0],
        down_bytes: endpoint.down[1],
        shares: &candidate.estimates,
    }
}

fn nodes(found: &Search) -> Vec<NodeFigures> {
    let figures = |node: &flows::Node| NodeFigures {
        client: node.client.to_string(),
        peers: node.peers,
        records: node.records,
        span_s: node.span_s,
    };
    found.nodes.iter().map(figures).collect()
}

fn print_candidates(found: &Search, sampling: f64, output: &mut Output) -> Result<(), Failure> {
    if found.candidates.is_empty() {
        return Ok(());
    }
    output.heading("endpoints that look like mining")?;
    let mut table = Table::new([
        Column::left("client"),
        Column::left("server"),
        Column::right("score"),
        Column::right("connected").unit("h"),
        Column::right("connections").unit("at once"),
        Column::right("BTC shares").unit("a minute, 95 %"),
        Column::right("XMR shares").unit("a minute, 95 %"),
    ])
    .header_style(HEADING);
    for candidate in found.candidates.iter().take(SHOWN) {
        let endpoint = &candidate.endpoint;
        let server = match endpoint.key.server.to_ip().is_ipv4() {
            true => format!("{}:{}", endpoint.key.server, endpoint.key.server_port),
            false => format!("[{}]:{}", endpoint.key.server, endpoint.key.server_port),
        };
        table.push_row([
            endpoint.key.client.to_string(),
            server,
            candidate.score.to_string(),
            format!("{:.1}", endpoint.time_s(sampling) / 3600.0),
            format!("{:.1}", endpoint.concurrency(sampling)),
            minutely(candidate, Coin::Btc),
            minutely(candidate, Coin::Xmr),
        ]);
    }
    output.table(&table)?;
    let rest = found.candidates_in_all.saturating_sub(SHOWN as u64);
    if rest > 0 {
        output.remark(&format!("and {} more; --json lists up to 1,000", format_count(rest)))?;
    }
    output.line("")?;
    for candidate in found.candidates.iter().take(SHOWN) {
        let key = &candidate.endpoint.key;
        output.line(&format!("{} to {} port {}:", key.client, key.server, key.server_port))?;
        for evidence in &candidate.evidence {
            output.line(&format!("  {:+}  {}", evidence.points, evidence.text))?;
        }
    }
    Ok(())
}

fn minutely(candidate: &Candidate, coin: Coin) -> String {
    let Some(estimate) = candidate.estimates.iter().find(|estimate| estimate.coin == coin) else {
        return String::new();
    };
    if estimate.inconsistent_because.is_some() {
        return "doesn't fit".to_owned();
    }
    let rate = estimate.share_rate_per_s.scaled(60.0);
    let number = |rate: f64| if rate >= 9.95 { format!("{rate:.0}") } else { format!("{rate:.2}") };
    format!("{} ({} to {})", number(rate.value), number(rate.low), number(rate.high))
}

fn print_reading(path: &Path, endpoints: &Endpoints, reading: &Reading, output: &mut Output) -> Result<(), Failure> {
    let compression = reading.compression.map(|kind| format!(", {kind}")).unwrap_or_default();
    output.remark(&format!(
        "read: {} ({}{compression}): {} lines, {} records of TCP, {} endpoints",
        printable(&path.display().to_string()),
        reading.kind,
        format_count(reading.lines),
        format_count(reading.records),
        format_count(endpoints.len() as u64)
    ))?;
    print_faults(&reading.faults, "line", output)
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        let help = match &error {
            FlowError::Input(_) => "",
            _ => "Zeek's conn.log, nfdump -o csv, or a CSV with the columns that FORMAT.md lists",
        };
        Self::usage(error.to_string(), help)
    }
}
