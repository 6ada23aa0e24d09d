//! Coins, energy and money for one machine or a fleet, at one moment's difficulty or over a window of history.

mod error;
mod figures;
mod inputs;
mod result;

use std::collections::BTreeMap;

use self::figures::{Figures, JOULES_PER_KWH, PerHash, SECONDS_PER_DAY, poisson_quantile, range};
use crate::coin::Coin;
use crate::coin::history::{Basis, Stretch, format_moment};

pub use self::error::CostError;
pub use self::figures::Range;
pub use self::inputs::{Capital, CostInputs, DEFAULT_PRICE_KWH, DEFAULT_WINDOW_DAYS, EnergyRate, Network};
pub use self::result::{Coins, Cost, EpochCost, InputFigures, Intervals, Payout, Solo};

/// Computes what coins cost on one machine or a fleet.
///
/// # Errors
///
/// [`CostError`] where the algorithm doesn't fit the coin, or an input is not finite or has the wrong sign.
pub fn cost(inputs: &CostInputs) -> Result<Cost, CostError> {
    inputs.check()?;
    let per_hash = PerHash::of(inputs);
    if per_hash.coins <= 0.0 {
        return Err(CostError::NoSubsidy(inputs.network.coin()));
    }
    let (best, corners) = Figures::all(inputs, &per_hash);
    let hashes_per_coin = per_hash.seconds / per_hash.coins;
    let days = inputs.network.days();
    let fleet_hps = inputs.rate_hps.value * f64::from(inputs.count);
    let kwh_per_w = hashes_per_coin / fleet_hps * inputs.pue / JOULES_PER_KWH;
    let coins = range(&corners, |figures| Some(figures.coins)).unwrap_or(Range { low: best.coins, high: best.coins });
    let coins_per_day = best.coins / days;
    let mut result = Cost {
        inputs: shown(inputs, &per_hash),
        coins: Coins { mean: best.coins, low: coins.low, high: coins.high },
        coins_per_day,
        hashes_expected_per_coin: hashes_per_coin,
        energy_kwh: best.energy_kwh,
        energy_per_coin_kwh: best.energy_per_coin_kwh,
        energy_per_coin_kwh_interval: range(&corners, |figures| figures.energy_per_coin_kwh),
        energy_per_coin_kwh_per_w: kwh_per_w,
        energy_per_coin_j: best.energy_per_coin_kwh.map(|kwh| kwh * JOULES_PER_KWH),
        electricity_cost: best.electricity_cost,
        capital_cost: inputs.capital_cost(),
        cost: best.cost,
        cost_per_coin: best.cost_per_coin,
        cost_per_coin_per_w: kwh_per_w * inputs.price_kwh,
        revenue: best.revenue,
        profit: best.profit,
        // Below zero even free electricity would not do: there is no such price.
        break_even_price_kwh: best.break_even_price_kwh.filter(|price| *price >= 0.0),
        break_even_coin_price: best.break_even_coin_price,
        solo: solo(per_hash.blocks * fleet_hps * (1.0 - inputs.stale), days),
        payout: inputs.payout_threshold.map(|threshold| Payout {
            threshold,
            days: threshold / coins_per_day,
            count: (best.coins / threshold).floor(),
        }),
        intervals: Intervals {
            energy_kwh: range(&corners, |figures| figures.energy_kwh),
            energy_per_coin_kwh: range(&corners, |figures| figures.energy_per_coin_kwh),
            cost: range(&corners, |figures| figures.cost),
            cost_per_coin: range(&corners, |figures| figures.cost_per_coin),
            revenue: range(&corners, |figures| figures.revenue),
            profit: range(&corners, |figures| figures.profit),
            break_even_price_kwh: range(&corners, |figures| figures.break_even_price_kwh),
            break_even_coin_price: range(&corners, |figures| figures.break_even_coin_price),
        },
        absent: BTreeMap::new(),
        notes: notes(inputs),
        epochs: epochs(inputs),
    };
    result.absent = absent(inputs, &result);
    if result.break_even_price_kwh.is_none() {
        result.intervals.break_even_price_kwh = None;
    }
    check_finite(&result)?;
    Ok(result)
}

