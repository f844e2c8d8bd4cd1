//! Members that leave their board at a time, against a model that knows nothing of turns: a map of
//! boards to members to scores and ends.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rankd_engine::{ManualClock, State};
use rankd_storage::{EmbeddedOptions, EmbeddedStore, RealFs};

use crate::servers::Ours;
use crate::wire::{Client, Value};

const BOARDS: [&str; 3] = ["one", "two", "three"];
const MEMBERS: [&str; 5] = ["ada", "bob", "cyd", "dee", "a name that is longer than a cell"];
/// So short that many end between two commands.
const TTL_MS_MAX: i64 = 3_000;

/// Members with their scores and ends.
type Board = BTreeMap<&'static str, (i64, Option<i64>)>;

#[derive(Default)]
struct Model {
    boards: BTreeMap<&'static str, Board>,
    now_ms: i64,
}

impl Model {
    fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        let now_ms = self.now_ms;
        for board in self.boards.values_mut() {
            board.retain(|_, (_, end)| end.is_none_or(|end_ms| end_ms > now_ms));
        }
        self.boards.retain(|_, board| !board.is_empty());
    }

    fn add(&mut self, board: &'static str, member: &'static str, change: impl Fn(i64) -> i64) {
        let (score, _) = self.boards.entry(board).or_default().entry(member).or_default();
        *score = change(*score);
    }

    fn remove(&mut self, board: &'static str, member: &str) {
        if let Some(found) = self.boards.get_mut(board) {
            found.remove(member);
        }
        self.boards.retain(|_, board| !board.is_empty());
    }

    /// What ZPEXPIREAT answers, having done it.
    fn expire(&mut self, board: &'static str, member: &str, at_ms: i64, word: &str) -> i64 {
        let found = self.boards.get_mut(board).and_then(|board| board.get_mut(member));
        let Some((_, end)) = found else { return -2 };
        let is_allowed = match word {
            "NX" => end.is_none(),
            "XX" => end.is_some(),
            "GT" => end.is_some_and(|end_ms| at_ms > end_ms),
            "LT" => end.is_none_or(|end_ms| at_ms < end_ms),
            _ => true,
        };
        if !is_allowed {
            return 0;
        }
        *end = Some(at_ms);
        if at_ms > self.now_ms {
            return 1;
        }
        self.remove(board, member);
        2
    }

    fn persist(&mut self, board: &str, member: &str) -> i64 {
        let found = self.boards.get_mut(board).and_then(|board| board.get_mut(member));
        found.map_or(-2, |(_, end)| if end.take().is_some() { 1 } else { -1 })
    }

    /// The scores, and the ends, in the words of the server.
    fn shown(&self, board: &str) -> (Value, Value) {
        let board = self.boards.get(board).cloned().unwrap_or_default();
        let mut rows: Vec<_> = board.iter().map(|(member, (score, _))| (*score, *member)).collect();
        rows.sort_unstable();
        let pairs = rows
            .iter()
            .flat_map(|(score, member)| [Value::bulk(member), Value::bulk(&score.to_string())]);
        let end = |member| match board.get(member) {
            None => -2,
            Some((_, None)) => -1,
            Some((_, Some(end_ms))) => *end_ms,
        };
        let ends = MEMBERS.iter().map(|member| Value::integer(end(member)));
        (Value::List(b'*', pairs.collect()), Value::List(b'*', ends.collect()))
    }
}

/// One random thing, done to both; what both answer is compared where the model answers.
fn step(random: &mut ChaCha8Rng, model: &mut Model, clock: &ManualClock, client: &mut Client) {
    let board = BOARDS[random.random_range(0..BOARDS.len())];
    let other = BOARDS[random.random_range(0..BOARDS.len())];
    let member = MEMBERS[random.random_range(0..MEMBERS.len())];
    let number = random.random_range(-9..=9_i64);
    let text = number.to_string();
    match random.random_range(0..12) {
        0 | 1 => {
            model.add(board, member, |_| number);
            client.call(&["ZADD", board, &text, member]);
        }
        2 => {
            model.add(board, member, |score| score + number);
            client.call(&["ZINCRBY", board, &text, member]);
        }
        3 => {
            model.remove(board, member);
            client.call(&["ZREM", board, member]);
        }
        4..=6 => {
            let word = ["", "NX", "XX", "GT", "LT"][random.random_range(0..5)];
            let at_ms = model.now_ms + random.random_range(-100..TTL_MS_MAX);
            let at = at_ms.to_string();
            let mut command = vec!["ZPEXPIREAT", board, &at, word, "MEMBERS", "1", member];
            command.retain(|word| !word.is_empty());
            let answer = model.expire(board, member, at_ms, word);
            assert_eq!(client.call(&command), Value::List(b'*', vec![Value::integer(answer)]));
        }
        7 => {
            let answer = model.persist(board, member);
            let found = client.call(&["ZPERSIST", board, "MEMBERS", "1", member]);
            assert_eq!(found, Value::List(b'*', vec![Value::integer(answer)]));
        }
        8 if random.random_range(0..4) == 0 => {
            model.boards.remove(board);
            client.call(&["DEL", board]);
        }
        9 if board != other => {
            if let Some(moved) = model.boards.remove(board) {
                model.boards.insert(other, moved);
            }
            client.call(&["RENAME", board, other]);
        }
        10 if board != other => {
            if let Some(copied) = model.boards.get(board).cloned() {
                model.boards.insert(other, copied);
            }
            client.call(&["COPY", board, other, "REPLACE"]);
        }
        _ => {
            model.pass(random.random_range(0..TTL_MS_MAX / 10));
            clock.set(model.now_ms);
        }
    }
}

