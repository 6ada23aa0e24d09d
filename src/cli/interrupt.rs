//! Ctrl-C: once ends what is running in good order, twice ends at once.

use std::io::Write;
use std::process;

use super::exit::INTERRUPTED;
use crate::engine::Cancel;

/// Returns the flag that the first interrupt sets. Interrupt, termination and hang-up count alike.
pub(super) fn watch() -> Cancel {
    let cancel = Cancel::default();
    let seen = cancel.clone();
    let handler = move || {
        if seen.is_cancelled() {
            process::exit(i32::from(INTERRUPTED));
        }
        seen.cancel();
        let text = "interrupted: writing what was measured; once more ends at once\n";
        // Where standard error is closed there is nobody to tell.
        let _ = anstream::stderr().write_all(text.as_bytes());
    };
    // It fails only where a handler is already set; then the system's default stays: the process ends.
    let _ = ctrlc::set_handler(handler);
    cancel
}
