//! Progress on standard error: a bar where a person watches, a plain line for each step where nobody does.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bench::Observer;
use crate::engine::{EngineId, Progress};

/// Shows how long waits go on.
pub(super) struct Terminal {
    bar: Mutex<ProgressBar>,
    /// Set where lines are wanted instead of a bar.
    is_plain: bool,
    /// The lines that were shown: what happens again in another engine's turn needn't be said twice.
    shown: Mutex<HashSet<String>>,
}

impl Terminal {
    pub(super) fn new(is_quiet: bool) -> Self {
        let is_plain = !is_quiet && !std::io::stderr().is_terminal();
        Self { bar: Mutex::new(ProgressBar::hidden()), is_plain, shown: Mutex::default() }.quiet(is_quiet)
    }

    fn quiet(self, is_quiet: bool) -> Self {
        if !is_quiet && !self.is_plain {
            *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = ProgressBar::new_spinner();
        }
        self
    }

    /// Says what is being done, with a share of the whole where it is known.
    pub(super) fn step(&self, text: &str, total: Option<u64>) {
        if self.is_plain {
            if self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
                let _ = writeln!(anstream::stderr(), "{text}");
            }
            return;
        }
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if bar.is_hidden() {
            return;
        }
        bar.reset();
        let style = match total {
            Some(total) => {
                bar.set_length(total);
                "{spinner} {msg} [{bar:30}] {percent:>3} % {elapsed} (about {eta} left)"
            }
            None => "{spinner} {msg} {elapsed}",
        };
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Takes the bar away, so that what is printed next has the line to itself.
    pub(super) fn clear(&self) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).finish_and_clear();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Progress for Terminal {
    fn begin(&self, phase: &str, total: Option<u64>) {
        self.step(&format!("building the {phase}"), total);
    }

    fn set(&self, done: u64) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).set_position(done);
    }

    fn end(&self) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).disable_steady_tick();
    }
}

impl Observer for Terminal {
    fn turn(&self, id: &EngineId, done: u32, turns: u32) {
        self.step(&format!("measuring {id} ({} of {turns})", done + 1), None);
    }
}
