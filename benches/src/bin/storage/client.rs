//! One connection that asks and waits for the answer: the same loop for both protocols.
//!
//! What it is not: a client library; a request is one write, an answer is read to its end, nothing
//! is pipelined. Invariant: an answer that is not a success is an error. Cost: two system calls a
//! request, whichever the protocol.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, bail, ensure};
use rankd_benches::data::{Id, Member};

/// The board that everything is about.
pub(crate) const BOARD: &str = "b";
const READ_BUFFER_BYTES: usize = 16 << 10;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Http,
    Resp,
}

/// A server's address and language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) wire: Wire,
}

/// See the module's head.
pub(crate) struct Client {
    wire: Wire,
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    line: Vec<u8>,
    body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(peer: Peer) -> Result<Self> {
        let stream = TcpStream::connect(peer.address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        let stream = BufReader::with_capacity(READ_BUFFER_BYTES, stream);
        let (request, line, body) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { wire: peer.wire, stream, request, line, body })
    }

    /// Sets the score of a member, and waits until that is acknowledged.
    pub(crate) fn set(&mut self, number: usize, score: usize) -> Result<()> {
        let member = name(number);
        self.request.clear();
        match self.wire {
            Wire::Http => {
                let body = format!("{{\"score\":{score}}}");
                write!(
                    self.request,
                    "PUT /v1/boards/{BOARD}/members/{member} HTTP/1.1\r\nHost: localhost\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )?;
            }
            Wire::Resp => self.command(&["ZADD", BOARD, &score.to_string(), &member])?,
        }
        self.ask()
    }

    /// Asks for the rank of a member.
    pub(crate) fn rank(&mut self, number: usize) -> Result<()> {
        let member = name(number);
        self.request.clear();
        match self.wire {
            Wire::Http => write!(
                self.request,
                "GET /v1/boards/{BOARD}/members/{member} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )?,
            Wire::Resp => self.command(&["ZREVRANK", BOARD, &member])?,
        }
        self.ask()
    }

    /// Has the server write a snapshot. rankd answers when it is there, Redis at once.
    pub(crate) fn snapshot(&mut self) -> Result<()> {
        self.request.clear();
        match self.wire {
            Wire::Http => write!(
                self.request,
                "POST /v1/snapshots HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            )?,
            Wire::Resp => self.command(&["BGSAVE"])?,
        }
        self.ask()
    }

    /// The value of a field that Redis tells about itself.
    pub(crate) fn info(&mut self, field: &str) -> Result<String> {
        self.request.clear();
        self.command(&["INFO"])?;
        self.ask()?;
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let value = fields.find(|(name, _)| *name == field).map(|(_, value)| value.to_owned());
        value.with_context(|| format!("Redis does not tell {field}"))
    }

    /// Sends any command of Redis, and waits for its answer.
    pub(crate) fn call(&mut self, words: &[&str]) -> Result<()> {
        self.request.clear();
        self.command(words)?;
        self.ask()
    }

    fn command(&mut self, words: &[&str]) -> Result<()> {
        write!(self.request, "*{}\r\n", words.len())?;
        for word in words {
            write!(self.request, "${}\r\n{word}\r\n", word.len())?;
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<()> {
        self.stream.get_mut().write_all(&self.request)?;
        match self.wire {
            Wire::Http => self.read_http(),
            Wire::Resp => self.read_resp(),
        }
    }

    fn read_line(&mut self) -> Result<&str> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line)?;
        let line = self.line.strip_suffix(b"\r\n").context("the server hung up")?;
        Ok(std::str::from_utf8(line)?)
    }

    fn read_http(&mut self) -> Result<()> {
        let status = self.read_line()?;
        let is_good = status.starts_with("HTTP/1.1 20");
        let status = if is_good { String::new() } else { status.to_owned() };
        let mut length = 0;
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        self.read_body(length)?;
        ensure!(is_good, "{status}: {}", String::from_utf8_lossy(&self.body));
        Ok(())
    }

    fn read_resp(&mut self) -> Result<()> {
        let line = self.read_line()?;
        match line.as_bytes().first() {
            Some(b':' | b'+') => Ok(()),
            Some(b'$') if line != "$-1" => {
                let length: usize = line.get(1..).unwrap_or_default().parse()?;
                self.read_body(length + 2)
            }
            _ => bail!("Redis answered {line:?}"),
        }
    }

    fn read_body(&mut self, length: usize) -> Result<()> {
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        Ok(())
    }
}

/// The name of member `number`.
pub(crate) fn name(number: usize) -> String {
    String::from_utf8_lossy(Id::numbered(number).as_ref()).into_owned()
}
