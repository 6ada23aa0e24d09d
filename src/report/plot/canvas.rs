//! SVG as text: lines, dots, and words whose width is known about well enough to keep them apart.

use std::fmt::Write as _;

use super::super::html::escape;

/// The height of a line of text, in units of the picture, which are about a pixel.
pub(super) const LINE: f64 = 16.0;

/// The size of letters.
const FONT: f64 = 12.0;

/// Where a text stands from its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// The form of a mark, so that no meaning hangs on a colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A full disc: measured.
    Disc,
    /// A ring: declared or estimated.
    Ring,
    /// A diamond: published by others.
    Diamond,
    /// A cross: an outlier.
    Cross,
}

/// A picture that grows downwards.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    width: f64,
    body: String,
}

impl Canvas {
    /// An empty picture of this width.
    #[must_use]
    pub(super) fn new(width: f64) -> Self {
        Self { width, body: String::new() }
    }

    /// Returns the width.
    #[must_use]
    pub(super) fn width(&self) -> f64 {
        self.width
    }

    /// Writes a text on the base line `y`. `class` is one of the page's style.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(self.body, "<text x=\"{}\" y=\"{}\"{anchor}{class}>{}</text>", n(x), n(y), escape(text));
    }

    /// Draws a straight line.
    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"M{} {}L{} {}\"/>", n(x1), n(y1), n(x2), n(y2));
    }

    /// Draws a rectangle between two corners.
    pub(super) fn rect(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        let (x, y, width, height) = (n(x1.min(x2)), n(y1.min(y2)), n((x2 - x1).abs()), n((y2 - y1).abs()));
        let _ =
            write!(self.body, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>");
    }

    /// Draws lines from point to point.
    pub(super) fn lines(&mut self, points: &[(f64, f64)], class: &str) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{} {}", n(*x), n(*y))).collect();
        let _ = write!(self.body, "<path class=\"{class}\" d=\"M{}\"/>", path.join("L"));
    }

    /// Draws a dot at each point, all as one path: strokes without length whose ends are round.
    pub(super) fn dots(&mut self, points: &[(f64, f64)], class: &str) {
        if points.is_empty() {
            return;
        }
        let path: String = points.iter().map(|(x, y)| format!("M{} {}h0", n(*x), n(*y))).collect();
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    /// Draws a mark. `class` sets its colour.
    pub(super) fn mark(&mut self, (x, y): (f64, f64), mark: Mark, class: &str) {
        let _ = match mark {
            Mark::Disc | Mark::Ring => {
                let kind = if mark == Mark::Disc { "disc" } else { "ring" };
                write!(self.body, "<circle class=\"{kind} {class}\" cx=\"{}\" cy=\"{}\" r=\"4.5\"/>", n(x), n(y))
            }
            Mark::Diamond => {
                let (x, y) = (n(x), n(y - 5.5));
                write!(self.body, "<path class=\"ring {class}\" d=\"M{x} {y}l5.5 5.5l-5.5 5.5l-5.5 -5.5z\"/>")
            }
            Mark::Cross => {
                let (x, y) = (n(x - 3.0), n(y - 3.0));
                write!(self.body, "<path class=\"cross {class}\" d=\"M{x} {y}l6 6m0 -6l-6 6\"/>")
            }
        };
    }

    /// Writes explanations from `y` on, each behind what `draw` puts at its place, as many on a line as fit. Returns
    /// where they end.
    pub(super) fn legend(
        &mut self,
        entries: &[&str],
        y: f64,
        mut draw: impl FnMut(&mut Self, usize, (f64, f64)),
    ) -> f64 {
        const SAMPLE: f64 = 30.0;
        let (mut x, mut y) = (0.0, y);
        for (index, entry) in entries.iter().enumerate() {
            let text = fit(entry, self.width - SAMPLE);
            let width = SAMPLE + text_width(&text) + 18.0;
            if x > 0.0 && x + width > self.width + 18.0 {
                (x, y) = (0.0, y + LINE + 2.0);
            }
            draw(self, index, (x + 12.0, y - 4.0));
            self.text((x + SAMPLE, y), Anchor::Start, "", &text);
            x += width;
        }
        y + LINE / 2.0
    }

    /// Returns the picture, with title and description for those who can't see it. `id` is unique in the page.
    #[must_use]
    pub(super) fn finish(self, height: f64, class: &str, id: &str, title: &str, description: &str) -> String {
        let (width, height, title, description) = (n(self.width), n(height), escape(title), escape(description));
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>{}</svg>",
            self.body
        )
    }
}

/// Returns about how wide a text is, by the measures of `DejaVu` Sans, which is wider than most: fonts differ from
/// reader to reader.
#[must_use]
pub(super) fn text_width(text: &str) -> f64 {
    let width = |character: char| match character {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '/' | ' ' | '!' | '(' | ')' | '[' | ']' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 1.0,
        '+' | '±' | '<' | '>' | '=' | '~' => 0.84,
        'A'..='Z' => 0.76,
        '\u{0}'..='\u{24f}' => 0.64,
        _ => 1.0,
    };
    text.chars().map(width).sum::<f64>() * FONT
}

/// Returns as much of a text as fits into a width, with a sign where something was cut off.
#[must_use]
pub(super) fn fit(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        cut.push(character);
        if text_width(&cut) > width - FONT {
            cut.pop();
            break;
        }
    }
    cut.push('…');
    cut
}

/// A coordinate, to a tenth.
fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped_and_described() {
        let mut canvas = Canvas::new(100.0);
        canvas.text((1.0, 2.25), Anchor::End, "muted", "<a> & \"b\"");
        let svg = canvas.finish(20.0, "wide", "x", "a < b", "\"c\" > d");
        let expected = "<svg class=\"wide\" viewBox=\"0 0 100 20\" role=\"img\" aria-labelledby=\"x-t x-d\">\
                        <title id=\"x-t\">a &lt; b</title><desc id=\"x-d\">&quot;c&quot; &gt; d</desc>\
                        <text x=\"1\" y=\"2.2\" text-anchor=\"end\" class=\"muted\">\
                        &lt;a&gt; &amp; &quot;b&quot;</text></svg>";
        assert_eq!(svg, expected);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        assert_eq!(fit("short", 100.0), "short");
        let cut = fit(&"long ".repeat(50), 100.0);
        assert!(cut.ends_with('…') && cut.chars().count() > 8 && text_width(&cut) <= 100.0, "{cut}");
        assert_eq!(fit("anything", 0.0), "…");
    }
}
