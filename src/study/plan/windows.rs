//! Windows of a study, with the histories that they lie in.

use std::rc::Rc;

use toml::Spanned;

use super::super::cost::Network;
use super::super::file::{FileError, WindowEntry};
use super::{Materials, Reader, history_help, words_of};
use crate::coin::history::{Growth, History, HistoryError, Window};
use crate::coin::{Coin, NetworkPoint};

/// A window of a study.
#[derive(Debug, Clone)]
pub struct WindowPlan {
    /// What it is called.
    pub name: String,
    /// The coin.
    pub coin: Coin,
    /// Its days; of a window of blocks, those that the blocks lie in.
    pub days: Window,
    /// The first and the last block, where the window is one of blocks.
    pub blocks: Option<(u64, u64)>,
    /// The coin's history.
    pub history: Rc<History>,
    /// Whose epochs extend it, if any.
    pub extended_by: Option<String>,
}

/// The histories of both coins.
pub(super) struct Histories {
    bitcoin: Rc<History>,
    monero: Rc<History>,
    extended_by: Option<String>,
}

impl Histories {
    pub(super) fn of(&self, coin: Coin) -> &Rc<History> {
        match coin {
            Coin::Btc => &self.bitcoin,
            Coin::Xmr => &self.monero,
        }
    }
}

impl WindowPlan {
    /// Returns what the network asks and pays over the window: by its history, with an assumed growth past its end (a
    /// fraction per epoch), or at a difficulty that is given.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] where that isn't known.
    pub fn network(&self, growth: Option<f64>, difficulty: Option<f64>) -> Result<Network, HistoryError> {
        if let Some((first, last)) = self.blocks {
            let (window, stretches) = self.history.stretches_of_blocks(first, last)?;
            let source = format!("blocks {first} to {last} of the built-in history");
            return Ok(Network::Window { coin: self.coin, window, stretches, source });
        }
        if let Some(difficulty) = difficulty {
            let point = NetworkPoint::with_difficulty(self.coin, &difficulty_text(self.coin, difficulty), None)?;
            return Network::held(&self.history, self.days, &point);
        }
        let growth = growth.map(growth_of).transpose()?;
        let network = Network::over(&self.history, self.days, growth)?;
        Ok(match (network, &self.extended_by) {
            (Network::Window { coin, window, stretches, source }, Some(name)) => {
                Network::Window { coin, window, stretches, source: format!("{source}; extended by {name}") }
            }
            (network, _) => network,
        })
    }
}

fn growth_of(fraction: f64) -> Result<Growth, HistoryError> {
    let refuse = || HistoryError::Growth {
        text: format!("{}%/epoch", fraction * 100.0),
        reason: "one epoch can change the difficulty by -75% to 300%",
    };
    Growth::per_epoch(fraction).ok_or_else(refuse)
}

/// Writes a difficulty as its coin has it: Monero's is a whole number.
fn difficulty_text(coin: Coin, difficulty: f64) -> String {
    match coin {
        Coin::Btc => difficulty.to_string(),
        Coin::Xmr => format!("{:.0}", difficulty.max(1.0)),
    }
}

impl Reader<'_> {
    pub(super) fn histories(&self, materials: &Materials) -> Result<Histories, FileError> {
        let (mut bitcoin, monero) = (History::built_in(Coin::Btc), History::built_in(Coin::Xmr));
        if let (Some((name, text)), History::Bitcoin(table)) = (&materials.epochs, &mut bitcoin) {
            let span = self.file.epochs.as_ref().map_or(0..0, Spanned::span);
            table.extend(text).map_err(|error| {
                let help =
                    "a table with the columns height, bits and start_utc will do, or Electrum's checkpoints.json";
                self.error(&span, format!("{name}: {error}"), help)
            })?;
        }
        let extended_by = materials.epochs.as_ref().map(|(name, _)| name.clone());
        Ok(Histories { bitcoin: Rc::new(bitcoin), monero: Rc::new(monero), extended_by })
    }

    pub(super) fn window(&self, entry: &Spanned<WindowEntry>, histories: &Histories) -> Result<WindowPlan, FileError> {
        let (span, entry) = (entry.span(), entry.as_ref());
        let Some(coin) = entry.coin.as_ref().or(self.file.coin.as_ref()).map(|coin| *coin.as_ref()) else {
            return Err(self.error(
                &span,
                "it isn't said which coin",
                "write coin = \"btc\" or coin = \"xmr\" at the top",
            ));
        };
        let history = Rc::clone(histories.of(coin));
        let extended_by = histories.extended_by.clone().filter(|_| coin == Coin::Btc);
        let of_history = |error: HistoryError| self.error(&span, error.to_string(), history_help(&error));
        let heights = (entry.from_height.as_ref(), entry.to_height.as_ref());
        let (days, blocks) = match (entry.from.as_ref(), entry.to.as_ref(), heights) {
            (Some(from), Some(to), (None, None)) => {
                let window = Window::new(from.as_ref().0, to.as_ref().0);
                (window.map_err(|error| self.error(&to.span(), error.to_string(), history_help(&error)))?, None)
            }
            (None, None, (Some(first), Some(last))) => {
                let (first, last) = (*first.as_ref(), *last.as_ref());
                (history.stretches_of_blocks(first, last).map_err(of_history)?.0, Some((first, last)))
            }
            _ => {
                let help = "write from and to, both days included, or from_height and to_height";
                return Err(self.error(&span, "a window has a beginning and an end", help));
            }
        };
        let inputs = entry.inputs().over(&self.file.inputs());
        if blocks.is_some() && inputs.lists.contains_key(&super::Input::Difficulty) {
            let reason = "a window of blocks has the difficulty of its blocks";
            return Err(self.error(&span, reason, "leave difficulty out, or name the days in place of the blocks"));
        }
        let name = entry.name.clone().unwrap_or_else(|| match blocks {
            Some((first, last)) => format!("blocks {first} to {last}"),
            None => words_of(days),
        });
        Ok(WindowPlan { name, coin, days, blocks, history, extended_by })
    }
}
