//! Create, read, list and delete boards.

use serde_json::json;

use crate::support::{NOW, TestServer};

#[tokio::test]
async fn a_board_is_created_once_and_found_again() {
    let server = TestServer::start();
    let expected = json!({
        "board": "arcade", "order": "descending", "score": "integer", "operator": "best",
        "ties": "earliest", "count": 0, "created_at": NOW, "changed_at": NOW,
    });
    let body = r#"{"operator": "best"}"#;
    assert_eq!(server.put("/v1/boards/arcade", body).await.json(201), expected);
    assert_eq!(server.put("/v1/boards/arcade", body).await.json(200), expected);
    assert_eq!(server.get("/v1/boards/arcade").await.json(200), expected);
    let differing = server.put("/v1/boards/arcade", r#"{"ties": "member"}"#).await;
    differing.problem(409, "board-differs", &["best", "latest", "earliest", "member", "arcade"]);
}

#[tokio::test]
async fn defaults_are_those_of_the_reference() {
    let server = TestServer::start();
    let board = server.put("/v1/boards/a", "").await.json(201);
    assert_eq!(board["order"], "descending");
    assert_eq!(board["score"], "integer");
    assert_eq!(board["operator"], "latest");
    assert_eq!(board["ties"], "earliest");
    assert_eq!(server.put("/v1/boards/a", "{}").await.json(200), board);
}

#[tokio::test]
async fn keeping_times_is_a_choice_of_boards_with_ties_by_member() {
    let server = TestServer::start();
    for (name, keep_at, at) in [("kept", true, json!(NOW)), ("not", false, json!(null))] {
        let path = format!("/v1/boards/{name}");
        let body = json!({"ties": "member", "keep_at": keep_at}).to_string();
        assert_eq!(server.put(&path, &body).await.json(201)["keep_at"], keep_at);
        server.put(&format!("{path}/members/m"), r#"{"score": 1}"#).await.json(200);
        let standing = server.get(&format!("{path}/members/m")).await.json(200);
        assert_eq!(standing["at"], at);
    }
    let refused = server.put("/v1/boards/x", r#"{"keep_at": true}"#).await;
    refused.problem(400, "invalid-body", &["keep_at", "member"]);
}

#[tokio::test]
async fn deleting_takes_everything_along() {
    let server = TestServer::start();
    server.put("/v1/boards/a/members/m", r#"{"score": 1}"#).await.json(200);
    server.delete("/v1/boards/a").await.empty(204);
    server.delete("/v1/boards/a").await.problem(404, "unknown-board", &["\"a\""]);
    server.get("/v1/boards/a").await.problem(404, "unknown-board", &["\"a\""]);
    assert_eq!(server.put("/v1/boards/a", "").await.json(201)["count"], 0);
}

#[tokio::test]
async fn listing_goes_through_all_boards_once_in_order() {
    let server = TestServer::start();
    let mut names: Vec<String> = (0..25).map(|n| format!("week-{n}")).collect();
    names.push("other".to_owned());
    for name in &names {
        server.put(&format!("/v1/boards/{name}"), "").await.json(201);
    }
    names.sort();
    for limit in [1, 5, 13, 26, 1000] {
        let mut listed = Vec::new();
        let mut path = format!("/v1/boards?limit={limit}");
        loop {
            let page = server.get(&path).await.json(200);
            let boards = page["boards"].as_array().unwrap();
            assert!(boards.len() <= limit && !boards.is_empty());
            listed.extend(boards.iter().map(|b| b["board"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["cursor"].as_str() else { break };
            path = format!("/v1/boards?limit={limit}&cursor={cursor}");
        }
        assert_eq!(listed, names);
    }
    let weeks = server.get("/v1/boards?prefix=week-1&limit=11").await.json(200);
    assert_eq!(weeks["boards"].as_array().unwrap().len(), 11);
    assert!(weeks["cursor"].is_null());
    let none = server.get("/v1/boards?prefix=nope").await.json(200);
    assert_eq!(none, json!({"boards": [], "cursor": null}));
}
