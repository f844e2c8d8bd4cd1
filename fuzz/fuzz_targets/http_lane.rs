//! Any bytes to the parser of plain HTTP requests: what it would answer, hyper would answer too,
//! and reads the same method, target, host, key and body in it.

#![no_main]

use std::cell::RefCell;
use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use rankd_server::fuzzing::{Accepted, accept};
use tokio::io::{AsyncWriteExt as _, duplex};

/// Room for everything that is written before it is read.
const PIPE_BYTES: usize = 1 << 20;

/// Beginnings to go on from: chance alone takes long to spell a version and a host.
const BEGINNINGS: [&str; 4] = [
    "",
    "GET /v1/boards/b/members/m HTTP/1.1\r\nhost: h\r\n",
    "PUT /v1/boards/b/members/m HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n",
    "POST /v1/boards/b/ranks HTTP/1.1\r\n",
];

/// A request as hyper reads it.
struct Read {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The requests that hyper reads from these bytes, up to the first that it does not take.
fn read_by_hyper(input: &[u8]) -> Vec<Read> {
    let requests = RefCell::new(Vec::new());
    let answer = service_fn(|request: Request<Incoming>| async {
        let (head, body) = request.into_parts();
        if let Ok(body) = body.collect().await {
            requests.borrow_mut().push(Read {
                method: head.method.as_str().to_owned(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head.headers,
                body: body.to_bytes().to_vec(),
            });
        }
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a thread of our own").block_on(async {
        let (mut client, server) = duplex(PIPE_BYTES);
        client.write_all(input).await.expect("there is room");
        client.shutdown().await.expect("nothing is sent");
        // What it makes of the rest of the bytes does not matter here.
        let mut hyper = http1::Builder::new();
        // The end of the bytes is no reason to drop the request before it.
        let _ = hyper.half_close(true).serve_connection(TokioIo::new(server), answer).await;
    });
    requests.into_inner()
}

/// The one value of a header.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    assert!(values.next().is_none(), "a header that must be alone is not");
    Some(value.as_bytes())
}

fuzz_target!(|input: &[u8]| {
    let Some((beginning, rest)) = input.split_first() else { return };
    let beginning = BEGINNINGS[usize::from(*beginning) % BEGINNINGS.len()];
    let input = [beginning.as_bytes(), rest].concat();
    let Some(accepted) = accept(&input) else { return };
    assert!(accepted.bytes <= input.len());
    let requests = read_by_hyper(&input[..accepted.bytes]);
    // All of the bytes are this one request.
    assert_eq!(requests.len(), 1);
    let Accepted { method, path, query, host, bearer, body, .. } = accepted;
    let read = &requests[0];
    assert_eq!((&read.method, &read.path, &read.query), (&method, &path, &query));
    assert_eq!(read.body, body.unwrap_or_default());
    assert_eq!(only(&read.headers, HOST), Some(&host[..]));
    let authorization = only(&read.headers, AUTHORIZATION);
    let key = authorization.map(|value| value.get("bearer ".len()..).expect("a key"));
    assert_eq!(key, bearer.as_deref().map(str::as_bytes));
});
