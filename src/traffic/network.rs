//! What hashes earned while the traffic was seen, and which machines there were.

use jiff::civil::Date;
use serde::Serialize;

use super::error::TrafficError;
use super::observation::Observation;
use crate::coin::hardware::{Catalogue, Machine};
use crate::coin::history::SECONDS_PER_DAY;
use crate::coin::history::{Growth, History, Window};
use crate::coin::{Coin, NetworkPoint};
use crate::study::{Epochs, Network};

/// The classes of machines, the strongest first.
const CLASSES: [&str; 3] = ["asic", "gpu", "cpu"];

/// The network over the time of an observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Earnings {
    /// The coin.
    pub coin: Coin,
    /// How long, in days.
    pub days: f64,
    /// Blocks that one hash per second is expected to find in this time.
    pub blocks_per_hps: f64,
    /// Coins of subsidy that one hash per second is expected to find in this time.
    pub coins_per_hps: f64,
    /// The rate of the whole network in H/s: what the difficulty asks for at the coin's time between blocks.
    pub network_hps: f64,
    /// The proof of work of the time.
    pub algorithm: &'static str,
    /// The newest machine of each class that had come out by then, the strongest class first; the fastest of several.
    pub(super) machines: Vec<Representative>,
    /// Where the figures come from, in words.
    pub source: String,
}

impl Earnings {
    /// Takes the coin's history over the window of an observation, or its figures of now for one day.
    ///
    /// # Errors
    ///
    /// [`TrafficError::History`] where the history doesn't cover the window, and [`TrafficError::AlgorithmChanges`].
    pub fn over(observation: &Observation, history: &History, growth: Option<Growth>) -> Result<Self, TrafficError> {
        let coin = observation.coin;
        let network = match observation.window {
            Some(window) => Network::over(history, window, growth)?,
            None => Network::Point { point: NetworkPoint::snapshot(coin), days: observation.days() },
        };
        let proofs = network.proofs();
        let algorithm = proofs.first().map_or(coin.algorithm(), |proof| proof.algorithm);
        if let Some(other) = proofs.iter().find(|proof| proof.algorithm != algorithm) {
            let (after, height) = (other.algorithm, other.from_height);
            return Err(TrafficError::AlgorithmChanges { coin, before: algorithm, after, height });
        }
        let (blocks_per_hps, coins_per_hps, source) = match &network {
            Network::Point { point, days } => {
                let blocks = days * SECONDS_PER_DAY / point.hashes_expected_per_block();
                (blocks, blocks * point.subsidy_coins(), point.source.clone())
            }
            Network::Window { stretches, source, .. } => {
                let epochs = Epochs::new(coin, stretches);
                (epochs.blocks_per_hps.iter().sum(), epochs.coins_per_hps.iter().sum(), source.clone())
            }
        };
        let days = network.days();
        let block_s = match coin {
            Coin::Btc => 600.0,
            Coin::Xmr => 120.0,
        };
        Ok(Self {
            coin,
            days,
            blocks_per_hps,
            coins_per_hps,
            network_hps: days * SECONDS_PER_DAY / block_s / blocks_per_hps,
            algorithm,
            machines: machines(algorithm, observation.window.map(Window::to)),
            source,
        })
    }

    /// The expected number of hashes for one block, as the mean that gives the blocks of the window.
    pub fn hashes_per_block(&self) -> f64 {
        self.days * SECONDS_PER_DAY / self.blocks_per_hps
    }

    /// The newest machine of each class that had come out by then, the strongest class first.
    pub fn machines(&self) -> Vec<Representative> {
        self.machines.clone()
    }

    /// The slowest machine of the catalogue that had come out by then, in H/s; 1 H/s where there is none.
    pub(super) fn slowest_hps(&self) -> f64 {
        self.machines.iter().map(|machine| machine.rate_hps).fold(f64::NAN, f64::min).max(1.0)
    }
}

