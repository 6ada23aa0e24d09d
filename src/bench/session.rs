//! A session: engines are prepared, checked, measured in turns, checked again, and written down.

use std::time::Duration;

use super::benchmark::{device_rate_of, duration_of, hits_to_record, phases_s, rate_of, rates_of, to_record};
use super::conditions::{self, TurnLog};
use super::energy::{Metered, energy_per_hash};
use super::idle::IdleMetering;
use super::plan::{Plan, groups};
use super::turn::{self, Calibration, Conditions, Meterings, Sample, Turn, calibrate, run_turn};
use crate::clock::Clock;
use crate::device::Device;
use crate::engine::{
    Cancel, Candidate, Engine, EngineError, EngineId, HitFilter, Preparation, Progress, Resource, SetupPart, Workload,
    WorkloadCursor,
};
use crate::machine::{LoadChange, LoadSnapshot};
use crate::record::{Benchmark, Idle, Setup, ThreadsBy, Warning, When};
use crate::statistics::outliers;
use crate::unavailable::Unavailable;
use crate::verify::{Checked, Oracle, VerifyError, self_test};

/// How long an engine is looked at to find the filter for its timed work.
const CALIBRATION: Duration = Duration::from_millis(100);
/// A card that is busy for less of the time is told of.
const BUSY: f64 = 0.99;
/// Beyond so many standard deviations the number of hits is looked at again: chance alone does so for one engine in
/// 16,000.
const SUSPICIOUS: f64 = 4.0;
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

    /// Tells what decides on the number of threads of this engine, where there may be `threads`.
    fn threads_by(&self, id: &EngineId, threads: usize) -> ThreadsBy {
        let _ = (id, threads);
        ThreadsBy::Processors
    }

    /// Returns the work of a benchmark of this engine.
    fn workload(&self, id: &EngineId) -> Workload;

    /// Makes another implementation that hashes what this engine hashed.
    ///
    /// # Errors
    ///
    /// Those of preparing the other implementation.
    fn oracle(&self, id: &EngineId, preparation: &Preparation<'_>) -> Result<Oracle, EngineError>;

    /// Tells what an engine and its oracle hold.
    fn resources(&self, candidate: &Candidate) -> Vec<Resource>;
}

/// Is told how a session goes on.
pub trait Observer: Progress {
    /// An engine's turn begins; `done` of `turns` are over.
    fn turn(&self, id: &EngineId, done: usize, turns: usize);

    /// Idle devices are metered for about `time`.
    fn idle(&self, time: Duration);
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
    /// Reads what moves around the measurement.
    pub load: &'a dyn Fn() -> LoadSnapshot,
    /// Holds what engines share.
    pub pool: &'a crate::engine::Pool,
    /// Threads of CPU engines.
    pub threads: usize,
    /// The numbers of threads to measure each engine on the processors with, in place of `threads`; empty for no sweep.
    pub sweep: &'a [usize],
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
    /// The joules of idle devices; empty where no meter measures.
    pub idle: Vec<Idle>,
    /// One for each engine that has samples, in the order of the entries.
    pub benchmarks: Vec<Benchmark>,
    /// What moved during the turns.
    pub load_change: LoadChange,
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
    /// What was around each of them; none where the turn ended early.
    conditions: Vec<Option<Conditions>>,
    checked: Checked,
    is_over: bool,
}

impl Running<'_> {
    fn add(&mut self, checked: Checked) {
        self.checked.hashes += checked.hashes;
        self.checked.planted += checked.planted;
        self.checked.hit_count.add(checked.hit_count);
    }
}

