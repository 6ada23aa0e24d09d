//! Several engines as one: all work at once on the same work, such as every graphics card of a machine.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::{Engine, EngineError, EngineId, HitFilter, SetupPart, Sink, Span, SpanReport, Work};
use crate::pages::MemoryPart;

/// Engines that work at once, each on a thread of its own.
pub struct Together {
    id: EngineId,
    engines: Vec<Box<dyn Engine>>,
}

impl Together {
    /// Joins engines.
    #[must_use]
    pub fn new(id: EngineId, engines: Vec<Box<dyn Engine>>) -> Self {
        Self { id, engines }
    }
}

impl Engine for Together {
    fn id(&self) -> &EngineId {
        &self.id
    }

    fn threads(&self) -> usize {
        self.engines.iter().map(|engine| engine.threads()).sum()
    }

    fn setup(&self) -> Vec<SetupPart> {
        self.engines.iter().flat_map(|engine| engine.setup()).collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let named = |engine: &dyn Engine| {
            let device = engine.id().device().to_owned();
            engine.settings().into_iter().map(move |(name, value)| (format!("{device} {name}"), value))
        };
        self.engines.iter().flat_map(|engine| named(engine.as_ref())).collect()
    }

    fn mishap(&self) -> Option<String> {
        let mishaps: Vec<String> = self
            .engines
            .iter()
            .filter_map(|engine| Some(format!("{}: {}", engine.id().device(), engine.mishap()?)))
            .collect();
        (!mishaps.is_empty()).then(|| mishaps.join("; "))
    }

    fn memory(&self) -> Vec<MemoryPart> {
        self.engines.iter().flat_map(|engine| engine.memory()).collect()
    }

    /// Runs all of them. When one fails, the others end after what they have taken: a rate of fewer devices would be
    /// another figure.
    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        let has_failed = AtomicBool::new(false);
        let work = UntilFailure { work, has_failed: &has_failed };
        let (sender, reports) = mpsc::channel();
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .engines
                .iter_mut()
                .map(|engine| {
                    let mut stamping = Stamping(sender.clone());
                    let (work, has_failed) = (&work, &has_failed);
                    scope.spawn(move || {
                        let result = engine.run(filter, work, &mut stamping);
                        has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                        result
                    })
                })
                .collect();
            drop(sender);
            for report in reports {
                sink.report(report);
            }
            let panicked = || EngineError::Failed { id: self.id.clone(), reason: "a thread panicked".to_owned() };
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(panicked())))
        })
    }
}

/// Passes reports on to the thread that takes them, with the moment.
struct Stamping(mpsc::Sender<SpanReport>);

impl Sink for Stamping {
    fn report(&mut self, mut report: SpanReport) {
        report.finished.get_or_insert_with(Instant::now);
        // The receiver lives as long as the scope.
        let _ = self.0.send(report);
    }
}

/// Work that ends when one of the engines has failed.
struct UntilFailure<'a> {
    work: &'a dyn Work,
    has_failed: &'a AtomicBool,
}

impl Work for UntilFailure<'_> {
    fn next(&self, hashes_max: u64) -> Option<Span> {
        if self.has_failed.load(Ordering::Relaxed) { None } else { self.work.next(hashes_max) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::FakeClock;
    use crate::engine::fake::FakeEngine;
    use crate::engine::{Cancel, Job, RangeWork};

    #[derive(Default)]
    struct Collect(Vec<SpanReport>);

    impl Sink for Collect {
        fn report(&mut self, report: SpanReport) {
            self.0.push(report);
        }
    }

    fn fake(name: &str, lost: Option<usize>) -> Box<dyn Engine> {
        let mut engine = FakeEngine::new(EngineId::new("fake", name, "x"), FakeClock::default(), 100, vec![1e4]);
        engine.spans_until_lost = lost;
        Box::new(engine)
    }

    fn run(engines: Vec<Box<dyn Engine>>, nonces: u64) -> (Result<(), EngineError>, Vec<SpanReport>) {
        let job = Arc::new(Job { key: Vec::new(), template: vec![0; 8], nonce_offset: 0, version_mask: 0 });
        let work = RangeWork::new(job, 0..nonces, Cancel::default());
        let mut reports = Collect::default();
        let result = Together::new(EngineId::new("fake", "all", "x"), engines).run(HitFilter::ALL, &work, &mut reports);
        (result, reports.0)
    }

    #[test]
    fn together_they_do_all_of_the_work_once() {
        let (result, reports) = run(vec![fake("a", None), fake("b", None), fake("c", None)], 100_050);
        result.unwrap();
        assert!(reports.iter().all(|report| report.finished.is_some()));
        let mut nonces: Vec<u64> = reports.iter().flat_map(|report| report.span.nonces.clone()).collect();
        nonces.sort_unstable();
        assert_eq!(nonces, (0..100_050).collect::<Vec<_>>());
    }

    #[test]
    fn when_one_is_lost_all_end() {
        let (result, reports) = run(vec![fake("a", None), fake("b", Some(3))], u64::from(u32::MAX));
        assert!(matches!(result, Err(EngineError::DeviceLost { .. })), "{result:?}");
        assert!(reports.len() >= 3 && reports.len() < 40_000_000, "{} reports", reports.len());
    }
}
