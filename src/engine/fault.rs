//! Engines that compute something wrong on purpose: they prove that every kind of wrong result is noticed.
//!
//! Behind the cargo feature `fault-injection`, for tests only. `HASHWATT_FAULT=KIND@ENGINE` names the engine and the
//! kind: `hit`, `lost`, `checksum`, `hash` or `device-lost`. `HASHWATT_FAULT_AFTER=N` lets N hashes pass first, so that
//! the known answers hold and only the timed work is wrong.

use std::collections::BTreeMap;
use std::env;

use super::{Engine, EngineError, EngineId, Hash, HitFilter, SetupPart, Sink, SpanReport, Work};
use crate::pages::MemoryPart;

/// What a faulty engine gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One bit of one nonce that is reported as a hit.
    Hit,
    /// One hit of a span isn't reported.
    Lost,
    /// One bit of the checksum of a span.
    Checksum,
    /// One bit of a single hash.
    Hash,
    /// The device goes away after a few spans.
    DeviceLost,
}

/// Wraps `engine` where the environment asks for a fault in it.
#[must_use]
pub fn wrap(engine: Box<dyn Engine>) -> Box<dyn Engine> {
    let Ok(fault) = env::var("HASHWATT_FAULT") else { return engine };
    let kind = match fault.split_once('@') {
        Some((kind, id)) if id == engine.id().as_str() => kind,
        _ => return engine,
    };
    let kind = match kind {
        "hit" => Kind::Hit,
        "lost" => Kind::Lost,
        "checksum" => Kind::Checksum,
        "hash" => Kind::Hash,
        "device-lost" => Kind::DeviceLost,
        _ => return engine,
    };
    let after = env::var("HASHWATT_FAULT_AFTER").ok().and_then(|hashes| hashes.parse().ok()).unwrap_or(0);
    Box::new(Faulty { engine, kind, hashes_left: after })
}

struct Faulty {
    engine: Box<dyn Engine>,
    kind: Kind,
    hashes_left: u64,
}

struct FaultySink<'a> {
    sink: &'a mut dyn Sink,
    kind: Kind,
    hashes_left: &'a mut u64,
}

impl Sink for FaultySink<'_> {
    fn report(&mut self, mut report: SpanReport) {
        if *self.hashes_left > 0 {
            *self.hashes_left = self.hashes_left.saturating_sub(report.span.hashes());
            return self.sink.report(report);
        }
        match (self.kind, report.hits.last_mut(), &mut report.xor_tail) {
            (Kind::Hit, Some(hit), _) => hit.nonce ^= 1,
            (Kind::Lost, Some(_), _) => drop(report.hits.pop()),
            (Kind::Checksum, _, Some(tail)) => *tail ^= 1 << 17,
            _ => {}
        }
        self.sink.report(report);
    }
}

/// Lets a few spans pass, then says that there are no more.
struct FewSpans<'a> {
    work: &'a dyn Work,
    left: std::sync::atomic::AtomicUsize,
}

impl Work for FewSpans<'_> {
    fn next(&self, hashes_max: u64) -> Option<super::Span> {
        use std::sync::atomic::Ordering::Relaxed;
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).ok()?;
        self.work.next(hashes_max)
    }
}

impl Engine for Faulty {
    fn id(&self) -> &EngineId {
        self.engine.id()
    }

    fn threads(&self) -> usize {
        self.engine.threads()
    }

    fn setup(&self) -> Vec<SetupPart> {
        self.engine.setup()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        self.engine.settings()
    }

    fn mishap(&self) -> Option<String> {
        self.engine.mishap()
    }

    fn memory(&self) -> Vec<MemoryPart> {
        self.engine.memory()
    }

    fn commit(&mut self) -> Result<(), EngineError> {
        self.engine.commit()
    }

    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        let mut sink = FaultySink { sink, kind: self.kind, hashes_left: &mut self.hashes_left };
        if self.kind != Kind::DeviceLost {
            return self.engine.run(filter, work, &mut sink);
        }
        let few = FewSpans { work, left: 40.into() };
        self.engine.run(filter, &few, &mut sink)?;
        match work.next(1) {
            Some(_) => Err(EngineError::DeviceLost { id: self.id().clone(), reason: "by fault injection".to_owned() }),
            None => Ok(()),
        }
    }

    fn hash(&mut self, input: &[u8]) -> Result<Hash, EngineError> {
        let mut hash = self.engine.hash(input)?;
        if self.kind == Kind::Hash {
            hash[5] ^= 0x10;
        }
        Ok(hash)
    }
}
