//! Turns over keys: whatever they do, replaying what they recorded gives the same state, and so
//! does loading a cut of it; and the state is that of a naive model.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rankd_engine::{
    Alone, BoardLoader, Change, ChangeSink, KeyKind, KeyTurn, MemberRow, Procedure, Record, Score,
    State, redis_definition,
};

/// Keeps the records, as a log would.
#[derive(Default)]
struct Log(RefCell<Vec<Record>>);

impl ChangeSink for Log {
    fn append(&self, accepted_ms: i64, changes: Vec<Change>) -> u64 {
        let mut records = self.0.borrow_mut();
        let sequence = records.len() as u64 + 1;
        records.push(Record { sequence, accepted_ms, changes });
        sequence
    }

    fn last_sequence(&self) -> u64 {
        self.0.borrow().len() as u64
    }
}

#[derive(Debug, Clone)]
enum Op {
    Set(u8, u8, i8),
    Remove(u8, u8),
    Text(u8, u8),
    Field(u8, u8, u8),
    DropField(u8, u8),
    Add(u8, u8),
    Take(u8, u8),
    Delete(u8),
    Rename(u8, u8),
    Copy(u8, u8),
    End(u8, Option<u8>),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let (key, name) = (0..4_u8, 0..5_u8);
    prop_oneof![
        4 => (key.clone(), name.clone(), any::<i8>()).prop_map(|(k, m, s)| Op::Set(k, m, s)),
        2 => (key.clone(), name.clone()).prop_map(|(k, m)| Op::Remove(k, m)),
        1 => (key.clone(), any::<u8>()).prop_map(|(k, t)| Op::Text(k, t)),
        2 => (key.clone(), name.clone(), any::<u8>()).prop_map(|(k, f, v)| Op::Field(k, f, v)),
        1 => (key.clone(), name.clone()).prop_map(|(k, f)| Op::DropField(k, f)),
        2 => (key.clone(), name.clone()).prop_map(|(k, e)| Op::Add(k, e)),
        1 => (key.clone(), name).prop_map(|(k, e)| Op::Take(k, e)),
        1 => key.clone().prop_map(Op::Delete),
        1 => (key.clone(), key.clone()).prop_map(|(a, b)| Op::Rename(a, b)),
        1 => (key.clone(), key.clone()).prop_map(|(a, b)| Op::Copy(a, b)),
        1 => (key, prop::option::of(any::<u8>())).prop_map(|(k, at)| Op::End(k, at)),
        1 => Just(Op::Clear),
    ]
}

/// What a key holds, in a form that can be compared.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    Board(BTreeMap<u8, i8>),
    Text(u8),
    Hash(BTreeMap<u8, u8>),
    Set(Vec<u8>),
}

/// Every key with what it holds and when it ends.
type Model = BTreeMap<u8, (Held, Option<i64>)>;

const NOW_MS: i64 = 1_000_000;

struct Ops(Vec<Op>, Model);

impl Ops {
    fn board(&mut self, key: u8) -> Option<&mut BTreeMap<u8, i8>> {
        match self.1.get_mut(&key) {
            Some((Held::Board(members), _)) => Some(members),
            _ => None,
        }
    }

    /// Drops what has become empty.
    fn tidy(&mut self) {
        self.1.retain(|_, (held, _)| match held {
            Held::Board(members) => !members.is_empty(),
            Held::Text(_) => true,
            Held::Hash(fields) => !fields.is_empty(),
            Held::Set(elements) => !elements.is_empty(),
        });
    }

    fn model(&mut self, op: &Op) {
        match *op {
            Op::Set(key, member, score) => {
                self.1.entry(key).or_insert((Held::Board(BTreeMap::new()), None));
                if let Some(members) = self.board(key) {
                    members.insert(member, score);
                }
            }
            Op::Remove(key, member) => {
                if let Some(members) = self.board(key) {
                    members.remove(&member);
                }
            }
            Op::Text(key, text) => {
                let end = self.1.get(&key).and_then(|(_, end)| *end);
                self.1.insert(key, (Held::Text(text), end));
            }
            Op::Field(key, field, value) => {
                let (held, _) = self.1.entry(key).or_insert((Held::Hash(BTreeMap::new()), None));
                if let Held::Hash(fields) = held {
                    fields.insert(field, value);
                }
            }
            Op::DropField(key, field) => {
                if let Some((Held::Hash(fields), _)) = self.1.get_mut(&key) {
                    fields.remove(&field);
                }
            }
            Op::Add(key, element) => {
                let (held, _) = self.1.entry(key).or_insert((Held::Set(Vec::new()), None));
                if let Held::Set(elements) = held
                    && !elements.contains(&element)
                {
                    elements.push(element);
                }
            }
            Op::Take(key, element) => {
                if let Some((Held::Set(elements), _)) = self.1.get_mut(&key) {
                    elements.retain(|other| *other != element);
                }
            }
            Op::Delete(key) => drop(self.1.remove(&key)),
            Op::Rename(from, to) => {
                if let Some(held) = self.1.remove(&from) {
                    self.1.insert(to, held);
                }
            }
            Op::Copy(from, to) if from != to => {
                if let Some(held) = self.1.get(&from).cloned() {
                    self.1.insert(to, held);
                }
            }
            Op::Copy(..) => {}
            Op::End(key, at) => {
                if let Some((_, end)) = self.1.get_mut(&key) {
                    *end = at.map(|at| NOW_MS + 1 + i64::from(at));
                }
            }
            Op::Clear => self.1.clear(),
        }
        self.tidy();
    }
}

