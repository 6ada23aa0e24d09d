//! How the results of simulated paths spread, a row for each case.

use super::axis::{self, AXIS_HEIGHT, Values};
use super::canvas::{Anchor, Canvas, LINE, fit, text_width};
use super::scale::Scale;
use super::{Plot, is_wide, range};

/// The results of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Which case.
    pub label: String,
    /// The median in words.
    pub words: String,
    /// What one path in twenty lies below, and what one in twenty lies above.
    pub whiskers: (f64, f64),
    /// What half of the paths lie between.
    pub middle: (f64, f64),
    /// The median.
    pub median: f64,
}

impl Outcome {
    fn values(&self) -> [f64; 5] {
        [self.whiskers.0, self.middle.0, self.median, self.middle.1, self.whiskers.1]
    }
}

/// Draws results as boxes on one axis, the first on top. `unit` is that of the axis. None where there is none to draw.
#[must_use]
pub fn outcomes(id: &str, title: &str, unit: &str, rows: &[Outcome]) -> Option<Plot> {
    let rows: Vec<&Outcome> = rows.iter().filter(|row| row.values().iter().all(|value| value.is_finite())).collect();
    let (min, max) = range(rows.iter().flat_map(|row| row.values()))?;
    // Whether it pays is seen against zero, where that is near.
    let near = (max - min).max(max.abs() / 4.0);
    let (min, max) = if min > 0.0 && min <= near { (0.0, max) } else { (min, max) };
    let scale = Scale::linear(min, max, 5);
    let spoken: Vec<String> = rows
        .iter()
        .map(|row| {
            let [p5, p25, p50, p75, p95] = row.values();
            format!(
                "{}: {p50:.3e}, half of the paths {p25:.3e} to {p75:.3e}, nine in ten {p5:.3e} to {p95:.3e}",
                row.label
            )
        })
        .collect();
    let description = format!("Median and spread of simulated paths, {unit}. {}.", spoken.join("; "));
    Some(Plot::new(id, title.to_owned(), description, |canvas| on(canvas, &rows, scale, unit)))
}

fn on(canvas: &mut Canvas, rows: &[&Outcome], scale: Scale, unit: &str) -> f64 {
    let width = canvas.width();
    let widest =
        |text: fn(&Outcome) -> &String| rows.iter().map(|row| text_width(text(row))).fold(0.0, f64::max) + 12.0;
    let (labels, words) = (widest(|row| &row.label), widest(|row| &row.words));
    let is_beside = is_wide(canvas) && labels + words < width * 0.55;
    let (left, right) = if is_beside { (labels, width - words) } else { (8.0, width - 12.0) };
    let scale = scale.between(left, right);
    let height = if is_beside { 30.0 } else { 30.0 + LINE };
    let bottom = height * rows.len() as f64;
    axis::below(canvas, &scale, Values::Plain, (0.0, bottom), unit);
    let (min, max) = scale.ends();
    if min < 0.0 && max > 0.0 {
        canvas.line((scale.at(0.0), 0.0), (scale.at(0.0), bottom), "zero");
    }
    for (index, row) in rows.iter().enumerate() {
        let top = height * index as f64;
        let middle = top + height - 15.0;
        if is_beside {
            canvas.text((left - 12.0, middle + 4.0), Anchor::End, "", &row.label);
            canvas.text((width, middle + 4.0), Anchor::End, "value", &row.words);
        } else {
            let words = text_width(&row.words);
            let label = fit(&row.label, width - words - 12.0);
            canvas.rect((0.0, top + 1.0), (width, top + LINE + 2.0), "ground");
            canvas.text((0.0, top + LINE - 2.0), Anchor::Start, "", &label);
            canvas.text((width, top + LINE - 2.0), Anchor::End, "value", &row.words);
        }
        let [p5, p25, p50, p75, p95] = row.values().map(|value| scale.at(value));
        canvas.line((p5, middle), (p95, middle), "whisker c0");
        canvas.rect((p25, middle - 7.0), ((p75).max(p25 + 1.0), middle + 7.0), "column c0");
        canvas.line((p50, middle - 9.0), (p50, middle + 9.0), "bar c1");
    }
    let entries = ["median", "half of the paths", "nine in ten"];
    canvas.legend(&entries, bottom + AXIS_HEIGHT + LINE, |canvas, index, (x, y)| match index {
        0 => canvas.line((x, y - 8.0), (x, y + 6.0), "bar c1"),
        1 => canvas.rect((x - 10.0, y - 6.0), (x + 10.0, y + 6.0), "column c0"),
        _ => canvas.line((x - 10.0, y), (x + 10.0, y), "whisker c0"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn outcome(label: &str, factor: f64) -> Outcome {
        Outcome {
            label: label.to_owned(),
            words: format!("{factor} USD"),
            whiskers: (-2.0 * factor, 5.0 * factor),
            middle: (0.5 * factor, 2.0 * factor),
            median: factor,
        }
    }

    #[test]
    fn rows_stand_in_their_order_and_zero_is_marked() {
        let plot = outcomes("o", "Outcomes", "USD", &[outcome("first", 10.0), outcome("second", 100.0)]).unwrap();
        assert_sound(&plot);
        assert!(plot.wide.find(">first<") < plot.wide.find(">second<") && plot.wide.contains("class=\"zero\""));
        assert!(
            plot.description.contains("first: 1.000e1, half of the paths 5.000e0 to 2.000e1"),
            "{}",
            plot.description
        );
    }

    #[test]
    fn nothing_to_draw_is_no_plot_and_absurd_values_spoil_nothing() {
        assert_eq!(outcomes("o", "Outcomes", "USD", &[]), None);
        assert_eq!(outcomes("o", "Outcomes", "USD", &[outcome("bad", f64::NAN)]), None);
        let many: Vec<Outcome> = (1..30).map(|index| outcome(&"long ".repeat(index), 1e290)).collect();
        assert_sound(&outcomes("o", "Outcomes", "USD", &many).unwrap());
        assert_sound(&outcomes("o", "Outcomes", "USD", &[outcome("none", 0.0)]).unwrap());
    }
}
