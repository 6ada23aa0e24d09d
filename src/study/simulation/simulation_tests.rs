//! Simulated paths against what can be worked out without any: Poisson's and the lognormal distribution.

use super::*;
use crate::study::file::StudyFile;
use crate::study::plan::{Case, Materials, Plan};

const PATHS: u32 = 200_000;

/// An S9 from July 2026 on, with what `more` says of the rest.
fn plan(days: &str, more: &str, model: &str) -> Plan {
    let text = format!(
        "name = \"t\"\ncoin = \"btc\"\ngrowth = \"1%/epoch\"\n{more}\n[[window]]\n{days}\n[[fleet]]\n\
         hashrate = \"1E\"\n\
         power = \"1W\"\n[monte_carlo]\npaths = {PATHS}\nseed = 7\nmeasurement = false\n{model}"
    );
    Plan::new(&text, &StudyFile::parse(&text).unwrap(), &Materials::default()).unwrap()
}

const YEAR: &str = "from = 2026-07-01\nto = 2027-06-30";

fn simulated(plan: &Plan, change: impl Fn(&mut Terms)) -> (Simulated, Case) {
    let case = plan.cases[0].clone();
    let mut terms = Terms::new(&case.machines, case.machines.best(), &case.economics, case.network.days());
    change(&mut terms);
    let model = plan.model.as_ref().unwrap();
    let none = Measured { rate: 0.0, power: 0.0 };
    (simulate(model, &case.epochs, &terms, &case.economics, none, None), case)
}

#[track_caller]
fn assert_near(found: f64, expected: f64, part: f64) {
    assert!((found / expected - 1.0).abs() < part, "{found} is not {expected} to {part}");
}

#[test]
fn blocks_of_a_miner_alone_are_those_of_poisson() {
    let plan = plan(YEAR, "", "luck = \"solo\"");
    let expected = 2.0;
    let rate = expected / plan.cases[0].epochs.blocks_per_hps.iter().sum::<f64>();
    let (result, case) = simulated(&plan, |terms| terms.draw.rate_hps = rate);
    // A block pays 3.125 BTC all the year.
    assert!(
        case.epochs.coins_per_hps.iter().zip(&case.epochs.blocks_per_hps).all(|(c, b)| (c / b - 3.125).abs() < 1e-9)
    );
    // 1 - e^-2, to four standard deviations of the part of 200,000 paths.
    assert!((result.p_any_coin - 0.864_664_716_8).abs() < 0.003_1, "{}", result.p_any_coin);
    assert!((result.coins.mean / 3.125 - expected).abs() < 4.0 * (2.0_f64 / 200_000.0).sqrt(), "{}", result.coins.mean);
    // Tables of Poisson's distribution for 2: 0.1353, 0.4060, 0.6767, 0.8571, 0.9473, 0.9834.
    let blocks = [result.coins.p5, result.coins.p25, result.coins.p50, result.coins.p75, result.coins.p95];
    let blocks = blocks.map(|coins| (coins / 3.125).round());
    assert_eq!(blocks, [0.0, 1.0, 2.0, 3.0, 5.0]);
}

#[test]
fn a_pool_shares_its_luck() {
    // A pool that finds 100 blocks and owes a thousandth of each: mean 0.1 blocks, deviation 0.01 blocks.
    let plan = plan(YEAR, "", "luck = \"pool\"\npool_hashrate = \"1P\"");
    let per_hps: f64 = plan.cases[0].epochs.blocks_per_hps.iter().sum();
    let mut pooled = plan.clone();
    pooled.model.as_mut().unwrap().luck = Luck::Pool(100.0 / per_hps);
    let (result, _) = simulated(&pooled, |terms| terms.draw.rate_hps = 0.1 / per_hps);
    assert_near(result.coins.mean / 3.125, 0.1, 0.001);
    // Poisson's 5 % and 95 % for 100 are 84 and 117.
    assert_near(result.coins.p5 / 3.125, 0.084, 1e-9);
    assert_near(result.coins.p95 / 3.125, 0.117, 1e-9);
}

/// Years from the first moment to the middle of the last stretch.
fn years(case: &Case) -> f64 {
    let seconds = &case.epochs.seconds;
    (seconds.iter().sum::<f64>() - seconds[seconds.len() - 1] / 2.0) / SECONDS_PER_YEAR
}

