//! Clients that mean no good cost bounded memory and disturb nobody.

use std::io::Write as _;
use std::net::TcpStream;

use rankd_resp::Options;

use crate::servers::Ours;
use crate::wire::{Client, Value};

/// That somebody else is served.
fn assert_serves(ours: &Ours) {
    assert_eq!(ours.client().call(&["PING"]), Value::simple("PONG"));
}

#[test]
fn nonsense_is_answered_with_an_error_and_the_end() {
    let ours = Ours::start();
    let table: [(&[u8], &str); 6] = [
        (b"*1000000000\r\n", "invalid multibulk length"),
        (b"*1\r\n$536870912\r\n", "invalid bulk length"),
        (b"*1\r\nxyz\r\n", "expected '$', got 'x'"),
        (b"\"unbalanced\r\n", "unbalanced quotes"),
        (b"*1\r\n$-5\r\n", "invalid bulk length"),
        (&[b'x'; 100_000], "too big inline request"),
    ];
    for (bytes, expected) in table {
        let mut client = ours.client();
        client.send(bytes);
        let said = String::from_utf8_lossy(&client.rest()).into_owned();
        assert!(said.starts_with("-ERR Protocol error: ") && said.contains(expected), "{said}");
    }
    assert_serves(&ours);
}

#[test]
fn a_web_browser_is_not_spoken_to() {
    let ours = Ours::start();
    for request in ["POST / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\r\nHost: x\r\nFLUSHALL\r\n"] {
        let mut client = ours.client();
        client.send(request.as_bytes());
        let said = String::from_utf8_lossy(&client.rest()).into_owned();
        assert!(!said.contains("OK"), "{said}");
    }
    assert_serves(&ours);
}

#[test]
fn half_a_frame_waits_and_hurts_nobody() {
    let ours = Ours::start();
    let mut half = ours.client();
    half.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc");
    assert_serves(&ours);
    half.send(&[b'd'; 999_997]);
    half.send(b"\r\n");
    assert_eq!(half.read(), Value::simple("OK"));
}

#[test]
fn there_are_no_more_connections_than_allowed() {
    let ours = Ours::with(|options| Options { connections_max: 10, ..options });
    let mut clients: Vec<Client> = (0..10).map(|_| ours.client()).collect();
    for client in &mut clients {
        assert_eq!(client.call(&["PING"]), Value::simple("PONG"));
    }
    let refused = ours.client().rest();
    assert_eq!(refused, b"-ERR max number of clients reached\r\n");
    assert_eq!(clients[0].call(&["PING"]), Value::simple("PONG"));
}

#[test]
fn who_is_silent_for_too_long_is_let_go() {
    let ours = Ours::with(|options| Options { idle_ms: 50, ..options });
    let mut client = ours.client();
    assert_eq!(client.call(&["PING"]), Value::simple("PONG"));
    assert_eq!(client.rest(), b"");
}

#[test]
fn who_never_reads_is_not_read_from_any_more() {
    const ROUNDS_MAX: usize = 100_000;
    let ours = Ours::start();
    let mut setup = ours.client();
    setup.call(&["SET", "large", &"x".repeat(1_000_000)]);
    let mut greedy = TcpStream::connect(ours.address).unwrap();
    greedy.set_nonblocking(true).unwrap();
    // Until the server does not take any more: the replies to one reading wait, and no others.
    let ask = b"GET large\r\n".repeat(1000);
    let stopped = (0..ROUNDS_MAX).any(|_| greedy.write_all(&ask).is_err());
    assert!(stopped, "the server takes commands whose replies nobody reads");
    assert_serves(&ours);
    let Value::Bulk(info) = setup.call(&["INFO", "memory"]) else { panic!("INFO is text") };
    let info = String::from_utf8_lossy(&info).into_owned();
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    assert!(used.parse::<u64>().unwrap() < 1 << 30, "{used} bytes");
}

#[test]
fn addresses_that_others_reach_need_a_password() {
    let options = Options::new(([0, 0, 0, 0], 0).into());
    assert!(rankd_resp::Server::bind(options).is_err());
}
