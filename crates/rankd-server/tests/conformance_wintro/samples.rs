//! The API's published samples: data is made so that the answer is theirs, byte for byte but for
//! blanks, and but for the further elements of lists that a sample leaves out.

use serde_json::json;

use super::org_support::{NOW_MS, compact, ms};
use super::{Company, DAY_MS, ORG, RECOMMEND, REFER};

/// Compares an answer with a sample whose lists may go on in the answer.
fn assert_like(sample: &str, answer: &str) {
    let sample = compact(sample);
    let mut pieces = sample.split(']');
    let first = pieces.next().expect("split yields something");
    let mut rest = answer.strip_prefix(first).ok_or(answer).expect(first);
    for piece in pieces {
        let end = format!("]{piece}");
        let at = rest.find(&end).ok_or(rest).expect(&end);
        assert!(at == 0 || rest.starts_with(','), "only further elements may come: {rest}");
        rest = &rest[at + end.len()..];
    }
    assert_eq!(rest, "");
}

/// Reports what a user did on one day.
async fn did(company: &Company, user: u64, refers: usize, recommends: usize, at_ms: i64) {
    let refers = std::iter::repeat_n((user, REFER, at_ms, ""), refers);
    let recommends = std::iter::repeat_n((user, RECOMMEND, at_ms, ""), recommends);
    company.report(&refers.chain(recommends).collect::<Vec<_>>()).await;
}

async fn put_person(company: &Company, user: u64, first: &str, last: &str, slug: &str) {
    let profile = json!({
        "firstName": first,
        "lastName": last,
        "profileUrl": format!("https://linkedin.com/in/{slug}"),
        "profilePicture": "https://...",
    });
    company.world.put_user(ORG, user, profile).await;
}

#[tokio::test]
async fn the_sample_of_the_flat_answer_is_answered() {
    let company = Company::start().await;
    put_person(&company, 123, "Jane", "Doe", "jane-doe").await;
    did(&company, 123, 5, 12, NOW_MS - DAY_MS).await;
    for user in 1000..1041 {
        did(&company, user, 0, 1, NOW_MS - 30 * DAY_MS).await;
    }
    // Longer ago than the sample looks back.
    did(&company, 2000, 20, 0, NOW_MS - 91 * DAY_MS).await;
    let (status, _, text) = company.get_text("?period=90&pageSize=5").await;
    assert_eq!(status, 200);
    assert_like(include_str!("golden/flat.json"), &text);
    assert_eq!(text.matches("\"userId\"").count(), 5);
    let nobody = r#""firstName":null,"lastName":null,"profileUrl":null,"profilePicture":null"#;
    let counts = r#""referCount":0,"recommendCount":1,"totalPoints":1"#;
    let unknown = format!(r#"{{"userId":1000,{nobody},{counts}}}"#);
    assert!(text.contains(&unknown), "{text}");
}

#[tokio::test]
async fn the_sample_of_the_monthly_answer_is_answered() {
    let company = Company::start().await;
    put_person(&company, 123, "Jane", "Doe", "jane-doe").await;
    put_person(&company, 456, "John", "Smith", "john-smith").await;
    did(&company, 123, 2, 5, ms("2026-03-10T08:00:00Z")).await;
    // Twelve of the thirteen months that the window touches: none in the July of it.
    let others = ["2025-03-20", "2025-04-01", "2025-05-31", "2025-06-15", "2025-08-15"];
    let later = ["2025-09-15", "2025-10-15", "2025-11-15", "2025-12-15", "2026-01-15"];
    for day in others.iter().chain(&later) {
        did(&company, 456, 0, 1, ms(&format!("{day}T12:00:00Z"))).await;
    }
    did(&company, 456, 8, 10, ms("2026-02-28T12:00:00Z")).await;
    let (status, _, text) = company.get_text("?period=365&groupBy=month&limit=5").await;
    assert_eq!(status, 200);
    assert_like(include_str!("golden/monthly.json"), &text);
    assert_eq!(text.matches("\"month\":").count(), 10);
}

#[test]
fn elisions_are_allowed_at_the_end_of_lists_only() {
    assert_like("{ \"a\": [1, 2], \"b\": 3 }", r#"{"a":[1,2,4],"b":3}"#);
    let wrong = |answer: &'static str| {
        let compared = std::panic::catch_unwind(|| assert_like("{\"a\": [1], \"b\": 3}", answer));
        assert!(compared.is_err(), "{answer}");
    };
    wrong(r#"{"a":[2],"b":3}"#);
    wrong(r#"{"a":[1],"b":3,"c":4}"#);
    wrong(r#"{"a":[12],"b":3}"#);
}
