//! Checks of the work that was timed.
//!
//! While the clock runs, only nonces are written down. Afterwards the oracle hashes every reported hit again (so a
//! wrong one shows), scans samples of the spans anew (so a lost one shows), and the number of hits is held against what
//! chance allows (so that spans which were never computed show, on devices too fast for samples to catch them).

use std::sync::Arc;

use super::known_answers::{describe, expected_of, wrong_hits};
use super::{Oracle, VerifyError, WrongHash};
use crate::engine::{Engine, EngineId, Hit, HitFilter, Job, Planted, Span, SpanReport};

/// How many spans are kept as samples.
const SAMPLES: usize = 8;
/// How many hits are kept for hashing again; a sample of them where there are more.
const HITS_KEPT: usize = 1 << 20;
/// An oracle with so many hashes to spend is fast: it hashes every hit that is kept.
const FAST_BUDGET: u64 = 1 << 16;
/// How far, in standard deviations, the number of hits of one turn may lie from its expectation: chance alone does so
/// once in 500 million turns.
const DEVIATIONS: f64 = 6.0;

/// How many hits a filter gave in how many hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HitCount {
    /// Leading bits that are zero in a hit.
    pub zero_bits: u32,
    /// Hashes that were computed.
    pub hashes: u64,
    /// Hits that were reported.
    pub hits: u64,
}

#[expect(clippy::cast_precision_loss, reason = "statistics")]
impl HitCount {
    /// Adds what another turn of the same engine gave.
    pub fn add(&mut self, other: Self) {
        self.zero_bits = other.zero_bits;
        self.hashes += other.hashes;
        self.hits += other.hits;
    }

    /// Returns how many hits there should be, on average.
    #[must_use]
    pub fn expected(&self) -> f64 {
        self.hashes as f64 * 0.5_f64.powf(f64::from(self.zero_bits))
    }

    /// Returns by how many standard deviations the number of hits lies above what it should be; below, if negative.
    /// The binomial distribution has it; 0 where nothing can differ, because nothing was hashed.
    #[must_use]
    pub fn z_score(&self) -> f64 {
        let difference = self.hits as f64 - self.expected();
        let deviation = self.deviation();
        match (difference == 0.0, deviation == 0.0) {
            (true, _) => 0.0,
            // Where every hash is a hit, one that is missing is beyond any chance.
            (false, true) => difference.signum() * f64::MAX,
            (false, false) => difference / deviation,
        }
    }

    fn deviation(&self) -> f64 {
        (self.expected() * (1.0 - 0.5_f64.powf(f64::from(self.zero_bits)))).sqrt()
    }

    /// Says that the number is wrong.
    #[must_use]
    pub fn wrong(&self, id: &EngineId) -> WrongHash {
        WrongHash {
            id: id.clone(),
            check: "number of hits".to_owned(),
            input: format!("{} hashes of timed work, {} leading zero bits", self.hashes, self.zero_bits),
            expected: format!("{:.0} hits, give or take {:.0}", self.expected(), self.deviation()),
            computed: format!("{} hits, {:.1} standard deviations off", self.hits, self.z_score()),
            verified_by: "the binomial distribution".to_owned(),
        }
    }
}

/// What the checks of one turn came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many hashes the oracle computed again.
    pub hashes: u64,
    /// The hits, those of planted work left out.
    pub hit_count: HitCount,
    /// How many planted solutions were found: all that there were.
    pub planted: u64,
}

/// What was reported during one turn of an engine.
#[derive(Debug)]
pub struct TimedWork {
    filter: HitFilter,
    planted: Vec<Planted>,
    hits: Vec<(Arc<Job>, Hit)>,
    hits_reported: u64,
    count: HitCount,
    planted_found: u64,
    /// The first span that held a solution and didn't report it.
    lost: Option<(Span, Hit)>,
    /// The first span that reported a nonce twice, or one that it doesn't hold.
    stray: Option<SpanReport>,
    samples: Vec<SpanReport>,
    spans: u64,
    random: u64,
}

