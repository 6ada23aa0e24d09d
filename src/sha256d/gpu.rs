//! SHA-256d on graphics adapters, in WGSL: one nonce per invocation, hits appended through an atomic.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::midstate::Midstate;
use super::scalar::K;
use super::{ALGORITHM, job_fault};
use crate::engine::{
    Available, Engine, EngineError, EngineId, HitFilter, MakeEngine, Resource, SetupPart, Sink, Span, SpanReport, Work,
};
use crate::gpu::{Adapter, GpuDevice, GpuError, KernelDescription, Ring};
use crate::unavailable::Unavailable;

const SOURCE: &str = include_str!("../../shaders/sha256d_scan.wgsl");
/// As in the shader.
const WORKGROUP_SIZE: u64 = 64;
/// As in the shader.
const HITS_MAX: usize = 4095;
/// Submissions in flight: one that runs, one that waits, one whose result is read.
const RING_DEPTH: usize = 3;
/// How long one submission shall take: long beside the gap of a launch, short beside what a display or a watchdog
/// notices.
const BATCH_TARGET: Duration = Duration::from_millis(30);
/// The first submission, small enough for the slowest adapter.
const BATCH_FIRST: u64 = 1 << 14;
/// The largest submission: at most 65,535 workgroups may stand in a row, and rows are of this many nonces.
const ROW: u64 = (1 << 15) * WORKGROUP_SIZE;

/// Returns the engine of this module on the adapter with this index, with what it takes to make it.
#[must_use]
pub fn engine(index: u32, adapter: &Adapter) -> (EngineId, Available) {
    let device_key = format!("gpu{index} device");
    let id = EngineId::new(ALGORITHM, &format!("gpu{index}"), "wgsl");
    let (adapter, engine_id) = (adapter.clone(), id.clone());
    let make: Box<MakeEngine> = Box::new(move |preparation| {
        let started = Instant::now();
        let failed = |error: GpuError| fault(&engine_id, error);
        let gpu = preparation.pool.get_or_build(&device_key, || adapter.open()).map_err(failed)?;
        let opened = started.elapsed();
        let ring = Ring::new(Arc::clone(&gpu), &kernel(), RING_DEPTH).map_err(failed)?;
        let compiled = started.elapsed() - opened;
        let phases = vec![("device".to_owned(), opened), ("shader".to_owned(), compiled)];
        let setup = SetupPart { name: engine_id.to_string(), phases };
        Ok(Box::new(GpuEngine { id: engine_id.clone(), gpu, ring: Some(ring), setup, batch: BATCH_FIRST }))
    });
    // A few kilobytes of buffers: the device itself is what is shared.
    let device = Resource { key: format!("gpu{index} device"), bytes: 0, build: Duration::from_secs(1) };
    (id, Available { resources: vec![device], make })
}

fn kernel() -> KernelDescription<'static> {
    KernelDescription {
        source: SOURCE,
        entry_point: "scan",
        parameters_len: size_of::<Parameters>() as u64,
        constants: bytemuck::cast_slice(&K),
        result_len: 4 * (1 + HITS_MAX as u64),
    }
}

fn fault(id: &EngineId, error: GpuError) -> EngineError {
    match error {
        GpuError::NoDevice(reason) => {
            let hint = "another program may hold the adapter, or its driver is broken: vulkaninfo says more".to_owned();
            EngineError::Unavailable { id: id.clone(), unavailable: Unavailable { reason, hint } }
        }
        GpuError::Lost(reason) => EngineError::DeviceLost { id: id.clone(), reason },
        other => EngineError::Failed { id: id.clone(), reason: other.to_string() },
    }
}

/// `Job` of the shader.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Parameters {
    midstate: [u32; 8],
    tail: [u32; 3],
    mask: u32,
    first_nonce: u32,
    count: u32,
    padding: [u32; 2],
}

struct GpuEngine {
    id: EngineId,
    gpu: Arc<GpuDevice>,
    /// Taken out for a run; gone after an error, because what it holds is then in doubt.
    ring: Option<Ring>,
    setup: SetupPart,
    /// How many nonces the next submission takes.
    batch: u64,
}

/// A span whose pieces are on the device. A span has one piece, unless its hits didn't fit.
struct InFlight {
    span: Span,
    hits: Vec<u32>,
    device_time: Option<Duration>,
}

impl Engine for GpuEngine {
    fn id(&self) -> &EngineId {
        &self.id
    }

    fn threads(&self) -> usize {
        0
    }

    fn setup(&self) -> Vec<SetupPart> {
        vec![self.setup.clone()]
    }

    fn run(&mut self, filter: HitFilter, work: &dyn Work, sink: &mut dyn Sink) -> Result<(), EngineError> {
        self.gpu.check().map_err(|error| fault(&self.id, error))?;
        let lost = || EngineError::Failed { id: self.id.clone(), reason: "it failed before".to_owned() };
        let mut ring = self.ring.take().ok_or_else(lost)?;
        let result = self.run_ring(&mut ring, filter, work, sink);
        // After a job that was refused the device is as good as before.
        if ring.drain().is_ok() && self.gpu.check().is_ok() {
            self.ring = Some(ring);
        }
        result
    }
}

