//! Numbers with units, as people read them.

use crate::interval::Interval;

/// The prefixes of printed quantities, from 10^-18 in steps of 1000.
const PRINTED_PREFIXES: [&str; 13] = ["a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"];

/// The place of "no prefix" in [`PRINTED_PREFIXES`].
const NO_PREFIX: i32 = 6;

/// A value with an SI prefix, rounded to `digits` significant digits: `22.4 MH/s`, `449 H/s`, `3.21 µJ`.
///
/// Beyond the prefixes a to E, the last prefix takes a power of ten: `1.23e3 EW`.
pub fn format_si(value: f64, unit: &str, digits: usize) -> String {
    if !value.is_finite() {
        return format!("{value} {unit}");
    }
    if value == 0.0 {
        return format!("0 {unit}");
    }
    let rounded = Rounded::new(value, digits);
    let step = (rounded.exponent.div_euclid(3) + NO_PREFIX).clamp(0, PRINTED_PREFIXES.len() as i32 - 1);
    let prefix = PRINTED_PREFIXES[step as usize];
    let exponent = rounded.exponent - 3 * (step - NO_PREFIX);
    let number = if (0..3).contains(&exponent) {
        Rounded { exponent, ..rounded }.plain()
    } else {
        Rounded { exponent, ..rounded }.scientific()
    };
    format!("{number} {prefix}{unit}")
}

/// An energy, given in kWh, with `digits` significant digits: `1,590 kWh`, `262 Wh`, `1.59 GWh`.
///
/// From 1 to 999,999 it stays in kWh, the unit of an electricity bill; outside, prefixes keep the number short.
pub fn format_kwh(kwh: f64, digits: usize) -> String {
    if kwh == 0.0 {
        return "0 kWh".to_owned();
    }
    let rounded = Rounded::new(kwh, digits);
    if kwh.is_finite() && (0..6).contains(&rounded.exponent) {
        format!("{} kWh", group_thousands(&rounded.plain()))
    } else {
        format_si(kwh * 1e3, "Wh", digits)
    }
}

/// A whole number with thousands separators: `124,932,866,006,548`.
pub fn format_count(count: impl Into<u128>) -> String {
    group_thousands(&count.into().to_string())
}

/// A decimal text with commas between each three digits before its point: `-1234567.89` becomes `-1,234,567.89`.
pub fn group_thousands(decimal: &str) -> String {
    let (sign, unsigned) = decimal.split_at(usize::from(decimal.starts_with('-')));
    let whole_end = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let (whole, rest) = unsigned.split_at(whole_end);
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// A number of coins: three significant digits and never less than whole coins, with a power of ten below a
/// ten-thousandth: `0.00151`, `12.3`, `12,346`, `2.0e-7`.
pub fn format_coins(coins: f64) -> String {
    format_digits(coins, 3)
}

/// A number of coins with more digits than a glance needs, because windows are compared with figures from elsewhere:
/// `0.26600`.
pub fn format_coins_fully(coins: f64) -> String {
    if (0.01..1000.0).contains(&coins.abs()) { format!("{coins:.5}") } else { format_coins(coins) }
}

/// An amount of money: `261.89 USD`, `1,234,568 USD`, `0.012 USD`, `7.6e-5 USD`.
///
/// Cents up to 99,999.99 and whole units above; below a tenth, two significant digits.
pub fn format_money(amount: f64, currency: &str) -> String {
    let size = amount.abs();
    let number = if !amount.is_finite() {
        amount.to_string()
    } else if size == 0.0 {
        "0.00".to_owned()
    } else if size >= 1e15 {
        Rounded::new(amount, 3).scientific()
    } else if size >= 99_999.995 {
        group_thousands(&format!("{amount:.0}"))
    } else if size >= 0.0995 {
        group_thousands(&format!("{amount:.2}"))
    } else if size >= 1e-4 {
        Rounded::new(amount, 2).plain()
    } else {
        Rounded::new(amount, 2).scientific()
    };
    format!("{number} {currency}")
}

/// An amount of money to no more digits than a measurement has: as [`format_money`], but from 1,000 on rounded to three
/// significant digits, such as `3,790,000,000 USD`.
pub fn format_rough_money(amount: f64, currency: &str) -> String {
    if !(999.5..1e15).contains(&amount.abs()) {
        return format_money(amount, currency);
    }
    format!("{} {currency}", group_thousands(&Rounded::new(amount, 3).plain()))
}

/// How many of something there are, on average or in parts: whole from ten on, two significant digits below, and a
/// power of ten below a thousandth: `6,088`, `0.57`, `8.9e-7`.
pub fn format_number(number: f64) -> String {
    format_digits(number, 2)
}

/// A figure to `digits` significant digits and never less than whole ones. A power of ten stands with two digits where
/// more than `digits` zeros would lead, and from 10^15 on.
pub fn format_digits(value: f64, digits: i32) -> String {
    let size = value.abs();
    let rounded = |digits: i32| Rounded::new(value, digits.unsigned_abs() as usize);
    if !value.is_finite() {
        value.to_string()
    } else if size == 0.0 {
        "0".to_owned()
    } else if size >= 1e15 {
        rounded(digits).scientific()
    } else if size >= 10_f64.powi(digits - 1) - 0.05 {
        group_thousands(&format!("{value:.0}"))
    } else if size >= 10_f64.powi(-digits - 1) {
        rounded(digits).plain()
    } else {
        rounded(2).scientific()
    }
}

/// How many times one thing is another: as [`format_number`], and from ten thousand on its order of magnitude: `3e5`.
pub fn format_factor(factor: f64) -> String {
    if factor.abs() < 1e4 { format_number(factor) } else { Rounded::new(factor, 1).scientific() }
}

/// Two ends of a range, each a number with its unit, which stands once where it is the same: `36.0 to 40.1 TWh`.
pub fn between(low: &str, high: &str) -> String {
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} to {high}"),
        _ => format!("{low} to {high}"),
    }
}

