//! Plain requests, which are answered in the lane, beside the same requests with a header that
//! means nothing but is hyper's to read: both must be answered alike.

use std::net::SocketAddr;

use rankd_engine::EngineOptions;
use rankd_server::Tunables;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestServer, tuned};

/// Turns any plain request into one that is not.
pub(crate) const FOREIGN: &str = "cookie: a=b\r\n";

/// One reply: its status, its headers in alphabetical order without the date, and its body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// Without what counts requests.
    fn without_request_id(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "x-request-id");
        self
    }
}

/// Reads replies one after the other.
pub(crate) struct Replies<S = TcpStream> {
    pub(crate) stream: S,
    input: Vec<u8>,
}

impl Replies {
    pub(crate) async fn of(address: SocketAddr, requests: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        Self::over(stream, requests).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Replies<S> {
    pub(crate) async fn over(stream: S, requests: &str) -> Self {
        let mut replies = Self { stream, input: Vec::new() };
        replies.ask(requests).await;
        replies
    }

    pub(crate) async fn ask(&mut self, requests: &str) {
        self.stream.write_all(requests.as_bytes()).await.expect("an open connection");
        self.stream.flush().await.expect("an open connection");
    }

    pub(crate) async fn next(&mut self) -> Reply {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut head = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(head_bytes) = head.parse(&self.input).expect("HTTP") {
                let mut headers: Vec<_> = head
                    .headers
                    .iter()
                    .map(|header| {
                        let value = String::from_utf8(header.value.to_vec()).expect("ASCII");
                        (header.name.to_ascii_lowercase(), value)
                    })
                    .collect();
                headers.sort();
                let length = headers.iter().find(|(name, _)| name == "content-length");
                let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
                if let Some(body) = self.input.get(head_bytes..head_bytes + length) {
                    let (status, body) = (head.code.expect("a status"), body.to_vec());
                    assert!(headers.iter().any(|(name, _)| name == "date"), "{headers:?}");
                    headers.retain(|(name, _)| name != "date");
                    self.input.drain(..head_bytes + length);
                    return Reply {
                        status,
                        headers,
                        body: String::from_utf8(body).expect("UTF-8"),
                    };
                }
            }
            let read = self.stream.read_buf(&mut self.input).await.expect("an open connection");
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&self.input));
        }
    }

    /// The server closes without another byte.
    pub(crate) async fn end(mut self) {
        let mut rest = self.input;
        // A reset is a way of closing, too.
        let _: std::io::Result<usize> = self.stream.read_to_end(&mut rest).await;
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

pub(crate) fn request(method: &str, path: &str, body: &str, headers: &str) -> String {
    let length = match body {
        "" => String::new(),
        body => format!("content-length: {}\r\n", body.len()),
    };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}{length}\r\n{body}")
}

/// A server with a board of three.
pub(crate) async fn server() -> TestServer {
    let server = TestServer::start();
    for (member, score) in [("a", 30), ("b%2Fc", 20), ("%F0%9F%8F%86", 10)] {
        let path = format!("/v1/boards/arcade/members/{member}");
        server.put(&path, &format!("{{\"score\": {score}}}")).await.json(200);
    }
    server
}

const CASES: [(&str, &str, &str); 20] = [
    ("GET", "/v1/boards/arcade/members/a", ""),
    ("GET", "/v1/boards/arcade/members/b%2Fc?style=dense", ""),
    ("GET", "/v1/boards/arcade/members/%F0%9F%8F%86", ""),
    ("GET", "/v1/boards/arcade/members/a/around?radius=1&times=true", ""),
    ("GET", "/v1/boards/arcade/top", ""),
    ("GET", "/v1/boards/arcade/top?limit=2&offset=1&names=true", ""),
    ("GET", "/v1/boards/arcade/top?limit=0", ""),
    ("GET", "/v1/boards/arcade/top?limt=1", ""),
    ("GET", "/v1/boards/arcade/scores?min=15", ""),
    ("GET", "/v1/boards/arcade", ""),
    ("GET", "/v1/boards/nowhere/members/a", ""),
    ("GET", "/v1/boards/arcade/members/nobody", ""),
    ("GET", "/v1/boards/arcade/members/%zz", ""),
    ("GET", "/v1/nothing", ""),
    ("POST", "/v1/boards/arcade/ranks", "{\"members\": [\"a\", \"x\"]}"),
    ("POST", "/v1/boards/arcade/ranks", "{\"members\": 1}"),
    ("PUT", "/v1/boards/arcade/members/a", "{\"score\": 30}"),
    ("PUT", "/v1/boards/arcade/members/a", "{\"score\": 1.5}"),
    ("PUT", "/v1/boards/arcade/members/a", "no JSON"),
    ("POST", "/v1/boards/arcade/top", "{}"),
];

