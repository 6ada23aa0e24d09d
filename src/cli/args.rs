//! What the command line takes. Scripts rely on the spelling.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::coin_args::{CostArguments, NetworkArguments};
use super::generate::GenerateArguments;
use super::gpu::GpuArguments;
use super::infer::InferArguments;
use super::study::StudyArguments;
use super::tune::TuneArguments;
use crate::energy::MeterSpec;
use crate::record::Order;
use crate::study::cost::DEFAULT_PRICE_KWH;
use crate::study::values::price;

/// Measures what a hash costs on this machine, in time and in joules, and turns that into what a coin costs.
///
/// Without a command: tests every engine here against known answers, measures the fastest engine of each algorithm and
/// device (plain engines and those that roll versions apart), and prints rate, power, energy per hash, coins per day,
/// and energy and cost per coin. Takes under two minutes.
///
/// It is a benchmark and a calculator, no miner: it knows no pool and no wallet, and opens no network socket.
#[derive(Debug, Parser)]
#[command(
    name = "hashwatt",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  hashwatt                                        the whole job
  hashwatt --meter watts:65W@cpu                  the same, with the power that a plug meter shows
  hashwatt bench 'sha256d/*' --out record.json    measure some engines, keep the record
  hashwatt cost record.json --engine sha256d/cpu/sha-ni

Exit codes:
  0 done   1 unexpected   2 usage or bad input   10 an engine computed a wrong hash
  11 an engine or device is not available here   12 the meter asked for can't be read
  13 --preset strict, and the measurement was not stable   14 a regression
  15 a record that can't be read or compared   130 interrupted (what was measured is written)"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) measure: MeasureArguments,
    /// The price of electricity, in USD per kWh [default: 0.05]
    #[arg(long, value_name = "PRICE", value_parser = price)]
    pub(super) price_kwh: Option<f64>,
    #[command(flatten)]
    pub(super) common: CommonArguments,
}

impl Arguments {
    /// Tells whether an option of the bare program was given, which a command would silently not look at.
    pub(super) fn has_main_job_options(&self) -> bool {
        let MeasureArguments { meter, sysroot, out, threads, format, gpu } = &self.measure;
        let is_measuring = !meter.is_empty() || sysroot.is_some() || out.is_some() || threads.is_some();
        is_measuring || format.is_some() || gpu.is_given() || self.price_kwh.is_some()
    }
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(super) struct CommonArguments {
    /// Print one JSON document on standard output, and nothing else there
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// When to use colours; auto also heeds NO_COLOR, CLICOLOR_FORCE and TERM=dumb
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
    /// Show no progress
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Show what libraries and drivers log (twice: all of it)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    Auto,
    Always,
    Never,
}

/// Options of whatever measures.
#[derive(Debug, Args)]
pub(super) struct MeasureArguments {
    /// Where joules come from (repeatable, one for each device) [default: auto]
    ///
    /// auto, none; rapl (processors), battery (the whole laptop), nvml and hwmon (graphics cards); a power that you
    /// state, such as watts:65W, watts:65W±5% or watts:300W@gpu0; cmd:COMMAND[@DEVICE] prints a power or an energy with
    /// its unit (such as 123.4 W or 1.2 kWh) about every second; csv:FILE[@DEVICE] is the log of a wall meter, to which
    /// rows are being added, with the columns time_s, unix_s or time and power_w, energy_j or energy_kwh
    #[arg(long, value_name = "SPEC")]
    pub(super) meter: Vec<MeterSpec>,
    /// Read /sys and /proc below this directory
    #[arg(long, value_name = "DIR")]
    pub(super) sysroot: Option<PathBuf>,
    /// Write the record to this file
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Threads of engines on the processors [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    /// What standard output holds [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    #[command(flatten)]
    pub(super) gpu: GpuArguments,
}

/// The forms in which a measurement is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person at a terminal
    Table,
    /// The record, as with --json
    Json,
    /// A row for each sample, with units in the header
    Csv,
    /// The table with the machine, notes and warnings, to be pasted into an issue or a page
    Markdown,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List processors, graphics adapters, engines and meters; what is missing, why, and what mends it
    Devices {
        /// Read /sys and /proc below this directory
        #[arg(long, value_name = "DIR")]
        sysroot: Option<PathBuf>,
    },
    /// Test every engine against known answers and its oracle, without timing
    Selftest {
        /// Engines to test: globs over ids, such as 'sha256d/*' ('*' crosses '/') [default: all]
        #[arg(value_name = "FILTER")]
        filters: Vec<String>,
        /// Threads of engines on the processors [default: one for each processor]
        #[arg(long, value_name = "N")]
        threads: Option<usize>,
    },
    /// Measure engines
    Bench(BenchArguments),
    /// Find the fastest variant of the kernels on each graphics adapter, and keep it
    Tune(TuneArguments),
    /// Hash a range of nonces and print those that meet the target
    Scan(ScanArguments),
    /// Hash one input
    Hash(HashArguments),
    /// Compare the engines of records
    Compare(CompareArguments),
    /// Turn a rate and a power into coins, energy and money
    Cost(Box<CostArguments>),
    /// Print what a coin's network asked for a block and paid for it, on a day or at a height
    Network(NetworkArguments),
    /// Compute a study file: fleets, windows and scenarios side by side, simulated paths, and a verdict
    Study(StudyArguments),
    /// Bound hash rate, machines and coins by traffic that was observed
    Infer(Box<InferArguments>),
    /// Make a page with plots and tables of records
    Report(ReportArguments),
    /// Print completions for a shell, the manual page, or the JSON Schema of records
    Generate(GenerateArguments),
}

/// How long and how strictly to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// 3 measured seconds per engine in 12 samples: a first look, good to a few percent
    Quick,
    /// 30 seconds in 48 samples: finds differences of a few percent
    Standard,
    /// 120 seconds in 48 samples; where the machine wasn't quiet and the rates steady, exits with 13
    Strict,
}

