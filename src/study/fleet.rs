//! Machines that work together: several classes of them, each with its rate and its draw.

use serde::Serialize;

use super::cost::EnergyRate;
use crate::interval::Interval;

/// Machines of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// What one of them is called.
    pub name: String,
    /// `asic`, `gpu` or `cpu` where the catalogue says so, `engine` for one of a record; else empty.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// Hashes per second of one.
    pub rate_hps: Interval,
    /// What one draws, where it is known.
    pub energy: Option<EnergyRate>,
    /// The price of one, where it is said for this class.
    pub capex: Option<f64>,
    /// Where its figures come from.
    pub source: String,
}

/// Machines that work together, all of one algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// The classes; not empty.
    pub classes: Vec<Class>,
}

/// The rate and the power of a whole fleet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Draw {
    /// Hashes per second.
    pub rate_hps: f64,
    /// Watts; absent where that of any class is.
    pub power_w: Option<f64>,
}

impl Fleet {
    /// Returns how many machines there are.
    pub fn machines(&self) -> f64 {
        self.classes.iter().map(|class| f64::from(class.count)).sum()
    }

    /// Returns rate and power with all rates at one end of their intervals, and all draws at one of theirs.
    pub fn at(&self, rate: fn(Interval) -> f64, draw: fn(Interval) -> f64) -> Draw {
        let (mut rate_hps, mut power_w) = (0.0, Some(0.0));
        for class in &self.classes {
            let one_hps = rate(class.rate_hps);
            let one_w = class.energy.map(|energy| match energy {
                EnergyRate::PowerW(watts) => draw(watts),
                EnergyRate::JoulesPerHash(joules) => draw(joules) * one_hps,
            });
            let count = f64::from(class.count);
            rate_hps += one_hps * count;
            power_w = power_w.zip(one_w).map(|(sum, one)| sum + one * count);
        }
        Draw { rate_hps, power_w }
    }

    /// Returns rate and power at their best values.
    pub fn best(&self) -> Draw {
        self.at(|rate| rate.value, |draw| draw.value)
    }

    /// Returns rate and power at the corners of all intervals, where the worst and the best results lie.
    pub fn corners(&self) -> [Draw; 4] {
        let low: fn(Interval) -> f64 = |interval| interval.low;
        let high: fn(Interval) -> f64 = |interval| interval.high;
        [self.at(low, low), self.at(low, high), self.at(high, low), self.at(high, high)]
    }

    /// Returns what all machines cost: each class at its own price, or at the one for all. Absent without a price for
    /// any of them.
    pub fn purchase(&self, capex: Option<f64>) -> Option<f64> {
        let of = |class: &Class| Some(class.capex.or(capex)? * f64::from(class.count));
        self.classes.iter().map(of).sum()
    }

    /// Returns the same machines, so many times as many.
    #[must_use]
    pub fn times(&self, count: u32) -> Self {
        let classes =
            self.classes.iter().map(|class| Class { count: class.count.saturating_mul(count), ..class.clone() });
        Self { classes: classes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(rate: f64, energy: Option<EnergyRate>, count: u32) -> Class {
        let rate_hps = Interval { value: rate, low: rate * 0.9, high: rate * 1.1 };
        Class { name: "x".to_owned(), kind: String::new(), count, rate_hps, energy, capex: None, source: String::new() }
    }

    #[test]
    fn classes_add_up_at_each_corner() {
        let watts = Interval { value: 10.0, low: 9.0, high: 12.0 };
        let joules = Interval { value: 0.5, low: 0.4, high: 0.6 };
        let classes = vec![
            class(100.0, Some(EnergyRate::PowerW(watts)), 2),
            class(20.0, Some(EnergyRate::JoulesPerHash(joules)), 3),
        ];
        let fleet = Fleet { classes };
        assert_eq!(fleet.best(), Draw { rate_hps: 260.0, power_w: Some(50.0) });
        assert_eq!(fleet.machines(), 5.0);
        let close = |draw: Draw, rate: f64, power: f64| {
            assert!((draw.rate_hps - rate).abs() < 1e-9 && (draw.power_w.unwrap() - power).abs() < 1e-9, "{draw:?}");
        };
        // 2 × 9 + 3 × 18 × 0.4, and 2 × 12 + 3 × 22 × 0.6.
        close(fleet.corners()[0], 234.0, 39.6);
        close(fleet.corners()[3], 286.0, 63.6);
        assert_eq!(fleet.times(4).best(), Draw { rate_hps: 1040.0, power_w: Some(200.0) });
    }

    #[test]
    fn one_class_without_a_figure_leaves_the_sum_absent() {
        let mut fleet =
            Fleet { classes: vec![class(1.0, None, 1), class(1.0, Some(EnergyRate::PowerW(Interval::exact(1.0))), 1)] };
        assert_eq!(fleet.best().power_w, None);
        assert_eq!((fleet.purchase(None), fleet.purchase(Some(10.0))), (None, Some(20.0)));
        fleet.classes[0].capex = Some(3.0);
        assert_eq!((fleet.purchase(None), fleet.purchase(Some(10.0))), (None, Some(13.0)));
    }
}
