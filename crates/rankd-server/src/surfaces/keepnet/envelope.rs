//! The envelope `{data, status, message, validationMessages}` around every answer of this API but
//! those to token requests.
//!
//! Invariant: the kind of a refusal alone decides the HTTP status and the word in `status`.

use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use serde::Serialize;

use super::limits::PROBLEMS_MAX;
use crate::reply::Reply;
use crate::surfaces::json;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, T> {
    data: Option<T>,
    status: &'a str,
    message: Option<&'a str>,
    validation_messages: Option<&'a [String]>,
}

/// 200 around `data`.
pub(super) fn success(data: impl Serialize) -> Reply {
    let body =
        Envelope { data: Some(data), status: "SUCCESS", message: None, validation_messages: None };
    json(StatusCode::OK, &body)
}

/// Why a request is not answered with data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request is not what it should be; one line a problem.
    Input(Vec<String>),
    Unauthorized,
    Forbidden(&'static str),
    NotFound(String),
    TooManyRequests {
        retry_after_s: i64,
    },
    /// What went wrong outside of this API, by its HTTP status.
    Other(StatusCode, String),
}

impl Refusal {
    /// A request with one problem.
    pub(super) fn input(problem: impl Into<String>) -> Self {
        Self::Input(vec![problem.into()])
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Input(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Other(status, _) => *status,
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::Input(_) => "Invalid request",
            Self::Unauthorized => "Missing or invalid token",
            Self::Forbidden(why) => why,
            Self::NotFound(what) => what,
            Self::TooManyRequests { .. } => "Too many requests",
            Self::Other(StatusCode::INTERNAL_SERVER_ERROR, _) => "Internal server error",
            Self::Other(_, detail) => detail,
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let fixed = HeaderValue::from_static;
        match self {
            Self::Unauthorized => Some((header::WWW_AUTHENTICATE, fixed("Bearer"))),
            Self::TooManyRequests { retry_after_s } => {
                Some((header::RETRY_AFTER, HeaderValue::from(*retry_after_s)))
            }
            Self::Other(StatusCode::SERVICE_UNAVAILABLE, _) => {
                Some((header::RETRY_AFTER, fixed("1")))
            }
            _ => None,
        }
    }

    /// The refusal in its envelope.
    pub(super) fn into_reply(self) -> Reply {
        let status = self.status();
        let problems = match &self {
            Self::Input(problems) => Some(&problems[..]),
            _ => None,
        };
        let body = Envelope::<()> {
            data: None,
            status: word(status),
            message: Some(self.message()),
            validation_messages: problems,
        };
        let mut reply = json(status, &body);
        if let Some((name, value)) = self.header() {
            reply.headers_mut().insert(name, value);
        }
        reply
    }
}

/// The word in `status` that goes with an HTTP status.
fn word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
        StatusCode::FORBIDDEN => "FORBIDDEN",
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::TOO_MANY_REQUESTS => "TOO_MANY_REQUESTS",
        StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
        status if status.is_server_error() => "INTERNAL_SERVER_ERROR",
        _ => "INPUT_ERROR",
    }
}

/// A refusal from before this API was reached, such as a body that is too large.
pub(super) fn refusal(status: StatusCode, detail: &str) -> Refusal {
    match status {
        StatusCode::BAD_REQUEST => Refusal::input(detail),
        StatusCode::NOT_FOUND => Refusal::NotFound(detail.to_owned()),
        _ => Refusal::Other(status, detail.to_owned()),
    }
}

/// What is wrong with a request, line by line.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<String>) {
        if self.0.len() < PROBLEMS_MAX {
            self.0.push(problem.into());
        }
    }

    /// # Errors
    /// There are problems.
    pub(super) fn check(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Input(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_status_and_its_word() {
        let other = |status| Refusal::Other(status, "why".to_owned());
        for (refusal, status, word, message) in [
            (Refusal::input("a"), 400, "INPUT_ERROR", "Invalid request"),
            (Refusal::Unauthorized, 401, "UNAUTHORIZED", "Missing or invalid token"),
            (Refusal::Forbidden("no"), 403, "FORBIDDEN", "no"),
            (Refusal::NotFound("gone".to_owned()), 404, "NOT_FOUND", "gone"),
            (other(StatusCode::METHOD_NOT_ALLOWED), 405, "INPUT_ERROR", "why"),
            (other(StatusCode::PAYLOAD_TOO_LARGE), 413, "INPUT_ERROR", "why"),
            (other(StatusCode::UNSUPPORTED_MEDIA_TYPE), 415, "INPUT_ERROR", "why"),
            (
                Refusal::TooManyRequests { retry_after_s: 7 },
                429,
                "TOO_MANY_REQUESTS",
                "Too many requests",
            ),
            (
                other(StatusCode::INTERNAL_SERVER_ERROR),
                500,
                "INTERNAL_SERVER_ERROR",
                "Internal server error",
            ),
            (other(StatusCode::SERVICE_UNAVAILABLE), 503, "SERVICE_UNAVAILABLE", "why"),
        ] {
            assert_eq!(refusal.status().as_u16(), status);
            assert_eq!(super::word(refusal.status()), word);
            assert_eq!(refusal.message(), message);
        }
    }

    #[test]
    fn problems_are_bounded() {
        let mut problems = Problems::default();
        for number in 0..PROBLEMS_MAX + 1 {
            problems.add(format!("problem {number}"));
        }
        let Err(Refusal::Input(lines)) = problems.check() else { panic!("no problems") };
        assert_eq!(lines.len(), PROBLEMS_MAX);
        assert_eq!(Problems::default().check(), Ok(()));
    }
}
