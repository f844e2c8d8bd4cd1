//! The same workload as commands on a sorted set, over RESP2 or RESP3.
//!
//! `around` takes two commands in turn, because the range needs the rank; its latency is that of
//! both. `bulk` is as many `ZREVRANK`s in one write.

use super::{Answer, Encoded, Reply};
use crate::mix::Operation;
use crate::plan::{Plan, limits};
use crate::source::{Source, print, write_member};
use crate::target::Target;

/// Requests to one server.
#[derive(Debug, Clone)]
pub(crate) struct Redis {
    user: Option<String>,
    password: Option<String>,
    database: Option<u32>,
    board: String,
    top: u32,
    radius: u32,
    bulk: u32,
}

impl Redis {
    pub(crate) fn new(target: &Target, plan: &Plan) -> Self {
        Self {
            user: target.user.clone(),
            password: target.password.clone(),
            database: target.database,
            board: plan.board.clone(),
            top: plan.top,
            radius: plan.radius,
            bulk: plan.bulk,
        }
    }

    pub(crate) fn hello(&self, out: &mut Vec<u8>) -> u32 {
        let mut answers = 0;
        if let Some(password) = &self.password {
            let user = self.user.iter().map(String::as_bytes);
            let words = std::iter::once(&b"AUTH"[..]).chain(user).chain([password.as_bytes()]);
            command(out, words);
            answers += 1;
        }
        if let Some(database) = self.database {
            command(out, [&b"SELECT"[..], database.to_string().as_bytes()].into_iter());
            answers += 1;
        }
        answers
    }

    pub(crate) fn encode(
        &self,
        operation: Operation,
        source: &mut Source,
        out: &mut Vec<u8>,
    ) -> Encoded {
        let board = self.board.as_bytes();
        match operation {
            Operation::Rank => self.encode_rank(source, out),
            Operation::Top => self.encode_range(0, u64::from(self.top) - 1, out),
            Operation::Around => {
                self.encode_rank(source, out);
                return Encoded { answers: 1, then_around: true };
            }
            Operation::Bulk => {
                for _ in 0..self.bulk {
                    self.encode_rank(source, out);
                }
                return Encoded { answers: self.bulk, then_around: false };
            }
            Operation::Update => {
                print(out, format_args!("*4\r\n$4\r\nZADD\r\n"));
                word(out, board);
                number(out, source.score().into());
                self.member(source, out);
            }
            Operation::Increment => {
                print(out, format_args!("*4\r\n$7\r\nZINCRBY\r\n"));
                word(out, board);
                number(out, 1);
                self.member(source, out);
            }
        }
        Encoded::ONE
    }

    pub(crate) fn encode_around(&self, rank: u64, out: &mut Vec<u8>) {
        let radius = u64::from(self.radius);
        self.encode_range(rank.saturating_sub(radius), rank.saturating_add(radius), out);
    }

    pub(crate) fn encode_count(&self, out: &mut Vec<u8>) {
        command(out, [&b"ZCARD"[..], self.board.as_bytes()].into_iter());
    }

    pub(crate) fn encode_fill(
        &self,
        first: u64,
        count: u64,
        source: &mut Source,
        out: &mut Vec<u8>,
    ) {
        print(out, format_args!("*{}\r\n$4\r\nZADD\r\n", 2 + 2 * count));
        word(out, self.board.as_bytes());
        let mut name = Vec::new();
        for member in first..first + count {
            number(out, source.score().into());
            name.clear();
            write_member(member, &mut name);
            word(out, &name);
        }
    }

    fn encode_rank(&self, source: &mut Source, out: &mut Vec<u8>) {
        print(out, format_args!("*3\r\n$8\r\nZREVRANK\r\n"));
        word(out, self.board.as_bytes());
        self.member(source, out);
    }

    fn encode_range(&self, first: u64, last: u64, out: &mut Vec<u8>) {
        print(out, format_args!("*5\r\n$9\r\nZREVRANGE\r\n"));
        word(out, self.board.as_bytes());
        number(out, first);
        number(out, last);
        word(out, b"WITHSCORES");
    }

