//! What one connection cannot show: watching, waiting, subscribing, ending.

use std::time::{Duration, Instant};

use rankd_engine::{Intent, Score};
use rankd_resp::Password;

use crate::servers::Ours;
use crate::wire::Value;

#[test]
fn a_watched_key_that_somebody_changes_makes_a_transaction_void() {
    let ours = Ours::start();
    let (mut one, mut other) = (ours.client(), ours.client());
    let changes: [&[&str]; 6] = [
        &["ZADD", "key", "1", "a"],
        &["ZADD", "key", "2", "a"],
        &["EXPIRE", "key", "100"],
        &["ZREM", "key", "a"],
        &["SET", "key", "x"],
        &["FLUSHALL"],
    ];
    for change in changes {
        assert_eq!(one.call(&["WATCH", "key"]), Value::simple("OK"));
        other.call(change);
        one.call(&["MULTI"]);
        one.call(&["SET", "done", "yes"]);
        assert_eq!(one.call(&["EXEC"]), Value::Null(b'*'), "{change:?}");
    }
    one.call(&["WATCH", "key"]);
    other.call(&["GET", "key"]);
    other.call(&["SET", "another", "x"]);
    one.call(&["MULTI"]);
    one.call(&["SET", "done", "yes"]);
    assert_eq!(one.call(&["EXEC"]), Value::List(b'*', vec![Value::simple("OK")]));
}

#[test]
fn a_transaction_that_could_not_be_queued_is_refused() {
    let ours = Ours::start();
    let mut client = ours.client();
    client.call(&["MULTI"]);
    assert!(client.call(&["ZADD", "key"]).error().starts_with("ERR wrong number"));
    assert!(client.call(&["EXEC"]).error().starts_with("EXECABORT"));
    client.call(&["MULTI"]);
    assert!(client.call(&["MULTI"]).error().contains("nested"));
    assert!(client.call(&["SUBSCRIBE", "c"]).error().contains("not allowed inside"));
    assert!(client.call(&["EXEC"]).error().starts_with("EXECABORT"));
}

#[test]
fn who_waits_longest_for_a_member_is_served_first() {
    let ours = Ours::start();
    let mut feeder = ours.client();
    let mut waiters: Vec<_> = (0..3).map(|_| ours.client()).collect();
    for (at, waiter) in waiters.iter_mut().enumerate() {
        waiter.send(b"*4\r\n$8\r\nBZPOPMIN\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\n0\r\n");
        wait_until(&mut feeder, at + 1);
    }
    for (at, waiter) in waiters.iter_mut().enumerate() {
        let member = format!("m{at}");
        feeder.call(&["ZADD", "b", "1", &member]);
        let expected = Value::bulks(&["b", &member, "1"]);
        assert_eq!(waiter.read(), expected, "waiter {at}");
    }
    assert_eq!(feeder.call(&["EXISTS", "b"]), Value::integer(0));
}

/// Asks until so many clients wait.
fn wait_until(client: &mut crate::wire::Client, waiting: usize) {
    let line = format!("blocked_clients:{waiting}\r\n");
    loop {
        let info = client.call(&["INFO", "clients"]);
        let Value::Bulk(text) = info else { panic!("INFO is text") };
        if String::from_utf8_lossy(&text).contains(&line) {
            return;
        }
    }
}

#[test]
fn members_that_come_over_http_end_a_wait_too() {
    let ours = Ours::start();
    let mut waiter = ours.client();
    waiter.send(b"BZPOPMAX http 0\r\n");
    wait_until(&mut ours.client(), 1);
    let write = Intent::Write {
        board: b"http".as_slice().into(),
        member: b"ada".as_slice().into(),
        score: Score::Integer(7),
        operator: None,
        at_ms: None,
    };
    ours.runtime.block_on(ours.engine.submit(vec![write], false, None)).unwrap();
    assert_eq!(waiter.read(), Value::bulks(&["http", "ada", "7"]));
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let ours = Ours::start();
    let begun = Instant::now();
    assert_eq!(ours.client().call(&["BZPOPMIN", "none", "0.15"]), Value::Null(b'*'));
    assert!(begun.elapsed() >= Duration::from_millis(150));
}

