//! One explanation of the traffic, and what it would mean.

use std::collections::BTreeMap;

use serde::Serialize;

use super::network::{Earnings, Representative};
use super::observation::{Observation, Peer, Unit};
use super::shares::hashes_per_difficulty;
use super::silence;
use crate::coin::history::SECONDS_PER_DAY;
use crate::report::units::{between, format_number, format_si, group_thousands};
use crate::statistics::CONFIDENCE;

/// Rounding of floats must not make a whole number of connections impossible.
const SLACK: f64 = 1e-9;

/// The ends of a range; one that the inputs don't determine is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Ends {
    /// The lower end.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

impl Ends {
    /// A range without an end that is open.
    pub(super) const fn closed(low: f64, high: f64) -> Self {
        Self { low: Some(low), high: Some(high) }
    }

    /// The range in a unit that is `factor` times smaller.
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { low: self.low.map(|low| low * factor), high: self.high.map(|high| high * factor) }
    }
}

/// How many there are of what the traffic comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Connections {
    /// At least so many.
    pub low: Option<u64>,
    /// At most so many.
    pub high: Option<u64>,
    /// What they are.
    pub of: &'static str,
}

/// A hash rate in H/s.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Rate {
    /// At least.
    pub low: Option<f64>,
    /// What the count itself says.
    pub best: Option<f64>,
    /// At most.
    pub high: Option<f64>,
}

impl Rate {
    const ZERO: Self = Self { low: Some(0.0), best: Some(0.0), high: Some(0.0) };

    pub(super) const fn ends(self) -> Ends {
        Ends { low: self.low, high: self.high }
    }
}

/// How many machines of one kind an explanation takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machines {
    /// The machine.
    #[serde(flatten)]
    pub machine: Representative,
    /// How many, if all are of this kind.
    pub count: Ends,
    /// What they hash together, in H/s.
    pub hash_rate_hps: Ends,
    /// What they are expected to find in the window.
    pub coins: Ends,
    /// What the number follows from: `hash rate`, or `one at each connection`.
    pub count_from: &'static str,
}

/// One explanation of the traffic, and what it would mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hypothesis {
    /// Its name, such as `share/vardiff/ckpool`.
    pub name: String,
    /// What it says, in words.
    pub explanation: String,
    /// What is taken to have been counted.
    pub counted: Unit,
    /// Whether the count fits.
    pub consistent: bool,
    /// Why it doesn't.
    pub inconsistent_because: Option<String>,
    /// What one connection shows in a day, of what was counted.
    pub events_per_connection_day: Ends,
    /// How many connections.
    pub connections: Connections,
    /// What all of them hash together, in H/s.
    pub hash_rate_hps: Rate,
    /// The same for each unit of the shares' difficulty, in H/s, where shares were counted.
    pub hash_rate_per_difficulty_hps: Option<Ends>,
    /// How many machines of each class of the time that takes.
    pub machines: Vec<Machines>,
    /// The coins that are expected in the window.
    pub coins: Ends,
    /// Why the hash rate has no upper end.
    pub unbounded_because: Option<String>,
    /// Why other figures aren't there.
    pub absent: BTreeMap<&'static str, String>,
    /// The facts that it rests on.
    pub basis: String,
    #[serde(skip)]
    pub(super) family: Family,
}

/// What kind of explanation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Miners at a pool.
    Pool,
    /// A node of the network that doesn't mine.
    Node,
    /// A miner behind such a node.
    Solo,
    /// Miners that ask a node for work.
    Rpc,
    /// Many machines behind one connection.
    Proxy,
}

impl Family {
    /// Whether it has these at the other end.
    fn has_peer(self, peer: Peer) -> bool {
        match peer {
            Peer::Pool => matches!(self, Self::Pool | Self::Proxy),
            Peer::Node => matches!(self, Self::Node | Self::Solo),
            Peer::Rpc => self == Self::Rpc,
        }
    }
}

/// What the traffic says of the work behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yield {
    /// There is no work.
    Nothing,
    /// Each event is a share of a difficulty in this range.
    CountedShares { difficulty: Ends },
    /// Each connection sends so many shares a day, of a difficulty in this range.
    SharesPerConnection { per_day: Ends, difficulty: Ends },
    /// The work shows in blocks only, and none is known.
    Silence,
    /// It shows in nothing.
    Hidden,
}

/// An explanation before it is held against the count.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) explanation: String,
    pub(super) basis: String,
    pub(super) family: Family,
    pub(super) unit: Unit,
    /// What is counted as connections.
    pub(super) of: &'static str,
    /// What one of them shows in a day, after sampling: at least and at most, which may be infinite.
    pub(super) shown: (f64, f64),
    pub(super) yields: Yield,
    /// Why a hash rate has no upper end, if it has none.
    pub(super) unbounded: &'static str,
}

