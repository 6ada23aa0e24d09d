//! What every command that computes needs: the engines, threads, progress, and a way to end early.

use std::collections::BTreeSet;
use std::time::Duration;

use super::exit::Failure;
use super::progress::Terminal;
use super::{gpu, interrupt, select};
use crate::bench::{Supplier, calibrate};
use crate::clock::MonotonicClock;
use crate::engine::{Cancel, Candidate, Engine, EngineError, EngineId, Job, Pool, Preparation, Workload};
use crate::record::Calibrated;
use crate::registry::Registry;
use crate::sha256d::gpu::GpuSettings;
use crate::sysroot::Sysroot;
use crate::verify::{Oracle, VerifyError, known_answers, self_test};

/// How long each engine is tried where the fastest is wanted.
const TRIAL: Duration = Duration::from_millis(200);
/// Engines for which more than this has to be built aren't tried, and are tested with one key only: that takes longer
/// than most work.
const HEAVY_BYTES: u64 = 1 << 30;

pub(super) struct Workshop {
    pub(super) registry: Registry,
    pub(super) threads: usize,
    pub(super) terminal: Terminal,
    pub(super) cancel: Cancel,
    pub(super) pool: Pool,
    pub(super) clock: MonotonicClock,
}

/// What a test of one engine came to.
#[derive(Default)]
pub(super) struct Tested {
    pub(super) checks: usize,
    pub(super) verified_by: String,
}

impl Workshop {
    /// Looks at this machine. From here on an interrupt ends things in good order.
    pub(super) fn open(sysroot: &Sysroot, threads: Option<usize>, is_quiet: bool) -> Result<Self, Failure> {
        Self::open_with(sysroot, threads, is_quiet, &gpu::as_found_before())
    }

    /// The same, with engines on graphics adapters set as the user wants them.
    pub(super) fn open_with(
        sysroot: &Sysroot,
        threads: Option<usize>,
        is_quiet: bool,
        settings: &GpuSettings,
    ) -> Result<Self, Failure> {
        let registry = Registry::find_with(sysroot, settings);
        Ok(Self {
            registry: if threads.is_some() { registry.with_given_threads() } else { registry },
            threads: select::threads(threads)?,
            terminal: Terminal::new(is_quiet),
            cancel: interrupt::watch(),
            pool: Pool::default(),
            clock: MonotonicClock::default(),
        })
    }

    /// Makes an engine for a key.
    pub(super) fn prepare(&self, candidate: &Candidate, key: &[u8]) -> Result<Box<dyn Engine>, EngineError> {
        self.registry.prepare(candidate, &self.preparation(key))
    }

    /// Says for what engines are made.
    pub(super) fn preparation<'a>(&'a self, key: &'a [u8]) -> Preparation<'a> {
        Preparation { key, threads: self.threads, pool: &self.pool, progress: &self.terminal, cancel: &self.cancel }
    }

    /// Tests one engine, with every key that has known answers; where a key takes a dataset, with the key of benchmarks
    /// only.
    pub(super) fn test(&self, candidate: &Candidate) -> Result<Tested, VerifyError> {
        self.test_together(&[candidate]).map(|mut tested| tested.remove(0))
    }

    /// Tests engines that fit into memory together as [`Workshop::test`] does, key by key, so that what they share is
    /// built once for each key.
    pub(super) fn test_together(&self, candidates: &[&Candidate]) -> Result<Vec<Tested>, VerifyError> {
        let workloads: Vec<Workload> = candidates.iter().map(|one| self.registry.workload(&one.id)).collect();
        let keys_of = |(candidate, workload): (&&Candidate, &Workload)| {
            let answers = if is_heavy(candidate) { Vec::new() } else { known_answers(candidate.id.algorithm()) };
            answers.into_iter().map(|answer| answer.key).chain([workload.job.key.clone()]).collect()
        };
        let keys: Vec<BTreeSet<Vec<u8>>> = candidates.iter().zip(&workloads).map(keys_of).collect();
        let mut tested: Vec<Tested> = candidates.iter().map(|_| Tested::default()).collect();
        // The keys of benchmarks first: they have the answer that reads the last item of the dataset.
        let usual: BTreeSet<&Vec<u8>> = workloads.iter().map(|workload| &workload.job.key).collect();
        let others = keys.iter().flatten().filter(|key| !usual.contains(key)).collect::<BTreeSet<_>>();
        for key in usual.iter().copied().chain(others) {
            let mut held = Vec::new();
            for (index, candidate) in candidates.iter().enumerate().filter(|&(index, _)| keys[index].contains(key)) {
                let workload = &workloads[index];
                let is_usual = *key == workload.job.key;
                let job = Job { key: key.clone(), ..workload.job.clone() };
                let (one, engine) = self.test_key(candidate, &Workload { job, ..workload.clone() }, is_usual)?;
                tested[index].checks += one.checks;
                if is_usual {
                    tested[index].verified_by = one.verified_by;
                }
                held.extend((!candidate.resources().is_empty()).then_some(engine));
            }
        }
        Ok(tested)
    }

