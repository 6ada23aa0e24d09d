//! Numbers with a prefix and a unit, as people type them.

/// The prefixes of the quantities that people type, with their powers of ten.
const TYPED_PREFIXES: [(&str, i32); 7] = [("k", 3), ("K", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// A text that is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no quantity in {unit}: {reason}; expected a number with an optional prefix k, M, G, T, P or E, such \
     as 13.5T or 1.3k{unit}"
)]
pub struct ParseQuantityError {
    /// The text as given.
    pub text: String,
    /// The unit that was asked for.
    pub unit: &'static str,
    /// What is wrong with the text.
    pub reason: &'static str,
}

/// Reads a quantity such as `13.5T`, `13.5 TH/s`, `1323W` or `1e6`, in the unit itself (`H/s`, `W`).
///
/// Prefixes count their case, because `m` would be a thousandth; `K` passes for `k`. The decimal number and its prefix
/// are rounded once together.
///
/// # Errors
///
/// [`ParseQuantityError`] where the text is no such quantity, is negative, or is too large for a float.
pub fn parse_quantity(text: &str, unit: &'static str) -> Result<f64, ParseQuantityError> {
    let refuse = |reason| ParseQuantityError { text: text.to_owned(), unit, reason };
    let trimmed = text.trim();
    if trimmed.starts_with('-') {
        return Err(refuse("it is negative"));
    }
    let mantissa_end = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(trimmed.len());
    let (mantissa, rest) = trimmed.split_at(mantissa_end);
    if !mantissa.contains(|c: char| c.is_ascii_digit()) {
        return Err(refuse("it starts with no number"));
    }
    let (exponent, suffix) = split_exponent(rest).ok_or_else(|| refuse("its exponent is too large"))?;
    let prefix = suffix.trim_start();
    let prefix = prefix.strip_suffix(unit).unwrap_or(prefix);
    let prefix_exponent = match TYPED_PREFIXES.iter().find(|(name, _)| *name == prefix) {
        Some((_, exponent)) => *exponent,
        None if prefix.is_empty() => 0,
        None => return Err(refuse("what follows the number is neither a prefix nor the unit")),
    };
    let decimal = format!("{mantissa}e{}", i64::from(exponent) + i64::from(prefix_exponent));
    match decimal.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(refuse("it is too large")),
        Err(_) => Err(refuse("it starts with no number")),
    }
}

/// Splits `e6...` or `e-6...` off the text behind a mantissa. A capital `E` is the prefix exa and no exponent.
fn split_exponent(rest: &str) -> Option<(i32, &str)> {
    let Some(tail) = rest.strip_prefix('e') else {
        return Some((0, rest));
    };
    let sign = usize::from(tail.starts_with(['+', '-']));
    let end = tail[sign..].find(|c: char| !c.is_ascii_digit()).map_or(tail.len(), |length| sign + length);
    if end == sign {
        // Not an exponent at all: the whole rest is an unknown suffix, and the caller says so.
        return Some((0, rest));
    }
    let (digits, suffix) = tail.split_at(end);
    digits.parse().ok().map(|exponent| (exponent, suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_prefix_and_unit() {
        for (text, unit, value) in [
            ("13.5T", "H/s", 13.5e12),
            ("13.5TH/s", "H/s", 13.5e12),
            (" 13.5 TH/s ", "H/s", 13.5e12),
            ("449", "H/s", 449.0),
            ("449 H/s", "H/s", 449.0),
            ("19.9k", "H/s", 19_900.0),
            ("19.9K", "H/s", 19_900.0),
            ("22.4MH/s", "H/s", 22.4e6),
            ("1.2G", "H/s", 1.2e9),
            ("3P", "H/s", 3e15),
            ("900E", "H/s", 900e18),
            ("1323W", "W", 1323.0),
            ("1.323kW", "W", 1323.0),
            ("1e6", "H/s", 1e6),
            ("1.5e+3kH/s", "H/s", 1.5e6),
            ("65e-3W", "W", 0.065),
            (".5", "W", 0.5),
            ("5.", "W", 5.0),
            ("0", "W", 0.0),
        ] {
            assert_eq!(parse_quantity(text, unit), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "it starts with no number"),
            ("T", "it starts with no number"),
            (".", "it starts with no number"),
            ("nan", "it starts with no number"),
            ("1.2.3", "it starts with no number"),
            ("-5", "it is negative"),
            ("13.5t", "what follows the number is neither a prefix nor the unit"),
            ("13.5m", "what follows the number is neither a prefix nor the unit"),
            ("13.5TW", "what follows the number is neither a prefix nor the unit"),
            ("13.5 T H/s", "what follows the number is neither a prefix nor the unit"),
            ("13.5kM", "what follows the number is neither a prefix nor the unit"),
            ("1,000", "what follows the number is neither a prefix nor the unit"),
            ("1E6", "what follows the number is neither a prefix nor the unit"),
            ("1e", "what follows the number is neither a prefix nor the unit"),
            ("65W±5%", "what follows the number is neither a prefix nor the unit"),
            ("1e999", "it is too large"),
            ("1e99999999999", "its exponent is too large"),
        ] {
            assert_eq!(parse_quantity(text, "H/s").unwrap_err().reason, reason, "{text:?}");
        }
        assert_eq!(
            parse_quantity("13.5t", "H/s").unwrap_err().to_string(),
            "\"13.5t\" is no quantity in H/s: what follows the number is neither a prefix nor the unit; expected a \
             number with an optional prefix k, M, G, T, P or E, such as 13.5T or 1.3kH/s"
        );
    }
}
