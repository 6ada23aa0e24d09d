//! What can stand behind a key of a study file: figures alone, in lists and as ranges, and days.

use std::marker::PhantomData;

use jiff::civil::Date;
use serde::de::{Deserialize, Deserializer, Error as _};
use toml::Value;

use crate::coin::history::{Growth, parse_day};
use crate::interval::Interval;
use crate::study::values;

/// How a figure is read.
pub trait Kind {
    /// What it is called in errors, with an example.
    const NAME: &'static str;

    /// Reads it from a text; a number comes as its digits.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    fn read(text: &str) -> Result<f64, String>;
}

/// Names a kind of figure and the function that reads it.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, $read:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $kind;

        impl Kind for $kind {
            const NAME: &'static str = $name;

            fn read(text: &str) -> Result<f64, String> {
                $read(text)
            }
        }
    )*};
}

kinds! {
    /// A price, from 0 on.
    Price, "a price such as 0.05", values::price;
    /// A part of something, below 1.
    Part, "a part such as \"2%\" or 0.02", values::part;
    /// A part that may be more than all.
    Share, "a part such as \"5%\" or 0.05", values::share;
    /// A part of the time, up to all of it.
    Uptime, "a part of the time such as \"95%\"", uptime;
    /// A power usage effectiveness.
    Pue, "a factor such as 1.1", values::pue;
    /// A number above 0.
    Positive, "a number above zero", values::positive;
    /// Growth of the difficulty, as a fraction per epoch.
    PerEpoch, "a growth such as \"2%/epoch\", \"5%/month\" or \"40%/year\"", per_epoch;
    /// By how much something varies, as a fraction per root of an epoch or a year.
    Volatility, "a part such as \"60%\"", values::share;
    /// A change in a year, as a fraction above -1.
    Yearly, "a change such as \"-10%\" or 0.1", yearly;
    /// A correlation.
    Correlation, "a number from -1 to 1", correlation;
}

fn uptime(text: &str) -> Result<f64, String> {
    match values::share(text)? {
        part if part > 0.0 && part <= 1.0 => Ok(part),
        _ => Err("machines run for a part of the time above 0% and up to 100%".to_owned()),
    }
}

fn per_epoch(text: &str) -> Result<f64, String> {
    text.parse::<Growth>().map(Growth::fraction).map_err(|error| error.to_string())
}

fn yearly(text: &str) -> Result<f64, String> {
    let (sign, size) = text.strip_prefix('-').map_or((1.0, text), |size| (-1.0, size));
    match sign * values::share(size)? {
        change if change > -1.0 => Ok(change),
        _ => Err("nothing would be left".to_owned()),
    }
}

fn correlation(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (-1.0..=1.0).contains(&number) => Ok(number),
        _ => Err("a correlation is a number from -1 to 1".to_owned()),
    }
}

/// A single figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Single<K>(pub f64, PhantomData<K>);

impl<'de, K: Kind> Deserialize<'de> for Single<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        figure::<K>(&value).map(|figure| Self(figure, PhantomData)).map_err(D::Error::custom)
    }
}

/// One figure, or several that are to be looked at one after the other; each may be a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures<K>(pub Vec<Interval>, PhantomData<K>);

impl<'de, K: Kind> Deserialize<'de> for Figures<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let figures = match Value::deserialize(deserializer)? {
            Value::Array(list) if list.is_empty() => Err("an empty list says nothing; leave the key out".to_owned()),
            Value::Array(list) => list.iter().map(range::<K>).collect(),
            one => range::<K>(&one).map(|one| vec![one]),
        };
        figures.map(|figures| Self(figures, PhantomData)).map_err(D::Error::custom)
    }
}