impl Session<'_> {
    /// Measures `candidates`.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Wrong`] as soon as an engine computed something wrong. Whatever else goes wrong with one engine
    /// ends that engine and is listed in the outcome.
    pub fn run(&self, candidates: &[&Candidate], meterings: &mut Meterings) -> Result<Outcome, VerifyError> {
        let groups = groups(candidates, |candidate| self.supplier.resources(candidate), self.available_bytes);
        let mut outcome = Outcome { groups, ..Outcome::default() };
        let mut log = Vec::new();
        let entries: usize = candidates.iter().map(|candidate| self.thread_counts(candidate).len()).sum();
        let (mut turns_done, turns) = (0, self.plan.schedule(entries).len());
        for (number, group) in outcome.groups.clone().iter().enumerate() {
            let members: Vec<&Candidate> =
                candidates.iter().copied().filter(|candidate| group.contains(&candidate.id)).collect();
            let mut running = self.begin_group(&members, &mut outcome)?;
            self.meter_idle(number, When::Before, meterings, &mut outcome);
            for index in self.plan.schedule(running.len()) {
                if self.cancel.is_cancelled() {
                    break;
                }
                self.observer.turn(&running[index].candidate.id, turns_done, turns);
                self.one_turn(&mut running[index], meterings, &mut outcome, &mut log)?;
                turns_done += 1;
            }
            if running.iter().any(|one| !one.turns.is_empty()) {
                self.meter_idle(number, When::After, meterings, &mut outcome);
            }
            for mut one in running {
                self.confirm(&mut one)?;
                self.end(one, number, meterings, &mut outcome);
            }
        }
        outcome.load_change = conditions::overall(&log);
        outcome.interrupted = self.cancel.is_cancelled();
        Ok(outcome)
    }

    /// Returns with how many threads an engine is measured: with several, one after the other, in a sweep.
    fn thread_counts(&self, candidate: &Candidate) -> &[usize] {
        thread_counts(candidate, self.sweep).unwrap_or(std::slice::from_ref(&self.threads))
    }

    /// Prepares the engines of a group; one that can't be made is left out.
    fn begin_group<'a>(
        &self,
        members: &[&'a Candidate],
        outcome: &mut Outcome,
    ) -> Result<Vec<Running<'a>>, VerifyError> {
        let mut running = Vec::new();
        let entries =
            members.iter().flat_map(|&one| self.thread_counts(one).iter().map(move |&threads| (one, threads)));
        for (candidate, threads) in entries {
            if self.cancel.is_cancelled() {
                break;
            }
            match self.begin(candidate, threads) {
                Ok(one) => running.push(one),
                Err(VerifyError::Engine(EngineError::Cancelled)) => break,
                Err(VerifyError::Engine(fault)) => outcome.fault(fault),
                Err(wrong) => return Err(wrong),
            }
        }
        Ok(running)
    }

    /// Meters idle devices, where a meter measures.
    fn meter_idle(&self, group: usize, when: When, meterings: &mut Meterings, outcome: &mut Outcome) {
        if !meterings.any_measures() || self.cancel.is_cancelled() {
            return;
        }
        self.observer.idle(self.plan.idle);
        let metering = IdleMetering { clock: self.clock, load: self.load, cancel: self.cancel, time: self.plan.idle };
        outcome.idle.extend(metering.measure(group, when, meterings));
    }

    /// Prepares an engine, checks that it computes what it should, and finds the filter for its timed work.
    fn begin<'a>(&self, candidate: &'a Candidate, threads: usize) -> Result<Running<'a>, VerifyError> {
        let workload = self.supplier.workload(&candidate.id);
        let preparation = Preparation {
            key: &workload.job.key,
            threads,
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
            conditions: Vec::new(),
            checked: Checked::default(),
            is_over: false,
        })
    }

    fn one_turn(
        &self,
        one: &mut Running<'_>,
        meterings: &mut Meterings,
        outcome: &mut Outcome,
        log: &mut Vec<TurnLog>,
    ) -> Result<(), VerifyError> {
        if one.is_over || self.cancel.is_cancelled() {
            return Ok(());
        }
        let turn = self.turn(one.candidate.device, &one.cursor, one.calibration.filter);
        let turn::TurnOutcome { samples, conditions, work, fault } = run_turn(one.engine.as_mut(), &turn, meterings);
        if let Some(conditions) = &conditions {
            log.push(TurnLog::new(conditions.clone(), duration_of(samples.iter()).as_secs_f64()));
        }
        if !samples.is_empty() {
            one.turns.push(samples);
            one.conditions.push(conditions);
        }
        match work.check(one.engine.as_ref(), &mut one.oracle) {
            Ok(checked) => one.add(checked),
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

    fn turn<'a>(&'a self, device: Device, work: &'a WorkloadCursor, filter: HitFilter) -> Turn<'a> {
        Turn {
            clock: self.clock,
            device,
            work,
            filter,
            samples: self.plan.samples_per_turn,
            sample: self.plan.sample,
            cancel: self.cancel,
            load: self.load,
        }
    }

    /// Holds the number of all hits against what it should be. Where it is suspicious, as many hashes again tell chance
    /// from hashes that are left out; their rate doesn't count.
    fn confirm(&self, one: &mut Running<'_>) -> Result<(), VerifyError> {
        let is_suspicious = |one: &Running<'_>| one.checked.hit_count.z_score().abs() > SUSPICIOUS;
        if !is_suspicious(one) || one.turns.is_empty() {
            return Ok(());
        }
        for _ in 0..one.turns.len() {
            let turn = self.turn(one.candidate.device, &one.cursor, one.calibration.filter);
            let mut nobody = Meterings::new(Vec::new(), Duration::ZERO);
            let turn::TurnOutcome { work, fault, .. } = run_turn(one.engine.as_mut(), &turn, &mut nobody);
            if fault.is_some() || self.cancel.is_cancelled() {
                break;
            }
            let checked = work.check(one.engine.as_ref(), &mut one.oracle)?;
            one.add(checked);
        }
        if is_suspicious(one) { Err(one.checked.hit_count.wrong(&one.candidate.id).into()) } else { Ok(()) }
    }

    fn end(&self, one: Running<'_>, group: usize, meterings: &Meterings, outcome: &mut Outcome) {
        let id = &one.candidate.id;
        let setup = one.engine.setup();
        for part in &setup {
            outcome.add_setup(part, id);
        }
        let Some(rate_hps) = rate_of(&one.turns) else { return };
        let idle: Vec<&Idle> = outcome.idle.iter().filter(|idle| idle.group == group).collect();
        let energy_j_per_hash = energy_per_hash(&Metered {
            turns: &one.turns,
            device: one.candidate.device,
            meterings,
            unavailable: self.unavailable,
            idle: &idle,
        });
        if let Some(mishap) = one.engine.mishap() {
            let hint = "the driver took the device away or ran out of memory: close what else uses it, or give a \
                        smaller --gpu-batch";
            outcome.warnings.push(Warning::new("device-recovered", format!("{id}: {mishap}"), hint));
        }
        let device_rate = device_rate_of(&one.turns);
        let busy =
            device_rate.map(|rate| rate.busy_fraction).filter(|_| matches!(one.candidate.device, Device::Gpu(_)));
        if let Some(busy) = busy.filter(|busy| *busy < BUSY) {
            let text = format!("the device of {id} was busy for {:.1} % of the time only", busy * 100.0);
            outcome.warnings.push(Warning::new(
                "device-idle",
                text,
                "give a longer --gpu-batch, or end other programs",
            ));
        }
        let benchmark = Benchmark {
            id: id.clone(),
            algorithm: id.algorithm().to_owned(),
            device: one.candidate.device,
            device_name: one.candidate.device_name.clone(),
            engine: id.engine().to_owned(),
            mode: id.mode().map(ToOwned::to_owned),
            threads: one.engine.threads(),
            threads_by: (one.engine.threads() > 0).then(|| match thread_counts(one.candidate, self.sweep) {
                Some(_) => ThreadsBy::Sweep,
                None => self.supplier.threads_by(id, self.threads),
            }),
            memory: one.engine.memory(),
            verified: true,
            verified_by: one.oracle.name.clone(),
            verified_hashes: one.checked.hashes,
            hit_check: Some(hits_to_record(&one.checked)),
            settings: one.engine.settings(),
            setup_s: phases_s(setup.iter()),
            meters: meter_names(meterings, one.candidate),
            energy_j_per_hash,
            rate_hps,
            device_rate,
            turns: (0..)
                .zip(&one.conditions)
                .filter_map(|(turn, conditions)| Some(conditions::to_record(turn, conditions.as_ref()?)))
                .collect(),
            outliers: outliers(&rates_of(&one.turns)),
            samples: one.turns.into_iter().zip(0..).flat_map(|(turn, number)| to_record(turn, number)).collect(),
        };
        outcome.warnings.extend(unsteady(&benchmark));
        outcome.benchmarks.push(benchmark);
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
            Some(setup) if setup.used_by.contains(id) => {}
            Some(setup) => setup.used_by.push(id.clone()),
            None => self.setups.push(Setup {
                name: part.name.clone(),
                phases_s: phases_s([part].into_iter()),
                used_by: vec![id.clone()],
            }),
        }
    }
}

