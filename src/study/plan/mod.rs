//! From a study file to the cases that it asks about: each window with each fleet, each count and each scenario.

mod machines;
mod model;
mod windows;

use std::ops::Range;

use toml::Spanned;

use self::machines::Machines;
pub use self::model::{Difficulty, Luck, Model, PriceWalk};
pub use self::windows::WindowPlan;
use super::cost::{CostError, CostInputs, Network, cost};
use super::epochs::Epochs;
use super::file::{FileError, FleetEntry, ScenarioEntry, StudyFile, nearest};
use super::fleet::Fleet;
use super::inputs::{Economics, Input, Inputs};
use crate::coin::history::{HistoryError, Window, format_day};
use crate::record::Record;

/// More cases than anybody can look at.
const CASES_MAX: usize = 1000;

/// The longest name of a currency: it stands beside each amount.
const CURRENCY_MAX: usize = 10;

/// What a study file refers to.
#[derive(Debug, Clone, Default)]
pub struct Materials {
    /// A record, with the name by which it is called.
    pub record: Option<(String, Record)>,
    /// A file that extends Bitcoin's history, with its name.
    pub epochs: Option<(String, String)>,
}

/// One window with one fleet under one set of figures.
#[derive(Debug, Clone)]
pub struct Case {
    /// The place of the window among the plan's.
    pub window: usize,
    /// The place of the fleet among the plan's names.
    pub fleet: usize,
    /// How many of the fleet.
    pub count: u32,
    /// The place of the scenario among the plan's names; none without scenarios.
    pub scenario: Option<usize>,
    /// All machines.
    pub machines: Fleet,
    /// The figures.
    pub economics: Economics,
    /// What the network asks and pays.
    pub network: Network,
    /// The same, prepared.
    pub epochs: Epochs,
}

/// A study, ready to be computed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it is called.
    pub name: String,
    /// What it asks.
    pub description: String,
    /// The currency of all prices.
    pub currency: String,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// The windows.
    pub windows: Vec<WindowPlan>,
    /// The names of the fleets.
    pub fleets: Vec<String>,
    /// The names of the scenarios.
    pub scenarios: Vec<String>,
    /// The cases, in the order of windows, fleets, counts and scenarios.
    pub cases: Vec<Case>,
    /// For each window that has any, the case that stands for it.
    pub mains: Vec<usize>,
    /// What paths are simulated by.
    pub model: Option<Model>,
    /// Ranges for the sensitivity of figures that have none of their own.
    pub ranges: Inputs,
    /// The record that engines come from.
    pub record: Option<String>,
}

/// The study file at work: its text, for the places of errors.
struct Reader<'a> {
    text: &'a str,
    file: &'a StudyFile,
}

impl Plan {
    /// Reads a study file and looks up what it names.
    ///
    /// # Errors
    ///
    /// [`FileError`] with the place of the first thing that is wrong, and what to do instead.
    pub fn new(text: &str, file: &StudyFile, materials: &Materials) -> Result<Self, FileError> {
        Reader { text, file }.plan(materials)
    }
}

