//! `cargo xtask tidy`: the rules of form that the compiler and its lints do not know.
//!
//! What it is: a list of rules, each a function from text to findings, run over every file that
//! git tracks or would track. What it is not: a formatter or a parser; rustfmt and clippy know the
//! language, this knows the house. Invariant: the rules are pure, so that each is tested with a
//! bad sample; only this file reads folders. Cost: every file is read once and scanned once a
//! rule.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use source::Source;

mod manifest;
mod markdown;
mod rust;
mod source;
mod text;

/// Something that breaks a rule, without the path of the file that it is in.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Counted from 1.
    line: usize,
    rule: &'static str,
    message: String,
}

impl Finding {
    fn new(line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self { line, rule, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.line, self.rule, self.message)
    }
}

/// Checks every file and prints what it finds as `path:line: rule: message`.
///
/// # Errors
/// A rule is broken, git does not list the files, or a file cannot be read.
pub(crate) fn run(root: &Path) -> Result<()> {
    let paths = listed_files(root)?;
    let mut count = 0_usize;
    for path in &paths {
        let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        for finding in findings(path, &bytes, &paths) {
            println!("{path}:{finding}");
            count += 1;
        }
    }
    if count > 0 {
        bail!("tidy: findings: {count}");
    }
    println!("tidy: {} files, no findings", paths.len());
    Ok(())
}

/// The files that git tracks or would track, relative to the root; not those deleted since.
fn listed_files(root: &Path) -> Result<BTreeSet<String>> {
    let mut git = Command::new("git");
    git.current_dir(root);
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listing = command::output(&mut git)?;
    let paths = listing.split_terminator('\0').filter(|path| root.join(path).is_file());
    Ok(paths.map(str::to_owned).collect())
}

/// What is wrong with one file, ordered by line.
fn findings(path: &str, bytes: &[u8], all_paths: &BTreeSet<String>) -> Vec<Finding> {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    let Ok(text) = std::str::from_utf8(bytes) else {
        // Data may be binary; a source that is not text would pass every rule unread.
        let is_source = matches!(extension, Some("rs" | "toml" | "md"));
        return is_source.then(|| Finding::new(1, "encoding", "not UTF-8")).into_iter().collect();
    };
    let mut found = text::check(extension, text);
    match extension {
        Some("rs") => found.extend(rust::check(&Source::new(path, text))),
        Some("md") => found.extend(markdown::check(path, text, all_paths)),
        Some("toml") if path.ends_with("Cargo.toml") => found.extend(manifest::check(path, text)),
        _ => {}
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, bytes: &[u8]) -> Vec<String> {
        findings(path, bytes, &BTreeSet::new()).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn every_kind_of_file_gets_its_rules_and_the_findings_are_ordered() {
        let rust = b"fn main() {} \n";
        let expected = [
            "1: module-head: the file does not begin with a `//!` comment",
            "1: trailing-whitespace: the line ends in white space",
        ];
        assert_eq!(lines("src/a.rs", rust), expected);
        assert_eq!(
            lines("docs/a.md", b"[x](y.md)\n"),
            ["1: link: y.md does not exist (docs/y.md)"]
        );
        assert_eq!(
            lines("a/Cargo.toml", b"[package]\n"),
            ["1: manifest: no `[lints] workspace = true`"]
        );
        assert_eq!(lines("a/data.bin", b"x \n"), Vec::<String>::new());
    }

    #[test]
    fn binary_data_is_passed_over_but_binary_source_is_found() {
        assert_eq!(lines("golden/a.bin", b"\xff\xfe"), Vec::<String>::new());
        assert_eq!(lines("src/a.rs", b"\xff\xfe"), ["1: encoding: not UTF-8"]);
    }
}