    /// A member as a word: names have 12 bytes unless there are more than ten million of them.
    fn member(&self, source: &mut Source, out: &mut Vec<u8>) {
        let at = out.len();
        out.extend_from_slice(b"$12\r\n");
        let name_at = out.len();
        source.member(out);
        let length = out.len() - name_at;
        if length != 12 {
            let name = out.split_off(name_at);
            out.truncate(at);
            word(out, &name);
        } else {
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn command<'a>(out: &mut Vec<u8>, words: impl Iterator<Item = &'a [u8]> + Clone) {
    print(out, format_args!("*{}\r\n", words.clone().count()));
    for text in words {
        word(out, text);
    }
}

fn word(out: &mut Vec<u8>, text: &[u8]) {
    print(out, format_args!("${}\r\n", text.len()));
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn number(out: &mut Vec<u8>, value: u64) {
    let digits = value.checked_ilog10().unwrap_or(0) + 1;
    print(out, format_args!("${digits}\r\n{value}\r\n"));
}

/// The members of a sorted set.
pub(crate) fn count(reply: &Reply<'_>) -> Option<u64> {
    match reply {
        Reply::Integer(count) => Some(*count),
        _ => None,
    }
}

pub(crate) fn decode(input: &[u8]) -> Result<Option<Answer<'_>>, &'static str> {
    let mut at = 0;
    // Values that are still to come; a list adds its own.
    let mut open = 1_u64;
    let mut first = None;
    while open > 0 {
        let Some((line, after)) = line(input, at)? else { return Ok(None) };
        let (kind, text) = line.split_first().ok_or("an answer begins with an empty line")?;
        at = after;
        open -= 1;
        let mut payload = text;
        match kind {
            b'*' | b'~' | b'>' => open += length(text)?.unwrap_or(0),
            b'%' => open += 2 * length(text)?.unwrap_or(0),
            b'$' | b'=' | b'!' => {
                if let Some(bytes) = length(text)? {
                    let end = at + usize::try_from(bytes).map_err(|_| TOO_LONG)?;
                    let Some(body) = input.get(at..end) else { return Ok(None) };
                    if input.len() < end + 2 {
                        return Ok(None);
                    }
                    payload = body;
                    at = end + 2;
                }
            }
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => {}
            _ => return Err("an answer has a type that RESP does not have"),
        }
        first.get_or_insert((*kind, text, payload));
    }
    let (kind, text, payload) = first.ok_or("an answer has no value")?;
    let reply = match kind {
        b'-' | b'!' => Reply::Refused(payload),
        b':' => Reply::Integer(integer(text)?),
        b'_' => Reply::Nil,
        _ if text == b"-1" => Reply::Nil,
        _ => Reply::Body(payload),
    };
    Ok(Some(Answer { bytes: at, reply, is_last: false }))
}

const TOO_LONG: &str = "an answer is longer than 64 MiB";

/// The line from `at` on without its end, and where the next begins.
fn line(input: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, &'static str> {
    /// A line is a type, a number or a short text.
    const LINE_BYTES_MAX: usize = 64 * 1024;
    let rest = input.get(at..).unwrap_or_default();
    match rest.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = rest.get(..end).and_then(|line| line.strip_suffix(b"\r"));
            Ok(Some((line.ok_or("an answer's line does not end in CR LF")?, at + end + 1)))
        }
        None if rest.len() >= LINE_BYTES_MAX => Err("an answer has a line without end"),
        None => Ok(None),
    }
}

/// The length of a list or a string; `None` for a null.
fn length(text: &[u8]) -> Result<Option<u64>, &'static str> {
    if text == b"-1" {
        return Ok(None);
    }
    match integer(text)? {
        long if long > limits::ANSWER_BYTES_MAX as u64 => Err(TOO_LONG),
        length => Ok(Some(length)),
    }
}