    /// Tests one engine with one key, and returns it.
    fn test_key(
        &self,
        candidate: &Candidate,
        workload: &Workload,
        with_oracle: bool,
    ) -> Result<(Tested, Box<dyn Engine>), VerifyError> {
        if self.cancel.is_cancelled() {
            return Err(EngineError::Cancelled.into());
        }
        self.terminal.step(&format!("testing {}", candidate.id), None);
        let preparation = self.preparation(&workload.job.key);
        let mut engine = self.registry.prepare(candidate, &preparation)?;
        let mut oracle =
            if with_oracle { self.registry.oracle(&candidate.id, &preparation)? } else { Oracle::known_answers_only() };
        let checks = self_test(engine.as_mut(), candidate.can_hash, workload, &mut oracle)?;
        Ok((Tested { checks, verified_by: oracle.name }, engine))
    }

    /// Returns the fastest of several engines in a short trial, and notes each rate. An engine that can't be tried is
    /// left out; its error counts only where no engine could be tried.
    pub(super) fn fastest(
        &self,
        rivals: &[&Candidate],
        calibrations: &mut Vec<Calibrated>,
    ) -> Result<EngineId, VerifyError> {
        if let [only] = rivals {
            return Ok(only.id.clone());
        }
        let mut best: Option<(f64, &EngineId)> = None;
        let mut error = VerifyError::Engine(EngineError::Cancelled);
        for candidate in rivals {
            self.terminal.step(&format!("trying {}", candidate.id), None);
            match self.trial(candidate) {
                Ok(rate_hps) => {
                    calibrations.push(Calibrated { id: candidate.id.clone(), rate_hps });
                    if best.is_none_or(|(most, _)| rate_hps > most) {
                        best = Some((rate_hps, &candidate.id));
                    }
                }
                Err(VerifyError::Engine(fault)) if fault != EngineError::Cancelled => error = fault.into(),
                Err(end) => return Err(end),
            }
        }
        best.map(|(_, id)| id.clone()).ok_or(error)
    }

    fn trial(&self, candidate: &Candidate) -> Result<f64, VerifyError> {
        let workload = self.registry.workload(&candidate.id);
        let preparation = self.preparation(&workload.job.key);
        let mut engine = self.registry.prepare(candidate, &preparation)?;
        let mut oracle = self.registry.oracle(&candidate.id, &preparation)?;
        self_test(engine.as_mut(), candidate.can_hash, &workload, &mut oracle)?;
        let (calibration, work) = calibrate(engine.as_mut(), &workload, &self.clock, TRIAL, &self.cancel)?;
        work.check(engine.as_ref(), &mut oracle)?;
        Ok(calibration.rate_hps)
    }

    /// Checks an engine with known answers before a single result of it is trusted, and returns who may check the
    /// results.
    ///
    /// In RandomX most keys have none: then light mode of the same implementation is tested with a key that has, and
    /// the engine is compared with another implementation on the key that it was made for. `job` is that of the results
    /// to come.
    pub(super) fn trust(
        &self,
        candidate: &Candidate,
        engine: &mut dyn Engine,
        job: &Job,
    ) -> Result<Oracle, VerifyError> {
        let workload = self.registry.workload(&candidate.id);
        let is_quick = |other: &&Candidate| {
            other.id.algorithm() == candidate.id.algorithm()
                && other.id.engine() == candidate.id.engine()
                && other.availability.is_ok()
                && !is_heavy(other)
        };
        let answers = known_answers(candidate.id.algorithm());
        if answers.iter().all(|answer| answer.key != job.key)
            && let Some(quick) = self.registry.candidates().iter().find(is_quick)
        {
            let is_usual = answers.iter().any(|answer| answer.key == workload.job.key);
            let key = answers.into_iter().next().filter(|_| !is_usual).map(|answer| answer.key);
            let job = Job { key: key.unwrap_or_else(|| workload.job.key.clone()), ..workload.job.clone() };
            self.test_key(quick, &Workload { job, ..workload.clone() }, false)?;
        }
        let preparation = self.preparation(&job.key);
        let mut oracle = self.registry.oracle(&candidate.id, &preparation)?;
        let job = Job { key: job.key.clone(), ..workload.job };
        self_test(engine, candidate.can_hash, &Workload { job, ..workload }, &mut oracle)?;
        Ok(oracle)
    }
}

/// Tells whether building what an engine needs takes longer than most work.
pub(super) fn is_heavy(candidate: &Candidate) -> bool {
    let built = candidate.resources().iter().filter(|resource| !resource.build.is_zero());
    built.map(|resource| resource.bytes).sum::<u64>() > HEAVY_BYTES
}
