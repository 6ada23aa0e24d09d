//! A study as a report: what it says, in which order, as tables and plots.

pub mod csv;
mod figures;
pub mod tables;
mod verdict;
mod words;

pub use self::verdict::{Verdict, verdicts};
use super::document::{Block, Data, Document, Fact, Section};
use super::plot::Plot;
use super::units::{format_coins_fully, format_kwh, format_money, format_rough_money};
use crate::study::{CaseResult, StudyResult};

/// More parts of a window than a table is read for; the plot and the CSV have them all.
const STRETCHES_MAX: usize = 12;

/// What no figure of a study holds.
const LEFT_OUT: [&str; 4] = [
    "coins are the expectation, without luck, unless a figure is said to be simulated",
    "what isn't said plays no part: rent, repair, work, taxes, the resale of machines, and, without fees of \
     transactions or of a pool being said, those as well",
    "intervals of coins and energy are those of measured rates and powers; makers' figures have none",
    "a verdict holds for the terms that are named; the sensitivity and the break-even prices say when it turns",
];

/// Makes the report of a study. `source` is the study file's text, and `record` the JSON of the record that its engines
/// come from: with both the report can be made again.
#[must_use]
pub fn document(study: &StudyResult, source: &str, record: Option<&str>) -> Document {
    let verdicts = verdicts(study);
    let question = (!study.description.is_empty()).then(|| Block::Text(study.description.clone()));
    let mut sections: Vec<Section> = Section::of("The question", question.into_iter().collect()).into_iter().collect();
    let many = study.mains.len() > 1;
    for (index, (place, verdict)) in study.mains.iter().zip(&verdicts).enumerate() {
        let main = &study.cases[*place];
        let window = &study.windows[main.window];
        let title = if many { verdict::capital(&window.name) } else { "Verdict".to_owned() };
        let mut blocks = vec![Block::Facts(facts(study, main)), Block::List(verdict.more.clone())];
        blocks.extend(window_blocks(study, main, index));
        sections.extend(Section::of(&title, blocks));
    }
    sections.extend(Section::of("Simulated paths", simulated_blocks(study)));
    sections.extend(Section::of("What it hangs on", sensitivity_blocks(study)));
    sections.extend(Section::of("Assumed, and left out", assumed(study)));
    let sources = vec![
        Block::Text(
            "Rates and powers of machines that nobody measured here are those of makers and testers.".to_owned(),
        ),
        Block::Table("Machines".to_owned(), tables::sources(study)),
    ];
    sections.extend(Section::of("Machines", sources));
    let file = Data { kind: "study", name: "study.toml".to_owned(), json: serde_json::Value::from(source).to_string() };
    let record = record.map(|json| Data {
        kind: "record",
        name: study.record.clone().unwrap_or_default(),
        json: json.to_owned(),
    });
    let data = [file].into_iter().chain(record).collect();
    Document {
        title: study.name.clone(),
        subtitle: subtitle(study),
        headline: verdicts.iter().map(|verdict| verdict.main.clone()).collect(),
        sections,
        data,
    }
}

fn subtitle(study: &StudyResult) -> String {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let record = study.record.as_ref().map_or_else(String::new, |record| format!(", engines of {record}"));
    let cases = study.cases.len();
    let plural = if cases == 1 { "case" } else { "cases" };
    format!("A study by {name} {version}: {cases} {plural}{record}")
}

fn plot(blocks: &mut Vec<Block>, plot: Option<Plot>) {
    blocks.extend(plot.map(|plot| Block::Plot(Box::new(plot))));
}

fn facts(study: &StudyResult, main: &CaseResult) -> Vec<Fact> {
    let (symbol, currency) = (study.symbol(main), &study.currency);
    let fact = |name: &str, value: String, note: String| Fact { name: name.to_owned(), value, note };
    let outcome = &main.outcome;
    let mut facts = vec![fact(
        "coins",
        format!("{} {symbol}", format_coins_fully(outcome.coins)),
        format!("{}, {:.0} days", study.machines_of(main), study.windows[main.window].days),
    )];
    if let (Some(kwh), Some(each)) = (outcome.energy_kwh, outcome.energy_per_coin_kwh) {
        facts.push(fact("energy", format_kwh(kwh, 4), format!("{} per {symbol}", format_kwh(each, 4))));
    }
    if let (Some(cost), Some(each)) = (outcome.cost, outcome.cost_per_coin) {
        let note = format!("{} per {symbol}", format_rough_money(each, currency));
        facts.push(fact("cost", format_rough_money(cost, currency), note));
    }
    if let Some(profit) = outcome.profit {
        let note = main.break_even.price_kwh.map_or_else(
            || "free electricity would not be enough".to_owned(),
            |price| format!("breaks even at {} per kWh", format_money(price, currency)),
        );
        let name = if profit > 0.0 { "profit" } else { "loss" };
        facts.push(fact(name, format_rough_money(profit.abs(), currency), note));
    }
    facts
}

