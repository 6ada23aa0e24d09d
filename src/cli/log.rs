//! What libraries log, on standard error, where `-v` asks for it.

use std::io::Write;

use log::{LevelFilter, Log, Metadata, Record};

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let level = record.level().as_str().to_ascii_lowercase();
        let _ = writeln!(anstream::stderr(), "{level}: {}: {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

/// Logs warnings for one `-v`, everything but traces for more, nothing without.
pub(super) fn init(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Off,
        1 => LevelFilter::Warn,
        _ => LevelFilter::Debug,
    };
    // It fails only where a logger is set already.
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(level);
    }
}
