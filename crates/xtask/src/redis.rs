//! `cargo xtask redis`: the Redis store's tests at length.
//!
//! What it is: the tests that `cargo xtask test` runs a few times, run as often as it takes to
//! believe them: every failure row 200 times, the script against the engine on 1.2 million intents
//! on each server. What it is not: other tests. Invariant: any failure of any run is a failure.
//! Cost: some hours.

use std::path::Path;

use anyhow::Result;

use crate::{command, needs};

const RUNS: &str = "200";
const OPERATIONS: &str = "1200000";

/// Runs the tests at length.
///
/// # Errors
/// A tool is missing, the code does not build, or a test fails.
pub(crate) fn run(root: &Path) -> Result<()> {
    needs::install(root)?;
    let mut tests = command::cargo(root, &["test", "--package", "rankd-redis"]);
    tests.env("RANKD_REDIS_RUNS", RUNS).env("RANKD_REDIS_OPERATIONS", OPERATIONS);
    command::run(&mut tests)
}
