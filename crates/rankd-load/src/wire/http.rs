//! rankd's HTTP API, or any path of an HTTP/1.1 server.

use serde::Deserialize;

use super::{Answer, Encoded, Reply};
use crate::mix::Operation;
use crate::plan::{Plan, limits};
use crate::source::{Source, print, write_member};
use crate::target::Target;

/// Most headers of an answer.
const HEADERS_MAX: usize = 64;

/// What in a path stands for a member.
const MEMBER: &str = "{member}";

/// Requests to one server.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    /// `/v1/boards/NAME`
    board: String,
    /// The end of a request's line, and the headers of all requests.
    head: String,
    top: u32,
    radius: u32,
    bulk: u32,
    /// The path to read instead, split where members go.
    path: Option<Vec<String>>,
}

impl Http {
    pub(crate) fn new(target: &Target, plan: &Plan) -> Self {
        let mut head = format!(" HTTP/1.1\r\nhost: {}\r\n", target.address());
        if let Some(token) = &plan.token {
            head.push_str("authorization: Bearer ");
            head.push_str(token);
            head.push_str("\r\n");
        }
        Self {
            board: format!("/v1/boards/{}", plan.board),
            head,
            top: plan.top,
            radius: plan.radius,
            bulk: plan.bulk,
            path: plan.path.as_ref().map(|path| path.split(MEMBER).map(str::to_owned).collect()),
        }
    }

    pub(crate) fn encode(
        &self,
        operation: Operation,
        source: &mut Source,
        out: &mut Vec<u8>,
    ) -> Encoded {
        if let Some(parts) = &self.path {
            self.encode_path(parts, source, out);
            return Encoded::ONE;
        }
        let board = &self.board;
        match operation {
            Operation::Rank => {
                self.encode_member("GET", source, out);
                self.end(out);
            }
            Operation::Top => {
                print(out, format_args!("GET {board}/top?limit={}", self.top));
                self.end(out);
            }
            Operation::Around => {
                self.encode_member("GET", source, out);
                print(out, format_args!("/around?radius={}", self.radius));
                self.end(out);
            }
            Operation::Bulk => {
                print(out, format_args!("POST {board}/ranks"));
                self.end_with(out, |body| {
                    list(body, "{\"members\":[", (0..self.bulk).map(|_| ()), |body, ()| {
                        body.push(b'"');
                        source.member(body);
                        body.push(b'"');
                    });
                });
            }
            Operation::Update => {
                self.encode_member("PUT", source, out);
                let score = source.score();
                self.end_with(out, |body| print(body, format_args!("{{\"score\":{score}}}")));
            }
            Operation::Increment => {
                self.encode_member("PUT", source, out);
                self.end_with(out, |body| {
                    body.extend_from_slice(b"{\"score\":1,\"operator\":\"sum\"}");
                });
            }
        }
        Encoded::ONE
    }

    pub(crate) fn encode_count(&self, out: &mut Vec<u8>) {
        print(out, format_args!("GET {}", self.board));
        self.end(out);
    }

    pub(crate) fn encode_fill(
        &self,
        first: u64,
        count: u64,
        source: &mut Source,
        out: &mut Vec<u8>,
    ) {
        print(out, format_args!("POST {}/scores", self.board));
        self.end_with(out, |body| {
            list(body, "{\"scores\":[", first..first + count, |body, number| {
                body.extend_from_slice(b"{\"member\":\"");
                write_member(number, body);
                print(body, format_args!("\",\"score\":{}}}", source.score()));
            });
        });
    }

    fn encode_member(&self, method: &str, source: &mut Source, out: &mut Vec<u8>) {
        print(out, format_args!("{method} {}/members/", self.board));
        source.member(out);
    }

    fn encode_path(&self, parts: &[String], source: &mut Source, out: &mut Vec<u8>) {
        out.extend_from_slice(b"GET ");
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                source.member(out);
            }
            out.extend_from_slice(part.as_bytes());
        }
        self.end(out);
    }

    /// The rest of a request without a body, after its path.
    fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// The rest of a request with a body, after its path.
    fn end_with(&self, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        // The length comes before the body; it is written last, into room of a fixed width.
        const WIDTH: usize = 9;
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(b"content-type: application/json\r\ncontent-length: ");
        let length_at = out.len();
        out.extend_from_slice(b"000000000\r\n\r\n");
        let body_at = out.len();
        body(out);
        let mut length = out.len() - body_at;
        for digit in out[length_at..length_at + WIDTH].iter_mut().rev() {
            *digit += u8::try_from(length % 10).expect("a digit");
            length /= 10;
        }
    }
}

/// Appends a list after its beginning, and closes it and the object around it.
fn list<T>(
    out: &mut Vec<u8>,
    beginning: &str,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.extend_from_slice(beginning.as_bytes());
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.extend_from_slice(b"]}");
}

/// What a board's definition is read for.
#[derive(Deserialize)]
struct Board {
    count: u64,
}

/// The members of a board; none if there is no board.
pub(crate) fn count(reply: &Reply<'_>) -> Option<u64> {
    match reply {
        Reply::Body(body) => Some(serde_json::from_slice::<Board>(body).ok()?.count),
        Reply::Nil => Some(0),
        Reply::Integer(_) | Reply::Refused(_) => None,
    }
}

