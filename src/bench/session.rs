//! A session: engines are prepared, checked, measured in turns, checked again, and written down.

use std::collections::BTreeMap;
use std::time::Duration;

use super::energy::energy_per_hash;
use super::plan::{Plan, groups};
use super::turn::{self, Calibration, Meterings, Sample, Turn, calibrate, run_turn};
use crate::clock::Clock;
use crate::device::Device;
use crate::engine::{
    Cancel, Candidate, Engine, EngineError, EngineId, Preparation, Progress, SetupPart, Workload, WorkloadCursor,
};
use crate::record::{Benchmark, Rate, Setup, Warning};
use crate::statistics::{median_interval, outliers};
use crate::unavailable::Unavailable;
use crate::verify::{Oracle, VerifyError, self_test};

/// How long an engine is looked at to find the filter for its timed work.
const CALIBRATION: Duration = Duration::from_millis(100);
/// An interval wider than this, as a fraction of its value, to either side is worth a warning.
const UNSTEADY: f64 = 0.05;

/// Makes what a session needs for engines that it knows only by trait.
pub trait Supplier {
    /// Makes the engine of a candidate.
    ///
    /// # Errors
    ///
    /// As [`Candidate::prepare`].
    fn prepare(&self, candidate: &Candidate, preparation: &Preparation<'_>) -> Result<Box<dyn Engine>, EngineError>;

    /// Returns the work of a benchmark of this algorithm.
    fn workload(&self, algorithm: &str) -> Workload;

    /// Makes another implementation that hashes what this engine hashed.
    ///
    /// # Errors
    ///
    /// Those of preparing the other implementation.
    fn oracle(&self, id: &EngineId, preparation: &Preparation<'_>) -> Result<Oracle, EngineError>;
}

/// Is told how a session goes on.
pub trait Observer: Progress {
    /// An engine's turn begins; `done` of `turns` are over.
    fn turn(&self, id: &EngineId, done: u32, turns: u32);
}

/// Everything that a session runs with.
pub struct Session<'a> {
    /// Makes engines and oracles.
    pub supplier: &'a dyn Supplier,
    /// Stamps samples.
    pub clock: &'a dyn Clock,
    /// The plan.
    pub plan: Plan,
    /// Is told how it goes.
    pub observer: &'a dyn Observer,
    /// Ends the session early.
    pub cancel: &'a Cancel,
    /// Holds what engines share.
    pub pool: &'a crate::engine::Pool,
    /// Threads of CPU engines.
    pub threads: usize,
    /// The memory that engines may hold together, where it is known.
    pub available_bytes: Option<u64>,
    /// Why devices without a meter have none.
    pub unavailable: &'a [(Device, Unavailable)],
}

/// What a session left.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Which engines were in memory together.
    pub groups: Vec<Vec<EngineId>>,
    /// What was built.
    pub setups: Vec<Setup>,
    /// One for each engine that has samples, in the order of the entries.
    pub benchmarks: Vec<Benchmark>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
    /// What went wrong with single engines while the others went on.
    pub faults: Vec<EngineError>,
    /// Whether the session was ended early.
    pub interrupted: bool,
}

/// An engine between preparation and the end of its group.
struct Running<'a> {
    candidate: &'a Candidate,
    engine: Box<dyn Engine>,
    oracle: Oracle,
    cursor: WorkloadCursor,
    calibration: Calibration,
    /// The samples of each turn.
    turns: Vec<Vec<Sample>>,
    verified_hashes: u64,
    is_over: bool,
}

