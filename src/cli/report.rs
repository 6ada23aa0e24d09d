//! `hashwatt report`: records as a page to look at or to pass on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::args::ReportArguments;
use super::exit::Failure;
use super::output::Output;
use crate::record::{OutFile, Record, read_with_text};
use crate::report::contents::{Assumptions, Source, document};
use crate::report::document::Document;
use crate::report::units::format_count;
use crate::report::{csv, html, markdown, reference};

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    Html,
    Markdown,
    Csv,
}

impl Form {
    /// Tells the form by the end of the file's name. `rows` says what rows of CSV are.
    pub(super) fn of(out: &Path, rows: &str) -> Result<Self, Failure> {
        let extension = out.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "html" => Ok(Self::Html),
            "md" => Ok(Self::Markdown),
            "csv" => Ok(Self::Csv),
            _ => Err(Failure::usage(
                format!("--out {out:?}: its name ends in none of the forms that a report can have"),
                format!("end it in .html (a page with plots), .md (tables, for an issue) or .csv ({rows})"),
            )),
        }
    }
}

/// What was written.
#[derive(Serialize)]
struct Written<'a> {
    out: &'a Path,
    format: Form,
    bytes: usize,
    records: &'a [PathBuf],
    /// The sentences at its top.
    headline: Vec<String>,
    /// What is in it, by title.
    plots: Vec<String>,
    tables: Vec<String>,
}

pub(super) fn run(arguments: &ReportArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let form = Form::of(&arguments.out, "a row for each sample")?;
    let sources = sources(&arguments.records)?;
    refuse_to_overwrite_a_record(arguments)?;
    let file = OutFile::create(&arguments.out)?;
    let published = published(&sources);
    let assumptions = Assumptions { price_kwh: arguments.price_kwh, published: published.iter().collect() };
    let document = document(&sources, &assumptions);
    let text = match form {
        Form::Html => html::page(&document),
        Form::Markdown => markdown::page(&document),
        Form::Csv => {
            let records: Vec<(&str, &Record)> =
                sources.iter().map(|source| (source.name.as_str(), &source.record)).collect();
            csv::samples_of_all(&records)
        }
    };
    file.write(&text)?;
    let written = written(arguments, form, &document, text.len());
    if output.json {
        output.json(&written)?;
    } else {
        print(&written, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the records. A report is passed on, so it names files without the directories that they lie in; those with
/// the same name are numbered.
fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let file_name = |path: &PathBuf| {
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let names: Vec<String> = paths.iter().map(file_name).collect();
    let mut sources = Vec::with_capacity(paths.len());
    for (index, path) in paths.iter().enumerate() {
        let (record, text) = read_with_text(path)?;
        let is_only = names.iter().filter(|name| **name == names[index]).count() == 1;
        let name = if is_only { names[index].clone() } else { format!("{} ({})", names[index], index + 1) };
        sources.push(Source { name, record, json: compact(text) });
    }
    Ok(sources)
}

/// Returns JSON without the spaces of its file. It was read as JSON before, so this can't fail.
pub(super) fn compact(json: String) -> String {
    serde_json::from_str::<serde_json::Value>(&json).map_or(json, |value| value.to_string())
}

fn refuse_to_overwrite_a_record(arguments: &ReportArguments) -> Result<(), Failure> {
    let Ok(out) = fs::canonicalize(&arguments.out) else { return Ok(()) };
    if arguments.records.iter().any(|path| fs::canonicalize(path).is_ok_and(|path| path == out)) {
        let message = format!("--out {:?} is one of the records, which would be lost", arguments.out);
        return Err(Failure::usage(message, "give the report a name of its own"));
    }
    Ok(())
}

/// Returns the published machines of all algorithms in the records.
fn published(sources: &[Source]) -> Vec<reference::ReferenceMachine> {
    let mut algorithms: Vec<&str> = Vec::new();
    for benchmark in sources.iter().flat_map(|source| &source.record.benchmarks) {
        if !algorithms.contains(&benchmark.algorithm.as_str()) {
            algorithms.push(&benchmark.algorithm);
        }
    }
    algorithms.into_iter().flat_map(reference::machines).collect()
}

fn written<'a>(arguments: &'a ReportArguments, form: Form, document: &Document, bytes: usize) -> Written<'a> {
    let titles = |titles: Vec<&str>| titles.into_iter().map(ToOwned::to_owned).collect();
    let (plots, tables) = match form {
        Form::Html => (document.plots().collect(), document.tables().collect()),
        Form::Markdown => (Vec::new(), document.tables().collect()),
        Form::Csv => (Vec::new(), Vec::new()),
    };
    Written {
        out: &arguments.out,
        format: form,
        bytes,
        records: &arguments.records,
        headline: document.headline.clone(),
        plots: titles(plots),
        tables: titles(tables),
    }
}

fn print(written: &Written<'_>, output: &mut Output) -> Result<(), Failure> {
    for sentence in &written.headline {
        output.line(sentence)?;
    }
    let (plots, tables) = (written.plots.len(), written.tables.len());
    let contents = match written.format {
        Form::Html => format!(", {plots} plots, {tables} tables"),
        Form::Markdown => format!(", {tables} tables"),
        Form::Csv => String::new(),
    };
    let size = format_count(written.bytes as u64);
    output.remark(&format!("report: {} ({size} bytes{contents})", written.out.display()))?;
    Ok(())
}