/// What every explanation is held against.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) observation: &'a Observation,
    pub(super) earnings: &'a Earnings,
    /// What was seen in a day: at least and at most.
    pub(super) mean: (f64, f64),
}

impl Draft {
    /// Holds the explanation against the count.
    pub(super) fn judge(self, context: &Context<'_>) -> Hypothesis {
        let (low, high) = self.connections(context.mean);
        let rate = self.rate(context, (low, high));
        match self.refusal(context, (low, high), rate) {
            Some(reason) => self.refused(reason),
            None => self.accepted(context, (low, high), rate),
        }
    }

    /// How many connections show what was seen: at least one, at most where they all show little.
    fn connections(&self, mean: (f64, f64)) -> (f64, Option<f64>) {
        if self.shown.1 <= 0.0 {
            return (1.0, None);
        }
        let low = (mean.0 / self.shown.1 - SLACK).ceil().max(1.0);
        let high = (self.shown.0 > 0.0).then(|| (mean.1 / self.shown.0 + SLACK).floor());
        (low, high)
    }

    fn rate(&self, context: &Context<'_>, (low, high): (f64, Option<f64>)) -> Rate {
        let per_difficulty = hashes_per_difficulty(context.observation.coin) / SECONDS_PER_DAY;
        match self.yields {
            Yield::Nothing => Rate::ZERO,
            Yield::Hidden => Rate::default(),
            Yield::Silence => {
                let high = silence(CONFIDENCE) / context.earnings.blocks_per_hps;
                Rate { low: Some(0.0), best: None, high: Some(high) }
            }
            Yield::CountedShares { difficulty } => {
                let each = per_difficulty * f64::from(context.observation.sampling);
                let exact = difficulty.low.filter(|low| difficulty.high == Some(*low));
                Rate {
                    low: difficulty.low.map(|difficulty| context.mean.0 * each * difficulty),
                    best: exact.zip(context.observation.best_per_day()).map(|(exact, count)| count * each * exact),
                    high: difficulty.high.map(|difficulty| context.mean.1 * each * difficulty),
                }
            }
            Yield::SharesPerConnection { per_day, difficulty } => {
                let of = |connections: f64, per_day: f64, difficulty: f64| {
                    connections * per_day * difficulty * per_difficulty
                };
                Rate {
                    low: per_day.low.zip(difficulty.low).map(|(shares, difficulty)| of(low, shares, difficulty)),
                    best: None,
                    high: high.zip(per_day.high.zip(difficulty.high)).map(|(high, (shares, d))| of(high, shares, d)),
                }
            }
        }
    }

    /// Says why the count doesn't fit, if it doesn't.
    fn refusal(&self, context: &Context<'_>, (low, high): (f64, Option<f64>), rate: Rate) -> Option<String> {
        if let Some(peer) = context.observation.known_peer()
            && !self.family.has_peer(peer)
        {
            let other = match peer {
                Peer::Pool => "a pool",
                Peer::Node => "the coin's own network",
                Peer::Rpc => "a node that is asked for work",
            };
            return Some(format!("the other end is {other}"));
        }
        let unit = self.unit.plural();
        if self.shown.1 <= 0.0 && context.mean.0 > 0.0 {
            return Some(format!("it sends no {unit}"));
        }
        if let Some(high) = high
            && high < low
        {
            let (seen_low, seen_high) = context.mean;
            return Some(if high < 1.0 {
                let part = seen_high / self.shown.0 * 100.0;
                format!(
                    "one alone shows at least {} {unit} a day; what was seen fits one that is up for {} % of it",
                    round(self.shown.0),
                    format_number(part),
                )
            } else {
                let seen = between(&round(seen_low), &round(seen_high));
                let shown = between(&round(self.shown.0), &round(self.shown.1));
                format!("one shows {shown} {unit} a day, and no whole number of them {seen}")
            });
        }
        if rate.high.is_some_and(|high| high < 1.0) && !matches!(self.yields, Yield::Nothing) {
            return Some("that is less than one hash a second".to_owned());
        }
        let network = context.earnings.network_hps;
        rate.low.filter(|rate| *rate > network).map(|rate| {
            let (rate, network) = (format_si(rate, "H/s", 3), format_si(network, "H/s", 3));
            format!("that takes at least {rate}, and the whole network had {network}")
        })
    }

    fn refused(self, reason: String) -> Hypothesis {
        let absent =
            ["connections", "hash_rate_hps", "coins"].map(|figure| (figure, "the count doesn't fit".to_owned()));
        Hypothesis { consistent: false, inconsistent_because: Some(reason), absent: absent.into(), ..self.hypothesis() }
    }

