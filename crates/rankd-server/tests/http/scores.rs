//! Writing scores, one and many, and taking members off.

use rankd_engine::EngineOptions;
use serde_json::{Value, json};

use crate::support::{TestServer, options};

#[tokio::test]
async fn a_write_tells_where_the_member_is_and_was() {
    let server = TestServer::start();
    let first = server.put("/v1/boards/b/members/ada", r#"{"score": 10}"#).await;
    assert_eq!(
        first.text(),
        r#"{"member":"ada","score":10,"rank":1,"previous":null,"changed":true}"#
    );
    server.put("/v1/boards/b/members/bob", r#"{"score": 20}"#).await.json(200);
    let up = server.put("/v1/boards/b/members/ada", r#"{"score": 30}"#).await.json(200);
    assert_eq!(up["rank"], 1);
    assert_eq!(up["previous"], json!({"score": 10, "rank": 2}));
    let same = server.put("/v1/boards/b/members/ada", r#"{"score": 30}"#).await.json(200);
    assert_eq!(same["changed"], false);
    assert_eq!(same["previous"], json!({"score": 30, "rank": 1}));
}

#[tokio::test]
async fn an_operator_can_be_given_for_one_write() {
    let server = TestServer::start();
    for (body, score) in [
        (r#"{"score": 10}"#, 10),
        (r#"{"score": 5, "operator": "sum"}"#, 15),
        (r#"{"score": 3, "operator": "max"}"#, 15),
        (r#"{"score": 3, "operator": "min"}"#, 3),
        (r#"{"score": 9, "operator": "best"}"#, 9),
        (r#"{"score": 1, "operator": "latest"}"#, 1),
    ] {
        assert_eq!(server.put("/v1/boards/b/members/m", body).await.json(200)["score"], score);
    }
}

#[tokio::test]
async fn integers_are_exact_to_the_limits() {
    let server = TestServer::start();
    let max = "9223372036854775807";
    let min = "-9223372036854775808";
    for (member, score) in [("max", max), ("min", min), ("near", "9223372036854775806")] {
        let path = format!("/v1/boards/b/members/{member}");
        let answer = server.put(&path, &format!("{{\"score\": {score}}}")).await;
        assert!(answer.text().contains(&format!("\"score\":{score},")), "{}", answer.text());
    }
    let top = server.get("/v1/boards/b/top").await;
    let expected = format!(
        "{{\"total\":3,\"entries\":[{{\"rank\":1,\"member\":\"max\",\"score\":{max}}},\
         {{\"rank\":2,\"member\":\"near\",\"score\":9223372036854775806}},\
         {{\"rank\":3,\"member\":\"min\",\"score\":{min}}}]}}"
    );
    assert_eq!(top.text(), expected);
    let over = server.put("/v1/boards/b/members/max", r#"{"score": 1, "operator": "sum"}"#).await;
    over.problem(400, "invalid-score", &[max, "range"]);
    assert!(server.get("/v1/boards/b/members/max").await.text().contains(max));
}

#[tokio::test]
async fn float_boards_take_fractions_and_infinities() {
    let server = TestServer::start();
    server.put("/v1/boards/f", r#"{"score": "float"}"#).await.json(201);
    for (member, score) in [
        ("a", "0.1"),
        ("b", "\"inf\""),
        ("c", "\"-inf\""),
        ("d", "1e300"),
        ("e", "-0.0"),
        ("f", "3"),
        ("g", "5e-324"),
        ("h", "18446744073709551616"),
    ] {
        let path = format!("/v1/boards/f/members/{member}");
        server.put(&path, &format!("{{\"score\": {score}}}")).await.json(200);
    }
    let top = server.get("/v1/boards/f/top").await;
    let order: Vec<_> = top.json(200)["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["member"].as_str().unwrap().to_owned(), e["score"].clone()))
        .collect();
    let expected: Vec<(String, Value)> = [
        ("b", json!("inf")),
        ("d", json!(1e300)),
        ("h", json!(18_446_744_073_709_551_616.0)),
        ("f", json!(3.0)),
        ("a", json!(0.1)),
        ("g", json!(5e-324)),
        ("e", json!(0.0)),
        ("c", json!("-inf")),
    ]
    .map(|(m, s)| (m.to_owned(), s))
    .into();
    assert_eq!(order, expected);
    let nan = r#"{"score": "-inf", "operator": "sum"}"#;
    server.put("/v1/boards/f/members/b", nan).await.problem(400, "invalid-score", &["NaN"]);
}

#[tokio::test]
async fn a_float_sum_may_become_infinite_and_an_integer_sum_may_not() {
    let server = TestServer::start();
    server.put("/v1/boards/f", r#"{"score": "float", "operator": "sum"}"#).await.json(201);
    let large = r#"{"score": 1.7e308}"#;
    server.put("/v1/boards/f/members/m", large).await.json(200);
    assert_eq!(server.put("/v1/boards/f/members/m", large).await.json(200)["score"], "inf");
    server.put("/v1/boards/i/members/m", r#"{"score": 9223372036854775807}"#).await.json(200);
    let more = server.put("/v1/boards/i/members/m", r#"{"score": 1, "operator": "sum"}"#).await;
    more.problem(400, "invalid-score", &["range"]);
}

#[tokio::test]
async fn times_are_read_in_both_spellings() {
    let server = TestServer::start();
    for (member, at, shown) in [
        ("a", json!("2026-01-02T03:04:05+01:00"), "2026-01-02T02:04:05Z"),
        ("b", json!(1500), "1970-01-01T00:00:01.500Z"),
        ("c", json!(-62_135_596_800_000_i64), "0001-01-01T00:00:00Z"),
        ("d", json!("9999-12-31T23:59:59.999Z"), "9999-12-31T23:59:59.999Z"),
    ] {
        let path = format!("/v1/boards/b/members/{member}");
        server.put(&path, &json!({"score": 1, "at": at}).to_string()).await.json(200);
        assert_eq!(server.get(&path).await.json(200)["at"], shown);
    }
    // Equal scores: who reached theirs first is first.
    let top = server.get("/v1/boards/b/top").await.json(200);
    let order: Vec<_> = top["entries"].as_array().unwrap().iter().map(|e| &e["member"]).collect();
    assert_eq!(order, ["c", "b", "a", "d"]);
}

#[tokio::test]
async fn a_batch_applies_its_good_rows_and_names_the_others() {
    let server = TestServer::start();
    let long = "x".repeat(513);
    let body = json!({"scores": [
        {"member": "a", "score": 1},
        {"member": "b", "score": "12"},
        {"member": "a", "score": 1},
        {"member": "", "score": 1},
        {"score": 1},
        {"member": "c"},
        {"member": 7, "score": 1},
        {"member": "d", "score": 1.5},
        {"member": "e", "score": 1, "at": "noon"},
        {"member": "f", "score": 1, "operator": "add"},
        {"member": long, "score": 1},
        {"member": "g", "score": 2},
    ]});
    let report = server.post("/v1/boards/b/scores", &body.to_string()).await.json(200);
    assert_eq!((&report["applied"], &report["unchanged"]), (&json!(2), &json!(1)));
    let rejected = report["rejected"].as_array().unwrap();
    let indexes: Vec<_> = rejected.iter().map(|row| row["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, [1, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (row, mentions) in rejected.iter().zip([
        "score is \"12\"",
        "0 bytes",
        "member is missing",
        "score is missing",
        "member is 7",
        "score is 1.5",
        "at is \"noon\"",
        "operator is \"add\"",
        "513 bytes",
    ]) {
        assert!(row["detail"].as_str().unwrap().contains(mentions), "{row} lacks {mentions}");
    }
    assert_eq!(server.get("/v1/boards/b").await.json(200)["count"], 2);
}

#[tokio::test]
async fn a_batch_of_ten_thousand_is_taken_and_one_more_is_not() {
    let server = TestServer::start();
    let rows = |count: usize| {
        let rows: Vec<_> =
            (0..count).map(|n| json!({"member": format!("m{n}"), "score": n})).collect();
        json!({ "scores": rows }).to_string()
    };
    let report = server.post("/v1/boards/b/scores", &rows(10_000)).await.json(200);
    assert_eq!(report, json!({"applied": 10_000, "unchanged": 0, "rejected": []}));
    let best = server.get("/v1/boards/b/top?limit=1").await.json(200);
    assert_eq!(best["entries"][0]["member"], "m9999");
    let refused = server.post("/v1/boards/b/scores", &rows(10_001)).await;
    refused.problem(413, "too-many-items", &["10001", "10000"]);
    let nothing = server.post("/v1/boards/b/scores", r#"{"scores": []}"#).await.json(200);
    assert_eq!(nothing, json!({"applied": 0, "unchanged": 0, "rejected": []}));
}

#[tokio::test]
async fn members_are_taken_off_once() {
    let server = TestServer::start();
    let gone = server.delete("/v1/boards/b/members/m").await;
    gone.problem(404, "unknown-board", &["\"b\""]);
    server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await.json(200);
    server.delete("/v1/boards/b/members/m").await.empty(204);
    let gone = server.delete("/v1/boards/b/members/m").await;
    gone.problem(404, "unknown-member", &["\"m\"", "\"b\""]);
}

#[tokio::test]
async fn without_auto_create_boards_come_first() {
    let server = TestServer::start_with(options(), EngineOptions { auto_create: false });
    let one = server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await;
    one.problem(404, "unknown-board", &["\"b\""]);
    let many = r#"{"scores": [{"member": "m", "score": 1}, {"member": "n", "score": 1}]}"#;
    server.post("/v1/boards/b/scores", many).await.problem(404, "unknown-board", &[]);
    server.put("/v1/boards/b", "").await.json(201);
    server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await.json(200);
}
