//! `hashwatt generate`: completions, the manual page, the JSON Schema of records and the kernels of graphics adapters,
//! as this very program has them.

use std::io;
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use super::args::Arguments;
use super::exit::Failure;
use super::output::Output;
use crate::record;
use crate::sha256d::wgsl::{Form, Kernel, Variant};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hashwatt generate completions bash > ~/.local/share/bash-completion/completions/hashwatt
  hashwatt generate man > hashwatt.1 && man ./hashwatt.1
  hashwatt generate schema > record.schema.json
  hashwatt generate kernel --rolled --gpu-variant addition=multiplied > kernel.wgsl")]
pub(super) struct GenerateArguments {
    #[command(subcommand)]
    what: Generated,
}

/// What the program can tell of itself.
#[derive(Debug, Clone, Copy, Subcommand)]
enum Generated {
    /// Completions of commands and options for a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// The manual page, with all commands
    Man,
    /// The JSON Schema of records
    Schema,
    /// A kernel of SHA-256d as graphics adapters get it, in WGSL
    Kernel {
        /// The one that rolls versions
        #[arg(long)]
        rolled: bool,
        /// The variant [default: the usual one]; hashwatt tune lists them
        #[arg(long, value_name = "SPEC", default_value_t)]
        gpu_variant: Variant,
    },
}

/// What the crate writes before every section.
const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
/// The title of the manual page, without a date. The crate leaves an absent date out, and the version would stand in
/// its place.
const TITLE: &str = concat!(".TH HASHWATT 1 \"\" \"hashwatt ", env!("CARGO_PKG_VERSION"), "\" \"User Commands\"\n");

pub(super) fn run(arguments: &GenerateArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    match arguments.what {
        Generated::Completions { shell } => {
            let script = completions(shell);
            if output.json {
                output.json(&json!({ "shell": shell.to_string(), "script": script }))?;
            } else {
                output.text(&script)?;
            }
        }
        Generated::Man => {
            let page = manual()?;
            if output.json {
                output.json(&json!({ "man": page }))?;
            } else {
                output.text(&page)?;
            }
        }
        Generated::Schema => output.json(&record::schema())?,
        Generated::Kernel { rolled, gpu_variant } => {
            let kernel = Kernel::new(if rolled { Form::Rolled } else { Form::Plain }, gpu_variant);
            if output.json {
                let [of_nonce, of_state] = kernel.operations();
                output.json(&json!({
                    "variant": gpu_variant.to_string(),
                    "source": kernel.source(),
                    "operations_of_a_nonce": of_nonce,
                    "operations_of_a_version": rolled.then_some(of_state),
                }))?;
            } else {
                output.text(kernel.source())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn completions(shell: Shell) -> String {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Returns one manual page of the program and all its commands. The crate makes a page for each command; one that has
/// all is found by `man hashwatt`, and can be searched.
fn manual() -> io::Result<String> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let main = Man::new(command.clone());
    let mut sections = Vec::new();
    main.render_name_section(&mut sections)?;
    main.render_synopsis_section(&mut sections)?;
    main.render_description_section(&mut sections)?;
    main.render_options_section(&mut sections)?;
    let mut page = format!("{APOSTROPHE}{TITLE}{}", without_preamble(&sections));
    for below in command.get_subcommands() {
        describe(below, &mut page)?;
    }
    page.push_str(&examples(&main, ".SH \"EXAMPLES AND EXIT CODES\"")?);
    Ok(page)
}

/// Returns what stands at the end of a command's help, below a heading, with its lines as they are.
fn examples(man: &Man, heading: &str) -> io::Result<String> {
    let mut extra = Vec::new();
    man.render_extra_section(&mut extra)?;
    Ok(format!("{}.fi\n", without_preamble(&extra).replace(".SH EXTRA", &format!("{heading}\n.nf"))))
}

/// Takes the definition of the apostrophe from in front of each section: once is enough.
fn without_preamble(sections: &[u8]) -> String {
    String::from_utf8_lossy(sections).replace(APOSTROPHE, "")
}

/// Appends the sections of a command, and of the commands below it.
fn describe(command: &Command, page: &mut String) -> io::Result<()> {
    let is_leaf = !command.has_subcommands();
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    // What every command takes stands once, in the main section.
    let own = command.clone().mut_args(|argument| {
        let is_everywhere = argument.is_global_set() || argument.get_id() == "help";
        argument.hide(is_everywhere)
    });
    let man = Man::new(own);
    let mut head = Vec::new();
    man.render_description_section(&mut head)?;
    man.render_synopsis_section(&mut head)?;
    // The command's name is the section's heading, and its own sections become parts of it.
    let head = without_preamble(&head).replace(".SH SYNOPSIS", ".PP");
    page.push_str(&head.replace(".SH DESCRIPTION", &format!(".SH \"{name}\"")));
    if is_leaf {
        let mut options = Vec::new();
        man.render_options_section(&mut options)?;
        page.push_str(&without_preamble(&options).replace(".SH OPTIONS", ".SS Options"));
    }
    if command.get_after_help().is_some() {
        page.push_str(&examples(&man, ".PP")?);
    }
    for below in command.get_subcommands() {
        describe(below, page)?;
    }
    Ok(())
}
