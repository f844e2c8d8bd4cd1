//! The client against a scripted server: what it sends, and what it makes of every answer.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::path::Query;
use crate::{
    Activity, ActivityAttributes, At, Client, ClientError, Definition, Extras, Name, RankStyle,
    Score, ScoreRow, Setup, User, WriteOptions,
};

/// A server for one request: what it received, head and body.
async fn scripted(reply: &'static [u8]) -> (Client, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let received = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        stream.write_all(reply).await.unwrap();
        request
    });
    (Client::new(&url).unwrap(), received)
}

/// Reads one request: its head, and as much body as that announces.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        assert!(read > 0, "the request ended early: {text}");
    }
}

/// A whole reply with this status line, extra headers and body.
macro_rules! reply {
    ($status:literal, $headers:literal, $body:literal) => {
        concat!("HTTP/1.1 ", $status, "\r\nconnection: close\r\n", $headers, "\r\n", $body)
            .as_bytes()
    };
}

#[tokio::test]
async fn a_write_carries_its_key_and_comes_back_typed() {
    let (client, received) = scripted(reply!(
        "200 OK",
        "",
        r#"{"member":"a/b","score":7,"rank":1,"previous":{"score":-1.5,"rank":2},"changed":true}"#
    ))
    .await;
    let options = WriteOptions { idempotency_key: Some("k1"), ..WriteOptions::default() };
    let written = client.put_score("d 1", "a/b", &7.into(), &options).await.unwrap();
    assert_eq!((written.score, written.rank), (Score::Integer(7), 1));
    assert_eq!(written.previous.unwrap().score, Score::Float(-1.5));
    let request = received.await.unwrap();
    assert!(request.starts_with("PUT /v1/boards/d%201/members/a%2Fb HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nidempotency-key: k1\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: application/json\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"score\":7}"), "{request}");
}

#[tokio::test]
async fn a_batch_tells_whether_it_was_carried_out_before() {
    let (client, received) = scripted(reply!(
        "200 OK",
        "Idempotency-Replayed: true\r\n",
        r#"{"applied":1,"unchanged":0,"rejected":[{"index":1,"detail":"no"}]}"#
    ))
    .await;
    let row = |member, score| ScoreRow { member, score, at: None, operator: None };
    let rows = [row("a", f64::INFINITY.into()), row("b", 2.into())];
    let applied = client.post_scores("b", &rows, None).await.unwrap();
    assert!(applied.replayed);
    assert_eq!(applied.rejected[0].index, 1);
    let request = received.await.unwrap();
    let body = r#"{"scores":[{"member":"a","score":"inf"},{"member":"b","score":2}]}"#;
    assert!(request.ends_with(body), "{request}");
}

#[tokio::test]
async fn reads_name_their_parameters() {
    let (client, received) = scripted(reply!(
        "200 OK",
        "",
        r#"{"total":1,"entries":[{"rank":1,"member":{"base64":"/w=="},"score":1,"name":null}]}"#
    ))
    .await;
    let page = client.top("b", 5, 10, Extras::NAMES).await.unwrap();
    assert_eq!(page.entries[0].member, Name::from(vec![0xFF]));
    assert_eq!(page.entries[0].name, None);
    let request = received.await.unwrap();
    let line = "GET /v1/boards/b/top?limit=10&offset=5&names=true HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
}

#[tokio::test]
async fn problems_keep_slug_status_and_detail() {
    let (client, _received) = scripted(reply!(
        "404 Not Found",
        "content-type: application/problem+json\r\n",
        r#"{"type":"unknown-board","title":"t","status":404,"detail":"there is no board b"}"#
    ))
    .await;
    let error = client.standing("b", "m", RankStyle::Dense).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no board b (HTTP 404, unknown-board)");
    assert!(error.is_unknown() && !error.may_take_effect());
}

