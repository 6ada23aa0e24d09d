//! Rates over time: a panel for each engine, under one axis of time.

use super::axis::{self, AXIS_HEIGHT, Values};
use super::canvas::{Anchor, Canvas, LINE, Mark, fit, text_width};
use super::scale::Scale;
use super::{Plot, range};
use crate::interval::Interval;

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplePoint {
    /// The turn that it belongs to.
    pub turn: u32,
    /// When it began, in seconds since the run began.
    pub start_s: f64,
    /// How long it took, in seconds.
    pub duration_s: f64,
    /// Its rate, in hashes per second.
    pub rate_hps: f64,
    /// Whether it stands out.
    pub is_outlier: bool,
}

/// The samples of one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct RatePanel {
    /// The engine.
    pub label: String,
    /// Its rate in words.
    pub words: String,
    /// Its rate, in hashes per second.
    pub rate_hps: Interval,
    /// Its samples, in the order in which they were taken.
    pub samples: Vec<SamplePoint>,
}

/// How much wider bold letters are.
const BOLD: f64 = 1.15;
/// The room for the name above a panel: none of its words may touch the highest tick's.
const HEADER: f64 = 28.0;
const PANEL: f64 = 64.0;
const GAP: f64 = 8.0;
const TICKS: usize = 3;

/// Draws the rates of engines over time. None without samples.
#[must_use]
pub fn rates(id: &str, title: &str, panels: &[RatePanel]) -> Option<Plot> {
    let panels: Vec<&RatePanel> = panels.iter().filter(|panel| !panel.samples.is_empty()).collect();
    let all = || panels.iter().flat_map(|panel| &panel.samples);
    let (start, _) = range(all().map(|sample| sample.start_s))?;
    let (_, end) = range(all().map(|sample| sample.start_s + sample.duration_s))?;
    let turns = all().map(|sample| sample.turn).max()?.saturating_add(1);
    let spoken: Vec<String> = panels.iter().map(|panel| format!("{}: {}", panel.label, panel.words)).collect();
    let description = format!(
        "A dot for each sample, at its time and rate; shaded: the turns of an engine, up to {turns} each; line and \
         band: the median with its 95 % interval. {}.",
        spoken.join("; ")
    );
    Some(Plot::new(id, title.to_owned(), description, |canvas| on(canvas, &panels, (start, end))))
}

fn on(canvas: &mut Canvas, panels: &[&RatePanel], (start, end): (f64, f64)) -> f64 {
    let rate_scale = |panel: &RatePanel| {
        let Interval { low, high, .. } = panel.rate_hps;
        let (min, max) =
            range(panel.samples.iter().map(|sample| sample.rate_hps).chain([low, high])).unwrap_or_default();
        Scale::linear(min, max, TICKS)
    };
    let left = panels.iter().map(|panel| axis::width_beside(&rate_scale(panel), Values::Si("H/s"), TICKS));
    let left = left.fold(0.0, f64::max).min(canvas.width() / 3.0);
    let time = Scale::linear(start, end, 6).between(left, canvas.width() - 4.0);
    let height = HEADER + PANEL + GAP;
    let bottom = height * panels.len() as f64;
    axis::below(canvas, &time, Values::Plain, (HEADER, bottom), "seconds since the run began");
    for (index, panel) in panels.iter().enumerate() {
        let top = height * index as f64 + HEADER;
        let scale = rate_scale(panel).between(top + PANEL, top);
        draw_panel(canvas, panel, &time, &scale);
    }
    let entries = ["a sample", "an outlier", "a turn", "median, 95 %"];
    canvas.legend(&entries, bottom + AXIS_HEIGHT + LINE, |canvas, index, (x, y)| match index {
        0 => canvas.dots(&[(x - 5.0, y), (x + 5.0, y)], "dots c0"),
        1 => canvas.mark((x, y), Mark::Cross, "c1"),
        2 => canvas.rect((x - 8.0, y - 6.0), (x + 8.0, y + 6.0), "turn"),
        _ => {
            canvas.rect((x - 10.0, y - 4.0), (x + 10.0, y + 4.0), "band c0");
            canvas.line((x - 10.0, y), (x + 10.0, y), "median c0");
        }
    })
}

