//! How the published APIs are reached: by path alone, whatever else goes wrong on the way.

use std::net::SocketAddr;

use hyper::header::HeaderMap;
use rankd_server::{EngineSlot, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::header;
use super::org_support::{NOW_MS, World, options, request, send};

const WINTRO: &str = "/api/v1/leaderboard";
const GROUP: &str = "/api_gateway/intouch-api-v3/v3.1/leaderboards/targetGroups/1";

/// Checks that an error is in the envelope of the API that the path belongs to.
#[track_caller]
fn assert_envelope(path: &str, (status, headers, text): &(u16, HeaderMap, String), expected: u16) {
    assert_eq!(*status, expected, "{path}: {text}");
    assert_eq!(header(headers, "content-type"), Some("application/json; charset=utf-8"), "{path}");
    let json: Value = serde_json::from_str(text).expect("JSON");
    let keys: Vec<&str> = json.as_object().expect("an object").keys().map(|key| &**key).collect();
    let wanted: &[&str] = match path.split('/').nth(1) {
        Some("connect") => &["error"],
        Some("api_gateway" | "v3") => &["data", "errors", "warnings"],
        _ if path.starts_with("/api/v1/") => {
            assert!(json["error"]["code"].is_string() && json["error"]["message"].is_string());
            &["error"]
        }
        _ => &["data", "message", "status", "validationMessages"],
    };
    assert!(wanted.iter().all(|key| keys.contains(key)), "{path}: {text}");
    assert!(json["type"].is_null(), "{path}: {text}");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_the_apis_words() {
    let world = World::start(NOW_MS);
    for path in [
        "/api/v1/",
        "/api/v1/x",
        "/connect/x",
        "/api/companies/x",
        "/api/leaderboard/x",
        "/api_gateway/x",
        "/v3/oauth/x",
        "/api/v1/leaderboard/x",
    ] {
        assert_envelope(path, &world.request("GET", path, &[], "").await, 404);
    }
    for (method, path, allow) in [
        ("POST", WINTRO, "GET, HEAD"),
        ("DELETE", "/api/v1/leaderboard/", "GET, HEAD"),
        ("GET", "/connect/token", "POST"),
        ("PUT", "/api/companies/search", "POST"),
        ("GET", "/api/leaderboard/get-all", "POST"),
        ("POST", GROUP, "GET, HEAD"),
        ("GET", "/v3/oauth/token/generate", "POST"),
    ] {
        let answer = world.request(method, path, &[], "").await;
        assert_envelope(path, &answer, 405);
        assert_eq!(header(&answer.1, "allow"), Some(allow), "{method} {path}");
    }
}

#[tokio::test]
async fn hosts_slashes_and_head_do_not_matter() {
    let world = World::start(NOW_MS);
    world.put_org(1, json!({})).await;
    let token = world.credential(1, json!({ "kind": "wintroToken" })).await;
    let bearer = format!("Bearer {token}");
    let sent = [
        ("host", "app.wintro.example"),
        ("authorization", &bearer),
        ("origin", "https://intranet.example"),
    ];
    let (status, _, text) = world.request("GET", WINTRO, &sent, "").await;
    assert_eq!(status, 200, "{text}");
    let slashed = format!("{WINTRO}/");
    assert_eq!(world.request("GET", &slashed, &sent, "").await.2, text);
    let (status, headers, none) = world.request("HEAD", WINTRO, &sent, "").await;
    assert_eq!((status, &*none), (200, ""));
    assert_eq!(header(&headers, "content-length"), Some(&*text.len().to_string()));
    // A body that nobody needs.
    assert_eq!(world.request("GET", WINTRO, &sent, "{}").await.0, 200);
    // Our own API does not answer to that host.
    assert_eq!(world.request("GET", "/v1/boards", &sent, "").await.0, 403);
}

#[tokio::test]
async fn large_bodies_and_targets_are_refused_in_the_apis_words() {
    let world = World::start(NOW_MS);
    let large = " ".repeat(64 * 1024 + 1);
    for (method, path) in [("GET", WINTRO), ("POST", "/api/leaderboard/get-all"), ("GET", GROUP)] {
        assert_envelope(path, &world.request(method, path, &[], &large).await, 413);
        let long = format!("{path}?x={}", "x".repeat(32 * 1024));
        assert_envelope(path, &world.request(method, &long, &[], "").await, 414);
    }
}

#[tokio::test]
async fn a_chunked_body_of_a_get_is_read() {
    let world = World::start(NOW_MS);
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let chunked = format!(
        "GET {WINTRO} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
    );
    stream.write_all(chunked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

/// The address of a server whose store is "still being loaded".
fn loading() -> SocketAddr {
    let server = Server::bind(options(), EngineSlot::empty()).expect("a free port");
    let address = server.local_addr();
    tokio::spawn(server.run(std::future::pending()));
    address
}

#[tokio::test]
async fn while_the_store_is_loaded_clients_are_told_to_come_back() {
    let address = loading();
    for (method, path) in [
        ("GET", WINTRO),
        ("POST", "/connect/token"),
        ("POST", "/api/companies/search"),
        ("GET", GROUP),
    ] {
        let answer = send(address, request(method, path, &[], "")).await;
        assert_envelope(path, &answer, 503);
        assert_eq!(header(&answer.1, "retry-after"), Some("1"), "{path}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let world = World::start(NOW_MS);
    for path in [WINTRO, "/api/v1/leaderboard/", "/api/v1/x", GROUP] {
        world.request("GET", path, &[], "").await;
    }
    let (_, _, page) = world.request("GET", "/metrics", &[], "").await;
    let wintro = r#"method="GET",route="/api/v1/leaderboard",status="401"} 2"#;
    let unknown = r#"method="any",route="unknown",status="404"} 1"#;
    let group = r#"leaderboards/targetGroups/{targetGroupId}",status="401"} 1"#;
    for line in [wintro, unknown, group] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
}
