//! Tests that can't run everywhere: what can't run shows as ignored, with the reason beside its name.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// Makes a test, or one that is ignored with a reason.
pub(crate) fn trial(name: &str, reason_to_ignore: Option<&str>, test: impl FnOnce() + Send + 'static) -> Trial {
    let run = move || -> Result<(), Failed> {
        test();
        Ok(())
    };
    match reason_to_ignore {
        Some(reason) => Trial::test(name, run).with_kind(format!("ignored: {reason}")).with_ignored_flag(true),
        None => Trial::test(name, run),
    }
}

/// Runs the tests, one after the other where they would starve each other.
pub(crate) fn run(trials: Vec<Trial>, one_by_one: bool) -> ExitCode {
    let mut arguments = Arguments::from_args();
    if one_by_one {
        arguments.test_threads = Some(1);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
