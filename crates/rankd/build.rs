//! Tells the binary which commit, target, profile and compiler it was built from and with.

use std::path::Path;
use std::process::Command;

fn main() {
    // Without these lines every changed file would run this again.
    println!("cargo::rerun-if-changed=build.rs");
    let head = Path::new("../../.git/logs/HEAD");
    if head.exists() {
        println!("cargo::rerun-if-changed={}", head.display());
    }
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"]);
    println!("cargo::rustc-env=RANKD_BUILD_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    for name in ["TARGET", "PROFILE"] {
        let value = std::env::var(name).unwrap_or_default();
        println!("cargo::rustc-env=RANKD_BUILD_{name}={value}");
    }
    let compiler = std::env::var("RUSTC").ok().and_then(|rustc| output(&rustc, &["--version"]));
    println!("cargo::rustc-env=RANKD_BUILD_RUSTC={}", compiler.as_deref().unwrap_or("rustc"));
}

/// The one line that a command prints, if it is there and succeeds.
fn output(command: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(command).args(arguments).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}
