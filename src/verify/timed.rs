//! Checks of the work that was timed.
//!
//! While the clock runs, only nonces are written down. Afterwards the oracle hashes every reported hit again (so a
//! wrong one shows), scans samples of the spans anew (so a lost one shows), and the number of hits is held against what
//! chance allows (so that spans which were never computed show, on devices too fast for samples to catch them).

use std::sync::Arc;

use super::known_answers::{describe, expected_of, wrong_hits};
use super::{Oracle, VerifyError, WrongHash};
use crate::engine::{Engine, Hit, HitFilter, Job, Span, SpanReport};

/// How many spans are kept as samples.
const SAMPLES: usize = 8;
/// How many hits are kept for hashing again; a sample of them where there are more.
const HITS_KEPT: usize = 1 << 20;
/// How far, in standard deviations, the number of hits may lie from its expectation: chance alone does so once in
/// 500 million runs.
const DEVIATIONS: f64 = 6.0;

/// What was reported during one turn of an engine.
#[derive(Debug)]
pub struct TimedWork {
    filter: HitFilter,
    hits: Vec<(Arc<Job>, Hit)>,
    hits_reported: u64,
    /// The first span that reported a nonce twice, or one that it doesn't hold.
    stray: Option<SpanReport>,
    samples: Vec<SpanReport>,
    spans: u64,
    hashes: u64,
    random: u64,
}

impl TimedWork {
    /// Begins with nothing. `seed` decides which spans become samples.
    #[must_use]
    pub fn new(filter: HitFilter, seed: u64) -> Self {
        Self {
            filter,
            hits: Vec::new(),
            hits_reported: 0,
            stray: None,
            samples: Vec::new(),
            spans: 0,
            hashes: 0,
            random: seed | 1,
        }
    }

    /// Writes a report down. Cheap: it runs while the clock does.
    pub fn observe(&mut self, report: SpanReport) {
        self.spans += 1;
        self.hashes += report.span.hashes();
        // A device that works through one range twice and leaves another out reports true hits in the right number:
        // only where they lie tells.
        if self.stray.is_none() && has_stray(&report) {
            self.stray = Some(report.clone());
        }
        for &hit in &report.hits {
            self.hits_reported += 1;
            let hit = (Arc::clone(&report.span.job), hit);
            if self.hits.len() < HITS_KEPT {
                self.hits.push(hit);
            } else if let index @ 0..HITS_KEPT = self.next_random(self.hits_reported) {
                self.hits[index] = hit;
            }
        }
        // Reservoir sampling: every span has the same chance.
        if self.samples.len() < SAMPLES {
            self.samples.push(report);
            return;
        }
        let index = self.next_random(self.spans);
        if let Some(sample) = self.samples.get_mut(index) {
            *sample = report;
        }
    }

