//! Which variant of a kernel is the fastest on an adapter: each is tried for some submissions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::engine::{GpuEngine, fault};
use crate::engine::{
    Cancel, Engine, EngineError, EngineId, HitFilter, Preparation, RangeWork, Sink, Span, SpanReport, Work,
    WorkloadCursor,
};
use crate::gpu::SharedDevice;
use crate::sha256d::wgsl::{Form, Kernel, Variant};
use crate::sha256d::{rolled_workload, scalar, workload};

/// What a submission of a trial shall take.
const TARGET: Duration = Duration::from_millis(20);
/// How many submissions of about that length count.
const SUBMISSIONS: usize = 5;
/// A trial ends after this long even with fewer.
const LONGEST: Duration = Duration::from_millis(400);
/// By how much another variant has to be faster than the best so far to take its place: less is noise.
const ADVANTAGE: f64 = 1.01;
/// How many nonces are compared with the oracle: some workgroups and a ragged end.
const CHECKED_NONCES: u64 = 700;

/// One variant that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The variant.
    pub variant: Variant,
    /// Its rate by the device's clock where it has one, in hashes per second; or why it has none: the driver refused
    /// it, or compiled it to something that computes wrong hashes.
    pub rate_hps: Result<f64, String>,
}

/// What the trials came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The fastest.
    pub best: Trial,
    /// All that were tried, in that order, the usual variant first.
    pub trials: Vec<Trial>,
}

/// Tries one respect after the other, each time from the best variant so far, until `budget` is used up.
///
/// # Errors
///
/// The usual variant can't be made or computes wrong hashes; [`EngineError::Cancelled`].
pub(super) fn tune(
    id: &EngineId,
    shared: &Arc<SharedDevice>,
    form: Form,
    budget: Option<Duration>,
    preparation: &Preparation<'_>,
) -> Result<Tuned, EngineError> {
    let started = Instant::now();
    let respects = Variant::respects(form);
    let count = respects.iter().map(|choices| choices.len() as u64 - 1).sum::<u64>() + 1;
    preparation.progress.begin(&format!("fastest variant of {id}"), Some(count));
    let usual = try_variant(id, shared, form, Variant::default());
    let mut trials = vec![usual.clone()];
    let mut best = usual;
    for change in respects.into_iter().flat_map(|choices| choices.into_iter().skip(1)) {
        if preparation.cancel.is_cancelled() {
            preparation.progress.end();
            return Err(EngineError::Cancelled);
        }
        if budget.is_some_and(|budget| started.elapsed() >= budget) {
            break;
        }
        let variant = change(best.variant);
        preparation.progress.set(trials.len() as u64);
        let trial = try_variant(id, shared, form, variant);
        trials.push(trial.clone());
        if let (Ok(rate), Ok(least)) = (&trial.rate_hps, &best.rate_hps)
            && *rate > least * ADVANTAGE
        {
            best = trial;
        }
    }
    preparation.progress.end();
    match &best.rate_hps {
        Ok(_) => Ok(Tuned { best, trials }),
        Err(reason) => Err(EngineError::Failed { id: id.clone(), reason: reason.clone() }),
    }
}

fn try_variant(id: &EngineId, shared: &Arc<SharedDevice>, form: Form, variant: Variant) -> Trial {
    let kernel = Kernel::new(form, variant);
    let engine = GpuEngine::new(id.clone(), Arc::clone(shared), kernel, TARGET, Vec::new(), BTreeMap::new());
    let rate_hps = engine.map_err(|error| fault(id, error)).and_then(|mut engine| {
        check(&mut engine, form)?;
        rate_hps(&mut engine, form)
    });
    Trial { variant, rate_hps: rate_hps.map_err(|error| error.to_string()) }
}

/// Compares some hits with those of the oracle, because drivers have compiled worse than this wrongly.
fn check(engine: &mut GpuEngine, form: Form) -> Result<(), EngineError> {
    let filter = HitFilter::with_zero_bits(3);
    let mut job = workload_of(form).job;
    // Four versions are enough.
    job.version_mask &= 0x6000;
    let mut reports = Reports::default();
    let work = RangeWork::new(Arc::new(job.clone()), 0..CHECKED_NONCES, Cancel::default());
    engine.run(filter, &work, &mut reports)?;
    let mut hits: Vec<_> = reports.0.iter().flat_map(|(report, _)| report.hits.clone()).collect();
    hits.sort_unstable();
    let all = Span { versions: 0..job.versions(), ..Span::of_nonces(Arc::new(job.clone()), 0..CHECKED_NONCES) };
    let mut expected: Vec<_> =
        all.inputs().filter(|&input| filter.admits(&scalar::sha256d(&job.input(input)))).collect();
    expected.sort_unstable();
    if hits == expected {
        return Ok(());
    }
    Err(EngineError::Failed { id: engine.id().clone(), reason: "the driver compiled it wrongly".to_owned() })
}

/// Returns the median rate of the last submissions.
fn rate_hps(engine: &mut GpuEngine, form: Form) -> Result<f64, EngineError> {
    let work = Until {
        cursor: WorkloadCursor::new(workload_of(form)),
        end: Instant::now() + LONGEST,
        long_ones: AtomicUsize::new(0),
    };
    let mut sink = Counting { reports: Reports::default(), long_ones: &work.long_ones };
    engine.run(HitFilter::with_zero_bits(24), &work, &mut sink)?;
    let reports = sink.reports.0;
    let mut rates: Vec<f64> = Vec::new();
    for (index, (report, finished)) in reports.iter().enumerate().rev().take(SUBMISSIONS) {
        let since_last = index.checked_sub(1).map(|before| *finished - reports[before].1);
        let Some(took) = report.device_time.or(since_last) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        rates.push(report.span.hashes() as f64 / took.as_secs_f64().max(1e-9));
    }
    rates.sort_by(f64::total_cmp);
    let none = || EngineError::Failed { id: engine.id().clone(), reason: "no submission was finished".to_owned() };
    rates.get(rates.len() / 2).copied().ok_or_else(none)
}

fn workload_of(form: Form) -> crate::engine::Workload {
    match form {
        Form::Plain => workload(),
        Form::Rolled => rolled_workload(),
    }
}

/// What was reported, and when.
#[derive(Default)]
struct Reports(Vec<(SpanReport, Instant)>);

impl Sink for Reports {
    fn report(&mut self, report: SpanReport) {
        self.0.push((report, Instant::now()));
    }
}

/// Counts reports of submissions that were about as long as they should be.
struct Counting<'a> {
    reports: Reports,
    long_ones: &'a AtomicUsize,
}

impl Sink for Counting<'_> {
    fn report(&mut self, report: SpanReport) {
        let took = report.device_time.or_else(|| Some(self.reports.0.last()?.1.elapsed()));
        if took.is_some_and(|took| took >= TARGET / 2) {
            self.long_ones.fetch_add(1, Ordering::Relaxed);
        }
        self.reports.report(report);
    }
}

/// Work until enough submissions were long enough, or the time is up.
struct Until {
    cursor: WorkloadCursor,
    end: Instant,
    long_ones: AtomicUsize,
}

impl Work for Until {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        let is_enough = self.long_ones.load(Ordering::Relaxed) >= SUBMISSIONS;
        (!is_enough && Instant::now() < self.end).then(|| self.cursor.take(hashes_max))
    }
}
