//! How samples spread around their median, a row for each engine.

use super::axis::{self, AXIS_HEIGHT, Values};
use super::canvas::{Anchor, Canvas, LINE, Mark, fit, text_width};
use super::scale::Scale;
use super::{Plot, is_wide, range};
use crate::interval::Interval;

/// The samples of one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// The engine.
    pub label: String,
    /// The median of its samples with its interval.
    pub median: Interval,
    /// Its samples, in the same unit.
    pub samples: Vec<f64>,
    /// Which of them stand out, by index.
    pub outliers: Vec<usize>,
}

/// The deviations of an engine's samples from their median, as fractions of it.
struct Deviations<'a> {
    label: &'a str,
    words: String,
    median: (f64, f64),
    quartiles: (f64, f64),
    samples: Vec<f64>,
    outliers: Vec<f64>,
}

const ROW: f64 = 34.0;

/// Draws how samples spread around their medians, in percent, because rates of engines differ by orders of magnitude.
/// None where there is nothing to draw.
#[must_use]
pub fn distributions(id: &str, title: &str, engines: &[Distribution]) -> Option<Plot> {
    let rows: Vec<Deviations<'_>> = engines.iter().filter_map(deviations).collect();
    let all = rows
        .iter()
        .flat_map(|row| row.samples.iter().chain(&row.outliers).copied().chain([row.median.0, row.median.1]));
    let (min, max) = range(all)?;
    let spoken: Vec<String> = rows.iter().map(|row| format!("{}: {}", row.label, row.words)).collect();
    let description = format!(
        "Each sample's rate against the median of its engine; the middle half of the samples. {}.",
        spoken.join("; ")
    );
    let scale = Scale::linear(min.min(-0.001), max.max(0.001), 6);
    Some(Plot::new(id, title.to_owned(), description, |canvas| on(canvas, &rows, scale)))
}

fn deviations(engine: &Distribution) -> Option<Deviations<'_>> {
    let Interval { value, low, high } = engine.median;
    let is_usable = engine.median.is_ordered() && value.is_normal() && value > 0.0;
    let of = |sample: &f64| sample / value - 1.0;
    let pick = |is_outlier: bool| -> Vec<f64> {
        let chosen =
            engine.samples.iter().enumerate().filter(|(index, _)| engine.outliers.contains(index) == is_outlier);
        chosen.map(|(_, sample)| of(sample)).filter(|part| part.is_finite()).collect()
    };
    let mut sorted: Vec<f64> = engine.samples.iter().map(of).filter(|part| part.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    if !is_usable || sorted.is_empty() {
        return None;
    }
    let quartiles = (at_part(&sorted, 0.25), at_part(&sorted, 0.75));
    let words = format!("middle half {:+.1} to {:+.1} %", quartiles.0 * 100.0, quartiles.1 * 100.0);
    let median = (of(&low), of(&high));
    Some(Deviations { label: &engine.label, words, median, quartiles, samples: pick(false), outliers: pick(true) })
}

/// Returns what lies at a part of the way through sorted samples, between two of them on the line that joins them.
fn at_part(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

fn on(canvas: &mut Canvas, rows: &[Deviations<'_>], scale: Scale) -> f64 {
    let width = canvas.width();
    let labels = rows.iter().map(|row| text_width(row.label)).fold(0.0, f64::max) + 12.0;
    let is_beside = is_wide(canvas) && labels < width * 0.45;
    let left = if is_beside { labels } else { 8.0 };
    let scale = scale.between(left, width - 12.0);
    let height = if is_beside { ROW } else { ROW + LINE };
    let bottom = height * rows.len() as f64;
    axis::below(canvas, &scale, Values::Percent, (0.0, bottom), "rate of a sample against its engine's median");
    canvas.line((scale.at(0.0), 0.0), (scale.at(0.0), bottom), "zero");
    for (index, row) in rows.iter().enumerate() {
        let top = height * index as f64;
        let middle = top + height - ROW / 2.0;
        if is_beside {
            canvas.text((left - 12.0, middle + 4.0), Anchor::End, "", row.label);
        } else {
            let label = fit(row.label, width);
            canvas.rect((0.0, top + 1.0), (text_width(&label).min(width), top + LINE + 3.0), "ground");
            canvas.text((0.0, top + LINE - 2.0), Anchor::Start, "", &label);
        }
        draw_row(canvas, row, &scale, middle);
    }
    let entries = ["a sample", "an outlier", "the middle half", "95 % interval of the median"];
    canvas.legend(&entries, bottom + AXIS_HEIGHT + LINE, |canvas, index, (x, y)| match index {
        0 => canvas.dots(&[(x - 5.0, y), (x + 5.0, y)], "dots faint c0"),
        1 => canvas.mark((x, y), Mark::Cross, "c1"),
        2 => canvas.rect((x - 10.0, y - 5.0), (x + 10.0, y + 5.0), "box"),
        _ => canvas.line((x - 10.0, y), (x + 10.0, y), "bar c2"),
    })
}

fn draw_row(canvas: &mut Canvas, row: &Deviations<'_>, scale: &Scale, middle: f64) {
    // Samples lie on three tracks in turn, so that those with the same rate can be told apart.
    let place = |(index, part): (usize, &f64)| (scale.at(*part), middle + [-6.0, 0.0, 6.0][index % 3]);
    canvas.rect((scale.at(row.quartiles.0), middle - 10.0), (scale.at(row.quartiles.1), middle + 10.0), "box");
    let dots: Vec<(f64, f64)> = row.samples.iter().enumerate().map(place).collect();
    canvas.dots(&dots, "dots faint c0");
    for outlier in &row.outliers {
        canvas.mark((scale.at(*outlier), middle), Mark::Cross, "c1");
    }
    canvas.line((scale.at(row.median.0), middle + 13.0), (scale.at(row.median.1), middle + 13.0), "bar c2");
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn engine(samples: &[f64]) -> Distribution {
        Distribution {
            label: "engine".to_owned(),
            median: Interval { value: 100.0, low: 98.0, high: 101.0 },
            samples: samples.to_vec(),
            outliers: vec![0],
        }
    }

    #[test]
    fn samples_are_told_as_parts_of_the_median() {
        let distribution = engine(&[50.0, 98.0, 99.0, 100.0, 101.0, 102.0, 104.0]);
        let deviations = deviations(&distribution).unwrap();
        assert_eq!(deviations.outliers, [-0.5]);
        // By hand: places 1.5 and 4.5 of 0 to 6.
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(deviations.quartiles.0, -0.015);
        close(deviations.quartiles.1, 0.015);
        assert_eq!(deviations.words, "middle half -1.5 to +1.5 %");
        let plot = distributions("d", "Distribution", &[distribution]).unwrap();
        assert_sound(&plot);
        assert_eq!(plot.wide.matches("h0").count(), 6 + 2, "a dot for each sample, and two in the explanation");
        assert_eq!(plot.wide.matches("class=\"cross").count(), 1 + 1);
    }

    #[test]
    fn what_has_no_median_is_left_out() {
        assert_eq!(distributions("d", "Distribution", &[engine(&[])]), None);
        let zero = Distribution { median: Interval::exact(0.0), ..engine(&[1.0]) };
        assert_eq!(distributions("d", "Distribution", &[zero]), None);
        assert_sound(&distributions("d", "Distribution", &[engine(&[f64::INFINITY, 100.0, 1e300])]).unwrap());
    }
}
