//! Sessions of miners and pools: what `--stratum` and `--pcap` have in common.

use std::process::ExitCode;

use serde::Serialize;

use super::args::InferArguments;
use super::text::{paragraph, print_assumptions};
use crate::cli::exit::Failure;
use crate::cli::network;
use crate::cli::output::{HEADING, Output};
use crate::coin::Coin;
use crate::coin::history::SECONDS_PER_DAY;
use crate::coin::history::Window;
use crate::interval::Interval;
use crate::report::table::{Column, Table};
use crate::report::units::{between, format_coins, format_count, format_number, format_si, group_thousands};
use crate::traffic::stratum::{Encrypted, EncryptedKind, SessionSummary};
use crate::traffic::{Connections, Count, Earnings, Ends, Observation, Per, Rate, Representative};

/// Sessions that a terminal shows.
const SHOWN: usize = 20;

/// A session with its name.
#[derive(Debug, Serialize)]
pub(super) struct Named {
    /// Who talked to whom, or what the transcript calls it.
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) summary: SessionSummary,
    /// Bytes that aren't in the capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missing_bytes: Option<u64>,
}

/// A connection that can't be read, with its name.
#[derive(Debug, Serialize)]
pub(super) struct NamedEncrypted {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) figures: Encrypted,
}

/// The document of `--json`.
#[derive(Debug, Serialize)]
struct Document<'a, S> {
    source: S,
    sessions: &'a [Named],
    /// Absent where the records hold none.
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted: Option<&'a [NamedEncrypted]>,
    hypotheses: &'a [Hypothesis],
    assumptions: &'a [String],
    summary: String,
}

/// All that was found in records, and what it comes to.
#[derive(Debug)]
pub(super) struct Findings {
    sessions: Vec<Named>,
    /// `None` where the records can't hold encrypted connections.
    encrypted: Option<Vec<NamedEncrypted>>,
    hypotheses: Vec<Hypothesis>,
    assumptions: Vec<String>,
}

impl Findings {
    pub(super) fn new(
        sessions: Vec<Named>,
        encrypted: Option<Vec<NamedEncrypted>>,
        arguments: &InferArguments,
    ) -> Self {
        let mut assumptions = assumptions();
        let hypotheses = hypotheses(&sessions, arguments, &mut assumptions);
        Self { sessions, encrypted, hypotheses, assumptions }
    }

