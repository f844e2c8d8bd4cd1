//! Limits that hold back too much work, and that may change while the server runs.

use std::time::Duration;

use rankd_engine::EngineOptions;
use rankd_server::Tunables;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{TestServer, options, request, send, tuned};

#[tokio::test]
async fn beyond_the_limit_of_requests_only_operators_are_answered() {
    let tight = tuned(Tunables { requests_max: 2, ..Tunables::default() });
    let server = TestServer::start_with(tight, EngineOptions::default());
    let held = server.store.gate.acquire_many(64).await.unwrap();
    let mut begun = server.store.begun.subscribe();
    let address = server.address;
    let writes: Vec<_> = (0..2)
        .map(|at| {
            let path = format!("/v1/boards/b/members/m{at}");
            tokio::spawn(send(address, request("PUT", &path, &[], r#"{"score": 1}"#)))
        })
        .collect();
    begun.wait_for(|begun| *begun == 2).await.unwrap();
    // In the lane and behind it, and the published APIs in their own words.
    let refused = server.get("/v1/boards").await;
    refused.problem(503, "overloaded", &["2 requests are being answered"]);
    let get = request("GET", "/v1/boards", &[("cookie", "a=b")], "");
    send(address, get).await.problem(503, "overloaded", &["2 requests are being answered"]);
    let surface = server.get("/api/v1/leaderboard").await;
    assert_eq!((surface.status.as_u16(), surface.header("retry-after")), (503, Some("1")));
    for open in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.get(open).await.status.as_u16(), 200, "{open}");
    }
    let page = server.get("/metrics").await;
    let line = "rankd_http_refusals_total{reason=\"overloaded\"} 3";
    assert!(page.text().lines().any(|l| l == line), "{}", page.text());
    drop(held);
    for write in writes {
        write.await.unwrap().json(200);
    }
    server.get("/v1/boards").await.json(200);
}

#[tokio::test]
async fn limits_change_while_the_server_runs() {
    let server = TestServer::start();
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(b"GET /v1/boards HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();
    let one = tuned(Tunables { connections_max: 1, ..Tunables::default() });
    server.reloader.reload(&one).unwrap();
    server.get("/healthz").await.problem(503, "too-many-connections", &["1 connections"]);
    server.reloader.reload(&options()).unwrap();
    server.get("/healthz").await.json(200);
    let bad = tuned(Tunables { connections_max: 0, ..Tunables::default() });
    let message = server.reloader.reload(&bad).unwrap_err().to_string();
    assert_eq!(message, "connections_max is 0; allowed are 1 to 100000");
    server.get("/healthz").await.json(200);
    let brief = tuned(Tunables { head_read_ms: 50, ..Tunables::default() });
    server.reloader.reload(&brief).unwrap();
    // Behind the lane, where the head's time is hyper's.
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"DELETE /v1/boards/b HTTP/1.1\r\n").await.unwrap();
    let mut received = Vec::new();
    slow.read_to_end(&mut received).await.ok();
    assert_eq!(String::from_utf8_lossy(&received), "");
}

#[tokio::test]
async fn a_client_that_takes_nothing_in_is_cut_off() {
    let brief = Tunables { write_ms: 50, ..Tunables::default() };
    let server = TestServer::start_with(tuned(brief), EngineOptions::default());
    let row = |at| format!(r#"{{"member": "member-number-{at}", "score": {at}}}"#);
    let rows: Vec<_> = (0..1_000).map(row).collect();
    let body = format!(r#"{{"scores": [{}]}}"#, rows.join(","));
    server.post("/v1/boards/b/scores", &body).await.json(200);
    // In the lane and behind it: replies of some 50 MB, and nobody reads them.
    for header in ["", "cookie: a=b\r\n"] {
        let target = "/v1/boards/b/top?limit=1000";
        let page = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n");
        let mut greedy = TcpStream::connect(server.address).await.unwrap();
        greedy.write_all(page.repeat(1_000).as_bytes()).await.unwrap();
        let cut_off = async {
            // The one connection is that of the question.
            while !server.get("/metrics").await.text().contains("\nrankd_http_connections 1\n") {}
        };
        timeout(Duration::from_secs(60), cut_off).await.expect("it is cut off");
    }
}
