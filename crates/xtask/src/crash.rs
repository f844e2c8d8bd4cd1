//! `cargo xtask crash` and `cargo xtask kill`: the long campaigns of `docs/reliability.md`.
//!
//! What it is: a short way to the simulated campaigns and to the rounds of real kills, with as many
//! as are asked for. What it is not: the share of both that `cargo xtask test` runs. Invariant: a
//! promise that was not kept fails the task, and the seed or the round is named. Cost: an optimised
//! build, then minutes to hours.

use std::path::Path;

use anyhow::Result;

use crate::{command, suite};

/// Runs a simulated campaign with these arguments.
///
/// # Errors
/// It does not build, or a promise was not kept.
pub(crate) fn simulate(root: &Path, arguments: &[String]) -> Result<()> {
    let words = ["run", "--profile", suite::RELEASE_PROFILE, "--package", "rankd-crash", "--"];
    command::run(command::cargo(root, &words).args(arguments))
}

/// Kills a serving process so many times.
///
/// # Errors
/// It does not build, or a promise was not kept.
pub(crate) fn kill(root: &Path, rounds: u64) -> Result<()> {
    let profile = ["--profile", suite::RELEASE_PROFILE];
    command::run(command::cargo(root, &["build", "--package", "rankd"]).args(profile))?;
    let mut rounds_of_kills = command::cargo(root, &["test", "--package", "rankd-e2e"]);
    rounds_of_kills.args(profile).args(["--test", "kill", "--", "--nocapture", "acknowledged"]);
    command::run(rounds_of_kills.env("RANKD_KILL_ROUNDS", rounds.to_string()))
}
