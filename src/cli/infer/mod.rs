//! `hashwatt infer`: bounds on hash rate, machines and coins from observed traffic.

mod args;
mod count;
mod text;

use std::process::ExitCode;

pub(super) use self::args::InferArguments;
use super::exit::Failure;
use super::output::Output;

pub(super) fn run(arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    match &arguments.file {
        Some(path) => count::run_file(path, arguments, output),
        None => count::run(arguments, output),
    }
}
