//! What a run was made on: machine, kernel, compiler.
//!
//! Invariant: every value is read from the system; what cannot be read is said to be unknown.

use std::fs;
use std::process::Command;

/// Lines of a list: what, and its value.
pub fn facts() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or_else(|_| unknown(), |n| n.to_string());
    vec![
        ("date", chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()),
        ("commit", commit()),
        ("processor", format!("{}, {cores} cores", processor())),
        ("last-level cache", last_level_cache()),
        ("memory", memory()),
        ("kernel", format!("Linux {}", line_of("/proc/sys/kernel/osrelease"))),
        ("transparent huge pages", huge_pages()),
        ("load before the run", line_of("/proc/loadavg")),
        ("Rust", env!("RUSTC_VERSION").to_owned()),
    ]
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
