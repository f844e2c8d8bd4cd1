//! Ten thousand connections that do nothing, or next to nothing, beside a few that work.
//!
//! Three kinds: idle ones that asked once; idle ones whose question was none of the plain ones, so
//! that hyper has served them; and slow ones, which send a request in pieces of some bytes, a piece
//! a second, and never read an answer. Invariant: the working clients' load is the same with each
//! kind and without, one after the other in a round, and all connections of a kind are open while
//! it is measured. Cost: connecting, and four measurements a round.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rankd_benches::pause;
use rankd_load::{Latency, Plan};

use crate::load;
use crate::server::Server;

/// Requests a second of the working clients.
pub(crate) const RATE_PER_S: f64 = 10_000.0;
/// Bytes of a slow request that are sent at a time.
pub(crate) const PIECE_BYTES: usize = 8;
/// A slow connection sends a piece so often.
const PIECE_EVERY: Duration = Duration::from_secs(1);
/// Slow connections take turns in so many groups, so that their pieces come evenly.
const GROUPS: usize = 1000;
/// Slow ones have been there for so long when the measurement begins.
const SETTLE: Duration = Duration::from_secs(2);

/// What the crowd does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Idle,
    IdleBehindHyper,
    Slow,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Idle, Self::IdleBehindHyper, Self::Slow];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::IdleBehindHyper => "idle, after a request with a cookie",
            Self::Slow => "slow",
        }
    }
}

/// What the working clients noticed beside one kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    pub(crate) latency: Latency,
    /// What the server's memory has grown by since before the first crowd, for each connection.
    pub(crate) bytes_per_connection: f64,
    /// Connections that the server closed, and that were made again.
    pub(crate) closed: u64,
}

/// One round.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) alone: Latency,
    pub(crate) beside: Vec<(Kind, Beside)>,
}

pub(crate) fn run(server: &Server, seconds: u64, count: usize) -> Result<Round> {
    let working = load::plan(server, "rank", seconds)?;
    let working = Plan { pace: load::open(RATE_PER_S), ..working };
    let alone = load::run(server, &working, |_| ())?.report.latency;
    let before = server.resident_before_crowds()?;
    let mut beside = Vec::new();
    for kind in Kind::ALL {
        beside.push((kind, measure(server, &working, kind, count, before)?));
    }
    Ok(Round { alone, beside })
}

fn measure(
    server: &Server,
    working: &Plan,
    kind: Kind,
    count: usize,
    before: usize,
) -> Result<Beside> {
    let crowd = Crowd::gather(server, kind, count)?;
    let over = AtomicBool::new(false);
    let closed = AtomicU64::new(0);
    let (latency, after) = std::thread::scope(|scope| {
        let Crowd { address, request, mut streams } = crowd;
        if kind == Kind::Slow {
            let (over, closed) = (&over, &closed);
            let mut slow = Slow { address, request, streams: std::mem::take(&mut streams) };
            scope.spawn(move || slow.send_until(over, closed));
            pause(SETTLE);
        }
        let loaded = load::run(server, working, |_| ());
        let after = server.resident_bytes();
        over.store(true, Ordering::Relaxed);
        drop(streams);
        Ok::<_, anyhow::Error>((loaded?.report.latency, after?))
    })?;
    #[expect(clippy::cast_precision_loss, reason = "bytes of a machine's memory")]
    let bytes_per_connection = (after as f64 - before as f64) / count as f64;
    Ok(Beside { latency, bytes_per_connection, closed: closed.into_inner() })
}

/// Open connections of one kind.
struct Crowd {
    address: SocketAddr,
    request: Vec<u8>,
    streams: Vec<TcpStream>,
}

impl Crowd {
    fn gather(server: &Server, kind: Kind, count: usize) -> Result<Self> {
        let address = server.address;
        let cookie = if kind == Kind::IdleBehindHyper { "cookie: a=b\r\n" } else { "" };
        let request = format!(
            "GET /v1/boards/{}/top?limit=10 HTTP/1.1\r\nhost: {address}\r\n{cookie}\r\n",
            server.board
        );
        let mut crowd = Self { address, request: request.into_bytes(), streams: Vec::new() };
        for number in 0..count {
            let joined = crowd.join(kind);
            joined.with_context(|| format!("connection {number} of the crowd"))?;
        }
        Ok(crowd)
    }

    fn join(&mut self, kind: Kind) -> Result<()> {
        let mut stream = connect(self.address)?;
        if kind == Kind::Slow {
            stream.set_nonblocking(true)?;
        } else {
            stream.write_all(&self.request)?;
            let mut reply = [0; 2048];
            let bytes = stream.read(&mut reply)?;
            ensure!(reply.starts_with(b"HTTP/1.1 200 "), "refused: {bytes} bytes");
        }
        self.streams.push(stream);
        Ok(())
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    // Closed without lingering, so that a round does not use up the ports.
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    Ok(stream)
}

/// Connections that send next to nothing and read nothing.
struct Slow {
    address: SocketAddr,
    request: Vec<u8>,
    streams: Vec<TcpStream>,
}

impl Slow {
    /// Group after group, each connection once every [`PIECE_EVERY`].
    fn send_until(&mut self, over: &AtomicBool, closed: &AtomicU64) {
        let turn = PIECE_EVERY / u32::try_from(GROUPS).unwrap_or(1);
        let mut piece_of = vec![0_usize; self.streams.len()];
        let mut due = Instant::now();
        for group in (0..GROUPS).cycle() {
            if over.load(Ordering::Relaxed) {
                return;
            }
            for at in (group..self.streams.len()).step_by(GROUPS) {
                self.send(at, &mut piece_of, closed);
            }
            due += turn;
            pause(due.saturating_duration_since(Instant::now()));
        }
    }

    /// Sends the next piece on one connection; makes it anew if the server closed it.
    fn send(&mut self, at: usize, piece_of: &mut [usize], closed: &AtomicU64) {
        let (Some(stream), Some(piece)) = (self.streams.get_mut(at), piece_of.get_mut(at)) else {
            return;
        };
        let pieces = self.request.chunks(PIECE_BYTES);
        let count = pieces.len();
        let Some(bytes) = self.request.chunks(PIECE_BYTES).nth(*piece % count) else { return };
        match stream.write(bytes) {
            Ok(_) => *piece += 1,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => {
                closed.fetch_add(1, Ordering::Relaxed);
                let again = connect(self.address);
                if let Ok(again) = again.and_then(|s| s.set_nonblocking(true).map(|()| s)) {
                    (*stream, *piece) = (again, 0);
                }
            }
        }
    }
}