impl Preset {
    /// Returns its name, as the command line has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Strict => "strict",
        }
    }

    /// Returns the measured time per engine, in seconds.
    pub(super) fn seconds(self) -> f64 {
        match self {
            Self::Quick => crate::bench::Plan::DEFAULT_SECONDS,
            Self::Standard => 30.0,
            Self::Strict => 120.0,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hashwatt bench                                  every engine that runs here
  hashwatt bench 'sha256d/*' --preset standard    all of SHA-256d, thirty seconds each
  hashwatt bench '*/gpu0/*' --meter watts:300W@gpu0
  hashwatt bench '*/jit+fast' --sweep-threads=1-4     how rate and energy go with the number of threads
  hashwatt bench 'sha256d/cpu/*' --format csv > samples.csv")]
pub(super) struct BenchArguments {
    /// Engines to measure: globs over ids, such as 'sha256d/*' or '*/gpu0/*' ('*' crosses '/') [default: all]
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    /// How long and how strictly to measure
    #[arg(long, value_name = "PRESET", default_value = "quick")]
    pub(super) preset: Preset,
    /// Measured seconds for each engine, in place of the preset's; set-up and warm-up come on top
    #[arg(long, value_name = "SECONDS")]
    pub(super) time: Option<f64>,
    /// Whether engines take turns, so that a machine that grows hot or busy does so for all, or each has all its turns
    /// in a row
    #[arg(long, value_name = "ORDER", default_value = "interleaved")]
    pub(super) order: OrderArgument,
    /// Decides which engine begins
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Measure each engine on the processors once with each of these numbers of threads, such as 1,2,4 or 1-8, in place
    /// of --threads [without a list: 1, 2, 4 and so on, and all]
    #[arg(
        long,
        value_name = "COUNTS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with = "threads"
    )]
    pub(super) sweep_threads: Option<String>,
    /// Print the plan and how long it will take, and measure nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) measure: MeasureArguments,
}

/// Who follows whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OrderArgument {
    Interleaved,
    Sequential,
}

