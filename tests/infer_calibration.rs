//! Whether the intervals of `infer` hold what they promise, over 10,000 miners of known rate. Figures:
//! `cargo test --test infer_calibration -- --nocapture`; they stand in docs/METHODOLOGY.md.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod synthetic;

use std::collections::BTreeMap;

use hashwatt::coin::Coin;
use hashwatt::coin::history::{History, Window, parse_day};
use hashwatt::statistics::CONFIDENCE;
use hashwatt::traffic::{
    Count, Earnings, Hypothesis, KnownShares, Observation, Per, Unit, explanations, hashes_per_difficulty, parse_pool,
    pool_programs,
};
use synthetic::{Chance, Vardiff, arrivals, connection, flow_records, node_connections, proxied_shares, thinned};

const SCENARIOS: usize = 10_000;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// Windows of both coins, with what they earned.
struct Times(Vec<(Window, Earnings)>);

impl Times {
    fn new() -> Self {
        let days = [
            (Coin::Btc, "2017-05-17", "2017-07-06"),
            (Coin::Btc, "2018-01-24", "2018-01-25"),
            (Coin::Btc, "2024-04-01", "2024-04-30"),
            (Coin::Xmr, "2018-10-01", "2018-10-31"),
            (Coin::Xmr, "2019-01-01", "2019-01-01"),
            (Coin::Xmr, "2025-03-01", "2025-03-07"),
        ];
        let read = |(coin, from, to): (Coin, &str, &str)| {
            let window = Window::new(parse_day(from).unwrap(), parse_day(to).unwrap()).unwrap();
            let observation = Observation::new(coin, Count::exactly(1), Per::Day, Some(window));
            (window, Earnings::over(&observation, &History::built_in(coin), None).unwrap())
        };
        Self(days.into_iter().map(read).collect())
    }

    fn pick(&self, chance: &mut Chance) -> (Window, &Earnings) {
        let (window, earnings) = &self.0[chance.below(self.0.len())];
        (*window, earnings)
    }
}

/// Makes a miner and its traffic.
type Scenario<'a> = &'a dyn Fn(&mut Chance) -> Outcome;

/// What one scenario gave: the count, the true rate, and the interval of it.
struct Outcome {
    count: u64,
    truth: f64,
    low: f64,
    high: f64,
}

impl Outcome {
    fn of(count: u64, truth: f64, hypothesis: &Hypothesis) -> Self {
        assert!(hypothesis.consistent, "{hypothesis:?}");
        let rate = hypothesis.hash_rate_hps;
        Self { count, truth, low: rate.low.unwrap(), high: rate.high.unwrap() }
    }

    fn covers(&self) -> bool {
        self.low <= self.truth && self.truth <= self.high
    }

    /// Whether the mid-P interval, which is narrower, holds the truth, too. Its ends are those of the count's mean.
    fn mid_p_covers(&self, middle: &mut BTreeMap<u64, (f64, f64)>) -> bool {
        let (low, high) = *middle.entry(self.count).or_insert_with(|| mid_p(self.count));
        let exact = self.high / hashwatt::traffic::garwood(self.count, CONFIDENCE).1;
        low * exact <= self.truth && self.truth <= high * exact
    }
}

