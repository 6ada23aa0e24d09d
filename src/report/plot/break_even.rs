//! The break-even frontier: at which prices of electricity and of the coin the electricity of a coin costs what the
//! coin fetches.

use super::axis::{self, AXIS_HEIGHT, Values};
use super::canvas::{Anchor, Canvas, LINE, Mark};
use super::scale::Scale;
use super::{Plot, is_wide, range};
use crate::interval::Interval;

/// A machine, or an engine on one.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakEvenLine {
    /// Whose line it is.
    pub label: String,
    /// What a coin takes, in kWh. Only what is finite and above 0 is shown.
    pub energy_per_coin_kwh: Interval,
}

/// What a plot of the break-even frontier is.
#[derive(Debug, Clone, Copy)]
pub struct BreakEven<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What one coin is called, such as `BTC`.
    pub symbol: &'a str,
    /// The currency of both prices.
    pub currency: &'a str,
    /// The price of electricity per kWh that is marked.
    pub price_kwh: f64,
    /// The price of a coin that is marked, where one is known.
    pub coin_price: Option<f64>,
}

/// The prices of electricity that are shown, per kWh; wider where the marked one lies outside.
const PRICES_KWH: (f64, f64) = (0.01, 1.0);

/// How many lines differ enough to be told apart.
const LINES_MAX: usize = 6;

impl BreakEven<'_> {
    /// Draws the lines, at most six of them. None where there is none to draw.
    #[must_use]
    pub fn draw(&self, lines: &[BreakEvenLine]) -> Option<Plot> {
        let is_shown = |line: &&BreakEvenLine| {
            let energy = line.energy_per_coin_kwh;
            energy.is_ordered() && energy.low > 0.0 && (1e-290..1e290).contains(&energy.value)
        };
        let mut lines: Vec<&BreakEvenLine> = lines.iter().filter(is_shown).take(LINES_MAX).collect();
        // As they lie on the plot, so that the explanations below come in the same order.
        lines.sort_by(|a, b| b.energy_per_coin_kwh.value.total_cmp(&a.energy_per_coin_kwh.value));
        let is_marked = self.price_kwh.is_normal() && (1e-6..1e6).contains(&self.price_kwh);
        let price = if is_marked { self.price_kwh } else { PRICES_KWH.1 };
        let across = Scale::logarithmic_exactly(PRICES_KWH.0.min(price), PRICES_KWH.1.max(price));
        let (cheapest, dearest) = across.ends();
        let energies = lines.iter().flat_map(|line| [line.energy_per_coin_kwh.low, line.energy_per_coin_kwh.high]);
        let (least, most) = range(energies)?;
        let known = self.coin_price.filter(|price| price.is_normal() && *price > 0.0);
        let (low, high) = range([least * cheapest, most * dearest].into_iter().chain(known))?;
        let upwards = Scale::logarithmic(low, high);
        let currency = self.currency;
        let spoken: Vec<String> = lines
            .iter()
            .map(|line| {
                let even = line.energy_per_coin_kwh.value * self.price_kwh;
                format!("{}: {even:.3e} {currency} at {} {currency} per kWh", line.label, self.price_kwh)
            })
            .collect();
        let description = format!(
            "Above a line a coin fetches more than its electricity costs, below it less. A coin has to fetch: {}.",
            spoken.join("; ")
        );
        Some(Plot::new(self.id, self.title.to_owned(), description, |canvas| {
            self.on(canvas, &lines, (across, upwards), known)
        }))
    }

    fn on(&self, canvas: &mut Canvas, lines: &[&BreakEvenLine], scales: (Scale, Scale), known: Option<f64>) -> f64 {
        const TICKS: usize = 8;
        let (top, bottom) = (LINE + 8.0, if is_wide(canvas) { 340.0 } else { 270.0 });
        let left = axis::width_beside(&scales.1, Values::Plain, TICKS);
        let across = scales.0.between(left, canvas.width() - 6.0);
        let upwards = scales.1.between(bottom, top);
        let Self { symbol, currency, price_kwh, .. } = self;
        canvas.text((0.0, LINE - 3.0), Anchor::Start, "muted", &format!("price of one {symbol}, {currency}"));
        axis::beside(canvas, &upwards, Values::Plain, TICKS, (across.from(), across.to()));
        axis::below(
            canvas,
            &across,
            Values::Plain,
            (top, bottom),
            &format!("price of electricity, {currency} per kWh"),
        );
        let marked = across.at(*price_kwh);
        if *price_kwh > 0.0 {
            canvas.line((marked, top), (marked, bottom), "zero");
        }
        if let Some(price) = known {
            canvas.line((across.from(), upwards.at(price)), (across.to(), upwards.at(price)), "zero");
        }
        for (index, line) in lines.iter().enumerate() {
            draw_line(canvas, line.energy_per_coin_kwh, index, &across, &upwards);
        }
        let mut words: Vec<&str> = lines.iter().map(|line| line.label.as_str()).collect();
        let assumed = format!("{price_kwh} {currency} per kWh");
        words.push(&assumed);
        let known = known.map(|price| format!("{price} {currency} per {symbol}"));
        words.extend(known.as_deref());
        canvas.legend(&words, bottom + AXIS_HEIGHT + LINE, |canvas, index, (x, y)| {
            let class = if index < lines.len() { format!("line l{index} c{index}") } else { "zero".to_owned() };
            canvas.line((x - 12.0, y), (x + 12.0, y), &class);
            if index < lines.len() {
                canvas.mark((x, y), mark(index), &format!("c{index}"));
            }
        })
    }
}

