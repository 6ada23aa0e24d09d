//! Outcomes against `cost`, and against what can be worked out by hand.

use super::*;
use crate::coin::Coin;
use crate::interval::Interval;
use crate::study::cost::{Capital, CostInputs, cost};
use crate::study::file::StudyFile;
use crate::study::plan::{Case, Materials, Plan};

fn plan(text: &str) -> Plan {
    let text = format!("name = \"t\"\ncoin = \"btc\"\n{text}");
    Plan::new(&text, &StudyFile::parse(&text).unwrap(), &Materials::default()).unwrap()
}

fn terms(case: &Case) -> Terms {
    Terms::new(&case.machines, case.machines.best(), &case.economics, case.network.days())
}

#[track_caller]
fn assert_close(found: Option<f64>, expected: Option<f64>) {
    let (found, expected) = (found.unwrap(), expected.unwrap());
    assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} is not {expected}");
}

const SUMMER: &str = "[[window]]\nfrom = 2017-05-17\nto = 2017-07-06\n";

#[test]
fn one_class_comes_to_what_cost_says() {
    let plan = plan(&format!(
        "price_kwh = 0.07\ncoin_price = 2466\npue = 1.1\npool_fee = \"2%\"\nstale = \"1%\"\n\
         fees = \"21.5%\"\ncapex = 1699\n\
         life_years = 3\ndiscount = \"8%\"\n{SUMMER}[[fleet]]\nhashrate = \"13.5T±2%\"\npower = \"1323W±7%\"\ncount = 4"
    ));
    let case = &plan.cases[0];
    let around = |value: f64, part: f64| Interval { value, low: value * (1.0 - part), high: value * (1.0 + part) };
    let inputs = CostInputs {
        energy: Some(crate::study::EnergyRate::PowerW(around(1323.0, 0.07))),
        count: 4,
        price_kwh: 0.07,
        coin_price: Some(2466.0),
        pue: 1.1,
        pool_fee: 0.02,
        stale: 0.01,
        fees: 0.215,
        capital: Some(Capital { price: 1699.0, life_years: 3.0, discount: 0.08 }),
        ..CostInputs::new("sha256d", around(13.5e12, 0.02), case.network.clone())
    };
    let expected = cost(&inputs).unwrap();
    let outcome = terms(case).outcome(&case.epochs);
    assert_close(Some(outcome.coins), Some(expected.coins.mean));
    assert_close(Some(outcome.expected_blocks), Some(expected.solo.expected_blocks));
    assert_close(outcome.energy_kwh, expected.energy_kwh);
    assert_close(outcome.energy_per_coin_kwh, expected.energy_per_coin_kwh);
    assert_close(outcome.electricity_cost, expected.electricity_cost);
    assert_close(outcome.capital_cost, expected.capital_cost);
    assert_close(outcome.cost_per_coin, expected.cost_per_coin);
    assert_close(outcome.profit, expected.profit);
    let even = terms(case).break_even(&case.epochs);
    assert_close(even.price_kwh, expected.break_even_price_kwh);
    assert_close(even.coin_price, expected.break_even_coin_price);
    let corners = case.machines.corners();
    let corners = corners
        .map(|draw| Terms::new(&case.machines, draw, &case.economics, case.network.days()).outcome(&case.epochs));
    let intervals = Intervals::of(&corners);
    for (found, expected) in [
        (Some(intervals.coins), Some(Range { low: expected.coins.low, high: expected.coins.high })),
        (intervals.energy_per_coin_kwh, expected.intervals.energy_per_coin_kwh),
        (intervals.cost_per_coin, expected.intervals.cost_per_coin),
        (intervals.profit, expected.intervals.profit),
    ] {
        assert_close(found.map(|range| range.low), expected.map(|range| range.low));
        assert_close(found.map(|range| range.high), expected.map(|range| range.high));
    }
}

#[test]
fn a_fleet_of_two_classes_is_the_sum_of_both() {
    let mixed = plan(&format!(
        "coin_price = 2466\n{SUMMER}[[fleet]]\nmachines = [{{ machine = \"S9\", count = 2 }}, \
         {{ machine = \"S7\", count = 3 }}]"
    ));
    let apart = plan(&format!(
        "coin_price = 2466\n{SUMMER}[[fleet]]\nmachine = \"S9\"\ncount = 2\n[[fleet]]\nmachine = \"S7\"\ncount = 3"
    ));
    let of = |case: &Case| terms(case).outcome(&case.epochs);
    let (sum, first, second) = (of(&mixed.cases[0]), of(&apart.cases[0]), of(&apart.cases[1]));
    assert_close(Some(sum.coins), Some(first.coins + second.coins));
    assert_close(sum.energy_kwh, first.energy_kwh.zip(second.energy_kwh).map(|(a, b)| a + b));
    assert_close(sum.profit, first.profit.zip(second.profit).map(|(a, b)| a + b));
    assert_eq!(mixed.fleets, ["2 × Antminer S9 + 3 × Antminer S7"]);
}

