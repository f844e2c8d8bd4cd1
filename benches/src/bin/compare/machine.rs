//! What a run was made on and with: machine, compilers, versions.
//!
//! Invariant: every value is read from the system or from the lock file.

use anyhow::{Context, Result};
use rankd_benches::machine;

use crate::redis;

const LOCK_FILE: &str = include_str!("../../../../Cargo.lock");
/// Packages that take part, in the order of the page.
const PACKAGES: [&str; 5] = ["rank-index", "indexset", "skiplist", "hashbrown", "foldhash"];

/// Lines of a list: what, and its value.
pub(crate) fn facts() -> Result<Vec<(&'static str, String)>> {
    let mut facts = machine::facts();
    facts.extend([
        ("C++", format!("{}, -O3 -std=c++17", env!("CPP_VERSION"))),
        ("allocator", "the system's, for every structure in this process".to_owned()),
        ("versions", versions()?),
        ("Redis", redis::version()?),
    ]);
    Ok(facts)
}

fn versions() -> Result<String> {
    let lock: toml::Table = LOCK_FILE.parse().context("Cargo.lock is not TOML")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let packages = packages.context("Cargo.lock lists no packages")?;
    let version = |name: &str| {
        let mut packages = packages.iter().filter(|p| field(p, "name") == Some(name));
        packages.next().and_then(|package| field(package, "version"))
    };
    let versions = PACKAGES.iter().map(|name| {
        let version = version(name).with_context(|| format!("Cargo.lock does not list {name}"))?;
        Ok(format!("{name} {version}"))
    });
    Ok(versions.collect::<Result<Vec<_>>>()?.join(", "))
}

fn field<'a>(package: &'a toml::Value, name: &str) -> Option<&'a str> {
    package.get(name)?.as_str()
}
