//! A study as rows: one for each case, with units in the headings.

use crate::study::{CaseResult, Percentiles, StudyResult};

/// Returns a row for each case. Cells of figures that aren't determined are empty.
#[must_use]
pub fn cases(study: &StudyResult) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let headings: Vec<&str> = cells_of(study, None).into_iter().map(|(heading, _)| heading).collect();
    let mut write =
        |row: Vec<String>| writer.write_record(row).expect("rows are all of one length, and memory takes them");
    write(headings.into_iter().map(str::to_owned).collect());
    for case in &study.cases {
        write(cells_of(study, Some(case)).into_iter().map(|(_, cell)| cell).collect());
    }
    let bytes = writer.into_inner().expect("memory takes what is written");
    String::from_utf8(bytes).expect("texts stay texts")
}

/// Returns the cells of a case with their headings; empty ones without a case.
fn cells_of(study: &StudyResult, case: Option<&CaseResult>) -> Vec<(&'static str, String)> {
    let text = |of: &dyn Fn(&CaseResult) -> String| case.map(of).unwrap_or_default();
    let number =
        |of: &dyn Fn(&CaseResult) -> Option<f64>| case.and_then(of).map_or_else(String::new, |value| value.to_string());
    let mut cells = vec![
        ("window", text(&|case| study.windows[case.window].name.clone())),
        ("from", text(&|case| study.windows[case.window].from.clone())),
        ("to", text(&|case| study.windows[case.window].to.clone())),
        ("coin", text(&|case| study.windows[case.window].coin.to_string())),
        ("fleet", text(&|case| study.fleets[case.fleet].clone())),
        ("count", text(&|case| case.count.to_string())),
        ("terms", text(&|case| study.terms_of(case))),
        ("algorithm", text(&|case| case.algorithm.to_owned())),
        ("rate_hps", number(&|case| Some(case.rate_hps))),
        ("power_w", number(&|case| case.power_w)),
        ("price_kwh", number(&|case| Some(case.price_kwh))),
        ("coin_price", number(&|case| case.coin_price)),
        ("currency", text(&|_| study.currency.clone())),
        ("coins", number(&|case| Some(case.outcome.coins))),
        ("coins_low", number(&|case| Some(case.intervals.coins.low))),
        ("coins_high", number(&|case| Some(case.intervals.coins.high))),
        ("energy_kwh", number(&|case| case.outcome.energy_kwh)),
        ("energy_per_coin_kwh", number(&|case| case.outcome.energy_per_coin_kwh)),
        ("electricity_cost", number(&|case| case.outcome.electricity_cost)),
        ("capital_cost", number(&|case| case.outcome.capital_cost)),
        ("cost", number(&|case| case.outcome.cost)),
        ("cost_per_coin", number(&|case| case.outcome.cost_per_coin)),
        ("revenue", number(&|case| case.outcome.revenue)),
        ("profit", number(&|case| case.outcome.profit)),
        ("profit_low", number(&|case| case.intervals.profit.map(|range| range.low))),
        ("profit_high", number(&|case| case.intervals.profit.map(|range| range.high))),
        ("payback_days", number(&|case| case.outcome.payback_days)),
        ("break_even_price_kwh", number(&|case| case.break_even.price_kwh)),
        ("break_even_coin_price", number(&|case| case.break_even.coin_price)),
        ("break_even_capex", number(&|case| case.break_even.capex)),
        ("solo_expected_blocks", number(&|case| Some(case.solo.expected_blocks))),
        ("solo_p_any", number(&|case| Some(case.solo.p_any))),
    ];
    let simulated = |of: &dyn Fn(&Percentiles) -> f64| number(&|case| case.simulated.as_ref()?.profit.as_ref().map(of));
    cells.extend([
        (
            "paths",
            text(&|case| case.simulated.as_ref().map_or_else(String::new, |simulated| simulated.paths.to_string())),
        ),
        ("p_profit", number(&|case| case.simulated.as_ref()?.p_profit)),
        ("profit_p5", simulated(&|spread| spread.p5)),
        ("profit_p25", simulated(&|spread| spread.p25)),
        ("profit_p50", simulated(&|spread| spread.p50)),
        ("profit_p75", simulated(&|spread| spread.p75)),
        ("profit_p95", simulated(&|spread| spread.p95)),
        ("profit_mean", simulated(&|spread| spread.mean)),
        ("coins_p5", number(&|case| Some(case.simulated.as_ref()?.coins.p5))),
        ("coins_p50", number(&|case| Some(case.simulated.as_ref()?.coins.p50))),
        ("coins_p95", number(&|case| Some(case.simulated.as_ref()?.coins.p95))),
    ]);
    cells
}
