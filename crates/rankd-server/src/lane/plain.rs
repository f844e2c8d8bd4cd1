//! Which requests are plain: complete, small, and without anything that the lane would have to
//! think about.
//!
//! Plain is: HTTP/1.1; a path below `/v1/` of unreserved characters and escapes; one `Host`; at
//! most one bearer's key; a body, if any, of an announced length and of JSON; and no header but
//! those that change nothing here. Other credentials, origins, idempotency keys, transfer codings,
//! expectations and whatever else may mean something are for hyper and the checks behind it. Cost:
//! one pass over the head; a client that says the same behind each path is compared with itself.

use std::mem::MaybeUninit;
use std::ops::Range;

use hyper::Method;

use crate::limits::LANE_INPUT_BYTES_MAX;

/// Most headers of a plain request.
const HEADERS_MAX: usize = 32;

/// A plain request, in the buffer that it arrived in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plain<'b> {
    pub(crate) method: Method,
    pub(crate) path: &'b str,
    /// Empty if there is none.
    pub(crate) query: &'b str,
    pub(crate) host: &'b [u8],
    /// The key that it shows.
    pub(crate) bearer: Option<&'b str>,
    /// `None` if no length was announced.
    pub(crate) body: Option<&'b [u8]>,
}

/// What the beginning of a buffer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'b> {
    /// A plain request of so many bytes.
    Complete(usize, Plain<'b>),
    /// The beginning of what may become one; true if only the body lacks.
    Partial { body: bool },
    /// Anything else.
    Foreign,
}

/// Looks at the beginning of `input`.
pub(super) fn parse(input: &[u8]) -> Parsed<'_> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut []);
    let head_bytes = match head.parse_with_uninit_headers(input, &mut headers) {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) => return Parsed::Partial { body: false },
        Err(_) => return Parsed::Foreign,
    };
    let (Some(method), Some(target), Some(1)) = (head.method, head.path, head.version) else {
        return Parsed::Foreign;
    };
    let method = match method {
        "GET" => Method::GET,
        "PUT" => Method::PUT,
        "POST" => Method::POST,
        _ => return Parsed::Foreign,
    };
    if !is_plain_target(target) {
        return Parsed::Foreign;
    }
    let Some(Headers { host, bearer, body_bytes }) = headers_of(head.headers) else {
        return Parsed::Foreign;
    };
    let body = match body_bytes {
        None => None,
        // It would not fit; and a body where none belongs is not for the lane to judge.
        Some(bytes) if bytes > LANE_INPUT_BYTES_MAX || method == Method::GET => {
            return Parsed::Foreign;
        }
        Some(bytes) => match input.get(head_bytes..head_bytes + bytes) {
            Some(body) => Some(body),
            None => return Parsed::Partial { body: true },
        },
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let bytes = head_bytes + body_bytes.unwrap_or(0);
    Parsed::Complete(bytes, Plain { method, path, query, host, bearer, body })
}

/// What a client said behind the path of its last plain `GET`. It says the same each time, and the
/// same bytes mean the same (`cargo xtask bench http`, pipelined).
#[derive(Debug, Default)]
pub(super) struct Known {
    /// From the blank behind the target to the end of the head; empty if nothing is known.
    tail: Vec<u8>,
    host: Range<usize>,
    bearer: Option<Range<usize>>,
}

impl Known {
    /// What [`parse`] returns, remembered.
    pub(super) fn parse<'b>(&mut self, input: &'b [u8]) -> Parsed<'b> {
        if let Some(parsed) = self.recognise(input) {
            return parsed;
        }
        let parsed = parse(input);
        if let Parsed::Complete(bytes, plain) = &parsed
            && plain.method == Method::GET
        {
            self.learn(input.get(..*bytes).unwrap_or_default(), plain);
        }
        parsed
    }

    /// A plain `GET` that differs from the last one in nothing but its target.
    fn recognise<'b>(&self, input: &'b [u8]) -> Option<Parsed<'b>> {
        let rest = input.strip_prefix(b"GET ")?;
        let target_bytes = rest.iter().position(|byte| *byte == b' ')?;
        let (target, tail) = rest.split_at_checked(target_bytes)?;
        if self.tail.is_empty() || !tail.starts_with(&self.tail) {
            return None;
        }
        let target = std::str::from_utf8(target).ok().filter(|target| is_plain_target(target))?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let bearer = self.bearer.clone().and_then(|range| tail.get(range));
        let plain = Plain {
            method: Method::GET,
            path,
            query,
            host: tail.get(self.host.clone())?,
            bearer: bearer.map(std::str::from_utf8).transpose().ok()?,
            body: None,
        };
        Some(Parsed::Complete(input.len() - rest.len() + target_bytes + self.tail.len(), plain))
    }

    fn learn(&mut self, head: &[u8], plain: &Plain<'_>) {
        self.tail.clear();
        let Some(from) = head.iter().skip(4).position(|byte| *byte == b' ') else { return };
        let Some(tail) = head.get(4 + from..) else { return };
        let place = |part: &[u8]| {
            let at = (part.as_ptr() as usize).checked_sub(tail.as_ptr() as usize)?;
            let range = at..at + part.len();
            (tail.get(range.clone()) == Some(part)).then_some(range)
        };
        let Some(host) = place(plain.host) else { return };
        self.bearer = plain.bearer.and_then(|bearer| place(bearer.as_bytes()));
        if self.bearer.is_some() == plain.bearer.is_some() {
            self.host = host;
            self.tail.extend_from_slice(tail);
        }
    }
}

