//! Building blocks of responses.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body as _;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::response::Parts;
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::problem::Problem;

/// A response whose body is already complete.
pub(crate) type Reply = Response<Full<Bytes>>;

/// Marks the answer to a repeated idempotency key.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Marks reads that may show writes which the disk does not have.
pub(crate) const AHEAD_OF_DISK: HeaderName = HeaderName::from_static("rankd-ahead-of-disk");

/// A header's value that is always the same.
pub(crate) const TRUE: HeaderValue = HeaderValue::from_static("true");

pub(crate) fn full(body: impl Into<Bytes>) -> Full<Bytes> {
    Full::new(body.into())
}

/// 200 with a body of the given type.
pub(crate) fn of_type(content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut response = Response::new(full(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// 200 with JSON that is already written.
pub(crate) fn json_bytes(body: Vec<u8>) -> Reply {
    of_type("application/json", body)
}

/// JSON of any serialisable value.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).expect("replies have string keys and finite numbers");
    let mut response = json_bytes(body);
    *response.status_mut() = status;
    response
}

/// 204.
pub(crate) fn no_content() -> Reply {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A reply's head, and its body, which is complete.
pub(crate) fn into_parts(reply: Reply) -> (Parts, Bytes) {
    let (head, mut body) = reply.into_parts();
    let mut context = Context::from_waker(Waker::noop());
    let frame = match Pin::new(&mut body).poll_frame(&mut context) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        Poll::Ready(_) | Poll::Pending => Bytes::new(),
    };
    (head, frame)
}

/// Marks an answer, be it a problem, if it repeats an earlier one.
pub(crate) fn replayed(answer: Result<Reply, Problem>, repeated: bool) -> Result<Reply, Problem> {
    match answer {
        answer if !repeated => answer,
        Ok(mut reply) => {
            reply.headers_mut().insert(REPLAYED, TRUE);
            Ok(reply)
        }
        Err(problem) => Err(problem.with_header(REPLAYED, TRUE)),
    }
}
