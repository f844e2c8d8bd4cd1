//! Display names.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn a_name_is_given_read_and_taken_away() {
    let server = TestServer::start();
    let path = "/v1/members/bondsba01";
    server.get(path).await.problem(404, "unknown-member", &["bondsba01"]);
    let named = json!({"member": "bondsba01", "name": "Barry Bonds"});
    assert_eq!(server.put(path, r#"{"name": "Barry Bonds"}"#).await.json(200), named);
    assert_eq!(server.get(path).await.json(200), named);
    server.delete(path).await.empty(204);
    server.delete(path).await.problem(404, "unknown-member", &["bondsba01"]);
    server.get(path).await.problem(404, "unknown-member", &["bondsba01"]);
}

#[tokio::test]
async fn names_are_given_in_bulk_and_shown_where_asked_for() {
    let server = TestServer::start();
    let scores = r#"{"scores": [{"member": "a", "score": 2}, {"member": "b", "score": 1}]}"#;
    server.post("/v1/boards/x/scores", scores).await.json(200);
    let labels = json!({"members": [
        {"member": "a", "name": "Ada \"A\" <b>"}, {"member": "c", "name": ""},
        {"member": "d"}, {"member": "e", "name": 5}, {"member": "f", "name": "Eff"},
    ]});
    let report = server.post("/v1/members", &labels.to_string()).await.json(200);
    assert_eq!(report["applied"], 2);
    let rejected = report["rejected"].as_array().unwrap();
    let indexes: Vec<_> = rejected.iter().map(|row| row["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, [1, 2, 3]);
    let entries = json!([
        {"rank": 1, "member": "a", "score": 2, "name": "Ada \"A\" <b>"},
        {"rank": 2, "member": "b", "score": 1, "name": null},
    ]);
    for path in ["top?names=true", "scores?names=true", "members/b/around?names=true"] {
        let page = server.get(&format!("/v1/boards/x/{path}")).await.json(200);
        assert_eq!(page["entries"], entries, "{path}");
    }
    let list = server.post("/v1/boards/x/ranks?names=true", r#"{"members": ["b"]}"#).await;
    assert!(list.json(200)["entries"][0]["name"].is_null());
    let plain = server.get("/v1/boards/x/top?names=false").await.json(200);
    assert!(plain["entries"][0].get("name").is_none());
}

#[tokio::test]
async fn a_name_that_is_so_already_counts_as_unchanged() {
    let server = TestServer::start();
    server.put("/v1/members/a", r#"{"name": "Ada"}"#).await.json(200);
    let rows = json!({"members": [
        {"member": "a", "name": "Ada"}, {"member": "b", "name": "Bob"}, {"member": "c", "name": ""},
    ]});
    let first = server.keyed("k", "POST", "/v1/members", &rows.to_string()).await;
    let report = first.json(200);
    assert_eq!((&report["applied"], &report["unchanged"]), (&json!(1), &json!(1)));
    let again = server.keyed("k", "POST", "/v1/members", &rows.to_string()).await;
    assert_eq!(again.text(), first.text());
    let one = json!({"members": [{"member": "a", "name": "Ada"}]}).to_string();
    for _ in 0..2 {
        let report = server.keyed("one", "POST", "/v1/members", &one).await.json(200);
        assert_eq!((&report["applied"], &report["unchanged"]), (&json!(0), &json!(1)));
    }
    // One call of its own is answered as if it had been news.
    let put = server.put("/v1/members/a", r#"{"name": "Ada"}"#).await.json(200);
    assert_eq!(put, json!({"member": "a", "name": "Ada"}));
}

#[tokio::test]
async fn names_have_limits() {
    let server = TestServer::start();
    let with = |name: String| json!({ "name": name }).to_string();
    server.put("/v1/members/m", &with("n".repeat(512))).await.json(200);
    let long = server.put("/v1/members/m", &with("n".repeat(513))).await;
    long.problem(400, "invalid-name", &["513", "512"]);
    let none = server.put("/v1/members/m", "{}").await;
    none.problem(400, "invalid-name", &["name is missing"]);
    let null = server.put("/v1/members/m", r#"{"name": null}"#).await;
    null.problem(400, "invalid-name", &["name"]);
}
