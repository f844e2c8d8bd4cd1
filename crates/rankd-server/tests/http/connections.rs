//! Slow clients, too many clients, HTTP/2, and shutting down.
//!
//! Nothing here sleeps: each test waits for the event itself, a closed socket or a finished
//! task. Time limits of the server are set short where reaching them is the point.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rankd_engine::EngineOptions;
use rankd_server::{EngineSlot, Server, ServerError, ServerOptions, Tunables};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestServer, options, request, send, tuned};

/// Everything the server sends until it closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut received = Vec::new();
    // A reset is a way of closing, too.
    let _: std::io::Result<usize> = stream.read_to_end(&mut received).await;
    String::from_utf8(received).expect("UTF-8")
}

/// Reads one response with a known ending.
async fn read_until(stream: &mut TcpStream, ending: &str) -> String {
    let mut received = Vec::new();
    while !received.ends_with(ending.as_bytes()) {
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).await.expect("an open connection");
        assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(received).expect("UTF-8")
}

fn impatient() -> TestServer {
    let options = tuned(Tunables {
        head_read_ms: 1000,
        idle_ms: 1000,
        body_read_ms: 200,
        ..Tunables::default()
    });
    TestServer::start_with(options, EngineOptions::default())
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_cut_off() {
    let server = impatient();
    let address = server.address;
    let beginnings =
        ["", "P", "PRI * HTTP/2", "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: "];
    let clients = beginnings.map(|beginning| {
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(beginning.as_bytes()).await.unwrap();
            until_closed(&mut stream).await
        })
    });
    for client in clients {
        let received = client.await.unwrap();
        assert!(!received.contains("200 OK"), "{received}");
    }
    // The same after a first request that was in order.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(HEALTH).await.unwrap();
    assert!(read_until(&mut stream, "}").await.starts_with("HTTP/1.1 200 OK"));
    stream.write_all(b"GET /healthz HT").await.unwrap();
    assert!(!until_closed(&mut stream).await.contains("200 OK"));
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_body_is_told_so() {
    let server = impatient();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = b"PUT /v1/boards/b/members/m HTTP/1.1\r\nhost: localhost\r\n\
        content-length: 12\r\n\r\n{\"sco";
    stream.write_all(head).await.unwrap();
    let received = read_until(&mut stream, "}").await;
    assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
    assert!(received.contains("body-timeout") && received.contains("200 ms"), "{received}");
}

#[tokio::test]
async fn an_unannounced_body_is_cut_at_its_limit() {
    let server = TestServer::start();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head =
        "PUT /v1/members/m HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10001\r\n{}\r\n", " ".repeat(0x10001));
    stream.write_all(chunk.as_bytes()).await.unwrap();
    let received = read_until(&mut stream, "}").await;
    assert!(received.starts_with("HTTP/1.1 413 "), "{received}");
    assert!(received.contains("more than 65536 bytes"), "{received}");
}

/// Sends the whole request before it reads a byte, as simple clients do.
async fn send_all_then_read(address: SocketAddr, head: String, body_bytes: usize) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(head.as_bytes()).await.expect("an open connection");
    for _ in 0..body_bytes / 1024 {
        stream.write_all(&[b' '; 1024]).await.expect("a server that takes it all in");
    }
    read_until(&mut stream, "}").await
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_gets_its_refusal() {
    let server = TestServer::start();
    for (request, status) in [
        ("PUT /v1/boards/b/members/m", "413"),
        ("PUT /v1/boards/b/members/m HTTP/1.1\r\ncontent-type: text/plain", "415"),
        ("POST /nowhere", "404"),
    ] {
        let request = match request.contains("HTTP/") {
            true => request.to_owned(),
            false => format!("{request} HTTP/1.1"),
        };
        let body_bytes = 4 << 20;
        let head = format!("{request}\r\nhost: localhost\r\ncontent-length: {body_bytes}\r\n\r\n");
        let received = send_all_then_read(server.address, head, body_bytes).await;
        assert!(received.starts_with(&format!("HTTP/1.1 {status} ")), "{received}");
    }
}

#[tokio::test]
async fn who_asks_before_sending_and_who_sends_far_too_much_are_told_at_once() {
    let server = TestServer::start();
    for announced in
        ["content-length: 1000000\r\nexpect: 100-continue", "content-length: 1000000000"]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("PUT /v1/members/m HTTP/1.1\r\nhost: localhost\r\n{announced}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let received = until_closed(&mut stream).await;
        assert!(received.starts_with("HTTP/1.1 413 "), "{received}");
    }
}

#[tokio::test]
async fn large_bodies_wait_for_each_other_and_small_ones_do_not() {
    let server = impatient();
    let held = server.store.gate.acquire_many(64).await.unwrap();
    let mut begun = server.store.begun.subscribe();
    let large =
        format!("{{\"scores\": [{{\"member\": \"m\", \"score\": 1}}]{}}}", " ".repeat(70_000));
    let post = |body: &str| {
        let post = request("POST", "/v1/boards/b/scores", &[], body);
        tokio::spawn(send(server.address, post))
    };
    let running: Vec<_> = (0..16).map(|_| post(&large)).collect();
    begun.wait_for(|&begun| begun == 16).await.unwrap();
    let refused = post(&large).await.unwrap();
    refused.problem(503, "busy", &["16 bodies over 65536 bytes", "200 ms"]);
    let small = post(large.replace(' ', "").as_str());
    begun.wait_for(|&begun| begun == 17).await.unwrap();
    drop(held);
    for answer in running.into_iter().chain([small]) {
        answer.await.unwrap().json(200);
    }
}

