//! One turn of one engine: a lead-in, then samples one after the other while the engine never stops.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::device::Device;
use crate::energy::{DeviceState, Meter, Provenance};
use crate::engine::{Cancel, Engine, EngineError, HitFilter, Sink, Span, SpanReport, Work, Workload, WorkloadCursor};
use crate::machine::{LoadChange, LoadSnapshot, load_change};
use crate::verify::TimedWork;

/// The shortest stretch over which the lead-in looks at the rate.
const LEAD_IN_WINDOW: Duration = Duration::from_millis(100);
/// The shortest lead-in: two stretches.
pub(super) const LEAD_IN_MIN: Duration = Duration::from_millis(200);
/// Two stretches in a row that differ by no more than this are steady.
const LEAD_IN_TOLERANCE: f64 = 0.05;
/// The lead-in ends after this long even when the rate isn't steady.
pub(super) const LEAD_IN_MAX: Duration = Duration::from_secs(2);
/// How many hits per second the filter of timed work shall give at least, and at most twice as many: enough to notice
/// what is lost, few enough that hashing them again costs nothing. Submissions of 10 to 30 ms have a hundred to six
/// hundred each; in ten seconds a loss of 2 % is six standard deviations.
const HITS_PER_SECOND: f64 = 10_000.0;

/// One sample: what was hashed between two reports, and the joules of each meter in that time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When it began, on the clock of the run.
    pub start: Duration,
    /// How long it took.
    pub duration: Duration,
    /// How many hashes were finished in it.
    pub hashes: u64,
    /// How long the device was busy with these hashes, by its own clock, where it has one.
    pub device_time: Option<Duration>,
    /// Joules by the name of the meter.
    pub energy_j: BTreeMap<String, f64>,
}

/// What a turn is made of.
pub struct Turn<'a> {
    /// Stamps the reports.
    pub clock: &'a dyn Clock,
    /// The device that hashes.
    pub device: Device,
    /// Where the work comes from.
    pub work: &'a WorkloadCursor,
    /// Which hashes are reported.
    pub filter: HitFilter,
    /// How many samples to take.
    pub samples: u32,
    /// How long each shall be; it ends with the first report after that.
    pub sample: Duration,
    /// Ends the turn early; the sample that has begun is dropped.
    pub cancel: &'a Cancel,
    /// Reads what moves around the measurement.
    pub load: &'a dyn Fn() -> LoadSnapshot,
}

/// What was around the samples of a turn, read while the engine was at work.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// How long the lead-in took.
    pub lead_in: Duration,
    /// What moved from the first sample to the last.
    pub change: LoadChange,
    /// How things stood at the end of the last sample.
    pub after: LoadSnapshot,
    /// How the device that hashed stood then, as far as its meter tells; none for the processors.
    pub device: Option<DeviceState>,
}

/// What a turn left.
#[derive(Debug)]
pub struct TurnOutcome {
    /// The samples; fewer than asked for after an interrupt or an error.
    pub samples: Vec<Sample>,
    /// What was around them; none where the turn ended early.
    pub conditions: Option<Conditions>,
    /// What was reported, for checking.
    pub work: TimedWork,
    /// What ended the turn early, if something did.
    pub fault: Option<EngineError>,
}

/// The meters that run beside a benchmark.
///
/// A meter that fails is out for the rest of the run: a figure that covers half of a benchmark is no figure.
pub struct Meterings {
    meters: Vec<Box<dyn Meter>>,
    opened: Duration,
    failed: BTreeMap<String, String>,
}

impl Meterings {
    /// Takes meters that were opened at `opened` on the run's clock.
    #[must_use]
    pub fn new(meters: Vec<Box<dyn Meter>>, opened: Duration) -> Self {
        Self { meters, opened, failed: BTreeMap::new() }
    }

    /// Returns the meters.
    #[must_use]
    pub fn meters(&self) -> &[Box<dyn Meter>] {
        &self.meters
    }

    /// Returns why a meter is out, if it is.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&str> {
        self.failed.get(name).map(String::as_str)
    }

    /// Tells whether any meter measures: a declared power is the same whatever the device does.
    #[must_use]
    pub fn any_measures(&self) -> bool {
        self.meters.iter().any(|meter| meter.description().provenance != Provenance::Declared)
    }

    /// Reads how a device is, from the first of its meters that tells.
    fn state(&self, device: Device) -> Option<DeviceState> {
        self.meters.iter().filter(|meter| meter.description().device == device).find_map(|meter| meter.state())
    }

    /// Reads every meter that still works: joules since it was opened, by name.
    ///
    /// All are read, because counters wrap; but only a meter of the `device` whose turn it is can fail: a graphics card
    /// that sleeps while the processors hash doesn't answer, and nobody minds.
    pub(super) fn read(&mut self, now: Duration, device: Option<Device>) -> BTreeMap<String, f64> {
        let mut readings = BTreeMap::new();
        for meter in &mut self.meters {
            let name = meter.description().name.clone();
            if self.failed.contains_key(&name) {
                continue;
            }
            match meter.read_j(now.saturating_sub(self.opened)) {
                Ok(energy_j) => drop(readings.insert(name, energy_j)),
                Err(error) if Some(meter.description().device) == device => {
                    self.failed.insert(name, error.to_string());
                }
                Err(_) => {}
            }
        }
        readings
    }
}