#[tokio::test]
async fn errors_of_others_are_problems_without_a_slug() {
    let (client, _received) = scripted(reply!("502 Bad Gateway", "", "<html>")).await;
    let error = client.create_board("b", &Definition::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "Bad Gateway (HTTP 502)");
    assert!(error.may_take_effect());
}

#[tokio::test]
async fn an_answer_of_another_shape_is_told() {
    let (client, _received) = scripted(reply!("200 OK", "", "[]")).await;
    let error = client.board("b").await.unwrap_err();
    assert!(matches!(error, ClientError::Decode { .. }), "{error}");
}

#[tokio::test]
async fn a_broken_answer_may_have_taken_effect() {
    let (client, _received) =
        scripted(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"applied\"").await;
    let error = client.post_scores("b", &[], None).await.unwrap_err();
    assert!(matches!(error, ClientError::Lost { .. }), "{error}");
    assert!(error.may_take_effect());
}

#[tokio::test]
async fn no_answer_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::new(&url).unwrap().with_timeout_ms(20);
    let error = client.health().await.unwrap_err();
    assert_eq!(error.to_string(), format!("no answer from {url} within 20 ms"));
    assert!(error.may_take_effect());
}

#[tokio::test]
async fn nobody_there_is_no_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&url).unwrap().health().await.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
    assert!(!error.may_take_effect());
}

#[tokio::test]
async fn a_server_that_loads_is_not_ready() {
    let (client, _received) = scripted(reply!(
        "503 Service Unavailable",
        "",
        r#"{"ready":false,"status":"loading","reason":null,"ahead_of_disk":false}"#
    ))
    .await;
    let readiness = client.readiness().await.unwrap();
    assert!(!readiness.ready);
    assert_eq!(readiness.status, "loading");
}

#[tokio::test]
async fn a_base_path_comes_before_every_path() {
    let (client, received) = scripted(reply!("200 OK", "", "")).await;
    let client = Client::new(&format!("{}/games/", client.base_url())).unwrap();
    client.health().await.unwrap();
    assert!(received.await.unwrap().starts_with("GET /games/healthz HTTP/1.1\r\n"));
}

#[test]
fn base_urls_that_cannot_be_used_say_why() {
    let cases = [
        ("https:///path", "is not a URL"),
        ("ftp://h", "has the scheme `ftp`"),
        ("h:8080", "has no scheme"),
        ("/path", "has no scheme"),
        ("http://h?a=1", "has a query"),
        ("http://h h", "is not a URL"),
    ];
    for (url, reason) in cases {
        let error = Client::new(url).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn scores_are_shown_in_few_digits() {
    let cases = [
        (3.0, "3"),
        (-0.5, "-0.5"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (f64::NEG_INFINITY, "-inf"),
    ];
    for (score, text) in cases {
        assert_eq!(Score::Float(score).to_string(), text);
    }
}

#[test]
fn lists_keep_their_commas_apart_from_those_of_names() {
    let query = Query::default().with_list("boards", &["a,b", "c d", "e&f"]);
    assert_eq!(query.to_string(), "?boards=a%2Cb,c%20d,e%26f");
}

proptest::proptest! {
    /// Against an independent decoder: any name survives, and nothing of it has a meaning.
    #[test]
    fn encoded_names_decode_to_themselves(name in proptest::collection::vec(0_u8.., 0..40)) {
        let encoded = crate::encode(&name);
        let decoded: Vec<u8> = percent_encoding::percent_decode_str(&encoded).collect();
        proptest::prop_assert_eq!(decoded, name);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        proptest::prop_assert!(encoded.bytes().all(is_plain));
        proptest::prop_assert!(encoded != "." && encoded != "..");
    }

    #[test]
    fn scores_survive_json(bits: u64, integer: i64) {
        for score in [Score::Integer(integer), Score::Float(f64::from_bits(bits))] {
            let Ok(text) = serde_json::to_string(&score) else {
                proptest::prop_assert!(matches!(score, Score::Float(x) if x.is_nan()));
                continue;
            };
            proptest::prop_assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), score);
        }
    }
}

/// An activity with nothing but what every activity has.
fn bare_activity() -> Activity<'static> {
    Activity {
        id: "a".into(),
        org_id: 310,
        user_id: 7041,
        action: "employee_refer".into(),
        occurred_at: At::Ms(1000),
        points: None,
        possible: None,
        value: None,
        attributes: ActivityAttributes::default(),
    }
}