/// Does it; where the key holds another sort of value, nothing is to happen.
fn carry_out(turn: &mut KeyTurn<'_>, op: &Op) {
    match *op {
        Op::Set(key, member, score) => {
            let _kind = turn.set_member(&[key], &[member], Score::Float(f64::from(score)));
        }
        Op::Remove(key, member) => {
            let _kind = turn.remove_member(&[key], &[member]);
        }
        Op::Text(key, text) => turn.put_text(&[key], &[text]),
        Op::Field(key, field, value) => {
            let _kind = turn.put_field(&[key], &[field], &[value]);
        }
        Op::DropField(key, field) => {
            let _kind = turn.remove_field(&[key], &[field]);
        }
        Op::Add(key, element) => {
            let _kind = turn.add_element(&[key], &[element]);
        }
        Op::Take(key, element) => {
            let _kind = turn.remove_element(&[key], &[element]);
        }
        Op::Delete(key) => {
            turn.delete(&[key]);
        }
        Op::Rename(from, to) => {
            turn.rename(&[from], &[to]);
        }
        Op::Copy(from, to) if from != to => {
            assert!(turn.copy(&[from], &[to]).is_some(), "there is room");
        }
        Op::Copy(..) => {}
        Op::End(key, at) => {
            if turn.kind(&[key]).is_some() {
                turn.set_end(&[key], at.map(|at| NOW_MS + 1 + i64::from(at)));
            }
        }
        Op::Clear => turn.delete_all(),
    }
}

impl Procedure for Ops {
    fn bytes_max(&self) -> u64 {
        1 << 20
    }

    fn run(&mut self, turn: &mut KeyTurn<'_>) {
        for op in self.0.clone() {
            carry_out(turn, &op);
            self.model(&op);
            assert_eq!(read(turn), self.1, "after {op:?}");
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an i8 was written")]
fn small(score: Score) -> i8 {
    match score {
        Score::Float(score) => score as i8,
        Score::Integer(_) => panic!("boards of Redis hold doubles"),
    }
}

/// Everything that is there.
fn read(turn: &mut KeyTurn<'_>) -> Model {
    let (end, names) = turn.scan(0, usize::MAX - 1);
    assert_eq!(end, 0);
    let mut model = Model::new();
    for name in names {
        let held = match turn.kind(&name).expect("what is listed is there") {
            KeyKind::Board => {
                let mut members = BTreeMap::new();
                turn.board(&name, |view| {
                    view.each(0..view.len(), false, |member, score| {
                        members.insert(member[0], small(score));
                    });
                })
                .unwrap();
                Held::Board(members)
            }
            KeyKind::Text => Held::Text(turn.text(&name).unwrap().unwrap()[0]),
            KeyKind::Hash => {
                let all = |fields: &rankd_engine::Bag<Box<[u8]>>| {
                    fields.iter().map(|(field, value)| (field[0], value[0])).collect()
                };
                Held::Hash(turn.hash(&name, all).unwrap().unwrap())
            }
            KeyKind::Set => {
                let all = |set: &rankd_engine::Bag<()>| set.iter().map(|(e, ())| e[0]).collect();
                Held::Set(turn.set(&name, all).unwrap().unwrap())
            }
        };
        let end_ms = turn.end_of(&name);
        let is_new = model.insert(name[0], (held, end_ms)).is_none();
        assert!(is_new, "a key is listed once");
    }
    model
}

/// A state made from a cut of another, as a start from a snapshot makes it.
fn through_a_cut(state: &Arc<State>, log: &Log) -> Arc<State> {
    let loaded = State::new();
    let mut cut = state.begin_cut(log).unwrap();
    while let Some(mut board) = cut.next_board() {
        let mut rows = Vec::new();
        while board.read(3, &mut rows) > 0 {}
        let mut loader = BoardLoader::new(board.header().clone());
        loader.push(rows.iter().map(MemberRow::as_ref)).unwrap();
        loaded.finish_board(loader, &Alone).unwrap();
    }
    cut.values().for_each(|change| loaded.load_value(&change));
    loaded
}

proptest! {
    #[test]
    fn a_log_and_a_cut_lead_to_what_the_model_says(
        turns in prop::collection::vec(prop::collection::vec(op(), 1..12), 1..8),
    ) {
        let (state, log, replayed) = (State::new(), Log::default(), State::new());
        let mut model = Model::new();
        for ops in turns {
            let mut procedure = Ops(ops, model);
            state.transact(&mut procedure, NOW_MS, &log);
            model = procedure.1;
        }
        for record in log.0.borrow().iter() {
            replayed.apply(record).unwrap();
        }
        let loaded = through_a_cut(&state, &log);
        for (which, state) in [("itself", &state), ("replayed", &replayed), ("loaded", &loaded)] {
            prop_assert_eq!(&state.read_keys(NOW_MS, read), &model, "{}", which);
        }
        let later = replayed.read_keys(NOW_MS + 1000, read);
        model.retain(|_, (_, end)| end.is_none());
        prop_assert_eq!(later, model);
    }
}

#[test]
fn a_board_of_redis_is_what_its_definition_says() {
    let (state, log) = (State::new(), Log::default());
    let mut procedure = Ops(vec![Op::Set(1, 1, 1)], Model::new());
    state.transact(&mut procedure, NOW_MS, &log);
    assert_eq!(*state.board(&[1]).unwrap().definition(), redis_definition());
}