#[test]
fn keys_end_when_their_time_has_come() {
    let ours = Ours::start();
    let (mut client, mut listener) = (ours.client(), ours.client());
    client.call(&["CONFIG", "SET", "notify-keyspace-events", "KEA"]);
    listener.call(&["PSUBSCRIBE", "__key*__:*"]);
    client.call(&["ZADD", "board", "1", "ada"]);
    let message = |pattern: &str, channel: &str, payload: &str| {
        Value::bulks(&["pmessage", pattern, channel, payload])
    };
    let all = "__key*__:*";
    assert_eq!(listener.read(), message(all, "__keyspace@0__:board", "zadd"));
    assert_eq!(listener.read(), message(all, "__keyevent@0__:zadd", "board"));
    client.call(&["PEXPIRE", "board", "50"]);
    assert_eq!(listener.read(), message(all, "__keyspace@0__:board", "expire"));
    assert_eq!(listener.read(), message(all, "__keyevent@0__:expire", "board"));
    assert_eq!(listener.read(), message(all, "__keyspace@0__:board", "expired"));
    assert_eq!(listener.read(), message(all, "__keyevent@0__:expired", "board"));
    assert_eq!(client.call(&["EXISTS", "board"]), Value::integer(0));
    assert!(ours.engine.board(b"board").is_none(), "gone for HTTP as well");
}

#[test]
fn subscribers_hear_and_others_do_not() {
    let ours = Ours::start();
    let (mut two, mut three, mut speaker) = (ours.client(), ours.client(), ours.client());
    let subscribed =
        Value::List(b'*', vec![Value::bulk("subscribe"), Value::bulk("news"), Value::integer(1)]);
    assert_eq!(two.call(&["SUBSCRIBE", "news"]), subscribed);
    assert!(two.call(&["GET", "x"]).error().contains("only (P|S)SUBSCRIBE"));
    assert_eq!(two.call(&["PING"]), Value::bulks(&["pong", ""]));
    three.call(&["HELLO", "3"]);
    three.call(&["PSUBSCRIBE", "n*"]);
    assert_eq!(three.call(&["PING"]), Value::simple("PONG"), "RESP3 subscribers may ask");
    assert_eq!(speaker.call(&["PUBLISH", "news", "hello"]), Value::integer(2));
    assert_eq!(two.read(), Value::bulks(&["message", "news", "hello"]));
    let Value::List(b'>', push) = three.read() else { panic!("a push") };
    assert_eq!(push[3], Value::bulk("hello"));
    two.call(&["UNSUBSCRIBE"]);
    assert_eq!(speaker.call(&["PUBLISH", "news", "again"]), Value::integer(1));
}

#[test]
fn a_password_keeps_others_out() {
    let password = Password::new(b"correct horse");
    let ours = Ours::with(|options| rankd_resp::Options { password: Some(password), ..options });
    let mut client = ours.client();
    assert!(client.call(&["GET", "x"]).error().starts_with("NOAUTH"));
    assert!(client.call(&["HELLO", "3"]).error().starts_with("NOAUTH"));
    assert!(client.call(&["AUTH", "wrong"]).error().starts_with("WRONGPASS"));
    assert!(client.call(&["AUTH", "root", "correct horse"]).error().starts_with("WRONGPASS"));
    assert_eq!(client.call(&["AUTH", "correct horse"]), Value::simple("OK"));
    assert_eq!(client.call(&["GET", "x"]), Value::Null(b'$'));
    assert_eq!(client.call(&["RESET"]), Value::simple("RESET"));
    assert!(client.call(&["GET", "x"]).error().starts_with("NOAUTH"));
    let hello = client.call(&["HELLO", "3", "AUTH", "default", "correct horse"]);
    assert!(matches!(hello, Value::List(b'%', _)), "{hello:?}");
}

#[test]
fn a_long_pipeline_is_answered_in_order() {
    let ours = Ours::start();
    let mut client = ours.client();
    let mut bytes = Vec::new();
    for number in 0..20_000 {
        let line = match number % 4 {
            0 => format!("ZADD board {number} m{number}\r\n"),
            1 => format!("ZSCORE board m{}\r\n", number - 1),
            2 => format!("ZREVRANK board m{}\r\n", number - 2),
            _ => format!("ECHO {number}\r\n"),
        };
        bytes.extend(line.bytes());
    }
    client.send(&bytes);
    for number in 0..20_000 {
        let expected = match number % 4 {
            0 => Value::integer(1),
            1 => Value::bulk(&(number - 1).to_string()),
            2 => Value::integer(0),
            _ => Value::bulk(&number.to_string()),
        };
        assert_eq!(client.read(), expected, "reply {number}");
    }
}