fn named<'a>(hypotheses: &'a [Hypothesis], name: &str) -> &'a Hypothesis {
    hypotheses.iter().find(|hypothesis| hypothesis.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

/// A mean count, from a few to thousands.
fn mean_count(chance: &mut Chance) -> f64 {
    chance.logarithmic(2.0, 3_000.0)
}

fn total(coin: Coin, count: u64, window: Window) -> Observation {
    Observation { unit: Unit::Share, ..Observation::new(coin, Count::exactly(count), Per::Total, Some(window)) }
}

/// One miner, or several behind a proxy, at a pool whose shares all have one difficulty.
fn fixed(chance: &mut Chance, times: &Times, machines: usize) -> Outcome {
    let (window, earnings) = times.pick(chance);
    let coin = earnings.coin;
    let mean = mean_count(chance);
    let truth = earnings.network_hps * chance.logarithmic(1e-7, 1e-2);
    let parts: Vec<f64> = (0..machines).map(|_| chance.logarithmic(1.0, 100.0)).collect();
    let whole: f64 = parts.iter().sum();
    let rates: Vec<f64> = parts.iter().map(|part| truth * part / whole).collect();
    let seconds = window.days() * SECONDS_PER_DAY;
    let difficulty = truth * seconds / mean / hashes_per_difficulty(coin);
    let count = proxied_shares(chance, &rates, difficulty * hashes_per_difficulty(coin), seconds) as u64;
    let pool = Some(parse_pool(&format!("fixed={difficulty}"), coin).unwrap());
    let observation = Observation { pool, ..total(coin, count, window) };
    let hypotheses = explanations(&observation, earnings).unwrap();
    let name = if machines > 1 { "proxy".to_owned() } else { format!("share/fixed/{difficulty}") };
    Outcome::of(count, truth, named(&hypotheses, &name))
}

/// A weak miner at the least difficulty of a pool program that has one.
fn floor(chance: &mut Chance, times: &Times) -> Outcome {
    loop {
        let (window, earnings) = times.pick(chance);
        let coin = earnings.coin;
        let has_floor = |program: &hashwatt::traffic::PoolProgram| {
            let is_there = program.since.is_none_or(|since| since <= window.to().year());
            is_there && program.minimum.is_some_and(|(low, high)| low == high) && program.seconds_per_share.is_some()
        };
        let programs: Vec<_> = pool_programs(coin).into_iter().filter(has_floor).collect();
        let program = chance.pick(&programs);
        let seconds = window.days() * SECONDS_PER_DAY;
        let mean = mean_count(chance);
        let difficulty = program.minimum.unwrap().0;
        let truth = mean * difficulty * hashes_per_difficulty(coin) / seconds;
        // Faster, and it would not stay there.
        if mean > seconds / program.seconds_per_share.unwrap() || !(2.0..earnings.network_hps / 100.0).contains(&truth)
        {
            continue;
        }
        let count = arrivals(chance, mean / seconds, seconds).len() as u64;
        let hypotheses = explanations(&total(coin, count, window), earnings).unwrap();
        return Outcome::of(count, truth, named(&hypotheses, &format!("share/floor/{}", program.name)));
    }
}

/// A miner at a pool that has found its difficulty, which was read; one packet in some was looked at.
fn sampled(chance: &mut Chance, times: &Times) -> Outcome {
    let (window, earnings) = times.pick(chance);
    let coin = earnings.coin;
    let sampling = chance.pick(&[1, 2, 10, 50]);
    let mean = chance.logarithmic(2.0, 500.0);
    let truth = earnings.network_hps * chance.logarithmic(1e-7, 1e-2);
    let seconds = window.days() * SECONDS_PER_DAY;
    let shares_per_s = mean * f64::from(sampling) / seconds;
    let difficulty = truth / shares_per_s / hashes_per_difficulty(coin);
    let shares = arrivals(chance, shares_per_s, seconds).len();
    let count = thinned(chance, shares, sampling);
    let observation = Observation { sampling, share_difficulty: Some(difficulty), ..total(coin, count, window) };
    let hypotheses = explanations(&observation, earnings).unwrap();
    Outcome::of(count, truth, named(&hypotheses, "share/fixed/any"))
}

/// A miner whose shares and difficulties were read while the pool was still looking for the right one.
fn read_along(chance: &mut Chance) -> Outcome {
    let coin = chance.pick(&[Coin::Btc, Coin::Xmr]);
    let truth = chance.logarithmic(1e3, 1e6) * hashes_per_difficulty(coin);
    let pool = Vardiff {
        seconds_per_share: chance.pick(&[3.33, 7.5, 15.0, 30.0, 100.0]),
        retarget_s: chance.pick(&[30.0, 90.0, 240.0]),
        least: 1.0,
        tolerance: 0.3,
    };
    let settled = truth * pool.seconds_per_share / hashes_per_difficulty(coin);
    let seconds = pool.seconds_per_share * mean_count(chance);
    let difficulty = settled * chance.logarithmic(0.1, 10.0);
    let stretches = pool.run(chance, truth, hashes_per_difficulty(coin), difficulty, seconds);
    let add = |known: KnownShares, stretch: &synthetic::Stretch| {
        known.with(stretch.difficulty, stretch.shares, stretch.seconds)
    };
    let known = stretches.iter().fold(KnownShares::new(coin), add);
    let rate = known.hash_rate_hps(CONFIDENCE).unwrap();
    Outcome { count: known.shares(), truth, low: rate.low, high: rate.high }
}

/// The mid-P interval: half of the chance of the count itself lies on either side.
fn mid_p(count: u64) -> (f64, f64) {
    // P(X < k) + P(X = k) / 2 for a mean, by the sum.
    let below = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = 0.0;
        for k in 0..count {
            sum += term;
            term *= mean / (k + 1) as f64;
        }
        sum + term / 2.0
    };
    let solve = |target: f64, low: f64, high: f64| {
        let (mut low, mut high) = (low, high);
        for _ in 0..100 {
            let middle = (low + high) / 2.0;
            if below(middle) > target { low = middle } else { high = middle }
        }
        (low + high) / 2.0
    };
    let wide = 10.0 * (count as f64 + 10.0).sqrt();
    let low = if count == 0 { 0.0 } else { solve(0.975, 0.0, count as f64) };
    (low, solve(0.025, count as f64 * 0.5, count as f64 + wide))
}

