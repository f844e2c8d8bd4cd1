//! The frame of every answer: `data`, `errors`, `warnings`, and `pagination` before them where
//! there are pages.
//!
//! Invariant: where there is an error, `data` is `null` and there is no `pagination`.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde::Serialize;

use super::fault::{Fault, Warning};
use crate::reply::{self, Reply};
use crate::surfaces::json;

const JSON: &str = "application/json; charset=utf-8";
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"leaderboards\"");

/// An item of `errors` or `warnings`.
#[derive(Debug, Serialize)]
struct Notice {
    status: bool,
    code: Option<u32>,
    message: String,
}

#[derive(Debug, Serialize)]
struct Body<P, D> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<P>,
    data: Option<D>,
    errors: Vec<Notice>,
    warnings: Vec<Notice>,
}

/// The body of an answer with data, and with pagination if there is any.
pub(super) fn body(
    pagination: Option<impl Serialize>,
    data: impl Serialize,
    warnings: &[Warning],
) -> Vec<u8> {
    let told =
        |warning: &Warning| Notice { status: false, code: None, message: warning.to_string() };
    let warnings = warnings.iter().map(told).collect();
    let body = Body { pagination, data: Some(data), errors: Vec::new(), warnings };
    serde_json::to_vec(&body).expect("replies have string keys and no floats")
}

/// 200 with JSON that is already written.
pub(super) fn success(body: Vec<u8>) -> Reply {
    reply::of_type(JSON, body)
}

/// The answer to a request that is at fault.
pub(super) fn fault(fault: &Fault) -> Reply {
    let mut reply = failure(fault.status(), fault.code(), fault.to_string());
    if fault.status() == StatusCode::UNAUTHORIZED {
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    }
    reply
}

/// The answer to a request that HTTP itself, or the server's state, does not let through.
pub(super) fn refusal(status: StatusCode, detail: &str) -> Reply {
    failure(status, u32::from(status.as_u16()), detail.to_owned())
}

fn failure(status: StatusCode, code: u32, message: String) -> Reply {
    let notice = Notice { status: false, code: Some(code), message };
    let body =
        Body { pagination: None::<()>, data: None::<()>, errors: vec![notice], warnings: vec![] };
    json(status, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_the_order_of_the_reference() {
        let body = body(Some(1), 2, &[Warning::OffsetNegative]);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "{\"pagination\":1,\"data\":2,\"errors\":[],\"warnings\":[{\"status\":false,\
             \"code\":null,\"message\":\"Page offset can not be in negative, fetching the first \
             page by default\"}]}"
        );
    }
}