#[tokio::test]
async fn activities_go_as_they_are_with_the_key_and_come_back_counted() {
    let (client, received) = scripted(reply!(
        "200 OK",
        "",
        r#"{"accepted":1,"duplicates":2,"rejected":[{"index":3,"detail":"no"}],"version":9}"#
    ))
    .await;
    let client = client.with_api_key("rankd_key").unwrap();
    let json = serde_json::value::to_raw_value(&bare_activity()).unwrap();
    let done = client.post_activities(&[&json]).await.unwrap();
    assert_eq!((done.accepted, done.duplicates, done.rejected[0].index), (1, 2, 3));
    let request = received.await.unwrap();
    assert!(request.starts_with("POST /v1/activities HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nauthorization: Bearer rankd_key\r\n"), "{request}");
    let body = "{\"activities\":[{\"id\":\"a\",\"orgId\":310,\"userId\":7041,\
                \"action\":\"employee_refer\",\"occurredAt\":1000}]}";
    assert!(request.ends_with(body), "{request}");
    assert!(!format!("{client:?}").contains("rankd_key"));
}

#[tokio::test]
async fn a_set_up_goes_to_its_own_path() {
    let cases = [
        (Setup::Org(7), "PUT /v1/orgs/7 "),
        (Setup::ScoringRules(7), "PUT /v1/orgs/7/scoring-rules "),
        (Setup::TargetGroup(7, 8), "PUT /v1/orgs/7/target-groups/8 "),
        (Setup::Credential(7), "POST /v1/orgs/7/credentials "),
    ];
    let body = serde_json::value::to_raw_value(&serde_json::json!({ "name": "A" })).unwrap();
    for (setup, start) in cases {
        let (client, received) = scripted(reply!("201 Created", "", "{}")).await;
        client.set_up(setup, &body).await.unwrap();
        let request = received.await.unwrap();
        assert!(request.starts_with(start) && request.ends_with("{\"name\":\"A\"}"), "{request}");
    }
}

#[tokio::test]
async fn users_and_enrolments_are_counted_in_the_words_of_their_routes() {
    let reply = reply!("200 OK", "", r#"{"applied":2,"unchanged":1,"rejected":[]}"#);
    let (client, received) = scripted(reply).await;
    let user = User { user: 7, resource_id: None, profile: [].into() };
    let json = serde_json::value::to_raw_value(&user).unwrap();
    let done = client.post_users(310, &[&json]).await.unwrap();
    assert_eq!((done.accepted, done.duplicates), (2, 1));
    let request = received.await.unwrap();
    assert!(request.starts_with("POST /v1/orgs/310/users "), "{request}");
    assert!(request.ends_with("{\"users\":[{\"user\":7,\"profile\":{}}]}"), "{request}");
    let (client, received) = scripted(reply).await;
    assert_eq!(client.post_enrolments(&json).await.unwrap(), done);
    assert!(received.await.unwrap().starts_with("POST /v1/enrolments "));
}

#[test]
fn keys_that_a_header_cannot_carry_are_refused_without_repeating_them() {
    for key in ["", "with blank", "two\nlines", "caf\u{e9}"] {
        let client = Client::new("http://127.0.0.1:1").unwrap();
        let error = client.with_api_key(key).unwrap_err();
        assert!(!error.may_take_effect());
        assert!(key.is_empty() || !error.to_string().contains(key), "{error}");
    }
}
