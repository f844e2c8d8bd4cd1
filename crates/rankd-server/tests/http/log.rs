//! What the server logs of requests: how loud, and how much of them.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};

use rankd_engine::{EngineOptions, StoreError};
use rankd_server::Tunables;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::support::{Script, TestServer, tuned};

/// Keeps the level, message and fields of each event of the request log.
struct Lines(Sender<(Level, String)>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "rankd_server::request_log"
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.send((*event.metadata().level(), text.0)).expect("the test still runs");
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The newest line that has a status; an answer is logged before it is sent.
fn last(lines: &Receiver<(Level, String)>) -> (Level, String) {
    lines.try_iter().filter(|(_, text)| text.contains("status=")).last().expect("a line")
}

#[tokio::test]
async fn a_clients_mistakes_are_not_logged_as_loud_as_the_servers() {
    let (sender, lines) = channel();
    let _logging = tracing::subscriber::set_default(Lines(sender));
    let server = TestServer::start();
    server.get("/v1/boards/no").await.problem(404, "unknown-board", &[]);
    let (level, text) = last(&lines);
    assert!(level == Level::DEBUG && text.contains("status=404"), "{level} {text}");
    let path = "/v1/boards/b/members/m";
    server.put(path, r#"{"score": 1}"#).await.json(200);
    assert_eq!(last(&lines).0, Level::DEBUG);
    for (failure, status, loud) in [
        (StoreError::Closed, "status=503", Level::WARN),
        (StoreError::Snapshot("no space".into()), "status=500", Level::ERROR),
    ] {
        server.store.follow(Script { failure: Some(failure), ..Script::default() });
        server.put(path, r#"{"score": 2}"#).await;
        let (level, text) = last(&lines);
        assert!(level == loud && text.contains(status), "{level} {text}");
    }
}

#[tokio::test]
async fn a_long_path_is_clipped_in_the_log() {
    let (sender, lines) = channel();
    let _logging = tracing::subscriber::set_default(Lines(sender));
    let server = TestServer::start();
    let path = format!("/{}", "x".repeat(30_000));
    server.get(&path).await.problem(404, "not-found", &[]);
    let (_, text) = last(&lines);
    assert!(text.len() < 500 && text.contains("... (30001 bytes)"), "{text}");
}

#[tokio::test]
async fn the_access_log_and_the_slow_log_name_the_route() {
    for (tunables, level, what) in [
        (Tunables { access_log: 1.0, ..Tunables::default() }, Level::INFO, "message=access"),
        (Tunables { slow_ms: 1, ..Tunables::default() }, Level::WARN, "message=slow"),
    ] {
        let (sender, lines) = channel();
        let _logging = tracing::subscriber::set_default(Lines(sender));
        let server = TestServer::start_with(tuned(tunables), EngineOptions::default());
        // Behind the lane, in it, and held back by the store for a while.
        server.get("/healthz").await.json(200);
        let (address, path) = (server.address, "/v1/boards/b/members/m");
        let held = server.store.gate.acquire_many(64).await.unwrap();
        let mut begun = server.store.begun.subscribe();
        let put = crate::support::request("PUT", path, &[], r#"{"score": 1}"#);
        let write = tokio::spawn(crate::support::send(address, put));
        begun.wait_for(|begun| *begun == 1).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        drop(held);
        write.await.unwrap().json(200);
        let (found, text) = last(&lines);
        assert_eq!(found, level, "{text}");
        for part in [what, "route=\"/v1/boards/{board}/members/{member}\"", "status=200"] {
            assert!(text.contains(part), "{text}");
        }
        for part in ["method=\"PUT\"", path, "request_id=", "duration_us="] {
            assert!(text.contains(part), "{text}");
        }
        let page = server.get("/metrics").await;
        let slow = format!("rankd_http_slow_requests_total {}", u8::from(what.ends_with("slow")));
        assert!(page.text().lines().any(|line| line == slow), "{}", page.text());
    }
}
