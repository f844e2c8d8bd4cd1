//! Real clients, unchanged: each plays a leaderboard, or measures one.

use std::path::Path;
use std::process::Command;

use redis::Commands as _;

use crate::servers::Ours;

/// Runs a program to its end and returns what it said; fails if it did.
fn run(command: &mut Command, hint: &str) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {hint}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}\n{errors}\n{hint}");
    said
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/resp/clients"))
}

#[test]
fn redis_py_plays_in_both_versions() {
    let ours = Ours::start();
    for version in ["2", "3"] {
        let mut command = Command::new("python3");
        command.arg(folder().join("leaderboard.py")).arg(ours.address.port().to_string());
        run(command.arg(version), "the client is installed by: python3 -m pip install redis");
    }
}

#[test]
fn node_redis_plays_in_both_versions() {
    let ours = Ours::start();
    for version in ["2", "3"] {
        let mut command = Command::new("node");
        command.current_dir(folder().join("node")).arg("leaderboard.mjs");
        command.arg(ours.address.port().to_string()).arg(version);
        let hint =
            "the client is installed by `npm ci` in crates/rankd-resp/tests/resp/clients/node";
        run(&mut command, hint);
    }
}

#[test]
fn redis_rs_plays_in_both_versions() {
    let ours = Ours::start();
    for version in ["", "?protocol=resp3"] {
        let url = format!("redis://{}/{version}", ours.address);
        let mut client = redis::Client::open(url).unwrap().get_connection().unwrap();
        let _deleted: i64 = client.del("rs:board").unwrap();
        let players = [(4200.0, "ada"), (1500.5, "bob"), (9000.0, "cyd")];
        let added: i64 = client.zadd_multiple("rs:board", &players).unwrap();
        assert_eq!(added, 3);
        assert_eq!(client.zrevrank("rs:board", "ada"), Ok(Some(1)));
        assert_eq!(client.zincr("rs:board", "bob", 0.5), Ok(1501.0));
        let top: Vec<(String, f64)> = client.zrevrange_withscores("rs:board", 0, 1).unwrap();
        assert_eq!(top, [("cyd".to_owned(), 9000.0), ("ada".to_owned(), 4200.0)]);
        let (score, rank): (f64, i64) = redis::pipe()
            .atomic()
            .zincr("rs:board", "ada", 5000)
            .zrevrank("rs:board", "ada")
            .query(&mut client)
            .unwrap();
        assert_eq!((score, rank), (9200.0, 0));
        let missing: Option<f64> = client.zscore("rs:board", "nobody").unwrap();
        assert_eq!(missing, None);
    }
}

#[test]
fn redis_cli_shows_what_people_expect() {
    let ours = Ours::start();
    let cli = |words: &[&str]| {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &ours.address.port().to_string()]).args(words);
        run(&mut command, "it is installed by: apt-get install redis-tools")
    };
    assert_eq!(cli(&["ZADD", "cli:board", "1", "ada", "2.5", "bob"]), "2\n");
    assert_eq!(cli(&["ZRANGE", "cli:board", "0", "-1", "WITHSCORES"]), "ada\n1\nbob\n2.5\n");
    assert_eq!(cli(&["-3", "ZSCORE", "cli:board", "bob"]), "2.5\n");
    assert_eq!(cli(&["TYPE", "cli:board"]), "zset\n");
    assert_eq!(cli(&["--scan"]), "cli:board\n");
    assert!(cli(&["INFO", "server"]).contains("redis_version:"));
}

#[test]
fn redis_benchmark_measures() {
    let ours = Ours::start();
    let mut command = Command::new("redis-benchmark");
    command.args(["-p", &ours.address.port().to_string(), "-n", "2000", "-P", "16", "--csv"]);
    command.args(["-t", "ping,set,get,incr,hset,sadd,spop,zadd,zpopmin,mset"]);
    let said = run(&mut command, "it is installed by: apt-get install redis-tools");
    assert_eq!(said.lines().count(), 12, "{said}");
}
