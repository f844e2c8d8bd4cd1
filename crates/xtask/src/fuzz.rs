//! `cargo xtask fuzz`: one fuzz target for a while.
//!
//! What it is: a build of a target with the fuzzer's coverage counters and AddressSanitizer, by the
//! compiler that the workspace pins, and its run. What it is not: a keeper of what is found;
//! `fuzz/corpus` grows and `fuzz/artifacts` gets the input of a crash, both outside of version
//! control. Invariant: an input that crashes the target fails the task and is named. Cost: a build
//! into the package's own folder, then as many seconds as were asked for, on one core.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{asan, command};

/// The package's manifest, from the root.
const MANIFEST: &str = "fuzz/Cargo.toml";
/// Bytes of the longest input.
const INPUT_BYTES_MAX: usize = 8_192;
/// What the fuzzer's runtime asks of the compiler.
const FLAGS: [&str; 8] = [
    "--cfg=fuzzing",
    "-Cdebug-assertions",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    asan::FLAG,
];

/// Runs `target` for so many seconds.
///
/// # Errors
/// There is no such target, it does not build, or an input crashes it.
pub(crate) fn run(root: &Path, target: &str, seconds: u32) -> Result<()> {
    let names = targets(root)?;
    if !names.iter().any(|name| name == target) {
        bail!("no fuzz target is called {target:?}; there are: {}", names.join(", "));
    }
    let package = root.join("fuzz");
    let folder = package.join("target");
    let words = ["build", "--release", "--manifest-path", MANIFEST, "--target", asan::TARGET];
    let mut build = command::cargo(root, &words);
    build.args(["--bin", target]).env("CARGO_TARGET_DIR", &folder);
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS.join(" "));
    command::run(&mut build)?;

    let corpus = package.join("corpus").join(target);
    let artifacts = package.join("artifacts").join(target);
    for folder in [&corpus, &artifacts] {
        let made = fs::create_dir_all(folder);
        made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut fuzzer = Command::new(folder.join(asan::TARGET).join("release").join(target));
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    fuzzer.arg(format!("-artifact_prefix={}/", artifacts.display()));
    fuzzer.args(["-len_control=10", "-print_final_stats=1", "-timeout=30"]).arg(corpus);
    command::run(&mut fuzzer)
}

/// The targets, one a program of the package.
fn targets(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join(MANIFEST));
    let text = text.with_context(|| format!("cannot read {MANIFEST}"))?;
    let manifest: toml::Table = text.parse().with_context(|| format!("{MANIFEST} is no TOML"))?;
    let programs = manifest.get("bin").and_then(toml::Value::as_array);
    let programs = programs.with_context(|| format!("{MANIFEST} has no [[bin]]"))?;
    Ok(programs.iter().filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn every_file_of_a_target_is_one() {
        let files = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
        let mut files: Vec<_> = files
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        assert_eq!(targets(root()).unwrap(), files);
    }

    #[test]
    fn an_unknown_target_is_answered_with_the_names() {
        let error = run(root(), "indices", 1).unwrap_err().to_string();
        assert!(
            error
                .starts_with("no fuzz target is called \"indices\"; there are: http_lane, index, ")
        );
    }
}