    /// The explanation without a figure.
    fn hypothesis(self) -> Hypothesis {
        let (low, high) = self.shown;
        Hypothesis {
            name: self.name,
            explanation: self.explanation,
            counted: self.unit,
            consistent: true,
            inconsistent_because: None,
            events_per_connection_day: Ends { low: Some(low), high: high.is_finite().then_some(high) },
            connections: Connections { low: None, high: None, of: self.of },
            hash_rate_hps: Rate::default(),
            hash_rate_per_difficulty_hps: None,
            machines: Vec::new(),
            coins: Ends::default(),
            unbounded_because: None,
            absent: BTreeMap::new(),
            basis: self.basis,
            family: self.family,
        }
    }

    fn accepted(self, context: &Context<'_>, (low, high): (f64, Option<f64>), rate: Rate) -> Hypothesis {
        let (yields, unbounded) = (self.yields.clone(), self.unbounded);
        let connections = Connections { low: Some(low as u64), high: high.map(|high| high as u64), of: self.of };
        let per_connection = Ends { low: Some(low), high };
        let machines = match yields {
            Yield::Nothing => Vec::new(),
            _ => machines(context, per_connection, rate),
        };
        let per_difficulty = match yields {
            Yield::CountedShares { .. } => {
                let each = hashes_per_difficulty(context.observation.coin) / SECONDS_PER_DAY;
                let each = each * f64::from(context.observation.sampling);
                Some(Ends::closed(context.mean.0 * each, context.mean.1 * each))
            }
            _ => None,
        };
        let mut hypothesis = Hypothesis {
            connections,
            hash_rate_hps: rate,
            hash_rate_per_difficulty_hps: per_difficulty,
            machines,
            coins: rate.ends().scaled(context.earnings.coins_per_hps),
            unbounded_because: rate.high.is_none().then(|| unbounded.to_owned()),
            ..self.hypothesis()
        };
        let is_range = !context.observation.count.is_exact() && matches!(yields, Yield::CountedShares { .. });
        hypothesis.explain_absent(match (is_range, rate.high) {
            (_, None) => "the hash rate has no upper end",
            (true, Some(_)) => "the count is a range",
            (false, Some(_)) => "nothing says where between the ends it lies",
        });
        hypothesis
    }
}

impl Hypothesis {
    /// Says why each figure that isn't there is absent; `best` is the reason for that of the hash rate.
    pub(super) fn explain_absent(&mut self, best: &str) {
        let Self { absent, hash_rate_hps: rate, .. } = self;
        if self.connections.high.is_none() {
            absent.insert("connections.high", "each may show less, so that any number of them fits".to_owned());
        }
        if rate.best.is_none() {
            absent.insert("hash_rate_hps.best", best.to_owned());
        }
        let figures = [
            (rate.low, ["hash_rate_hps.low", "coins.low"], "nothing says how weak the machines may be"),
            (rate.high, ["hash_rate_hps.high", "coins.high"], self.unbounded_because.as_deref().unwrap_or_default()),
        ];
        for (end, names, reason) in figures {
            if end.is_none() {
                absent.extend(names.map(|name| (name, reason.to_owned())));
            }
        }
    }
}

impl Machines {
    /// How many machines of each class of the time make a hash rate.
    pub fn of_rate(earnings: &Earnings, rate_hps: Ends) -> Vec<Self> {
        let of = |machine: &Representative| {
            let of = |end: Option<f64>| end.map(|rate_hps| rate_hps / machine.rate_hps);
            let count = Ends { low: of(rate_hps.low), high: of(rate_hps.high) };
            Self::new(earnings, machine, count, rate_hps, "hash rate")
        };
        earnings.machines.iter().map(of).collect()
    }

    fn new(
        earnings: &Earnings,
        machine: &Representative,
        count: Ends,
        hash_rate_hps: Ends,
        count_from: &'static str,
    ) -> Self {
        let coins = hash_rate_hps.scaled(earnings.coins_per_hps);
        Self { machine: machine.clone(), count, hash_rate_hps, coins, count_from }
    }
}

/// How many machines of each class: by the hash rate where it has both ends, else one at each connection.
pub(super) fn machines(context: &Context<'_>, connections: Ends, rate: Rate) -> Vec<Machines> {
    if rate.low.is_some() && rate.high.is_some() {
        return Machines::of_rate(context.earnings, rate.ends());
    }
    let of = |machine: &Representative| {
        let rate_hps = connections.scaled(machine.rate_hps);
        Machines::new(context.earnings, machine, connections, rate_hps, "one at each connection")
    };
    context.earnings.machines.iter().map(of).collect()
}