fn draw_panel(canvas: &mut Canvas, panel: &RatePanel, time: &Scale, scale: &Scale) {
    let (top, bottom, width) = (scale.to(), scale.from(), canvas.width());
    let words = fit(&panel.words, width / 2.0);
    // A ground behind the words, because the lines of the axis of time run through here.
    canvas.rect((0.0, top - HEADER + 2.0), (width, top - 1.0), "ground");
    canvas.text(
        (0.0, top - 13.0),
        Anchor::Start,
        "strong",
        &fit(&panel.label, (width - text_width(&words) - 12.0) / BOLD),
    );
    canvas.text((width, top - 13.0), Anchor::End, "value", &words);
    for (from, to) in turns(&panel.samples) {
        let (from, to) = (time.at(from), time.at(to));
        canvas.rect((from, top), (to.max(from + 1.0).min(time.to().max(from)), bottom), "turn");
    }
    axis::beside(canvas, scale, Values::Si("H/s"), TICKS, (time.from(), time.to()));
    let Interval { value, low, high } = panel.rate_hps;
    if panel.rate_hps.is_ordered() {
        canvas.rect((time.from(), scale.at(high)), (time.to(), scale.at(low)), "band c0");
        canvas.line((time.from(), scale.at(value)), (time.to(), scale.at(value)), "median c0");
    }
    let place = |sample: &SamplePoint| (time.at(sample.start_s + sample.duration_s / 2.0), scale.at(sample.rate_hps));
    let of = |is_outlier: bool| panel.samples.iter().filter(move |sample| sample.is_outlier == is_outlier);
    let dots: Vec<(f64, f64)> = of(false).map(place).collect();
    canvas.dots(&dots, "dots c0");
    for sample in of(true) {
        canvas.mark(place(sample), Mark::Cross, "c1");
    }
}

/// Returns when each turn began and ended.
fn turns(samples: &[SamplePoint]) -> Vec<(f64, f64)> {
    let spans = samples.chunk_by(|a, b| a.turn == b.turn);
    let of = |samples: &[SamplePoint]| {
        let (first, last) = (samples.first()?, samples.last()?);
        Some((first.start_s, last.start_s + last.duration_s))
    };
    spans.filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn panel(label: &str, rates: &[f64]) -> RatePanel {
        let sample = |(index, rate): (usize, &f64)| SamplePoint {
            turn: index as u32 / 2,
            start_s: index as f64,
            duration_s: 0.5,
            rate_hps: *rate,
            is_outlier: *rate < 60.0,
        };
        RatePanel {
            label: label.to_owned(),
            words: "100 H/s".to_owned(),
            rate_hps: Interval { value: 100.0, low: 95.0, high: 105.0 },
            samples: rates.iter().enumerate().map(sample).collect(),
        }
    }

    #[test]
    fn each_sample_is_a_dot_each_outlier_a_cross_and_each_turn_is_shaded() {
        let plot = rates("r", "Rates", &[panel("one", &[100.0, 101.0, 99.0, 50.0, 98.0])]).unwrap();
        assert_sound(&plot);
        // Those of the explanation besides: two dots, one cross, one turn.
        assert_eq!(plot.wide.matches("h0").count(), 4 + 2);
        assert_eq!(plot.wide.matches("class=\"cross").count(), 1 + 1);
        assert_eq!(plot.wide.matches("class=\"turn\"").count(), 3 + 1);
        assert!(plot.description.contains("up to 3 each") && plot.description.contains("one: 100 H/s"));
    }

    #[test]
    fn engines_without_samples_and_absurd_ones_spoil_nothing() {
        assert_eq!(rates("r", "Rates", &[]), None);
        assert_eq!(rates("r", "Rates", &[panel("none", &[])]), None);
        let absurd = panel(&"x".repeat(300), &[f64::INFINITY, f64::NAN, 0.0, -1.0, 1e300]);
        assert_sound(&rates("r", "Rates", &[panel("one", &[100.0]), absurd]).unwrap());
    }
}
