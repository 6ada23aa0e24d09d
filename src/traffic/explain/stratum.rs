//! What a connection to a pool shows from outside: packets, flow records, itself.

use super::{NOTIFY_S, seen};
use crate::coin::history::SECONDS_PER_DAY;
use crate::traffic::flow::FlowTimeouts;
use crate::traffic::hypothesis::{Draft, Ends, Family, Yield};
use crate::traffic::observation::{Observation, Per, Unit};
use crate::traffic::pool::PoolProgram;

/// Packets each way for one job, at most. A capture of 2018 (jsiwek/zeek-cryptomining, bitcoin-mining.pcap) has 31 each
/// way in 202 s without a share, at a job in 31 s: 4.8.
const PACKETS_PER_JOB: f64 = 5.0;

/// Packets each way for one share, at most: the message, and an acknowledgement of its own.
const PACKETS_PER_SHARE: f64 = 2.0;

/// Rates of shares that are tried between none and the most: what leaves the most flow records lies between.
const STEPS: u32 = 40;

/// What one connection does in a day.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Activity {
    /// The most shares. A worker too weak for its pool sends hardly any.
    shares_high: f64,
    /// The time between two jobs, the least and the most, in seconds.
    notify_s: (f64, f64),
}

impl Activity {
    /// What covers all these programs. Where shares have a fixed difficulty, nothing holds their number.
    fn of(programs: &[PoolProgram]) -> Self {
        let shares = |program: &PoolProgram| program.shares_per_day().map_or(f64::INFINITY, |(_, high)| high);
        let is_held = |program: &&PoolProgram| programs.len() == 1 || program.seconds_per_share.is_some();
        let notify = |program: &PoolProgram| program.notify_s.map_or(NOTIFY_S, |seconds| (seconds, seconds));
        let widen = |(low, high): (f64, f64), (a, b): (f64, f64)| (low.min(a), high.max(b));
        Self {
            shares_high: programs.iter().filter(is_held).map(shares).fold(0.0, f64::max),
            notify_s: programs.iter().map(notify).fold((f64::INFINITY, 0.0), widen),
        }
    }

    /// Packets a day in one direction, at least and at most.
    fn packets(self) -> (f64, f64) {
        let jobs = |seconds: f64| SECONDS_PER_DAY / seconds;
        (jobs(self.notify_s.1), self.shares_high * PACKETS_PER_SHARE + jobs(self.notify_s.0) * PACKETS_PER_JOB)
    }

    /// Flow records a day in one direction, at least and at most.
    fn records(self, timeouts: &[FlowTimeouts], sampling: u32) -> (f64, f64) {
        let mut range = (f64::INFINITY, 0.0_f64);
        let mut widen = |(low, high): (f64, f64)| range = (range.0.min(low), range.1.max(high));
        let each = f64::from(sampling) * SECONDS_PER_DAY;
        for timeouts in timeouts {
            if sampling > 1 {
                // Of a rhythm sampling leaves chance.
                let (low, high) = self.packets();
                let rates = ladder(low / each, high / each);
                rates.for_each(|rate| widen(timeouts.records_per_day(rate, f64::INFINITY)));
            } else {
                for period_s in [self.notify_s.0, self.notify_s.1] {
                    let rates = std::iter::once(0.0).chain(ladder(1.0 / each, self.shares_high / each));
                    rates.for_each(|rate| widen(timeouts.records_per_day(rate, period_s)));
                }
            }
        }
        range
    }
}

/// Rates from a least to a greatest one, in even ratios; what is above one in a second is taken for that.
fn ladder(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let ratio = (high.min(1.0).max(low) / low).ln();
    (0..=STEPS).map(move |step| low * (ratio * f64::from(step) / f64::from(STEPS)).exp())
}

