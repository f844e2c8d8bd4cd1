//! One HTTP request on a connection of its own, as any client would send it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// Status and JSON of the answer; `url` as users type it. With a body it is a POST.
pub(crate) fn request(url: &str, headers: &[(&str, &str)], body: Option<&str>) -> (u16, Value) {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (host, path) = rest.split_once('/').expect("a path");
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.unwrap_or_default();
    let mut text = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(host).expect("it listens");
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a whole answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let json = serde_json::from_str(body);
    (status.expect("a status"), json.expect("JSON"))
}

/// The JSON of an answer of success to a plain GET.
pub(crate) fn get(url: &str) -> Value {
    let (status, json) = request(url, &[], None);
    assert_eq!(status, 200, "{url}: {json}");
    json
}