impl GpuEngine {
    fn run_ring(
        &mut self,
        ring: &mut Ring,
        filter: HitFilter,
        work: &dyn Work,
        sink: &mut dyn Sink,
    ) -> Result<(), EngineError> {
        let mut in_flight: VecDeque<InFlight> = VecDeque::with_capacity(RING_DEPTH);
        let mut last_completion = Instant::now();
        // So that hits fit: half of what the shader keeps, on average.
        let batch_max = (HITS_MAX as u64 / 2) << filter.zero_bits();
        loop {
            while !ring.is_full() {
                let Some(span) = work.next(self.batch.min(batch_max)) else { break };
                if let Some(reason) = job_fault(&span.job) {
                    return Err(EngineError::Job { id: self.id.clone(), reason });
                }
                self.submit(ring, &span, &span.nonces, filter)?;
                in_flight.push_back(InFlight { span, hits: Vec::new(), device_time: None });
            }
            let Some(mut oldest) = in_flight.pop_front() else { return Ok(()) };
            let complete = self.collect(ring, &mut oldest)?;
            let now = Instant::now();
            self.adapt(oldest.span.hashes(), oldest.device_time.unwrap_or(now - last_completion));
            last_completion = now;
            if !complete {
                // Rare: more hits than a filter this loose should give. The ring is drained first.
                let mut repeat = vec![oldest];
                for mut other in in_flight.drain(..) {
                    if self.collect(ring, &mut other)? {
                        sink.report(report(other));
                    } else {
                        repeat.push(other);
                    }
                }
                for mut span in repeat {
                    self.halves(ring, &mut span, filter)?;
                    sink.report(report(span));
                }
                continue;
            }
            sink.report(report(oldest));
        }
    }

    fn submit(
        &self,
        ring: &mut Ring,
        span: &Span,
        nonces: &std::ops::Range<u64>,
        filter: HitFilter,
    ) -> Result<(), EngineError> {
        let midstate = Midstate::of(&span.job);
        let count = nonces.end - nonces.start;
        #[expect(clippy::cast_possible_truncation, reason = "nonces and their number are below 2^32 here")]
        let parameters = Parameters {
            midstate: midstate.state,
            tail: midstate.tail,
            mask: filter.mask().swap_bytes(),
            first_nonce: nonces.start as u32,
            count: count as u32,
            padding: [0; 2],
        };
        let rows = count.div_ceil(ROW);
        let columns = if rows > 1 { ROW / WORKGROUP_SIZE } else { count.div_ceil(WORKGROUP_SIZE) };
        #[expect(clippy::cast_possible_truncation, reason = "both are at most 2^15")]
        let workgroups = (columns as u32, rows as u32);
        ring.submit(bytemuck::bytes_of(&parameters), workgroups).map_err(|error| fault(&self.id, error))
    }

    /// Takes the result of the ring's oldest submission; false when there were more hits than fit.
    fn collect(&self, ring: &mut Ring, target: &mut InFlight) -> Result<bool, EngineError> {
        let completed = ring.wait().map_err(|error| fault(&self.id, error))?;
        let Some(completed) = completed else {
            return Err(EngineError::Failed { id: self.id.clone(), reason: "no submission is in flight".to_owned() });
        };
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&completed.result);
        let count = words[0] as usize;
        if count > HITS_MAX {
            return Ok(false);
        }
        target.hits.extend_from_slice(&words[1..=count]);
        target.device_time = match (target.device_time, completed.device_time) {
            (Some(sum), Some(more)) => Some(sum + more),
            (sum, more) => more.or(sum),
        };
        Ok(true)
    }

    /// Does a span whose hits didn't fit again, in halves; the ring is empty.
    fn halves(&self, ring: &mut Ring, target: &mut InFlight, filter: HitFilter) -> Result<(), EngineError> {
        let mut ranges = vec![target.span.nonces.clone()];
        while let Some(range) = ranges.pop() {
            let middle = range.start.midpoint(range.end);
            for half in [range.start..middle, middle..range.end] {
                if half.is_empty() {
                    continue;
                }
                self.submit(ring, &target.span, &half, filter)?;
                if !self.collect(ring, target)? {
                    ranges.push(half);
                }
            }
        }
        Ok(())
    }

    /// Scales the next batch towards [`BATCH_TARGET`], at most twofold at a time.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a length that need not be exact"
    )]
    fn adapt(&mut self, hashes: u64, took: Duration) {
        // The end of a range is shorter than a batch, and says little about how long one takes.
        if hashes < self.batch {
            return;
        }
        let scale = BATCH_TARGET.as_secs_f64() / took.as_secs_f64().max(1e-9);
        let batch = (self.batch as f64 * scale.clamp(0.5, 2.0)) as u64;
        self.batch = batch.clamp(BATCH_FIRST, 1 << 31).next_multiple_of(WORKGROUP_SIZE);
    }
}

fn report(done: InFlight) -> SpanReport {
    SpanReport { span: done.span, hits: done.hits, xor_tail: None, device_time: done.device_time, finished: None }
}