/// Says that a rate isn't known well, where it isn't.
fn unsteady(benchmark: &Benchmark) -> Option<Warning> {
    let half_width = benchmark.rate_hps.interval().relative_half_width().filter(|&width| width > UNSTEADY)?;
    let text = format!("the rate of {} is known to ±{:.0} % only", benchmark.name(), half_width * 100.0);
    Some(Warning::new("unsteady", text, "measure longer, or end other programs"))
}

/// Returns the numbers of threads that an engine is measured with in a sweep: where the processors are its device, and
/// not through a driver.
pub fn thread_counts<'a>(candidate: &Candidate, sweep: &'a [usize]) -> Option<&'a [usize]> {
    (candidate.id.device() == "cpu" && !sweep.is_empty()).then_some(sweep)
}

fn meter_names(meterings: &Meterings, candidate: &Candidate) -> Vec<String> {
    let descriptions = meterings.meters().iter().map(|meter| meter.description());
    descriptions.filter(|meter| meter.device == candidate.device).map(|meter| meter.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::FakeClock;
    use crate::energy::{Meter, MeterDescription, MeterError, MeterSpec, Provenance};
    use crate::engine::fake::FakeEngine;
    use crate::engine::{Available, Job, Pool};
    use crate::record::{Order, Rate};
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

        fn workload(&self, _: &EngineId) -> Workload {
            Workload {
                job: Job { key: Vec::new(), template: vec![0; 8], nonce_offset: 0, version_mask: 0 },
                roll_offset: 4,
                planted: Vec::new(),
            }
        }

        fn oracle(&self, _: &EngineId, _: &Preparation<'_>) -> Result<Oracle, EngineError> {
            let spoil = u8::from(self.disagrees);
            Ok(Oracle::new("fake/cpu/oracle", 5000, move |input| {
                let mut hash = FakeEngine::fake_hash(input);
                hash[31] ^= spoil;
                Ok(hash)
            }))
        }

        fn resources(&self, candidate: &Candidate) -> Vec<Resource> {
            candidate.resources().to_vec()
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
        fn idle(&self, time: Duration) {
            self.0.lock().unwrap().push(format!("idle {} s", time.as_secs_f64()));
        }

        fn turn(&self, id: &EngineId, done: usize, turns: usize) {
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
        let specs = ["watts:20W".parse::<MeterSpec>().unwrap()];
        let meters = crate::energy::open(&specs, &Sysroot::default(), &[]).unwrap().meters;
        run_metered(names, disagrees, cancel, Plan::default(), |_| meters)
    }

    fn run_metered(
        names: &[&str],
        disagrees: bool,
        cancel: &Cancel,
        plan: Plan,
        meters: impl FnOnce(&FakeClock) -> Vec<Box<dyn Meter>>,
    ) -> (Result<Outcome, VerifyError>, Vec<String>) {
        let clock = FakeClock::default();
        let supplier = FakeSupplier { clock: clock.clone(), disagrees };
        let (observer, pool) = (Turns::default(), Pool::default());
        let session = Session {
            supplier: &supplier,
            clock: &clock,
            plan,
            observer: &observer,
            cancel,
            load: &LoadSnapshot::default,
            pool: &pool,
            threads: 1,
            sweep: &[],
            available_bytes: None,
            unavailable: &[],
        };
        let candidates: Vec<Candidate> = names.iter().map(|name| candidate(name)).collect();
        let candidates: Vec<&Candidate> = candidates.iter().collect();
        let outcome = session.run(&candidates, &mut Meterings::new(meters(&clock), Duration::ZERO));
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

    /// Measures 10 W, whatever the device does.
    struct TenWatts(MeterDescription);

    impl TenWatts {
        fn boxed(_: &FakeClock) -> Vec<Box<dyn Meter>> {
            vec![Box::new(Self(MeterDescription {
                name: "ten".to_owned(),
                device: Device::Cpu,
                provenance: Provenance::Measured,
                covers: String::new(),
                leaves_out: String::new(),
                relative_uncertainty: None,
                quantum_s: 0.0,
            }))]
        }
    }

    impl Meter for TenWatts {
        fn description(&self) -> &MeterDescription {
            &self.0
        }

        fn read_j(&mut self, now: Duration) -> Result<f64, MeterError> {
            Ok(10.0 * now.as_secs_f64())
        }
    }

    #[test]
    fn measured_joules_have_an_idle_baseline_on_either_side_of_the_turns() {
        let plan = Plan { order: Order::Sequential, idle: Duration::from_secs(4), ..Plan::default() };
        let (outcome, steps) = run_metered(&["10000", "40000"], false, &Cancel::default(), plan, TenWatts::boxed);
        let outcome = outcome.unwrap();
        let expected =
            ["idle 4 s", "10000 0/6", "10000 1/6", "10000 2/6", "40000 3/6", "40000 4/6", "40000 5/6", "idle 4 s"];
        assert_eq!(steps, expected);
        assert_eq!(outcome.idle.iter().map(|idle| idle.when).collect::<Vec<_>>(), [When::Before, When::After]);
        for idle in &outcome.idle {
            assert!((idle.duration_s - 4.0).abs() < 1e-9 && (idle.energy_j["ten"] - 40.0).abs() < 1e-9, "{idle:?}");
        }
        // The device draws no more at work than idle: gross is there, net is not, and says why.
        let energy = &outcome.benchmarks[0].energy_j_per_hash;
        assert!((energy.gross.unwrap().value - 10.0 / 1e4).abs() < 1e-9);
        assert!(energy.net.is_none() && energy.net_reason.as_ref().unwrap().contains("idle"), "{energy:?}");
        assert_eq!(outcome.benchmarks[0].turns.len(), 3);
    }

    #[test]
    fn the_harness_passes_rates_on_unaltered() {
        // Samples of the record against the rates that the engine was told, over 300 plans and rates.
        for seed in 0..300_u32 {
            let rate_hps = 10_000 + 37 * seed;
            let name = rate_hps.to_string();
            let plan = Plan { seed: u64::from(seed), ..Plan::new(0.3 + 0.01 * f64::from(seed)).unwrap() };
            let outcome = run_metered(&[&name], false, &Cancel::default(), plan, |_| Vec::new()).0.unwrap();
            let benchmark = &outcome.benchmarks[0];
            assert_eq!(benchmark.samples.len(), usize::try_from(plan.rounds * plan.samples_per_turn).unwrap());
            for sample in &benchmark.samples {
                #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
                let sampled_hps = sample.hashes as f64 / sample.duration_s;
                // The fake clock counts in nanoseconds.
                assert!((sampled_hps / f64::from(rate_hps) - 1.0).abs() < 1e-6, "{sampled_hps} of {rate_hps} H/s");
                assert!(sample.duration_s >= plan.sample.as_secs_f64());
            }
        }
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
