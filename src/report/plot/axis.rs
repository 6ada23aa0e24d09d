//! Axes: ticks with their words, and lines that lead from them through a plot.

use super::canvas::{Anchor, Canvas, LINE, text_width};
use super::scale::Scale;
use crate::report::units::{format_si, group_thousands};

/// The room that an axis below a plot takes, with its name.
pub(super) const AXIS_HEIGHT: f64 = 2.0 * LINE + 8.0;

/// How the values of an axis are worded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values<'a> {
    /// With an SI prefix and this unit: `10 nJ`.
    Si(&'a str),
    /// As they are; great ones as powers of ten. The unit stands in the axis's name.
    Plain,
    /// As percentages of what is 1.
    Percent,
}

impl Values<'_> {
    /// Words the ticks of an axis, all in one way.
    pub(super) fn words(&self, ticks: &[f64]) -> Vec<String> {
        let step = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(f64::INFINITY, f64::min);
        let most = ticks.iter().fold(0.0_f64, |most, tick| most.max(tick.abs()));
        let least = ticks.iter().map(|tick| tick.abs()).filter(|&tick| tick > 0.0).fold(f64::INFINITY, f64::min);
        // On a logarithmic axis the decimals that tell two ticks apart can be too few for the least.
        let is_small = least < 1e-3 && least < step * 0.999;
        let word = |tick: &f64| match self {
            Self::Si(unit) => si(*tick, step, unit),
            Self::Plain if most >= 1e6 || is_small => power_of_ten(*tick),
            Self::Plain => group_thousands(&plain(*tick, step)),
            Self::Percent if most >= 1e4 => format!("{} %", power_of_ten(*tick * 100.0)),
            Self::Percent => format!("{} %", plain(*tick * 100.0, step * 100.0)),
        };
        ticks.iter().map(word).collect()
    }
}

/// Words a tick with an SI prefix and as many digits as tell it from its neighbour.
fn si(tick: f64, step: f64, unit: &str) -> String {
    let digits = if step.is_normal() && tick != 0.0 {
        ((tick.abs().log10() + 1e-9).floor() - (step.log10() + 1e-9).floor()).max(0.0) + 1.0
    } else {
        1.0
    };
    let text = format_si(tick, unit, (digits as usize).clamp(1, 6));
    // 100 MH/s beside 110 MH/s has three digits, whether they count or not.
    let Some((number, prefix)) = text.split_once(' ') else { return text };
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number} {prefix}")
}

/// Words a number with as many decimals as a step needs.
fn plain(value: f64, step: f64) -> String {
    let size = if step.is_normal() { step } else { value.abs() };
    let decimals = if size.is_normal() { (-size.log10() + 1e-9).ceil().clamp(0.0, 12.0) } else { 0.0 };
    let text = format!("{value:.0$}", decimals as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Words a power of ten, or a multiple of one: `10⁶`, `2·10⁹`.
fn power_of_ten(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.5e}");
    let (factor, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let factor = factor.trim_end_matches('0').trim_end_matches('.');
    let raised: String = exponent.chars().map(superscript).collect();
    match (factor, exponent) {
        (_, "0") => factor.to_owned(),
        ("1", "1") => "10".to_owned(),
        ("1", _) => format!("10{raised}"),
        _ => format!("{factor}·10{raised}"),
    }
}

fn superscript(digit: char) -> char {
    match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        other => other.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(other),
    }
}

/// Draws an axis below a plot that reaches from `top` to `bottom`, with lines upwards from its ticks and its name
/// below.
pub(super) fn below(canvas: &mut Canvas, scale: &Scale, values: Values<'_>, (top, bottom): (f64, f64), name: &str) {
    let ticks = scale.ticks(((scale.to() - scale.from()) / 80.0) as usize);
    let words = values.words(&ticks);
    let mut free_from = f64::NEG_INFINITY;
    for (tick, word) in ticks.iter().zip(&words) {
        let x = scale.at(*tick);
        canvas.line((x, top), (x, bottom), "grid");
        let half = text_width(word) / 2.0;
        // A word at the very edge is moved inwards, rather than cut off; one that would touch another is left out.
        let middle = inside(canvas, x, half);
        if middle - half > free_from {
            canvas.text((middle, bottom + LINE), Anchor::Middle, "muted", word);
            free_from = middle + half + 4.0;
        }
    }
    canvas.line((scale.from(), bottom), (scale.to(), bottom), "axis");
    let middle = inside(canvas, f64::midpoint(scale.from(), scale.to()), text_width(name) / 2.0);
    canvas.text((middle, bottom + 2.0 * LINE), Anchor::Middle, "muted", name);
}

/// Returns where the middle of a word stands that is `half` as wide to either side: at `x`, unless it would be cut off.
pub(super) fn inside(canvas: &Canvas, x: f64, half: f64) -> f64 {
    let half = half.min(canvas.width() / 2.0);
    x.clamp(half, canvas.width() - half)
}

/// Draws an axis to the left of a plot that reaches from `left` to `right`, with lines across from its ticks. Its name
/// is the caller's to write above.
pub(super) fn beside(canvas: &mut Canvas, scale: &Scale, values: Values<'_>, ticks: usize, (left, right): (f64, f64)) {
    let ticks = scale.ticks(ticks);
    for (tick, word) in ticks.iter().zip(values.words(&ticks)) {
        let y = scale.at(*tick);
        canvas.line((left, y), (right, y), "grid");
        canvas.text((left - 6.0, y + 4.0), Anchor::End, "muted", &word);
    }
}

/// Returns the room that the words of an axis beside a plot take.
pub(super) fn width_beside(scale: &Scale, values: Values<'_>, ticks: usize) -> f64 {
    values.words(&scale.ticks(ticks)).iter().map(|word| text_width(word)).fold(0.0, f64::max) + 8.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_worded_as_short_as_tells_them_apart() {
        let cases: [(Values<'_>, &[f64], &[&str]); 11] = [
            (Values::Si("J"), &[1e-9, 1e-8, 1e-7], &["1 nJ", "10 nJ", "100 nJ"]),
            (Values::Si("H/s"), &[152e6, 154e6, 156e6], &["152 MH/s", "154 MH/s", "156 MH/s"]),
            (Values::Si("H/s"), &[0.0, 500.0, 1000.0, 1500.0], &["0 H/s", "500 H/s", "1 kH/s", "1.5 kH/s"]),
            (Values::Si("H/s"), &[100e6, 110e6], &["100 MH/s", "110 MH/s"]),
            (Values::Plain, &[0.01, 0.1, 1.0, 10.0], &["0.01", "0.1", "1", "10"]),
            (Values::Plain, &[1e3, 1e6, 2e9], &["10³", "10⁶", "2·10⁹"]),
            (Values::Plain, &[1e6, 1.5e6, 2e6], &["10⁶", "1.5·10⁶", "2·10⁶"]),
            (Values::Plain, &[1e-7, 1e-5, 1e-3, 0.1], &["10⁻⁷", "10⁻⁵", "10⁻³", "10⁻¹"]),
            (Values::Plain, &[0.0, 2e-4, 4e-4], &["0", "0.0002", "0.0004"]),
            (Values::Plain, &[0.0, 500.0, 1000.0], &["0", "500", "1,000"]),
            (Values::Percent, &[-0.05, 0.0, 0.05], &["-5 %", "0 %", "5 %"]),
        ];
        for (values, ticks, words) in cases {
            assert_eq!(values.words(ticks), words, "{values:?}");
        }
    }
}
