//! How much a result hangs on each of its inputs.

use super::axis::{self, AXIS_HEIGHT, Values};
use super::canvas::{Anchor, Canvas, LINE, fit, text_width};
use super::scale::Scale;
use super::{Plot, is_wide, range};
use crate::report::units::format_digits;

/// What becomes of the result when one input moves from one end of its range to the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The input with its range, such as `electricity, 0.03 to 0.08 USD per kWh`.
    pub input: String,
    /// The result at the input's lower end.
    pub at_low: f64,
    /// The result at its upper end.
    pub at_high: f64,
}

impl Effect {
    fn reach(&self) -> f64 {
        (self.at_high - self.at_low).abs()
    }
}

/// Draws the effects on a result, whose value is `result` where no input moves: the greatest on top. `unit` is that of
/// the result. None where there is nothing to draw.
#[must_use]
pub fn sensitivity(id: &str, title: &str, unit: &str, result: f64, effects: &[Effect]) -> Option<Plot> {
    let is_shown = |effect: &&Effect| effect.at_low.is_finite() && effect.at_high.is_finite();
    let mut shown: Vec<&Effect> = effects.iter().filter(is_shown).collect();
    shown.sort_by(|a, b| b.reach().total_cmp(&a.reach()));
    if shown.is_empty() || !result.is_finite() {
        return None;
    }
    let ends = shown.iter().flat_map(|effect| [effect.at_low, effect.at_high]).chain([result]);
    let (min, max) = range(ends)?;
    let words = |value: f64| format_digits(value, 3);
    let spoken: Vec<String> = shown
        .iter()
        .map(|effect| format!("{}: {} to {}", effect.input, words(effect.at_low), words(effect.at_high)))
        .collect();
    let description = format!("The result is {} {unit}. It becomes, by input: {}.", words(result), spoken.join("; "));
    let scale = Scale::linear(min, max, 5);
    Some(Plot::new(id, title.to_owned(), description, |canvas| on(canvas, &shown, result, scale, unit)))
}

fn on(canvas: &mut Canvas, effects: &[&Effect], result: f64, scale: Scale, unit: &str) -> f64 {
    let width = canvas.width();
    let labels = effects.iter().map(|effect| text_width(&effect.input)).fold(0.0, f64::max) + 12.0;
    let is_beside = is_wide(canvas) && labels < width * 0.45;
    let left = if is_beside { labels } else { 8.0 };
    let scale = scale.between(left, width - 12.0);
    let height = if is_beside { 28.0 } else { 28.0 + LINE };
    let bottom = height * effects.len() as f64;
    axis::below(canvas, &scale, Values::Plain, (0.0, bottom), unit);
    canvas.line((scale.at(result), 0.0), (scale.at(result), bottom), "zero");
    for (index, effect) in effects.iter().enumerate() {
        let top = height * index as f64;
        let middle = top + height - 14.0;
        if is_beside {
            canvas.text((left - 12.0, middle + 4.0), Anchor::End, "", &effect.input);
        } else {
            let label = fit(&effect.input, width);
            canvas.rect((0.0, top + 1.0), (text_width(&label).min(width), top + LINE + 2.0), "ground");
            canvas.text((0.0, top + LINE - 2.0), Anchor::Start, "", &label);
        }
        // The end that belongs to the lower value of the input is hollow.
        for (end, class) in [(effect.at_low, "box c1"), (effect.at_high, "column c0")] {
            canvas.rect((scale.at(result), middle - 8.0), (scale.at(end), middle + 8.0), class);
        }
    }
    let entries = ["with the input's lower end", "with its upper end", "the result"];
    canvas.legend(&entries, bottom + AXIS_HEIGHT + LINE, |canvas, index, (x, y)| match index {
        0 => canvas.rect((x - 10.0, y - 6.0), (x + 10.0, y + 6.0), "box c1"),
        1 => canvas.rect((x - 10.0, y - 6.0), (x + 10.0, y + 6.0), "column c0"),
        _ => canvas.line((x - 10.0, y), (x + 10.0, y), "zero"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn effect(input: &str, at_low: f64, at_high: f64) -> Effect {
        Effect { input: input.to_owned(), at_low, at_high }
    }

    #[test]
    fn the_greatest_effect_stands_on_top() {
        let effects = [effect("small", 9.0, 11.0), effect("great", 20.0, -5.0), effect("none", 10.0, 10.0)];
        let plot = sensitivity("s", "Sensitivity", "USD", 10.0, &effects).unwrap();
        assert_sound(&plot);
        let place = |name: &str| plot.wide.rfind(name).unwrap();
        assert!(place(">great<") < place(">small<") && place(">small<") < place(">none<"));
        assert!(
            plot.description.starts_with("The result is 10.0 USD. It becomes, by input: great: 20.0 to -5.00;"),
            "{}",
            plot.description
        );
    }

    #[test]
    fn nothing_to_draw_is_no_plot() {
        assert_eq!(sensitivity("s", "Sensitivity", "USD", 10.0, &[]), None);
        assert_eq!(sensitivity("s", "Sensitivity", "USD", f64::NAN, &[effect("a", 1.0, 2.0)]), None);
        let effects = [effect("bad", f64::INFINITY, 0.0), effect(&"long ".repeat(60), 1e300, -1e300)];
        assert_sound(&sensitivity("s", "Sensitivity", "USD", 10.0, &effects).unwrap());
    }
}