/// What the headers of a plain request say.
struct Headers<'b> {
    host: &'b [u8],
    bearer: Option<&'b str>,
    body_bytes: Option<usize>,
}

/// `None` if they say anything else.
fn headers_of<'b>(headers: &[httparse::Header<'b>]) -> Option<Headers<'b>> {
    let (mut host, mut bearer, mut body_bytes) = (None, None, None);
    for header in headers {
        let is_legal = match header.name.len() {
            4 if header.name.eq_ignore_ascii_case("host") => {
                host.replace(header.value).is_none() && !header.value.is_empty()
            }
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                body_bytes.replace(length(header.value)?).is_none()
            }
            13 if header.name.eq_ignore_ascii_case("authorization") => {
                bearer.replace(key(header.value)?).is_none()
            }
            12 if header.name.eq_ignore_ascii_case("content-type") => is_json(header.value),
            10 if header.name.eq_ignore_ascii_case("connection") => {
                header.value.eq_ignore_ascii_case(b"keep-alive")
            }
            _ => means_nothing(header.name),
        };
        if !is_legal {
            return None;
        }
    }
    Some(Headers { host: host?, bearer, body_bytes })
}

/// The key of a bearer: one word behind one blank.
fn key(authorization: &[u8]) -> Option<&str> {
    let (scheme, key) = std::str::from_utf8(authorization).ok()?.split_once(' ')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    (is_key && scheme.eq_ignore_ascii_case("bearer")).then_some(key)
}

/// JSON, with or without parameters.
fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// Headers that no handler and no check looks at.
fn means_nothing(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "pragma",
        "sec-fetch-mode",
        "traceparent",
        "tracestate",
        "user-agent",
        "via",
        "forwarded",
        "x-request-id",
    ];
    const PREFIXES: [&str; 2] = ["x-forwarded-", "x-b3-"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
        || PREFIXES.iter().any(|known| {
            name.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
        })
}

/// Digits and nothing else; a sign or a blank is somebody else's reading of the number.
fn length(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Characters that mean themselves in a path and in a query, and those of escapes.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let punctuation = b"-._~!$&'()*+,;=:@%/?";
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < punctuation.len() {
        plain[punctuation[at] as usize] = true;
        at += 1;
    }
    plain
};

