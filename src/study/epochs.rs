//! Epochs prepared for many passes over them: simulations change the difficulty a million times, and nothing else.

use crate::coin::Coin;
use crate::coin::history::bitcoin::EPOCH_BLOCKS;
use crate::coin::history::{Basis, Stretch};

/// A window of history as plain numbers, one of each for a stretch, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Epochs {
    /// When each starts, in seconds since 1970.
    pub start_s: Vec<f64>,
    /// How long each is, in seconds.
    pub seconds: Vec<f64>,
    /// Blocks that one hash per second finds in each.
    pub blocks_per_hps: Vec<f64>,
    /// Coins of subsidy that one hash per second finds in each.
    pub coins_per_hps: Vec<f64>,
    /// How many of them the history knows; behind them everything is assumed.
    pub known: usize,
    /// How often the difficulty changed by assumption at the start of each: none where a halving cuts an epoch.
    pub steps: Vec<u32>,
    /// Whether all of it is assumed.
    is_assumed: bool,
}

/// Days between two changes of an assumed difficulty, about.
const STEP_S: f64 = 1_209_600.0;

impl Epochs {
    /// Prepares the stretches of a coin's history.
    pub fn new(coin: Coin, stretches: &[Stretch]) -> Self {
        let blocks = |stretch: &Stretch| stretch.seconds() / stretch.hashes_expected_per_block();
        let coins = |stretch: &Stretch| blocks(stretch) * stretch.subsidy_coins(coin);
        Self {
            start_s: stretches.iter().map(|stretch| stretch.start_s as f64).collect(),
            seconds: stretches.iter().map(Stretch::seconds).collect(),
            blocks_per_hps: stretches.iter().map(blocks).collect(),
            coins_per_hps: stretches.iter().map(coins).collect(),
            known: stretches.iter().take_while(|stretch| stretch.basis == Basis::Known).count(),
            steps: (0..stretches.len()).map(|index| u32::from(is_step(coin, stretches, index))).collect(),
            is_assumed: stretches.first().is_some_and(|stretch| stretch.basis == Basis::Assumed),
        }
    }

    /// The same, where the data ended so long before the first stretch that the difficulty had changed by assumption.
    #[must_use]
    pub fn after(mut self, data_end_s: i64) -> Self {
        if let (Some(steps), Some(start_s)) = (self.steps.first_mut(), self.start_s.first())
            && self.is_assumed
        {
            *steps = (((start_s - data_end_s as f64) / STEP_S).round().max(0.0) as u32).max(*steps);
        }
        self
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.seconds.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }

    /// Returns the coins of one hash per second, where the difficulty of each epoch is `factor` times what is prepared.
    ///
    /// `factor` is asked once for each epoch, in order of time: it may walk at random.
    pub fn coins_with(&self, mut factor: impl FnMut(usize) -> f64) -> f64 {
        self.coins_per_hps.iter().enumerate().map(|(index, coins)| coins / factor(index)).sum()
    }
}

/// Tells whether an assumed difficulty changes where a stretch begins. A halving alone cuts an epoch in two.
fn is_step(coin: Coin, stretches: &[Stretch], index: usize) -> bool {
    let stretch = &stretches[index];
    stretch.basis == Basis::Assumed && (coin == Coin::Xmr || stretch.height.is_multiple_of(EPOCH_BLOCKS))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::coin::history::{Growth, History, Window};
    use crate::interval::Interval;
    use crate::study::{CostInputs, Network, cost};

    fn ten_years() -> (Network, Epochs) {
        let history = History::built_in(Coin::Btc);
        let window = Window::new(date(2026, 6, 1), date(2036, 5, 31)).unwrap();
        let network = Network::over(&history, window, Growth::per_epoch(0.01)).unwrap();
        let Network::Window { stretches, .. } = &network else { unreachable!("it was made so") };
        let epochs = Epochs::new(Coin::Btc, stretches);
        (network, epochs)
    }

    #[test]
    fn an_untouched_difficulty_gives_the_coins_of_a_cost() {
        let (network, epochs) = ten_years();
        let rate_hps = 200e12;
        let cost = cost(&CostInputs::new("sha256d", Interval::exact(rate_hps), network)).unwrap();
        let coins = rate_hps * epochs.coins_with(|_| 1.0);
        assert!((coins / cost.coins.mean - 1.0).abs() < 1e-12, "{coins}");
        let blocks = rate_hps * epochs.blocks_per_hps.iter().sum::<f64>();
        assert!((blocks / cost.solo.expected_blocks - 1.0).abs() < 1e-12, "{blocks}");
        assert_eq!(epochs.len(), cost.epochs.len());
        assert!(!epochs.is_empty() && (1..4).contains(&epochs.known), "{}", epochs.known);
    }

    #[test]
    fn twice_the_difficulty_gives_half_the_coins() {
        let (_, epochs) = ten_years();
        let mut asked = Vec::new();
        let halved = epochs.coins_with(|index| {
            asked.push(index);
            2.0
        });
        assert!((halved * 2.0 / epochs.coins_with(|_| 1.0) - 1.0).abs() < 1e-12);
        assert_eq!(asked, (0..epochs.len()).collect::<Vec<_>>());
    }
}
