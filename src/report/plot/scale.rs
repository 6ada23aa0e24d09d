//! From values to places on a plot, and the ticks of an axis.

/// How values are spread over an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spread {
    /// With the step by which its ends were found, so that ticks of that step stand on both.
    Linear {
        step: f64,
    },
    Logarithmic,
}

/// One direction of a plot: a range of values, and the places of its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    spread: Spread,
    min: f64,
    max: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A linear scale whose ends are the nice values around `min` and `max`, for about `ticks` ticks.
    ///
    /// Where both are alike, or none is a number, there is room around them all the same.
    #[must_use]
    pub(super) fn linear(min: f64, max: f64, ticks: usize) -> Self {
        // Far enough from the greatest float that no difference below overflows.
        let (min, max) = (min.clamp(-1e300, 1e300), max.clamp(-1e300, 1e300));
        let (min, max) = match (min, max) {
            (min, max) if min < max => (min, max),
            (min, _) if min.is_finite() && min != 0.0 => (min - min.abs() / 10.0, min + min.abs() / 10.0),
            _ => (0.0, 1.0),
        };
        let step = nice_step((max - min) / float(ticks.max(1)));
        Self::new(Spread::Linear { step }, (min / step).floor() * step, (max / step).ceil() * step)
    }

    /// A logarithmic scale from one power of ten to another, around `min` and `max`.
    #[must_use]
    pub(super) fn logarithmic(min: f64, max: f64) -> Self {
        let is_usable = |value: f64| value.is_normal() && value > 0.0;
        let (min, max) = if is_usable(min) && is_usable(max) && min <= max { (min, max) } else { (1.0, 10.0) };
        // What is a power of ten but for its rounding shall not take a decade more.
        let low = (min.log10() + 1e-9).floor().clamp(-307.0, 307.0);
        let high = (max.log10() - 1e-9).ceil().clamp(low + 1.0, 308.0);
        Self::new(Spread::Logarithmic, 10_f64.powf(low), 10_f64.powf(high))
    }

    /// A logarithmic scale from `min` to `max` as they are.
    #[must_use]
    pub(super) fn logarithmic_exactly(min: f64, max: f64) -> Self {
        Self { min, max, ..Self::logarithmic(min, max) }
    }

    fn new(spread: Spread, min: f64, max: f64) -> Self {
        Self { spread, min, max, from: 0.0, to: 1.0 }
    }

    /// The same scale between two places.
    #[must_use]
    pub(super) fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// Returns the place of a value; what lies outside is put on the nearer end.
    #[must_use]
    pub(super) fn at(&self, value: f64) -> f64 {
        let part = match self.spread {
            Spread::Linear { .. } => (value - self.min) / (self.max - self.min),
            Spread::Logarithmic if value > 0.0 => {
                (value.log10() - self.min.log10()) / (self.max.log10() - self.min.log10())
            }
            Spread::Logarithmic => 0.0,
        };
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        self.from + part * (self.to - self.from)
    }

    /// Returns the place of the low end.
    #[must_use]
    pub(super) fn from(&self) -> f64 {
        self.from
    }

    /// Returns the place of the high end.
    #[must_use]
    pub(super) fn to(&self) -> f64 {
        self.to
    }

    /// Returns the lowest and the highest value.
    #[must_use]
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.min, self.max)
    }

    /// Returns round values between the ends, about `count` of them: multiples of 1, 2 or 5 times a power of ten; on a
    /// logarithmic scale powers of ten, and with few decades the doubles and quintuples between them.
    #[must_use]
    pub(super) fn ticks(&self, count: usize) -> Vec<f64> {
        match self.spread {
            Spread::Linear { step } => self.linear_ticks(step, count.max(1)),
            Spread::Logarithmic => self.logarithmic_ticks(count.max(1)),
        }
    }

    fn linear_ticks(&self, step: f64, count: usize) -> Vec<f64> {
        let wide = nice_step((self.max - self.min) / float(count));
        let step = if (self.max - self.min) / step > 1.6 * float(count) { wide } else { step };
        let (first, last) = ((self.min / step - 1e-6).ceil(), (self.max / step + 1e-6).floor());
        // Tick by tick as a multiple, because a sum of steps drifts: 0.1 + 0.2 is no tick.
        (0..=(last - first).clamp(0.0, 1000.0) as usize).map(|index| (first + float(index)) * step + 0.0).collect()
    }

    fn logarithmic_ticks(&self, count: usize) -> Vec<f64> {
        let (low, high) = ((self.min.log10() - 1e-9).floor() as i32, (self.max.log10() + 1e-9).ceil() as i32);
        let is_inside = |value: &f64| *value >= self.min * (1.0 - 1e-9) && *value <= self.max * (1.0 + 1e-9);
        // Through text a power of ten is the float that a person would have written.
        let of_decade = |decade: i32, factors: &'static [u32]| {
            factors.iter().filter_map(move |factor| format!("{factor}e{decade}").parse::<f64>().ok())
        };
        let all = |factors| -> Vec<f64> {
            (low..=high).flat_map(|decade| of_decade(decade, factors)).filter(is_inside).collect()
        };
        for factors in [&[1, 2, 5][..], &[1]] {
            let ticks = all(factors);
            if ticks.len() <= count {
                return ticks;
            }
        }
        let powers = all(&[1]);
        let stride = powers.len().div_ceil(count);
        powers.into_iter().step_by(stride).collect()
    }
}

