//! Connections that hyper served for a while: they go back to the lane, with its patience.
//!
//! Nothing here sleeps: that time has passed is told by another connection, which the server closes
//! because of it.

use rankd_engine::EngineOptions;
use rankd_server::{ServerOptions, Tunables};
use tokio::io::AsyncReadExt as _;

use crate::lane::{FOREIGN, Replies, request, server};
use crate::support::{TestServer, tuned};
use crate::tls::{Certificate, connect};

const LIST: &str = "{\"boards\":[],\"cursor\":null}";

fn list(headers: &str) -> String {
    request("GET", "/v1/boards", "", headers)
}

/// Closes a request's head that is not finished soon, and leaves idle connections alone.
fn waits_for_requests_only() -> Tunables {
    Tunables { head_read_ms: 100, idle_ms: 600_000, ..Tunables::default() }
}

#[tokio::test]
async fn a_connection_was_closed_soon_after_a_request_with_a_cookie() {
    let tunables = waits_for_requests_only();
    let server = TestServer::start_with(tuned(tunables), EngineOptions::default());
    let mut idle = Replies::of(server.address, &list(FOREIGN)).await;
    assert_eq!(idle.next().await.body, LIST);
    // A later one is closed after the time for a head. The idle one has waited for longer.
    let slow = Replies::of(server.address, "GET /v1/boa").await;
    slow.end().await;
    idle.ask(&list("")).await;
    assert_eq!(idle.next().await.body, LIST);
}

#[tokio::test]
async fn a_connection_over_tls_was_closed_soon_after_any_request() {
    let certificate = Certificate::new();
    let options = ServerOptions { tunables: waits_for_requests_only(), ..certificate.options() };
    let server = TestServer::start_with(options, EngineOptions::default());
    for headers in ["", FOREIGN] {
        let stream = connect(&server, &certificate.der, "http/1.1").await.unwrap();
        let mut idle = Replies::over(stream, &list(headers)).await;
        assert_eq!(idle.next().await.body, LIST);
        let stream = connect(&server, &certificate.der, "http/1.1").await.unwrap();
        let slow = Replies::over(stream, "GET /v1/boa").await;
        slow.end().await;
        idle.ask(&list("")).await;
        assert_eq!(idle.next().await.body, LIST);
    }
}

#[tokio::test]
async fn a_connection_that_hyper_served_was_idle_for_longer_than_allowed() {
    let patient_with_heads =
        Tunables { head_read_ms: 600_000, idle_ms: 100, ..Tunables::default() };
    let server = TestServer::start_with(tuned(patient_with_heads), EngineOptions::default());
    let mut idle = Replies::of(server.address, &list(FOREIGN)).await;
    assert_eq!(idle.next().await.body, LIST);
    idle.end().await;
}

#[tokio::test]
async fn an_idle_connection_over_tls_ends_with_a_farewell() {
    let certificate = Certificate::new();
    let tunables = Tunables { idle_ms: 100, ..Tunables::default() };
    let options = ServerOptions { tunables, ..certificate.options() };
    let server = TestServer::start_with(options, EngineOptions::default());
    let stream = connect(&server, &certificate.der, "http/1.1").await.unwrap();
    let mut idle = Replies::over(stream, &list("")).await;
    assert_eq!(idle.next().await.body, LIST);
    // Without it, the end of the stream would be an error.
    assert_eq!(idle.stream.read(&mut [0]).await.unwrap(), 0);
}

/// Requests of both kinds in turn, with what their replies contain.
fn mixed() -> Vec<(String, &'static str)> {
    let (member, chunked) = ("/v1/boards/arcade/members/a", "transfer-encoding: chunked\r\n");
    let body = "5\r\n{\"sco\r\n8\r\nre\": 44}\r\n0\r\n\r\n";
    let put = request("PUT", member, "", chunked) + body;
    let get = |headers| request("GET", member, "", headers);
    vec![
        (get(""), "\"score\":30,\"rank\":1"),
        (get(FOREIGN), "\"score\":30,\"rank\":1"),
        (put, "\"score\":44,\"rank\":1"),
        (get(""), "\"score\":44,\"rank\":1"),
        (request("PUT", member, "{\"score\":45}", FOREIGN), "\"score\":45,\"rank\":1"),
        (request("PUT", member, "{\"score\":46}", ""), "\"score\":46,\"rank\":1"),
        (request("GET", "/healthz", "", ""), "\"status\":\"ok\""),
        (request("GET", "/v1/nothing", "", FOREIGN), "is not a path of this server"),
        (get(""), "\"score\":46,\"rank\":1"),
    ]
}