/// Reads a figure, or a table of its ends. Without a value of its own the middle counts.
fn range<K: Kind>(value: &Value) -> Result<Interval, String> {
    let Value::Table(table) = value else { return figure::<K>(value).map(Interval::exact) };
    if let Some(other) = table.keys().find(|key| !["low", "value", "high"].contains(&key.as_str())) {
        return Err(format!("a range has low, high and, where it isn't the middle, value; {other:?} is none of them"));
    }
    let end = |name: &str| table.get(name).map(figure::<K>).transpose();
    let (Some(low), Some(high)) = (end("low")?, end("high")?) else {
        return Err("a range needs both its ends: { low = 0.03, high = 0.08 }".to_owned());
    };
    let value = end("value")?.unwrap_or_else(|| f64::midpoint(low, high));
    let interval = Interval { value, low, high };
    if interval.is_ordered() { Ok(interval) } else { Err(format!("{low}, {value} and {high} aren't in this order")) }
}

fn figure<K: Kind>(value: &Value) -> Result<f64, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        other => return Err(format!("expected {}, and not {}", K::NAME, type_of(other))),
    };
    K::read(&text).map_err(|reason| format!("{text}: {reason}"))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
        Value::Datetime(_) => "a date",
        _ => "this",
    }
}

/// A rate in hashes per second, such as `13.5T±2%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(pub Interval);

/// A power in watts, such as `1323W±7%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Power(pub Interval);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quantity(deserializer, "H/s").map(Self)
    }
}

impl<'de> Deserialize<'de> for Power {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quantity(deserializer, "W").map(Self)
    }
}

fn quantity<'de, D: Deserializer<'de>>(deserializer: D, unit: &'static str) -> Result<Interval, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        other => return Err(D::Error::custom(format!("expected a quantity in {unit}, and not {}", type_of(&other)))),
    };
    match values::interval(&text, unit) {
        Ok(interval) if interval.low > 0.0 => Ok(interval),
        Ok(_) => Err(D::Error::custom(format!("{text}: must be above zero"))),
        Err(reason) => Err(D::Error::custom(reason)),
    }
}

/// A day, as a date of TOML or as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Datetime(moment) => moment.to_string(),
            other => return Err(D::Error::custom(format!("expected a day, and not {}", type_of(&other)))),
        };
        parse_day(&text).map(Self).map_err(D::Error::custom)
    }
}

/// How many machines: a number, a list of numbers, or a text such as `1 to 5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts(pub Vec<u32>);

/// More machines than were ever made.
const COUNT_MAX: u32 = 100_000_000;
/// More counts than a table can show.
const COUNTS_MAX: usize = 50;

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let one = |number: i64| match u32::try_from(number) {
            Ok(count @ 1..=COUNT_MAX) => Ok(count),
            _ => Err(format!("{number}: a count is a whole number from 1 to {COUNT_MAX}")),
        };
        let counts = match Value::deserialize(deserializer)? {
            Value::Integer(number) => one(number).map(|count| vec![count]),
            Value::Array(list) if !list.is_empty() => {
                list.iter().map(|item| item.as_integer().ok_or_else(counts_form).and_then(one)).collect()
            }
            Value::String(text) => span(&text).and_then(|(low, high)| (low..=high).map(one).collect()),
            _ => Err(counts_form()),
        };
        counts.map(Self).map_err(D::Error::custom)
    }
}

fn span(text: &str) -> Result<(i64, i64), String> {
    let (low, high) = text.split_once(" to ").ok_or_else(counts_form)?;
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| counts_form());
    let (low, high) = (number(low)?, number(high)?);
    match usize::try_from(high.saturating_sub(low)) {
        Ok(length) if length < COUNTS_MAX => Ok((low, high)),
        Ok(_) => Err(format!("{text:?}: more than {COUNTS_MAX} counts make no table; list those that matter")),
        Err(_) => Err(format!("{text:?} ends before it begins")),
    }
}

fn counts_form() -> String {
    "expected a count such as 3, a list such as [1, 2, 5], or a text such as \"1 to 5\"".to_owned()
}