/// Returns the joules between two readings. A meter counts only if it was read at both ends.
pub(super) fn used_j(first: &BTreeMap<String, f64>, last: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    last.iter().filter_map(|(name, after)| Some((name.clone(), after - first.get(name)?))).collect()
}

/// Hands out work until the sink has what it wants.
struct TurnWork<'a> {
    cursor: &'a WorkloadCursor,
    is_done: &'a AtomicBool,
    cancel: &'a Cancel,
}

impl Work for TurnWork<'_> {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        let is_over = self.is_done.load(Ordering::Relaxed) || self.cancel.is_cancelled();
        (!is_over).then(|| self.cursor.take(hashes_max))
    }
}

/// Finds out when the rate is steady.
#[derive(Debug)]
struct LeadIn {
    start: Duration,
    window_start: Duration,
    hashes: u64,
    rate_before: Option<f64>,
}

impl LeadIn {
    fn is_over(&mut self, now: Duration, hashes: u64) -> bool {
        self.hashes += hashes;
        if now - self.start >= LEAD_IN_MAX {
            return true;
        }
        let window = now - self.window_start;
        if window < LEAD_IN_WINDOW {
            return false;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = self.hashes as f64 / window.as_secs_f64();
        let is_steady = self.rate_before.is_some_and(|before| (rate / before - 1.0).abs() <= LEAD_IN_TOLERANCE);
        (self.window_start, self.hashes, self.rate_before) = (now, 0, Some(rate));
        is_steady
    }
}

/// A sample that has begun.
#[derive(Debug)]
struct Open {
    start: Duration,
    hashes: u64,
    device_time: Option<Duration>,
    readings: BTreeMap<String, f64>,
}

struct TurnSink<'a, 'b> {
    turn: &'a Turn<'b>,
    meterings: &'a mut Meterings,
    is_done: &'a AtomicBool,
    lead_in: LeadIn,
    open: Option<Open>,
    /// When the first sample began, and how things stood then.
    began: Option<(Duration, LoadSnapshot)>,
    /// When the last report was finished.
    last: Duration,
    outcome: TurnOutcome,
}

impl TurnSink<'_, '_> {
    /// Ends the open sample and begins the next at the same moment, so that no time lies between them.
    fn cut(&mut self, now: Duration) {
        let readings = self.meterings.read(now, Some(self.turn.device));
        // The engine is at work here, and its threads live: idle processors clock down and cool.
        let (began, before) = self.began.get_or_insert_with(|| (now, (self.turn.load)()));
        if let Some(open) = self.open.take() {
            let energy_j = used_j(&open.readings, &readings);
            self.outcome.samples.push(Sample {
                start: open.start,
                duration: now - open.start,
                hashes: open.hashes,
                device_time: open.device_time.filter(|time| !time.is_zero()),
                energy_j,
            });
        }
        if self.outcome.samples.len() < self.turn.samples as usize {
            self.open = Some(Open { start: now, hashes: 0, device_time: Some(Duration::ZERO), readings });
        } else {
            let after = (self.turn.load)();
            let change = load_change(before, &after, now - *began);
            let lead_in = *began - self.lead_in.start;
            let device = self.turn.device;
            let device = (device != Device::Cpu).then(|| self.meterings.state(device).unwrap_or_default());
            self.outcome.conditions = Some(Conditions { lead_in, change, after, device });
            self.is_done.store(true, Ordering::Relaxed);
        }
    }
}

impl Sink for TurnSink<'_, '_> {
    fn report(&mut self, report: SpanReport) {
        let now = report.finished.map_or_else(|| self.turn.clock.now(), |moment| self.turn.clock.at(moment));
        // Reports of several threads may be taken in another order than they were finished in, by microseconds.
        let now = now.max(self.last);
        self.last = now;
        let (hashes, device_time) = (report.span.hashes(), report.device_time);
        self.outcome.work.observe(report);
        match &mut self.open {
            None if self.is_done.load(Ordering::Relaxed) => {}
            // The first sample begins with a report, as the others do.
            None => {
                if self.lead_in.is_over(now, hashes) {
                    self.cut(now);
                }
            }
            Some(open) => {
                open.hashes += hashes;
                open.device_time = open.device_time.zip(device_time).map(|(sum, more)| sum + more);
                if now - open.start >= self.turn.sample {
                    self.cut(now);
                }
            }
        }
    }