#[test]
fn prices_end_as_the_lognormal_distribution_says() {
    let plan = plan(YEAR, "coin_price = 1000", "price = { drift = \"20%\", volatility = \"60%\" }");
    let (result, case) = simulated(&plan, |_| {});
    let (time, end) = (years(&case), result.end_price.unwrap());
    let quantile = |deviations: f64| 1000.0 * (1.2_f64.ln() * time + 0.6 * time.sqrt() * deviations).exp();
    for (found, deviations) in
        [(end.p5, -1.644_854), (end.p25, -0.674_490), (end.p50, 0.0), (end.p75, 0.674_490), (end.p95, 1.644_854)]
    {
        assert_near(found, quantile(deviations), 0.01);
    }
    assert_near(end.mean, 1000.0 * (1.2_f64.ln() * time + 0.18 * time).exp(), 0.01);
    assert_eq!(result.end_difficulty, None);
}

#[test]
fn a_difficulty_that_walks_brings_more_coins_by_half_its_variance() {
    let plan = plan(YEAR, "", "difficulty = { volatility = \"10%\" }");
    let (result, case) = simulated(&plan, |_| {});
    let rate = case.machines.best().rate_hps;
    let mut changes = 0.0;
    let mut expected = 0.0;
    for (coins, steps) in case.epochs.coins_per_hps.iter().zip(&case.epochs.steps) {
        changes += f64::from(*steps);
        // The mean of the inverse of a lognormal variable.
        expected += coins * rate * (changes * 0.01 / 2.0_f64).exp();
    }
    assert!((25.0..28.0).contains(&changes), "{changes}");
    assert_near(result.coins.mean, expected, 0.003);
    let end = result.end_difficulty.unwrap();
    assert_near(end.p5, (-1.644_854 * 0.1 * changes.sqrt()).exp(), 0.01);
    assert_near(end.p50, 1.0, 0.01);
    assert_near(end.p95, (1.644_854 * 0.1 * changes.sqrt()).exp(), 0.01);
}

#[test]
fn steps_of_price_and_difficulty_go_together_as_far_as_is_said() {
    for correlation in [-1.0, 0.0, 0.5, 1.0] {
        let model = format!(
            "difficulty = {{ volatility = \"8%\" }}\nprice = {{ volatility = \"50%\" }}\ncorrelation = {correlation}"
        );
        let plan = plan(YEAR, "coin_price = 100", &model);
        let (result, case) = simulated(&plan, |terms| terms.price_kwh = 0.0);
        let rate = case.machines.best().rate_hps;
        let (mut variance, mut before, mut expected) = (0.0, 0.0, 0.0);
        for index in 0..case.epochs.len() {
            let seconds = case.epochs.seconds[index];
            let price = 0.5 * (f64::midpoint(before, seconds) / SECONDS_PER_YEAR).sqrt();
            let difficulty = 0.08 * f64::from(case.epochs.steps[index]);
            assert!(case.epochs.steps[index] <= 1);
            variance += price * price + difficulty * difficulty - 2.0 * correlation * price * difficulty;
            before = seconds;
            // The mean of a product of lognormal variables.
            expected += case.epochs.coins_per_hps[index] * rate * 100.0 * (variance / 2.0_f64).exp();
        }
        assert_near(result.profit.unwrap().mean, expected, 0.01);
    }
}

#[test]
fn changes_of_the_past_are_drawn_as_often_as_they_came() {
    let mut plan = plan(YEAR, "", "difficulty = { volatility = \"10%\" }");
    let days = plan.windows[0].days;
    let half_up = Difficulty::Resampled { deviations: vec![0.1, -0.1], mean_growth: 0.01, days };
    plan.model.as_mut().unwrap().difficulty = half_up;
    let (result, case) = simulated(&plan, |_| {});
    let (mut changes, mut expected) = (0, 0.0);
    for (coins, steps) in case.epochs.coins_per_hps.iter().zip(&case.epochs.steps) {
        changes += *steps as i32;
        // Half of the steps multiply by e^0.1, half of them divide by it.
        expected += coins * case.machines.best().rate_hps * 0.1_f64.cosh().powi(changes);
    }
    assert_near(result.coins.mean, expected, 0.003);
}

#[test]
fn the_history_gives_its_mean_growth_where_none_is_said() {
    let text = "name = \"t\"\ncoin = \"btc\"\n[[window]]\nfrom = 2026-07-01\nto = 2026-12-31\n[[fleet]]\n\
                machine = \"S21\"\n\
                [monte_carlo]\ndifficulty = { resample = [2017-01-01, 2017-12-31] }";
    let plan = Plan::new(text, &StudyFile::parse(text).unwrap(), &Materials::default()).unwrap();
    let Difficulty::Resampled { deviations, mean_growth, .. } = &plan.model.as_ref().unwrap().difficulty else {
        panic!("it was said so")
    };
    // Blocks 445,536 (begun in December 2016) and 499,968 (begun on 18 December 2017), 27 epochs apart:
    // 317,688,400,354.03 and 1,873,105,475,221.61, as block explorers show them.
    assert_eq!(deviations.len(), 27);
    assert_near(1.0 + mean_growth, (1_873_105_475_221.61_f64 / 317_688_400_354.03).powf(1.0 / 27.0), 1e-9);
    assert!(deviations.iter().sum::<f64>().abs() < 1e-12);
    assert_near(plan.cases[0].economics.value(Input::Growth), *mean_growth, 1e-9);
}

