//! The page of results: what a section found replaces what it found before.
//!
//! Invariant: only what stands between a section's own two marks is changed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rankd_benches::machine;

/// Where the page is, from the top of the repository.
const PAGE: &str = "docs/benchmarks-storage.md";

/// Puts `text` and the facts of the machine in the place of section `name`.
pub(crate) fn put(name: &str, text: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = page.split_once(&begin).with_context(|| format!("{PAGE}: {begin}"))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("{PAGE}: {end}"))?;
    let new = format!("{before}{begin}{}\n{text}{end}{after}", facts());
    fs::write(&path, new).with_context(|| format!("cannot write {PAGE}"))
}

/// One line of what the run was made on.
fn facts() -> String {
    let wanted = ["date", "commit", "processor", "kernel"];
    let facts = machine::facts().into_iter().filter(|(what, _)| wanted.contains(what));
    let facts: Vec<_> = facts.map(|(_, value)| value).collect();
    format!("Run: {}.\n", facts.join("; "))
}