impl Reader<'_> {
    fn error(&self, span: &Range<usize>, reason: impl Into<String>, help: impl Into<String>) -> FileError {
        FileError::at(self.text, span, reason.into(), help)
    }

    /// An error of the file as a whole.
    fn missing(&self, reason: &str, help: &str) -> FileError {
        self.error(&(0..0), reason, help)
    }

    fn plan(&self, materials: &Materials) -> Result<Plan, FileError> {
        let file = self.file;
        if file.currency.as_ref().is_empty() || file.currency.as_ref().chars().count() > CURRENCY_MAX {
            let reason = format!("a currency has a name of 1 to {CURRENCY_MAX} letters");
            return Err(self.error(&file.currency.span(), reason, "write currency = \"EUR\""));
        }
        if file.window.is_empty() {
            let help = "add one: [[window]] with from = 2017-05-17 and to = 2017-07-06, both days included";
            return Err(self.missing("the study has no window", help));
        }
        if file.fleet.is_empty() {
            let help = "add one: [[fleet]] with machine = \"Antminer S9\" and count = 3";
            return Err(self.missing("the study has no fleet", help));
        }
        let mut model = self.model()?;
        let histories = self.histories(materials)?;
        let windows: Vec<WindowPlan> =
            file.window.iter().map(|entry| self.window(entry, &histories)).collect::<Result<_, _>>()?;
        self.unique("window", windows.iter().map(|window| &window.name).zip(file.window.iter().map(Spanned::span)))?;
        let scenarios = file.scenario.iter().map(|entry| entry.as_ref().name.as_ref());
        self.unique("scenario", scenarios.clone().zip(file.scenario.iter().map(Spanned::span)))?;
        if let Some(model) = &mut model {
            self.resample(model, &histories)?;
        }
        let mut plan = Plan {
            name: file.name.clone(),
            description: file.description.clone(),
            currency: file.currency.as_ref().clone(),
            notes: file.notes.clone(),
            windows,
            fleets: Vec::new(),
            scenarios: scenarios.cloned().collect(),
            cases: Vec::new(),
            mains: Vec::new(),
            model,
            ranges: self.ranges()?,
            record: materials.record.as_ref().map(|(name, _)| name.clone()),
        };
        let machines = Machines::new(self, materials);
        for entry in &file.fleet {
            self.add_fleet(&mut plan, &machines, entry)?;
        }
        self.unique("fleet", plan.fleets.iter().zip(file.fleet.iter().map(Spanned::span)))?;
        // Windows go first, whatever the file's order of fleets; the sort keeps the order of what is alike.
        plan.cases.sort_by_key(|case| case.window);
        if plan.cases.is_empty() {
            let help = "name a record whose engines are meant, or other machines";
            return Err(self.missing("no fleet is left to look at: none of those that are optional is there", help));
        }
        plan.mains = self.mains(&plan)?;
        Ok(plan)
    }

    fn unique<'n>(&self, what: &str, names: impl Iterator<Item = (&'n String, Range<usize>)>) -> Result<(), FileError> {
        let mut seen: Vec<&String> = Vec::new();
        for (name, span) in names {
            if seen.contains(&name) {
                return Err(self.error(
                    &span,
                    format!("there is another {what} {name:?}"),
                    "give each a name of its own",
                ));
            }
            seen.push(name);
        }
        Ok(())
    }

    /// Returns the ranges that are said for the sensitivity alone.
    fn ranges(&self) -> Result<Inputs, FileError> {
        let Some(entry) = &self.file.sensitivity else { return Ok(Inputs::default()) };
        let ranges = entry.as_ref().ranges();
        match ranges.lists.iter().find(|(_, list)| list.len() > 1 || list[0].low == list[0].high) {
            Some((input, _)) => {
                let reason = format!("{} is no range", input.key());
                Err(self.error(&entry.span(), reason, "a sensitivity takes ranges: { low = 0.03, high = 0.08 }"))
            }
            None => Ok(ranges),
        }
    }

    /// Finds a name that something refers to.
    fn find<'n>(
        &self,
        what: &str,
        wanted: &Spanned<String>,
        mut names: impl Iterator<Item = &'n String>,
    ) -> Result<usize, FileError> {
        let mut known = Vec::new();
        let is_it = |name: &String| {
            known.push(name.clone());
            name == wanted.as_ref()
        };
        if let Some(place) = names.position(is_it) {
            return Ok(place);
        }
        let list = format!("known: {}", known.join(", "));
        let help = nearest(wanted.as_ref(), &known)
            .map_or_else(|| list.clone(), |near| format!("did you mean {near:?}? {list}"));
        Err(self.error(&wanted.span(), format!("there is no {what} {:?}", wanted.as_ref()), help))
    }

    /// Returns the places of the windows that something is for.
    fn windows_of(&self, plan: &Plan, named: &[Spanned<String>]) -> Result<Vec<usize>, FileError> {
        if named.is_empty() {
            return Ok((0..plan.windows.len()).collect());
        }
        named.iter().map(|name| self.find("window", name, plan.windows.iter().map(|window| &window.name))).collect()
    }

    fn add_fleet(
        &self,
        plan: &mut Plan,
        machines: &Machines<'_>,
        entry: &Spanned<FleetEntry>,
    ) -> Result<(), FileError> {
        let place = plan.fleets.len();
        let mut name = entry.as_ref().name.clone();
        for window in self.windows_of(plan, &entry.as_ref().windows)? {
            let scenarios = self.scenarios_of(plan, window)?;
            // The algorithm is that of the window's blocks; which one doesn't hang on growth or difficulty.
            let first = scenarios.first().and_then(|(_, inputs)| inputs.combinations().into_iter().next());
            let Some(first) = first else { continue };
            let network = self.network(&plan.windows[window], &first, window)?;
            let Some(fleet) = machines.fleet(entry, &network)? else {
                plan.notes.push(machines.left_out(entry, &network));
                continue;
            };
            name.get_or_insert_with(|| machines::name_of(&fleet));
            let counts = entry.as_ref().count.as_ref().map_or_else(|| vec![1], |counts| counts.0.clone());
            for count in counts {
                for (scenario, inputs) in &scenarios {
                    for economics in inputs.combinations() {
                        let case = self.case(plan, (window, place, *scenario), count, &fleet, economics)?;
                        plan.cases.push(case);
                    }
                }
                if plan.cases.len() > CASES_MAX {
                    let reason = format!("the study has more than {CASES_MAX} cases by this fleet");
                    return Err(self.error(&entry.span(), reason, "name fewer windows, counts, scenarios or prices"));
                }
            }
        }
        plan.fleets.push(name.unwrap_or_else(|| machines::name_asked(entry.as_ref())));
        Ok(())
    }

    /// Returns the scenarios of a window with their figures, or the window's own figures where there is none.
    fn scenarios_of(&self, plan: &Plan, window: usize) -> Result<Vec<(Option<usize>, Inputs)>, FileError> {
        let below = self.file.window[window].as_ref().inputs().over(&self.file.inputs());
        let mut scenarios = Vec::new();
        for (place, entry) in self.file.scenario.iter().enumerate() {
            let entry: &ScenarioEntry = entry.as_ref();
            if self.windows_of(plan, &entry.windows)?.contains(&window) {
                scenarios.push((Some(place), entry.inputs().over(&below)));
            }
        }
        if scenarios.is_empty() {
            scenarios.push((None, below));
        }
        let resampled = plan.model.as_ref().and_then(Model::mean_growth);
        for (_, inputs) in &mut scenarios {
            let is_said = [Input::Growth, Input::Difficulty].iter().any(|input| inputs.lists.contains_key(input));
            if let Some(growth) = resampled.filter(|_| !is_said) {
                inputs.lists.insert(Input::Growth, vec![crate::interval::Interval::exact(growth)]);
            }
        }
        Ok(scenarios)
    }

    fn network(&self, window: &WindowPlan, economics: &Economics, place: usize) -> Result<Network, FileError> {
        let said = |input| economics.get(input).map(|figure| figure.value);
        window
            .network(said(Input::Growth), said(Input::Difficulty))
            .map_err(|error| self.error(&self.file.window[place].span(), error.to_string(), history_help(&error)))
    }

    fn case(
        &self,
        plan: &Plan,
        (window, fleet, scenario): (usize, usize, Option<usize>),
        count: u32,
        machines: &Fleet,
        economics: Economics,
    ) -> Result<Case, FileError> {
        let window_plan = &plan.windows[window];
        let network = self.network(window_plan, &economics, window)?;
        let machines = machines.times(count);
        for class in &machines.classes {
            // What can't be is refused in the words of `cost`.
            let inputs = CostInputs {
                energy: class.energy,
                count: class.count,
                price_kwh: economics.value(Input::PriceKwh),
                coin_price: economics.get(Input::CoinPrice).map(|price| price.value),
                pue: economics.value(Input::Pue),
                ..CostInputs::new(algorithm_of(&network), class.rate_hps, network.clone())
            };
            cost(&inputs)
                .map_err(|error| self.error(&self.file.window[window].span(), error.to_string(), cost_help(&error)))?;
        }
        let Network::Window { stretches, .. } = &network else { unreachable!("a study's networks are windows") };
        let epochs = Epochs::new(window_plan.coin, stretches).after(window_plan.history.end_s());
        Ok(Case { window, fleet, count, scenario, machines, economics, network, epochs })
    }

    /// Chooses the case that stands for each window: the one that the file says, or the first.
    fn mains(&self, plan: &Plan) -> Result<Vec<usize>, FileError> {
        let (mut fleet, mut scenario, mut count) = (None, None, None);
        if let Some(main) = &self.file.main {
            let main = main.as_ref();
            fleet = main.fleet.as_ref().map(|name| self.find("fleet", name, plan.fleets.iter())).transpose()?;
            scenario =
                main.scenario.as_ref().map(|name| self.find("scenario", name, plan.scenarios.iter())).transpose()?;
            if let Some(wanted) = &main.count {
                if !plan
                    .cases
                    .iter()
                    .any(|case| case.count == *wanted.as_ref() && fleet.is_none_or(|f| f == case.fleet))
                {
                    let reason = format!("no fleet that is meant has the count {}", wanted.as_ref());
                    return Err(self.error(&wanted.span(), reason, "name a count that stands at the fleet"));
                }
                count = Some(*wanted.as_ref());
            }
        }
        let is_meant = |case: &Case| {
            fleet.is_none_or(|fleet| fleet == case.fleet)
                && scenario.is_none_or(|scenario| case.scenario == Some(scenario))
                && count.is_none_or(|count| count == case.count)
        };
        let of = |window: usize| {
            let first =
                |is: &dyn Fn(&Case) -> bool| plan.cases.iter().position(|case| case.window == window && is(case));
            first(&is_meant).or_else(|| first(&|_| true))
        };
        Ok((0..plan.windows.len()).filter_map(of).collect())
    }
}