/// The explanation by connections to a pool of which `unit` was counted.
pub(super) fn draft(observation: &Observation, programs: &[PoolProgram], unit: Unit) -> Draft {
    let activity = Activity::of(programs);
    let sampling = f64::from(observation.sampling);
    let (name, shown, basis) = match unit {
        Unit::Flow => {
            let timeouts = observation.timeouts.map_or_else(|| FlowTimeouts::COMMON.to_vec(), |known| vec![known]);
            let (low, high) = activity.records(&timeouts, observation.sampling);
            let setting = observation.timeouts.map_or_else(
                || "active time-outs of 60 to 1800 s and inactive ones from 15 s on".to_owned(),
                |known| format!("time-outs of {known}"),
            );
            // An exporter writes one record for both directions, or one for each.
            ("flow/stratum", (low, 2.0 * high), format!("{setting}; records of one direction or of both"))
        }
        Unit::Packet => {
            let (low, high) = activity.packets();
            let basis = "a packet for each job at least; packets of one direction or of both";
            ("packet/stratum", (low / sampling, 2.0 * high / sampling), basis.to_owned())
        }
        _ => {
            let days = match observation.per {
                Per::Day => 1.0,
                Per::Total => observation.days(),
            };
            let packets = activity.packets().0 * days;
            let basis = "a worker stays connected: it is seen once at least, and more often where it is cut off";
            ("connection/stratum", (seen(packets, observation.sampling) / days, f64::INFINITY), basis.to_owned())
        }
    };
    let jobs = format!("a job in {} to {} s", activity.notify_s.0, activity.notify_s.1);
    Draft {
        name: name.to_owned(),
        explanation: match unit {
            Unit::Connection => "connections to a pool".to_owned(),
            unit => format!("{} of connections to a pool", unit.plural()),
        },
        basis: format!("{jobs}; {basis}"),
        family: Family::Pool,
        unit,
        of: "connections to a pool",
        shown,
        yields: Yield::SharesPerConnection {
            per_day: shares_per_day(observation, programs, activity),
            difficulty: difficulty(observation),
        },
        unbounded: "traffic doesn't grow with the hash rate; the difficulty of shares does, and doesn't show in it",
    }
}

/// How many shares a connection sends: as many as the pool aims at where it is known that the worker isn't too weak.
fn shares_per_day(observation: &Observation, programs: &[PoolProgram], activity: Activity) -> Ends {
    let low = match (programs, observation.share_difficulty) {
        ([program], Some(difficulty)) if program.minimum.is_some_and(|(_, least)| difficulty > least) => {
            program.shares_per_day().map(|(low, _)| low)
        }
        _ => None,
    };
    Ends { low, high: activity.shares_high.is_finite().then_some(activity.shares_high) }
}

/// The difficulty of the shares, where it is known.
fn difficulty(observation: &Observation) -> Ends {
    let fixed = observation.pool.as_ref().and_then(|pool| pool.fixed);
    let known = observation.share_difficulty.or(fixed);
    Ends { low: known, high: known }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coin::Coin;
    use crate::traffic::{Count, parse_pool, pool_programs};

    fn shown(unit: Unit, sampling: u32, pool: Option<&str>, timeouts: Option<&str>) -> (f64, f64) {
        let observation = Observation {
            sampling,
            timeouts: timeouts.map(|text| text.parse().unwrap()),
            ..Observation::new(Coin::Btc, Count::exactly(300), Per::Day, None)
        };
        let programs = match pool {
            Some(name) => vec![parse_pool(name, Coin::Btc).unwrap()],
            None => pool_programs(Coin::Btc),
        };
        draft(&observation, &programs, unit).shown
    }

    /// Economics of the default: 48 a day at 1,800 s, and at an inactive time-out of 15 s a record for every job.
    #[test]
    fn flow_records_follow_the_time_outs() {
        let (low, high) = shown(Unit::Flow, 1, Some("bitminter"), Some("1800/60"));
        assert!((46.0..=48.0).contains(&low) && (high - 96.0).abs() < 0.5, "{low} to {high}");
        let (low, high) = shown(Unit::Flow, 1, None, None);
        assert!((40.0..=48.0).contains(&low), "{low}");
        assert!((5_000.0..=8_000.0).contains(&high), "{high}");
    }

    #[test]
    fn packets_are_those_of_the_capture() {
        let (low, high) = shown(Unit::Packet, 1, None, None);
        // 31 each way in 202 s: 13,259 a day each way, without a share.
        assert!(low < 13_259.0 && 2.0 * 13_259.0 < high, "{low} to {high}");
        assert_eq!(low, 1_440.0);
        let (sampled_low, sampled_high) = shown(Unit::Packet, 1000, None, None);
        assert!((sampled_low * 1000.0 - low).abs() < 1e-9 && (sampled_high * 1000.0 - high).abs() < 1e-6);
    }

    #[test]
    fn a_connection_is_seen_once_a_day_at_least() {
        assert_eq!(shown(Unit::Connection, 1, None, None), (1.0, f64::INFINITY));
        let (low, _) = shown(Unit::Connection, 1000, None, None);
        // 1 - 0.999^1440.
        assert!((low - 0.763_2).abs() < 1e-3, "{low}");
    }

    #[test]
    fn sampled_records_are_fewer_and_never_more_than_sampled_packets() {
        let (low, high) = shown(Unit::Flow, 1000, None, None);
        let (packets_low, packets_high) = shown(Unit::Packet, 1000, None, None);
        assert!(low <= packets_low && high <= packets_high, "{low} to {high}, {packets_low} to {packets_high}");
    }
}