pub(crate) fn decode(input: &[u8]) -> Result<Option<Answer<'_>>, &'static str> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let head_bytes = match head.parse(input) {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err("an answer does not begin like one of HTTP/1.1"),
    };
    let status = head.code.ok_or("an answer has no status")?;
    let mut length = if matches!(status, 204 | 304) { Some(0) } else { None };
    let mut is_last = head.version == Some(0);
    for header in head.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            length = Some(number(header.value).ok_or("an answer has a length that is none")?);
        } else if header.name.eq_ignore_ascii_case("connection") {
            is_last = header.value.eq_ignore_ascii_case(b"close")
                || (is_last && !header.value.eq_ignore_ascii_case(b"keep-alive"));
        }
    }
    let length = length.ok_or("an answer does not say how long it is (Content-Length)")?;
    if length > limits::ANSWER_BYTES_MAX {
        return Err("an answer is longer than 64 MiB");
    }
    let bytes = head_bytes + length;
    let Some(body) = input.get(head_bytes..bytes) else { return Ok(None) };
    let reply = match status {
        200..=299 => Reply::Body(body),
        404 => Reply::Nil,
        _ if body.is_empty() => Reply::Refused(head.reason.unwrap_or("").as_bytes()),
        _ => Reply::Refused(body),
    };
    Ok(Some(Answer { bytes, reply, is_last }))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn http(plan: &Plan) -> Http {
        Http::new(&Target::parse("http://localhost:81").unwrap(), plan)
    }

    fn encoded(plan: &Plan, operation: Operation) -> String {
        let mut out = Vec::new();
        let encoded = http(plan).encode(operation, &mut Source::new(plan, 0), &mut out);
        assert_eq!(encoded, Encoded::ONE);
        String::from_utf8(out).unwrap()
    }

    /// The body of a request, which must be as long as the request says.
    fn body(request: &str) -> serde_json::Value {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let (_, length) = head.split_once("content-length: ").unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), body.len());
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn each_operation_is_one_request() {
        let plan = Plan { bulk: 3, token: Some("key".to_owned()), ..Plan::default() };
        let rank = encoded(&plan, Operation::Rank);
        assert!(rank.starts_with("GET /v1/boards/rankd-bench/members/user:0"), "{rank}");
        let head = " HTTP/1.1\r\nhost: localhost:81\r\nauthorization: Bearer key\r\n\r\n";
        assert!(rank.ends_with(head), "{rank}");
        let top = encoded(&plan, Operation::Top);
        assert!(top.starts_with("GET /v1/boards/rankd-bench/top?limit=10 HTTP"), "{top}");
        assert!(encoded(&plan, Operation::Around).contains("/around?radius=5 HTTP"));
        assert_eq!(body(&encoded(&plan, Operation::Bulk))["members"].as_array().unwrap().len(), 3);
        assert!(body(&encoded(&plan, Operation::Update))["score"].is_u64());
        assert_eq!(body(&encoded(&plan, Operation::Increment))["operator"], "sum");
    }

    #[test]
    fn a_path_of_ones_own_takes_members() {
        let plan = Plan { path: Some("/ZREVRANK/b/{member}?x".to_owned()), ..Plan::default() };
        let request = encoded(&plan, Operation::Rank);
        assert!(request.starts_with("GET /ZREVRANK/b/user:"), "{request}");
        assert!(request.contains("?x HTTP/1.1\r\n"), "{request}");
        let plan = Plan { path: Some("/same".to_owned()), ..Plan::default() };
        assert!(encoded(&plan, Operation::Rank).starts_with("GET /same HTTP/1.1\r\n"));
    }

    #[test]
    fn a_fill_names_each_member_once() {
        let plan = Plan::default();
        let mut out = Vec::new();
        http(&plan).encode_fill(5, 3, &mut Source::new(&plan, 0), &mut out);
        let rows = body(&String::from_utf8(out).unwrap());
        let members: Vec<_> =
            rows["scores"].as_array().unwrap().iter().map(|row| row["member"].clone()).collect();
        assert_eq!(members, ["user:0000005", "user:0000006", "user:0000007"]);
    }

    #[test]
    fn answers_end_where_they_say() {
        let two = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"count\":7}HTTP/1.1 404 Not";
        let answer = decode(two).unwrap().unwrap();
        assert_eq!(answer.bytes, two.len() - "HTTP/1.1 404 Not".len());
        assert_eq!(count(&answer.reply), Some(7));
        assert!(!answer.is_last);
        assert_eq!(decode(&two[answer.bytes..]), Ok(None));
        let gone = decode(b"HTTP/1.1 404 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let gone = gone.unwrap().unwrap();
        assert_eq!((&gone.reply, gone.is_last), (&Reply::Nil, true));
        assert_eq!(count(&gone.reply), Some(0));
        let busy = decode(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").unwrap().unwrap();
        assert_eq!(busy.reply, Reply::Refused(b"Busy"));
        assert_eq!(decode(b"HTTP/1.1 204 \r\n\r\n").unwrap().unwrap().reply, Reply::Body(b""));
    }

    #[test]
    fn answers_that_cannot_be_told_apart_are_refused() {
        for (bad, why) in [
            (&b"SSH-2.0-x\r\n"[..], "does not begin"),
            (b"HTTP/1.1 200 OK\r\n\r\n", "how long"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "that is none"),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n", "64 MiB"),
        ] {
            assert!(decode(bad).unwrap_err().contains(why), "{why}");
        }
    }

    proptest! {
        #[test]
        fn an_answer_in_pieces_is_one_answer(body in "[a-z]{0,40}", cut in 0..100_usize) {
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let cut = cut.min(text.len() - 1);
            prop_assert_eq!(decode(&text.as_bytes()[..cut]), Ok(None));
            let whole = decode(text.as_bytes()).unwrap().unwrap();
            prop_assert_eq!(whole.reply, Reply::Body(body.as_bytes()));
        }
    }
}
