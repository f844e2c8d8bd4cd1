//! The same key again: the first answer, no second effect.

use rankd_engine::{EngineOptions, StoreError};
use serde_json::json;

use crate::support::{Answer, Script, TestServer, options};

#[track_caller]
fn replayed(first: &Answer, second: &Answer) {
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!((first.status, first.text()), (second.status, second.text()));
}

#[tokio::test]
async fn a_repeated_write_has_one_effect_and_one_answer() {
    let server = TestServer::start();
    let path = "/v1/boards/b/members/m";
    server.put(path, r#"{"score": 1}"#).await.json(200);
    let add = r#"{"score": 5, "operator": "sum"}"#;
    let first = server.keyed("k", "PUT", path, add).await;
    assert_eq!(first.json(200)["score"], 6);
    server.put(path, r#"{"score": 100}"#).await.json(200);
    let second = server.keyed("k", "PUT", path, add).await;
    replayed(&first, &second);
    assert_eq!(server.get(path).await.json(200)["score"], 100);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let server = TestServer::start();
    let body = r#"{"score": 5}"#;
    server.keyed("k", "PUT", "/v1/boards/b/members/m", body).await.json(200);
    for (method, path, body) in [
        ("PUT", "/v1/boards/b/members/m", r#"{"score": 6}"#),
        ("PUT", "/v1/boards/b/members/n", body),
        ("DELETE", "/v1/boards/b/members/m", ""),
        ("POST", "/v1/boards/b/scores", r#"{"scores": []}"#),
    ] {
        let answer = server.keyed("k", method, path, body).await;
        answer.problem(422, "idempotency-key-reused", &["key"]);
    }
    assert_eq!(server.get("/v1/boards/b/members/m").await.json(200)["score"], 5);
}

#[tokio::test]
async fn bulk_reports_are_repeated_with_their_indexes() {
    let server = TestServer::start();
    let many = json!({"scores": [
        {"member": "", "score": 1},
        {"member": "a", "score": 5, "operator": "sum"},
        {"member": "b", "score": 1.25},
        {"member": "a", "score": 0, "operator": "sum"},
        {"member": "c", "score": "x"},
        {"member": "d", "score": 9_223_372_036_854_775_807_i64, "operator": "sum"},
        {"member": "d", "score": 1, "operator": "sum"},
    ]});
    let one = json!({"scores": [{"member": "", "score": 1}, {"member": "b", "score": 1.25}]});
    for (key, body, applied, indexes) in
        [("many", many, 2, vec![0, 2, 4, 6]), ("one", one, 0, vec![0, 1])]
    {
        let body = body.to_string();
        let first = server.keyed(key, "POST", "/v1/boards/b/scores", &body).await;
        let report = first.json(200);
        assert_eq!(report["applied"], applied);
        let found: Vec<_> = report["rejected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["index"].as_u64().unwrap())
            .collect();
        assert_eq!(found, indexes);
        let second = server.keyed(key, "POST", "/v1/boards/b/scores", &body).await;
        replayed(&first, &second);
    }
    assert_eq!(server.get("/v1/boards/b/members/a").await.json(200)["score"], 5);
}

#[tokio::test]
async fn a_repeated_problem_is_marked_as_such() {
    let engine = EngineOptions { auto_create: false };
    let server = TestServer::start_with(options(), engine);
    server.put("/v1/boards/b", "").await.json(201);
    let rows = r#"{"scores": [{"member": "m", "score": 1}, {"member": "n", "score": 1}]}"#;
    for (method, path, body, status) in [
        ("DELETE", "/v1/boards/no", "", 404),
        ("DELETE", "/v1/boards/b/members/no", "", 404),
        ("DELETE", "/v1/members/no", "", 404),
        ("PUT", "/v1/boards/b/members/m", r#"{"score": 1.5}"#, 400),
        ("PUT", "/v1/boards/b", r#"{"order": "ascending"}"#, 409),
        ("PUT", "/v1/boards/no/members/m", r#"{"score": 1}"#, 404),
        ("POST", "/v1/boards/no/scores", rows, 404),
    ] {
        let key = format!("{method} {path} {body}");
        let first = server.keyed(&key, method, path, body).await;
        assert_eq!(first.status.as_u16(), status, "{key}");
        replayed(&first, &server.keyed(&key, method, path, body).await);
    }
}

#[tokio::test]
async fn every_write_takes_a_key() {
    let server = TestServer::start();
    for (method, path, body, status) in [
        ("PUT", "/v1/boards/b", "{}", 201),
        ("PUT", "/v1/boards/b/members/m", r#"{"score": 5}"#, 200),
        ("POST", "/v1/boards/b/scores", r#"{"scores": [{"member": "n", "score": 1}]}"#, 200),
        ("PUT", "/v1/members/m", r#"{"name": "Em"}"#, 200),
        ("POST", "/v1/members", r#"{"members": [{"member": "n", "name": "En"}]}"#, 200),
        ("DELETE", "/v1/members/m", "", 204),
    ] {
        let key = format!("{method} {path}");
        let first = server.keyed(&key, method, path, body).await;
        assert_eq!(first.status.as_u16(), status, "{key}");
        let second = server.keyed(&key, method, path, body).await;
        assert_eq!(
            (second.status, second.header("idempotency-replayed")),
            (first.status, Some("true"))
        );
        if method != "PUT" || path != "/v1/boards/b" {
            assert_eq!(first.text(), second.text(), "{key}");
        }
    }
    // What is gone stays gone, and the second answer is still the first one.
    for path in ["/v1/boards/b/members/m", "/v1/boards/b"] {
        let first = server.keyed(path, "DELETE", path, "").await;
        first.empty(204);
        replayed(&first, &server.keyed(path, "DELETE", path, "").await);
    }
    // So does the creation of a board that has been deleted since.
    let created = server.keyed("PUT /v1/boards/b", "PUT", "/v1/boards/b", "{}").await;
    assert_eq!(created.json(201)["count"], 0);
    server.get("/v1/boards/b").await.problem(404, "unknown-board", &[]);
}

#[tokio::test]
async fn keys_outside_their_limits_and_beyond_the_capacity_are_refused() {
    let server = TestServer::start();
    let path = "/v1/boards/b/members/m";
    let body = r#"{"score": 5}"#;
    server.keyed(&"k".repeat(255), "PUT", path, body).await.json(200);
    let long = server.keyed(&"k".repeat(256), "PUT", path, body).await;
    long.problem(400, "invalid-parameter", &["Idempotency-Key", "256", "255"]);
    server.keyed("", "PUT", path, body).await.problem(400, "invalid-parameter", &["0 bytes"]);
    let failure = Some(StoreError::TooManyKeys(1_000_000, 24));
    server.store.follow(Script { failure, ..Script::default() });
    let refused = server.keyed("new", "PUT", path, body).await;
    refused.problem(429, "too-many-idempotency-keys", &["1000000", "24"]);
}