impl Session<'_> {
    /// Measures `candidates`.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Wrong`] as soon as an engine computed something wrong. Whatever else goes wrong with one engine
    /// ends that engine and is listed in the outcome.
    pub fn run(&self, candidates: &[&Candidate], meterings: &mut Meterings) -> Result<Outcome, VerifyError> {
        let mut outcome = Outcome { groups: groups(candidates, self.available_bytes), ..Outcome::default() };
        let turns = self.plan.rounds * u32::try_from(candidates.len()).unwrap_or(u32::MAX);
        let mut turns_done = 0;
        for group in outcome.groups.clone() {
            let mut running = Vec::new();
            for candidate in candidates.iter().filter(|candidate| group.contains(&candidate.id)) {
                if self.cancel.is_cancelled() {
                    break;
                }
                match self.begin(candidate) {
                    Ok(one) => running.push(one),
                    Err(VerifyError::Engine(EngineError::Cancelled)) => break,
                    Err(VerifyError::Engine(fault)) => outcome.fault(fault),
                    Err(wrong) => return Err(wrong),
                }
            }
            for round in 0..self.plan.rounds {
                for index in self.plan.order(round, running.len()) {
                    self.observer.turn(&running[index].candidate.id, turns_done, turns);
                    self.one_turn(&mut running[index], meterings, &mut outcome)?;
                    turns_done += 1;
                }
            }
            for one in running {
                self.end(one, meterings, &mut outcome);
            }
        }
        outcome.interrupted = self.cancel.is_cancelled();
        Ok(outcome)
    }

    /// Prepares an engine, checks that it computes what it should, and finds the filter for its timed work.
    fn begin<'a>(&self, candidate: &'a Candidate) -> Result<Running<'a>, VerifyError> {
        let workload = self.supplier.workload(candidate.id.algorithm());
        let preparation = Preparation {
            key: &workload.job.key,
            threads: self.threads,
            pool: self.pool,
            progress: self.observer,
            cancel: self.cancel,
        };
        let mut engine = self.supplier.prepare(candidate, &preparation)?;
        let mut oracle = self.supplier.oracle(&candidate.id, &preparation)?;
        self_test(engine.as_mut(), candidate.can_hash, &workload, &mut oracle)?;
        let (calibration, work) = calibrate(engine.as_mut(), &workload, self.clock, CALIBRATION, self.cancel)?;
        work.check(engine.as_ref(), &mut oracle)?;
        Ok(Running {
            candidate,
            engine,
            oracle,
            cursor: WorkloadCursor::new(workload),
            calibration,
            turns: Vec::new(),
            verified_hashes: 0,
            is_over: false,
        })
    }

    fn one_turn(
        &self,
        one: &mut Running<'_>,
        meterings: &mut Meterings,
        outcome: &mut Outcome,
    ) -> Result<(), VerifyError> {
        if one.is_over || self.cancel.is_cancelled() {
            return Ok(());
        }
        let turn = Turn {
            clock: self.clock,
            device: one.candidate.device,
            work: &one.cursor,
            filter: one.calibration.filter,
            samples: self.plan.samples_per_turn,
            sample: self.plan.sample,
            cancel: self.cancel,
        };
        let turn::TurnOutcome { samples, work, fault } = run_turn(one.engine.as_mut(), &turn, meterings);
        if !samples.is_empty() {
            one.turns.push(samples);
        }
        match work.check(one.engine.as_ref(), &mut one.oracle) {
            Ok(hashes) => one.verified_hashes += hashes,
            Err(VerifyError::Engine(fault)) => {
                // Unchecked work is no work.
                one.turns.clear();
                one.is_over = true;
                outcome.fault(fault);
            }
            Err(wrong) => return Err(wrong),
        }
        if let Some(fault) = fault {
            one.is_over = true;
            outcome.fault(fault);
        }
        Ok(())
    }

    fn end(&self, one: Running<'_>, meterings: &Meterings, outcome: &mut Outcome) {
        let id = &one.candidate.id;
        let setup = one.engine.setup();
        for part in &setup {
            outcome.add_setup(part, id);
        }
        let Some(rate_hps) = rate_of(&one.turns) else { return };
        let half_width = rate_hps.interval().relative_half_width().unwrap_or(0.0);
        if half_width > UNSTEADY {
            let text = format!("the rate of {id} is known to ±{:.0} % only", half_width * 100.0);
            outcome.warnings.push(Warning::new("unsteady", text, "measure longer, or end other programs"));
        }
        outcome.benchmarks.push(Benchmark {
            id: id.clone(),
            algorithm: id.algorithm().to_owned(),
            device: one.candidate.device,
            device_name: one.candidate.device_name.clone(),
            engine: id.engine().to_owned(),
            mode: id.mode().map(ToOwned::to_owned),
            threads: one.engine.threads(),
            verified: true,
            verified_by: one.oracle.name.clone(),
            verified_hashes: one.verified_hashes,
            setup_s: phases_s(setup.iter()),
            meters: meter_names(meterings, one.candidate),
            energy_j_per_hash: energy_per_hash(&one.turns, one.candidate.device, meterings, self.unavailable),
            rate_hps,
            outliers: outliers(&rates_of(&one.turns)),
            samples: one.turns.into_iter().zip(0..).flat_map(|(turn, number)| to_record(turn, number)).collect(),
        });
    }
}

impl Outcome {
    /// Notes what ended one engine.
    fn fault(&mut self, fault: EngineError) {
        let hint = match &fault {
            EngineError::Unavailable { unavailable, .. } => unavailable.hint.clone(),
            _ => String::new(),
        };
        self.warnings.push(Warning::new("engine-failed", fault.to_string(), hint));
        self.faults.push(fault);
    }