fn compare(model: &Model, client: &mut Client) {
    for board in BOARDS {
        let mut ask = vec!["ZPEXPIRETIME", board, "MEMBERS", "5"];
        ask.extend(MEMBERS);
        let scores = client.call(&["ZRANGE", board, "0", "-1", "WITHSCORES"]);
        assert_eq!((scores, client.call(&ask)), model.shown(board), "{board}");
    }
}

fn open(folder: &Path, clock: &Arc<ManualClock>) -> Ours {
    let state = State::new();
    let options = EmbeddedOptions { snapshot_on_close: false, ..EmbeddedOptions::default() };
    let opened = EmbeddedStore::open(folder, options, Arc::new(RealFs), Arc::clone(&state));
    let (store, _report) = opened.expect("the folder is well");
    Ours::at(Arc::clone(clock) as Arc<_>, state, Arc::new(store), |options| options)
}

#[test]
fn members_end_as_in_the_model_whatever_else_is_done_and_however_often_it_is_restarted() {
    const STARTS: u32 = 12;
    const STEPS: u32 = 400;
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut model = Model { now_ms: 1_800_000_000_000, ..Model::default() };
    let clock = Arc::new(ManualClock::at(model.now_ms));
    for start in 0..STARTS {
        let ours = open(folder.path(), &clock);
        let mut client = ours.client();
        compare(&model, &mut client);
        for _ in 0..STEPS {
            step(&mut random, &mut model, &clock, &mut client);
            compare(&model, &mut client);
        }
        if start % 3 == 1 {
            assert_eq!(client.call(&["SAVE"]), Value::simple("OK"));
        }
        // Some end while nothing runs.
        model.pass(TTL_MS_MAX / 4);
        drop(ours);
        clock.set(model.now_ms);
    }
}

#[test]
fn ends_of_members_are_refused_where_they_mean_nothing() {
    let ours = Ours::start();
    let mut client = ours.client();
    client.call(&["ZADD", "board", "1", "ada"]);
    client.call(&["SET", "text", "x"]);
    let refused: [(&[&str], &str); 8] = [
        (&["ZEXPIRE", "board", "10", "FIELDS", "1", "ada"], "ERR Unsupported option FIELDS"),
        (&["ZEXPIRE", "board", "x", "MEMBERS", "1", "ada"], "ERR value is not an integer"),
        (&["ZEXPIRE", "board", "-1", "MEMBERS", "1", "ada"], "ERR invalid expire time"),
        (&["ZEXPIRE", "board", "9223372036854775807", "MEMBERS", "1", "a"], "ERR invalid expire"),
        (&["ZEXPIRE", "board", "10", "MEMBERS", "2", "ada"], "ERR The `nummembers` parameter"),
        (&["ZEXPIRE", "board", "10", "MEMBERS", "0", "ada"], "ERR Number of members must be"),
        (&["ZTTL", "board", "MEMBER", "1", "ada"], "ERR Mandatory keyword MEMBERS"),
        (&["ZTTL", "text", "MEMBERS", "1", "ada"], "WRONGTYPE"),
    ];
    for (command, expected) in refused {
        let error = client.call(command).error();
        assert!(error.starts_with(expected), "{command:?}: {error}");
    }
    let end = client.call(&["ZTTL", "board", "MEMBERS", "1", "ada"]);
    assert_eq!(end, Value::List(b'*', vec![Value::integer(-1)]));
}

#[test]
fn who_listens_is_told_of_members_that_ended_and_of_the_board_that_went_with_them() {
    let clock = Arc::new(ManualClock::at(1_000_000));
    let state = State::new();
    let store = Arc::new(rankd_storage::MemoryStore::new(Arc::clone(&state)));
    let ours = Ours::at(Arc::clone(&clock) as Arc<_>, state, store, |options| options);
    let (mut client, mut listener) = (ours.client(), ours.client());
    client.call(&["CONFIG", "SET", "notify-keyspace-events", "KEA"]);
    client.call(&["ZADD", "board", "1", "ada", "2", "bob"]);
    listener.call(&["SUBSCRIBE", "__keyspace@0__:board"]);
    let mut heard = || match listener.read() {
        Value::List(_, parts) => parts.last().cloned(),
        other => panic!("no message: {other:?}"),
    };
    client.call(&["ZEXPIRE", "board", "5", "MEMBERS", "2", "ada", "bob"]);
    assert_eq!(heard(), Some(Value::bulk("zexpire")));
    // Nobody asks: they end by themselves.
    clock.set(1_005_000);
    assert_eq!(heard(), Some(Value::bulk("zexpired")));
    assert_eq!(heard(), Some(Value::bulk("del")));
    assert_eq!(client.call(&["EXISTS", "board"]), Value::integer(0));
    let Value::Bulk(info) = client.call(&["INFO", "stats"]) else { panic!("a text") };
    let info = String::from_utf8(info).unwrap();
    assert!(info.contains("expired_keys:0\r\nexpired_subkeys:2\r\n"), "{info}");
}
