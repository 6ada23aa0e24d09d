//! What was observed: a count, of what, over which time, and what else is known.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::error::TrafficError;
use super::flow::FlowTimeouts;
use super::garwood;
use super::pool::{DIFFICULTY_MAX, PoolProgram};
use crate::coin::Coin;
use crate::coin::history::Window;
use crate::statistics::CONFIDENCE;

/// Above anything that a line carries in a day, and small enough for a sum over centuries.
const COUNT_MAX: u64 = 1_000_000_000_000;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Accepted shares.
    Share,
    /// Packets, of one direction or both.
    Packet,
    /// Records of a flow exporter.
    Flow,
    /// Connections.
    Connection,
    /// Nobody said.
    Unknown,
}

impl Unit {
    /// All that can be counted.
    pub const KNOWN: [Self; 4] = [Self::Share, Self::Packet, Self::Flow, Self::Connection];

    /// Its plural.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Share => "shares",
            Self::Packet => "packets",
            Self::Flow => "flow records",
            Self::Connection => "connections",
            Self::Unknown => "events",
        }
    }
}

impl FromStr for Unit {
    type Err = TrafficError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "share" => Ok(Self::Share),
            "packet" => Ok(Self::Packet),
            "flow" => Ok(Self::Flow),
            "connection" => Ok(Self::Connection),
            "unknown" => Ok(Self::Unknown),
            _ => {
                let expected = "share, packet, flow, connection or unknown";
                Err(TrafficError::Word { text: text.to_owned(), what: "unit of a count", expected })
            }
        }
    }
}

/// Over which time the count goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// A day, as the mean over the window.
    Day,
    /// The whole window.
    Total,
}

impl FromStr for Per {
    type Err = TrafficError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "day" => Ok(Self::Day),
            "total" => Ok(Self::Total),
            _ => Err(TrafficError::Word { text: text.to_owned(), what: "time of a count", expected: "day or total" }),
        }
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// A pool: the traffic is Stratum or something like it.
    Pool,
    /// Nodes of the coin's own network.
    Node,
    /// A node that is asked for work, by getwork or getblocktemplate.
    Rpc,
}

impl FromStr for Peer {
    type Err = TrafficError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pool" => Ok(Self::Pool),
            "node" => Ok(Self::Node),
            "rpc" => Ok(Self::Rpc),
            _ => Err(TrafficError::Word { text: text.to_owned(), what: "peer", expected: "pool, node or rpc" }),
        }
    }
}

/// A count, or the range that it lies in, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The least that it may be.
    pub low: u64,
    /// The most that it may be.
    pub high: u64,
}

impl Count {
    /// A count that is known.
    pub const fn exactly(count: u64) -> Self {
        Self { low: count, high: count }
    }

    /// Tells whether it is known.
    pub const fn is_exact(self) -> bool {
        self.low == self.high
    }
}

impl FromStr for Count {
    type Err = TrafficError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| TrafficError::Count { text: text.to_owned(), reason };
        let number = |digits: &str| match digits.parse::<u64>() {
            Ok(number) if number <= COUNT_MAX => Ok(number),
            _ if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                Err(refuse("no line carries more than 1,000,000,000,000"))
            }
            _ => Err(refuse("it isn't a whole number")),
        };
        let (low, high) = match text.split_once("..") {
            Some((low, high)) => (number(low)?, number(high)?),
            None => (number(text)?, number(text)?),
        };
        if high < low { Err(refuse("it ends before it begins")) } else { Ok(Self { low, high }) }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_exact() { write!(f, "{}", self.low) } else { write!(f, "{}..{}", self.low, self.high) }
    }
}

/// An observation of traffic that may come from mining.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The coin that it may be about.
    pub coin: Coin,
    /// How many were counted.
    pub count: Count,
    /// Of what.
    pub unit: Unit,
    /// In which time.
    pub per: Per,
    /// One packet in so many was looked at; 1 for all.
    pub sampling: u32,
    /// The days of the count.
    pub window: Option<Window>,
    /// The pool, where it is known.
    pub pool: Option<PoolProgram>,
    /// The difficulty of the shares, where it was read.
    pub share_difficulty: Option<f64>,
    /// The time-outs of the exporter of flow records, where they are known.
    pub timeouts: Option<FlowTimeouts>,
    /// Who is at the other end, where it is known.
    pub peer: Option<Peer>,
}

impl Observation {
    /// A count of anything over a window, of which nothing else is known.
    pub const fn new(coin: Coin, count: Count, per: Per, window: Option<Window>) -> Self {
        Self {
            coin,
            count,
            unit: Unit::Unknown,
            per,
            sampling: 1,
            window,
            pool: None,
            share_difficulty: None,
            timeouts: None,
            peer: None,
        }
    }

