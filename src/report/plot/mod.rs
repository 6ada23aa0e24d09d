//! Plots as inline SVG: plain data in, pictures out. Each is drawn twice, for a wide page and for a narrow one, because
//! letters that shrink with a picture can't be read on a phone.

mod axis;
mod break_even;
mod canvas;
mod distribution;
mod epochs;
mod outcomes;
mod rates;
mod rows;
mod scale;
mod sensitivity;

pub use self::axis::Values;
pub use self::break_even::{BreakEven, BreakEvenLine};
pub use self::canvas::Mark;
pub use self::distribution::{Distribution, distributions};
pub use self::epochs::{EpochCoins, epochs};
pub use self::outcomes::{Outcome, outcomes};
pub use self::rates::{RatePanel, SamplePoint, rates};
pub use self::rows::{Row, RowPlot};
pub use self::sensitivity::{Effect, sensitivity};

use self::canvas::Canvas;

/// The width of a picture on a wide page.
const WIDE: f64 = 800.0;
/// The width of a picture on a phone of 380 pixels.
const NARROW: f64 = 348.0;

/// A picture in both widths.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows, above it.
    pub title: String,
    /// What can be seen in it, in words.
    pub description: String,
    pub(super) wide: String,
    pub(super) narrow: String,
}

impl Plot {
    /// Draws a plot: `draw` puts it on a canvas and returns its height. `id` is unique in the page, of letters, digits
    /// and hyphens.
    fn new(id: &str, title: String, description: String, draw: impl Fn(&mut Canvas) -> f64) -> Self {
        let finished = |width: f64, class: &str| {
            let mut canvas = Canvas::new(width);
            let height = draw(&mut canvas);
            canvas.finish(height, class, &format!("{id}-{class}"), &title, &description)
        };
        let (wide, narrow) = (finished(WIDE, "wide"), finished(NARROW, "narrow"));
        Self { title, description, wide, narrow }
    }
}

/// Tells whether a picture has room beside it for words.
fn is_wide(canvas: &Canvas) -> bool {
    canvas.width() > 500.0
}

/// Returns the least and the greatest of the values that are finite; none where there is none.
fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |range: Option<(f64, f64)>, value| {
        Some(range.map_or((value, value), |(min, max)| (min.min(value), max.max(value))))
    })
}

#[cfg(test)]
mod tests {
    /// Holds a picture to what a page needs: it is well-formed, nothing of it lies outside, and no coordinate is lost.
    #[track_caller]
    pub(super) fn assert_sound(plot: &super::Plot) {
        for (svg, width) in [(&plot.wide, super::WIDE), (&plot.narrow, super::NARROW)] {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
            let view_box = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split('"').next().unwrap();
            let (across, down) = view_box.split_once(' ').unwrap();
            assert_eq!(across.parse::<f64>().unwrap(), width);
            let height: f64 = down.parse().unwrap();
            assert!((20.0..5000.0).contains(&height), "{height}");
            for (name, most) in [(" x=\"", width), (" y=\"", height), (" cx=\"", width), (" cy=\"", height)] {
                for place in svg.split(name).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                    let place: f64 = place.parse().unwrap();
                    assert!((0.0..=most).contains(&place), "{name}{place} of {most}: {svg}");
                }
            }
        }
    }
}
