//! A measured value with the interval around it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value with the interval that its measurement leaves open. The unit is that of the field which holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The best value.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// A value that is declared rather than measured: both ends are the value itself.
    pub const fn exact(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// Whether all three are finite and `low <= value <= high`.
    pub fn is_ordered(&self) -> bool {
        self.low.is_finite() && self.high.is_finite() && self.low <= self.value && self.value <= self.high
    }

    /// The same interval in a unit that is `factor` times smaller; `factor` is positive.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { value: self.value * factor, low: self.low * factor, high: self.high * factor }
    }

    /// The larger distance from the value to an end, relative to the value: 0.003 stands for ±0.3 %.
    ///
    /// `None` where the value is not positive, because nothing can be relative to it.
    pub fn relative_half_width(&self) -> Option<f64> {
        (self.value > 0.0).then(|| (self.high - self.value).max(self.value - self.low) / self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_value_has_no_width() {
        assert_eq!(Interval::exact(2.0).relative_half_width(), Some(0.0));
        assert!(Interval::exact(2.0).is_ordered());
    }

    #[test]
    fn the_larger_side_is_the_half_width() {
        let interval = Interval { value: 100.0, low: 98.0, high: 101.0 };
        assert_eq!(interval.relative_half_width(), Some(0.02));
        assert_eq!(interval.scaled(2.0), Interval { value: 200.0, low: 196.0, high: 202.0 });
        assert_eq!(Interval::exact(0.0).relative_half_width(), None);
    }

    #[test]
    fn ends_on_the_wrong_side_and_infinities_are_seen() {
        assert!(!Interval { value: 1.0, low: 1.1, high: 2.0 }.is_ordered());
        assert!(!Interval { value: 1.0, low: 0.5, high: 0.9 }.is_ordered());
        assert!(!Interval { value: 1.0, low: 0.5, high: f64::INFINITY }.is_ordered());
        assert!(!Interval::exact(f64::NAN).is_ordered());
    }

    #[test]
    fn the_json_form_has_the_three_fields() {
        let interval = Interval { value: 1.5, low: 1.0, high: 2.0 };
        let json = serde_json::to_string(&interval).unwrap();
        assert_eq!(json, r#"{"value":1.5,"low":1.0,"high":2.0}"#);
        assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), interval);
    }
}