    /// Checks that it can be computed with.
    ///
    /// # Errors
    ///
    /// [`TrafficError`].
    pub fn check(&self) -> Result<(), TrafficError> {
        if self.per == Per::Total && self.window.is_none() {
            return Err(TrafficError::TotalWithoutWindow);
        }
        if self.sampling == 0 {
            return Err(TrafficError::Value {
                name: "sampling",
                value: 0.0,
                reason: "one packet in none says nothing",
            });
        }
        if self.count.high > COUNT_MAX || self.count.high < self.count.low {
            let text = self.count.to_string();
            return Err(TrafficError::Count { text, reason: "no line carries that" });
        }
        if let Some(value) = self.share_difficulty
            && !(value > 0.0 && value <= DIFFICULTY_MAX)
        {
            let reason = "a difficulty is a number above 0 and up to 1e18";
            return Err(TrafficError::Value { name: "share difficulty", value, reason });
        }
        let has_fixed = self.pool.as_ref().is_some_and(|pool| pool.fixed.is_some());
        if has_fixed && self.share_difficulty.is_some() {
            return Err(TrafficError::Conflict {
                one: "a pool of a fixed difficulty",
                other: "the shares' difficulty",
            });
        }
        if matches!(self.peer, Some(Peer::Node | Peer::Rpc)) && (self.pool.is_some() || self.share_difficulty.is_some())
        {
            return Err(TrafficError::Conflict { one: "a peer that is no pool", other: "a pool's figures" });
        }
        Ok(())
    }

    /// Who is at the other end, where the inputs say it: shares whose difficulty was read come from a pool.
    pub fn known_peer(&self) -> Option<Peer> {
        self.peer.or(self.share_difficulty.map(|_| Peer::Pool))
    }

    /// How long it was, in days; a day where no window is known.
    pub fn days(&self) -> f64 {
        self.window.map_or(1.0, Window::days)
    }

    /// The mean of what was seen in a day, at least and at most: the ends of the exact Poisson intervals of the least
    /// and of the largest count. Sampling isn't undone.
    pub fn mean_per_day(&self) -> (f64, f64) {
        let days = self.days();
        // A product of at most 1e12 and the days of a calendar.
        let total = |count: u64| match self.per {
            Per::Day => (count as f64 * days).round() as u64,
            Per::Total => count,
        };
        let (low, _) = garwood(total(self.count.low), CONFIDENCE);
        let (_, high) = garwood(total(self.count.high), CONFIDENCE);
        (low / days, high / days)
    }

    /// What was seen in a day, where the count is known. Sampling isn't undone.
    pub fn best_per_day(&self) -> Option<f64> {
        let count = self.count.is_exact().then_some(self.count.low as f64)?;
        Some(match self.per {
            Per::Day => count,
            Per::Total => count / self.days(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn summer() -> Option<Window> {
        Some(Window::new(date(2017, 5, 17), date(2017, 7, 6)).unwrap())
    }

    #[test]
    fn counts_are_whole_numbers_or_ranges() {
        assert_eq!("300".parse(), Ok(Count::exactly(300)));
        assert_eq!("100..900".parse(), Ok(Count { low: 100, high: 900 }));
        assert_eq!("0..0".parse(), Ok(Count::exactly(0)));
        for text in ["", "-1", "1.5", "900..100", "1..", "..2", "1..2..3", "1e3", "100 .. 900", "9999999999999"] {
            let error = text.parse::<Count>();
            assert!(matches!(error, Err(TrafficError::Count { .. })), "{text:?}: {error:?}");
        }
        assert_eq!(Count { low: 1, high: 2 }.to_string(), "1..2");
    }

    #[test]
    fn a_mean_over_many_days_is_narrower_than_the_count_of_one() {
        let day = Observation::new(Coin::Btc, Count::exactly(300), Per::Day, None);
        // R: qgamma(0.025, 300) and qgamma(0.975, 301).
        let (low, high) = day.mean_per_day();
        assert!((low - 267.009).abs() < 1e-3 && (high - 335.941).abs() < 1e-3, "{low} to {high}");
        let days = Observation { window: summer(), ..day };
        // 300 a day for 51 days are 15,300, with the interval of mpmath over 51.
        let (low, high) = days.mean_per_day();
        assert!((low - 15_058.514_383 / 51.0).abs() < 1e-6, "{low}");
        assert!((high - 15_544.387_837 / 51.0).abs() < 1e-6, "{high}");
        let total = Observation { count: Count::exactly(15_300), per: Per::Total, ..days.clone() };
        assert_eq!(total.mean_per_day(), days.mean_per_day());
        assert_eq!((total.best_per_day(), days.best_per_day()), (Some(300.0), Some(300.0)));
        let range = Observation { count: Count { low: 100, high: 900 }, ..days };
        assert_eq!(range.best_per_day(), None);
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let good = Observation::new(Coin::Btc, Count::exactly(300), Per::Day, None);
        assert_eq!(good.check(), Ok(()));
        let fixed = super::super::parse_pool("fixed=512", Coin::Btc).unwrap();
        for bad in [
            Observation { per: Per::Total, ..good.clone() },
            Observation { sampling: 0, ..good.clone() },
            Observation { share_difficulty: Some(0.0), ..good.clone() },
            Observation { share_difficulty: Some(f64::NAN), ..good.clone() },
            Observation { share_difficulty: Some(1.0), pool: Some(fixed.clone()), ..good.clone() },
            Observation { peer: Some(Peer::Node), pool: Some(fixed), ..good.clone() },
            Observation { count: Count { low: 2, high: 1 }, ..good.clone() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn words_are_those_of_the_command_line() {
        for (text, unit) in [
            ("share", Unit::Share),
            ("packet", Unit::Packet),
            ("flow", Unit::Flow),
            ("connection", Unit::Connection),
            ("unknown", Unit::Unknown),
        ] {
            assert_eq!(text.parse(), Ok(unit));
            assert_eq!(serde_json::to_value(unit).unwrap(), text);
        }
        assert!("shares".parse::<Unit>().is_err() && "week".parse::<Per>().is_err() && "p2p".parse::<Peer>().is_err());
    }
}
