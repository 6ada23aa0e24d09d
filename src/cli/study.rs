//! `hashwatt study`: a study file, computed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::exit::Failure;
use super::output::Output;
use super::progress::Terminal;
use super::report::{Form, compact};
use crate::engine::Progress as _;
use crate::record::{self, OutFile};
use crate::report::document::Document as Report;
use crate::report::study::{csv, document, tables, verdicts};
use crate::report::units::format_count;
use crate::report::{html, markdown};
use crate::study::file::{FileError, StudyFile};
use crate::study::{Materials, Plan, StudyResult, study};

/// From so many steps of simulated paths on, somebody waits: half a second's worth.
const LONG_STEPS: f64 = 3e8;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hashwatt study studies/bitcoin-2017-2018.toml
  hashwatt study studies/today-monero.toml --record record.json --out study.html
  hashwatt study studies/bitcoin-2017-2018.toml --out cases.csv    a row for each case

docs/STUDIES.md tells all that a study file may say.")]
pub(super) struct StudyArguments {
    /// The study file, in TOML
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A record for the engines that the study names [default: the record that the study file names]
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Where the report goes: the name's end says whether it is a page (.html), text (.md) or a row for each case
    /// (.csv)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Threads that simulate [default: one for each processor]; no figure hangs on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// What is printed with --json.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    study: &'a StudyResult,
    verdict: Vec<String>,
    report: Option<Written>,
}

/// The report that was written.
#[derive(Serialize)]
struct Written {
    out: PathBuf,
    format: Form,
    bytes: usize,
    plots: Vec<String>,
    tables: Vec<String>,
}

pub(super) fn run(arguments: &StudyArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let form = arguments.out.as_deref().map(|out| Form::of(out, "a row for each case")).transpose()?;
    let text = read(&arguments.file)?;
    let of_file = |error: FileError| Failure::usage(format!("{}: {error}", arguments.file.display()), error.help);
    let file = StudyFile::parse(&text).map_err(of_file)?;
    let (materials, record_json) = materials(arguments, &file)?;
    let plan = Plan::new(&text, &file, &materials).map_err(of_file)?;
    refuse_to_overwrite(arguments)?;
    let out = arguments.out.as_deref().map(OutFile::create).transpose()?;
    let result = computed(&plan, arguments, output);
    let report = match (form, out, &arguments.out) {
        (Some(form), Some(file), Some(path)) => {
            let report = document(&result, &text, record_json.as_deref());
            Some(write(form, file, path, &result, &report)?)
        }
        _ => None,
    };
    if output.json {
        let verdict = verdicts(&result).into_iter().flat_map(|one| [one.main].into_iter().chain(one.more)).collect();
        output.json(&Document { study: &result, verdict, report })?;
    } else {
        print(&result, output)?;
        if let Some(Written { out, bytes, .. }) = report {
            let size = format_count(bytes as u64);
            output.remark(&format!("report: {} ({size} bytes)", out.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(form: Form, file: OutFile, out: &Path, result: &StudyResult, report: &Report) -> Result<Written, Failure> {
    let text = match form {
        Form::Html => html::page(report),
        Form::Markdown => markdown::page(report),
        Form::Csv => csv::cases(result),
    };
    file.write(&text)?;
    let titles =
        |titles: Vec<&str>, is_there: bool| titles.into_iter().filter(|_| is_there).map(ToOwned::to_owned).collect();
    Ok(Written {
        out: out.to_owned(),
        format: form,
        bytes: text.len(),
        plots: titles(report.plots().collect(), form == Form::Html),
        tables: titles(report.tables().collect(), form != Form::Csv),
    })
}

fn computed(plan: &Plan, arguments: &StudyArguments, output: &Output) -> StudyResult {
    let steps = plan.model.as_ref().map_or(0.0, |model| {
        let stretches: usize = plan.cases.iter().map(|case| case.epochs.len()).sum();
        f64::from(model.paths) * stretches as f64
    });
    let terminal = Terminal::new(output.quiet || steps < LONG_STEPS);
    terminal.step("simulating", Some(plan.cases.len() as u64));
    let result = study(plan, arguments.threads.map(usize::from), |done| terminal.set(done as u64));
    terminal.clear();
    result
}

fn read(path: &Path) -> Result<String, Failure> {
    let help = "studies/ holds some that run as they are; docs/STUDIES.md tells how to write one";
    fs::read_to_string(path).map_err(|error| Failure::usage(format!("can't read {path:?}: {error}"), help))
}

/// Reads what the study file refers to. Its paths begin at its own place; those of the command line at the user's.
fn materials(arguments: &StudyArguments, file: &StudyFile) -> Result<(Materials, Option<String>), Failure> {
    let beside = |path: &Path| arguments.file.parent().unwrap_or(Path::new("")).join(path);
    let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let path = arguments.record.clone().or_else(|| file.record.as_deref().map(beside));
    let read = path.map(|path| record::read_with_text(&path).map(|(record, text)| (name(&path), record, text)));
    let (record, json) = match read.transpose()? {
        Some((name, record, text)) => (Some((name, record)), Some(compact(text))),
        None => (None, None),
    };
    let epochs = match &file.epochs {
        Some(path) => {
            let path = beside(path.as_ref());
            let text = fs::read_to_string(&path).map_err(|error| {
                Failure::usage(format!("can't read {path:?}: {error}"), "epochs names a file beside the study")
            })?;
            Some((name(&path), text))
        }
        None => None,
    };
    Ok((Materials { record, epochs }, json))
}

fn refuse_to_overwrite(arguments: &StudyArguments) -> Result<(), Failure> {
    let same = |path: &Path| {
        let out = arguments.out.as_deref()?;
        Some(fs::canonicalize(out).ok()? == fs::canonicalize(path).ok()?)
    };
    let inputs = [Some(arguments.file.as_path()), arguments.record.as_deref()];
    if inputs.into_iter().flatten().any(|path| same(path) == Some(true)) {
        let message = format!(
            "--out {:?} is what the study is made from, and would be lost",
            arguments.out.as_deref().unwrap_or(Path::new(""))
        );
        return Err(Failure::usage(message, "give the report a name of its own"));
    }
    Ok(())
}

fn print(result: &StudyResult, output: &mut Output) -> Result<(), Failure> {
    output.heading(&result.name)?;
    for (place, verdict) in result.mains.iter().zip(verdicts(result)) {
        let main = &result.cases[*place];
        output.line("")?;
        output.line(&verdict.main)?;
        for sentence in &verdict.more {
            output.line(&format!("  {sentence}"))?;
        }
        output.line("")?;
        output.table(&tables::machines(result, main))?;
        if let Some(table) = tables::terms(result, main) {
            output.line("")?;
            output.line(&format!("{}:", result.machines_of(main)))?;
            output.table(&table)?;
        }
        if let Some(table) = tables::simulated(result, [main].into_iter()) {
            output.line("")?;
            output.table(&table)?;
        }
        if let Some(sensitivity) = result.sensitivities.iter().find(|one| one.case == *place) {
            output.line("")?;
            output.table(&tables::sensitivity(result, sensitivity))?;
        }
    }
    output.line("")?;
    for place in &result.mains {
        for assumption in tables::assumptions(result, &result.cases[*place]) {
            output.remark(&format!("assumed: {assumption}"))?;
        }
    }
    for note in &result.notes {
        output.remark(&format!("note: {note}"))?;
    }
    let cases = format_count(result.cases.len() as u64);
    output.remark(&format!("{cases} cases; --out FILE.html, .md or .csv tells of them all"))?;
    Ok(())
}
