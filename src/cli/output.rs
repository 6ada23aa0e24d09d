//! Standard output: only the result, in the format that was asked for.

use std::ffi::OsString;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use clap::ValueEnum;
use serde::Serialize;

use super::args::{ColorWhen, CommonArguments, Format};
use super::exit::Failure;
use crate::report::table::{Table, render};

/// Where results go.
pub(super) struct Output {
    /// Whether one JSON document is wanted.
    pub(super) json: bool,
    /// Whether progress is unwanted.
    pub(super) quiet: bool,
    stream: AutoStream<io::Stdout>,
}

/// The style of headings.
pub(super) const HEADING: Style = Style::new().bold();
/// The style of remarks.
pub(super) const REMARK: Style = Style::new().dimmed();

/// Heeds the wish for colours in arguments that can't be parsed or only ask for help, so that what is said of them
/// follows it, too.
pub(super) fn heed_color(arguments: impl IntoIterator<Item = OsString>) {
    let arguments: Vec<OsString> = arguments.into_iter().take_while(|argument| argument != "--").collect();
    for (index, argument) in arguments.iter().enumerate() {
        let Some(text) = argument.to_str() else { continue };
        let next = || arguments.get(index + 1)?.to_str();
        let when = if text == "--color" { next() } else { text.strip_prefix("--color=") };
        if let Some(Ok(when)) = when.map(|when| ColorWhen::from_str(when, false)) {
            set_color(when);
        }
    }
}

fn set_color(when: ColorWhen) {
    let choice = match when {
        ColorWhen::Auto => ColorChoice::Auto,
        ColorWhen::Always => ColorChoice::Always,
        ColorWhen::Never => ColorChoice::Never,
    };
    choice.write_global();
}

impl Output {
    pub(super) fn new(arguments: &CommonArguments) -> Self {
        set_color(arguments.color);
        let stream = AutoStream::auto(io::stdout());
        Self { json: arguments.json, quiet: arguments.quiet, stream }
    }

    /// Returns the format that is wanted: `asked` by name, or JSON by `--json`.
    pub(super) fn format(&mut self, asked: Option<Format>) -> Result<Format, Failure> {
        let format = match asked {
            None if self.json => Ok(Format::Json),
            None => Ok(Format::Table),
            Some(format) if self.json && format != Format::Json => {
                Err(Failure::usage("--json and --format ask for different things", "give one of them"))
            }
            Some(format) => Ok(format),
        }?;
        self.json = format == Format::Json;
        Ok(format)
    }

    /// Prints a text as it is.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        write!(self.stream, "{text}")
    }

    /// Prints one JSON document.
    pub(super) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.line(&text)
    }

    /// Prints a line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.stream, "{text}")
    }

    /// Prints a heading.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line(&format!("{HEADING}{text}{HEADING:#}"))
    }

    /// Prints a remark.
    pub(super) fn remark(&mut self, text: &str) -> io::Result<()> {
        self.line(&format!("{REMARK}{text}{REMARK:#}"))
    }

    /// Prints a table.
    pub(super) fn table(&mut self, table: &Table) -> io::Result<()> {
        self.text(&render(table))
    }
}
