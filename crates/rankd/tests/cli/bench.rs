//! `rankd bench` against rankd itself and against Redis.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::host::{Server, run};

const SHORT: [&str; 12] = [
    "--members",
    "2000",
    "--duration",
    "500ms",
    "--warmup",
    "100ms",
    "--connections",
    "4",
    "--bulk",
    "3",
    "--mix",
    "rank=4,top,around,bulk,update=2,increment=2",
];

fn bench(arguments: &[&str]) -> super::host::Done {
    let mut all = vec!["bench"];
    all.extend_from_slice(arguments);
    all.extend_from_slice(&SHORT);
    run(&all)
}

#[test]
fn rankd_is_filled_and_tested_in_both_loops() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &["--durability", "os"]);
    let svg = folder.path().join("load.svg");
    let svg = svg.to_str().unwrap();
    let text = bench(&[&server.url, "--json", "--svg", svg]).ok();
    let report: Value = serde_json::from_str(&text).unwrap();
    let report = &report["reports"][0];
    assert_eq!((&report["errors"], &report["unanswered"]), (&0.into(), &0.into()), "{text}");
    let operations = report["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 6, "{text}");
    assert!(report["server"]["rss_bytes"].as_u64().unwrap() > 1 << 20, "{text}");
    assert!(std::fs::read_to_string(svg).unwrap().contains("<polyline"));
    // An open loop has exactly as many requests as were due in the counted time.
    let text = bench(&[&server.url, "--json", "--rate", "1000"]).ok();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["reports"][0]["latency"]["count"], 500, "{text}");
    let table = bench(&[&server.url]).ok();
    assert!(table.contains("requests/s\t") && table.contains("\tincrement\t"), "{table}");
}

#[test]
fn the_board_of_others_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &["--durability", "os"]);
    bench(&[&server.url, "--board", "mine"]).ok();
    let text = run(&["bench", &server.url, "--board", "mine", "--members", "7"]).fails_with(1);
    assert!(text.contains("board \"mine\"") && text.contains("has 2000 members"), "{text}");
}

#[test]
fn redis_gets_the_same_load() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &["--durability", "os"]);
    let redis = Redis::start();
    let text = bench(&[&server.url, "--versus", &redis.url, "--rounds", "2", "--json"]).ok();
    let text: Value = serde_json::from_str(&text).unwrap();
    let reports = text["reports"].as_array().unwrap();
    let targets: Vec<_> = reports.iter().map(|one| one["target"].as_str().unwrap()).collect();
    assert_eq!(targets, [&server.url, &redis.url, &server.url, &redis.url]);
    for report in reports {
        assert_eq!(report["errors"], 0, "{report}");
        assert_eq!(report["operations"].as_array().unwrap().len(), 6, "{report}");
    }
}

#[test]
fn what_cannot_be_tested_ends_with_2_and_who_is_not_there_with_1() {
    for (arguments, part) in [
        (&["ftp://h"][..], "the scheme must be http or redis"),
        (&["--connections", "0"], "connections is 0; it must be 1 to 20000"),
        (&["--rate", "0"], "rate is 0"),
        (&["--mix", "dance"], "NAME=WEIGHT"),
        (&["--access", "zipf:-1"], "zipf:EXPONENT"),
        (&["--duration", "10"], "500ms, 10s or 5m"),
        (&["--path", "x"], "begins with a slash"),
    ] {
        let mut all = vec!["bench"];
        all.extend_from_slice(arguments);
        let text = run(&all).fails_with(2);
        assert!(text.contains(part), "{arguments:?}: {text}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = run(&["bench", &format!("redis://{free}")]).fails_with(1);
    assert!(text.contains(&format!("cannot connect to {free}")), "{text}");
}

/// Redis on a free port, in memory; killed when it is dropped.
struct Redis {
    child: Child,
    url: String,
}

impl Redis {
    fn start() -> Self {
        // Redis does not choose a port itself; one that was free a moment ago is the best guess.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let mut child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server runs; install it with: apt-get install redis-server");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let ready = lines.any(|line| line.expect("UTF-8").contains("eady to accept connections"));
        assert!(ready, "redis-server ended before it was ready");
        Self { child, url: format!("redis://127.0.0.1:{port}") }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Fails if it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
