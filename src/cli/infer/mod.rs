//! `hashwatt infer`: bounds on hash rate, machines and coins from observed traffic.

mod args;
mod count;
mod flows;
mod pcap;
mod reading;
mod sessions;
mod stratum;
mod text;

use std::process::ExitCode;

pub(super) use self::args::InferArguments;
use super::exit::Failure;
use super::output::Output;

pub(super) fn run(arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let InferArguments { file, flows, stratum, pcap, .. } = arguments;
    match (file, flows, stratum, pcap) {
        (Some(path), ..) => count::run_file(path, arguments, output),
        (_, Some(path), ..) => flows::run(path, arguments, output),
        (.., Some(path), _) => stratum::run(path, arguments, output),
        (.., Some(path)) => pcap::run(path, arguments, output),
        _ => count::run(arguments, output),
    }
}
