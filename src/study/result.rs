//! A study computed: what each case comes to, and what it hangs on.

use serde::Serialize;

use super::cost::{Network, Range, Solo, solo};
use super::inputs::Input;
use super::outcome::{BreakEven, Intervals, Outcome, Terms};
use super::plan::{Case, Luck, Model, Plan, algorithm_of};
use super::sensitivity::{Sensitivity, sensitivity};
use super::simulation::{Measured, Simulated, simulate};
use crate::coin::Coin;
use crate::coin::history::{Basis, Stretch, format_moment};
use crate::interval::Interval;

/// A window, as a result tells it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowResult {
    /// What it is called.
    pub name: String,
    /// The coin.
    pub coin: Coin,
    /// The first day (UTC).
    pub from: String,
    /// The last day (UTC), which is part of it.
    pub to: String,
    /// The first and the last block of a window of blocks.
    pub blocks: Option<(u64, u64)>,
    /// How long it is.
    pub days: f64,
}

/// One class of machines, as a result tells it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassResult {
    /// What one of them is called.
    pub name: String,
    /// `asic`, `gpu`, `cpu` or `engine` where that is known; else empty.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// Hashes per second of one.
    pub rate_hps: Interval,
    /// Watts of one, where they are known.
    pub power_w: Option<Interval>,
    /// Where its figures come from.
    pub source: String,
}

/// The part of a case's window over which difficulty and subsidy stay the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StretchResult {
    /// Its first block; estimated where the window begins within an epoch.
    pub height: u64,
    /// When it starts (UTC).
    pub from: String,
    /// How long it is.
    pub days: f64,
    /// Difficulty in the coin's own unit.
    pub difficulty: f64,
    /// `known`, `assumed` or `given`.
    pub basis: &'static str,
    /// Expected coins.
    pub coins: f64,
}

/// A case, computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseResult {
    /// The window's place.
    pub window: usize,
    /// The fleet's place.
    pub fleet: usize,
    /// How many of the fleet.
    pub count: u32,
    /// The scenario's place.
    pub scenario: Option<usize>,
    /// The figures that stand in lists, and so differ from case to case.
    pub varied: Vec<(Input, f64)>,
    /// The machines.
    pub machines: Vec<ClassResult>,
    /// What the rates are rates of.
    pub algorithm: &'static str,
    /// Hashes per second of all machines.
    pub rate_hps: f64,
    /// Watts of all machines.
    pub power_w: Option<f64>,
    /// The price of electricity per kWh.
    pub price_kwh: f64,
    /// The price of a coin.
    pub coin_price: Option<f64>,
    /// All figures that were said, by name.
    pub inputs: Vec<(Input, Interval)>,
    /// Whether machines are switched off while their electricity costs more than it earns.
    pub switch_off: bool,
    /// Where the network's figures come from.
    pub network_source: String,
    /// Whether a part of the window lies past the data.
    pub is_assumed: bool,
    /// What comes out.
    pub outcome: Outcome,
    /// What the uncertainty of rates and draws leaves open.
    pub intervals: Intervals,
    /// Where the profit would be zero.
    pub break_even: BreakEven,
    /// The luck of mining alone.
    pub solo: Solo,
    /// What simulated paths came to.
    pub simulated: Option<Simulated>,
}

/// A study, computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyResult {
    /// What it is called.
    pub name: String,
    /// What it asks.
    pub description: String,
    /// The currency of all prices.
    pub currency: String,
    /// The record that engines come from.
    pub record: Option<String>,
    /// The windows.
    pub windows: Vec<WindowResult>,
    /// The names of the fleets.
    pub fleets: Vec<String>,
    /// The names of the scenarios.
    pub scenarios: Vec<String>,
    /// The cases.
    pub cases: Vec<CaseResult>,
    /// For each window that has any, the case that stands for it.
    pub mains: Vec<usize>,
    /// The stretches of those, one list for each.
    pub stretches: Vec<Vec<StretchResult>>,
    /// What the results of those hang on.
    pub sensitivities: Vec<Sensitivity>,
    /// What was simulated, in words.
    pub model: Vec<String>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Computes a study. `progress` is told after each case how many are done.
