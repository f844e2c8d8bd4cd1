//! `cargo xtask bench`: one benchmark by name.
//!
//! What it is: a short way to the programs of the benches' package, and the list of their names.
//! What it is not: a judge of the numbers. Invariant: an unknown name runs nothing and is answered
//! with the names; what follows a name is handed on unread. Cost: the benchmark's.

use std::path::Path;

use anyhow::{Result, bail};

use crate::command;

/// The package that holds the benchmarks.
pub(crate) const PACKAGE: &str = "rankd-benches";

/// How Cargo starts a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A program of the package.
    Program(&'static str),
    /// A program of the package that starts the server, which has to be built as well.
    WithServer(&'static str),
    /// A bench target of the package.
    Bench(&'static str),
    /// An example of another package: it uses what that package's tests use.
    Example(&'static str, &'static str),
}

struct Benchmark {
    name: &'static str,
    about: &'static str,
    kind: Kind,
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "core",
        about: "the index beside what could be used instead; writes docs/benchmarks.md (--quick: \
                checks only that all agree)",
        kind: Kind::Program("compare"),
    },
    Benchmark {
        name: "count",
        about: "instructions and cache misses per operation, by valgrind",
        kind: Kind::Program("count"),
    },
    Benchmark {
        name: "criterion",
        about: "every operation of the index by itself, beside the run before",
        kind: Kind::Bench("core"),
    },
    Benchmark {
        name: "floor",
        about: "what this machine's memory costs, below which no index of this kind can go",
        kind: Kind::Program("floor"),
    },
    Benchmark {
        name: "frontend",
        about: "the HTTP front end with writes, crowds and overload; writes \
                docs/benchmarks-frontend.md",
        kind: Kind::Program("frontend"),
    },
    Benchmark {
        name: "http",
        about: "the HTTP front end beside bare hyper, nginx and webdis; writes \
                docs/benchmarks-http.md",
        kind: Kind::Program("http"),
    },
    Benchmark {
        name: "ingest",
        about: "activities a second into the embedded store, each durable before it is answered",
        kind: Kind::Program("ingest"),
    },
    Benchmark {
        name: "redis",
        about: "the Redis store: batched writes beside ZADD, and how long another node takes, on a \
                cluster",
        kind: Kind::Example("rankd-redis", "measure"),
    },
    Benchmark {
        name: "resp",
        about: "the Redis protocol beside Redis and Valkey, by redis-benchmark; writes \
                docs/benchmarks-resp.md (--quick: checks only that everything runs)",
        kind: Kind::Program("resp"),
    },
    Benchmark {
        name: "storage",
        about: "group commit, snapshots under load and restarts, beside Redis; writes \
                docs/benchmarks-storage.md (--quick: checks only that all works)",
        kind: Kind::WithServer("storage"),
    },
    Benchmark {
        name: "windows",
        about: "windows over activities, beside PostgreSQL; writes docs/benchmarks-windows.md \
                (--quick: checks only that all agree)",
        kind: Kind::Program("windows"),
    },
];

/// Runs the benchmark `name` with these arguments.
///
/// # Errors
/// There is no such benchmark, or it fails.
pub(crate) fn run(root: &Path, name: &str, arguments: &[String]) -> Result<()> {
    let Some(benchmark) = BENCHMARKS.iter().find(|benchmark| benchmark.name == name) else {
        let names: Vec<_> = BENCHMARKS.iter().map(|benchmark| benchmark.name).collect();
        bail!("no benchmark is called {name:?}; there are: {}", names.join(", "));
    };
    let arguments = arguments.iter().map(String::as_str);
    let words: Vec<_> = words(benchmark.kind).into_iter().chain(arguments).collect();
    if let Kind::WithServer(_) = benchmark.kind {
        command::run(&mut command::cargo(root, &["build", "--release", "--package", "rankd"]))?;
    }
    command::run(&mut command::cargo(root, &words))
}

/// Cargo's arguments, up to those of the benchmark.
fn words(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Program(name) | Kind::WithServer(name) => {
            vec!["run", "--release", "--package", PACKAGE, "--bin", name, "--"]
        }
        Kind::Bench(name) => vec!["bench", "--package", PACKAGE, "--bench", name, "--"],
        Kind::Example(package, name) => {
            vec!["run", "--release", "--package", package, "--example", name, "--"]
        }
    }
}

/// Prints the benchmarks, one a line.
pub(crate) fn list() {
    for Benchmark { name, about, .. } in BENCHMARKS {
        println!("{name:<10} {about}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_names() {
        let error = run(Path::new("."), "cores", &[]).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("no benchmark is called \"cores\"; there are: core, count, "));
        assert!(said.ends_with(", windows"), "{said}");
    }

    #[test]
    fn every_benchmark_is_a_target_of_the_package() {
        let manifest = include_str!("../../../benches/Cargo.toml");
        let manifest: toml::Table = manifest.parse().unwrap();
        let has = |table: &str, name: &str| {
            let entries = manifest[table].as_array().unwrap();
            entries.iter().any(|entry| entry["name"].as_str() == Some(name))
        };
        for Benchmark { name, kind, .. } in BENCHMARKS {
            assert!(
                match kind {
                    Kind::Program(target) | Kind::WithServer(target) => has("bin", target),
                    Kind::Bench(target) => has("bench", target),
                    Kind::Example(package, target) => {
                        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                        root.join(format!("crates/{package}/examples/{target}.rs")).is_file()
                    }
                },
                "{name}"
            );
        }
    }
}