    fn add_setup(&mut self, part: &SetupPart, id: &EngineId) {
        match self.setups.iter_mut().find(|setup| setup.name == part.name) {
            Some(setup) => setup.used_by.push(id.clone()),
            None => self.setups.push(Setup {
                name: part.name.clone(),
                phases_s: phases_s([part].into_iter()),
                used_by: vec![id.clone()],
            }),
        }
    }
}

fn phases_s<'a>(parts: impl Iterator<Item = &'a SetupPart>) -> BTreeMap<String, f64> {
    parts.flat_map(|part| &part.phases).map(|(name, took)| (name.clone(), took.as_secs_f64())).collect()
}

fn meter_names(meterings: &Meterings, candidate: &Candidate) -> Vec<String> {
    let descriptions = meterings.meters().iter().map(|meter| meter.description());
    descriptions.filter(|meter| meter.device == candidate.device).map(|meter| meter.name.clone()).collect()
}

/// Returns the rates of the samples of each turn.
#[expect(clippy::cast_precision_loss, reason = "counts of hashes")]
fn rates_of(turns: &[Vec<Sample>]) -> Vec<Vec<f64>> {
    let rate = |sample: &Sample| sample.hashes as f64 / sample.duration.as_secs_f64();
    turns.iter().map(|samples| samples.iter().map(rate).collect()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of hashes")]
fn rate_of(turns: &[Vec<Sample>]) -> Option<Rate> {
    let estimate = median_interval(&rates_of(turns))?;
    let samples = || turns.iter().flatten();
    let hashes: u64 = samples().map(|sample| sample.hashes).sum();
    let duration: Duration = samples().map(|sample| sample.duration).sum();
    Some(Rate {
        median: estimate.interval.value,
        low: estimate.interval.low,
        high: estimate.interval.high,
        confidence: estimate.confidence,
        mean: hashes as f64 / duration.as_secs_f64(),
    })
}

fn to_record(samples: Vec<Sample>, turn: u32) -> impl Iterator<Item = crate::record::Sample> {
    samples.into_iter().map(move |sample| crate::record::Sample {
        turn,
        start_s: sample.start.as_secs_f64(),
        duration_s: sample.duration.as_secs_f64(),
        hashes: sample.hashes,
        energy_j: sample.energy_j,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::FakeClock;
    use crate::energy::{MeterSpec, Provenance};
    use crate::engine::fake::FakeEngine;
    use crate::engine::{Available, Job, Pool};
    use crate::sysroot::Sysroot;

    /// Makes fake engines: `fake/cpu/RATE` hashes at that rate; `...+lost` loses its device in the second turn,
    /// `...+absent` can't be made.
    struct FakeSupplier {
        clock: FakeClock,
        /// Whether the oracle hashes something else than the engines.
        disagrees: bool,
    }

    impl Supplier for FakeSupplier {
        fn prepare(&self, candidate: &Candidate, _: &Preparation<'_>) -> Result<Box<dyn Engine>, EngineError> {
            let id = candidate.id.clone();
            if id.mode() == Some("absent") {
                return Err(EngineError::Failed { id, reason: "it is absent".to_owned() });
            }
            let rate_hps = id.engine().parse().unwrap();
            let mut engine = FakeEngine::new(id.clone(), self.clock.clone(), 100, vec![rate_hps]);
            // A calibration takes 3 windows of 100 ms, a turn 2 and a second: at 10 kH/s a span takes 10 ms.
            engine.spans_until_lost = (id.mode() == Some("lost")).then_some(30 + 120 + 60);
            Ok(Box::new(engine))
        }

        fn workload(&self, _: &str) -> Workload {
            Workload { job: Job { key: Vec::new(), template: vec![0; 8], nonce_offset: 0 }, roll_offset: 4 }
        }

        fn oracle(&self, _: &EngineId, _: &Preparation<'_>) -> Result<Oracle, EngineError> {
            let spoil = u8::from(self.disagrees);
            Ok(Oracle::new("fake/cpu/oracle", 5000, move |input| {
                let mut hash = FakeEngine::fake_hash(input);
                hash[31] ^= spoil;
                Ok(hash)
            }))
        }
    }

    /// Writes down whose turn it was.
    #[derive(Default)]
    struct Turns(Mutex<Vec<String>>);

    impl Progress for Turns {
        fn begin(&self, _: &str, _: Option<u64>) {}
        fn set(&self, _: u64) {}
        fn end(&self) {}
    }

    impl Observer for Turns {
        fn turn(&self, id: &EngineId, done: u32, turns: u32) {
            self.0.lock().unwrap().push(format!("{} {done}/{turns}", id.engine()));
        }
    }

    fn candidate(name: &str) -> Candidate {
        Candidate {
            id: EngineId::new("fake", "cpu", name),
            device: Device::Cpu,
            device_name: "a fake".to_owned(),
            can_hash: true,
            availability: Ok(Available { resources: Vec::new(), make: Box::new(|_| Err(EngineError::Cancelled)) }),
        }
    }

    fn run(names: &[&str], disagrees: bool, cancel: &Cancel) -> (Result<Outcome, VerifyError>, Vec<String>) {
        let clock = FakeClock::default();
        let supplier = FakeSupplier { clock: clock.clone(), disagrees };
        let (observer, pool) = (Turns::default(), Pool::default());
        let session = Session {
            supplier: &supplier,
            clock: &clock,
            plan: Plan::default(),
            observer: &observer,
            cancel,
            pool: &pool,
            threads: 1,
            available_bytes: None,
            unavailable: &[],
        };
        let candidates: Vec<Candidate> = names.iter().map(|name| candidate(name)).collect();
        let candidates: Vec<&Candidate> = candidates.iter().collect();
        let specs = ["watts:20W".parse::<MeterSpec>().unwrap()];
        let meters = crate::energy::open(&specs, &Sysroot::default(), &[]).unwrap().meters;
        let outcome = session.run(&candidates, &mut Meterings::new(meters, Duration::ZERO));
        (outcome, observer.0.into_inner().unwrap())
    }

    #[test]
    fn engines_take_turns_and_their_rates_are_exact() {
        let (outcome, turns) = run(&["10000", "40000"], false, &Cancel::default());
        let outcome = outcome.unwrap();
        assert_eq!(turns, ["10000 0/6", "40000 1/6", "40000 2/6", "10000 3/6", "10000 4/6", "40000 5/6"]);
        assert_eq!(outcome.benchmarks.len(), 2);
        for (benchmark, rate_hps) in outcome.benchmarks.iter().zip([1e4, 4e4]) {
            let Rate { median, low, high, confidence, mean } = benchmark.rate_hps;
            assert_eq!(benchmark.samples.len(), 12);
            for figure in [median, low, high, mean] {
                assert!((figure / rate_hps - 1.0).abs() < 1e-6, "{figure} H/s");
            }
            assert!(confidence >= 0.95);
            assert!(benchmark.verified_hashes > 1000, "{} hashes", benchmark.verified_hashes);
            // 20 W over the rate.
            let energy = &benchmark.energy_j_per_hash;
            assert_eq!(energy.provenance, Provenance::Declared);
            assert!((energy.gross.unwrap().value / (20.0 / rate_hps) - 1.0).abs() < 1e-6);
        }
        assert!(!outcome.interrupted && outcome.faults.is_empty() && outcome.warnings.is_empty());
    }

    #[test]
    fn a_wrong_hash_ends_the_session() {
        let (outcome, turns) = run(&["10000"], true, &Cancel::default());
        let Err(VerifyError::Wrong(wrong)) = outcome else { panic!("not noticed") };
        assert_eq!(wrong.verified_by, "fake/cpu/oracle");
        assert!(turns.is_empty(), "nothing is timed before the known answers hold");
    }

    #[test]
    fn a_lost_device_ends_its_engine_and_the_others_go_on() {
        let (outcome, _) = run(&["10000+lost", "40000", "10000+absent"], false, &Cancel::default());
        let outcome = outcome.unwrap();
        let samples: Vec<usize> = outcome.benchmarks.iter().map(|benchmark| benchmark.samples.len()).collect();
        assert_eq!(outcome.benchmarks[1].id.engine(), "40000");
        assert_eq!(samples[1], 12);
        assert!((4..8).contains(&samples[0]), "{} samples before the loss", samples[0]);
        assert!(matches!(outcome.faults[..], [EngineError::Failed { .. }, EngineError::DeviceLost { .. }]));
        assert!(outcome.warnings.iter().all(|warning| warning.code == "engine-failed"));
    }

    #[test]
    fn an_interrupted_session_says_so() {
        let cancel = Cancel::default();
        cancel.cancel();
        let outcome = run(&["10000"], false, &cancel).0.unwrap();
        assert!(outcome.interrupted && outcome.benchmarks.is_empty());
    }
}
