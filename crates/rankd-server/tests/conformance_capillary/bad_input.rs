//! What careless or hostile clients send: every answer is one of the API's own.

use std::fmt::Write as _;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{BASE, Loyalty, PARENT, STEPS, TARGET, basic, error_of, json_of, till_of};

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_none_are_bad_input() {
    let loyalty = Loyalty::start().await;
    let board = format!("/targetGroups/{STEPS}");
    for query in [
        "",
        "?targetId",
        "?targetId=",
        "?targetId=abc",
        "?targetId=1.5",
        "?targetId=1e3",
        "?targetId=%2B5",
        "?targetId=+5",
        "?targetId=9223372036854775808",
        "?targetId=5120&periodId=",
        "?targetId=5120&periodId=now",
        "?targetId=5120&pageSize=ten",
        "?targetId=5120&pageOffset=0x1",
        "?targetId=5120&pageLimit=2147483648",
        "?targetId=5120&targetId=x",
        "?TARGETID=5120",
        "?targetId=%FF",
        "?targetId=%zz",
    ] {
        let (code, message) = loyalty.code(PARENT, &format!("{board}{query}"), &[], "").await;
        assert_eq!(code, 400, "{query}");
        assert!(message.contains("Input is invalid"), "{message}");
    }
    for group in ["x", "8.5", "99999999999999999999", "871%00", "%F0%9F", "871,872"] {
        let below = format!("/targetGroups/{group}?targetId={TARGET}");
        assert_eq!(loyalty.code(PARENT, &below, &[], "").await.0, 400, "{group}");
    }
    // Unknown parameters are nobody's business, the last of a repeated one counts.
    let below = format!("{board}?targetId=x&%zz=1&utm=a&targetId={TARGET}&&");
    assert_eq!(loyalty.get(PARENT, &below, &[], "").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_another_shape_are_bad_input() {
    let loyalty = Loyalty::start().await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for body in [
        "[",
        "{",
        "nul",
        "\"x\"",
        "7",
        "true",
        "[1]",
        "[null]",
        "[[]]",
        "{}",
        "[{}]",
        "{\"targetGroupId\":\"871\",\"targetRuleId\":5120}",
        "{\"targetGroupId\":871.0,\"targetRuleId\":5120}",
        "{\"targetGroupId\":871,\"targetRuleId\":null}",
        "{\"targetGroupId\":871,\"targetRuleId\":5120,\"periodId\":\"\"}",
        "{\"targetGroupId\":871,\"targetRuleId\":5120,\"orgId\":{}}",
        "{\"targetGroupId\":1e400,\"targetRuleId\":5120}",
        "{\"targetgroupid\":871,\"targetruleid\":5120}",
        "[{\"targetGroupId\":871,\"targetRuleId\":5120}] x",
        "<xml/>",
        "a=b",
        &deep,
    ] {
        let told = loyalty.code(PARENT, "/user/844", &[], body).await;
        assert_eq!(told.0, 400, "{body:.60}");
        assert!(told.1.len() < 400, "{}", told.1);
    }
    let ignored =
        format!("[{{\"targetGroupId\":871,\"targetRuleId\":5120,\"x\":{deep},\"userId\":1}}]");
    assert_eq!(loyalty.get(PARENT, "/user/844", &[], &ignored).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_are_refused_in_the_same_envelope() {
    let loyalty = Loyalty::start().await;
    let large = format!("[{}]", " ".repeat(64 * 1024));
    let answer = loyalty.get(PARENT, "/user/844", &[], &large).await;
    assert_eq!(error_of(&json_of(413, &answer)).0, 413);
    let fits = format!("[{}]", " ".repeat(64 * 1024 - 2));
    assert_eq!(loyalty.get(PARENT, "/user/844", &[], &fits).await.0, 200);
}

/// Sends bytes as they are, and reads the answer to its end.
async fn raw(loyalty: &Loyalty, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(loyalty.world.address).await.expect("it listens");
    stream.write_all(bytes).await.expect("a write");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer in UTF-8");
    answer
}

/// A request for a user's ranks, up to its body.
fn head(framing: &str) -> String {
    let authorization = basic(&till_of(PARENT));
    format!(
        "GET {BASE}/user/844 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: {authorization}\r\n{framing}\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn case_26_a_chunked_body_is_read() {
    let loyalty = Loyalty::start().await;
    let body = "[{\"targetGroupId\":871,\"targetRuleId\":999}]";
    let mut request = head("Transfer-Encoding: chunked");
    for piece in body.as_bytes().chunks(7) {
        let text = std::str::from_utf8(piece).unwrap();
        write!(request, "{:x}\r\n{text}\r\n", piece.len()).unwrap();
    }
    request.push_str("0\r\n\r\n");
    let answer = raw(&loyalty, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let warned = "Target rule id 999 does not belong to target group id 871";
    assert!(answer.contains(warned), "{answer}");
    // An empty chunked body is none.
    let request = format!("{}0\r\n\r\n", head("Transfer-Encoding: chunked"));
    let answer = raw(&loyalty, request.as_bytes()).await;
    let (_, json) = answer.split_once("\r\n\r\n").expect("a body");
    let json: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(json["data"]["userRanks"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_not_text_are_refused() {
    let loyalty = Loyalty::start().await;
    for header in ["DATA-SCOPE: \u{e4}", "DATA-SCOPE: OTHER\r\nDATA-SCOPE-ORG: \u{e4}"] {
        let answer = raw(&loyalty, head(header).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("DATA-SCOPE"), "{answer}");
    }
    for header in ["X-CAP-API-OAUTH-TOKEN: \u{e4}", "X-CAP-API-OAUTH-TOKEN:"] {
        let answer = raw(&loyalty, head(header).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_in_profiles_cannot_break_out_of_an_answer() {
    let loyalty = Loyalty::start().await;
    let nasty = "\",\"rank\":0}\\ \u{1F600} </script>\u{2028}";
    let profile = serde_json::json!({ "firstName": nasty, "gender": nasty });
    loyalty.world.put_user(PARENT, 844, profile).await;
    let answer = loyalty.top("&pageSize=1").await;
    let details = &answer["data"]["rankings"][0]["userEnrichmentDetails"];
    assert_eq!(
        (&details["first_name"], &details["gender"]),
        (&Value::from(nasty), &Value::from(nasty))
    );
}
