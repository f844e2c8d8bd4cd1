//! Organisations over `/v1`, who may see them, and how the published APIs are reached.
//!
//! Expected answers are written out by hand. What an answer must not tell is compared with the
//! answer about something that does not exist at all.

#[path = "../org_support/mod.rs"]
mod org_support;

mod activities;
mod credentials;
mod keys;
mod objects;
mod surfaces;

use hyper::header::HeaderMap;
use org_support::World;
use serde_json::Value;

/// Sends a request with a key, and reads the answer as JSON; `Null` if there is no body.
pub(crate) async fn ask(
    world: &World,
    key: &str,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, Value) {
    let bearer = format!("Bearer {key}");
    let headers: &[(&str, &str)] = if key.is_empty() { &[] } else { &[("authorization", &bearer)] };
    let (status, _, text) = world.request(method, path, headers, body).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Checks a problem document; every one of `mentions` must be in its detail.
#[track_caller]
pub(crate) fn assert_problem(answer: &(u16, Value), status: u16, slug: &str, mentions: &[&str]) {
    let (got, problem) = answer;
    assert_eq!((*got, problem["type"].as_str()), (status, Some(slug)), "{problem}");
    let detail = problem["detail"].as_str().expect("a detail");
    for mention in mentions {
        assert!(detail.contains(mention), "{detail:?} lacks {mention:?}");
    }
}

/// A header's text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().expect("ASCII"))
}
