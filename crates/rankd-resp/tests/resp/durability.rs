//! What was acknowledged over the Redis protocol is there after a restart, as one piece where it
//! was sent as one.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::{Intent, Score, State};
use rankd_storage::{EmbeddedOptions, EmbeddedStore, RealFs};

use crate::servers::Ours;
use crate::wire::Value;

fn open(folder: &Path) -> Ours {
    let state = State::new();
    let options = EmbeddedOptions { snapshot_on_close: false, ..EmbeddedOptions::default() };
    let opened = EmbeddedStore::open(folder, options, Arc::new(RealFs), Arc::clone(&state));
    let (store, _report) = opened.expect("the folder is well");
    Ours::over(state, Arc::new(store), |options| options)
}

/// Everything that these tests look at.
fn contents(ours: &Ours) -> Vec<Value> {
    let mut client = ours.client();
    let questions: [&[&str]; 8] = [
        &["ZRANGE", "season", "0", "-1", "WITHSCORES"],
        &["EXISTS", "board", "gone", "copied"],
        &["ZRANGE", "copied", "0", "-1", "WITHSCORES"],
        &["HGETALL", "hash"],
        &["SMEMBERS", "set"],
        &["GET", "text"],
        &["PEXPIRETIME", "season"],
        &["DBSIZE"],
    ];
    questions.iter().map(|question| client.call(question)).collect()
}

#[test]
fn everything_acknowledged_is_there_after_a_restart_from_the_log_and_from_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let ours = open(folder.path());
        let mut client = ours.client();
        let commands: [&[&str]; 11] = [
            &["ZADD", "board", "1", "ada", "inf", "bob", "2.5", "cyd"],
            &["ZREM", "board", "cyd"],
            &["COPY", "board", "copied"],
            &["RENAME", "board", "season"],
            &["ZADD", "gone", "1", "x"],
            &["ZREM", "gone", "x"],
            &["HSET", "hash", "a", "1", "b", "2"],
            &["SADD", "set", "one", "two"],
            &["SREM", "set", "two"],
            &["SET", "text", "bytes"],
            &["PEXPIREAT", "season", "33000000000000"],
        ];
        for command in commands {
            assert!(!matches!(client.call(command), Value::Error(_)), "{command:?}");
        }
        contents(&ours)
    };
    assert_eq!(before[1], Value::integer(1));
    let ours = open(folder.path());
    assert_eq!(contents(&ours), before, "from the log");
    assert_eq!(ours.client().call(&["SAVE"]), Value::simple("OK"));
    drop(ours);
    assert_eq!(contents(&open(folder.path())), before, "from the snapshot");
}

#[test]
fn a_transaction_is_one_record() {
    let folder = tempfile::tempdir().unwrap();
    let ours = open(folder.path());
    let mut client = ours.client();
    let before = ours.engine.stats().sequence;
    client.call(&["MULTI"]);
    for member in 0..50 {
        client.call(&["ZADD", "board", "1", &format!("m{member}")]);
    }
    client.call(&["HSET", "hash", "count", "50"]);
    client.call(&["EXEC"]);
    assert_eq!(ours.engine.stats().sequence, before + 1);
}

#[test]
fn what_comes_over_http_is_seen_here_and_the_other_way_round() {
    let ours = Ours::start();
    let mut client = ours.client();
    let write = |board: &str, member: &str, score: i64| Intent::Write {
        board: board.as_bytes().into(),
        member: member.as_bytes().into(),
        score: Score::Integer(score),
        operator: None,
        at_ms: None,
    };
    let intents = vec![write("http", "ada", (1 << 53) + 1), write("http", "bob", 5)];
    ours.runtime.block_on(ours.engine.submit(intents, false, None)).unwrap();
    // The default board descends and holds integers: exact, and the best is last here.
    let all = client.call(&["ZRANGE", "http", "0", "-1", "WITHSCORES"]);
    assert_eq!(all, Value::bulks(&["bob", "5", "ada", "9007199254740993"]));
    assert_eq!(client.call(&["ZREVRANK", "http", "ada"]), Value::integer(0));
    assert_eq!(client.call(&["ZINCRBY", "http", "2", "ada"]), Value::bulk("9007199254740995"));
    assert!(client.call(&["ZADD", "http", "1.5", "cyd"]).error().contains("integer"));

    client.call(&["ZADD", "resp", "1.5", "ada"]);
    let board = ours.engine.board(b"resp").expect("the board is there");
    assert_eq!(*board.definition(), rankd_engine::redis_definition());
    assert_eq!(board.top(0, 10).entries[0].score, Score::Float(1.5));

    client.call(&["SET", "text", "x"]);
    let refused =
        ours.runtime.block_on(ours.engine.submit(vec![write("text", "a", 1)], false, None));
    let answer = format!("{:?}", refused.unwrap().answer);
    assert!(answer.contains("NameTaken"), "{answer}");
}
