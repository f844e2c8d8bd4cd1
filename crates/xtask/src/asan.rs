//! `cargo xtask asan`: tests of the crates with `unsafe` code, under AddressSanitizer.
//!
//! What it is: the tests of the index and of the boards' lock, optimised and compiled with the
//! sanitizer, which finds accesses outside of a block of the heap and after its end. What it is
//! not: a proof; memory that the index maps by itself is no block of the heap, so that only what
//! leaves the map altogether is found there. The sanitizer is an unstable flag, which the pinned
//! compiler takes for the asking; no second toolchain is needed. Invariant: an access that it finds
//! fails the task. Cost: a build into a folder of its own; minutes for all tests, seconds for the
//! share that `cargo xtask test` takes.

use std::path::Path;

use anyhow::Result;

use crate::{command, suite};

/// Named, so that build scripts and macros are not compiled with the sanitizer.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";
pub(crate) const FLAG: &str = "-Zsanitizer=address";

const PACKAGES: [&str; 4] = ["--package", "rank-index", "--package", "rankd-lock"];
/// All tests, without the documentation's examples.
const ALL: [&str; 2] = ["--lib", "--tests"];
/// Unit tests, and those files of which one runs a model for a short while.
const SHARE: [&str; 7] = ["--lib", "--test", "build", "--test", "limits", "--test", "snapshots"];

/// Runs the tests: all of them, or a share for every day.
///
/// # Errors
/// The tests do not build, one of them fails, or the sanitizer finds something.
pub(crate) fn run(root: &Path, is_share: bool) -> Result<()> {
    let mut tests =
        command::cargo(root, &["test", "--profile", suite::RELEASE_PROFILE, "--target", TARGET]);
    tests.args(PACKAGES).args(if is_share { &SHARE[..] } else { &ALL });
    tests.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAG);
    tests.env("CARGO_TARGET_DIR", root.join("target").join("asan"));
    command::run(&mut tests)
}