#[test]
fn what_redis_does_not_have() {
    let ours = Ours::start();
    let mut client = ours.client();
    client.call(&["ZADD", "b", "10", "a", "20", "b", "20", "c", "30", "d", "40", "e"]);
    let ranks = client.call(&["ZMRANK", "b", "e", "nobody", "a"]);
    let expected = vec![Value::integer(0), Value::Null(b'$'), Value::integer(4)];
    assert_eq!(ranks, Value::List(b'*', expected));
    let around = client.call(&["ZAROUND", "b", "d", "1", "WITHSCORES"]);
    let shown = Value::bulks(&["e", "40", "d", "30", "c", "20"]);
    assert_eq!(around, Value::List(b'*', vec![Value::integer(0), shown]));
    assert_eq!(client.call(&["ZAROUND", "b", "nobody", "1"]), Value::Null(b'*'));
    assert_eq!(client.call(&["ZRANKSTYLE", "b", "b", "COMPETITION"]), Value::integer(2));
    assert_eq!(client.call(&["ZRANKSTYLE", "b", "a", "COMPETITION"]), Value::integer(4));
    assert_eq!(client.call(&["ZRANKSTYLE", "b", "a", "DENSE"]), Value::integer(3));
}

#[test]
fn a_board_keeps_its_top_and_ties_by_time_and_whole_numbers() {
    let ours = Ours::start();
    let mut client = ours.client();
    for number in 1..=5 {
        let score = (number * 10).to_string();
        let member = format!("m{number}");
        let added = client.call(&["ZADDMAX", "top", "3", &score, &member]);
        assert_eq!(added, Value::integer(1));
    }
    let top = client.call(&["ZREVRANGE", "top", "0", "-1"]);
    assert_eq!(top, Value::bulks(&["m5", "m4", "m3"]));
    // One that does not make it was added, and is gone at once.
    assert_eq!(client.call(&["ZADDMAX", "top", "3", "1", "low"]), Value::integer(1));
    assert_eq!(client.call(&["ZSCORE", "top", "low"]), Value::Null(b'$'));
    assert!(client.call(&["ZADDMAX", "top", "0", "1", "a"]).error().contains("at least 1"));
    assert!(client.call(&["ZADDMAX", "top", "3", "x", "a"]).error().contains("not a valid float"));

    let create = ["ZCREATE", "game", "INTEGER", "DESC", "TIES", "EARLIEST"];
    assert_eq!(client.call(&create), Value::simple("OK"));
    assert_eq!(client.call(&create), Value::simple("OK"));
    assert!(client.call(&["ZCREATE", "game"]).error().contains("another kind"));
    assert!(client.call(&["ZCREATE", "other", "SIDEWAYS"]).error().contains("syntax"));
    for (score, member) in [("9007199254740993", "z"), ("9007199254740992", "b")] {
        client.call(&["ZADD", "game", score, member]);
    }
    let order = client.call(&["ZREVRANGE", "game", "0", "-1", "WITHSCORES"]);
    let exact = ["z", "9007199254740993", "b", "9007199254740992"];
    assert_eq!(order, Value::bulks(&exact));
    // By their bytes `a` would come before `z`; `z` was there first.
    wait_for_a_later_millisecond(&mut client);
    client.call(&["ZADD", "game", "9007199254740993", "a"]);
    assert_eq!(client.call(&["ZREVRANK", "game", "a"]), Value::integer(1));
    client.call(&["SET", "text", "x"]);
    assert!(client.call(&["ZCREATE", "text"]).error().starts_with("WRONGTYPE"));
}

/// Asks the server's clock, which ticks in milliseconds, until it has moved on.
fn wait_for_a_later_millisecond(client: &mut crate::wire::Client) {
    let begun = client.call(&["TIME"]);
    while client.call(&["TIME"]) == begun {}
}
