//! Values with their intervals on one logarithmic axis, a row for each.

use super::axis::{self, AXIS_HEIGHT, Values};
use super::canvas::{Anchor, Canvas, LINE, Mark, fit, text_width};
use super::scale::Scale;
use super::{Plot, is_wide, range};
use crate::interval::Interval;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Whose it is.
    pub label: String,
    /// The value in words.
    pub words: String,
    /// The value. Only what is finite and above 0 is shown.
    pub value: Interval,
    /// The kind of its source.
    pub mark: Mark,
}

/// What a plot of rows is.
#[derive(Debug, Clone, Copy)]
pub struct RowPlot<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// The name of the axis.
    pub axis: &'a str,
    /// How the axis words its values.
    pub values: Values<'a>,
    /// What each mark in use stands for.
    pub legend: &'a [(Mark, &'a str)],
}

/// Where the parts of a row stand.
struct Layout {
    names: Names,
    left: f64,
    right: f64,
    height: f64,
}

/// Where the names of rows stand, and their values in words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Beside the marks, to the left and to the right.
    Beside,
    /// Above them, on one line.
    Above,
    /// Above them, on two lines.
    AboveEachOther,
}

impl RowPlot<'_> {
    /// Draws rows, the first on top. None where no value can be shown.
    #[must_use]
    pub fn draw(&self, rows: &[Row]) -> Option<Plot> {
        let is_shown = |row: &&Row| row.value.is_ordered() && row.value.low.is_normal() && row.value.low > 0.0;
        let rows: Vec<&Row> = rows.iter().filter(is_shown).collect();
        let (min, max) = range(rows.iter().flat_map(|row| [row.value.low, row.value.high]))?;
        let scale = Scale::logarithmic(min, max);
        let spoken: Vec<String> = rows.iter().map(|row| format!("{}: {}", row.label, row.words)).collect();
        let description = format!("{}. {}.", self.axis, spoken.join("; "));
        Some(Plot::new(self.id, self.title.to_owned(), description, |canvas| self.on(canvas, &rows, scale)))
    }

    fn on(&self, canvas: &mut Canvas, rows: &[&Row], scale: Scale) -> f64 {
        let layout = layout(canvas, rows);
        let scale = scale.between(layout.left, layout.right);
        let bottom = layout.height * rows.len() as f64 + 4.0;
        axis::below(canvas, &scale, self.values, (0.0, bottom), self.axis);
        for (index, row) in rows.iter().enumerate() {
            let top = layout.height * index as f64;
            draw_row(canvas, &layout, &scale, row, top);
        }
        let used: Vec<&(Mark, &str)> =
            self.legend.iter().filter(|(mark, _)| rows.iter().any(|row| row.mark == *mark)).collect();
        let words: Vec<&str> = used.iter().map(|(_, words)| *words).collect();
        canvas.legend(&words, bottom + AXIS_HEIGHT + LINE, |canvas, index, place| {
            canvas.mark(place, used[index].0, class(used[index].0));
        })
    }
}

fn layout(canvas: &Canvas, rows: &[&Row]) -> Layout {
    let width = canvas.width();
    let widest = |text: fn(&Row) -> &str| rows.iter().map(|row| text_width(text(row))).fold(0.0, f64::max);
    let (labels, words) = (widest(|row| &row.label) + 12.0, widest(|row| &row.words) + 16.0);
    if is_wide(canvas) && labels + words < width * 0.6 {
        return Layout { names: Names::Beside, left: labels, right: width - words, height: 24.0 };
    }
    let is_tight = rows.iter().any(|row| text_width(&row.label) + text_width(&row.words) + 12.0 > width);
    let (names, lines) = if is_tight { (Names::AboveEachOther, 3.0) } else { (Names::Above, 2.0) };
    Layout { names, left: 8.0, right: width - 8.0, height: lines * LINE + 8.0 }
}