/// The newest machine of each class that had come out by a day.
fn machines(algorithm: &str, day: Option<Date>) -> Vec<Representative> {
    // Months compare as text: 2016-06.
    let month = day.map_or_else(|| "9999-12".to_owned(), |day| day.to_string()[..7].to_owned());
    let catalogue = Catalogue::built_in();
    let newest = |class: &&str| {
        let is_there = |machine: &&Machine| {
            machine.class == **class && machine.algorithm == algorithm && machine.released <= month
        };
        let age = |a: &&Machine, b: &&Machine| a.released.cmp(&b.released).then(a.rate_hps.total_cmp(&b.rate_hps));
        catalogue.machines().iter().filter(is_there).max_by(age).map(Representative::of)
    };
    CLASSES.iter().filter_map(newest).collect()
}

/// A machine that stands for its class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Representative {
    /// Its name in the catalogue.
    pub name: String,
    /// `asic`, `gpu` or `cpu`.
    pub class: String,
    /// When it came out, such as `2016-06`.
    pub released: String,
    /// Its rate in H/s.
    pub rate_hps: f64,
    /// What it draws in W, where somebody states it.
    pub power_w: Option<f64>,
}

impl Representative {
    fn of(machine: &Machine) -> Self {
        Self {
            name: machine.name.clone(),
            class: machine.class.clone(),
            released: machine.released.clone(),
            rate_hps: machine.rate_hps,
            power_w: machine.power_w,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::interval::Interval;
    use crate::study::{CostInputs, cost};
    use crate::traffic::{Count, Per};

    fn earnings(coin: Coin, from: Date, to: Date) -> Result<Earnings, TrafficError> {
        let window = Some(Window::new(from, to).unwrap());
        let observation = Observation::new(coin, Count::exactly(300), Per::Day, window);
        Earnings::over(&observation, &History::built_in(coin), None)
    }

    #[test]
    fn an_s9_earns_what_a_cost_says() {
        let summer = earnings(Coin::Btc, date(2017, 5, 17), date(2017, 7, 6)).unwrap();
        // METHODOLOGY's worked figure.
        assert!((13.5e12 * summer.coins_per_hps - 0.266_00).abs() < 5e-6);
        let window = Window::new(date(2017, 5, 17), date(2017, 7, 6)).unwrap();
        let network = Network::over(&History::built_in(Coin::Btc), window, None).unwrap();
        let cost = cost(&CostInputs::new("sha256d", Interval::exact(1e15), network)).unwrap();
        assert!((1e15 * summer.blocks_per_hps / cost.solo.expected_blocks - 1.0).abs() < 1e-12);
        assert!((1e15 * summer.coins_per_hps / cost.coins.mean - 1.0).abs() < 1e-12);
        // The network's rate in June 2017 was about 5 EH/s.
        assert!((4e18..6e18).contains(&summer.network_hps), "{}", summer.network_hps);
    }

    #[test]
    fn machines_are_those_of_the_time() {
        let names = |coin, from, to| -> Vec<String> {
            earnings(coin, from, to).unwrap().machines.into_iter().map(|machine| machine.name).collect()
        };
        let summer = names(Coin::Btc, date(2017, 5, 17), date(2017, 7, 6));
        assert_eq!(summer, ["Antminer S9", "GeForce GTX 1060 6GB"]);
        assert_eq!(names(Coin::Btc, date(2016, 5, 1), date(2016, 5, 31))[0], "Antminer S7");
        assert_eq!(names(Coin::Xmr, date(2018, 10, 1), date(2018, 10, 31))[0], "Radeon RX Vega 56, six of them");
        let now = Observation::new(Coin::Xmr, Count::exactly(1), Per::Day, None);
        let now = Earnings::over(&now, &History::built_in(Coin::Xmr), None).unwrap();
        assert_eq!(now.machines[0].name, "Antminer X5");
        assert_eq!(now.days, 1.0);
        assert!(now.slowest_hps() < 30e3);
    }

    #[test]
    fn a_window_across_two_proofs_of_work_is_refused() {
        let error = earnings(Coin::Xmr, date(2019, 11, 1), date(2019, 12, 31)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Monero changed its proof of work from cryptonight to randomx-v1 at block 1978433, within the window"
        );
        assert!(earnings(Coin::Xmr, date(2018, 3, 1), date(2018, 5, 31)).is_ok(), "variants are one");
        assert!(earnings(Coin::Btc, date(2030, 1, 1), date(2030, 1, 2)).is_err());
    }
}