    /// Prints them and what was read: as one document that holds `source`, or as text in which `print_reading` says it.
    pub(super) fn print(
        &self,
        source: impl Serialize,
        print_reading: impl FnOnce(&mut Output) -> Result<(), Failure>,
        output: &mut Output,
    ) -> Result<ExitCode, Failure> {
        let Self { sessions, encrypted, hypotheses, assumptions } = self;
        let encrypted = encrypted.as_deref();
        let summary = summary(hypotheses, encrypted.map_or(0, <[_]>::len));
        if output.json {
            output.json(&Document { source, sessions, encrypted, hypotheses, assumptions, summary })?;
            return Ok(ExitCode::SUCCESS);
        }
        print(sessions, encrypted.unwrap_or_default(), hypotheses, &summary, output)?;
        output.line("")?;
        print_reading(output)?;
        print_assumptions(assumptions, output)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What sessions in the clear say of a coin: nothing is left to explain but chance.
#[derive(Debug, Serialize)]
struct Hypothesis {
    name: &'static str,
    coin: Coin,
    explanation: String,
    consistent: bool,
    connections: Connections,
    hash_rate_hps: Rate,
    machines: Vec<Machine>,
    /// Expected in the time of the records.
    coins: Ends,
    unbounded_because: Option<String>,
}

#[derive(Debug, Serialize)]
struct Machine {
    #[serde(flatten)]
    machine: Representative,
    count: Ends,
}

/// What the figures of sessions rest on.
fn assumptions() -> Vec<String> {
    [
        "a share counts where the pool accepted it, or where its answer isn't in the records",
        "the hash rate of a session doesn't change; a share of it comes by chance (Poisson)",
        "a machine hashes from its first job to the last packet of its session",
        "coins are expectations by the subsidy alone: no fees, no pool's share, no luck",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The rate of all sessions of a coin together, as the mean over the time in which there was any.
struct Together {
    rate_hps: Interval,
    time_s: f64,
    sessions: u64,
}

/// Adds sessions up, weighted by their times: a miner that connects anew has one rate, and miners beside each other
/// have several. Their intervals add in squares, to either side.
fn together(sessions: &[&SessionSummary]) -> Option<Together> {
    let mut spans: Vec<(f64, f64)> =
        sessions.iter().map(|session| (session.to_s - session.work_s, session.to_s)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut time_s, mut until_s) = (0.0, f64::NEG_INFINITY);
    for (from_s, to_s) in spans {
        time_s += (to_s - from_s.max(until_s)).max(0.0);
        until_s = until_s.max(to_s);
    }
    let parts: Vec<Interval> =
        sessions.iter().filter_map(|session| Some(session.hash_rate_hps?.scaled(session.work_s / time_s))).collect();
    if parts.is_empty() || time_s <= 0.0 {
        return None;
    }
    let value: f64 = parts.iter().map(|part| part.value).sum();
    let below: f64 = parts.iter().map(|part| (part.value - part.low).powi(2)).sum();
    let above: f64 = parts.iter().map(|part| (part.high - part.value).powi(2)).sum();
    let rate_hps = Interval { value, low: (value - below.sqrt()).max(0.0), high: value + above.sqrt() };
    Some(Together { rate_hps, time_s, sessions: parts.len() as u64 })
}

/// Makes a hypothesis for each coin, and notes what can't be computed.
fn hypotheses(sessions: &[Named], arguments: &InferArguments, notes: &mut Vec<String>) -> Vec<Hypothesis> {
    let of_coin = |coin: Coin| {
        let meant: Vec<&SessionSummary> =
            sessions.iter().map(|session| &session.summary).filter(|session| session.coin == coin).collect();
        (!meant.is_empty()).then_some((coin, meant))
    };
    let coins = [Coin::Btc, Coin::Xmr].into_iter().filter_map(of_coin);
    coins.map(|(coin, meant)| hypothesis(coin, &meant, arguments, notes)).collect()
}

fn hypothesis(
    coin: Coin,
    sessions: &[&SessionSummary],
    arguments: &InferArguments,
    notes: &mut Vec<String>,
) -> Hypothesis {
    let together = together(sessions);
    let of = "connections of which the shares were read";
    let mut hypothesis = Hypothesis {
        name: "share/read",
        coin,
        explanation: format!("shares of {} and their difficulties as they were sent", coin.name()),
        consistent: true,
        connections: Connections { low: Some(0), high: Some(0), of },
        hash_rate_hps: Rate::default(),
        machines: Vec::new(),
        coins: Ends::default(),
        unbounded_because: None,
    };
    let Some(Together { rate_hps, time_s, sessions: count }) = together else {
        let because = sessions.iter().find_map(|session| session.unbounded_because.clone());
        hypothesis.unbounded_because = because;
        return hypothesis;
    };
    let rate = Rate { low: Some(rate_hps.low), best: Some(rate_hps.value), high: Some(rate_hps.high) };
    (hypothesis.connections.low, hypothesis.connections.high) = (Some(count), Some(count));
    hypothesis.hash_rate_hps = rate;
    let from_s = sessions.iter().map(|session| session.from_s).fold(f64::INFINITY, f64::min);
    let to_s = sessions.iter().map(|session| session.to_s).fold(f64::NEG_INFINITY, f64::max);
    match earnings(coin, from_s, to_s, arguments) {
        Ok(earnings) => {
            let share = |per_hps: f64, rate: Option<f64>| rate.map(|rate| rate * per_hps);
            let ends = |per_hps: f64| Ends { low: share(per_hps, rate.low), high: share(per_hps, rate.high) };
            let machine = |machine: Representative| {
                let count = ends(1.0 / machine.rate_hps);
                Machine { machine, count }
            };
            hypothesis.machines = earnings.machines().into_iter().map(machine).collect();
            hypothesis.coins = ends(earnings.coins_per_hps * time_s / (earnings.days * SECONDS_PER_DAY));
        }
        Err(failure) => notes.push(format!("no machines and coins for {}: {}", coin.name(), failure.message)),
    }
    hypothesis
}

fn earnings(coin: Coin, from_s: f64, to_s: f64, arguments: &InferArguments) -> Result<Earnings, Failure> {
    let window = Window::holding(from_s as i64, to_s as i64)?;
    let epochs = arguments.epochs.as_deref().filter(|_| coin == Coin::Btc);
    let history = network::history(coin, epochs)?;
    let observation = Observation::new(coin, Count::exactly(0), Per::Total, Some(window));
    Ok(Earnings::over(&observation, &history, arguments.growth)?)
}

/// Says in a few sentences what sessions support.
fn summary(hypotheses: &[Hypothesis], encrypted: usize) -> String {
    let mut sentences = Vec::new();
    for hypothesis in hypotheses {
        let words = |rate: f64| format_si(rate, "H/s", 3);
        let Rate { low, best, high } = hypothesis.hash_rate_hps;
        let coin = hypothesis.coin.name();
        sentences.push(match (low, best, high) {
            (Some(low), Some(best), Some(high)) => {
                let count = hypothesis.connections.high.unwrap_or(0);
                let sessions =
                    if count == 1 { "1 connection".to_owned() } else { format!("{} connections", format_count(count)) };
                let mut text = format!(
                    "The shares of {coin} that {sessions} sent come to {}, {} with 95 % confidence.",
                    words(best),
                    between(&words(low), &words(high))
                );
                if let Some(machine) = hypothesis.machines.first() {
                    let count = |count: Option<f64>| count.map_or_else(String::new, format_number);
                    text += &format!(
                        " That is as much as {} of {}.",
                        between(&count(machine.count.low), &count(machine.count.high)),
                        machine.machine.name
                    );
                }
                text
            }
            _ => format!(
                "No hash rate follows for {coin}: {}.",
                hypothesis.unbounded_because.as_deref().unwrap_or("no shares and no jobs were read")
            ),
        });
    }
    match encrypted {
        0 => {}
        1 => sentences
            .push("1 connection is encrypted and speaks as miners do; what it mines at can't be read.".to_owned()),
        count => sentences.push(format!(
            "{} connections are encrypted and speak as miners do; what they mine at can't be read.",
            format_count(count as u64)
        )),
    }
    if sentences.is_empty() {
        sentences.push("No connection speaks a protocol of mining in the clear, and none looks like one.".to_owned());
    }
    sentences.join(" ")
}

/// Prints sessions and what they come to.
fn print(
    sessions: &[Named],
    encrypted: &[NamedEncrypted],
    hypotheses: &[Hypothesis],
    summary: &str,
    output: &mut Output,
) -> Result<(), Failure> {
    if !sessions.is_empty() {
        output.heading("sessions")?;
        output.table(&table(sessions))?;
        rest(sessions.len(), output)?;
        for (text, names) in remarks_of(sessions) {
            let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
            output.remark(&format!("{}{more}: {text}", names[0]))?;
        }
    }
    if !encrypted.is_empty() {
        output.heading("\nencrypted")?;
        output.table(&encrypted_table(encrypted))?;
        rest(encrypted.len(), output)?;
    }
    output.line("")?;
    paragraph(summary, output)?;
    for hypothesis in hypotheses {
        if let (Some(low), Some(high)) = (hypothesis.coins.low, hypothesis.coins.high) {
            let coins = between(&format_coins(low), &format_coins(high));
            output.line(&format!("Expected in this time: {coins} {}", hypothesis.coin.symbol()))?;
        }
    }
    Ok(())
}

fn rest(count: usize, output: &mut Output) -> Result<(), Failure> {
    if count > SHOWN {
        output.remark(&format!("and {} more; --json lists them", format_count((count - SHOWN) as u64)))?;
    }
    Ok(())
}

fn table(sessions: &[Named]) -> Table {
    let mut table = Table::new([
        Column::left("session"),
        Column::left("speaks"),
        Column::right("work").unit("s"),
        Column::right("difficulty"),
        Column::right("shares").unit("accepted"),
        Column::right("refused"),
        Column::right("unanswered"),
        Column::right("hash rate").unit("95 %"),
    ])
    .header_style(HEADING);
    let count = |count: u64| if count == 0 { String::new() } else { format_count(count) };
    for session in sessions.iter().take(SHOWN) {
        let summary = &session.summary;
        let rate = summary.hash_rate_hps.map_or_else(
            || {
                summary
                    .hash_rate_below_hps
                    .map_or_else(|| "unknown".to_owned(), |below| format!("below {}", format_si(below, "H/s", 3)))
            },
            |rate| {
                let words = |rate: f64| format_si(rate, "H/s", 3);
                format!("{} ({})", words(rate.value), between(&words(rate.low), &words(rate.high)))
            },
        );
        table.push_row([
            session.name.clone(),
            summary.protocol.name().to_owned(),
            group_thousands(&format!("{:.0}", summary.work_s)),
            difficulties(summary),
            format_count(summary.shares.accepted),
            count(summary.shares.refused),
            count(summary.shares.unanswered),
            rate,
        ]);
    }
    table.without_empty_columns()
}

fn difficulties(summary: &SessionSummary) -> String {
    let known = summary.difficulties.iter().map(|at| at.difficulty);
    let low = known.clone().fold(f64::INFINITY, f64::min);
    let high = known.fold(0.0, f64::max);
    let words = |difficulty: f64| match difficulty {
        10.0.. => group_thousands(&format!("{difficulty:.0}")),
        _ => format!("{difficulty:.4}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    };
    match summary.difficulties.len() {
        0 => String::new(),
        1 => words(low),
        _ => between(&words(low), &words(high)),
    }
}

/// The remarks on all sessions that are shown, each with those that it is on.
fn remarks_of(sessions: &[Named]) -> Vec<(String, Vec<&str>)> {
    let mut all: Vec<(String, Vec<&str>)> = Vec::new();
    for session in sessions.iter().take(SHOWN) {
        for text in remarks(session) {
            match all.iter_mut().find(|(known, _)| *known == text) {
                Some((_, names)) => names.push(&session.name),
                None => all.push((text, vec![&session.name])),
            }
        }
    }
    all
}

fn remarks(session: &Named) -> Vec<String> {
    let summary = &session.summary;
    let mut remarks: Vec<String> =
        summary.unbounded_because.iter().map(|text| format!("no hash rate: {text}")).collect();
    let unknown = summary.shares_of_unknown_difficulty;
    if unknown > 0 {
        remarks.push(format!("{} shares of unknown difficulty count for nothing", format_count(unknown)));
    }
    if !summary.refusals.is_empty() {
        remarks.push(format!("refused: {}", summary.refusals.join("; ")));
    }
    if let Some(missing) = session.missing_bytes.filter(|missing| *missing > 0) {
        remarks.push(format!("{} bytes are missing; shares in them aren't counted", format_count(missing)));
    }
    if let Some(fault) = &summary.first_fault {
        remarks.push(format!("{} messages can't be read; the first: {fault}", format_count(summary.faults)));
    }
    if summary.clock_steps > 0 {
        remarks.push(format!("the clock runs backwards {} times", format_count(summary.clock_steps)));
    }
    remarks
}

fn encrypted_table(encrypted: &[NamedEncrypted]) -> Table {
    let mut table = Table::new([
        Column::left("connection"),
        Column::left("encrypted by"),
        Column::right("time").unit("s"),
        Column::right("messages up"),
        Column::right("of a share's size"),
        Column::right("shares, if so").unit("a minute, 95 %"),
    ])
    .header_style(HEADING);
    for connection in encrypted.iter().take(SHOWN) {
        let figures = &connection.figures;
        let rate = figures.share_rate_per_s.map_or_else(String::new, |rate| {
            let rate = rate.scaled(60.0);
            format!("{:.2} ({:.2} to {:.2})", rate.value, rate.low, rate.high)
        });
        table.push_row([
            connection.name.clone(),
            match figures.kind {
                EncryptedKind::Tls => "TLS".to_owned(),
                EncryptedKind::StratumV2 => "Stratum V2 (by sizes)".to_owned(),
            },
            group_thousands(&format!("{:.0}", figures.to_s - figures.from_s)),
            format_count(figures.messages_up),
            format_count(figures.share_sized_up[0].max(figures.share_sized_up[1])),
            rate,
        ]);
    }
    table
}