fn draw_row(canvas: &mut Canvas, layout: &Layout, scale: &Scale, row: &Row, top: f64) {
    let (width, class) = (canvas.width(), class(row.mark));
    let y = if layout.names == Names::Beside { top + layout.height / 2.0 } else { top + layout.height - 9.0 };
    match layout.names {
        Names::Beside => {
            canvas.text((layout.left - 12.0, y + 4.0), Anchor::End, "", &row.label);
            canvas.text((width, y + 4.0), Anchor::End, "value", &row.words);
        }
        Names::Above => {
            canvas.text((0.0, top + LINE), Anchor::Start, "", &row.label);
            canvas.text((width, top + LINE), Anchor::End, "value", &row.words);
        }
        Names::AboveEachOther => {
            canvas.text((0.0, top + LINE), Anchor::Start, "", &fit(&row.label, width));
            canvas.text((0.0, top + 2.0 * LINE), Anchor::Start, "value muted", &fit(&row.words, width));
        }
    }
    let Interval { value, low, high } = row.value;
    canvas.line((layout.left, y), (layout.right, y), "guide");
    if low < high {
        canvas.line((scale.at(low), y), (scale.at(high), y), &format!("whisker {class}"));
    }
    canvas.mark((scale.at(value), y), row.mark, class);
}

/// Which colour a mark has.
fn class(mark: Mark) -> &'static str {
    if mark == Mark::Diamond { "c1" } else { "c0" }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn row(label: &str, value: f64, mark: Mark) -> Row {
        let value = Interval { value, low: value * 0.9, high: value * 1.1 };
        Row { label: label.to_owned(), words: format!("{:e} J", value.value), value, mark }
    }

    const PLOT: RowPlot<'_> = RowPlot {
        id: "energy",
        title: "Energy per hash",
        axis: "joules per hash",
        values: Values::Si("J"),
        legend: &[(Mark::Disc, "measured"), (Mark::Ring, "declared"), (Mark::Diamond, "published")],
    };

    #[test]
    fn each_value_stands_at_its_place_between_powers_of_ten() {
        let rows = [row("a", 1e-8, Mark::Disc), row("b", 1e-6, Mark::Diamond)];
        let plot = PLOT.draw(&rows).unwrap();
        assert_sound(&plot);
        // From 1 nJ (10 nJ less a tenth lies below 10 nJ) to 10 µJ; a quarter of the way along.
        let at = |svg: &str, from: &str| -> f64 {
            svg.split(from).nth(1).unwrap().split(['"', ' ']).next().unwrap().parse().unwrap()
        };
        let (left, right) = (8.0, super::super::NARROW - 8.0);
        assert!((at(&plot.narrow, "cx=\"") - (left + (right - left) / 4.0)).abs() < 0.06, "{}", plot.narrow);
        assert!(plot.description.contains("a: 1e-8 J; b: 1e-6 J"), "{}", plot.description);
        // Only marks that are there are explained.
        assert!(
            plot.wide.contains(">measured<") && plot.wide.contains(">published<") && !plot.wide.contains("declared")
        );
    }

    #[test]
    fn what_can_not_be_shown_is_left_out() {
        assert_eq!(PLOT.draw(&[]), None);
        let bad = [0.0, -1.0, f64::NAN, f64::INFINITY].map(|value| row("bad", value, Mark::Disc));
        assert_eq!(PLOT.draw(&bad), None);
        let mixed = [bad.to_vec(), vec![row(&"long name ".repeat(40), 1.0, Mark::Ring)]].concat();
        let plot = PLOT.draw(&mixed).unwrap();
        assert_sound(&plot);
        assert_eq!(plot.wide.matches("<circle class=\"ring c0\"").count(), 2, "the value and its explanation");
        assert!(!plot.wide.contains("bad"));
    }

    #[test]
    fn extremes_are_drawn_all_the_same() {
        for value in [f64::MIN_POSITIVE * 2.0, 1e-300, 1e300] {
            assert_sound(&PLOT.draw(&[row("x", value, Mark::Disc), row("y", 1.0, Mark::Disc)]).unwrap());
        }
    }
}