fn integer(text: &[u8]) -> Result<u64, &'static str> {
    let text = std::str::from_utf8(text).ok();
    text.and_then(|text| text.parse().ok()).ok_or("an answer has a number that is none")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redis(plan: &Plan) -> Redis {
        Redis::new(&Target::parse("redis://me:pw@h/2").unwrap(), plan)
    }

    /// A command's words, read back by a second, simpler reader.
    fn words(mut bytes: &[u8]) -> Vec<String> {
        fn take(bytes: &mut &[u8]) -> String {
            let end = bytes.windows(2).position(|pair| pair == b"\r\n").unwrap();
            let line = String::from_utf8(bytes[..end].to_vec()).unwrap();
            *bytes = &bytes[end + 2..];
            line
        }
        let mut words = Vec::new();
        while !bytes.is_empty() {
            let count: usize = take(&mut bytes)[1..].parse().unwrap();
            for _ in 0..count {
                let length: usize = take(&mut bytes)[1..].parse().unwrap();
                let word = take(&mut bytes);
                assert_eq!(word.len(), length);
                words.push(word);
            }
        }
        words
    }

    #[test]
    fn each_operation_is_its_commands() {
        let plan = Plan { bulk: 2, ..Plan::default() };
        let wire = redis(&plan);
        let encode = |operation| {
            let mut out = Vec::new();
            let encoded = wire.encode(operation, &mut Source::new(&plan, 0), &mut out);
            (encoded, words(&out))
        };
        let (encoded, rank) = encode(Operation::Rank);
        assert_eq!(encoded, Encoded::ONE);
        assert_eq!(rank[..2], ["ZREVRANK", "rankd-bench"]);
        assert!(rank[2].starts_with("user:"));
        let top = ["ZREVRANGE", "rankd-bench", "0", "9", "WITHSCORES"];
        assert_eq!(encode(Operation::Top).1, top);
        assert_eq!(encode(Operation::Update).1[0], "ZADD");
        assert_eq!(encode(Operation::Increment).1[..3], ["ZINCRBY", "rankd-bench", "1"]);
        assert_eq!(encode(Operation::Bulk).0, Encoded { answers: 2, then_around: false });
        assert_eq!(encode(Operation::Around).0, Encoded { answers: 1, then_around: true });
        let mut out = Vec::new();
        wire.encode_around(3, &mut out);
        assert_eq!(words(&out)[2..4], ["0", "8"]);
    }

    #[test]
    fn a_connection_begins_with_its_credentials() {
        let mut out = Vec::new();
        assert_eq!(redis(&Plan::default()).hello(&mut out), 2);
        assert_eq!(words(&out), ["AUTH", "me", "pw", "SELECT", "2"]);
    }

    #[test]
    fn long_names_have_their_length() {
        let plan = Plan { members: 50_000_000, ..Plan::default() };
        let mut out = Vec::new();
        let mut source = Source::new(&plan, 0);
        for _ in 0..100 {
            redis(&plan).encode(Operation::Rank, &mut source, &mut out);
        }
        assert!(words(&out).iter().any(|word| word.len() == "user:12345678".len()));
        out.clear();
        redis(&plan).encode_fill(9_999_999, 2, &mut source, &mut out);
        let words = words(&out);
        assert_eq!([&words[3], &words[5]], ["user:9999999", "user:10000000"]);
    }

    #[test]
    fn answers_of_every_kind_are_told_apart() {
        for (text, reply) in [
            (&b":12\r\n"[..], Reply::Integer(12)),
            (b"$-1\r\n", Reply::Nil),
            (b"*-1\r\n", Reply::Nil),
            (b"_\r\n", Reply::Nil),
            (b"+OK\r\n", Reply::Body(b"OK")),
            (b"$2\r\n\r\n\r\n", Reply::Body(b"\r\n")),
            (b"-ERR no\r\n", Reply::Refused(b"ERR no")),
            (b"!6\r\nERR no\r\n", Reply::Refused(b"ERR no")),
            (b"*0\r\n", Reply::Body(b"0")),
            (b"*2\r\n*1\r\n$1\r\na\r\n%1\r\n+k\r\n,1.5\r\n", Reply::Body(b"2")),
        ] {
            let mut twice = text.to_vec();
            twice.extend_from_slice(text);
            let answer = decode(&twice).unwrap().unwrap();
            assert_eq!((answer.bytes, answer.reply), (text.len(), reply));
            for cut in 0..text.len() {
                assert_eq!(decode(&text[..cut]), Ok(None), "{cut} of {text:?}");
            }
        }
    }

    #[test]
    fn what_is_not_resp_is_refused() {
        for bad in [&b"HTTP/1.1 400\r\n"[..], b"\r\n", b":x\r\n", b"$9999999999\r\n", b":1\n"] {
            decode(bad).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(Some(answer)) = decode(&bytes) {
                prop_assert!(answer.bytes <= bytes.len());
            }
        }
    }
}