    fn patience(&self) -> Duration {
        let edge = match &self.open {
            Some(open) => open.start + self.turn.sample,
            None => self.lead_in.window_start + LEAD_IN_WINDOW,
        };
        edge.saturating_sub(self.turn.clock.now())
    }
}

/// Lets `engine` run for one turn.
pub fn run_turn(engine: &mut dyn Engine, turn: &Turn<'_>, meterings: &mut Meterings) -> TurnOutcome {
    let start = turn.clock.now();
    let is_done = AtomicBool::new(false);
    let work = TurnWork { cursor: turn.work, is_done: &is_done, cancel: turn.cancel };
    let seed = u64::from(start.subsec_nanos()) ^ start.as_secs();
    let mut sink = TurnSink {
        turn,
        meterings,
        is_done: &is_done,
        lead_in: LeadIn { start, window_start: start, hashes: 0, rate_before: None },
        open: None,
        began: None,
        last: start,
        outcome: TurnOutcome {
            samples: Vec::new(),
            conditions: None,
            work: TimedWork::new(turn.filter, seed).with_planted(turn.work.planted()),
            fault: None,
        },
    };
    let fault = engine.run(turn.filter, &work, &mut sink).err();
    TurnOutcome { fault, ..sink.outcome }
}

/// A quick look at an engine: its rate, and the filter that its timed work should have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// The rate, in hashes per second.
    pub rate_hps: f64,
    /// A filter that gives ten to twenty thousand hits per second at that rate, or every hash.
    pub filter: HitFilter,
}

