//! Which engines run on the machine that `HASHWATT_EXPECT_ENGINES` describes: an engine that falls out of a build, or a
//! processor that stops being recognised, must not go unnoticed.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;
#[path = "common/trials.rs"]
mod trials;

use std::collections::BTreeSet;
use std::env;
use std::process::ExitCode;

use common::hashwatt;
use trials::trial;

const VARIABLE: &str = "HASHWATT_EXPECT_ENGINES";

fn main() -> ExitCode {
    let expected = env::var(VARIABLE).ok();
    let reason = expected.is_none().then(|| format!("set {VARIABLE}"));
    let test = move || exactly_these_pass(&expected.unwrap_or_default());
    trials::run(vec![trial("exactly_the_expected_engines_pass", reason.as_deref(), test)], true)
}

fn exactly_these_pass(expected: &str) {
    let expected: BTreeSet<&str> = expected.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    let tested = hashwatt(&["selftest", "--json"]).json();
    let engines = tested["engines"].as_array().unwrap().iter();
    let passed: BTreeSet<&str> =
        engines.filter(|engine| engine["passed"] == true).map(|engine| engine["id"].as_str().unwrap()).collect();
    assert_eq!(passed, expected, "{tested:#}");
}