/// Returns the luck of mining alone, where so many blocks can be expected over so many days.
pub(super) fn solo(expected_blocks: f64, days: f64) -> Solo {
    Solo {
        expected_blocks,
        // 1 - exp(-x) would lose every digit of a small machine's chance.
        p_any: -(-expected_blocks).exp_m1(),
        median_days: std::f64::consts::LN_2 / (expected_blocks / days),
        blocks_p5: poisson_quantile(expected_blocks, 0.05, -1.644_853_6),
        blocks_p95: poisson_quantile(expected_blocks, 0.95, 1.644_853_6),
    }
}

fn epochs(inputs: &CostInputs) -> Vec<EpochCost> {
    let Network::Window { coin, stretches, .. } = &inputs.network else { return Vec::new() };
    let of = |stretch: &Stretch| {
        let (figures, _) = Figures::all(inputs, &PerHash::of_stretch(inputs, stretch));
        EpochCost {
            height: stretch.height,
            from: format_moment(stretch.start_s),
            to: format_moment(stretch.end_s),
            days: stretch.seconds() / SECONDS_PER_DAY,
            difficulty: stretch.difficulty,
            expected_hashes: stretch.hashes_expected_per_block(),
            subsidy: stretch.subsidy_coins(*coin),
            coins: figures.coins,
            energy_kwh: figures.energy_kwh,
            electricity_cost: figures.electricity_cost,
            electricity_per_coin: figures.electricity_cost.map(|cost| cost / figures.coins).filter(|c| c.is_finite()),
            basis: match stretch.basis {
                Basis::Known => "known",
                Basis::Assumed => "assumed",
                Basis::Given => "given",
            },
        }
    };
    stretches.iter().map(of).collect()
}

/// Says why each figure that isn't there is absent.
fn absent(inputs: &CostInputs, cost: &Cost) -> BTreeMap<&'static str, String> {
    const POWER: &str = "the power isn't known (--power, or a record with energy)";
    const PRICE: &str = "the price of a coin isn't known (--coin-price)";
    let mut absent = BTreeMap::new();
    if inputs.energy.is_none() {
        let of_power = ["energy_kwh", "energy_per_coin_kwh", "energy_per_coin_j", "electricity_cost", "cost"];
        let more = ["cost_per_coin", "profit", "break_even_price_kwh", "break_even_coin_price"];
        absent.extend(of_power.into_iter().chain(more).map(|figure| (figure, POWER.to_owned())));
    }
    if inputs.coin_price.is_none() {
        let of_price = ["revenue", "profit", "break_even_price_kwh"];
        let both = |known: bool| if known { PRICE.to_owned() } else { format!("{POWER}, and {PRICE}") };
        absent.extend(of_price.map(|figure| (figure, both(figure == "revenue" || inputs.energy.is_some()))));
    } else if cost.break_even_price_kwh.is_none() && inputs.energy.is_some() {
        let reason = "the machines cost more than the coins sell for, even where electricity is free";
        absent.insert("break_even_price_kwh", reason.to_owned());
    }
    if inputs.capital.is_none() {
        absent.insert("capital_cost", "the price of a machine isn't given (--capex)".to_owned());
    }
    if inputs.payout_threshold.is_none() {
        absent.insert("payout", "no threshold is given (--payout-threshold)".to_owned());
    }
    absent
}

