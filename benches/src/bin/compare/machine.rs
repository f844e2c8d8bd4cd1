//! What a run was made on and with: machine, compilers, versions.
//!
//! Invariant: every value is read from the system or from the lock file; what cannot be read is
//! said to be unknown.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::redis;

const LOCK_FILE: &str = include_str!("../../../../Cargo.lock");
/// Packages that take part, in the order of the page.
const PACKAGES: [&str; 5] = ["rank-index", "indexset", "skiplist", "hashbrown", "foldhash"];

/// Lines of a list: what, and its value.
pub(crate) fn facts() -> Result<Vec<(&'static str, String)>> {
    let cores = std::thread::available_parallelism()?;
    Ok(vec![
        ("date", chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()),
        ("commit", commit()),
        ("processor", format!("{}, {cores} cores", processor())),
        ("last-level cache", last_level_cache()),
        ("memory", memory()),
        ("kernel", format!("Linux {}", line_of("/proc/sys/kernel/osrelease"))),
        ("transparent huge pages", huge_pages()),
        ("load before the run", line_of("/proc/loadavg")),
        ("Rust", env!("RUSTC_VERSION").to_owned()),
        ("C++", format!("{}, -O3 -std=c++17", env!("CPP_VERSION"))),
        ("allocator", "the system's, for every structure in this process".to_owned()),
        ("versions", versions()?),
        ("Redis", redis::version()?),
    ])
}

fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    text.map_or_else(unknown, |text| String::from_utf8_lossy(&text).trim().to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn line_of(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| unknown(), |text| text.trim().to_owned())
}

/// The value of a `name : value` line.
fn value_in(path: &str, name: &str) -> String {
    let text = line_of(path);
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let value = fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    value.map_or_else(unknown, str::to_owned)
}

fn processor() -> String {
    value_in("/proc/cpuinfo", "model name")
}

fn last_level_cache() -> String {
    line_of("/sys/devices/system/cpu/cpu0/cache/index3/size")
}

fn memory() -> String {
    value_in("/proc/meminfo", "MemTotal")
}

/// The choice that is in brackets.
fn huge_pages() -> String {
    let text = line_of("/sys/kernel/mm/transparent_hugepage/enabled");
    let chosen = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    chosen.map_or_else(unknown, |(chosen, _)| chosen.to_owned())
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