#[tokio::test]
async fn both_kinds_in_turn_are_answered_in_order_however_they_arrive() {
    // All at once, a byte at a time, and in pieces that end anywhere.
    for piece_bytes in [usize::MAX, 1, 7, 61, 130] {
        let server = server().await;
        let requests: String = mixed().into_iter().map(|(request, _)| request).collect();
        let mut replies = Replies::of(server.address, "").await;
        replies.stream.set_nodelay(true).unwrap();
        let pieces = requests.as_bytes().chunks(piece_bytes.min(requests.len()));
        for piece in pieces {
            replies.ask(std::str::from_utf8(piece).unwrap()).await;
        }
        for (request, expected) in mixed() {
            let reply = replies.next().await;
            assert!(reply.body.contains(expected), "{piece_bytes}: {request} {reply:?}");
        }
    }
}

#[tokio::test]
async fn both_kinds_in_turn_are_answered_over_tls() {
    let certificate = Certificate::new();
    let server = TestServer::start_with(certificate.options(), EngineOptions::default());
    let stream = connect(&server, &certificate.der, "http/1.1").await.unwrap();
    let mut replies = Replies::over(stream, "").await;
    for (member, score) in [("a", 30), ("b", 20)] {
        let path = format!("/v1/boards/arcade/members/{member}");
        replies.ask(&request("PUT", &path, &format!("{{\"score\":{score}}}"), "")).await;
        assert_eq!(replies.next().await.status, 200);
    }
    for (request, expected) in mixed() {
        replies.ask(&request).await;
        let reply = replies.next().await;
        assert!(reply.body.contains(expected), "{request} {reply:?}");
    }
}

#[tokio::test]
async fn a_long_pipeline_of_both_kinds_is_answered_while_it_is_sent() {
    let server = server().await;
    let get = |headers| request("GET", "/v1/boards/arcade/members/a", "", headers);
    let both = format!("{}{}{}", get(""), get(FOREIGN), get(FOREIGN)).repeat(50);
    let replies = Replies::of(server.address, "").await;
    let (mut reader, mut writer) = replies.stream.into_split();
    let sending = tokio::spawn(async move {
        for _ in 0..50 {
            tokio::io::AsyncWriteExt::write_all(&mut writer, both.as_bytes()).await.unwrap();
        }
        writer
    });
    let mut received = Vec::new();
    let mut count = 0;
    while count < 7_500 {
        let mut chunk = [0; 16 * 1024];
        let bytes = reader.read(&mut chunk).await.unwrap();
        assert!(bytes > 0, "closed after {count}");
        received.extend_from_slice(&chunk[..bytes]);
        count = received.windows(9).filter(|word| word == b"\"score\":3").count();
    }
    sending.await.unwrap();
    assert_eq!(count, 7_500);
}

#[tokio::test]
async fn a_request_with_a_cookie_under_way_at_shutdown_is_answered() {
    let server = server().await;
    let held = server.store.gate.acquire_many(64).await.unwrap();
    let mut begun = server.store.begun.subscribe();
    let before = *begun.borrow();
    let put = request("PUT", "/v1/boards/arcade/members/a", "{\"score\": 5}", FOREIGN);
    let mut replies = Replies::of(server.address, &put).await;
    begun.wait_for(|&begun| begun > before).await.unwrap();
    let mut idle = Replies::of(server.address, &request("GET", "/v1/boards", "", FOREIGN)).await;
    idle.next().await;
    server.stop.send(()).unwrap();
    // That the idle one is closed tells that the shutdown has begun.
    idle.end().await;
    drop(held);
    assert_eq!(replies.next().await.status, 200);
    replies.end().await;
    server.running.await.unwrap().unwrap();
}