#[test]
fn measured_rates_are_drawn_from_their_intervals() {
    let plan = plan(YEAR, "", "");
    let case = &plan.cases[0];
    let terms = Terms::new(&case.machines, case.machines.best(), &case.economics, case.network.days());
    let model = Model { measurement: true, ..plan.model.clone().unwrap() };
    let measured = Measured { rate: 0.1, power: 0.0 };
    let result = simulate(&model, &case.epochs, &terms, &case.economics, measured, None);
    let coins = terms.outcome(&case.epochs).coins;
    assert_near(result.coins.mean, coins, 0.001);
    assert_near(result.coins.p95, coins * (1.0 + 0.1 / 1.959_964 * 1.644_854), 0.001);
    assert_near(result.coins.p5, coins * (1.0 - 0.1 / 1.959_964 * 1.644_854), 0.001);
}

#[test]
fn growth_and_prices_with_ranges_are_drawn_from_them() {
    let more = "growth = { low = \"0%/epoch\", high = \"4%/epoch\" }\ncoin_price = { low = 100, high = 10000 }";
    let text = format!(
        "name = \"t\"\ncoin = \"btc\"\n{more}\n[[window]]\n{YEAR}\n[[fleet]]\nhashrate = \"1E\"\n[monte_carlo]\n\
         paths = {PATHS}"
    );
    let plan = Plan::new(&text, &StudyFile::parse(&text).unwrap(), &Materials::default()).unwrap();
    let (result, case) = simulated(&plan, |_| {});
    // Evenly in its logarithm: one in twenty lies below 10^(2 + 2 / 20).
    let price = result.end_price.unwrap();
    assert_near(price.p5, 10_f64.powf(2.1), 0.02);
    assert_near(price.p50, 1000.0, 0.02);
    let changes: u32 = case.epochs.steps.iter().sum();
    let difficulty = result.end_difficulty.unwrap();
    assert_near(difficulty.p75, (1.03_f64 / 1.02).powi(changes as i32), 0.01);
    assert_eq!(result.profit, None, "without a power there is none");
}

#[test]
fn machines_that_do_not_pay_are_switched_off() {
    let plan = plan(YEAR, "coin_price = 1\nswitch_off = true\nfixed_cost = 30", "price = { volatility = \"50%\" }");
    let (result, _) = simulated(&plan, |terms| terms.draw.power_w = Some(1e30));
    let profit = result.profit.unwrap();
    assert_eq!((profit.p5, profit.p95, result.coins.p95, result.p_profit), (-30.0, -30.0, 0.0, Some(0.0)));
}

#[test]
fn the_same_seed_gives_the_same_figures_on_any_number_of_threads() {
    let model = "luck = \"solo\"\ndifficulty = { volatility = \"5%\" }\nprice = { volatility = \"50%\" }";
    let plan = plan(YEAR, "coin_price = 100", model);
    let case = &plan.cases[0];
    let terms = Terms::new(&case.machines, case.machines.best(), &case.economics, case.network.days());
    let run = |seed: u64, threads: usize| {
        let model = Model { paths: 10_001, seed, ..plan.model.clone().unwrap() };
        let none = Measured { rate: 0.0, power: 0.0 };
        simulate(&model, &case.epochs, &terms, &case.economics, none, Some(threads))
    };
    let one = run(7, 1);
    assert_eq!([run(7, 2), run(7, 3), run(7, 64)], [one.clone(), one.clone(), one.clone()]);
    assert_ne!(run(8, 1).coins, one.coins);
}

#[test]
fn what_lies_before_a_window_that_begins_past_the_data_counts_too() {
    let plan = plan("from = 2028-06-26\nto = 2028-07-10", "", "difficulty = { volatility = \"10%\" }");
    let (result, case) = simulated(&plan, |_| {});
    // 731 days after the data's end: 52 changes, and one more within the window.
    assert_eq!(case.epochs.steps[0], 52);
    let changes: u32 = case.epochs.steps.iter().sum();
    assert_near(result.end_difficulty.unwrap().p95, (1.644_854 * 0.1 * f64::from(changes).sqrt()).exp(), 0.01);
}
