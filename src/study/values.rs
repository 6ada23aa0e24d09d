//! Figures as people type them, on the command line and in study files: rates and powers with their uncertainty, prices
//! and parts. Each is refused where no machine or market could have it.

use crate::interval::Interval;
use crate::quantity::parse_quantity;

/// Above any price of a coin, a machine or a kWh, in any currency.
const PRICE_MAX: f64 = 1e15;

/// Reads a quantity with or without its uncertainty: `13.5T`, `1323W±7%`, `65W+-5%`.
///
/// # Errors
///
/// What is wrong with the text, in words; so with all functions of this module.
pub fn interval(text: &str, unit: &'static str) -> Result<Interval, String> {
    let (quantity, percent) = match text.split_once('±').or_else(|| text.split_once("+-")) {
        Some((quantity, percent)) => (quantity, Some(percent)),
        None => (text, None),
    };
    let value = parse_quantity(quantity, unit).map_err(|error| error.to_string())?;
    let Some(percent) = percent else { return Ok(Interval::exact(value)) };
    let fraction = percent
        .trim()
        .strip_suffix('%')
        .and_then(decimal_percent)
        .filter(|fraction| (0.0..1.0).contains(fraction))
        .ok_or_else(|| format!("the uncertainty {percent:?} is no percentage from 0% to below 100%"))?;
    Ok(Interval { value, low: value * (1.0 - fraction), high: value * (1.0 + fraction) })
}

/// Reads a plain decimal number of percent as a fraction.
fn decimal_percent(number: &str) -> Option<f64> {
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // The exponent is part of the number, so that 5 % is the double nearest to 0.05.
    if is_plain { format!("{number}e-2").parse().ok() } else { None }
}

/// Reads a part of something, such as 2% or 0.02: from 0 to below 1.
pub fn part(text: &str) -> Result<f64, String> {
    match share(text)? {
        part if part < 1.0 => Ok(part),
        _ if text.contains('%') => Err("expected less than 100%".to_owned()),
        _ => Err(format!("expected a part below 1, or a percentage such as {}%", text.trim())),
    }
}

/// Reads a part that may be more than all: from 0 to a hundredfold.
pub fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let fraction = match text.strip_suffix('%') {
        Some(number) => decimal_percent(number.trim()),
        None => text.parse().ok(),
    };
    match fraction {
        Some(fraction) if (0.0..=100.0).contains(&fraction) => Ok(fraction),
        Some(_) => Err("expected a part from 0 on, and no more than a hundredfold".to_owned()),
        None => Err("expected a part such as 2% or 0.02".to_owned()),
    }
}

/// Reads a price: any number from 0 on that a market could have.
pub fn price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if (0.0..=PRICE_MAX).contains(&price) => Ok(price),
        Ok(price) if price > PRICE_MAX => Err(format!("no market has a price above {PRICE_MAX:e}")),
        Ok(_) => Err("a price is a number from 0 on".to_owned()),
        Err(_) => Err("expected a number, such as 0.05".to_owned()),
    }
}

/// Reads a power usage effectiveness: from 1 to 10.
pub fn pue(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pue) if (1.0..=10.0).contains(&pue) => Ok(pue),
        Ok(_) => Err("a site draws what its machines draw, and more: expected 1 to 10".to_owned()),
        Err(_) => Err("expected a number, such as 1.1".to_owned()),
    }
}

/// Reads a number above zero.
pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        Ok(_) => Err("expected a number above zero".to_owned()),
        Err(_) => Err("expected a number, such as 3".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_may_tell_their_uncertainty() {
        assert_eq!(interval("13.5T", "H/s"), Ok(Interval::exact(13.5e12)));
        for text in ["1000W±7%", "1kW±7%", "1000W+-7%", "1000 W ± 7%"] {
            let power = interval(text, "W").unwrap();
            for (computed, exact) in [(power.value, 1000.0), (power.low, 930.0), (power.high, 1070.0)] {
                assert!((computed / exact - 1.0_f64).abs() < 1e-12, "{text}: {computed}");
            }
        }
        for text in ["1000W±7", "1000W±-7%", "1000W±100%", "1000W±x%", "1000W±%", "W±7%", "±7%"] {
            assert!(interval(text, "W").is_err(), "{text}");
        }
    }

    #[test]
    fn parts_are_percentages_or_fractions() {
        assert_eq!((part("2%"), part("0.02"), part("0"), part(" 8 % ")), (Ok(0.02), Ok(0.02), Ok(0.0), Ok(0.08)));
        assert_eq!(share("150%"), Ok(1.5));
        assert_eq!(part("8"), Err("expected a part below 1, or a percentage such as 8%".to_owned()));
        for text in ["-1%", "-0.1", "100%", "nan", "inf", "x", "", "1e400"] {
            assert!(part(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prices_that_no_market_has_are_refused() {
        assert_eq!((price("0.05"), price("0")), (Ok(0.05), Ok(0.0)));
        for text in ["-1", "nan", "inf", "1e300", "1e16", "five"] {
            assert!(price(text).is_err(), "{text}");
        }
        assert!(pue("0.9").is_err() && pue("1.1").is_ok() && pue("11").is_err());
        assert!(positive("0").is_err() && positive("3").is_ok());
    }
}
