//! `hashwatt infer --count` and files of such counts.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::args::InferArguments;
use super::text::print;
use crate::cli::exit::Failure;
use crate::cli::network;
use crate::cli::output::Output;
use crate::coin::Coin;
use crate::coin::history::Window;
use crate::traffic::{Earnings, Inference, Observation, TrafficError, infer, parse_observations, parse_pool};

/// Above any file that somebody writes by hand, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// What a file of observations comes to.
#[derive(Debug, Serialize)]
struct Inferences {
    observations: Vec<NamedInference>,
}

#[derive(Debug, Serialize)]
struct NamedInference {
    name: String,
    source: String,
    #[serde(flatten)]
    inference: Inference,
}

pub(super) fn run(arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let inference = inference(arguments, &observation(arguments)?)?;
    if output.json {
        output.json(&inference)?;
    } else {
        print(&inference, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run_file(path: &Path, arguments: &InferArguments, output: &mut Output) -> Result<ExitCode, Failure> {
    let refuse = |reason: String| {
        Failure::usage(format!("{path:?}: {reason}"), "studies/traffic/from-traffic-to-coins.toml shows the form")
    };
    let size = fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if size > FILE_MAX {
        return Err(refuse(format!("it has {size} bytes; observations take {FILE_MAX} at most")));
    }
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let named = parse_observations(&text).map_err(|error| refuse(error.to_string()))?;
    let mut observations = Vec::new();
    // All are computed before the first is printed: bad input is refused before anything stands there.
    for entry in named {
        let inference = inference(arguments, &entry.observation).map_err(|failure| Failure {
            message: format!("{path:?}, {}: {}", entry.name, failure.message),
            ..failure
        })?;
        observations.push(NamedInference { name: entry.name, source: entry.source, inference });
    }
    if output.json {
        output.json(&Inferences { observations })?;
    } else {
        for (index, observation) in observations.iter().enumerate() {
            if index > 0 {
                output.line("")?;
            }
            output.heading(&observation.name)?;
            if !observation.source.is_empty() {
                output.remark(&observation.source)?;
            }
            output.line("")?;
            print(&observation.inference, output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn observation(arguments: &InferArguments) -> Result<Observation, Failure> {
    let (Some(count), Some(per), Some(unit)) = (arguments.count, arguments.per, arguments.unit) else {
        return Err(Failure::usage("there is no count", "give --count N, --per day|total and --unit UNIT"));
    };
    if arguments.growth.is_some() && arguments.from.is_none() {
        return Err(Failure::usage("--growth says nothing without a window", "give --from DATE and --to DATE"));
    }
    let coin = arguments.coin.unwrap_or(Coin::Btc);
    let window = match (arguments.from, arguments.to) {
        (Some(from), Some(to)) => Some(Window::new(from, to)?),
        _ => None,
    };
    let observation = Observation {
        unit,
        sampling: arguments.sampling.unwrap_or(1),
        pool: arguments.pool.as_deref().map(|text| parse_pool(text, coin)).transpose()?,
        share_difficulty: arguments.share_difficulty,
        timeouts: arguments.flow_timeouts,
        peer: arguments.peer,
        ..Observation::new(coin, count, per, window)
    };
    observation.check()?;
    Ok(observation)
}

pub(super) fn inference(arguments: &InferArguments, observation: &Observation) -> Result<Inference, Failure> {
    // A file may have both coins in it; only Bitcoin's history can be extended.
    let epochs = arguments.epochs.as_deref().filter(|_| arguments.file.is_none() || observation.coin == Coin::Btc);
    let history = network::history(observation.coin, epochs)?;
    let earnings = Earnings::over(observation, &history, arguments.growth)?;
    Ok(infer(observation, &earnings)?)
}

impl From<TrafficError> for Failure {
    fn from(error: TrafficError) -> Self {
        let help = match &error {
            TrafficError::TotalWithoutWindow => "give --from DATE and --to DATE, or --per day",
            TrafficError::AlgorithmChanges { .. } => "take two windows, one before and one after",
            TrafficError::Conflict { .. } => "leave one of them out",
            TrafficError::History(error) => return error.clone().into(),
            _ => "",
        };
        Self::usage(error.to_string(), help)
    }
}