/// Returns 1, 2 or 5 times a power of ten, at least `step`.
fn nice_step(step: f64) -> f64 {
    if !(step.is_normal() && step > 0.0) {
        return 1.0;
    }
    let exponent = step.log10().floor() as i32;
    let factors = [(exponent, 1), (exponent, 2), (exponent, 5), (exponent + 1, 1), (exponent + 1, 2)];
    let steps = factors.iter().filter_map(|(exponent, factor)| format!("{factor}e{exponent}").parse::<f64>().ok());
    steps.into_iter().find(|nice| *nice >= step * (1.0 - 1e-9)).unwrap_or(step)
}

#[expect(clippy::cast_precision_loss, reason = "a count of ticks")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_enclose_the_values() {
        let scale = Scale::linear(0.13, 0.78, 4);
        assert_eq!(scale.ends(), (0.0, 0.8));
        assert_eq!(scale.ticks(4), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8]);
        assert_eq!(Scale::linear(-7.0, 12.0, 4).ticks(4), [-10.0, -5.0, 0.0, 5.0, 10.0, 15.0]);
        assert_eq!(Scale::linear(152.1e6, 157.9e6, 3).ticks(3), [152e6, 154e6, 156e6, 158e6]);
    }

    #[test]
    fn places_follow_the_values_and_stay_inside() {
        let scale = Scale::linear(0.0, 10.0, 5).between(100.0, 200.0);
        assert_eq!([0.0, 2.5, 10.0, -5.0, 99.0].map(|value| scale.at(value)), [100.0, 125.0, 200.0, 100.0, 200.0]);
        let scale = Scale::logarithmic(1e-9, 1e-6).between(300.0, 0.0);
        assert_eq!([1e-9, 1e-8, 1e-6].map(|value| scale.at(value).round()), [300.0, 200.0, 0.0]);
        assert_eq!([0.0, -1.0, f64::NAN, f64::INFINITY].map(|value| scale.at(value)), [300.0, 300.0, 300.0, 300.0]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_unless_there_is_room_for_more() {
        assert_eq!(Scale::logarithmic(3.4e-7, 1.6e-6).ends(), (1e-7, 1e-5));
        assert_eq!(Scale::logarithmic(3.4e-7, 1.6e-6).ticks(3), [1e-7, 1e-6, 1e-5]);
        assert_eq!(Scale::logarithmic(1.0, 10.0).ticks(5), [1.0, 2.0, 5.0, 10.0]);
        assert_eq!(Scale::logarithmic(1e-12, 1e-2).ticks(4), [1e-12, 1e-9, 1e-6, 1e-3]);
        assert_eq!(Scale::logarithmic(1e3, 1e3).ends(), (1e3, 1e4));
        assert_eq!(Scale::logarithmic_exactly(0.02, 0.4).ticks(5), [0.02, 0.05, 0.1, 0.2]);
    }

    #[test]
    fn no_range_of_values_leaves_a_scale_without_room() {
        for (min, max) in [(0.0, 0.0), (5.0, 5.0), (f64::NAN, 1.0), (f64::NEG_INFINITY, f64::INFINITY), (2.0, 1.0)] {
            for scale in [Scale::linear(min, max, 4), Scale::logarithmic(min, max)] {
                let (low, high) = scale.ends();
                assert!(low < high, "{min} {max}: {scale:?}");
                assert!(!scale.ticks(4).is_empty(), "{min} {max}");
                assert!(scale.at(min).is_finite());
            }
        }
        let extremes = Scale::logarithmic(f64::MIN_POSITIVE, f64::MAX);
        assert!(extremes.ticks(5).len() <= 6);
        assert!(extremes.at(1.0) > 0.0);
        assert!(Scale::linear(-f64::MAX, f64::MAX, 4).ticks(4).len() < 50);
    }
}