    /// Returns a number below `end` (xorshift64*, which is random enough to pick samples).
    fn next_random(&mut self, end: u64) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        usize::try_from(self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) % end.max(1)).unwrap_or(usize::MAX)
    }

    /// Checks what was written down, and returns how many hashes the oracle computed again.
    ///
    /// # Errors
    ///
    /// What the engine got wrong; or what kept the oracle from computing.
    pub fn check(mut self, engine: &dyn Engine, oracle: &mut Oracle) -> Result<u64, VerifyError> {
        self.check_count(engine)?;
        if let Some(SpanReport { span, hits, .. }) = &self.stray {
            return Err(WrongHash {
                id: engine.id().clone(),
                check: "hits of one span".to_owned(),
                input: describe(span),
                expected: "hits inside the span, each once".to_owned(),
                computed: format!("{hits:?}"),
                verified_by: "counting".to_owned(),
            }
            .into());
        }
        if oracle.is_nobody() {
            return Ok(0);
        }
        let mut budget = oracle.budget_hashes;
        if self.filter == HitFilter::ALL {
            // Every nonce is a hit: nothing that could be wrong about one.
            self.hits.clear();
        }
        // Half of the budget at most, so that the samples get theirs; a filter as loose as it should be stays far
        // below.
        while self.hits.len() as u64 > oracle.budget_hashes / 2 {
            let index = self.next_random(self.hits.len() as u64);
            self.hits.swap_remove(index);
        }
        for (job, hit) in std::mem::take(&mut self.hits) {
            let input = job.input(hit);
            let hash = oracle.hash(&input)?;
            budget = budget.saturating_sub(1);
            if !self.filter.admits(&hash) {
                let check = "a hit of the timed work";
                return Err(WrongHash::hit(engine, check, &input, &hash, self.filter, &oracle.name).into());
            }
        }
        let mut hashed = oracle.budget_hashes - budget;
        for (index, sample) in std::mem::take(&mut self.samples).into_iter().enumerate() {
            // All versions of a nonce are scanned again, or none.
            let versions = sample.span.hashes() / nonces_of(&sample.span).max(1);
            let length = sample.span.hashes();
            // Only a whole span has a checksum to compare, so one of those is worth more than the budget.
            let is_due = index == 0 && sample.xor_tail.is_some();
            let share =
                if length <= budget || is_due { length } else { budget.min(oracle.budget_hashes / SAMPLES as u64) };
            let (nonces, share) = (nonces_of(&sample.span), share / versions.max(1));
            if share > 0 {
                // The ends are where nonces get lost, so they have their turn besides any place between them.
                let offset = match index % 3 {
                    0 => 0,
                    1 => nonces - share,
                    _ => self.next_random(nonces - share + 1) as u64,
                };
                let start = sample.span.nonces.start + offset;
                let part = Span { nonces: start..start + share, ..sample.span.clone() };
                budget = budget.saturating_sub(part.hashes());
                hashed += part.hashes();
                self.check_sample(engine, sample, &part, oracle)?;
            }
        }
        Ok(hashed)
    }

    fn check_count(&self, engine: &dyn Engine) -> Result<(), VerifyError> {
        #[expect(clippy::cast_precision_loss, reason = "a statistical bound")]
        let (count, hashes) = (self.hits_reported as f64, self.hashes as f64);
        let probability = self.filter.probability();
        let expected = hashes * probability;
        let deviation = (expected * (1.0 - probability)).sqrt();
        // One more, because small counts are no normal distribution.
        if (count - expected).abs() <= DEVIATIONS * deviation + DEVIATIONS {
            return Ok(());
        }
        Err(WrongHash {
            id: engine.id().clone(),
            check: "number of hits".to_owned(),
            input: format!("{} hashes of timed work, {} leading zero bits", self.hashes, self.filter.zero_bits()),
            expected: format!("{expected:.0} hits ±{:.0}", DEVIATIONS * deviation),
            computed: format!("{count:.0} hits"),
            verified_by: "the binomial distribution".to_owned(),
        }
        .into())
    }

    /// Scans a part of a sampled span again.
    fn check_sample(
        &self,
        engine: &dyn Engine,
        mut sample: SpanReport,
        part: &Span,
        oracle: &mut Oracle,
    ) -> Result<(), VerifyError> {
        let expected = expected_of(part, self.filter, oracle)?;
        sample.hits.retain(|&hit| part.contains(hit));
        sample.hits.sort_unstable();
        let check = "a span of the timed work".to_owned();
        if sample.hits != expected.hits {
            return Err(wrong_hits(engine, check, part, &expected.hits, &sample.hits, &oracle.name));
        }
        let is_whole = *part == sample.span;
        match sample.xor_tail {
            Some(tail) if is_whole && tail != expected.xor_tail => Err(WrongHash {
                id: engine.id().clone(),
                check,
                input: describe(part),
                expected: format!("checksum {:016x}", expected.xor_tail),
                computed: format!("checksum {tail:016x}"),
                verified_by: oracle.name.clone(),
            }
            .into()),
            _ => Ok(()),
        }
    }
}

fn nonces_of(span: &Span) -> u64 {
    span.nonces.end - span.nonces.start
}