/// Looks at `engine` for about as long as its lead-in takes plus `sample`. What was timed is left to be checked.
///
/// # Errors
///
/// Those of the engine; [`EngineError::Cancelled`].
pub fn calibrate(
    engine: &mut dyn Engine,
    workload: &Workload,
    clock: &dyn Clock,
    sample: Duration,
    cancel: &Cancel,
) -> Result<(Calibration, TimedWork), EngineError> {
    let work = WorkloadCursor::new(workload.clone());
    let filter = HitFilter::with_zero_bits(16);
    let load = LoadSnapshot::default;
    let turn = Turn { clock, device: Device::Cpu, work: &work, filter, samples: 1, sample, cancel, load: &load };
    let outcome = run_turn(engine, &turn, &mut Meterings::new(Vec::new(), Duration::ZERO));
    if let Some(fault) = outcome.fault {
        return Err(fault);
    }
    let sample = outcome.samples.first().ok_or(EngineError::Cancelled)?;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate_hps = sample.hashes as f64 / sample.duration.as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 32")]
    let zero_bits = (rate_hps / HITS_PER_SECOND).log2().clamp(0.0, 32.0) as u32;
    Ok((Calibration { rate_hps, filter: HitFilter::with_zero_bits(zero_bits) }, outcome.work))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;
    use crate::energy::{MeterDescription, MeterError, Provenance};
    use crate::engine::fake::FakeEngine;
    use crate::engine::{EngineId, Job};

    /// Draws a constant power, and fails after a number of readings.
    struct FakeMeter(MeterDescription, f64, u32);

    impl FakeMeter {
        fn boxed(name: &str, watts: f64, readings: u32) -> Box<dyn Meter> {
            let description = MeterDescription {
                name: name.to_owned(),
                device: Device::Cpu,
                provenance: Provenance::Measured,
                covers: String::new(),
                leaves_out: String::new(),
                relative_uncertainty: None,
                quantum_s: 0.0,
            };
            Box::new(Self(description, watts, readings))
        }
    }

    impl Meter for FakeMeter {
        fn description(&self) -> &MeterDescription {
            &self.0
        }

        fn read_j(&mut self, now: Duration) -> Result<f64, MeterError> {
            let stuck = || MeterError::Stuck { path: "fake".into(), seconds: 1.0 };
            self.2 = self.2.checked_sub(1).ok_or_else(stuck)?;
            Ok(self.1 * now.as_secs_f64())
        }
    }

    fn workload() -> Workload {
        Workload {
            job: Job { key: Vec::new(), template: vec![0; 8], nonce_offset: 0, version_mask: 0 },
            roll_offset: 4,
            planted: Vec::new(),
        }
    }

    fn turn_of(rates_hps: Vec<f64>, meterings: &mut Meterings, cancel: &Cancel, lost: Option<usize>) -> TurnOutcome {
        let clock = FakeClock::default();
        clock.advance(Duration::from_secs(100));
        let mut engine = FakeEngine::new(EngineId::new("fake", "cpu", "steady"), clock.clone(), 100, rates_hps);
        engine.spans_until_lost = lost;
        let cursor = WorkloadCursor::new(workload());
        let sample = Duration::from_millis(250);
        let filter = HitFilter::with_zero_bits(3);
        let load = || LoadSnapshot { clock_mhz: Some(4000.0), own_s: Some(1.0), ..LoadSnapshot::default() };
        let (device, work) = (Device::Cpu, &cursor);
        let turn = Turn { clock: &clock, device, work, filter, samples: 4, sample, cancel, load: &load };
        run_turn(&mut engine, &turn, meterings)
    }

    fn meterings(meters: Vec<Box<dyn Meter>>) -> Meterings {
        Meterings::new(meters, Duration::from_secs(100))
    }

    #[test]
    fn a_steady_engine_gives_exact_samples_without_a_gap() {
        // 100 hashes at 10 kH/s take 10 ms; two windows of 100 ms lead in; then 25 spans make a sample.
        let outcome =
            turn_of(vec![1e4], &mut meterings(vec![FakeMeter::boxed("a", 50.0, 100)]), &Cancel::default(), None);
        assert_eq!(outcome.samples.len(), 4);
        for (number, sample) in (0..).zip(&outcome.samples) {
            assert_eq!(sample.start, Duration::from_millis(100_200 + 250 * number));
            assert_eq!((sample.duration, sample.hashes), (Duration::from_millis(250), 2500));
            assert!((sample.energy_j["a"] - 12.5).abs() < 1e-9);
        }
        let conditions = outcome.conditions.unwrap();
        assert_eq!((conditions.lead_in, conditions.after.clock_mhz), (Duration::from_millis(200), Some(4000.0)));
        assert!(outcome.fault.is_none());
    }

    #[test]
    fn the_lead_in_waits_for_a_steady_rate() {
        // The first 30 spans at a tenth of the rate and less: 100 ms each, and slowing by 10 % each time.
        let mut rates: Vec<f64> = (0..12).map(|step| 1e3 * 0.9_f64.powi(step)).collect();
        rates.push(1e4);
        let outcome = turn_of(rates, &mut meterings(Vec::new()), &Cancel::default(), None);
        assert!(outcome.samples.iter().all(|sample| sample.hashes == 2500), "{:?}", outcome.samples);
        assert!(outcome.samples[0].start > Duration::from_secs(102), "{:?}", outcome.samples[0]);
    }

    #[test]
    fn a_meter_that_fails_is_out_and_the_others_go_on() {
        let mut meterings = meterings(vec![FakeMeter::boxed("good", 10.0, 100), FakeMeter::boxed("bad", 10.0, 2)]);
        let outcome = turn_of(vec![1e4], &mut meterings, &Cancel::default(), None);
        assert_eq!(outcome.samples.len(), 4);
        assert!(outcome.samples.iter().all(|sample| sample.energy_j.contains_key("good")));
        assert_eq!(outcome.samples.iter().filter(|sample| sample.energy_j.contains_key("bad")).count(), 1);
        assert_eq!(meterings.fault("good"), None);
        assert!(meterings.fault("bad").unwrap().contains("has not moved"));
    }

    #[test]
    fn an_interrupt_before_the_start_leaves_no_sample() {
        let cancel = Cancel::default();
        cancel.cancel();
        assert!(turn_of(vec![1e4], &mut meterings(Vec::new()), &cancel, None).samples.is_empty());
    }

    #[test]
    fn a_lost_device_leaves_the_samples_that_were_finished() {
        let outcome = turn_of(vec![1e4], &mut meterings(Vec::new()), &Cancel::default(), Some(80));
        assert!(matches!(outcome.fault, Some(EngineError::DeviceLost { .. })));
        // 20 spans lead in, 25 make a sample: 60 spans are two whole samples.
        assert_eq!(outcome.samples.len(), 2);
    }

    #[test]
    fn a_calibration_gives_the_rate_and_a_filter_of_some_ten_thousand_hits_a_second() {
        let clock = FakeClock::default();
        let mut engine = FakeEngine::new(EngineId::new("fake", "cpu", "steady"), clock.clone(), 100, vec![48_000.0]);
        let (calibration, _) =
            calibrate(&mut engine, &workload(), &clock, Duration::from_millis(100), &Cancel::default()).unwrap();
        assert!((calibration.rate_hps / 48_000.0 - 1.0).abs() < 1e-6);
        assert_eq!(calibration.filter.zero_bits(), 2);
    }
}
