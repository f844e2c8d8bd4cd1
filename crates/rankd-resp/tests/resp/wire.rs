//! A client of its own for the tests: commands out, raw replies in. It shares no code with the
//! server that it tests.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a reply may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A reply, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(Vec<u8>),
    Bulk(Vec<u8>),
    Double(Vec<u8>),
    Verbatim(Vec<u8>),
    Bool(bool),
    Null(u8),
    /// Arrays, maps, sets and pushes, with their first byte.
    List(u8, Vec<Value>),
}

/// A command: its name and arguments.
pub(crate) type Command = Vec<Vec<u8>>;

impl Value {
    /// A string that was found.
    pub(crate) fn bulk(text: &str) -> Self {
        Self::Bulk(text.into())
    }

    /// A number.
    pub(crate) fn integer(number: i64) -> Self {
        Self::Integer(number.to_string().into())
    }

    /// A line.
    pub(crate) fn simple(text: &str) -> Self {
        Self::Simple(text.into())
    }

    /// A list of strings.
    pub(crate) fn bulks(texts: &[&str]) -> Self {
        Self::List(b'*', texts.iter().map(|text| Self::bulk(text)).collect())
    }

    /// The text of an error.
    pub(crate) fn error(&self) -> String {
        match self {
            Self::Error(text) => String::from_utf8_lossy(text).into_owned(),
            other => panic!("no error: {other:?}"),
        }
    }
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    at: usize,
}

/// Appends a command as clients send it.
pub(crate) fn encode(command: &Command, out: &mut Vec<u8>) {
    out.extend(format!("*{}\r\n", command.len()).bytes());
    for arg in command {
        out.extend(format!("${}\r\n", arg.len()).bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self { stream, buffer: Vec::new(), at: 0 }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// Sends one command and reads its reply.
    pub(crate) fn call(&mut self, args: &[&str]) -> Value {
        let command: Command = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        let mut bytes = Vec::new();
        encode(&command, &mut bytes);
        self.send(&bytes);
        self.read()
    }

    /// Reads one reply.
    pub(crate) fn read(&mut self) -> Value {
        let raw = self.reply();
        parse(&raw)
    }

    /// Reads to the end of the connection; what came before it.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = self.buffer.split_off(self.at);
        // A connection that is reset has ended, too.
        let _ended = self.stream.read_to_end(&mut rest);
        rest
    }

    /// The bytes of the next reply.
    pub(crate) fn reply(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = end_of(&self.buffer, self.at) {
                let raw = self.buffer[self.at..end].to_vec();
                self.at = end;
                return raw;
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let mut more = [0; 64 << 10];
            let count = self.stream.read(&mut more).expect("a reply in time");
            assert!(count > 0, "the server closed the connection; so far: {:?}", self.buffer);
            self.buffer.extend_from_slice(&more[..count]);
        }
    }
}

fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let length = rest.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&rest[..length], at + length + 2))
}

fn number(line: &[u8]) -> i64 {
    std::str::from_utf8(line).expect("a number").parse().expect("a number")
}

/// Where the value that begins at `at` ends, if it is complete.
fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    let kind = *bytes.get(at)?;
    let (head, mut at) = line(bytes, at + 1)?;
    match kind {
        b'$' | b'=' => {
            let length = number(head);
            let end = if length < 0 { at } else { at + usize::try_from(length).unwrap() + 2 };
            (end <= bytes.len()).then_some(end)
        }
        b'*' | b'~' | b'>' | b'%' => {
            let count = number(head).max(0) * if kind == b'%' { 2 } else { 1 };
            for _ in 0..count {
                at = end_of(bytes, at)?;
            }
            Some(at)
        }
        b'+' | b'-' | b':' | b',' | b'_' | b'#' => Some(at),
        other => panic!("a reply begins with {:?}", char::from(other)),
    }
}

/// The value of raw bytes, which are complete.
pub(crate) fn parse(raw: &[u8]) -> Value {
    let (value, end) = parse_at(raw, 0);
    assert_eq!(end, raw.len(), "one reply");
    value
}

fn parse_at(bytes: &[u8], at: usize) -> (Value, usize) {
    let kind = bytes[at];
    let (head, at) = line(bytes, at + 1).expect("complete");
    let text = head.to_vec();
    match kind {
        b'+' => (Value::Simple(text), at),
        b'-' => (Value::Error(text), at),
        b':' => (Value::Integer(text), at),
        b',' => (Value::Double(text), at),
        b'_' => (Value::Null(b'_'), at),
        b'#' => (Value::Bool(text == b"t"), at),
        b'$' | b'=' => {
            let Ok(length) = usize::try_from(number(head)) else { return (Value::Null(b'$'), at) };
            let bulk = bytes[at..at + length].to_vec();
            let value = if kind == b'$' { Value::Bulk(bulk) } else { Value::Verbatim(bulk) };
            (value, at + length + 2)
        }
        _ => {
            let Ok(count) = usize::try_from(number(head)) else { return (Value::Null(b'*'), at) };
            let count = if kind == b'%' { count * 2 } else { count };
            let (mut values, mut at) = (Vec::with_capacity(count), at);
            for _ in 0..count {
                let (value, end) = parse_at(bytes, at);
                values.push(value);
                at = end;
            }
            (Value::List(kind, values), at)
        }
    }
}
