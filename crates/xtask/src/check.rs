//! `cargo xtask check`: everything that is checked without running the code.
//!
//! What it is: tidy, rustfmt, clippy over every target, and rustdoc, each with warnings as errors,
//! quickest first. What it is not: the licence and source check, for which `cargo deny` is run by
//! hand when a dependency changes. Invariant: what passes here draws no warning. Cost: a `cargo
//! check` and a `cargo doc` of the workspace.

use std::path::Path;

use anyhow::Result;

use crate::{command, tidy};

/// Runs the checks and stops at the first that fails.
///
/// # Errors
/// A check fails or its tool cannot be started.
pub(crate) fn run(root: &Path) -> Result<()> {
    tidy::run(root)?;
    command::run(&mut command::cargo(root, &["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    command::run(&mut command::cargo(root, &clippy))?;
    let mut doc = command::cargo(root, &["doc", "--workspace", "--no-deps"]);
    command::run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))?;
    println!("not checked here: after a change of dependencies, run");
    println!("    cargo deny check bans licenses sources");
    Ok(())
}