/// Returns the algorithm of the first blocks of a network.
pub(super) fn algorithm_of(network: &Network) -> &'static str {
    network.proofs().first().map_or_else(|| network.coin().algorithm(), |proof| proof.algorithm)
}

fn history_help(error: &HistoryError) -> &'static str {
    match error {
        HistoryError::PastData { .. } => {
            "say how the difficulty grows (growth = \"2%/epoch\") or what it is (difficulty = 120e12); Bitcoin's \
             history is extended by epochs = \"FILE\""
        }
        HistoryError::HeightPastData { .. } => "take earlier blocks, or days with growth = \"2%/epoch\"",
        HistoryError::BeforeChain { .. } => "take a later day",
        HistoryError::Backwards { .. } => "exchange the two days",
        HistoryError::BlocksBackwards { .. } => "exchange the two blocks",
        HistoryError::GrowthTooLarge => "take a smaller growth, or a shorter window",
        _ => "",
    }
}

fn cost_help(error: &CostError) -> &'static str {
    match error {
        CostError::AlgorithmChanges { .. } => "take two windows, one before and one after",
        CostError::NoSubsidy(_) => "take an earlier window",
        _ => "",
    }
}

/// Words a window by its days.
pub(super) fn words_of(window: Window) -> String {
    format!("{} to {}", format_day(window.start_s()), format_day(window.end_s() - 1))
}