impl TimedWork {
    /// Begins with nothing. `seed` decides which spans become samples.
    #[must_use]
    pub fn new(filter: HitFilter, seed: u64) -> Self {
        Self {
            filter,
            planted: Vec::new(),
            hits: Vec::new(),
            hits_reported: 0,
            count: HitCount { zero_bits: filter.zero_bits(), ..HitCount::default() },
            planted_found: 0,
            lost: None,
            stray: None,
            samples: Vec::new(),
            spans: 0,
            random: seed | 1,
        }
    }

    /// Tells of which jobs a solution is known, and has to be found.
    #[must_use]
    pub fn with_planted(self, planted: &[Planted]) -> Self {
        Self { planted: planted.to_vec(), ..self }
    }

    /// Writes a report down. Cheap: it runs while the clock does.
    pub fn observe(&mut self, report: SpanReport) {
        self.spans += 1;
        match self.planted.iter().find(|planted| planted.is_in(&report.span)) {
            Some(planted) if report.hits.contains(&planted.hit) => self.planted_found += 1,
            Some(planted) => drop(self.lost.get_or_insert_with(|| (report.span.clone(), planted.hit))),
            // The spans around a solution overlap, so their hits aren't independent of each other.
            None => {
                self.count.add(HitCount { hashes: report.span.hashes(), hits: report.hits.len() as u64, ..self.count });
            }
        }
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

    /// Checks what was written down.
    ///
    /// # Errors
    ///
    /// What the engine got wrong; or what kept the oracle from computing.
    pub fn check(mut self, engine: &dyn Engine, oracle: &mut Oracle) -> Result<Checked, VerifyError> {
        let mut checked = Checked { hashes: 0, hit_count: self.count, planted: self.planted_found };
        self.check_count(engine)?;
        if let Some((span, hit)) = &self.lost {
            return Err(WrongHash {
                id: engine.id().clone(),
                check: "a planted solution".to_owned(),
                input: describe(span),
                expected: format!("a hit with nonce {} of version number {}", hit.nonce, hit.version),
                computed: "no such hit".to_owned(),
                verified_by: "the block chain".to_owned(),
            }
            .into());
        }
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
            return Ok(checked);
        }
        if self.filter == HitFilter::ALL {
            // Every nonce is a hit: nothing that could be wrong about one.
            self.hits.clear();
        }
        // A fast oracle hashes every hit; a slow one some of them, so that the samples get their share.
        let hits_max = if oracle.budget_hashes >= FAST_BUDGET { HITS_KEPT as u64 } else { oracle.budget_hashes / 2 };
        while self.hits.len() as u64 > hits_max {
            let index = self.next_random(self.hits.len() as u64);
            self.hits.swap_remove(index);
        }
        let hits = self.hits.len() as u64;
        let mut budget = oracle.budget_hashes - hits.min(oracle.budget_hashes / 2);
        let for_samples = budget;
        for (job, hit) in std::mem::take(&mut self.hits) {
            let input = job.input(hit);
            let hash = oracle.hash(&input)?;
            if !self.filter.admits(&hash) {
                let check = "a hit of the timed work";
                return Err(WrongHash::hit(engine, check, &input, &hash, self.filter, &oracle.name).into());
            }
        }
        let mut hashed = hits;
        for (index, sample) in std::mem::take(&mut self.samples).into_iter().enumerate() {
            // All versions of a nonce are scanned again, or none.
            let versions = sample.span.hashes() / nonces_of(&sample.span).max(1);
            let length = sample.span.hashes();
            // Only a whole span has a checksum to compare, so one of those is worth more than the budget.
            let is_due = index == 0 && sample.xor_tail.is_some();
            let share = if length <= budget || is_due { length } else { budget.min(for_samples / SAMPLES as u64) };
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
        checked.hashes = hashed;
        Ok(checked)
    }

    fn check_count(&self, engine: &dyn Engine) -> Result<(), VerifyError> {
        #[expect(clippy::cast_precision_loss, reason = "a statistical bound")]
        let off = (self.count.hits as f64 - self.count.expected()).abs();
        // One more, because small counts are no normal distribution.
        if off <= DEVIATIONS * self.count.deviation() + DEVIATIONS {
            return Ok(());
        }
        Err(self.count.wrong(engine.id()).into())
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
    fn check_spoilt(zero_bits: u32, spoil: impl FnMut(&mut SpanReport)) -> Result<Checked, VerifyError> {
        check_spoilt_spans(512, zero_bits, spoil)
    }

    /// As [`check_spoilt`], with spans of `length` hashes.
    fn check_spoilt_spans(
        length: u64,
        zero_bits: u32,
        spoil: impl FnMut(&mut SpanReport),
    ) -> Result<Checked, VerifyError> {
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

    fn wrong(result: Result<Checked, VerifyError>) -> String {
        match result {
            Err(VerifyError::Wrong(wrong)) => wrong.check,
            other => panic!("not noticed: {other:?}"),
        }
    }

    #[test]
    fn right_work_passes_and_was_really_hashed_again() {
        let checked = check_spoilt(4, |_| {}).unwrap();
        assert!((4096..=1 << 14).contains(&checked.hashes), "{checked:?}");
        assert_eq!(checked.hit_count.hashes, 51_203);
        assert!(checked.hit_count.z_score().abs() < 4.0, "{checked:?}");
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
    /// At a filter of 2^-20 and 8 GH/s, ten seconds are 76,294 hits, and the deviation is 276.
    #[test]
    fn two_lost_hits_in_a_hundred_are_five_deviations_in_ten_seconds_of_a_fast_card() {
        let all = HitCount { zero_bits: 20, hashes: 80_000_000_000, hits: 76_294 };
        assert!(all.z_score().abs() < 0.01 && (all.expected() - 76_293.945).abs() < 0.001);
        let lossy = HitCount { hits: 76_294 * 98 / 100, ..all };
        assert!(lossy.z_score() < -5.0, "{}", lossy.z_score());
        // Where all hashes are hits there is no chance in it.
        let whole = HitCount { zero_bits: 0, hashes: 1000, hits: 1000 };
        assert!(whole.z_score().abs() < f64::EPSILON);
        assert!(HitCount { hits: 999, ..whole }.z_score() < -1e9);
        let mut sum = all;
        sum.add(lossy);
        assert_eq!((sum.hashes, sum.hits), (2 * all.hashes, all.hits + lossy.hits));
    }

    #[test]
    fn a_planted_solution_that_is_not_found_is_noticed() {
        let planted = Planted {
            job: Arc::new(Job { key: Vec::new(), template: vec![9; 44], nonce_offset: 40, version_mask: 0 }),
            hit: Hit::of_nonce(77),
        };
        let engine = FakeEngine::new(EngineId::new("fake", "cpu", "steady"), FakeClock::default(), 1, vec![1e6]);
        let report = |hits: Vec<Hit>| SpanReport {
            span: Span::of_nonces(Arc::clone(&planted.job), 0..100),
            hits,
            xor_tail: None,
            device_time: None,
            finished: None,
        };
        let check = |hits: Vec<Hit>| {
            let filter = HitFilter::with_zero_bits(32);
            let mut work = TimedWork::new(filter, 1).with_planted(std::slice::from_ref(&planted));
            work.observe(report(hits));
            work.check(&engine, &mut Oracle::known_answers_only())
        };
        assert_eq!(check(vec![planted.hit]).unwrap().planted, 1);
        assert_eq!(wrong(check(vec![Hit::of_nonce(78)])), "a planted solution");
        assert_eq!(wrong(check(Vec::new())), "a planted solution");
    }
}
