//! Coins over a window, one bar for each stretch of one difficulty.

use jiff::civil::Date;

use super::axis::{self, AXIS_HEIGHT, Values};
use super::canvas::{Anchor, Canvas, LINE, text_width};
use super::scale::Scale;
use super::{Plot, is_wide, range};
use crate::interval::Interval;
use crate::report::units::format_coins;

/// The part of a window that has one difficulty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochCoins {
    /// Its first day.
    pub from: Date,
    /// How long it lasts, in days; above 0.
    pub days: f64,
    /// The coins that it brings.
    pub coins: Interval,
}

/// More bars than anybody wants to hear of.
const SPOKEN_MAX: usize = 12;

/// Draws coins per day over a window, so that the area of a bar is what its epoch brings. None where there is none to
/// draw.
#[must_use]
pub fn epochs(id: &str, title: &str, symbol: &str, epochs: &[EpochCoins]) -> Option<Plot> {
    let is_shown = |epoch: &&EpochCoins| epoch.coins.is_ordered() && epoch.days.is_normal() && epoch.days > 0.0;
    let shown: Vec<&EpochCoins> = epochs.iter().filter(is_shown).collect();
    let (_, most) = range(shown.iter().map(|epoch| epoch.coins.high / epoch.days))?;
    let total: f64 = shown.iter().map(|epoch| epoch.coins.value).sum();
    let description = format!(
        "The area of a bar is the coins of its epoch. {}; together {} {symbol}.",
        spoken(&shown, symbol),
        format_coins(total)
    );
    Some(Plot::new(id, title.to_owned(), description, |canvas| on(canvas, &shown, most, symbol)))
}

/// Says what each bar is; of many only the first and the last.
fn spoken(epochs: &[&EpochCoins], symbol: &str) -> String {
    let word = |epoch: &&EpochCoins| {
        let days = (epoch.days * 100.0).round() / 100.0;
        format!("{days} days from {}: {} {symbol}", epoch.from, format_coins(epoch.coins.value))
    };
    match epochs {
        [first, .., last] if epochs.len() > SPOKEN_MAX => {
            format!("The first and the last of {}: {}; {}", epochs.len(), word(first), word(last))
        }
        few => few.iter().map(word).collect::<Vec<_>>().join("; "),
    }
}

fn on(canvas: &mut Canvas, epochs: &[&EpochCoins], most: f64, symbol: &str) -> f64 {
    const TICKS: usize = 5;
    let (top, bottom) = (LINE + 12.0, if is_wide(canvas) { 260.0 } else { 220.0 });
    let upwards = Scale::linear(0.0, most, TICKS).between(bottom, top);
    let left = axis::width_beside(&upwards, Values::Plain, TICKS);
    let days: f64 = epochs.iter().map(|epoch| epoch.days).sum();
    let per_day = (canvas.width() - 6.0 - left) / days;
    canvas.text((0.0, LINE - 3.0), Anchor::Start, "muted", &format!("{symbol} a day"));
    axis::beside(canvas, &upwards, Values::Plain, TICKS, (left, canvas.width() - 6.0));
    let (mut x, mut free_from) = (left, 0.0);
    for epoch in epochs {
        let end = x + epoch.days * per_day;
        let Interval { value, low, high } = epoch.coins.scaled(epoch.days.recip());
        // A narrow gap tells bars apart, where there is room for it.
        let edge = (end - 1.5).max(x + 0.5);
        canvas.rect((x, upwards.at(value)), (edge, bottom), "column c0");
        if low < high {
            let middle = f64::midpoint(x, edge);
            canvas.line((middle, upwards.at(low)), (middle, upwards.at(high)), "whisker");
        }
        let date = epoch.from.to_string();
        let half = text_width(&date) / 2.0;
        let place = axis::inside(canvas, x, half);
        if place - half >= free_from {
            canvas.line((x, bottom), (x, bottom + 4.0), "axis");
            canvas.text((place, bottom + LINE + 2.0), Anchor::Middle, "muted", &date);
            free_from = place + half + 8.0;
        }
        x = end;
    }
    canvas.line((left, bottom), (canvas.width() - 6.0, bottom), "axis");
    let name = "first day of each difficulty (UTC)";
    canvas.text((f64::midpoint(left, canvas.width()), bottom + 2.0 * LINE + 2.0), Anchor::Middle, "muted", name);
    bottom + AXIS_HEIGHT
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::tests::assert_sound;
    use super::*;

    #[test]
    fn the_area_of_a_bar_is_the_coins_of_its_epoch() {
        let epoch = |from, days, coins| EpochCoins { from, days, coins: Interval::exact(coins) };
        // The first has half the days and as many coins: twice as high, half as wide.
        let data = [epoch(date(2017, 5, 17), 5.0, 0.1), epoch(date(2017, 5, 22), 10.0, 0.1)];
        let plot = epochs("e", "Coins", "BTC", &data).unwrap();
        assert_sound(&plot);
        let bars: Vec<(f64, f64)> = plot
            .wide
            .split("<rect class=\"column c0\"")
            .skip(1)
            .map(|bar| {
                let of =
                    |name: &str| bar.split(name).nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap();
                (of(" width=\"") + 1.5, of(" height=\""))
            })
            .collect();
        assert!((bars[1].0 / bars[0].0 - 2.0).abs() < 0.01 && (bars[0].1 / bars[1].1 - 2.0).abs() < 0.01, "{bars:?}");
        assert!(plot.description.contains("5 days from 2017-05-17: 0.100 BTC"), "{}", plot.description);
        assert!(plot.description.contains("together 0.200 BTC"));
    }

    #[test]
    fn nothing_to_draw_is_no_plot_and_many_epochs_keep_their_dates_apart() {
        assert_eq!(epochs("e", "Coins", "BTC", &[]), None);
        let none = EpochCoins { from: date(2017, 5, 17), days: 0.0, coins: Interval::exact(1.0) };
        assert_eq!(epochs("e", "Coins", "BTC", &[none]), None);
        let day = |index: i32| EpochCoins {
            from: date(2010, 1, 1).saturating_add(jiff::Span::new().days(14 * index)),
            days: 14.0,
            coins: Interval {
                value: 1.0 / f64::from(index),
                low: 0.9 / f64::from(index),
                high: 1.1 / f64::from(index),
            },
        };
        let plot = epochs("e", "Coins", "BTC", &(1..200).map(day).collect::<Vec<_>>()).unwrap();
        assert_sound(&plot);
        assert!((3..12).contains(&plot.wide.split("</desc>").nth(1).unwrap().matches(">20").count()));
    }
}
