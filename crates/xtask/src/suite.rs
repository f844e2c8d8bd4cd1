//! `cargo xtask test`: the whole test suite.
//!
//! What it is: the oracle's check against published records, the documentation's examples, which
//! nextest cannot run, the lock's models, a share of the tests under AddressSanitizer, a quick run
//! of the comparison with other structures, which have to agree, and then the unit, integration and
//! end-to-end tests under nextest, whose closing line comes last. What it is not: a measurement;
//! the quick comparison's times mean nothing. Invariant: no test is skipped for want of a tool; a
//! missing one is installed or is an error. Cost: a build of the workspace and smaller ones for the
//! models, the sanitizer and the comparison, and the tests' own time.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{asan, bench, command, loom, needs};

/// Optimised, without debug assertions: defined in the workspace's Cargo.toml.
pub(crate) const RELEASE_PROFILE: &str = "testrelease";

/// Runs every test, optimised if `release` is set.
///
/// # Errors
/// A tool is missing and cannot be installed, the code does not build, or a test fails.
pub(crate) fn run(root: &Path, release: bool) -> Result<()> {
    needs::install(root)?;
    // Tests compare with the oracle: an oracle that is wrong must not pass.
    command::run(Command::new("python3").current_dir(root).args(["data/oracle.py", "--check"]))?;
    let packages = ["--workspace", "--exclude", bench::PACKAGE];
    let mut tests = command::cargo(root, &["nextest", "run"]);
    let mut examples = command::cargo(root, &["test", "--doc"]);
    tests.args(packages);
    examples.args(packages);
    if release {
        tests.args(["--cargo-profile", RELEASE_PROFILE]);
        examples.args(["--profile", RELEASE_PROFILE]);
    }
    command::run(&mut examples)?;
    loom::run(root)?;
    asan::run(root, true)?;
    bench::run(root, "core", &["--quick".to_owned()])?;
    command::run(&mut tests)
}
