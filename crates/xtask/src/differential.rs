//! `cargo xtask differential`: the long comparison of the Redis protocol with Redis and Valkey.
//!
//! What it is: the test of that name, optimised, with more commands and another seed. What it is
//! not: another comparison; `cargo xtask test` runs the same one, shorter. Invariant: a difference
//! fails the task. Cost: a build, then some seconds a million commands.

use std::path::Path;

use anyhow::Result;

use crate::{command, needs, suite};

/// Compares so many replies, half of them in each version of the protocol.
///
/// # Errors
/// A tool is missing, the code does not build, or a reply differs.
pub(crate) fn run(root: &Path, commands: u64, seed: u64) -> Result<()> {
    needs::install(root)?;
    let mut test = command::cargo(root, &["test", "--package", "rankd-resp", "--test", "resp"]);
    test.args(["--profile", suite::RELEASE_PROFILE, "differential::", "--", "--nocapture"]);
    test.env("RANKD_DIFFERENTIAL_COMMANDS", commands.to_string());
    test.env("RANKD_DIFFERENTIAL_SEED", seed.to_string());
    command::run(&mut test)
}
