//! SHA-256d on graphics adapters, in WGSL: one nonce per invocation, with one midstate or with several that differ in
//! the version; hits appended through an atomic.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::midstate::Midstate;
use super::wgsl::{Form, Kernel, Variant};
use super::{ALGORITHM, job_fault};
use crate::engine::{
    Available, Engine, EngineError, EngineId, Hit, HitFilter, MakeEngine, Resource, SetupPart, Sink, Span, SpanReport,
    VERSIONS_PER_SPAN, Work,
};
use crate::gpu::{Adapter, GpuDevice, GpuError, KernelDescription, Ring};
use crate::unavailable::Unavailable;

/// As in the shaders.
const HITS_MAX: usize = 4095;
/// Submissions in flight: one that runs, one that waits, one whose result is read.
const RING_DEPTH: usize = 3;
/// How long one submission shall take: long beside the gap of a launch, short beside what a display or a watchdog
/// notices.
const BATCH_TARGET: Duration = Duration::from_millis(30);
/// The first submission, small enough for the slowest adapter.
const BATCH_FIRST: u64 = 1 << 14;
/// At most 65,535 workgroups may stand in a row; longer rows are of this many.
const ROW_WORKGROUPS: u64 = 1 << 15;

/// Returns the engines of this module on the adapter with this index, with what it takes to make each.
#[must_use]
pub fn engines(index: u32, adapter: &Adapter) -> Vec<(EngineId, Available)> {
    [("wgsl", Form::Plain), ("wgsl+rolled", Form::Rolled)]
        .map(|(name, form)| {
            let id = EngineId::new(ALGORITHM, &format!("gpu{index}"), name);
            (id.clone(), available(id, index, adapter.clone(), form))
        })
        .into()
}

fn available(id: EngineId, index: u32, adapter: Adapter, form: Form) -> Available {
    let device_key = format!("gpu{index} device");
    // A few kilobytes of buffers: the device itself is what is shared.
    let device = Resource { key: device_key.clone(), bytes: 0, build: Duration::from_secs(1) };
    let make: Box<MakeEngine> = Box::new(move |preparation| {
        let started = Instant::now();
        let gpu = preparation.pool.get_or_build(&device_key, || adapter.open()).map_err(|error| fault(&id, error))?;
        engine(id.clone(), gpu, started, form, Variant::default())
    });
    Available { resources: vec![device], make }
}

/// Makes an engine of a variant on an open device; `started` is when the device began to open.
///
/// # Errors
///
/// What the driver refused.
pub fn engine(
    id: EngineId,
    gpu: Arc<GpuDevice>,
    started: Instant,
    form: Form,
    variant: Variant,
) -> Result<Box<dyn Engine>, EngineError> {
    let opened = started.elapsed();
    let kernel = Kernel::new(form, variant);
    let ring = Ring::new(Arc::clone(&gpu), &description(&kernel), RING_DEPTH).map_err(|error| fault(&id, error))?;
    let compiled = started.elapsed() - opened;
    let phases = vec![("device".to_owned(), opened), ("shader".to_owned(), compiled)];
    let setup = SetupPart { name: id.to_string(), phases };
    Ok(Box::new(GpuEngine { id, gpu, kernel, ring: Some(ring), setup, batch: BATCH_FIRST }))
}

fn description(kernel: &Kernel) -> KernelDescription<'_> {
    let words_per_hit = match kernel.form() {
        Form::Plain => 1,
        Form::Rolled => 2,
    };
    KernelDescription {
        source: kernel.source(),
        entry_point: "scan",
        parameters_len: 4 * kernel.parameters_words() as u64,
        result_len: (4 * (1 + words_per_hit * HITS_MAX as u64)).next_multiple_of(8),
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

struct GpuEngine {
    id: EngineId,
    gpu: Arc<GpuDevice>,
    kernel: Kernel,
    /// Taken out for a run; gone after an error, because what it holds is then in doubt.
    ring: Option<Ring>,
    setup: SetupPart,
    /// How many hashes the next submission takes.
    batch: u64,
}

/// A span whose pieces are on the device. A span has one piece, unless its hits didn't fit.
struct InFlight {
    span: Span,
    hits: Vec<Hit>,
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
                let is_plain = self.kernel.form() == Form::Plain;
                let has_versions =
                    || (is_plain && span.job.version_mask != 0).then(|| "it doesn't roll versions".to_owned());
                if let Some(reason) = job_fault(&span.job).or_else(has_versions) {
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
        let midstates: Vec<Midstate> = versions(span).map(|version| Midstate::of_version(&span.job, version)).collect();
        let states: Vec<[u32; 8]> = midstates.iter().map(|midstate| midstate.state).collect();
        let count = nonces.end - nonces.start;
        #[expect(clippy::cast_possible_truncation, reason = "nonces and their number are below 2^32 here")]
        let range = (nonces.start as u32, count as u32);
        let parameters = self.kernel.parameters(range, filter.mask().swap_bytes(), &states, midstates[0].tail);
        let workgroups = count.div_ceil(u64::from(self.kernel.workgroup_size()));
        let rows = workgroups.div_ceil(ROW_WORKGROUPS);
        let columns = if rows > 1 { ROW_WORKGROUPS } else { workgroups };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "columns are at most 2^15, rows 2^17 over a small workgroup"
        )]
        let workgroups = (columns as u32, rows as u32);
        ring.submit(bytemuck::cast_slice(&parameters), workgroups).map_err(|error| fault(&self.id, error))
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
        let nonces = words[1..=count].iter().copied();
        match self.kernel.form() {
            Form::Plain => target.hits.extend(nonces.map(Hit::of_nonce)),
            Form::Rolled => {
                let first = versions(&target.span).start;
                let states = &words[1 + HITS_MAX..][..count];
                target.hits.extend(nonces.zip(states).map(|(nonce, state)| Hit { version: first + state, nonce }));
            }
        }
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
        // Whole workgroups, of one state or of several.
        let step = u64::from(self.kernel.workgroup_size()) * VERSIONS_PER_SPAN;
        self.batch = batch.clamp(BATCH_FIRST, 1 << 31).next_multiple_of(step);
    }
}

/// Returns the indices of a span's versions.
#[expect(clippy::cast_possible_truncation, reason = "the mask has 32 bits, and its last index is below 2^32")]
fn versions(span: &Span) -> std::ops::Range<u32> {
    span.versions.start as u32..span.versions.end as u32
}

fn report(done: InFlight) -> SpanReport {
    SpanReport { span: done.span, hits: done.hits, xor_tail: None, device_time: done.device_time, finished: None }
}