/// Tells whether a hit is reported twice, or lies outside the span.
fn has_stray(report: &SpanReport) -> bool {
    let mut hits = report.hits.clone();
    hits.sort_unstable();
    hits.windows(2).any(|pair| pair[0] == pair[1]) || hits.iter().any(|&hit| !report.span.contains(hit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;
    use crate::engine::fake::FakeEngine;
    use crate::engine::{Cancel, EngineId, RangeWork, Sink};

    /// Runs a fake engine over some spans, spoils the reports, and checks them.
    fn check_spoilt(zero_bits: u32, spoil: impl FnMut(&mut SpanReport)) -> Result<u64, VerifyError> {
        check_spoilt_spans(512, zero_bits, spoil)
    }

    /// As [`check_spoilt`], with spans of `length` hashes.
    fn check_spoilt_spans(length: u64, zero_bits: u32, spoil: impl FnMut(&mut SpanReport)) -> Result<u64, VerifyError> {
        struct Spoil<F>(TimedWork, F);
        impl<F: FnMut(&mut SpanReport)> Sink for Spoil<F> {
            fn report(&mut self, mut report: SpanReport) {
                (self.1)(&mut report);
                self.0.observe(report);
            }
        }
        let filter = HitFilter::with_zero_bits(zero_bits);
        let mut engine =
            FakeEngine::new(EngineId::new("fake", "cpu", "steady"), FakeClock::default(), length, vec![1e6]);
        let job = Arc::new(Job { key: Vec::new(), template: vec![7; 44], nonce_offset: 40, version_mask: 0 });
        let mut sink = Spoil(TimedWork::new(filter, 42), spoil);
        engine.run(filter, &RangeWork::new(job, 0..100 * length + 3, Cancel::default()), &mut sink).unwrap();
        let mut oracle = Oracle::new("the fake", 1 << 14, |input| Ok(FakeEngine::fake_hash(input)));
        sink.0.check(&engine, &mut oracle)
    }

    fn wrong(result: Result<u64, VerifyError>) -> String {
        match result {
            Err(VerifyError::Wrong(wrong)) => wrong.check,
            other => panic!("not noticed: {other:?}"),
        }
    }

    #[test]
    fn right_work_passes_and_was_really_hashed_again() {
        let hashed = check_spoilt(4, |_| {}).unwrap();
        assert!((4096..=1 << 14).contains(&hashed), "{hashed} hashes");
    }

    #[test]
    fn one_flipped_bit_in_one_hit_is_noticed() {
        let mut left = 1;
        let spoil = |report: &mut SpanReport| {
            if let (Some(hit), true) = (report.hits.first_mut(), left > 0) {
                hit.nonce ^= 1;
                left -= 1;
            }
        };
        assert_eq!(wrong(check_spoilt(6, spoil)), "a hit of the timed work");
    }

    #[test]
    fn hits_of_another_span_and_hits_reported_twice_are_noticed() {
        let mut before: Vec<Hit> = Vec::new();
        let stale = |report: &mut SpanReport| {
            let own = std::mem::replace(&mut before, report.hits.clone());
            if !own.is_empty() {
                report.hits = own;
            }
        };
        assert_eq!(wrong(check_spoilt(4, stale)), "hits of one span");
        let twice = |report: &mut SpanReport| {
            if let Some(&hit) = report.hits.first() {
                report.hits.pop();
                report.hits.push(hit);
            }
        };
        assert_eq!(wrong(check_spoilt(4, twice)), "hits of one span");
    }

    #[test]
    fn lost_hits_are_noticed() {
        assert_eq!(
            wrong(check_spoilt(4, |report| {
                report.hits.pop();
            })),
            "a span of the timed work"
        );
    }

    #[test]
    fn a_hit_that_is_lost_at_the_end_of_spans_longer_than_the_budget_is_noticed() {
        let lose_last = |report: &mut SpanReport| {
            report.hits.pop();
        };
        assert_eq!(wrong(check_spoilt_spans(20_000, 8, lose_last)), "a span of the timed work");
        assert!(check_spoilt_spans(20_000, 8, |_| {}).is_ok());
    }

    #[test]
    fn a_wrong_checksum_is_noticed() {
        assert_eq!(wrong(check_spoilt(4, |report| report.xor_tail = Some(1))), "a span of the timed work");
        // Where every hash is a hit, the checksum is all that can be wrong.
        assert!(check_spoilt(0, |_| {}).is_ok());
        assert_eq!(wrong(check_spoilt(0, |report| report.xor_tail = Some(1))), "a span of the timed work");
    }

    #[test]
    fn spans_that_were_never_computed_are_noticed_by_their_number_of_hits() {
        let mut number = 0;
        let spoil = |report: &mut SpanReport| {
            number += 1;
            if number % 2 == 0 {
                report.hits.clear();
            }
        };
        assert_eq!(wrong(check_spoilt(4, spoil)), "number of hits");
    }
}