#[tokio::test]
async fn the_lane_answers_as_hyper_does() {
    let server = server().await;
    for (method, path, body) in CASES {
        // Twice, so that both find what a write has left.
        let plain = request(method, path, body, "").repeat(2);
        let mut plain = Replies::of(server.address, &plain).await;
        plain.next().await;
        let foreign = request(method, path, body, FOREIGN);
        let mut foreign = Replies::of(server.address, &foreign).await;
        let (lane, hyper) = (plain.next().await, foreign.next().await);
        assert_eq!(lane.without_request_id(), hyper.without_request_id(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_pipeline_is_answered_in_its_order_whoever_answers() {
    let server = server().await;
    let mut requests = String::new();
    for (method, path, body) in CASES {
        requests.push_str(&request(method, path, body, ""));
    }
    // In the middle of the second half, one that ends the lane.
    requests.push_str(&request("GET", "/v1/boards/arcade/members/a", "", FOREIGN));
    requests.push_str(&request("GET", "/v1/boards/arcade/top?limit=1", "", ""));
    let mut replies = Replies::of(server.address, &requests).await;
    for (method, path, body) in CASES {
        let expected = request(method, path, body, FOREIGN);
        let expected = Replies::of(server.address, &expected).await.next().await;
        let found = replies.next().await;
        assert_eq!(found.without_request_id(), expected.without_request_id(), "{method} {path}");
    }
    assert!(replies.next().await.body.starts_with("{\"member\":\"a\",\"score\":30,\"rank\":1,"));
    let last = replies.next().await.body;
    assert_eq!(last, "{\"total\":3,\"entries\":[{\"rank\":1,\"member\":\"a\",\"score\":30}]}");
}

#[tokio::test]
async fn requests_may_come_in_any_pieces() {
    let server = server().await;
    let put = request("PUT", "/v1/boards/arcade/members/a", "{\"score\": 31}", "");
    let get = request("GET", "/v1/boards/arcade/members/a", "", "");
    let mut replies = Replies::of(server.address, "").await;
    replies.stream.set_nodelay(true).unwrap();
    for byte in format!("{put}{get}").bytes() {
        replies.stream.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(replies.next().await.status, 200);
    assert!(replies.next().await.body.contains("\"score\":31,\"rank\":1"));
}

#[tokio::test]
async fn a_long_pipeline_is_answered_while_it_is_sent() {
    let server = server().await;
    let get = request("GET", "/v1/boards/arcade/members/a", "", "");
    let replies = Replies::of(server.address, "").await;
    let (mut reader, mut writer) = replies.stream.into_split();
    let sending = tokio::spawn(async move {
        for _ in 0..100 {
            writer.write_all(get.repeat(100).as_bytes()).await.unwrap();
        }
        writer.shutdown().await.unwrap();
    });
    let mut received = String::new();
    reader.read_to_string(&mut received).await.unwrap();
    sending.await.unwrap();
    assert_eq!(received.matches("HTTP/1.1 200 OK\r\n").count(), 10_000);
    assert_eq!(received.matches("\"score\":30,\"rank\":1,\"total\":3").count(), 10_000);
}

#[tokio::test]
async fn a_write_that_waits_does_not_keep_replies_before_it() {
    let server = server().await;
    let held = server.store.gate.acquire_many(64).await.unwrap();
    let get = request("GET", "/v1/boards/arcade/members/a", "", "");
    let put = request("PUT", "/v1/boards/arcade/members/a", "{\"score\": 5}", "");
    let mut replies = Replies::of(server.address, &format!("{get}{put}{get}")).await;
    assert!(replies.next().await.body.contains("\"score\":30,\"rank\":1"));
    drop(held);
    assert!(replies.next().await.body.contains("\"score\":5,\"rank\":3"));
    assert!(replies.next().await.body.contains("\"score\":5,\"rank\":3"));
}

#[tokio::test]
async fn other_hosts_are_refused_in_the_middle_of_a_connection() {
    let server = server().await;
    let get = request("GET", "/v1/boards/arcade/members/a", "", "");
    let evil = get.replace("localhost", "evil.example");
    let mut replies = Replies::of(server.address, &format!("{get}{evil}")).await;
    assert_eq!(replies.next().await.status, 200);
    let refused = replies.next().await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("unknown-host"), "{refused:?}");
}

#[tokio::test]
async fn idle_connections_end_in_time_and_at_shutdown() {
    let brief = tuned(Tunables { idle_ms: 100, ..Tunables::default() });
    let server = TestServer::start_with(brief, EngineOptions::default());
    let get = request("GET", "/v1/boards", "", "");
    let mut late = Replies::of(server.address, &get).await;
    assert_eq!(late.next().await.status, 200);
    late.end().await;
    let brief = tuned(Tunables { head_read_ms: 100, ..Tunables::default() });
    let server = TestServer::start_with(brief, EngineOptions::default());
    let mut slow = Replies::of(server.address, &format!("{get}GET /v1/boa")).await;
    assert_eq!(slow.next().await.status, 200);
    slow.end().await;
    let patient = TestServer::start();
    let mut idle = Replies::of(patient.address, &get).await;
    assert_eq!(idle.next().await.status, 200);
    patient.stop.send(()).unwrap();
    idle.end().await;
    patient.running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_write_under_way_at_shutdown_is_answered_and_says_that_it_is_the_last() {
    let server = server().await;
    let held = server.store.gate.acquire_many(64).await.unwrap();
    let mut begun = server.store.begun.subscribe();
    let before = *begun.borrow();
    let put = request("PUT", "/v1/boards/arcade/members/a", "{\"score\": 5}", "");
    let mut replies = Replies::of(server.address, &put).await;
    begun.wait_for(|&begun| begun > before).await.unwrap();
    let mut idle = Replies::of(server.address, &request("GET", "/v1/boards", "", "")).await;
    idle.next().await;
    server.stop.send(()).unwrap();
    // That the idle one is closed tells that the shutdown has begun.
    idle.end().await;
    drop(held);
    let reply = replies.next().await;
    assert_eq!(reply.status, 200);
    assert!(reply.headers.contains(&("connection".to_owned(), "close".to_owned())), "{reply:?}");
    replies.end().await;
    server.running.await.unwrap().unwrap();
}
