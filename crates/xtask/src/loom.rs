//! `cargo xtask loom`: the models of the boards' lock.
//!
//! What it is: the lock's model tests, compiled with `--cfg loom`, which puts a model checker's
//! primitives under the lock. What it is not: a part of the ordinary build; it compiles everything
//! once more, into a folder of its own, so that it does not push that one out. Invariant: a model
//! that fails or finds a deadlock fails the task. Cost: the model checker's build, and seconds for
//! the models.

use std::path::Path;

use anyhow::Result;

use crate::command;

/// Builds and runs the models.
///
/// # Errors
/// The models do not build, or one of them fails.
pub(crate) fn run(root: &Path) -> Result<()> {
    let target = root.join("target").join("loom");
    let package = ["test", "--package", "rankd-lock", "--release", "--test", "loom"];
    let mut models = command::cargo(root, &package);
    models.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", target);
    command::run(&mut models)
}
