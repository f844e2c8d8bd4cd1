//! The Redis protocol over a Unix socket, as far as a benchmark needs it.
//!
//! What it is not: a client library; there is one connection, and whoever writes commands reads as
//! many replies. Invariant: an error reply is an error. Cost: one write a pipeline.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail};

const READ_BUFFER_BYTES: usize = 1 << 18;

/// A reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Nothing,
    Number(i64),
    Bytes(Vec<u8>),
    List(Vec<Reply>),
}

impl Reply {
    pub(crate) fn number(&self) -> Result<i64> {
        match self {
            Self::Number(number) => Ok(*number),
            other => bail!("expected a number, got {other:?}"),
        }
    }

    pub(crate) fn list(&self) -> Result<&[Reply]> {
        match self {
            Self::List(list) => Ok(list),
            other => bail!("expected a list, got {other:?}"),
        }
    }

    pub(crate) fn bytes(&self) -> Result<&[u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => bail!("expected bytes, got {other:?}"),
        }
    }
}

/// A connection with the commands that are not sent yet.
pub(crate) struct Connection {
    reader: BufReader<UnixStream>,
    unsent: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket)
            .with_context(|| format!("cannot connect to {}", socket.display()))?;
        Ok(Self { reader: BufReader::with_capacity(READ_BUFFER_BYTES, stream), unsent: Vec::new() })
    }

    /// Adds a command to the pipeline.
    pub(crate) fn push(&mut self, words: &[&[u8]]) {
        self.unsent.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            self.unsent.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            self.unsent.extend_from_slice(word);
            self.unsent.extend_from_slice(b"\r\n");
        }
    }

    /// Sends what was pushed.
    pub(crate) fn send(&mut self) -> Result<()> {
        self.reader.get_mut().write_all(&self.unsent)?;
        self.unsent.clear();
        Ok(())
    }

    /// The next reply.
    pub(crate) fn reply(&mut self) -> Result<Reply> {
        reply(&mut self.reader)
    }

    /// Sends one command and returns its reply.
    pub(crate) fn ask(&mut self, words: &[&[u8]]) -> Result<Reply> {
        self.push(words);
        self.send()?;
        self.reply()
    }
}

fn reply(reader: &mut impl BufRead) -> Result<Reply> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    let Some((&kind, rest)) = line.strip_suffix(b"\r\n").and_then(<[u8]>::split_first) else {
        bail!("the server closed the connection");
    };
    let text = std::str::from_utf8(rest).context("a reply's head is not text")?;
    match kind {
        b'+' => Ok(Reply::Bytes(rest.to_vec())),
        b':' => Ok(Reply::Number(text.parse()?)),
        b'$' if text == "-1" => Ok(Reply::Nothing),
        b'$' => {
            let mut bytes = vec![0; text.parse::<usize>()? + 2];
            reader.read_exact(&mut bytes)?;
            bytes.truncate(bytes.len() - 2);
            Ok(Reply::Bytes(bytes))
        }
        b'*' => (0..text.parse::<usize>()?)
            .map(|_| reply(reader))
            .collect::<Result<_>>()
            .map(Reply::List),
        b'-' => bail!("the server says: {text}"),
        _ => bail!("unknown kind of reply: {}", char::from(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_every_kind_are_read() {
        let mut bytes: &[u8] = b"*4\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n*0\r\n+OK\r\n";
        let list = vec![
            Reply::Number(-7),
            Reply::Bytes(b"a\r\n".to_vec()),
            Reply::Nothing,
            Reply::List(Vec::new()),
        ];
        assert_eq!(reply(&mut bytes).unwrap(), Reply::List(list));
        assert_eq!(reply(&mut bytes).unwrap(), Reply::Bytes(b"OK".to_vec()));
    }

    #[test]
    fn an_error_reply_and_an_early_end_are_errors() {
        let error = reply(&mut &b"-ERR no\r\n"[..]).unwrap_err();
        assert_eq!(error.to_string(), "the server says: ERR no");
        assert!(reply(&mut &b"$5\r\nab"[..]).is_err());
        assert!(reply(&mut &b""[..]).is_err());
    }
}