/// A measured value to three significant digits, with the larger side of its interval in percent: `22.4 MH/s ±0.3 %`.
///
/// A declared value, whose interval has no width, stands alone.
pub fn format_interval(interval: &Interval, unit: &str) -> String {
    let value = format_si(interval.value, unit, 3);
    match interval.relative_half_width() {
        Some(width) if width > 0.0 => format!("{value} ±{} %", format_percent(width * 100.0)),
        Some(_) => value,
        None => format!("{value} ({} to {})", format_si(interval.low, unit, 3), format_si(interval.high, unit, 3)),
    }
}

/// A percentage of uncertainty with one or two significant digits: `12`, `2.5`, `0.3`, `0.04`.
pub fn format_percent(percent: f64) -> String {
    if percent >= 9.95 {
        format!("{percent:.0}")
    } else if percent >= 0.095 {
        format!("{percent:.1}")
    } else if percent >= 0.0095 {
        format!("{percent:.2}")
    } else {
        "<0.01".to_owned()
    }
}

/// A finite number that isn't zero, rounded in decimal to some significant digits.
struct Rounded {
    negative: bool,
    /// The significant digits, without a point.
    digits: String,
    /// The power of ten of the first digit.
    exponent: i32,
}

impl Rounded {
    /// Lets the float formatter round, so that a carry (999.6 to 1000) has already happened when the prefix is chosen.
    fn new(value: f64, digits: usize) -> Self {
        let text = format!("{:.*e}", digits.max(1) - 1, value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        Self {
            negative: value < 0.0,
            digits: mantissa.replace('.', ""),
            exponent: exponent.parse().unwrap_or_default(),
        }
    }

    fn sign(&self) -> &'static str {
        if self.negative { "-" } else { "" }
    }

    /// Without a power of ten; zeros fill up what rounding took from the whole part.
    fn plain(&self) -> String {
        let (sign, digits) = (self.sign(), &self.digits);
        if self.exponent < 0 {
            let zeros = "0".repeat(self.exponent.unsigned_abs() as usize - 1);
            return format!("{sign}0.{zeros}{digits}");
        }
        let whole_len = self.exponent as usize + 1;
        match digits.split_at_checked(whole_len) {
            Some((whole, "")) => format!("{sign}{whole}"),
            Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{digits:0<whole_len$}"),
        }
    }

