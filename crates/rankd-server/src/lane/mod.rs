//! The lane: one HTTP/1.1 connection as long as it asks nothing but plain questions about boards.
//!
//! It is no HTTP server. It knows requests of one shape (see [`plain`]): everything else, be it
//! legal or not, is left in the buffer and goes, with the connection, to hyper, which sees the same
//! bytes as if it had read them itself. So there is one place that words refusals and speaks the
//! rest of HTTP, and the lane can only be wrong about what it answers. What that is worth is in
//! `docs/decisions/0030-a-lane-for-plain-requests.md`.
//!
//! Invariant: requests are answered in their order, each once; replies that were written are sent
//! before the connection waits for anything. Cost: a read and a write for all requests that arrive
//! together, no allocation but those of the answer.

mod date;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod plain;
mod rewound;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use rankd_engine::{Clock as _, SystemClock};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::json::JsonWriter;
use crate::limits::{LANE_BODY_MS_MAX, LANE_INPUT_BYTES_MAX, LANE_OUTPUT_BYTES_MAX};
use crate::reply::{self, Reply};
use crate::service::{Asked, PlainReply, Service};

use self::date::Date;
use self::plain::{Known, Parsed};

pub(crate) use self::plain::Plain;
pub(crate) use self::rewound::Rewound;

/// Room for requests that a connection begins with, in bytes.
const INPUT_BYTES: usize = 4 * 1024;

/// How a connection left the lane.
#[derive(Debug)]
pub(crate) enum Left<S> {
    /// It is over.
    Ended(S),
    /// Its next request is not for the lane; it begins with these bytes.
    HandedOver(S, Vec<u8>),
}

/// How long a connection may take, and where it learns that the server stops.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// For a request's head, once it has begun.
    pub(crate) head_read: Duration,
    /// For a request to begin.
    pub(crate) idle: Duration,
    /// For taking in the replies.
    pub(crate) write: Duration,
    /// True once the server accepts nothing new.
    pub(crate) draining: watch::Receiver<bool>,
}

/// One connection.
pub(crate) struct Lane<'s, S> {
    service: &'s Service,
    stream: S,
    patience: Patience,
    input: Vec<u8>,
    out: Vec<u8>,
    /// The body of the reply that is being written; its length has to be known before it.
    body: Vec<u8>,
    date: Date,
    /// What the client says each time.
    known: Known,
    /// A Host that was found to be this server's own.
    host: Vec<u8>,
    /// Since when the next request is waited for.
    waiting_since: Instant,
}

/// What follows after everything that was there is answered.
enum Next {
    /// Part of a request is there; true if it lacks only its body.
    More {
        body: bool,
    },
    HandOver,
    Close,
}

/// Why the wait for bytes is over.
enum Woken {
    Read(usize),
    Late,
    Draining,
}

impl<'s, S: AsyncRead + AsyncWrite + Unpin> Lane<'s, S> {
    /// A connection of which `input` was read already.
    pub(crate) fn new(stream: S, input: Vec<u8>, service: &'s Service, patience: Patience) -> Self {
        Self {
            service,
            stream,
            patience,
            input,
            out: Vec::new(),
            body: Vec::new(),
            date: Date::default(),
            known: Known::default(),
            host: Vec::new(),
            waiting_since: Instant::now(),
        }
    }