/// A number of events in words, with one decimal where it is small.
pub(super) fn round(number: f64) -> String {
    if number.is_infinite() {
        "any number".to_owned()
    } else if number < 9.95 {
        format!("{}", (number * 10.0).round() / 10.0)
    } else {
        group_thousands(&format!("{number:.0}"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::coin::Coin;
    use crate::coin::history::{History, Window};
    use crate::traffic::{Count, Per};

    fn summer(count: Count) -> (Observation, Earnings) {
        let window = Some(Window::new(date(2017, 5, 17), date(2017, 7, 6)).unwrap());
        let observation = Observation::new(Coin::Btc, count, Per::Day, window);
        let earnings = Earnings::over(&observation, &History::built_in(Coin::Btc), None).unwrap();
        (observation, earnings)
    }

    fn draft(shown: (f64, f64), yields: Yield) -> Draft {
        Draft {
            name: "test".to_owned(),
            explanation: String::new(),
            basis: String::new(),
            family: Family::Pool,
            unit: Unit::Share,
            of: "connections",
            shown,
            yields,
            unbounded: "nobody knows",
        }
    }

    fn judged(count: u64, shown: (f64, f64), yields: Yield) -> Hypothesis {
        let (observation, earnings) = summer(Count::exactly(count));
        // Without noise, so that the arithmetic shows.
        let mean = (count as f64, count as f64);
        draft(shown, yields).judge(&Context { observation: &observation, earnings: &earnings, mean })
    }

    #[test]
    fn connections_are_whole_numbers_that_show_what_was_seen() {
        let connections = |count, shown| {
            let judged = judged(count, shown, Yield::Hidden);
            (judged.consistent, judged.connections.low, judged.connections.high)
        };
        assert_eq!(connections(1000, (100.0, 200.0)), (true, Some(5), Some(10)));
        assert_eq!(connections(1000, (100.0, f64::INFINITY)), (true, Some(1), Some(10)));
        assert_eq!(connections(1000, (0.0, 200.0)), (true, Some(5), None));
        assert_eq!(connections(1000, (1000.0, 1000.0)), (true, Some(1), Some(1)));
        // 2.5 connections are none, and neither is half of one.
        assert_eq!(connections(1000, (400.0, 400.0)), (false, None, None));
        assert_eq!(connections(1000, (2000.0, 3000.0)), (false, None, None));
        // What sends nothing fits where nothing was seen.
        assert_eq!(connections(0, (0.0, 0.0)), (true, Some(1), None));
        assert!(!connections(1, (0.0, 0.0)).0);
    }

    #[test]
    fn an_explanation_beyond_the_whole_network_does_not_fit() {
        let (_, earnings) = summer(Count::exactly(1));
        let shares = |difficulty: f64| {
            judged(
                86_400,
                (0.0, f64::INFINITY),
                Yield::CountedShares { difficulty: Ends::closed(difficulty, difficulty) },
            )
        };
        // One share a second: the rate is difficulty * 2^32.
        let limit = earnings.network_hps / 4_294_967_296.0;
        assert!(shares(limit * 0.99).consistent);
        let because = shares(limit * 1.01).inconsistent_because.unwrap();
        assert!(because.contains("the whole network had"), "{because}");
        assert_eq!(shares(1.0).hash_rate_hps.best, Some(4_294_967_296.0));
        assert_eq!(shares(1e-10).inconsistent_because.as_deref(), Some("that is less than one hash a second"));
    }

    #[test]
    fn shares_of_each_connection_bound_the_rate_on_both_sides() {
        let yields =
            Yield::SharesPerConnection { per_day: Ends::closed(4_320.0, 8_640.0), difficulty: Ends::closed(2.0, 2.0) };
        let bounded = judged(1000, (100.0, 200.0), yields);
        // 5 connections of a share in 20 s, and 10 of one in 10 s.
        let per_share = 2.0 * 4_294_967_296.0;
        assert_eq!(bounded.hash_rate_hps.ends(), Ends::closed(5.0 * per_share / 20.0, 10.0 * per_share / 10.0));
        assert_eq!(bounded.machines[0].count_from, "hash rate");
        let hidden = judged(1000, (100.0, 200.0), Yield::Hidden);
        assert_eq!(hidden.machines[0].count_from, "one at each connection");
        assert_eq!(hidden.machines[0].count, Ends::closed(5.0, 10.0));
        assert_eq!(hidden.unbounded_because.as_deref(), Some("nobody knows"));
    }

    #[test]
    fn machines_of_a_rate_make_it() {
        let (_, earnings) = summer(Count::exactly(1));
        let machines = Machines::of_rate(&earnings, Ends::closed(13.5e12, 27e12));
        assert_eq!((machines[0].machine.name.as_str(), machines[0].count), ("Antminer S9", Ends::closed(1.0, 2.0)));
        assert!((machines[0].coins.low.unwrap() - 0.266_00).abs() < 5e-6);
    }

    #[test]
    fn numbers_are_rounded_for_reading() {
        assert_eq!(
            (round(1.25), round(12_345.6), round(f64::INFINITY)),
            ("1.3".into(), "12,346".into(), "any number".into())
        );
    }
}
