//! Pool programs: how often a miner of each sends a share, and at which difficulty.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::error::TrafficError;
use crate::coin::Coin;
use crate::coin::history::SECONDS_PER_DAY;
use crate::coin::history::Window;

const BUILT_IN: &str = include_str!("../../data/pools.csv");

/// By how much a share rate may differ from what is aimed at, where the program doesn't say: a difficulty rounded to a
/// power of two moves it by the root of two either way.
const ROUNDING: f64 = std::f64::consts::SQRT_2;

/// The longest time between two shares that a pool can be said to aim at, in seconds: a day.
const SECONDS_MAX: f64 = 86_400.0;

/// Above any difficulty of a share.
pub(super) const DIFFICULTY_MAX: f64 = 1e18;

/// A pool program, or a pool of which captures exist.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolProgram {
    /// What it is called.
    pub name: String,
    /// What it pays.
    pub coin: Coin,
    /// The year in which it came out, where that matters.
    pub since: Option<i16>,
    /// The time between two shares of one connection that it aims at, in seconds.
    pub seconds_per_share: Option<f64>,
    /// Between which parts of the aimed rate it leaves a connection alone.
    pub rate_factor: (f64, f64),
    /// The least difficulty by default, as a range.
    pub minimum: Option<(f64, f64)>,
    /// The difficulty of all its shares, where it was seen to have one.
    pub fixed: Option<f64>,
    /// The time between two jobs, in seconds.
    pub notify_s: Option<f64>,
    /// What else is said of it; may be empty.
    pub note: String,
    /// Who says so.
    pub source: String,
}

impl PoolProgram {
    /// A pool that the user describes by the time between two shares that it aims at, in seconds.
    fn aiming_at(coin: Coin, seconds: f64) -> Self {
        Self {
            name: format!("vardiff={seconds}s"),
            coin,
            since: None,
            seconds_per_share: Some(seconds),
            rate_factor: (1.0 / ROUNDING, ROUNDING),
            minimum: None,
            fixed: None,
            notify_s: None,
            note: String::new(),
            source: "given".to_owned(),
        }
    }

    /// A pool that the user describes by the difficulty of all its shares.
    fn fixed_at(coin: Coin, difficulty: f64) -> Self {
        Self {
            name: format!("fixed={difficulty}"),
            seconds_per_share: None,
            fixed: Some(difficulty),
            ..Self::aiming_at(coin, 1.0)
        }
    }

    /// What it is called in a sentence.
    pub(super) fn title(&self) -> String {
        match (&self.seconds_per_share, self.name.contains('=')) {
            (Some(seconds), true) => format!("a pool that aims at one in {seconds} s"),
            _ => self.name.clone(),
        }
    }

    /// How many shares a day one connection sends, from what the program tolerates. `None` where it aims at no rate.
    pub fn shares_per_day(&self) -> Option<(f64, f64)> {
        let aimed = SECONDS_PER_DAY / self.seconds_per_share?;
        Some((aimed * self.rate_factor.0, aimed * self.rate_factor.1))
    }
}

/// The programs of a coin, in the order of the file.
pub fn pool_programs(coin: Coin) -> Vec<PoolProgram> {
    built_in().into_iter().filter(|program| program.coin == coin).collect()
}

/// Those that there were at the end of a window.
pub(super) fn programs_of_the_time(coin: Coin, window: Option<Window>) -> Vec<PoolProgram> {
    let year = window.map_or(i16::MAX, |window| window.to().year());
    let mut programs = pool_programs(coin);
    programs.retain(|program| program.since.is_none_or(|since| since <= year));
    programs
}

fn built_in() -> Vec<PoolProgram> {
    let mut reader = ReaderBuilder::new().comment(Some(b'#')).trim(Trim::All).from_reader(BUILT_IN.as_bytes());
    let read = |record: Result<StringRecord, csv::Error>| record.ok().and_then(|record| read_program(&record));
    let programs: Option<Vec<PoolProgram>> = reader.records().map(read).collect();
    programs.expect("the table is valid: tests read it")
}

fn read_program(record: &StringRecord) -> Option<PoolProgram> {
    // None for a cell that can't be read, Some(None) for an empty one.
    let number = |index: usize| match record.get(index)? {
        "" => Some(None),
        text => text.parse::<f64>().ok().map(Some),
    };
    Some(PoolProgram {
        name: record.get(0)?.to_owned(),
        coin: record.get(1)?.parse().ok()?,
        since: number(2)?.map(|year| year as i16),
        seconds_per_share: number(3)?,
        rate_factor: (number(4)?.unwrap_or(1.0 / ROUNDING), number(5)?.unwrap_or(ROUNDING)),
        minimum: number(6)?.zip(number(7)?),
        fixed: number(8)?,
        notify_s: number(9)?,
        note: record.get(10)?.to_owned(),
        source: record.get(11)?.to_owned(),
    })
}

