//! A TCP proxy in front of a server's socket, which can be told to hold back what goes through it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::support::pause;

/// What happens to bytes.
#[derive(Debug, Default)]
struct Rules {
    /// Requests do not arrive.
    holds_requests: AtomicBool,
    /// Answers do not arrive.
    holds_answers: AtomicBool,
    /// Every piece is late by this.
    delay_ms: AtomicU64,
    ended: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    target: Mutex<PathBuf>,
}

/// A proxy that ends with this value.
#[derive(Debug)]
pub(crate) struct Proxy {
    rules: Arc<Rules>,
    port: u16,
}

const TICK: Duration = Duration::from_millis(2);

impl Proxy {
    /// A proxy on a free port, to the server's socket.
    pub(crate) fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let rules = Arc::new(Rules { target: Mutex::new(socket), ..Rules::default() });
        let shared = Arc::clone(&rules);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if shared.ended.load(Ordering::Acquire) {
                    return;
                }
                let Ok(client) = client else { continue };
                // Without a server, the client is hung up on.
                let socket = shared.target.lock().clone();
                if let Ok(server) = UnixStream::connect(socket) {
                    connect(&shared, client, server);
                }
            }
        });
        Self { rules, port }
    }

    pub(crate) fn url(&self, parameters: &str) -> String {
        format!("redis://127.0.0.1:{}?{parameters}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on connections lead to another server; those that are open break.
    pub(crate) fn lead_to(&self, socket: PathBuf) {
        *self.rules.target.lock() = socket;
        self.restore();
    }

    /// From now on answers are swallowed until [`Proxy::restore`].
    pub(crate) fn hold_answers(&self) {
        self.rules.holds_answers.store(true, Ordering::Release);
    }

    /// From now on nothing goes through in either direction.
    pub(crate) fn black_hole(&self) {
        self.rules.holds_requests.store(true, Ordering::Release);
        self.hold_answers();
    }

    pub(crate) fn delay(&self, delay_ms: u64) {
        self.rules.delay_ms.store(delay_ms, Ordering::Release);
    }

    /// Breaks what was held back, and lets everything through again.
    pub(crate) fn restore(&self) {
        for client in self.rules.open.lock().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
        self.rules.holds_requests.store(false, Ordering::Release);
        self.rules.holds_answers.store(false, Ordering::Release);
        self.delay(0);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.rules.ended.store(true, Ordering::Release);
        self.restore();
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn connect(rules: &Arc<Rules>, client: TcpStream, server: UnixStream) {
    let _ = client.set_nodelay(true);
    let copies = (client.try_clone(), client.try_clone(), server.try_clone());
    let (Ok(listed), Ok(client_out), Ok(server_out)) = copies else { return };
    rules.open.lock().push(listed);
    let (up, down) = (Arc::clone(rules), Arc::clone(rules));
    let _ = client.set_read_timeout(Some(TICK));
    let _ = server.set_read_timeout(Some(TICK));
    std::thread::spawn(move || {
        copy(client, &server_out, &up, |rules| &rules.holds_requests);
        let _ = server_out.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        copy(server, &client_out, &down, |rules| &rules.holds_answers);
        let _ = client_out.shutdown(Shutdown::Both);
    });
}

fn copy(mut from: impl Read, mut to: impl Write, rules: &Rules, holds: fn(&Rules) -> &AtomicBool) {
    let mut buffer = vec![0; 64 * 1024];
    while !rules.ended.load(Ordering::Acquire) {
        match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                let delay_ms = rules.delay_ms.load(Ordering::Acquire);
                if delay_ms > 0 {
                    pause(delay_ms);
                }
                // A connection that was held back never comes to life again: `restore` breaks it.
                if !holds(rules).load(Ordering::Acquire) && to.write_all(&buffer[..count]).is_err()
                {
                    return;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}
