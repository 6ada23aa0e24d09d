//! The command line: one file per command. Nothing else in this program prints.

mod args;
mod bench;
mod choose;
mod coin_args;
mod compare;
mod cost;
mod cost_text;
mod devices;
mod exit;
mod generate;
mod gpu;
mod hash;
mod infer;
mod interrupt;
mod log;
mod main_job;
mod measure;
mod network;
mod output;
mod plan;
mod progress;
mod report;
mod scan;
mod select;
mod selftest;
mod study;
mod summary;
mod surroundings;
mod tune;
mod workshop;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::args::{Arguments, Command};
use self::exit::Failure;
use self::output::Output;
use crate::gpu::keep_drivers_off_the_desktop;
use crate::study::cost::DEFAULT_PRICE_KWH;

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            output::heed_color(std::env::args_os());
            return exit::clap_exit(&error);
        }
    };
    keep_drivers_off_the_desktop();
    let mut output = Output::new(&arguments.common);
    log::init(arguments.common.verbose);
    match run(arguments, &mut output) {
        Ok(code) => code,
        Err(failure) => exit::fail(&failure),
    }
}

fn run(arguments: Arguments, output: &mut Output) -> Result<ExitCode, Failure> {
    match arguments.command {
        None => main_job::run(&arguments.measure, arguments.price_kwh.unwrap_or(DEFAULT_PRICE_KWH), output),
        Some(_) if arguments.has_main_job_options() => {
            let error = "options before a command apply to the bare hashwatt only; put them behind the command";
            let error = Arguments::command().error(clap::error::ErrorKind::ArgumentConflict, error);
            Ok(exit::clap_exit(&error))
        }
        Some(Command::Devices { sysroot }) => devices::run(sysroot.as_deref(), output),
        Some(Command::Selftest { filters, threads }) => selftest::run(&filters, threads, output),
        Some(Command::Bench(arguments)) => bench::run(&arguments, output),
        Some(Command::Tune(arguments)) => tune::run(&arguments, output),
        Some(Command::Scan(scan)) => scan::run(&scan, output),
        Some(Command::Hash(hash)) => hash::run(&hash, output),
        Some(Command::Compare(compare)) => compare::run(&compare, output),
        Some(Command::Cost(cost)) => cost::run(&cost, output),
        Some(Command::Network(network)) => network::run(&network, output),
        Some(Command::Study(arguments)) => study::run(&arguments, output),
        Some(Command::Infer(infer)) => infer::run(&infer, output),
        Some(Command::Report(report)) => report::run(&report, output),
        Some(Command::Generate(generate)) => generate::run(&generate, output),
    }
}