/// Reads a pool: the name of a program (case and signs don't count, and the beginning suffices), `vardiff=15s` or
/// `fixed=512`.
///
/// # Errors
///
/// [`TrafficError::Pool`].
pub fn parse_pool(text: &str, coin: Coin) -> Result<PoolProgram, TrafficError> {
    let refuse = |reason: String| TrafficError::Pool { text: text.to_owned(), coin, reason };
    let number = |digits: &str| digits.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(seconds) = text.strip_prefix("vardiff=") {
        let seconds = number(seconds.trim().strip_suffix('s').unwrap_or(seconds));
        return match seconds {
            Some(seconds) if seconds > 0.0 && seconds <= SECONDS_MAX => Ok(PoolProgram::aiming_at(coin, seconds)),
            _ => Err(refuse("the time between two shares is above 0 s and up to 86400 s".to_owned())),
        };
    }
    if let Some(difficulty) = text.strip_prefix("fixed=") {
        return match number(difficulty) {
            Some(difficulty) if difficulty > 0.0 && difficulty <= DIFFICULTY_MAX => {
                Ok(PoolProgram::fixed_at(coin, difficulty))
            }
            _ => Err(refuse(format!("a difficulty is a number above 0 and up to {DIFFICULTY_MAX:e}"))),
        };
    }
    let plain = |name: &str| name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let wanted = plain(text);
    let programs = pool_programs(coin);
    let exact = programs.iter().find(|program| plain(&program.name) == wanted);
    let mut begun = programs.iter().filter(|program| !wanted.is_empty() && plain(&program.name).starts_with(&wanted));
    match (exact, begun.next(), begun.next()) {
        (Some(program), ..) | (None, Some(program), None) => Ok(program.clone()),
        _ => {
            let names: Vec<&str> = programs.iter().map(|program| program.name.as_str()).collect();
            Err(refuse(format!("known are {}, vardiff=SECONDSs and fixed=DIFFICULTY", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_names_its_source() {
        let programs = built_in();
        assert!(programs.len() >= 12);
        for program in &programs {
            assert!(program.source.len() > 10, "{program:?}");
            assert!(program.seconds_per_share.is_some() || program.fixed.is_some(), "{program:?}");
            assert!(program.rate_factor.0 <= 1.0 && program.rate_factor.1 >= 1.0, "{program:?}");
            assert!(program.minimum.is_none_or(|(low, high)| 0.0 < low && low <= high), "{program:?}");
            assert_eq!(programs.iter().filter(|other| other.name == program.name).count(), 1, "{program:?}");
        }
    }

    /// The figures that the programs' own texts name: 25,946 shares a day at one in 3.33 s, 8 a minute, 5,760 a day.
    #[test]
    fn share_rates_are_those_of_the_programs() {
        let aimed = |name: &str, coin| {
            let program = parse_pool(name, coin).unwrap();
            SECONDS_PER_DAY / program.seconds_per_share.unwrap()
        };
        assert_eq!(aimed("ckpool", Coin::Btc).round(), 25_946.0);
        assert_eq!(aimed("datum", Coin::Btc), 11_520.0);
        assert_eq!(aimed("Public Pool", Coin::Btc), 8_640.0);
        assert_eq!(aimed("nomp", Coin::Btc), 5_760.0);
        assert_eq!(aimed("p2pool", Coin::Xmr), 2_880.0);
        assert_eq!(aimed("node-cryptonote", Coin::Xmr), 864.0);
        let (low, high) = parse_pool("ckpool", Coin::Btc).unwrap().shares_per_day().unwrap();
        // 0.15 and 0.4 shares a second.
        assert!((low / 12_960.0 - 1.0).abs() < 2e-3 && (high / 34_560.0 - 1.0).abs() < 2e-3, "{low} to {high}");
    }

    #[test]
    fn pools_may_be_described() {
        let vardiff = parse_pool("vardiff=15s", Coin::Btc).unwrap();
        assert_eq!((vardiff.seconds_per_share, vardiff.fixed), (Some(15.0), None));
        assert_eq!(parse_pool("vardiff=15", Coin::Btc).unwrap(), vardiff);
        let fixed = parse_pool("fixed=512", Coin::Xmr).unwrap();
        assert_eq!((fixed.seconds_per_share, fixed.fixed, fixed.shares_per_day()), (None, Some(512.0), None));
    }

    #[test]
    fn pools_that_nobody_knows_are_refused_with_those_that_are() {
        for text in ["", "node", "slush", "vardiff=", "vardiff=0s", "vardiff=-1s", "vardiff=86401s", "vardiff=nan"] {
            assert!(parse_pool(text, Coin::Xmr).is_err(), "{text:?}");
        }
        for text in ["fixed=", "fixed=0", "fixed=1e19", "fixed=inf", "fixed=x", "fixed=-5", "suprnova"] {
            assert!(parse_pool(text, Coin::Btc).is_err(), "{text:?}");
        }
        let error = parse_pool("slush", Coin::Btc).unwrap_err().to_string();
        assert!(error.starts_with("\"slush\" names no pool of Bitcoin: known are ckpool, datum_gateway"), "{error}");
    }
}