#[tokio::test]
async fn heads_that_are_none_or_too_long_are_refused() {
    let server = TestServer::start();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // Not a byte more than the server reads: closing with unread bytes would reset the connection.
    let mut head = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-long: ".to_owned();
    head.push_str(&"x".repeat(64 * 1024 - head.len()));
    stream.write_all(head.as_bytes()).await.unwrap();
    let refusal = until_closed(&mut stream).await;
    assert!(refusal.starts_with("HTTP/1.1 431 "), "{refusal:?}");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(101));
    stream.write_all(many.as_bytes()).await.unwrap();
    let refusal = until_closed(&mut stream).await;
    assert!(refusal.starts_with("HTTP/1.1 431 ") && refusal.ends_with("\r\n\r\n"), "{refusal:?}");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"no HTTP at all\r\n\r\n").await.unwrap();
    let refusal = until_closed(&mut stream).await;
    assert!(refusal.starts_with("HTTP/1.1 400 "), "{refusal:?}");
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_closed() {
    let options = tuned(Tunables { connections_max: 1, ..Tunables::default() });
    let server = TestServer::start_with(options, EngineOptions::default());
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(HEALTH).await.unwrap();
    read_until(&mut first, "}").await;
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(HEALTH).await.unwrap();
    second.shutdown().await.unwrap();
    let refusal = until_closed(&mut second).await;
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    assert!(refusal.contains("too-many-connections") && refusal.contains("connection: close"));
    // The first one still works; when the server has let go of it, there is room again.
    first.write_all(HEALTH).await.unwrap();
    assert!(read_until(&mut first, "}").await.starts_with("HTTP/1.1 200 OK"));
    first.shutdown().await.unwrap();
    until_closed(&mut first).await;
    server.get("/healthz").await.json(200);
}

async fn http2_client(address: SocketAddr) -> http2::SendRequest<Full<bytes::Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let io = TokioIo::new(stream);
    let handshake = http2::handshake(TokioExecutor::new(), io).await;
    let (sender, connection) = handshake.expect("the server speaks HTTP/2");
    tokio::spawn(connection);
    sender
}

#[tokio::test]
async fn http2_is_spoken_to_who_speaks_it() {
    let server = TestServer::start();
    let mut sender = http2_client(server.address).await;
    let call = |method: &str, path: &str, body: &'static str| {
        let uri = format!("http://{}{path}", server.address);
        let request = Request::builder().method(method).uri(uri);
        request.body(Full::new(bytes::Bytes::from_static(body.as_bytes()))).unwrap()
    };
    let member = "/v1/boards/b/members/a%2Fb";
    let written = sender.send_request(call("PUT", member, r#"{"score": 7}"#)).await.unwrap();
    assert_eq!(written.status().as_u16(), 200);
    let read = sender.send_request(call("GET", member, "")).await.unwrap();
    let body = read.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"{\"member\":\"a/b\",\"score\":7,"));
    let head = sender.send_request(call("HEAD", member, "")).await.unwrap();
    assert_eq!(head.headers()["content-length"], body.len().to_string().as_str());
    assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test]
async fn shutdown_lets_running_requests_finish() {
    let server = TestServer::start();
    let held = server.store.gate.acquire_many(64).await.unwrap();
    let mut begun = server.store.begun.subscribe();
    let put = request("PUT", "/v1/boards/b/members/m", &[], r#"{"score": 1}"#);
    let writing = tokio::spawn(send(server.address, put));
    begun.wait_for(|&begun| begun == 1).await.unwrap();
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(HEALTH).await.unwrap();
    read_until(&mut idle, "}").await;
    server.stop.send(()).unwrap();
    // The idle connection is closed; that tells that the shutdown has begun.
    assert_eq!(until_closed(&mut idle).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    drop(held);
    writing.await.unwrap().json(200);
    server.running.await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_forever() {
    let options = tuned(Tunables { drain_ms: 50, ..Tunables::default() });
    let server = TestServer::start_with(options, EngineOptions::default());
    let _held = server.store.gate.acquire_many(64).await.unwrap();
    let mut begun = server.store.begun.subscribe();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let put = b"PUT /v1/boards/b HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(put).await.unwrap();
    begun.wait_for(|&begun| begun == 1).await.unwrap();
    server.stop.send(()).unwrap();
    server.running.await.unwrap().unwrap();
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn only_loopback_is_bound_without_being_told() {
    let open = ServerOptions { http: SocketAddr::from(([0, 0, 0, 0], 0)), ..options() };
    let refused = Server::bind(open.clone(), EngineSlot::empty()).unwrap_err();
    assert!(matches!(refused, ServerError::Anonymous(_)));
    let message = refused.to_string();
    assert!(message.contains("0.0.0.0:0") && message.contains("allow_anonymous"), "{message}");
    let allowed = ServerOptions { allow_anonymous: true, ..open };
    assert_ne!(Server::bind(allowed, EngineSlot::empty()).unwrap().local_addr().port(), 0);
}

#[tokio::test]
async fn options_outside_their_limits_and_taken_addresses_are_named() {
    let server = TestServer::start();
    let bad = |options| Server::bind(options, EngineSlot::empty()).unwrap_err().to_string();
    let drain = bad(tuned(Tunables { drain_ms: 10_001, ..Tunables::default() }));
    assert_eq!(drain, "drain_ms is 10001; allowed are 0 to 10000");
    let none = bad(tuned(Tunables { connections_max: 0, ..Tunables::default() }));
    assert_eq!(none, "connections_max is 0; allowed are 1 to 100000");
    let taken = bad(ServerOptions { http: server.address, ..options() });
    assert!(taken.contains(&server.address.to_string()), "{taken}");
}
