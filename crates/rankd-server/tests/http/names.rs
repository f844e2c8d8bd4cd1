//! Names with every kind of character, in paths, bodies and answers.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rankd_engine::{Intent, Score};
use serde_json::json;

use crate::support::TestServer;

/// Slashes, dots, percent signs, spaces, NUL, quotes, emoji, right-to-left, combining marks.
const NAMES: &[&str] = &[
    "a/b",
    "/",
    "..",
    ".",
    "../../etc",
    "%",
    "%2F",
    "100%",
    "?x=1&y",
    "#frag",
    "a b",
    "a+b",
    "\0",
    "line\nfeed\t\u{7f}",
    "\"quoted\\",
    "\u{1f3c6}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "\u{202e}abc",
    "e\u{301}",
    "\u{e9}",
    "{member}",
    "*",
    "members",
    "around",
];

fn encoded(name: &[u8]) -> String {
    percent_encode(name, NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn any_text_names_a_board_and_a_member() {
    let server = TestServer::start();
    for name in NAMES {
        let board = format!("/v1/boards/{}", encoded(name.as_bytes()));
        let member = format!("{board}/members/{}", encoded(name.as_bytes()));
        assert_eq!(server.put(&board, "").await.json(201)["board"], *name);
        let written = server.put(&member, r#"{"score": 5}"#).await.json(200);
        assert_eq!(written["member"], *name);
        assert_eq!(server.get(&member).await.json(200)["member"], *name);
        let around = server.get(&format!("{member}/around")).await.json(200);
        assert_eq!(around["entries"][0]["member"], *name);
        let body = json!({"members": [name]}).to_string();
        let ranks = server.post(&format!("{board}/ranks"), &body).await.json(200);
        assert_eq!(ranks["entries"][0]["member"], *name);
    }
    let listed = server.get("/v1/boards?limit=1000").await.json(200);
    let mut expected: Vec<_> = NAMES.to_vec();
    expected.sort_unstable();
    let listed: Vec<_> = listed["boards"].as_array().unwrap().iter().map(|b| &b["board"]).collect();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn equal_looking_names_are_different_members() {
    let server = TestServer::start();
    let body = json!({"scores": [
        {"member": "e\u{301}", "score": 1}, {"member": "\u{e9}", "score": 1},
        {"member": "E\u{301}", "score": 1},
    ]});
    server.post("/v1/boards/b/scores", &body.to_string()).await.json(200);
    assert_eq!(server.get("/v1/boards/b").await.json(200)["count"], 3);
}

#[tokio::test]
async fn reserved_characters_may_also_stand_for_themselves() {
    let server = TestServer::start();
    server.put("/v1/boards/b/members/a:b@c!$&'()*,;=~", r#"{"score": 1}"#).await.json(200);
    let top = server.get("/v1/boards/b/top").await.json(200);
    assert_eq!(top["entries"][0]["member"], "a:b@c!$&'()*,;=~");
}

#[tokio::test]
async fn other_bytes_are_read_but_not_written() {
    let server = TestServer::start();
    let write = Intent::Write {
        board: b"b\xff".as_slice().into(),
        member: b"\xfe\x00".as_slice().into(),
        score: Score::Integer(3),
        operator: None,
        at_ms: None,
    };
    server.engine.submit(vec![write], false, None).await.unwrap();
    let standing = server.get("/v1/boards/b%ff/members/%fe%00").await.json(200);
    assert_eq!(standing["member"], json!({"base64": "/gA="}));
    let top = server.get("/v1/boards/b%FF/top").await.json(200);
    assert_eq!(top["entries"][0]["member"], json!({"base64": "/gA="}));
    let boards = server.get("/v1/boards?prefix=b%ff").await.json(200);
    assert_eq!(boards["boards"][0]["board"], json!({"base64": "Yv8="}));
    for path in ["/v1/boards/x/members/%ff", "/v1/boards/%ff/members/m", "/v1/members/%ff"] {
        let body = if path.contains("boards") { r#"{"score": 1}"# } else { r#"{"name": "n"}"# };
        server.put(path, body).await.problem(400, "invalid-name", &["UTF-8", "byte 0"]);
    }
}

#[tokio::test]
async fn names_of_512_bytes_are_the_longest() {
    let server = TestServer::start();
    let longest = "\u{20ac}".repeat(170) + "ab";
    assert_eq!(longest.len(), 512);
    let member = format!("/v1/boards/b/members/{}", encoded(longest.as_bytes()));
    server.put(&member, r#"{"score": 1}"#).await.json(200);
    server.put(&format!("/v1/boards/{}", encoded(longest.as_bytes())), "").await.json(201);
    let longer = encoded(format!("{longest}c").as_bytes());
    let board = format!("/v1/boards/{longer}");
    for answer in [
        server.put(&board, "").await,
        server.get(&board).await,
        server.delete(&board).await,
        server.get(&format!("/v1/boards/b/members/{longer}")).await,
        server.put(&format!("/v1/boards/b/members/{longer}"), r#"{"score": 1}"#).await,
        server.get(&format!("/v1/members/m/ranks?boards={longer}")).await,
    ] {
        answer.problem(400, "invalid-name", &["513 bytes", "1 to 512"]);
    }
    let body = json!({"members": ["ok", "x".repeat(513)]}).to_string();
    let ranks = server.post("/v1/boards/b/ranks", &body).await;
    ranks.problem(400, "invalid-name", &["item 1", "513 bytes"]);
}