fn is_plain_target(target: &str) -> bool {
    let is_plain = |byte: u8| PLAIN.get(usize::from(byte)).copied().unwrap_or(false);
    target.starts_with("/v1/") && target.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GET: &str = "GET /v1/boards/b/members/m?style=dense HTTP/1.1\r\nHost: h:1\r\n\r\n";
    const PUT: &str = "PUT /v1/boards/b/members/m HTTP/1.1\r\nhost: h\r\ncontent-length: 11\r\n\
                       content-type: application/json\r\n\r\n{\"score\":1}";

    fn with(header: &str) -> String {
        GET.replace("\r\n\r\n", &format!("\r\n{header}\r\n\r\n"))
    }

    #[test]
    fn plain_requests_are_taken_apart() {
        let two = format!("{GET}{PUT}");
        let Parsed::Complete(bytes, get) = parse(two.as_bytes()) else { panic!("{two}") };
        assert_eq!(bytes, GET.len());
        let expected = Plain {
            method: Method::GET,
            path: "/v1/boards/b/members/m",
            query: "style=dense",
            host: b"h:1",
            bearer: None,
            body: None,
        };
        assert_eq!(get, expected);
        let Parsed::Complete(bytes, put) = parse(&two.as_bytes()[bytes..]) else { panic!("{two}") };
        assert_eq!((bytes, put.body), (PUT.len(), Some(&b"{\"score\":1}"[..])));
    }

    #[test]
    fn beginnings_are_waited_for() {
        for (request, head_bytes) in [(GET, GET.len()), (PUT, PUT.len() - 11)] {
            for cut in 0..request.len() {
                let expected = Parsed::Partial { body: cut >= head_bytes };
                assert_eq!(parse(&request.as_bytes()[..cut]), expected, "{cut}");
            }
        }
    }

    #[test]
    fn headers_that_change_nothing_are_passed_over() {
        for header in [
            "Accept: */*",
            "user-agent: x",
            "Connection: Keep-Alive",
            "X-Forwarded-For: 1.2.3.4",
            "traceparent: 00-1-2-3",
            "X-Request-Id: 1",
            "content-type: application/json; charset=utf-8",
        ] {
            let request = with(header);
            assert!(matches!(parse(request.as_bytes()), Parsed::Complete(..)), "{header}");
        }
    }

    #[test]
    fn a_key_is_read() {
        for header in ["Authorization: Bearer rkey_x-1", "authorization: bearer rkey_x-1"] {
            let request = with(header);
            let Parsed::Complete(_, plain) = parse(request.as_bytes()) else { panic!("{header}") };
            assert_eq!(plain.bearer, Some("rkey_x-1"));
        }
    }

    #[test]
    fn everything_else_is_foreign() {
        for header in [
            "authorization: Basic eDp5",
            "authorization: Bearer",
            "authorization: Bearer x y",
            "authorization: Bearer  x",
            "authorization: Bearer x\r\nauthorization: Bearer x",
            "connection: close",
            "connection: upgrade",
            "content-length: 3",
            "cookie: a=b",
            "expect: 100-continue",
            "host: other",
            "idempotency-key: k",
            "if-none-match: *",
            "origin: http://h",
            "range: bytes=0-1",
            "sec-fetch-site: cross-site",
            "te: trailers",
            "transfer-encoding: chunked",
            "upgrade: h2c",
        ] {
            assert_eq!(parse(with(header).as_bytes()), Parsed::Foreign, "{header}");
        }
        for request in [
            GET.replace("HTTP/1.1", "HTTP/1.0"),
            GET.replace("GET", "HEAD"),
            GET.replace("GET", "DELETE"),
            GET.replace("/v1/", "/v2/"),
            GET.replace("/v1/", "http://h/v1/"),
            GET.replace("members", "mem\u{e9}"),
            GET.replace("members", "mem\"s"),
            GET.replace("members", "#"),
            GET.replace("Host: h:1\r\n", ""),
            GET.replace("h:1", ""),
            PUT.replace("11", "+11"),
            PUT.replace("11", "11, 11"),
            PUT.replace("11", "1000000000"),
            PUT.replace("11", "16385"),
            PUT.replace("application/json", "text/plain"),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            "\u{16}\u{3}\u{1} TLS".to_owned(),
        ] {
            assert_eq!(parse(request.as_bytes()), Parsed::Foreign, "{request}");
        }
        let many = with(&["accept: */*"; 40].join("\r\n"));
        assert_eq!(parse(many.as_bytes()), Parsed::Foreign);
    }

    #[test]
    fn what_is_remembered_is_what_was_read() {
        let keyed = with("Authorization: Bearer rkey_x-1\r\naccept: */*");
        let other = with("authorization: Bearer rkey_y").replace("h:1", "other");
        let cookie = with("cookie: a=b");
        let paths = ["/v1/x", "/v1/", "/v1/boards/b/top?limit=3", "/v2/x", "/v1/\"", "/v1/a b", ""];
        let mut known = Known::default();
        for request in [GET, &keyed, GET, &cookie, PUT, &other, &keyed] {
            for path in paths {
                let request = request.replace("/v1/boards/b/members/m?style=dense", path);
                for input in [request.clone(), format!("{request}{PUT}"), request.repeat(2)] {
                    assert_eq!(known.parse(input.as_bytes()), parse(input.as_bytes()), "{input}");
                }
            }
            for cut in 0..request.len() {
                let input = &request.as_bytes()[..cut];
                assert_eq!(known.parse(input), parse(input), "{cut} of {request}");
            }
        }
    }

    proptest! {
        #[test]
        fn memory_changes_no_meaning(
            first in 0..GET.len(), second in 0..GET.len(), bytes in any::<[u8; 2]>(),
        ) {
            let mut known = Known::default();
            known.parse(GET.as_bytes());
            let mut request = with("authorization: Bearer x").into_bytes();
            for (at, byte) in [(first, bytes[0]), (second, bytes[1])] {
                known.parse(&request);
                request[at] = byte;
                prop_assert_eq!(known.parse(&request), parse(&request));
            }
        }

        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Parsed::Complete(taken, _) = parse(&bytes) {
                prop_assert!(taken <= bytes.len());
            }
        }

        #[test]
        fn one_byte_changed_never_reads_beyond(
            at in 0..PUT.len(), byte in any::<u8>(),
        ) {
            let mut request = PUT.as_bytes().to_vec();
            request[at] = byte;
            if let Parsed::Complete(taken, plain) = parse(&request) {
                prop_assert!(taken <= request.len());
                prop_assert!(plain.path.starts_with("/v1/"));
            }
        }
    }
}
