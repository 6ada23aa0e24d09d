//! Numbers with units, as users, commands and logs write them.

use super::integrate::Reading;

/// The joules of a kilowatt-hour.
pub(super) const J_PER_KWH: f64 = 3.6e6;

/// What a text has to look like, for errors.
pub(super) const FORMS: &str = "one number with its unit, such as 123.4 W, 1.2 kW, 5678 J, 1.234 kWh or 1.234 Wh";

/// Parses a reading with its unit, such as `123.4 W`; the error is the reason.
pub(super) fn reading(text: &str) -> Result<Reading, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_alphabetic() || c == '%').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number = number.trim_end();
    let reading = match unit {
        // An exponent of ten is part of the number, so that 4.35 kW is exactly 4350 W.
        "W" => Reading::Watts(decimal(number, 0)?),
        "kW" => Reading::Watts(decimal(number, 3)?),
        "J" => Reading::Joules(decimal(number, 0)?),
        "Wh" => Reading::Joules(decimal(number, -3)? * J_PER_KWH),
        "kWh" => Reading::Joules(decimal(number, 0)? * J_PER_KWH),
        "" => return Err(format!("{text:?} has no unit; expected {FORMS}")),
        _ => return Err(format!("{text:?} has no unit that is known; expected {FORMS}")),
    };
    reading.check()
}

/// Parses a plain decimal number times a power of ten: no exponent, no infinity.
pub(super) fn decimal(text: &str, exponent: i32) -> Result<f64, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number = if plain { format!("{text}e{exponent}").parse().ok() } else { None };
    number.ok_or_else(|| format!("{text:?} is no decimal number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_its_unit_is_a_reading() {
        for (text, expected) in [
            ("123.4 W", Reading::Watts(123.4)),
            ("123.4W\n", Reading::Watts(123.4)),
            (" 1.2 kW ", Reading::Watts(1200.0)),
            ("4.35kW", Reading::Watts(4350.0)),
            ("5678 J", Reading::Joules(5678.0)),
            ("0 J", Reading::Joules(0.0)),
            ("1.5 kWh", Reading::Joules(5.4e6)),
            ("1.25\tWh", Reading::Joules(4500.0)),
        ] {
            assert_eq!(reading(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_the_text_and_the_reason() {
        for (text, reason) in [
            ("", "\"\" has no unit"),
            ("123.4", "\"123.4\" has no unit; expected one number with its unit, such as 123.4 W"),
            ("123.4 w", "no unit that is known"),
            ("123.4 mW", "no unit that is known"),
            ("123.4 MW", "no unit that is known"),
            ("5 VA", "no unit that is known"),
            ("5 %", "no unit that is known"),
            ("power: 5 W", "no unit that is known"),
            ("5 W 6 W", "no unit that is known"),
            ("1\n2 W", "is no decimal number"),
            ("W", "\"\" is no decimal number"),
            ("1,5 W", "\"1,5\" is no decimal number"),
            ("1e3 W", "no unit that is known"),
            (".5 W", "\".5\" is no decimal number"),
            ("inf W", "no unit that is known"),
            ("0 W", "0 W: a device that is on"),
            ("-5 W", "-5 W: a device that is on"),
            ("-5 J", "-5 J is below 0 J"),
            ("1001 kW", "1001000 W is above 1000000 W"),
        ] {
            let error = reading(text).unwrap_err();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }
}
