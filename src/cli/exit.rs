//! Exit codes, and how errors are told: what, why, and what to do next.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::bench::PlanError;
use crate::coin::hardware::MachineError;
use crate::coin::history::HistoryError;
use crate::coin::{Coin, CoinError};
use crate::energy::OpenError;
use crate::engine::EngineError;
use crate::record::{ReadError, WriteError};
use crate::study::CostError;
use crate::sysroot::SysrootError;
use crate::verify::VerifyError;

/// Something unexpected.
pub(super) const UNEXPECTED: u8 = 1;
/// Bad input.
pub(super) const USAGE: u8 = 2;
/// An engine computed a wrong hash.
pub(super) const WRONG_HASH: u8 = 10;
/// A known engine or device that isn't available here.
pub(super) const UNAVAILABLE: u8 = 11;
/// The meter that was asked for can't be read.
pub(super) const METER: u8 = 12;
/// A measurement that was to be strict and was not stable.
pub(super) const UNSTABLE: u8 = 13;
/// A regression, where it was asked to be an error.
pub(super) const REGRESSION: u8 = 14;
/// A record that can't be read or compared.
pub(super) const RECORD: u8 = 15;
/// Interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// An error for a person, with its exit code.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
    /// The next step; empty where there is none.
    pub(super) help: String,
}

impl Failure {
    pub(super) fn new(code: u8, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }

    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(USAGE, message, help)
    }
}

/// Prints an error on standard error and returns its code. A closed pipe and an interrupt say nothing.
pub(super) fn fail(failure: &Failure) -> ExitCode {
    if failure.code != 0 && failure.code != INTERRUPTED {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let bold = Style::new().bold();
        let mut text = format!("{red}error:{red:#} {}\n", failure.message);
        if !failure.help.is_empty() {
            let _ = writeln!(text, "  {bold}help:{bold:#} {}", failure.help);
        }
        // Where standard error is closed, the exit code is all that is left to say it with.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }
    ExitCode::from(failure.code)
}

/// Prints what clap has to say: help and version on standard output, errors on standard error.
pub(super) fn clap_exit(error: &clap::Error) -> ExitCode {
    match error.print() {
        Ok(()) => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE)),
        Err(error) => fail(&error.into()),
    }
}

impl From<io::Error> for Failure {
    /// Errors of standard output: a closed pipe is no error, the reader has seen enough.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(0, "", ""),
            _ => Self::new(UNEXPECTED, format!("can't write to standard output: {error}"), ""),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let message = error.to_string();
        match error {
            EngineError::Unavailable { unavailable, .. } => Self::new(UNAVAILABLE, message, unavailable.hint),
            EngineError::DeviceLost { .. } => {
                let help = "see the system's log (dmesg) for what the driver says; other engines still run";
                Self::new(UNAVAILABLE, message, help)
            }
            EngineError::ScanOnly(_) | EngineError::Job { .. } => Self::usage(message, ""),
            EngineError::Cancelled => Self::new(INTERRUPTED, message, ""),
            _ => Self::new(UNEXPECTED, message, ""),
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Wrong(wrong) => Self::new(
                WRONG_HASH,
                wrong.to_string(),
                "nothing that was measured counts; test the machine's memory and cooling, then report this dump",
            ),
            VerifyError::Engine(error) => error.into(),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Conflict { .. } => Self::usage(error.to_string(), "give one --meter for each device"),
            OpenError::Unavailable { meter, reason, hint } => {
                Self::new(METER, format!("the meter {meter} can't be read: {reason}"), hint)
            }
        }
    }
}

impl From<SysrootError> for Failure {
    fn from(error: SysrootError) -> Self {
        Self::usage(error.to_string(), "name a directory that holds sys/ and proc/")
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::usage(error.to_string(), "for example --time 30")
    }
}

impl From<CoinError> for Failure {
    fn from(error: CoinError) -> Self {
        Self::usage(error.to_string(), "")
    }
}

impl From<CostError> for Failure {
    fn from(error: CostError) -> Self {
        let help = match &error {
            CostError::Algorithm { coin: Coin::Xmr, needed: "cryptonight", .. } => {
                "take a rate of CryptoNight (--algorithm cryptonight with --hashrate, or a --machine of that time), or \
                 a window from 2019-12-01 on, when RandomX had come"
            }
            CostError::AlgorithmChanges { .. } => "take two windows, one before and one after",
            CostError::NoSubsidy(_) => "take an earlier window or height",
            _ => "",
        };
        Self::usage(error.to_string(), help)
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        let help = match &error {
            HistoryError::PastData { coin: Coin::Btc, .. } => {
                "extend the data by --epochs FILE; or, for a cost, say how the difficulty grows (--growth 3%/epoch) or \
                 what it is (--difficulty D, --network-json FILE)"
            }
            HistoryError::PastData { coin: Coin::Xmr, .. } => {
                "for a cost, say how the difficulty grows (--growth 3%/epoch) or what it is (--difficulty D, \
                 --network-json FILE)"
            }
            HistoryError::HeightPastData { coin: Coin::Btc, .. } => {
                "extend the data by --epochs FILE; or, for a cost, give --difficulty D or --network-json FILE"
            }
            HistoryError::HeightPastData { coin: Coin::Xmr, .. } => {
                "for a cost, give --difficulty D or --network-json FILE"
            }
            HistoryError::BeforeChain { .. } => "take a later day",
            HistoryError::Backwards { .. } => "exchange the two days",
            _ => "",
        };
        Self::usage(error.to_string(), help)
    }
}

impl From<MachineError> for Failure {
    fn from(error: MachineError) -> Self {
        let help = match &error {
            MachineError::Unknown { .. } => "give one of them, or the figures: --hashrate 13.5T --power 1323W",
            MachineError::Several { .. } => "give more of the name, or --algorithm",
            MachineError::OtherAlgorithm { .. } => "give --coin, a window of that algorithm, or another machine",
        };
        Self::usage(error.to_string(), help)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::usage(error.to_string(), "name a file in a directory that you may write to")
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let help = match error {
            ReadError::TooNew { .. } => "use the version of hashwatt that wrote it, or a later one",
            _ => "hashwatt bench --out FILE writes one",
        };
        Self::new(RECORD, error.to_string(), help)
    }
}