    /// Serves the connection until it ends or asks for something else.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) async fn run(mut self) -> io::Result<Left<S>> {
        let mut alarm = std::pin::pin!(sleep_until(self.waiting_since + self.patience.idle));
        let mut draining = self.patience.draining.clone();
        let mut drained = std::pin::pin!(async move {
            // An error says that the acceptor is gone, which comes to the same.
            let _ = draining.wait_for(|drains| *drains).await;
        });
        let mut begins = false;
        loop {
            let next = self.answer_all(begins).await?;
            self.flush().await?;
            let lacks_body = match next {
                Next::Close => return Ok(Left::Ended(self.stream)),
                Next::HandOver => return Ok(Left::HandedOver(self.stream, self.input)),
                Next::More { body } => body,
            };
            begins = self.input.is_empty();
            match self.read(lacks_body, alarm.as_mut(), drained.as_mut()).await? {
                Woken::Read(0) | Woken::Draining => return Ok(Left::Ended(self.stream)),
                Woken::Late if lacks_body => {
                    return Ok(Left::HandedOver(self.stream, self.input));
                }
                Woken::Late => return Ok(Left::Ended(self.stream)),
                Woken::Read(_) => {}
            }
        }
    }

    /// Waits for bytes, for too long a time, or for the server's end.
    async fn read(
        &mut self,
        lacks_body: bool,
        mut alarm: Pin<&mut Sleep>,
        mut drained: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<Woken> {
        if self.input.capacity() - self.input.len() < INPUT_BYTES / 4 {
            self.input.reserve(INPUT_BYTES);
        }
        let patience = match lacks_body {
            true => Duration::from_millis(LANE_BODY_MS_MAX),
            false if self.input.is_empty() => self.patience.idle,
            false => self.patience.head_read,
        };
        let deadline = self.waiting_since + patience;
        if alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        loop {
            tokio::select! {
                biased;
                read = self.stream.read_buf(&mut self.input) => return Ok(Woken::Read(read?)),
                // A request that has begun may still be completed.
                () = drained.as_mut(), if self.input.is_empty() => return Ok(Woken::Draining),
                () = alarm.as_mut() => {
                    // Set long ago, and not again with each request.
                    if Instant::now() >= deadline {
                        return Ok(Woken::Late);
                    }
                    alarm.as_mut().reset(deadline);
                }
            }
        }
    }

    /// Answers every complete request of the buffer; `begins` if nothing was there before.
    async fn answer_all(&mut self, begins: bool) -> io::Result<Next> {
        let mut input = std::mem::take(&mut self.input);
        let mut at = 0;
        let mut started = Instant::now();
        self.date.set(SystemClock.now_ms());
        let next = loop {
            let rest = input.get(at..).unwrap_or_default();
            if rest.is_empty() {
                break Next::More { body: false };
            }
            let (bytes, plain) = match self.known.parse(rest) {
                Parsed::Complete(bytes, plain) => (bytes, plain),
                Parsed::Partial { .. } if rest.len() >= LANE_INPUT_BYTES_MAX => {
                    break Next::HandOver;
                }
                Parsed::Partial { body } => break Next::More { body },
                Parsed::Foreign => break Next::HandOver,
            };
            if !self.is_known_host(plain.host) {
                break Next::HandOver;
            }
            let Some(asked) = self.service.asked(&plain) else { break Next::HandOver };
            self.answer(&plain, &asked, &mut started).await?;
            at += bytes;
            if self.is_draining() {
                break Next::Close;
            }
            if self.out.len() >= LANE_OUTPUT_BYTES_MAX {
                self.flush().await?;
            }
        };
        if at > 0 || begins {
            self.waiting_since = started;
        }
        input.drain(..at);
        // Large buffers are for those who are sending.
        if input.is_empty() && input.capacity() > 2 * INPUT_BYTES {
            input = Vec::new();
        }
        self.input = input;
        Ok(next)
    }

    /// Answers one request; `started` is moved to when it is answered.
    async fn answer(
        &mut self,
        plain: &Plain<'_>,
        asked: &Asked<'_>,
        started: &mut Instant,
    ) -> io::Result<()> {
        let mut json = JsonWriter::over(std::mem::take(&mut self.body));
        let replied = {
            let answering = self.service.answer_plain(plain, asked, &mut json);
            let mut answering = std::pin::pin!(answering);
            tokio::select! {
                biased;
                replied = answering.as_mut() => replied,
                // It waits, for a disk perhaps. Those before it need not.
                () = std::future::ready(()) => {
                    flush(&mut self.stream, &mut self.out, self.patience.write).await?;
                    answering.await
                }
            }
        };
        self.body = json.into_inner();
        let (status, request_id) = match replied {
            PlainReply::Json => {
                self.append_json();
                (200, None)
            }
            PlainReply::Other(reply, request_id) => {
                let status = reply.status().as_u16();
                self.append(reply);
                (status, request_id)
            }
        };
        let ended = Instant::now();
        self.service.answered_plain(plain, asked, (status, request_id), ended - *started);
        *started = ended;
        Ok(())
    }

    /// Writes a reply whose body is in `self.body`.
    fn append_json(&mut self) {
        self.out.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n");
        self.end_head();
        self.out.append(&mut self.body);
    }

    /// Writes any other reply.
    fn append(&mut self, reply: Reply) {
        // It may have waited for a disk.
        self.date.set(SystemClock.now_ms());
        let (head, body) = reply::into_parts(reply);
        let reason = head.status.canonical_reason().unwrap_or("");
        for text in ["HTTP/1.1 ", head.status.as_str(), " ", reason, "\r\n"] {
            self.out.extend_from_slice(text.as_bytes());
        }
        for (name, value) in &head.headers {
            for bytes in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                self.out.extend_from_slice(bytes);
            }
        }
        self.body.clear();
        self.body.extend_from_slice(&body);
        if head.status.as_u16() == 204 {
            self.end_head_without_length();
        } else {
            self.end_head();
        }
        self.out.append(&mut self.body);
    }

    fn end_head(&mut self) {
        self.out.extend_from_slice(b"content-length: ");
        let mut digits = JsonWriter::over(std::mem::take(&mut self.out));
        digits.unsigned(self.body.len() as u64);
        self.out = digits.into_inner();
        self.out.extend_from_slice(b"\r\n");
        self.end_head_without_length();
    }

    fn end_head_without_length(&mut self) {
        if self.is_draining() {
            self.out.extend_from_slice(b"connection: close\r\n");
        }
        self.out.extend_from_slice(b"date: ");
        self.out.extend_from_slice(self.date.text());
        self.out.extend_from_slice(b"\r\n\r\n");
    }

    /// Whether the server answers to this name. A client says the same each time.
    fn is_known_host(&mut self, host: &[u8]) -> bool {
        if self.host == host && !host.is_empty() {
            return true;
        }
        let is_known = self.service.is_own_host(host);
        if is_known {
            self.host.clear();
            self.host.extend_from_slice(host);
        }
        is_known
    }

    /// The server stops. Nobody has looked at this receiver, so any change is that one.
    fn is_draining(&self) -> bool {
        self.patience.draining.has_changed().unwrap_or(true)
    }

    async fn flush(&mut self) -> io::Result<()> {
        flush(&mut self.stream, &mut self.out, self.patience.write).await
    }
}

/// Sends what was written, or gives the client up.
async fn flush<S: AsyncWrite + Unpin>(
    stream: &mut S,
    out: &mut Vec<u8>,
    patience: Duration,
) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    {
        let mut sending = std::pin::pin!(async {
            stream.write_all(out).await?;
            stream.flush().await
        });
        tokio::select! {
            biased;
            sent = sending.as_mut() => sent?,
            // Almost always the system has room for all of it, and no timer is needed.
            () = std::future::ready(()) => {
                let sent = timeout(patience, sending).await;
                sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
            }
        }
    }
    out.clear();
    if out.capacity() > 2 * INPUT_BYTES {
        *out = Vec::new();
    }
    Ok(())
}
