//! Progress on standard error: a bar where a person watches, a plain line for each step where nobody does.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::bench::Observer;
use crate::engine::{EngineId, Progress};

/// Shows how long waits go on.
pub(super) enum Terminal {
    /// A bar that is drawn over and over.
    Bar(ProgressBar),
    /// Lines that stay.
    Lines(Mutex<Lines>),
    /// Nothing.
    Quiet,
}

/// After this long without a line, one that says how far it is shows that it goes on.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What the lines have said.
pub(super) struct Lines {
    step: String,
    total: u64,
    last: Instant,
    /// A step that comes again, for another key or engine, needn't be said twice.
    shown: HashSet<String>,
}

impl Lines {
    fn show(&mut self, text: String) {
        self.last = Instant::now();
        if !self.shown.contains(&text) {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(anstream::stderr(), "{text}");
            self.shown.insert(text);
        }
    }
}

/// Tells whether a line on standard error can be drawn over: a dumb terminal would show the codes for it.
fn can_redraw() -> bool {
    let is_dumb = std::env::var_os("TERM").map_or(cfg!(unix), |term| term == "dumb");
    std::io::stderr().is_terminal() && !is_dumb
}

impl Terminal {
    pub(super) fn new(is_quiet: bool) -> Self {
        if is_quiet {
            Self::Quiet
        } else if can_redraw() {
            Self::Bar(ProgressBar::new_spinner())
        } else {
            let lines = Lines { step: String::new(), total: 0, last: Instant::now(), shown: HashSet::new() };
            Self::Lines(Mutex::new(lines))
        }
    }

    /// Says what is being done, with a share of the whole where it is known.
    pub(super) fn step(&self, text: &str, total: Option<u64>) {
        match self {
            Self::Bar(bar) => {
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
            Self::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                (lines.step, lines.total) = (text.to_owned(), total.unwrap_or(0));
                lines.show(text.to_owned());
            }
            Self::Quiet => {}
        }
    }

    /// Takes the bar away, so that what is printed next has the line to itself.
    pub(super) fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
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
        match self {
            Self::Bar(bar) => bar.set_position(done),
            Self::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.last.elapsed() >= LINE_EVERY {
                    let percent = done.saturating_mul(100).checked_div(lines.total).unwrap_or(0);
                    let text = format!("{}: {percent} %", lines.step);
                    lines.show(text);
                }
            }
            Self::Quiet => {}
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.disable_steady_tick();
        }
    }
}

impl Observer for Terminal {
    fn idle(&self, time: Duration) {
        self.step(&format!("metering idle devices for {:.0} s", time.as_secs_f64()), None);
    }

    fn turn(&self, id: &EngineId, done: usize, turns: usize) {
        self.step(&format!("measuring {id} ({} of {turns})", done + 1), None);
    }
}
