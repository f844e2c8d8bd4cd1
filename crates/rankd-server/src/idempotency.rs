//! `Idempotency-Key`: which header values are keys, and what makes two requests the same.

use hyper::Method;
use hyper::header::HeaderMap;
use rankd_engine::IdempotencyKey;
use rankd_engine::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use sha2::{Digest as _, Sha256};

use crate::problem::{Problem, Slug};

/// The header's name.
pub(crate) const HEADER: &str = "idempotency-key";

/// The key of a request, if it has one.
pub(crate) fn key(
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let detail = "Idempotency-Key is given more than once";
        return Err(Problem::new(Slug::InvalidParameter, detail));
    }
    let bytes = value.as_bytes();
    if !(1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&bytes.len()) {
        return Err(Problem::parameter(
            "Idempotency-Key",
            format!("{} bytes long", bytes.len()),
            format!("1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes long"),
        ));
    }
    Ok(Some(IdempotencyKey { key: bytes.into(), digest: digest(method, path, body) }))
}

/// Refuses a key where keys are not remembered: ignoring it would break a promise.
pub(crate) fn none(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    if !headers.contains_key(HEADER) {
        return Ok(None);
    }
    let detail = "Idempotency-Key is not remembered by calls about organisations; leave it out";
    Err(Problem::new(Slug::InvalidParameter, detail))
}

/// Identifies a request: method, undecoded path and body, each of unambiguous extent.
fn digest(method: &Method, path: &str, body: &[u8]) -> [u8; 16] {
    // Neither a method nor a path can hold a line feed.
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), b"\n", path.as_bytes(), b"\n", body] {
        hash.update(part);
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    digest
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn key_of(value: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(value).unwrap());
        key(&headers, &Method::PUT, "/v1/boards/a", b"{}")
    }

    #[test]
    fn the_digest_is_that_of_method_path_and_body() {
        // printf 'PUT\n/v1/boards/a\n{}' | sha256sum
        let expected = "babfdf0eaa45d02092ff2656ee8a57a7";
        let digest = key_of(b"k").unwrap().unwrap().digest;
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn keys_have_limits() {
        assert!(key_of(&[b'k'; 255]).unwrap().is_some());
        assert!(key_of(&[b'k'; 256]).unwrap_err().detail().contains("256 bytes"));
        assert!(key_of(b"").is_err());
        assert_eq!(key(&HeaderMap::new(), &Method::PUT, "/", b"").unwrap(), None);
        let mut twice = HeaderMap::new();
        twice.append(HEADER, HeaderValue::from_static("a"));
        twice.append(HEADER, HeaderValue::from_static("a"));
        assert!(key(&twice, &Method::PUT, "/", b"").is_err());
    }
}