impl From<OrderArgument> for Order {
    fn from(argument: OrderArgument) -> Self {
        match argument {
            OrderArgument::Interleaved => Self::Interleaved,
            OrderArgument::Sequential => Self::Sequential,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ScanArguments {
    #[command(subcommand)]
    pub(super) algorithm: ScanAlgorithm,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScanAlgorithm {
    /// Bitcoin's proof of work
    Sha256d {
        /// The block header: 160 hex digits
        #[arg(long, value_name = "HEX160")]
        header: String,
        /// Nonces, half open, decimal or 0x-hex
        #[arg(long, value_name = "A..B", default_value = "0..4294967296")]
        nonces: String,
        /// The bits of the version to roll, with engines that roll versions: each of their values with each nonce
        /// [default there: 1fffe000, the bits of BIP 320]
        #[arg(long, value_name = "HEX8")]
        version_mask: Option<String>,
        /// The target: 64 hex digits, big end first [default: the header's own bits]
        #[arg(long, value_name = "HEX64")]
        target: Option<String>,
        /// Refused, with the reason
        #[arg(long, hide = true)]
        commitment: bool,
        /// The engine, or auto for the fastest by a short trial
        #[arg(long, value_name = "ID", default_value = "auto")]
        engine: String,
        /// Threads of engines on the processors [default: one for each processor]
        #[arg(long, value_name = "N")]
        threads: Option<usize>,
    },
    /// Monero's proof of work
    #[command(name = "randomx-v1")]
    RandomxV1(RandomxScan),
    /// Version 2 of Monero's proof of work, which a coming upgrade of the network brings
    #[command(name = "randomx-v2")]
    RandomxV2(RandomxScan),
}

#[derive(Debug, Args)]
pub(super) struct RandomxScan {
    /// The key, in hex
    #[arg(long, value_name = "HEX")]
    pub(super) key: String,
    /// The hashing blob, in hex
    #[arg(long, value_name = "HEX")]
    pub(super) blob: String,
    /// Where the nonce lies in the blob
    #[arg(long, value_name = "BYTES", default_value_t = crate::randomx::NONCE_OFFSET)]
    pub(super) nonce_offset: usize,
    /// Nonces, half open, decimal or 0x-hex
    #[arg(long, value_name = "A..B")]
    pub(super) nonces: String,
    /// Report the nonces that meet this difficulty [default: none, only the checksum]
    #[arg(long, value_name = "D")]
    pub(super) difficulty: Option<String>,
    /// Judge and sum up the commitments of the hashes in their place
    #[arg(long)]
    pub(super) commitment: bool,
    /// The engine, or auto for the mode that is done sooner
    #[arg(long, value_name = "ID", default_value = "auto")]
    pub(super) engine: String,
    /// Threads of engines on the processors [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct HashArguments {
    #[command(subcommand)]
    pub(super) algorithm: HashAlgorithm,
}

#[derive(Debug, Subcommand)]
pub(super) enum HashAlgorithm {
    /// SHA-256 of SHA-256; printed as Bitcoin displays hashes, big end first
    Sha256d {
        /// The input, in hex
        #[arg(long, value_name = "HEX")]
        input: String,
        /// Refused, with the reason
        #[arg(long, hide = true)]
        commitment: bool,
        /// The engine
        #[arg(long, value_name = "ID", default_value = "auto")]
        engine: String,
    },
    /// RandomX version 1; printed in byte order
    #[command(name = "randomx-v1")]
    RandomxV1(RandomxHash),
    /// RandomX version 2; printed in byte order
    #[command(name = "randomx-v2")]
    RandomxV2(RandomxHash),
}

#[derive(Debug, Args)]
pub(super) struct RandomxHash {
    /// The input, in hex
    #[arg(long, value_name = "HEX")]
    pub(super) input: String,
    /// The key, in hex
    #[arg(long, value_name = "HEX")]
    pub(super) key: String,
    /// Print the commitment of the hash in its place
    #[arg(long)]
    pub(super) commitment: bool,
    /// The engine; auto is light mode, which is ready sooner
    #[arg(long, value_name = "ID", default_value = "auto")]
    pub(super) engine: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hashwatt compare before.json after.json
  hashwatt compare before.json after.json --threshold 5% --fail-on-regression
  hashwatt compare a1.json --base a2.json --pool b1.json b2.json    two runs of either side")]
pub(super) struct CompareArguments {
    /// The record to compare with
    #[arg(value_name = "BASE")]
    pub(super) base: PathBuf,
    /// The records to compare
    #[arg(value_name = "NEW", required = true)]
    pub(super) new: Vec<PathBuf>,
    /// A further run of what BASE is a run of (repeatable)
    #[arg(long = "base", value_name = "FILE")]
    pub(super) more_base: Vec<PathBuf>,
    /// All NEW are runs of one thing: judge them together, by how much they differ among themselves, too
    #[arg(long)]
    pub(super) pool: bool,
    /// By how much a rate may differ and still be the same
    #[arg(long, value_name = "PERCENT", default_value = "3%", value_parser = percent)]
    pub(super) threshold: f64,
    /// Exit with 14 where an engine is slower, or takes more energy, by the bound of the interval
    #[arg(long)]
    pub(super) fail_on_regression: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hashwatt report record.json --out report.html
  hashwatt report before.json after.json --out report.md    the second is compared with the first")]
pub(super) struct ReportArguments {
    /// The records; the first is what the others are compared with
    #[arg(value_name = "RECORD", required = true)]
    pub(super) records: Vec<PathBuf>,
    /// Where the report goes: the name's end says whether it is a page (.html), text (.md) or a table of samples (.csv)
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// The price of electricity, in USD per kWh
    #[arg(long, value_name = "PRICE", default_value_t = DEFAULT_PRICE_KWH, value_parser = price)]
    pub(super) price_kwh: f64,
}

/// Reads a percentage between 0 and 100 as a fraction.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').ok_or("expected a percentage, such as 3%")?;
    match number.trim().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent < 100.0 => Ok(percent / 100.0),
        _ => Err("expected a percentage above 0% and below 100%".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        super::Arguments::command().debug_assert();
    }
}