pub fn study(plan: &Plan, threads: Option<usize>, progress: impl Fn(usize)) -> StudyResult {
    let mut cases = Vec::with_capacity(plan.cases.len());
    for case in &plan.cases {
        cases.push(computed(plan, case, threads));
        progress(cases.len());
    }
    StudyResult {
        name: plan.name.clone(),
        description: plan.description.clone(),
        currency: plan.currency.clone(),
        record: plan.record.clone(),
        windows: plan
            .windows
            .iter()
            .map(|window| WindowResult {
                name: window.name.clone(),
                coin: window.coin,
                from: window.days.from().to_string(),
                to: window.days.to().to_string(),
                blocks: window.blocks,
                days: window.network(Some(0.0), None).map_or_else(|_| window.days.days(), |network| network.days()),
            })
            .collect(),
        fleets: plan.fleets.clone(),
        scenarios: plan.scenarios.clone(),
        mains: plan.mains.clone(),
        stretches: plan.mains.iter().map(|place| stretches(&plan.cases[*place])).collect(),
        sensitivities: plan.mains.iter().filter_map(|place| sensitivity(plan, *place)).collect(),
        model: plan.model.as_ref().map(words_of).unwrap_or_default(),
        notes: notes(plan),
        cases,
    }
}

fn computed(plan: &Plan, case: &Case, threads: Option<usize>) -> CaseResult {
    let (epochs, economics, fleet) = (&case.epochs, &case.economics, &case.machines);
    let days = case.network.days();
    let best = fleet.best();
    let terms = Terms::new(fleet, best, economics, days);
    let outcome = terms.outcome(epochs);
    let corners = fleet.corners().map(|draw| Terms::new(fleet, draw, economics, days).outcome(epochs));
    let intervals = Intervals::of(&corners);
    let (source, is_assumed) = match &case.network {
        Network::Window { source, stretches, .. } => {
            (source.clone(), stretches.iter().any(|stretch| stretch.basis == Basis::Assumed))
        }
        Network::Point { point, .. } => (point.source.clone(), false),
    };
    CaseResult {
        window: case.window,
        fleet: case.fleet,
        count: case.count,
        scenario: case.scenario,
        varied: economics.varied.iter().map(|input| (*input, economics.value(*input))).collect(),
        machines: fleet
            .classes
            .iter()
            .map(|class| ClassResult {
                name: class.name.clone(),
                kind: class.kind.clone(),
                count: class.count,
                rate_hps: class.rate_hps,
                power_w: class.energy.map(|energy| energy.power_w(class.rate_hps)),
                source: class.source.clone(),
            })
            .collect(),
        algorithm: algorithm_of(&case.network),
        rate_hps: best.rate_hps,
        power_w: best.power_w,
        price_kwh: terms.price_kwh,
        coin_price: terms.coin_price,
        inputs: economics.said().collect(),
        switch_off: economics.switch_off,
        network_source: source,
        is_assumed,
        outcome,
        intervals,
        break_even: terms.break_even(epochs),
        solo: solo(outcome.expected_blocks, days),
        simulated: plan.model.as_ref().map(|model| simulate(model, epochs, &terms, economics, measured(case), threads)),
    }
}

/// Returns the half-widths of the intervals of a fleet's rate and power, as parts.
fn measured(case: &Case) -> Measured {
    let corners = case.machines.corners();
    let best = case.machines.best();
    let half = |low: f64, high: f64, best: f64| (high - low) / 2.0 / best;
    Measured {
        rate: half(corners[0].rate_hps, corners[3].rate_hps, best.rate_hps),
        power: match (corners[0].power_w, corners[3].power_w, best.power_w) {
            (Some(low), Some(high), Some(best)) => half(low, high, best),
            _ => 0.0,
        },
    }
}