#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
fn report(what: &str, outcomes: &[&Outcome]) -> f64 {
    let percent = |of: usize| of as f64 * 100.0 / outcomes.len() as f64;
    let covered = percent(outcomes.iter().filter(|outcome| outcome.covers()).count());
    let mut middle = BTreeMap::new();
    let small = outcomes.iter().all(|outcome| outcome.count < 500);
    let mid = percent(outcomes.iter().filter(|outcome| small && outcome.mid_p_covers(&mut middle)).count());
    let mid = if small { format!("{mid:.1}") } else { "-".to_owned() };
    println!("{what:<46} {:>6} {covered:6.1} {mid:>6}", outcomes.len());
    covered
}

#[test]
fn the_hash_rate_lies_within_its_interval_in_93_to_97_percent() {
    let times = Times::new();
    let mut chance = Chance::new(20_170_517);
    let kinds: [(&str, Scenario<'_>); 5] = [
        ("one difficulty", &|chance| fixed(chance, &times, 1)),
        ("one difficulty, a proxy of 2 to 40 machines", &|chance| {
            let machines = 2 + chance.below(39);
            fixed(chance, &times, machines)
        }),
        ("a pool's least difficulty", &|chance| floor(chance, &times)),
        ("difficulty read, packets sampled", &|chance| sampled(chance, &times)),
        ("difficulties read while they change", &|chance| read_along(chance)),
    ];
    let mut all: Vec<Outcome> = Vec::new();
    for (name, scenario) in kinds {
        let outcomes: Vec<Outcome> = (0..SCENARIOS / kinds.len()).map(|_| scenario(&mut chance)).collect();
        let covered = report(name, &outcomes.iter().collect::<Vec<_>>());
        assert!(covered >= 93.0, "{name}: {covered} %");
        all.extend(outcomes);
    }
    let covered = report("all", &all.iter().collect::<Vec<_>>());
    assert_eq!(all.len(), SCENARIOS);
    assert!((93.0..=97.0).contains(&covered), "{covered} %");
    // Counts are whole numbers: an interval that never holds less than 95 % holds more where they are small.
    for (low, high) in [(0, 4), (5, 19), (20, 99), (100, 499), (500, u64::MAX)] {
        let of: Vec<&Outcome> = all.iter().filter(|outcome| (low..=high).contains(&outcome.count)).collect();
        let name = if high == u64::MAX { format!("count {low} and more") } else { format!("count {low} to {high}") };
        let covered = report(&name, &of);
        assert!(covered >= 93.0, "{name}: {covered} %");
    }
}

/// How many of some scenarios are as they should be, in percent.
fn percent(runs: usize, seed: u64, holds: impl Fn(&mut Chance) -> bool) -> f64 {
    let mut chance = Chance::new(seed);
    (0..runs).filter(|_| holds(&mut chance)).count() as f64 * 100.0 / runs as f64
}

fn holds(hypothesis: &Hypothesis, truth: u64) -> bool {
    let connections = hypothesis.connections;
    hypothesis.consistent
        && connections.low.is_none_or(|low| low <= truth)
        && connections.high.is_none_or(|high| truth <= high)
}

/// A day of traffic with Bitcoin pools.
fn a_day(count: u64, unit: Unit) -> (Observation, Window) {
    let day = parse_day("2017-06-01").unwrap();
    let window = Window::new(day, day).unwrap();
    (Observation { unit, ..Observation::new(Coin::Btc, Count::exactly(count), Per::Total, Some(window)) }, window)
}

/// The ranges of what one connection shows are wide, so that these hold in nearly all cases.
#[test]
fn connections_lie_within_their_interval() {
    let times = Times::new();
    let earnings = &times.0[0].1;
    let workers = percent(500, 1, |chance| {
        let workers = 1 + chance.below(5);
        let programs = pool_programs(Coin::Btc);
        let program = chance.pick(&[programs[0].clone(), programs[3].clone(), programs[4].clone()]);
        let (low, high) = program.shares_per_day().unwrap();
        let rates: Vec<f64> = (0..workers).map(|_| chance.logarithmic(low, high)).collect();
        let shares = rates.iter().map(|per_day| arrivals(chance, per_day / SECONDS_PER_DAY, SECONDS_PER_DAY).len());
        let (observation, _) = a_day(shares.sum::<usize>() as u64, Unit::Share);
        let hypotheses = explanations(&observation, earnings).unwrap();
        holds(named(&hypotheses, &format!("share/vardiff/{}", program.name)), workers as u64)
    });
    assert!(workers >= 95.0, "{workers} %");

    let flows = percent(300, 2, |chance| {
        let connections = 1 + chance.below(20);
        let timeouts = chance.pick(&hashwatt::traffic::FlowTimeouts::COMMON);
        let directions = 1 + chance.below(2);
        let records: u64 = (0..connections)
            .map(|_| {
                let (shares, notify_s) = (chance.logarithmic(0.001, 0.3), chance.pick(&[30.0, 31.0, 60.0]));
                let messages = connection(chance, shares, notify_s, SECONDS_PER_DAY);
                flow_records(&messages, timeouts.active_s, timeouts.inactive_s) * directions as u64
            })
            .sum();
        let (observation, _) = a_day(records, Unit::Flow);
        let known = Observation { timeouts: Some(timeouts), ..observation.clone() };
        [observation, known].iter().all(|observation| {
            holds(named(&explanations(observation, earnings).unwrap(), "flow/stratum"), connections as u64)
        })
    });
    assert!(flows >= 95.0, "{flows} %");

    let packets = percent(300, 3, |chance| {
        let (connections, sampling) = (1 + chance.below(20), chance.pick(&[1, 100, 1000]));
        let seen: u64 = (0..connections)
            .map(|_| {
                let shares = chance.logarithmic(0.001, 0.3);
                let messages = connection(chance, shares, 31.0, SECONDS_PER_DAY).len() * (1 + chance.below(2));
                thinned(chance, messages, sampling)
            })
            .sum();
        let (observation, _) = a_day(seen, Unit::Packet);
        let observation = Observation { sampling, ..observation };
        holds(named(&explanations(&observation, earnings).unwrap(), "packet/stratum"), connections as u64)
    });
    assert!(packets >= 95.0, "{packets} %");
}

#[test]
fn an_idle_node_is_never_ruled_out() {
    let times = Times::new();
    let earnings = &times.0[0].1;
    let found = percent(500, 4, |chance| {
        let (nodes, answered) = (1 + chance.below(3), chance.uniform());
        let seen = (0..nodes).map(|_| node_connections(chance, answered, 1.0)).sum();
        [Unit::Connection, Unit::Unknown].into_iter().all(|unit| {
            let (observation, _) = a_day(seen, unit);
            let hypotheses = explanations(&observation, earnings).unwrap();
            let node = named(&hypotheses, "node");
            assert_eq!(node.hash_rate_hps.high, Some(0.0));
            holds(node, nodes as u64)
        })
    });
    assert!(found >= 99.0, "{found} %");
}

/// Blocks come at random, and the bound is said where none came: it is wrong in 5 % of the cases at most.
#[test]
fn a_silence_bounds_those_who_mine_alone() {
    let times = Times::new();
    let mut wrong = 0;
    let runs = 2_000;
    let mut chance = Chance::new(5);
    for _ in 0..runs {
        let (window, earnings) = times.pick(&mut chance);
        let truth = chance.logarithmic(0.1, 10.0) / earnings.blocks_per_hps;
        let seconds = window.days() * SECONDS_PER_DAY;
        let blocks = arrivals(&mut chance, truth * earnings.blocks_per_hps / seconds, seconds).len();
        if blocks == 0 {
            let observation = Observation { unit: Unit::Unknown, ..total(earnings.coin, 700, window) };
            let hypotheses = explanations(&observation, earnings).unwrap();
            let solo = named(&hypotheses, "solo");
            wrong += usize::from(solo.hash_rate_hps.high.unwrap() < truth);
        }
    }
    assert!(wrong * 20 <= runs, "{wrong} of {runs}");
    assert!(wrong > 0, "the bound is as narrow as that");
}
