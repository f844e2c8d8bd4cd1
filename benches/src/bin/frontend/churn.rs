//! Connections that live for one request: what accepting costs.
//!
//! Invariant: each request has a connection of its own, and each answer is read to its end before
//! the connection is closed. Cost: a few threads for the time of the measurement.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::server::Server;

/// Clients, each with one connection at a time.
pub(crate) const CLIENTS: usize = 16;

/// One round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) requests_per_s: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

pub(crate) fn run(server: &Server, seconds: u64) -> Result<Round> {
    let (address, end) = (server.address, Instant::now() + Duration::from_secs(seconds));
    let path = format!("/v1/boards/{}/members/user:0000007", server.board);
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let request = request.clone();
            std::thread::spawn(move || ask_until(address, &request, end))
        })
        .collect();
    let mut times_us = Vec::new();
    for client in clients {
        times_us.extend(client.join().ok().context("a client panicked")??);
    }
    times_us.sort_by(f64::total_cmp);
    let at = |share: usize| times_us.get(times_us.len() * share / 100).copied();
    #[expect(clippy::cast_precision_loss, reason = "counts of one test")]
    let requests_per_s = times_us.len() as f64 / seconds as f64;
    let none = || "no request was answered";
    Ok(Round {
        requests_per_s,
        p50_us: at(50).with_context(none)?,
        p99_us: at(99).with_context(none)?,
    })
}

/// Asks again and again; the times from before connecting to the answer.
fn ask_until(address: SocketAddr, request: &str, end: Instant) -> Result<Vec<f64>> {
    let mut times_us = Vec::new();
    let mut reply = [0; 2048];
    loop {
        let begun = Instant::now();
        if begun >= end {
            return Ok(times_us);
        }
        let mut stream = TcpStream::connect(address).context("the server does not listen")?;
        // Closed without lingering: the ports of a minute would be used up in a second.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        stream.write_all(request.as_bytes())?;
        let mut bytes = 0;
        while !is_complete(reply.get(..bytes).unwrap_or_default()) {
            let room = reply.get_mut(bytes..).unwrap_or_default();
            let read = stream.read(room)?;
            ensure!(read > 0, "a connection was closed without an answer");
            bytes += read;
        }
        ensure!(reply.starts_with(b"HTTP/1.1 200 "), "an answer is none");
        times_us.push(begun.elapsed().as_secs_f64() * 1e6);
    }
}

/// The body of a rank is one object, which has no others in it.
fn is_complete(reply: &[u8]) -> bool {
    reply.ends_with(b"}")
}