/// The profit is zero at each break-even point, with and without switching off.
#[test]
fn at_break_even_nothing_is_left() {
    for switch_off in ["false", "true"] {
        let plan = plan(&format!(
            "coin_price = 3840.10\ncapex = 500\nfixed_cost = 120\nswitch_off = {switch_off}\n[[window]]\n\
             from = 2017-05-17\n\
             to = 2019-05-16\n[[fleet]]\nmachine = \"S9\"\ncount = 2"
        ));
        let case = &plan.cases[0];
        let base = terms(case);
        let even = base.break_even(&case.epochs);
        let left = |change: &dyn Fn(&mut Terms)| {
            let mut changed = base.clone();
            change(&mut changed);
            let outcome = changed.outcome(&case.epochs);
            (outcome.profit.unwrap() / outcome.cost.unwrap()).abs()
        };
        let price_kwh = even.price_kwh.unwrap();
        assert!(left(&|terms| terms.price_kwh = price_kwh) < 1e-9, "{switch_off}");
        let coin_price = even.coin_price.unwrap();
        assert!(left(&|terms| terms.coin_price = Some(coin_price)) < 1e-9, "{switch_off}");
        let capex = even.capex.unwrap();
        assert!(left(&|terms| terms.capital = 2.0 * capex) < 1e-9, "{switch_off}");
        assert!(left(&|_| {}) > 0.01, "and elsewhere something is");
    }
}

#[test]
fn what_would_be_lost_is_not_run_where_that_is_asked() {
    // At these prices an S9 pays its electricity in 2017, and not in the summer of 2018.
    let text = "price_kwh = 0.3\ncoin_price = 3840.10\n[[window]]\nfrom = 2017-05-17\nto = 2018-09-30\n\
                [[fleet]]\nmachine = \"S9\"\n";
    let (always, asked) = (plan(text), plan(&format!("switch_off = true\n{text}")));
    let of = |case: &Case| terms(case).outcome(&case.epochs);
    let (run, off) = (of(&always.cases[0]), of(&asked.cases[0]));
    assert!(off.running < 1.0 && run.running == 1.0, "{}", off.running);
    assert!(off.profit > run.profit && off.coins < run.coins && off.energy_kwh < run.energy_kwh);
    let case = &asked.cases[0];
    assert_close(Some(terms(case).coins_earned(&case.epochs).iter().sum()), Some(off.coins));
}

#[test]
fn payback_is_when_the_margin_has_reached_the_price() {
    // Difficulty and price stay: each day brings the same, and the whole price comes back after price / margin days.
    let plan = plan(
        "coin_price = 2000\ndifficulty = 559970892890.84\ncapex = 100\n[[window]]\nfrom = 2017-05-17\nto = 2017-07-06\n\
         [[fleet]]\nmachine = \"S9\"",
    );
    let case = &plan.cases[0];
    let outcome = terms(case).outcome(&case.epochs);
    // 0.006062134709 BTC a day, by the tests of `cost`, at 12.5 BTC a block; 31.752 kWh a day.
    let margin = 0.006_062_134_709_151 * 2000.0 - 31.752 * 0.05;
    assert!((outcome.payback_days.unwrap() - 100.0 / margin).abs() < 1e-6, "{:?}", outcome.payback_days);
    let mut dear = terms(case);
    dear.purchase = Some(1e6);
    assert_eq!(dear.outcome(&case.epochs).payback_days, None);
}

#[test]
fn the_fixed_cost_decides_how_many_machines_it_takes() {
    let text = |count: u32| {
        format!("coin_price = 2466\nfixed_cost = 2000\n{SUMMER}[[fleet]]\nmachine = \"S9\"\ncount = {count}")
    };
    let machines = {
        let plan = plan(&text(1));
        terms(&plan.cases[0]).break_even(&plan.cases[0].epochs).machines.unwrap()
    };
    let profit = |count: f64| {
        let plan = plan(&text(count as u32));
        terms(&plan.cases[0]).outcome(&plan.cases[0].epochs).profit.unwrap()
    };
    assert!(profit(machines) > 0.0 && profit(machines - 1.0) < 0.0, "{machines}");
}

#[test]
fn without_power_or_price_there_is_no_money() {
    let plan = plan(&format!("{SUMMER}[[fleet]]\nhashrate = \"13.5T\""));
    let outcome = terms(&plan.cases[0]).outcome(&plan.cases[0].epochs);
    assert!((outcome.coins / 0.266_003_66 - 1.0).abs() < 1e-6, "{}", outcome.coins);
    let absent = [outcome.energy_kwh, outcome.cost, outcome.revenue, outcome.profit, outcome.cost_per_coin];
    assert_eq!(absent, [None; 5]);
    assert_eq!(terms(&plan.cases[0]).break_even(&plan.cases[0].epochs), BreakEven::default());
    assert_eq!(plan.windows[0].coin, Coin::Btc);
}