    /// With a power of ten, such as `2.0e-7`.
    fn scientific(&self) -> String {
        let (first, others) = self.digits.split_at(1);
        let point = if others.is_empty() { "" } else { "." };
        format!("{}{first}{point}{others}e{}", self.sign(), self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_digits_and_never_less_than_whole_ones() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1.0"),
            (0.571, "0.57"),
            (0.001_234, "0.0012"),
            (8.94e-7, "8.9e-7"),
            (9.94, "9.9"),
            (9.96, "10"),
            (6_087.6, "6,088"),
            (-12.3, "-12"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(format_number(number), text);
        }
        assert_eq!((format_factor(9_999.0), format_factor(12_300.0)), ("9,999".into(), "1e4".into()));
    }

    #[test]
    fn si_prefixes_keep_the_number_short() {
        for (value, unit, digits, text) in [
            (22.4e6, "H/s", 3, "22.4 MH/s"),
            (449.0, "H/s", 3, "449 H/s"),
            (449.4, "H/s", 2, "450 H/s"),
            (1234.0, "W", 3, "1.23 kW"),
            (1000.0, "W", 3, "1.00 kW"),
            (1000.0, "W", 1, "1 kW"),
            (999.4, "W", 3, "999 W"),
            (999.6, "W", 3, "1.00 kW"),
            (100.0, "W", 3, "100 W"),
            (3.214e-6, "J", 3, "3.21 µJ"),
            (98e-12, "J", 3, "98.0 pJ"),
            (1e-9, "J", 2, "1.0 nJ"),
            (0.25, "J", 3, "250 mJ"),
            (1e-15, "J", 3, "1.00 fJ"),
            (1.0e18, "H/s", 3, "1.00 EH/s"),
            (1.2e21, "H/s", 2, "1.2e3 EH/s"),
            (1.2e-20, "J", 2, "1.2e-2 aJ"),
            (0.0, "W", 3, "0 W"),
            (-1234.0, "W", 3, "-1.23 kW"),
            (f64::INFINITY, "W", 3, "inf W"),
        ] {
            assert_eq!(format_si(value, unit, digits), text);
        }
    }

    #[test]
    fn energy_stays_in_kwh_while_that_is_readable() {
        for (kwh, text) in [
            (1591.389, "1,590 kWh"),
            (5237.76, "5,240 kWh"),
            (31.752, "31.8 kWh"),
            (1.0, "1.00 kWh"),
            (0.99999, "1.00 kWh"),
            (0.2619, "262 Wh"),
            (0.000_262, "262 mWh"),
            (999_400.0, "999,000 kWh"),
            (999_600.0, "1.00 GWh"),
            (3.21e9, "3.21 TWh"),
            (7.5e12, "7.50 PWh"),
            (1.2e18, "1.20e3 EWh"),
            (0.0, "0 kWh"),
            (f64::INFINITY, "inf Wh"),
        ] {
            assert_eq!(format_kwh(kwh, 3), text);
        }
    }

    #[test]
    fn counts_have_thousands_separators() {
        assert_eq!(format_count(0_u32), "0");
        assert_eq!(format_count(999_u32), "999");
        assert_eq!(format_count(1000_u32), "1,000");
        assert_eq!(format_count(124_932_866_006_548_u64), "124,932,866,006,548");
        assert_eq!(format_count(u128::MAX), "340,282,366,920,938,463,463,374,607,431,768,211,455");
        assert_eq!(group_thousands("559970892890.84"), "559,970,892,890.84");
        assert_eq!(group_thousands("-1234567.89"), "-1,234,567.89");
        assert_eq!(group_thousands("-123"), "-123");
    }

    #[test]
    fn coins_have_three_digits_or_a_power_of_ten() {
        for (coins, text) in [
            (0.001_508_116, "0.00151"),
            (0.266_003_66, "0.266"),
            (0.000_1, "0.000100"),
            (2.0e-7, "2.0e-7"),
            (9.99e-5, "1.0e-4"),
            (3.126, "3.13"),
            (9.999, "10.0"),
            (99.94, "99.9"),
            (99.96, "100"),
            (12_345.6, "12,346"),
            (2e16, "2.00e16"),
            (0.0, "0"),
            (-0.5, "-0.500"),
        ] {
            assert_eq!(format_coins(coins), text);
        }
    }

    #[test]
    fn a_range_names_its_unit_once() {
        assert_eq!(between("36.0 TWh", "40.1 TWh"), "36.0 to 40.1 TWh");
        assert_eq!(between("990 GWh", "1.01 TWh"), "990 GWh to 1.01 TWh");
        assert_eq!(between("1", "2"), "1 to 2");
    }

    #[test]
    fn rough_money_has_three_digits() {
        for (amount, text) in [
            (3_787_144_633.0, "3,790,000,000 USD"),
            (41_734.84, "41,700 USD"),
            (999.6, "1,000 USD"),
            (261.887_944, "261.89 USD"),
            (0.0, "0.00 USD"),
            (-12_345.0, "-12,300 USD"),
            (1.234e16, "1.23e16 USD"),
            (f64::INFINITY, "inf USD"),
        ] {
            assert_eq!(format_rough_money(amount, "USD"), text);
        }
    }

    #[test]
    fn money_has_cents_where_they_count() {
        for (amount, text) in [
            (261.887_944, "261.89 USD"),
            (79.569, "79.57 USD"),
            (1.5876, "1.59 USD"),
            (0.1, "0.10 USD"),
            (0.0999, "0.10 USD"),
            (0.05, "0.050 USD"),
            (0.012_34, "0.012 USD"),
            (0.000_075_6, "7.6e-5 USD"),
            (12_345.678, "12,345.68 USD"),
            (99_999.99, "99,999.99 USD"),
            (1_234_567.89, "1,234,568 USD"),
            (1.234e18, "1.23e18 USD"),
            (0.0, "0.00 USD"),
            (-13.361, "-13.36 USD"),
            (-1_234_567.89, "-1,234,568 USD"),
        ] {
            assert_eq!(format_money(amount, "USD"), text);
        }
    }

    #[test]
    fn a_measured_value_carries_its_uncertainty() {
        let interval = |low, high| Interval { value: 22.4e6, low, high };
        for (low, high, text) in [
            (22.36e6, 22.466e6, "22.4 MH/s ±0.3 %"),
            (22.0e6, 22.4e6, "22.4 MH/s ±1.8 %"),
            (19.7e6, 22.4e6, "22.4 MH/s ±12 %"),
            (22.39e6, 22.41e6, "22.4 MH/s ±0.04 %"),
            (22.3999e6, 22.4e6, "22.4 MH/s ±<0.01 %"),
            (22.4e6, 22.4e6, "22.4 MH/s"),
        ] {
            assert_eq!(format_interval(&interval(low, high), "H/s"), text);
        }
        let around_zero = Interval { value: 0.0, low: -1.0, high: 2.0 };
        assert_eq!(format_interval(&around_zero, "W"), "0 W (-1.00 W to 2.00 W)");
    }
}