fn notes(inputs: &CostInputs) -> Vec<String> {
    let mut notes = Vec::new();
    let proofs = inputs.network.proofs();
    if proofs.len() > 1 {
        let names: Vec<&str> = proofs.iter().map(|proof| proof.name).collect();
        notes.push(format!("the window spans {}; a rate of one is taken for all", names.join(", ")));
    } else if let [proof] = proofs[..]
        && proof.algorithm == "cryptonight"
    {
        notes.push(format!("blocks were proven with {}; a rate of another variant differs", proof.name));
    }
    if let Network::Window { coin, stretches, .. } = &inputs.network {
        if stretches.iter().any(|stretch| stretch.basis == Basis::Assumed) {
            notes.push("a part of the window lies past the data; its difficulty is assumed".to_owned());
        }
        if *coin == Coin::Xmr && stretches.iter().any(|stretch| stretch.basis == Basis::Known) {
            let text = "Monero's difficulty is the mean between two checkpoints, of 2017 and early 2018 by block times \
                        between them (good to about 3 %); within each stretch it moved";
            notes.push(text.to_owned());
        }
    }
    notes
}

fn shown(inputs: &CostInputs, per_hash: &PerHash) -> InputFigures {
    let (power_w, energy_j_per_hash) = match inputs.energy {
        Some(EnergyRate::PowerW(power_w)) => (Some(power_w), None),
        Some(EnergyRate::JoulesPerHash(joules)) => (None, Some(joules)),
        None => (None, None),
    };
    let (difficulty, height, subsidy, as_of, source, window) = match &inputs.network {
        Network::Point { point, .. } => {
            let figures = (point.difficulty, point.height, point.subsidy_coins());
            (figures.0, figures.1, figures.2, point.as_of.clone(), point.source.clone(), None)
        }
        Network::Window { window, stretches, source, .. } => (
            per_hash.seconds / per_hash.seconds_by_difficulty,
            stretches.first().map(|stretch| stretch.height),
            per_hash.subsidy_coins / per_hash.blocks,
            None,
            source.clone(),
            Some(*window),
        ),
    };
    InputFigures {
        coin: inputs.network.coin(),
        algorithm: inputs.algorithm.clone(),
        machine: inputs.machine.clone(),
        rate_hps: inputs.rate_hps,
        power_w,
        energy_j_per_hash,
        count: inputs.count,
        difficulty,
        height,
        subsidy,
        network_as_of: as_of,
        network_source: source,
        from: window.map(|window| window.from().to_string()),
        to: window.map(|window| window.to().to_string()),
        price_kwh: inputs.price_kwh,
        currency: inputs.currency.clone(),
        coin_price: inputs.coin_price,
        window_days: inputs.network.days(),
        pue: inputs.pue,
        pool_fee: inputs.pool_fee,
        stale: inputs.stale,
        fees: inputs.fees,
        payout_threshold: inputs.payout_threshold,
        capex: inputs.capital.map(|capital| capital.price),
        life_years: inputs.capital.map(|capital| capital.life_years),
        discount: inputs.capital.map(|capital| capital.discount),
    }
}

/// JSON has no infinity: it would read as null, which means something else here.
fn check_finite(result: &Cost) -> Result<(), CostError> {
    let always = [
        ("coins", result.coins.high),
        ("coins per day", result.coins_per_day),
        ("hashes per coin", result.hashes_expected_per_coin),
        ("energy per coin and watt", result.energy_per_coin_kwh_per_w),
        ("cost per coin and watt", result.cost_per_coin_per_w),
        ("expected blocks", result.solo.expected_blocks),
        ("median days", result.solo.median_days),
    ];
    let intervals = result.intervals;
    let high = |range: Option<Range>| range.map(|range| range.high);
    let sometimes = [
        ("energy in kWh", high(intervals.energy_kwh)),
        ("energy per coin in J", result.energy_per_coin_j),
        ("energy per coin in kWh", high(intervals.energy_per_coin_kwh)),
        ("cost", high(intervals.cost)),
        ("cost per coin", high(intervals.cost_per_coin)),
        ("revenue", high(intervals.revenue)),
        ("profit", high(intervals.profit)),
        ("break-even price per kWh", high(intervals.break_even_price_kwh)),
        ("days to a payout", result.payout.map(|payout| payout.days)),
    ];
    let known = sometimes.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    match always.into_iter().chain(known).find(|(_, value)| !value.is_finite()) {
        Some((name, value)) => Err(CostError::NotFinite { name, value }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;

#[cfg(test)]
mod window_tests;