fn window_blocks(study: &StudyResult, main: &CaseResult, index: usize) -> Vec<Block> {
    let name = &study.windows[main.window].name;
    let mut blocks = Vec::new();
    plot(&mut blocks, figures::coins(study, main, index));
    plot(&mut blocks, figures::energy(study, main, index));
    let caption = format!("All machines, {name} ({})", study.terms_of(main));
    blocks.push(Block::Table(caption, tables::machines(study, main)));
    if let Some(table) = tables::profits(study, main) {
        blocks.push(Block::Table(format!("Profit under all terms, {name}"), table));
    }
    if let Some(table) = tables::terms(study, main) {
        blocks.push(Block::Table(format!("{} under all terms, {name}", study.machines_of(main)), table));
    }
    plot(&mut blocks, figures::break_even(study, main, index));
    let stretches = study.stretches.get(index).map_or(&[][..], Vec::as_slice);
    if stretches.len() > 1 {
        plot(&mut blocks, figures::over_time(study, main, stretches, index));
    }
    if (2..=STRETCHES_MAX).contains(&stretches.len()) {
        let caption = format!("{} difficulty by difficulty, {name}", study.machines_of(main));
        blocks.push(Block::Table(caption, tables::stretches(study.symbol(main), stretches)));
    }
    blocks
}

fn simulated_blocks(study: &StudyResult) -> Vec<Block> {
    let mut blocks = Vec::new();
    if study.model.is_empty() {
        return blocks;
    }
    blocks.push(Block::List(study.model.clone()));
    for (index, place) in study.mains.iter().enumerate() {
        let main = &study.cases[*place];
        plot(&mut blocks, figures::simulated(study, main, index));
        let name = &study.windows[main.window].name;
        if let Some(table) = tables::simulated(study, study.terms(main)) {
            blocks.push(Block::Table(format!("Simulated paths, {name}"), table));
        }
    }
    blocks
}

fn sensitivity_blocks(study: &StudyResult) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (index, sensitivity) in study.sensitivities.iter().enumerate() {
        let case = &study.cases[sensitivity.case];
        let name = format!("{}, {}", study.machines_of(case), study.windows[case.window].name);
        plot(&mut blocks, figures::sensitivity(study, sensitivity, index));
        blocks.push(Block::Table(format!("One input at a time: {name}"), tables::sensitivity(study, sensitivity)));
    }
    blocks
}

fn assumed(study: &StudyResult) -> Vec<Block> {
    let mut items: Vec<String> = Vec::new();
    for place in &study.mains {
        items.extend(tables::assumptions(study, &study.cases[*place]));
    }
    items.extend(study.notes.iter().cloned());
    items.extend(LEFT_OUT.map(ToOwned::to_owned));
    vec![Block::List(items)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::file::StudyFile;
    use crate::study::{Materials, Plan, study};

    fn computed(text: &str) -> StudyResult {
        let text = format!("name = \"t\"\ncoin = \"btc\"\n{text}");
        study(&Plan::new(&text, &StudyFile::parse(&text).unwrap(), &Materials::default()).unwrap(), None, |_| {})
    }

    const SUMMER: &str = "[[window]]\nfrom = 2017-05-17\nto = 2017-07-06\n";

    #[test]
    fn a_profit_is_told_with_what_would_end_it() {
        let study = computed(&format!("coin_price = 3840.10\n{SUMMER}[[fleet]]\nmachine = \"S9\"\ncount = \"1 to 5\""));
        let verdict = &verdicts(&study)[0];
        assert_eq!(
            verdict.main,
            "From 2017-05-17 to 2017-07-06: one Antminer S9 could expect 0.26600 BTC for 1,619 kWh of electricity; at \
             3,840.10 USD per BTC it would have paid, by 940.51 USD."
        );
        let more = verdict.more.join("\n");
        for sentence in [
            "1 to 5 × Antminer S9: 0.266 to 1.33 BTC, with a profit from 940.51 USD to 4,700 USD.",
            "electricity above 0.63 USD per kWh; a coin below 304.39 USD per BTC",
            "Alone, without a pool, one Antminer S9 would find any block at all with a chance of 2.1 %.",
        ] {
            assert!(more.contains(sentence), "{more}");
        }
    }

    #[test]
    fn a_loss_is_told_with_what_would_mend_it_and_nothing_is_made_up() {
        let study = computed(&format!(
            "coin_price = 3840.10\ncapex = 250\n{SUMMER}[[fleet]]\nmachine = \"GTX 1060\"\n[[fleet]]\nhashrate = \"1T\""
        ));
        let verdict = &verdicts(&study)[0];
        assert!(verdict.main.ends_with("it would not have paid, with a loss of 257.29 USD."), "{}", verdict.main);
        let more = verdict.more.join("\n");
        assert!(more.contains("Free electricity would not be enough."), "{more}");
        assert!(more.contains("Within these 51 days the machines don't earn back their whole price."), "{more}");
        let table = super::super::table::render(&tables::machines(&study, &study.cases[0]));
        assert!(table.contains("absent: no power"), "{table}");
    }

    #[test]
    fn a_report_has_what_was_asked_for_and_no_more() {
        let text = format!(
            "coin_price = 3840.10\n{SUMMER}[[fleet]]\nmachine = \"S9\"\n[[fleet]]\nmachine = \"S7\"\n[monte_carlo]\n\
             paths = 100\nluck = \"solo\"\n"
        );
        let document = document(&computed(&text), &text, None);
        let titles: Vec<&str> = document.sections.iter().map(|section| section.title.as_str()).collect();
        let expected = ["Verdict", "Simulated paths", "What it hangs on", "Assumed, and left out", "Machines"];
        assert_eq!(titles, expected);
        assert_eq!(document.plots().count(), 6);
        assert_eq!((document.data.len(), document.data[0].kind), (1, "study"));
        let plain = computed(&format!("{SUMMER}[[fleet]]\nhashrate = \"1T\""));
        let document = super::document(&plain, "", None);
        assert!(document.sections.iter().all(|section| section.title != "Simulated paths"));
        assert_eq!(document.plots().count(), 2, "{:?}", document.plots().collect::<Vec<_>>());
    }
}
