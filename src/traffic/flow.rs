//! Flow records: how many a connection leaves, by the time-outs of what exports them.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::error::TrafficError;
use crate::coin::history::SECONDS_PER_DAY;

/// When an exporter ends a record although the connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FlowTimeouts {
    /// After so many seconds of traffic.
    pub active_s: f64,
    /// After so many seconds without any.
    pub inactive_s: f64,
}

impl FlowTimeouts {
    /// Common settings: Cisco's defaults of 30 min and 15 s, and shorter active ones that are in use. The inactive one
    /// of 60 s stands for all that outlast the time between two jobs.
    pub const COMMON: [Self; 8] = [
        Self { active_s: 1800.0, inactive_s: 15.0 },
        Self { active_s: 1800.0, inactive_s: 60.0 },
        Self { active_s: 300.0, inactive_s: 15.0 },
        Self { active_s: 300.0, inactive_s: 60.0 },
        Self { active_s: 200.0, inactive_s: 15.0 },
        Self { active_s: 200.0, inactive_s: 60.0 },
        Self { active_s: 60.0, inactive_s: 15.0 },
        Self { active_s: 60.0, inactive_s: 60.0 },
    ];

    /// How many records a day a connection without a pause leaves in one direction.
    pub fn records_without_pause_per_day(self) -> f64 {
        SECONDS_PER_DAY / self.active_s
    }

    /// How many records a day a connection leaves in one direction, at least and at most, where messages come at random
    /// at `per_second` and beside them one every `period_s` seconds (infinite for none).
    ///
    /// A record begins after a pause longer than the inactive time-out, which for such a mixture has an exact rate, and
    /// where the active one ends the record before; how often that happens is exact to one record for each pause.
    pub fn records_per_day(self, per_second: f64, period_s: f64) -> (f64, f64) {
        let Self { active_s, inactive_s } = self;
        let unbroken = (-per_second * inactive_s).exp();
        let phase = (1.0 - inactive_s / period_s).max(0.0);
        let periodic = if period_s > inactive_s { 1.0 / period_s } else { 0.0 };
        let after_pause = unbroken * (per_second * phase + periodic);
        // The part of the time between the first and the last message of a run.
        let in_runs = (1.0 - unbroken * phase - after_pause * inactive_s).max(0.0);
        let low = after_pause.max(in_runs / (active_s + inactive_s));
        let high = after_pause + in_runs / active_s;
        (low * SECONDS_PER_DAY, high * SECONDS_PER_DAY)
    }
}

impl FromStr for FlowTimeouts {
    type Err = TrafficError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| TrafficError::Timeouts { text: text.to_owned(), reason };
        let seconds = |text: &str| text.trim().trim_end_matches('s').parse::<f64>().ok();
        let Some((active, inactive)) = text.split_once('/') else { return Err(refuse("there is no /")) };
        match (seconds(active), seconds(inactive)) {
            (Some(active_s), Some(inactive_s))
                if [active_s, inactive_s].iter().all(|s| (1.0..=86_400.0).contains(s)) =>
            {
                Ok(Self { active_s, inactive_s })
            }
            (Some(_), Some(_)) => Err(refuse("time-outs are from 1 s to a day")),
            _ => Err(refuse("they aren't numbers of seconds")),
        }
    }
}

impl fmt::Display for FlowTimeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} s", self.active_s, self.inactive_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    /// Counts records as an exporter does, over messages in order of time.
    fn count(times: &[f64], timeouts: FlowTimeouts) -> u64 {
        let mut records = 0;
        let (mut start, mut last) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for &time in times {
            if time - last > timeouts.inactive_s || time - start > timeouts.active_s {
                records += 1;
                start = time;
            }
            last = time;
        }
        records
    }

    #[test]
    fn known_rhythms_leave_known_numbers_of_records() {
        let cisco = FlowTimeouts { active_s: 1800.0, inactive_s: 15.0 };
        assert_eq!(cisco.records_without_pause_per_day(), 48.0);
        // A job every 31 s and nothing else: each is a record of its own.
        let (low, high) = cisco.records_per_day(0.0, 31.0);
        assert!((low - 2_787.1).abs() < 0.1 && (high - low) < 1e-9, "{low} to {high}");
        // Without a pause the active time-out alone counts.
        let patient = FlowTimeouts { active_s: 1800.0, inactive_s: 60.0 };
        let (low, high) = patient.records_per_day(0.3, 30.0);
        assert!((46.0..48.0).contains(&low) && (high - 48.0).abs() < 1e-3, "{low} to {high}");
        let (low, high) = cisco.records_per_day(0.0, f64::INFINITY);
        assert_eq!((low, high), (0.0, 0.0));
    }

    #[test]
    fn simulated_exporters_count_what_the_formula_says() {
        let mut random = SplitMix64::new(1);
        let mut uniform = move || (random.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        let days = 30.0;
        for per_second in [0.001, 0.01, 0.05, 0.1, 0.3] {
            for period_s in [30.0, 60.0, f64::INFINITY] {
                for timeouts in FlowTimeouts::COMMON {
                    let mut times = Vec::new();
                    let mut time = 0.0;
                    while time < days * SECONDS_PER_DAY {
                        time -= (1.0 - uniform()).ln() / per_second;
                        times.push(time);
                    }
                    if period_s.is_finite() {
                        let jobs = (days * SECONDS_PER_DAY / period_s) as usize;
                        times.extend((0..jobs).map(|job| (job as f64 + 0.5) * period_s));
                    }
                    times.sort_by(f64::total_cmp);
                    let counted = count(&times, timeouts) as f64 / days;
                    let (low, high) = timeouts.records_per_day(per_second, period_s);
                    // Some percent of noise, as the scarcest of these leaves 2,600 records.
                    let noise = 4.0 * (counted / days).sqrt();
                    let is_held = low - noise <= counted && counted <= high + noise;
                    assert!(is_held, "{per_second}/s, every {period_s} s, {timeouts}: {counted} not {low} to {high}");
                }
            }
        }
    }

    #[test]
    fn time_outs_are_two_numbers_of_seconds() {
        assert_eq!("1800/15".parse(), Ok(FlowTimeouts { active_s: 1800.0, inactive_s: 15.0 }));
        assert_eq!("60s/30s".parse(), Ok(FlowTimeouts { active_s: 60.0, inactive_s: 30.0 }));
        for text in ["", "1800", "1800/", "/15", "0/15", "1800/0", "1e9/15", "a/b", "nan/15", "1800/15/3"] {
            assert!(text.parse::<FlowTimeouts>().is_err(), "{text:?}");
        }
    }
}