/// Draws where the price of a coin is what its electricity costs, with its interval as a band.
fn draw_line(canvas: &mut Canvas, energy_kwh: Interval, index: usize, across: &Scale, upwards: &Scale) {
    let (cheapest, dearest) = across.ends();
    let ends = |kwh: f64| {
        [(cheapest, kwh * cheapest), (dearest, kwh * dearest)].map(|(price, coin)| (across.at(price), upwards.at(coin)))
    };
    let Interval { value, low, high } = energy_kwh;
    if low < high {
        let ([from, to], [low_from, low_to]) = (ends(high), ends(low));
        canvas.lines(&[from, to, low_to, low_from], &format!("band c{index}"));
    }
    canvas.lines(&ends(value), &format!("line l{index} c{index}"));
    for part in [0.25, 0.5, 0.75] {
        let price = (cheapest.ln() + part * (dearest.ln() - cheapest.ln())).exp();
        canvas.mark((across.at(price), upwards.at(value * price)), mark(index), &format!("c{index}"));
    }
}

/// Returns a mark that differs from line to line.
fn mark(index: usize) -> Mark {
    [Mark::Disc, Mark::Diamond, Mark::Ring, Mark::Cross][index % 4]
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn line(label: &str, kwh: f64) -> BreakEvenLine {
        BreakEvenLine {
            label: label.to_owned(),
            energy_per_coin_kwh: Interval { value: kwh, low: kwh * 0.9, high: kwh * 1.1 },
        }
    }

    const PLOT: BreakEven<'_> = BreakEven {
        id: "frontier",
        title: "Break even",
        symbol: "BTC",
        currency: "USD",
        price_kwh: 0.05,
        coin_price: Some(3840.1),
    };

    #[test]
    fn a_line_passes_where_the_electricity_of_a_coin_costs_what_it_fetches() {
        // An Antminer S9 in the summer of 2017: 6,088 kWh for a coin, 304.40 USD at 0.05 USD per kWh.
        let plot = PLOT.draw(&[line("S9", 6088.0), line("CPU", 4e8)]).unwrap();
        assert_sound(&plot);
        assert!(plot.description.contains("S9: 3.044e2 USD at 0.05 USD per kWh"), "{}", plot.description);
        assert!(
            plot.description.find("CPU").unwrap() < plot.description.find("S9").unwrap(),
            "dearest first, as drawn"
        );
        assert!(plot.wide.contains("3840.1 USD per BTC"));
        let plot = BreakEven { coin_price: None, ..PLOT }.draw(&[line("S9", 6088.0)]).unwrap();
        assert!(!plot.wide.contains("3840.1"));
    }

    #[test]
    fn prices_beyond_the_usual_and_absurd_energies_spoil_nothing() {
        assert_eq!(PLOT.draw(&[]), None);
        assert_eq!(PLOT.draw(&[line("bad", 0.0), line("bad", f64::NAN)]), None);
        for price_kwh in [0.0, 1e-5, 25.0, 1e300] {
            let plot = BreakEven { price_kwh, ..PLOT };
            assert_sound(&plot.draw(&[line("S9", 6088.0), line("bad", f64::INFINITY)]).unwrap());
        }
        let many: Vec<BreakEvenLine> = (1..20).map(|index| line(&format!("n{index}"), f64::from(index))).collect();
        assert_eq!(PLOT.draw(&many).unwrap().wide.matches("\"line l").count(), 2 * LINES_MAX);
    }
}
