//! What a study simulates: luck, and how difficulty and price may go.

use toml::Spanned;

use super::super::file::{DifficultyEntry, FileError, MonteCarloEntry};
use super::windows::Histories;
use super::{Reader, history_help};
use crate::coin::Coin;
use crate::coin::history::{History, Window};

/// More paths than any machine's memory is meant for.
const PATHS_MAX: u32 = 10_000_000;
/// Changes that are too few to be drawn from.
const CHANGES_MIN: usize = 10;

/// Who finds the blocks that machines are paid for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Luck {
    /// A pool that pays for each share: no luck at all.
    None,
    /// The machines, alone.
    Solo,
    /// A pool of this rate in hashes per second, which shares what it finds.
    Pool(f64),
}

/// How the difficulty walks around its assumed growth, past the data.
#[derive(Debug, Clone, PartialEq)]
pub enum Difficulty {
    /// Not at all.
    AsAssumed,
    /// Its logarithm varies by this much from epoch to epoch.
    Walk(f64),
    /// Changes of past epochs are drawn again: logarithms, less their mean. And the mean, as growth per epoch.
    Resampled {
        /// The logarithms of the changes, less their mean.
        deviations: Vec<f64>,
        /// What the difficulty grew by, a fraction per epoch.
        mean_growth: f64,
        /// The days that they come from.
        days: Window,
    },
}

/// How the price of a coin walks from what it is at a window's beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceWalk {
    /// The yearly change of the median, as a fraction.
    pub drift: f64,
    /// By how much the logarithm varies in a year.
    pub volatility: f64,
}

/// What paths are drawn by.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// How many paths.
    pub paths: u32,
    /// What they are drawn by.
    pub seed: u64,
    /// Who finds the blocks.
    pub luck: Luck,
    /// How the difficulty walks.
    pub difficulty: Difficulty,
    /// How the price walks.
    pub price: PriceWalk,
    /// How the steps of price and difficulty hang together, from -1 to 1.
    pub correlation: f64,
    /// Whether rates and powers are drawn from their intervals.
    pub measurement: bool,
}

impl Model {
    /// Returns the growth that past changes come to on average, where they are drawn again.
    pub fn mean_growth(&self) -> Option<f64> {
        match self.difficulty {
            Difficulty::Resampled { mean_growth, .. } => Some(mean_growth),
            _ => None,
        }
    }
}

impl Reader<'_> {
    /// Reads what is to be simulated. Past changes of the difficulty are filled in later.
    pub(super) fn model(&self) -> Result<Option<Model>, FileError> {
        let Some(entry) = &self.file.monte_carlo else { return Ok(None) };
        let (span, entry): (_, &MonteCarloEntry) = (entry.span(), entry.as_ref());
        let paths = match &entry.paths {
            None => super::super::file::DEFAULT_PATHS,
            Some(paths) if (100..=PATHS_MAX).contains(paths.as_ref()) => *paths.as_ref(),
            Some(paths) => {
                let reason =
                    format!("{} paths: fewer than 100 say nothing, more than {PATHS_MAX} no more", paths.as_ref());
                return Err(self.error(&paths.span(), reason, "take 10000, or 1000000 for smooth tails"));
            }
        };
        let luck = match (entry.luck.as_ref().map(|luck| luck.as_ref().as_str()), entry.pool_hashrate) {
            (None | Some("none"), None) => Luck::None,
            (Some("solo"), None) => Luck::Solo,
            (None | Some("pool"), Some(rate)) => Luck::Pool(rate.0.value),
            (luck, _) => {
                let place = entry.luck.as_ref().map_or(span.clone(), Spanned::span);
                let help =
                    "luck = \"none\" (a pool that pays each share), \"solo\", or \"pool\" with pool_hashrate = \"5E\"";
                return Err(self.error(
                    &place,
                    format!("luck {:?} is none that is known so", luck.unwrap_or("")),
                    help,
                ));
            }
        };
        let difficulty = match entry.difficulty.as_ref().map(|entry| (entry.span(), entry.as_ref())) {
            None => Difficulty::AsAssumed,
            Some((span, DifficultyEntry { resample: Some(_), .. }))
                if entry.difficulty.as_ref().is_some_and(|d| d.as_ref().volatility().is_some()) =>
            {
                return Err(self.error(
                    &span,
                    "the difficulty walks in one of two ways",
                    "leave volatility or resample out",
                ));
            }
            Some((_, entry)) => entry.volatility().map_or(Difficulty::AsAssumed, Difficulty::Walk),
        };
        let correlation = entry.correlation();
        let walks = matches!(difficulty, Difficulty::Walk(_)) && entry.price.is_some();
        if let Some((_, span)) = correlation.clone().filter(|_| !walks) {
            let help = "give both a volatility: difficulty = { volatility = \"4%\" }, price = { volatility = \"60%\" }";
            return Err(self.error(&span, "steps of price and difficulty hang together only where both walk", help));
        }
        let price = entry.price.as_ref().map_or(PriceWalk { drift: 0.0, volatility: 0.0 }, |price| PriceWalk {
            drift: price.drift(),
            volatility: price.volatility(),
        });
        Ok(Some(Model {
            paths,
            seed: entry.seed,
            luck,
            difficulty,
            price,
            correlation: correlation.map_or(0.0, |(correlation, _)| correlation),
            measurement: entry.measurement.unwrap_or(true),
        }))
    }

    /// Looks up the past changes that are to be drawn again, if any are.
    pub(super) fn resample(&self, model: &mut Model, histories: &Histories) -> Result<(), FileError> {
        let entry = self.file.monte_carlo.as_ref().and_then(|entry| entry.as_ref().difficulty.as_ref());
        let Some(days) = entry.and_then(|entry| entry.as_ref().resample.as_ref()) else { return Ok(()) };
        let span = days.span();
        if self.file.coin.as_ref().map(|coin| *coin.as_ref()) != Some(Coin::Btc) {
            let reason = "only Bitcoin's history has a change for each epoch";
            return Err(self.error(
                &span,
                reason,
                "write difficulty = { volatility = \"4%\" }, or coin = \"btc\" at the top",
            ));
        }
        let (from, to) = days.as_ref();
        let of_history = |error| self.error(&span, format!("{error}"), history_help(&error));
        let days = Window::new(from.0, to.0).map_err(of_history)?;
        let changes = changes(histories.of(Coin::Btc), days).map_err(of_history)?;
        if changes.len() < CHANGES_MIN {
            let reason = format!("{} changes of the difficulty are too few to draw from", changes.len());
            return Err(self.error(&span, reason, "take a year or more"));
        }
        let mean = changes.iter().sum::<f64>() / changes.len() as f64;
        model.difficulty = Difficulty::Resampled {
            deviations: changes.iter().map(|change| change - mean).collect(),
            mean_growth: libm::expm1(mean),
            days,
        };
        Ok(())
    }
}

/// Returns the logarithms of the difficulty's changes within some days.
fn changes(history: &History, days: Window) -> Result<Vec<f64>, crate::coin::history::HistoryError> {
    let mut difficulties: Vec<f64> = Vec::new();
    for stretch in history.stretches(days, None)? {
        // A halving cuts an epoch in two, which is no change.
        let is_cut = !stretch.height.is_multiple_of(crate::coin::history::bitcoin::EPOCH_BLOCKS);
        if !is_cut || difficulties.is_empty() {
            difficulties.push(stretch.difficulty);
        }
    }
    Ok(difficulties.windows(2).map(|pair| libm::log(pair[1] / pair[0])).collect())
}
