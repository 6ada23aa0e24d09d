//! An inference in words and tables.

use crate::cli::exit::Failure;
use crate::cli::output::{HEADING, Output};
use crate::report::table::{Column, Table};
use crate::report::units::{between, format_coins, format_count, format_factor, format_number, format_si};
use crate::traffic::{Ends, Hypothesis, Inference, Machines, Rate};

/// Columns of running text.
const WIDTH: usize = 100;

pub(super) fn print(inference: &Inference, output: &mut Output) -> Result<(), Failure> {
    for (title, is_fitting) in [("explanations that fit", true), ("explanations that don't", false)] {
        let meant: Vec<&Hypothesis> =
            inference.hypotheses.iter().filter(|hypothesis| hypothesis.consistent == is_fitting).collect();
        if meant.is_empty() {
            continue;
        }
        output.heading(title)?;
        output.table(&if is_fitting { fitting(inference, &meant) } else { refused(&meant) })?;
        output.line("")?;
    }
    for (mark, reason) in reasons(inference) {
        paragraph(&format!("{mark} no upper end: {reason}"), output)?;
    }
    if !inference.extra_observations.is_empty() {
        output.line("")?;
        output.heading("what else could be observed")?;
        output.table(&extras(inference))?;
    }
    output.line("")?;
    paragraph(&inference.summary, output)?;
    output.line("")?;
    print_assumptions(&inference.assumptions, output)?;
    output.remark(&format!("network: {}", inference.network.source))?;
    Ok(())
}

/// A table of what fits, with the machine that most classes of the time have at hand.
fn fitting(inference: &Inference, hypotheses: &[&Hypothesis]) -> Table {
    let machines: Vec<&Machines> = hypotheses.iter().flat_map(|hypothesis| &hypothesis.machines).collect();
    let mut names: Vec<&str> = Vec::new();
    for machine in &machines {
        if !names.contains(&machine.machine.name.as_str()) {
            names.push(&machine.machine.name);
        }
    }
    let mut columns =
        vec![Column::left("explanation"), Column::right("connections"), Column::right("hash rate").unit("95 %")];
    columns.extend(names.iter().map(|name| Column::right(*name).unit("how many")));
    columns.push(Column::right("coins").unit(inference.observation.coin.symbol()));
    let reasons = reasons(inference);
    let mut table = Table::new(columns).header_style(HEADING);
    for hypothesis in hypotheses {
        let connections = (hypothesis.connections.low, hypothesis.connections.high);
        let mut row = vec![
            hypothesis.explanation.clone(),
            ends(connections.0, connections.1, format_count),
            rate(hypothesis, &reasons),
        ];
        for name in &names {
            let machine = hypothesis.machines.iter().find(|machine| machine.machine.name == *name);
            row.push(
                machine.map_or_else(String::new, |machine| ends(machine.count.low, machine.count.high, format_number)),
            );
        }
        row.push(coins(hypothesis));
        table.push_row(row);
    }
    table
}

/// The reasons why hash rates have no upper end, each with its mark.
fn reasons(inference: &Inference) -> Vec<(String, &str)> {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in inference.hypotheses.iter().filter_map(|hypothesis| hypothesis.unbounded_because.as_deref()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.into_iter().enumerate().map(|(index, reason)| (format!("[{}]", index + 1), reason)).collect()
}

fn rate(hypothesis: &Hypothesis, reasons: &[(String, &str)]) -> String {
    let words = |rate: f64| format_si(rate, "H/s", 3);
    let mark = hypothesis
        .unbounded_because
        .as_deref()
        .and_then(|because| reasons.iter().find(|(_, reason)| *reason == because).map(|(mark, _)| format!(" {mark}")));
    let mark = mark.unwrap_or_default();
    let Rate { low, best, high } = hypothesis.hash_rate_hps;
    match (low, best, high) {
        (Some(0.0), Some(0.0), Some(0.0)) => "none".to_owned(),
        (Some(low), Some(best), Some(high)) => format!("{} ({})", words(best), between(&words(low), &words(high))),
        (None, _, None) => match hypothesis.hash_rate_per_difficulty_hps {
            Some(each) => format!("{} x D{mark}", ends(each.low, each.high, words)),
            None => format!("not bounded{mark}"),
        },
        (low, _, high) => ends(low, high, words) + &mark,
    }
}

fn coins(hypothesis: &Hypothesis) -> String {
    let Ends { low, high } = hypothesis.coins;
    match (low, high) {
        (None, None) => "not bounded".to_owned(),
        (Some(0.0), Some(0.0)) => "none".to_owned(),
        _ => ends(low, high, format_coins),
    }
}

fn refused(hypotheses: &[&Hypothesis]) -> Table {
    let columns = [Column::left("explanation"), Column::left("why not")];
    let mut table = Table::new(columns).header_style(HEADING);
    for hypothesis in hypotheses {
        let because = hypothesis.inconsistent_because.clone().unwrap_or_default();
        table.push_row([hypothesis.explanation.clone(), because]);
    }
    table
}

fn extras(inference: &Inference) -> Table {
    let columns =
        [Column::left("observation"), Column::left("option"), Column::right("hash rate open").unit("highest / lowest")];
    let mut table = Table::new(columns).header_style(HEADING);
    if let Some(open) = inference.factor_open {
        table.push_row(["as it is".to_owned(), String::new(), format_factor(open)]);
    }
    for extra in &inference.extra_observations {
        table.push_row([extra.what.to_owned(), extra.option.to_owned(), format_factor(extra.factor_left)]);
    }
    table
}

/// Two ends in words; one that is open is said to be.
fn ends<T: Copy + PartialEq + Default>(low: Option<T>, high: Option<T>, words: impl Fn(T) -> String) -> String {
    match (low.filter(|low| high.is_none() || *low != T::default()), high) {
        (Some(low), Some(high)) if low == high => words(low),
        (Some(low), Some(high)) => between(&words(low), &words(high)),
        (Some(low), None) => format!("{} or more", words(low)),
        (None, Some(high)) => format!("up to {}", words(high)),
        (None, None) => "any".to_owned(),
    }
}

/// Prints what figures rest on.
pub(super) fn print_assumptions(assumptions: &[String], output: &mut Output) -> Result<(), Failure> {
    for line in assumptions.iter().flat_map(|assumption| wrapped(&format!("assumed: {assumption}"))) {
        output.remark(&line)?;
    }
    Ok(())
}

/// Prints running text in lines that fit a terminal.
pub(super) fn paragraph(text: &str, output: &mut Output) -> Result<(), Failure> {
    for line in wrapped(text) {
        output.line(&line)?;
    }
    Ok(())
}

/// Cuts running text into lines that fit a terminal.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
