//! Request bodies: their type, their size, the time they may take, and the memory that all of
//! them together may take.
//!
//! Invariant: at most [`limits::BODIES_MAX`] bodies of at most [`limits::BODY_BYTES_MAX`] and
//! [`limits::BULK_BODIES_MAX`] larger ones are in memory; who comes later waits, at most as long
//! as a body may take, before a byte of theirs is read.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::limits;
use crate::problem::{Problem, Slug, shown};
use crate::tunables::Live;

/// Permits for bodies in memory.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    small: Semaphore,
    bulk: Semaphore,
    live: Arc<Live>,
}

/// A complete body, and its share of the memory for bodies.
#[derive(Debug)]
pub(crate) struct HeldBody<'a> {
    pub(crate) bytes: Bytes,
    _permit: SemaphorePermit<'a>,
}

impl BodyBudget {
    pub(crate) fn new(live: Arc<Live>) -> Self {
        Self {
            small: Semaphore::new(limits::BODIES_MAX),
            bulk: Semaphore::new(limits::BULK_BODIES_MAX),
            live,
        }
    }

    /// Bodies in memory: small ones and larger ones.
    pub(crate) fn held(&self) -> (usize, usize) {
        let small = limits::BODIES_MAX.saturating_sub(self.small.available_permits());
        (small, limits::BULK_BODIES_MAX.saturating_sub(self.bulk.available_permits()))
    }

    /// Reads a body of at most `bytes_max`.
    pub(crate) async fn read(
        &self,
        body: &mut Incoming,
        bytes_max: usize,
    ) -> Result<HeldBody<'_>, Problem> {
        // Exact for a body that announces its length, else unlimited above.
        let size = body.size_hint();
        if size.lower() > bytes_max as u64 {
            return Err(too_large(format!("{} bytes", size.lower()), bytes_max));
        }
        let expected = size.upper().unwrap_or(u64::MAX).min(bytes_max as u64);
        let small = expected <= limits::BODY_BYTES_MAX as u64;
        let budget = if small { &self.small } else { &self.bulk };
        let read_ms = self.live.body_read_ms();
        let patience = Duration::from_millis(read_ms);
        let Ok(permit) = timeout(patience, budget.acquire()).await else {
            return Err(busy(read_ms));
        };
        let permit = permit.expect("nobody closes the semaphores");
        let collected = timeout(patience, Limited::new(body, bytes_max).collect()).await;
        let Ok(collected) = collected else {
            let detail = format!("the body was not complete after {read_ms} ms");
            return Err(Problem::new(Slug::BodyTimeout, detail));
        };
        match collected {
            Ok(collected) => Ok(HeldBody { bytes: collected.to_bytes(), _permit: permit }),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(too_large(format!("more than {bytes_max} bytes"), bytes_max))
            }
            Err(error) => {
                let detail = format!("the body could not be read: {error}");
                Err(Problem::new(Slug::InvalidBody, detail))
            }
        }
    }

    /// Takes in the rest of a refused request's body and throws it away. A connection that is
    /// closed with unread bytes is reset, which may destroy the refusal on its way; and many
    /// clients read nothing before they have sent everything.
    pub(crate) async fn discard(&self, headers: &HeaderMap, body: Incoming) {
        // Who asks before sending is better told at once than asked to send.
        let asks_first = headers.contains_key(header::EXPECT);
        if asks_first || body.size_hint().lower() > limits::DISCARDED_BYTES_MAX as u64 {
            return;
        }
        let mut rest = Limited::new(body, limits::DISCARDED_BYTES_MAX);
        let pause = Duration::from_millis(limits::DISCARD_PAUSE_MS_MAX);
        let discarded = async { while let Ok(Some(Ok(_))) = timeout(pause, rest.frame()).await {} };
        if timeout(Duration::from_millis(self.live.body_read_ms()), discarded).await.is_err() {
            tracing::debug!("the body of a refused request did not end in time");
        }
    }
}

fn busy(waited_ms: u64) -> Problem {
    let detail = format!(
        "{} bodies over {} bytes are being worked on, which is the limit, since {waited_ms} ms",
        limits::BULK_BODIES_MAX,
        limits::BODY_BYTES_MAX,
    );
    Problem::new(Slug::Busy, detail)
}

fn too_large(size: impl fmt::Display, bytes_max: usize) -> Problem {
    let detail = format!("the body has {size}; the limit is {bytes_max}");
    Problem::new(Slug::BodyTooLarge, detail)
}

/// Refuses bodies that say they are something else than JSON; saying nothing is fine.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = String::from_utf8_lossy(value.as_bytes());
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        Slug::UnsupportedMediaType,
        format!(
            "Content-Type is {:?}; it must be application/json (with curl, add \
             -H 'Content-Type: application/json')",
            shown(&text)
        ),
    ))
}

/// A struct that is spelled as a JSON object. Left to itself, serde also takes an array of the
/// fields' values, which nobody means.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Reads a whole body as a JSON object of a known shape.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map(|Object(value)| value).map_err(|error| {
        let (slug, what) = if error.classify() == Category::Data {
            (Slug::InvalidBody, shown_error(&error))
        } else if is_json(body) {
            (Slug::InvalidBody, located("a value of the wrong type", &error))
        } else {
            (Slug::MalformedJson, shown_error(&error))
        };
        Problem::new(slug, format!("the body: {what}"))
    })
}

/// Whether the body is JSON of any shape. serde_json calls it a mistake of syntax if, say, a
/// number stands where one of several words should.
fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// serde_json's message; it quotes unknown names, which may be long.
fn shown_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.len() <= 400 {
        return text;
    }
    located(&shown(&text), error)
}

fn located(what: &str, error: &serde_json::Error) -> String {
    format!("{what} at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[serde(rename = "score")]
        _score: u8,
    }

    fn problem(json: &str) -> Problem {
        parse::<Shape>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn syntax_and_shape_are_told_apart_and_located() {
        let syntax = problem("{\n \"score\": NaN}");
        assert_eq!(syntax.slug(), Slug::MalformedJson);
        assert!(syntax.detail().contains("line 2"), "{}", syntax.detail());
        for (json, what) in [
            ("{\"scores\": 1}", "scores"),
            ("{}", "score"),
            ("{\"score\": 1, \"score\": 2}", "duplicate"),
            ("[1]", "sequence, expected an object"),
        ] {
            let shape = problem(json);
            assert_eq!(shape.slug(), Slug::InvalidBody, "{json}");
            assert!(shape.detail().contains(what), "{}", shape.detail());
        }
        assert_eq!(problem("").slug(), Slug::MalformedJson);
        assert_eq!(problem("{\"score\":1} x").slug(), Slug::MalformedJson);
    }

    #[test]
    fn hostile_documents_are_refused_briefly() {
        let deep = format!("{{\"score\": {}", "[".repeat(100_000));
        assert!(problem(&deep).detail().len() < 300);
        let long = format!("{{\"{}\": 1}}", "x".repeat(100_000));
        assert!(problem(&long).detail().len() < 300);
    }

    #[test]
    fn only_json_is_taken() {
        let with = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            check_content_type(&headers)
        };
        assert!(with("application/json").is_ok());
        assert!(with("Application/JSON; charset=utf-8").is_ok());
        assert!(check_content_type(&HeaderMap::new()).is_ok());
        for other in ["text/plain", "", "application/jsonx"] {
            assert_eq!(with(other).unwrap_err().slug(), Slug::UnsupportedMediaType);
        }
    }
}
