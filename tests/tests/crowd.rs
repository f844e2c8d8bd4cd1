//! Goal: as many Redis clients as are let in, nearly all of which mean no good, cost bounded memory
//! and disturb nobody. Method: the real program in a process of its own; what it costs is counted,
//! nothing is timed. It needs 10 000 descriptors on either side (`ulimit -Hn`).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use rankd_e2e::{Server, owner};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections that the server lets in.
const CONNECTIONS_MAX: usize = 10_000;
/// Of those, the healthy ones.
const HEALTHY: usize = 2;
/// A client that has sent nothing, or half a command, costs no more than this.
const BYTES_MAX: u64 = 20 << 10;
/// Commands of the healthy client, most of them writes.
const ROUNDS: usize = 500;

/// The first half of a command with a huge argument, without the argument.
const HALF: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc";
/// The smallest beginning of a command.
const STAR: &[u8] = b"*";

/// Lets this process, and the server that it starts, have as many descriptors as they need.
fn make_room() {
    const DESCRIPTORS: u64 = CONNECTIONS_MAX as u64 + 200;
    let limit = getrlimit(Resource::Nofile);
    assert!(
        limit.maximum.is_none_or(|maximum| maximum >= DESCRIPTORS),
        "this test needs {DESCRIPTORS} descriptors, the hard limit is {limit:?}: ulimit -Hn"
    );
    if limit.current.is_some_and(|current| current < DESCRIPTORS) {
        let raised = Rlimit { current: Some(DESCRIPTORS), ..limit };
        setrlimit(Resource::Nofile, raised).expect("the hard limit allows it");
    }
}

fn port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn resident_bytes(folder: &Path) -> u64 {
    let pid = owner(folder).expect("a server that runs has the lock");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}

/// A client that waits for each answer.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port));
        Self(BufReader::new(stream.expect("the server listens; are there enough descriptors?")))
    }

    /// A line that is sent, and the line of the answer.
    fn ask(&mut self, line: &str) -> String {
        let sent = self.0.get_mut().write_all(format!("{line}\r\n").as_bytes());
        sent.expect("the server reads");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("the server answers");
        answer.trim_end().to_owned()
    }

    /// How many clients there are, this one among them.
    fn clients(&mut self) -> usize {
        let length = self.ask("INFO clients");
        let length: usize = length.strip_prefix('$').expect("a text").parse().expect("a length");
        let mut text = vec![0; length + 2];
        self.0.read_exact(&mut text).expect("the text");
        let text = String::from_utf8(text).expect("UTF-8");
        let count = text.lines().find_map(|line| line.strip_prefix("connected_clients:"));
        count.expect("their number").parse().expect("a number")
    }

    fn wait_for_clients(&mut self, count: usize) {
        let found = (0..1_000_000).map(|_| self.clients()).find(|found| *found == count);
        assert_eq!(found, Some(count), "as many clients as expected");
    }
}

/// A board is written and read as if nobody else were there.
fn assert_serves(client: &mut Client, member: &str) {
    let begun = client.ask(&format!("ZINCRBY board 0 {member}"));
    assert!(begun.starts_with('$'), "{begun}");
    let mut skipped = String::new();
    client.0.read_line(&mut skipped).expect("the score");
    for round in 1..=ROUNDS {
        assert_eq!(client.ask(&format!("ZADD board {round} {member}")), ":0");
        assert_eq!(client.ask(&format!("ZREVRANK board {member}")), ":0");
    }
    assert_eq!(client.ask(&format!("ZREM board {member}")), ":1");
}

#[test]
fn ten_thousand_clients_that_mean_no_good_cost_little_and_disturb_nobody() {
    make_room();
    let folder = tempfile::tempdir().expect("a folder");
    let port = port();
    let address = format!("127.0.0.1:{port}");
    let arguments = ["--resp", &*address, "--durability", "os"];
    let server = Server::start_with("serve", folder.path(), &arguments);
    let (mut one, mut other) = (Client::new(port), Client::new(port));
    assert_serves(&mut one, "ada");
    let before = resident_bytes(folder.path());

    let hostile = CONNECTIONS_MAX - HEALTHY;
    let crowd: Vec<TcpStream> = (0..hostile)
        .map(|number| {
            let client = TcpStream::connect(("127.0.0.1", port));
            let mut client = client.expect("the server listens; are there enough descriptors?");
            let half = [&[], HALF, STAR][number % 3];
            client.write_all(half).expect("the server takes it");
            client
        })
        .collect();
    one.wait_for_clients(CONNECTIONS_MAX);
    assert_eq!(
        Client::new(port).ask(""),
        "-ERR max number of clients reached",
        "one more is one too many"
    );
    assert_serves(&mut one, "ada");
    assert_serves(&mut other, "bob");
    let each = resident_bytes(folder.path()).saturating_sub(before) / hostile as u64;
    println!("{hostile} connections, {each} bytes each");
    assert!(each <= BYTES_MAX, "{each} bytes a connection, the limit is {BYTES_MAX}");

    drop(crowd);
    one.wait_for_clients(HEALTHY);
    assert_serves(&mut other, "cyd");
    assert!(server.stop().success());
}
