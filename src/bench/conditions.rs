//! What was around the turns of a run, for the record.

use super::turn::Conditions;
use crate::machine::LoadChange;
use crate::record::Turn;

/// The conditions of one turn, in the order of time.
#[derive(Debug, Clone)]
pub(super) struct TurnLog {
    conditions: Conditions,
    /// How long its samples took, in seconds: what it weighs in a mean.
    samples_s: f64,
}

impl TurnLog {
    pub(super) fn new(conditions: Conditions, samples_s: f64) -> Self {
        Self { conditions, samples_s }
    }
}

/// Writes the conditions of turn number `turn` of an engine.
pub(super) fn to_record(turn: u32, conditions: &Conditions) -> Turn {
    let Conditions { lead_in, change, after, device } = conditions;
    Turn {
        turn,
        lead_in_s: lead_in.as_secs_f64(),
        clock_mhz: device.map_or(after.clock_mhz, |device| device.clock_mhz),
        temperature_c: device.map_or(after.temperature_c, |device| device.temperature_c),
        device_slowed_down: device.and_then(|device| device.is_slowed_down),
        steal_fraction: change.steal_fraction,
        others_fraction: change.others_fraction,
        throttle_events: change.throttle_events,
        involuntary_switches_per_s: change.involuntary_switches_per_s,
    }
}

/// Sums up all turns of a run: means of fractions and rates, weighted by the time of the samples; clock and temperature
/// from the end of the first turn to that of the last.
pub(super) fn overall(log: &[TurnLog]) -> LoadChange {
    let mean = |figure: fn(&LoadChange) -> Option<f64>| {
        let known = log.iter().filter_map(|turn| Some((figure(&turn.conditions.change)?, turn.samples_s)));
        let (sum, weight) = known.fold((0.0, 0.0), |(sum, weight), (figure, s)| (sum + figure * s, weight + s));
        (weight > 0.0).then(|| sum / weight)
    };
    let ends = |figure: fn(&Conditions) -> Option<f64>| {
        log.first().and_then(|turn| figure(&turn.conditions)).zip(log.last().and_then(|turn| figure(&turn.conditions)))
    };
    LoadChange {
        steal_fraction: mean(|change| change.steal_fraction),
        others_fraction: mean(|change| change.others_fraction),
        clock_change_percent: ends(|turn| turn.after.clock_mhz).map(|(first, last)| 100.0 * (last / first - 1.0)),
        temperature_change_c: ends(|turn| turn.after.temperature_c).map(|(first, last)| last - first),
        throttle_events: log.iter().filter_map(|turn| turn.conditions.change.throttle_events).reduce(|a, b| a + b),
        involuntary_switches_per_s: mean(|change| change.involuntary_switches_per_s),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::energy::DeviceState;
    use crate::machine::LoadSnapshot;

    fn turn(steal: Option<f64>, clock_mhz: f64, events: Option<u64>, samples_s: f64) -> TurnLog {
        let change = LoadChange { steal_fraction: steal, throttle_events: events, ..LoadChange::default() };
        let after = LoadSnapshot { clock_mhz: Some(clock_mhz), ..LoadSnapshot::default() };
        TurnLog::new(Conditions { lead_in: Duration::from_millis(200), change, after, device: None }, samples_s)
    }

    #[test]
    fn the_clock_of_a_turn_is_that_of_the_device_that_hashed() {
        let TurnLog { conditions, .. } = turn(None, 4000.0, None, 1.0);
        assert_eq!(to_record(2, &conditions).clock_mhz, Some(4000.0));
        let card = DeviceState { clock_mhz: Some(1980.0), temperature_c: Some(61.0), is_slowed_down: Some(true) };
        let of_card = to_record(2, &Conditions { device: Some(card), ..conditions });
        assert_eq!((of_card.turn, of_card.clock_mhz, of_card.temperature_c), (2, Some(1980.0), Some(61.0)));
        assert_eq!(of_card.device_slowed_down, Some(true));
    }

    #[test]
    fn fractions_are_weighted_by_time_and_clocks_compared_from_first_to_last() {
        let log = [
            turn(Some(0.1), 4000.0, Some(1), 1.0),
            turn(None, 9999.0, None, 5.0),
            turn(Some(0.4), 3000.0, Some(2), 3.0),
        ];
        let change = overall(&log);
        assert!((change.steal_fraction.unwrap() - 0.325).abs() < 1e-12);
        assert_eq!((change.clock_change_percent, change.throttle_events), (Some(-25.0), Some(3)));
        assert_eq!((change.others_fraction, change.temperature_change_c), (None, None));
        assert_eq!(overall(&[]), LoadChange::default());
    }
}
