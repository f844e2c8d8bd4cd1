//! `cargo xtask bench`: one benchmark by name.
//!
//! What it is: a short way to `cargo bench` with the package filled in, and the list of names,
//! which are the `[[bench]]` entries of benches/Cargo.toml. What it is not: a judge of the
//! numbers. Invariant: an unknown name runs nothing and is answered with the names. Cost: the
//! benchmark's.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command;

/// The package that holds the benchmarks.
pub(crate) const PACKAGE: &str = "rankd-benches";
const MANIFEST: &str = "benches/Cargo.toml";

/// Runs the benchmark `name`.
///
/// # Errors
/// There is no such benchmark, or it fails.
pub(crate) fn run(root: &Path, name: &str) -> Result<()> {
    let names = names(root)?;
    if !names.iter().any(|known| known == name) {
        bail!("no benchmark is called {name:?}; {MANIFEST} lists: {}", names.join(", "));
    }
    command::run(&mut command::cargo(root, &["bench", "--package", PACKAGE, "--bench", name]))
}

/// Prints the names of the benchmarks, one a line.
///
/// # Errors
/// benches/Cargo.toml cannot be read.
pub(crate) fn list(root: &Path) -> Result<()> {
    for name in names(root)? {
        println!("{name}");
    }
    Ok(())
}

fn names(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join(MANIFEST))
        .with_context(|| format!("cannot read {MANIFEST}"))?;
    names_in(&text).with_context(|| format!("cannot parse {MANIFEST}"))
}

/// The names of a manifest's `[[bench]]` entries, in its order.
fn names_in(manifest: &str) -> Result<Vec<String>, toml::de::Error> {
    let manifest: toml::Table = manifest.parse()?;
    let entries = manifest.get("bench").and_then(toml::Value::as_array);
    let names = entries.into_iter().flatten().filter_map(|entry| entry.get("name")?.as_str());
    Ok(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_bench_entries() {
        let manifest = r#"
            [package]
            name = "other"
            [[bench]]
            name = "second"
            harness = false
            [[bench]]
            name = "first"
        "#;
        assert_eq!(names_in(manifest).unwrap(), ["second", "first"]);
    }

    #[test]
    fn a_manifest_without_benches_has_no_names() {
        assert_eq!(names_in("[package]\n").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_manifest_that_is_not_toml_is_an_error() {
        assert!(names_in("[[bench").is_err());
    }
}