fn stretches(case: &Case) -> Vec<StretchResult> {
    let Network::Window { stretches, .. } = &case.network else { return Vec::new() };
    let terms = Terms::new(&case.machines, case.machines.best(), &case.economics, case.network.days());
    let of = |(stretch, coins): (&Stretch, f64)| StretchResult {
        height: stretch.height,
        from: format_moment(stretch.start_s),
        days: stretch.seconds() / 86_400.0,
        difficulty: stretch.difficulty,
        basis: match stretch.basis {
            Basis::Known => "known",
            Basis::Assumed => "assumed",
            Basis::Given => "given",
        },
        coins,
    };
    stretches.iter().zip(terms.coins_earned(&case.epochs)).map(of).collect()
}

/// Says what was simulated.
fn words_of(model: &Model) -> Vec<String> {
    use super::plan::Difficulty;
    let percent = |part: f64| format!("{} %", (part * 1e4).round() / 1e2);
    let mut words = vec![format!("{} paths, drawn by seed {}; the same on any machine", model.paths, model.seed)];
    words.push(match model.luck {
        Luck::None => "no luck: a pool pays each share".to_owned(),
        Luck::Solo => "luck of mining alone: blocks come as a Poisson process".to_owned(),
        Luck::Pool(rate_hps) => {
            format!("luck of a pool of {rate_hps:e} H/s, whose blocks are shared: a Poisson process")
        }
    });
    words.push(match &model.difficulty {
        Difficulty::AsAssumed => "the difficulty goes as assumed".to_owned(),
        Difficulty::Walk(deviation) => format!(
            "past the data the logarithm of the difficulty walks at random around its growth, by {} an epoch",
            percent(*deviation)
        ),
        Difficulty::Resampled { deviations, mean_growth, days } => format!(
            "past the data the difficulty changes as in {} epochs from {} to {}, drawn again at random; they grew \
             by {} on average",
            deviations.len(),
            days.from(),
            days.to(),
            percent(*mean_growth)
        ),
    });
    if model.price.volatility > 0.0 || model.price.drift != 0.0 {
        words.push(format!(
            "the logarithm of a coin's price walks at random by {} a year, its median changes by {} a year, and coins \
             are sold as they come",
            percent(model.price.volatility),
            percent(model.price.drift)
        ));
    }
    if model.correlation != 0.0 {
        words.push(format!("steps of price and difficulty have a correlation of {}", model.correlation));
    }
    words
}

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = plan.notes.clone();
    let mut push = |note: String| {
        if !notes.contains(&note) {
            notes.push(note);
        }
    };
    let is_basis = |case: &Case, basis: Basis| match &case.network {
        Network::Window { stretches, .. } => stretches.iter().any(|stretch| stretch.basis == basis),
        Network::Point { .. } => false,
    };
    for case in &plan.cases {
        if case.network.coin() == Coin::Xmr && is_basis(case, Basis::Known) {
            push(
                "Monero's difficulty is a mean between blocks whose figures are known; within each stretch it moved"
                    .to_owned(),
            );
        }
        if is_basis(case, Basis::Assumed) {
            push("a part of the window lies past the data; its difficulty is assumed".to_owned());
        }
        let walks = plan.model.as_ref().is_some_and(|model| model.difficulty != super::plan::Difficulty::AsAssumed);
        if walks && case.epochs.steps.iter().all(|steps| *steps == 0) {
            let name = &plan.windows[case.window].name;
            push(format!("no simulated difficulty differs in {name:?}: it is known or given there"));
        }
    }
    notes
}

impl StudyResult {
    /// Returns a case's fleet in words, such as `3 × Antminer S9`.
    pub fn machines_of(&self, case: &CaseResult) -> String {
        match case.count {
            1 => self.fleets[case.fleet].clone(),
            count => format!("{count} × {}", self.fleets[case.fleet]),
        }
    }

    /// Returns the interval of a case's energy per coin.
    pub fn energy_per_coin_kwh(case: &CaseResult) -> Option<Interval> {
        let Range { low, high } = case.intervals.energy_per_coin_kwh?;
        Some(Interval { value: case.outcome.energy_per_coin_kwh?, low, high })
    }
}
