//! Every kind of bad input gets an error that names what was wrong, its value and the limit;
//! and changes nothing.

use serde_json::json;

use crate::support::{TestServer, request, send};

async fn server() -> TestServer {
    let server = TestServer::start();
    server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await.json(200);
    server.put("/v1/boards/f", r#"{"score": "float"}"#).await.json(201);
    server
}

#[tokio::test]
async fn malformed_json_is_located() {
    let server = server().await;
    for (body, place) in [
        ("{\"score\": 1,}", "column 13"),
        ("{\n\"score\": NaN}", "line 2"),
        ("{\"score\": Infinity}", "line 1"),
        ("{\"score\": +1}", "line 1"),
        ("{\"score\": 01}", "line 1"),
        ("{\"score\": 1", "EOF"),
        ("", "EOF"),
        ("\u{feff}{\"score\": 1}", "line 1"),
        ("{\"score\": 1} {}", "trailing"),
        ("{'score': 1}", "line 1"),
    ] {
        let answer = server.put("/v1/boards/b/members/m", body).await;
        answer.problem(400, "malformed-json", &[place]);
    }
    let broken_utf8 = request("PUT", "/v1/members/m", &[], &b"{\"name\": \"\xff\"}"[..]);
    send(server.address, broken_utf8).await.problem(400, "malformed-json", &["line 1"]);
    let rows = "{\"scores\": [{\"member\": \"n\", \"score\": 1}, {]}";
    server.post("/v1/boards/b/scores", rows).await.problem(400, "malformed-json", &["line 1"]);
    server.get("/v1/boards/b/members/n").await.problem(404, "unknown-member", &[]);
}

#[tokio::test]
async fn wrong_shapes_are_named() {
    let server = server().await;
    for (method, path, body, mention) in [
        ("PUT", "/v1/boards/b/members/m", r#"{"score": 1, "time": 2}"#, "`time`"),
        ("PUT", "/v1/boards/b/members/m", r#"{"score": 1, "score": 2}"#, "`score`"),
        ("PUT", "/v1/boards/b/members/m", r#"{"score": 1, "operator": "add"}"#, "`add`"),
        ("PUT", "/v1/boards/b/members/m", "7", "integer `7`"),
        ("PUT", "/v1/boards/n", r#"{"order": "up"}"#, "`up`"),
        ("PUT", "/v1/boards/n", r#"{"colour": "red"}"#, "`colour`"),
        ("PUT", "/v1/boards/n", r#"{"keep_at": 1}"#, "integer `1`"),
        ("POST", "/v1/boards/b/scores", r#"{"rows": []}"#, "`rows`"),
        ("POST", "/v1/boards/b/scores", r"{}", "`scores`"),
        ("POST", "/v1/boards/b/scores", r#"{"scores": {}}"#, "map"),
        ("POST", "/v1/boards/b/scores", r#"{"scores": [{"x": 1}]}"#, "`x`"),
        ("POST", "/v1/boards/b/ranks", r#"{"members": "m"}"#, "string"),
        ("POST", "/v1/boards/b/scores", r#"{"scores": [["m", 1, null, null]]}"#, "an object"),
        ("PUT", "/v1/boards/b/members/m", "[5, null, null]", "an object"),
        ("POST", "/v1/members", r#"{"members": [{"id": 1}]}"#, "`id`"),
    ] {
        let answer = send(server.address, request(method, path, &[], body)).await;
        answer.problem(400, "invalid-body", &[mention, "line 1"]);
    }
    let numbers = server.post("/v1/boards/b/ranks", r#"{"members": ["m", 5]}"#).await;
    numbers.problem(400, "invalid-name", &["item 1", "5", "string"]);
    server.get("/v1/boards/n").await.problem(404, "unknown-board", &[]);
}

#[tokio::test]
async fn scores_that_are_none_are_refused() {
    let server = server().await;
    for (body, mentions) in [
        ("{}", &["score is missing"][..]),
        (r#"{"score": null}"#, &["score is missing"]),
        (r#"{"score": "12"}"#, &["score is \"12\"", "number"]),
        (r#"{"score": "NaN"}"#, &["score is \"NaN\""]),
        (r#"{"score": true}"#, &["score is true"]),
        (r#"{"score": [1]}"#, &["score is [1]"]),
        (r#"{"score": {"v": 1}}"#, &["must be a number"]),
        (r#"{"score": 1.5}"#, &["score is 1.5", "whole"]),
        (r#"{"score": "inf"}"#, &["score is \"inf\"", "whole"]),
        (r#"{"score": "-inf"}"#, &["score is \"-inf\""]),
        (r#"{"score": 9223372036854775808}"#, &["9223372036854775808;", "9223372036854775807"]),
        (r#"{"score": -9223372036854775809}"#, &["-9223372036854775809;", "-9223372036854775808"]),
        (r#"{"score": 9223372036854775807.5}"#, &["9223372036854775807.5"]),
        (r#"{"score": 1e30}"#, &["score is 1e30"]),
        (r#"{"score": 1e999}"#, &["score is 1e999"]),
        (r#"{"score": 4503599627370497.00000001}"#, &["4503599627370497.00000001"]),
    ] {
        let answer = server.put("/v1/boards/b/members/m", body).await;
        answer.problem(400, "invalid-score", mentions);
        // A board that the write would have created is not created.
        let answer = server.put("/v1/boards/new/members/m", body).await;
        answer.problem(400, "invalid-score", mentions);
    }
    for body in [r#"{"score": 1e999}"#, r#"{"score": "nan"}"#, r#"{"score": "Infinity"}"#] {
        server.put("/v1/boards/f/members/m", body).await.problem(
            400,
            "invalid-score",
            &["score is"],
        );
    }
    server.get("/v1/boards/new").await.problem(404, "unknown-board", &[]);
    assert_eq!(server.get("/v1/boards/b/members/m").await.json(200)["score"], 1);
}

#[tokio::test]
async fn times_that_are_none_are_refused() {
    let server = server().await;
    for at in [
        json!("yesterday"),
        json!("2026-13-01T00:00:00Z"),
        json!("2026-11-21"),
        json!("2026-11-21T12:00:00"),
        json!(1.5),
        json!(253_402_300_800_000_i64),
        json!(-62_135_596_800_001_i64),
        json!(u64::MAX),
        json!([]),
    ] {
        let body = json!({"score": 2, "at": at}).to_string();
        let answer = server.put("/v1/boards/b/members/m", &body).await;
        answer.problem(400, "invalid-time", &["at is"]);
    }
}

#[tokio::test]
async fn parameters_outside_their_limits_are_named() {
    let server = server().await;
    for (path, mentions) in [
        ("/v1/boards/b/top?limit=0", &["limit", "\"0\"", "1 to 1000"][..]),
        ("/v1/boards/b/top?limit=-1", &["limit", "\"-1\"", "1 to 1000"]),
        ("/v1/boards/b/top?limit=1001", &["limit", "\"1001\"", "1 to 1000"]),
        ("/v1/boards/b/top?limit=abc", &["limit", "\"abc\"", "1 to 1000"]),
        ("/v1/boards/b/top?limit=", &["limit", "\"\"", "1 to 1000"]),
        ("/v1/boards/b/top?limit=1e1", &["limit"]),
        ("/v1/boards/b/top?offset=-1", &["offset", "\"-1\"", "18446744073709551615"]),
        ("/v1/boards/b/top?offset=18446744073709551616", &["offset", "18446744073709551615"]),
        ("/v1/boards/b/top?names=1", &["names", "true or false"]),
        ("/v1/boards/b/top?limit=1&limit=2", &["limit", "more than once"]),
        ("/v1/boards/b/top?limit=%zz", &["limit", "%zz"]),
        ("/v1/boards/b/members/m/around?radius=501", &["radius", "\"501\"", "0 to 500"]),
        ("/v1/boards/b/members/m?style=olympic", &["style", "olympic", "dense"]),
        ("/v1/members/m/ranks?boards=b&style=x", &["style", "\"x\""]),
        ("/v1/boards/b/scores?min=abc", &["min", "\"abc\"", "-inf"]),
        ("/v1/boards/b/scores?max=1.5", &["max", "1.5", "whole"]),
        ("/v1/boards/b/scores?min=9223372036854775808", &["min", "9223372036854775807"]),
        ("/v1/boards/b/scores?min=inf", &["min"]),
        ("/v1/boards/f/scores?min=nan", &["min", "nan"]),
        ("/v1/boards/f/scores?max=1e999", &["max", "1e999"]),
        ("/v1/boards/b/scores?limit=1001", &["limit"]),
        ("/v1/boards?limit=1001", &["limit"]),
        ("/v1/boards?cursor=xyz!", &["cursor", "xyz!"]),
        ("/v1/boards?cursor=Zm9v", &["cursor"]),
        ("/v1/members/m/ranks?boards=%zz", &["boards", "%zz"]),
    ] {
        server.get(path).await.problem(400, "invalid-parameter", mentions);
    }
    for (path, mentions) in [
        ("/v1/boards/b/top?limt=5", &["limt", "limit"][..]),
        ("/v1/boards/b?x", &["\"x\"", "none"]),
        ("/healthz?verbose=1", &["verbose"]),
    ] {
        server.get(path).await.problem(400, "unknown-parameter", mentions);
    }
}

#[tokio::test]
async fn a_broken_escape_in_a_path_is_a_broken_name() {
    let server = server().await;
    for path in ["/v1/boards/%zz/top", "/v1/boards/b/members/%4", "/v1/members/a%"] {
        let escape = path.split('/').find(|part| part.contains('%')).unwrap();
        server.get(path).await.problem(400, "invalid-name", &[escape, "hexadecimal"]);
    }
}

#[tokio::test]
async fn valid_json_of_the_wrong_type_is_not_called_malformed() {
    let server = server().await;
    for (path, body, place) in [
        ("/v1/boards/b/members/m", r#"{"score":1,"operator":5}"#, "line 1 column 2"),
        ("/v1/boards/b/members/m", "{\"score\":1,\n\"operator\":[]}", "line 2 column 1"),
        ("/v1/boards/n", r#"{"order":true}"#, "line 1 column 1"),
    ] {
        let answer = server.put(path, body).await;
        answer.problem(400, "invalid-body", &["wrong type", place]);
    }
}

#[tokio::test]
async fn positions_within_a_value_are_not_passed_off_as_the_bodys() {
    let server = server().await;
    let body = "{\n\n\"score\": 1, \"at\": \"\\ud800\"}";
    let answer = server.put("/v1/boards/b/members/m", body).await;
    answer.problem(400, "invalid-time", &["at is \"\\ud800\"", "escapes"]);
    assert!(!answer.text().contains("line"), "{}", answer.text());
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let server = server().await;
    for path in
        ["/v1/boards/no", "/v1/boards/no/top", "/v1/boards/no/scores", "/v1/boards/no/members/m"]
    {
        server.get(path).await.problem(404, "unknown-board", &["\"no\""]);
    }
    let ranks = server.post("/v1/boards/no/ranks", r#"{"members": ["m"]}"#).await;
    ranks.problem(404, "unknown-board", &["\"no\""]);
    for path in ["/v1/boards/b/members/no", "/v1/boards/b/members/no/around"] {
        server.get(path).await.problem(404, "unknown-member", &["\"no\"", "\"b\""]);
    }
    for path in
        ["/v2", "/v1/boards/", "/v1/boards//top", "/v1/boards/b/members/", "/v1/boards/b/c/d"]
    {
        server.get(path).await.problem(404, "not-found", &[path]);
    }
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_ones() {
    let server = server().await;
    for (method, path, allow) in [
        ("POST", "/v1/boards", "GET, HEAD"),
        ("PATCH", "/v1/boards/b", "PUT, GET, DELETE, HEAD"),
        ("DELETE", "/v1/boards/b/top", "GET, HEAD"),
        ("GET", "/v1/boards/b/ranks", "POST"),
        ("HEAD", "/v1/boards/b/ranks", "POST"),
        ("GET", "/v1/snapshots", "POST"),
        ("BREW", "/healthz", "GET, HEAD"),
        ("OPTIONS", "/v1/members/m", "PUT, GET, DELETE, HEAD"),
    ] {
        let answer = send(server.address, request(method, path, &[], "")).await;
        assert_eq!(answer.status.as_u16(), 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        if method != "HEAD" {
            answer.problem(405, "method-not-allowed", &[method, path, allow]);
        }
    }
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let server = server().await;
    for (content_type, taken) in [
        ("application/json", true),
        ("application/json; charset=utf-8", true),
        ("text/plain", false),
        ("application/x-www-form-urlencoded", false),
    ] {
        let headers = [("content-type", content_type)];
        let put = request("PUT", "/v1/boards/b/members/m", &headers, r#"{"score": 1}"#);
        let answer = send(server.address, put).await;
        if taken {
            answer.json(200);
        } else {
            let hint = "-H 'Content-Type: application/json'";
            answer.problem(415, "unsupported-media-type", &[content_type, hint]);
        }
    }
}

#[tokio::test]
async fn bodies_and_targets_have_limits() {
    let server = server().await;
    let padded = |bytes: usize| {
        let body = r#"{"score": 1}"#;
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    let path = "/v1/boards/b/members/m";
    server.put(path, &padded(65_536)).await.json(200);
    server.put(path, &padded(65_537)).await.problem(413, "body-too-large", &["65537", "65536"]);
    let bulk = server.post("/v1/boards/b/scores", &padded(16 * 1024 * 1024 + 1)).await;
    bulk.problem(413, "body-too-large", &["16777217", "16777216"]);
    let long = format!("/v1/members/m/ranks?boards={}", "b".repeat(33_000));
    server.get(&long).await.problem(414, "uri-too-long", &["32768"]);
    let deep = format!("{{\"scores\": {}", "[".repeat(60_000));
    server.post("/v1/boards/b/scores", &deep).await.problem(400, "invalid-body", &["object"]);
    let deep = format!("{{\"score\": {}1{}}}", "[".repeat(30_000), "]".repeat(30_000));
    server.put(path, &deep).await.problem(400, "invalid-score", &["60001 bytes"]);
}

#[tokio::test]
async fn other_sites_may_not_write() {
    let server = server().await;
    for (site, refused) in [("cross-site", true), ("same-origin", false), ("none", false)] {
        let headers = [("sec-fetch-site", site)];
        let put = request("PUT", "/v1/boards/b/members/m", &headers, r#"{"score": 1}"#);
        let answer = send(server.address, put).await;
        if refused {
            answer.problem(403, "cross-site", &["Sec-Fetch-Site"]);
        } else {
            answer.json(200);
        }
        send(server.address, request("GET", "/v1/boards/b/top", &headers, "")).await.json(200);
    }
}
