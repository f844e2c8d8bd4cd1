//! The script against the engine's own resolution, on random batches: the same outcomes, the same
//! changes, the same stored state. `RANKD_REDIS_OPERATIONS` sets how many intents are tried.

use std::cell::RefCell;
use std::collections::HashMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rankd_engine::{
    Answer, Batch, BoardId, Change, ChangeSink, Definition, IdempotencyKey, Intent, KeptOutcomes,
    Operator, Order, Outcome, Score, ScoreKind, State, StoreError, Ties,
};
use redis::Connection;

use super::*;
use crate::entry::Entry;
use crate::support::{Program, Server};

const PARTITION: PartitionId = 0;
/// Few, so that the stream is trimmed often.
const STREAM_BYTES: usize = 20_000;

/// The engine's changes, one list a batch.
#[derive(Default)]
struct Kept(RefCell<(u64, Vec<Change>)>);

impl ChangeSink for Kept {
    fn append(&self, _accepted_ms: i64, changes: Vec<Change>) -> u64 {
        let mut kept = self.0.borrow_mut();
        kept.0 += 1;
        // The script keeps keys by themselves, not in the stream.
        kept.1.extend(changes.into_iter().filter(|c| !matches!(c, Change::KeyRemembered { .. })));
        kept.0
    }

    fn last_sequence(&self) -> u64 {
        self.0.borrow().0
    }
}

/// Both sides, and which board of one is which of the other.
struct Pair {
    layout: Layout,
    connection: Connection,
    state: std::sync::Arc<State>,
    sink: Kept,
    known: Position,
    ids: HashMap<BoardId, BoardId>,
}

impl Pair {
    fn new(server: &Server) -> Self {
        let layout = Layout { prefix: "t".to_owned(), partitions: 1 };
        let mut connection = server.connection();
        let nonce = Nonce(1);
        let keys = [layout.key(PARTITION, "m"), layout.key(PARTITION, "s")];
        let made: i64 = redis::cmd("EVAL")
            .arg(INIT)
            .arg(2)
            .arg(&keys)
            .arg(&["1", &nonce.text(), "1", "0", "0"])
            .query(&mut connection)
            .expect("the partition is made");
        assert_eq!(made, 1);
        let known = Position { incarnation: 1, sequence: 0, nonce };
        let (state, sink) = (State::new(), Kept::default());
        Self { layout, connection, state, sink, known, ids: HashMap::new() }
    }

    /// Carries out the batches on both sides and compares everything that comes of it.
    fn compare(&mut self, batches: &[&Batch], nonce: Nonce) {
        let target = Target {
            layout: &self.layout,
            partition: PARTITION,
            known: self.known,
            stream_entries: 1_000,
            stream_bytes: STREAM_BYTES as u64,
        };
        let call = Call::new(&target, nonce, batches);
        let mut command = redis::cmd("EVAL");
        command.arg(BATCH).arg(call.keys.len()).arg(&call.keys).arg(&call.args);
        let answer = command.query(&mut self.connection).expect("the script runs");
        let answered = Answered::parse(answer, &call.counts).expect("an answer");
        let Answered::Done { sequence, nonce, batches: replies } = answered else {
            panic!("refused: {answered:?}");
        };
        assert_eq!(replies.len(), batches.len());
        let entry = self.entry_after(sequence, nonce);
        let answers: Vec<_> = batches
            .iter()
            .map(|batch| self.state.execute(batch, &self.sink).map(|receipt| receipt.answer))
            .collect();
        let changes = std::mem::take(&mut self.sink.0.borrow_mut().1);
        self.pair_boards(&changes, &entry);
        for ((batch, expected), reply) in batches.iter().zip(answers).zip(replies) {
            self.compare_answer(batch, expected, reply);
        }
        let expected: Vec<_> = changes.into_iter().map(|change| self.theirs(change)).collect();
        assert_eq!(entry, expected);
    }

    /// Boards are created in the same order on both sides; each side gives out ids of its own.
    fn pair_boards(&mut self, ours: &[Change], theirs: &[Change]) {
        let created = |changes: &[Change]| -> Vec<BoardId> {
            let ids = changes.iter().filter_map(|change| match change {
                Change::BoardCreated { board, .. } => Some(*board),
                _ => None,
            });
            ids.collect()
        };
        for (our, their) in created(ours).into_iter().zip(created(theirs)) {
            let highest = self.ids.values().map(|id| id.0).max().unwrap_or(0);
            assert!(their.0 > highest, "an id is given out once");
            assert_eq!(self.ids.insert(our, their), None);
        }
    }

    /// The changes of the entry that the call wrote, if it wrote one.
    fn entry_after(&mut self, sequence: u64, nonce: Nonce) -> Vec<Change> {
        if sequence == self.known.sequence {
            assert_eq!(nonce, self.known.nonce);
            return Vec::new();
        }
        assert_eq!(sequence, self.known.sequence + 1);
        let id = format!("{sequence}-0");
        let mut command = redis::cmd("XRANGE");
        command.arg(self.layout.key(PARTITION, "s")).arg(&id).arg(&id);
        let value = command.query(&mut self.connection).expect("a range");
        let entry = Entry::of_range(value).expect("entries").remove(0);
        assert_eq!((entry.previous, entry.nonce), (self.known.nonce, nonce));
        self.known = Position { incarnation: 1, sequence, nonce };
        entry.changes
    }

    /// Compares what the engine answered to a batch with what the script did.
    fn compare_answer(
        &self,
        batch: &Batch,
        expected: Result<Answer, StoreError>,
        reply: BatchReply,
    ) {
        match (expected, reply) {
            (Ok(Answer::Fresh(expected)), BatchReply::Fresh(replies)) => {
                assert_eq!(expected.len(), replies.iter().count());
                let both = expected.iter().zip(replies.iter());
                for (intent, (expected, reply)) in batch.intents.iter().zip(both) {
                    let got = outcome(batch, intent, reply).expect("a reply");
                    self.assert_same(intent, expected, &got);
                }
            }
            (Ok(Answer::Repeated(expected)), BatchReply::Repeated(memory)) => {
                let got = BatchReply::kept(&memory, batch).expect("a memory");
                match (&expected, &got) {
                    (KeptOutcomes::One(expected), KeptOutcomes::One(got)) => {
                        self.assert_same(&batch.intents[0], expected, got);
                    }
                    _ => assert_eq!(expected, got),
                }
            }
            (Err(StoreError::KeyReused), BatchReply::KeyReused) => {}
            (expected, reply) => panic!("{batch:?}: {expected:?}, but {reply:?}"),
        }
    }

    /// Outcomes are the same but for the ids that both sides chose.
    fn assert_same(&self, intent: &Intent, expected: &Outcome, got: &Outcome) {
        match (expected, got) {
            (Outcome::Created { board }, Outcome::Created { board: theirs })
            | (Outcome::Existed { board }, Outcome::Existed { board: theirs }) => {
                assert_eq!(self.ids.get(board), Some(theirs), "{intent:?}");
            }
            _ => assert_eq!(expected, got, "{intent:?}"),
        }
    }

    /// The engine's change with the script's id of the board.
    fn theirs(&self, change: Change) -> Change {
        let of = |board| self.ids[&board];
        match change {
            Change::BoardCreated { board, name, definition } => {
                Change::BoardCreated { board: of(board), name, definition }
            }
            Change::BoardDeleted { board } => Change::BoardDeleted { board: of(board) },
            Change::MemberSet { board, member, score, at_ms } => {
                Change::MemberSet { board: of(board), member, score, at_ms }
            }
            Change::MemberRemoved { board, member } => {
                Change::MemberRemoved { board: of(board), member }
            }
            other => other,
        }
    }

    /// The stream holds no more bytes of changes than it may, but for the newest entry.
    fn check_stream(&mut self) {
        let mut command = redis::cmd("XRANGE");
        command.arg(self.layout.key(PARTITION, "s")).arg(&["-", "+"]);
        let value = command.query(&mut self.connection).expect("a range");
        let entries = Entry::of_range(value).expect("entries");
        let bytes: usize = entries.iter().rev().skip(1).map(|entry| entry.bytes).sum();
        assert!(bytes <= STREAM_BYTES, "{bytes} bytes in {} entries", entries.len());
        let newest = entries.last().map(|entry| entry.sequence);
        assert!(newest.is_none_or(|sequence| sequence == self.known.sequence));
    }

    /// Every board in Redis holds what the engine's holds, and anyone can read its sorted set.
    fn compare_stored(&mut self) {
        let boards: HashMap<Vec<u8>, Vec<u8>> = redis::cmd("HGETALL")
            .arg(self.layout.key(PARTITION, "b"))
            .query(&mut self.connection)
            .expect("the boards");
        let ours = self.state.boards(b"", None, 1_000);
        assert_eq!(boards.len(), ours.len());
        for board in ours {
            let name = board.info().name;
            assert!(boards.contains_key(&*name));
            let page = board.top(0, 10_000);
            let zset: Vec<(Vec<u8>, f64)> = redis::cmd("ZRANGE")
                .arg(self.layout.named(PARTITION, "z", &name))
                .arg(&["0", "-1", "WITHSCORES"])
                .query(&mut self.connection)
                .expect("a sorted set");
            let zset: HashMap<_, _> = zset.into_iter().collect();
            assert_eq!(zset.len(), page.entries.len());
            for entry in page.entries {
                let Ok(Score::Float(near)) = entry.score.into_kind(ScoreKind::Float) else {
                    panic!("every score has a nearest double");
                };
                assert_eq!(zset.get(&*entry.member), Some(&near), "{:?}", entry.score);
            }
        }
    }
}

/// Random batches.
struct Dice(ChaCha8Rng);

const BIG: i64 = 1 << 53;

impl Dice {
    fn under(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    fn name(&mut self, letter: char, count: u64) -> Box<[u8]> {
        // Names with spaces, colons and bytes that are no text.
        let mut name = format!("{letter}{}: ", self.under(count)).into_bytes();
        name.push(0xff);
        name.into()
    }

    /// A third beyond 2^53, of these many at the limits.
    fn integer(&mut self) -> i64 {
        match self.under(9) {
            0 => i64::MAX - i64::try_from(self.under(3)).unwrap(),
            1 => i64::MIN + i64::try_from(self.under(3)).unwrap(),
            2 => {
                let near = BIG + i64::try_from(self.under(5)).unwrap() - 2;
                if self.under(2) == 0 { near } else { -near }
            }
            3 => self.0.random(),
            4 => 1_000_000_000 * self.0.random_range(-3..=3) + self.0.random_range(-2..=2),
            _ => self.0.random_range(-5..=5),
        }
    }

    fn score(&mut self) -> Score {
        #[expect(clippy::cast_precision_loss, reason = "any double will do")]
        match self.under(8) {
            0 => Score::Float(self.integer() as f64),
            1 => Score::Float(self.integer() as f64 / 4.0),
            2 => {
                const ODD: [f64; 8] =
                    [f64::NAN, f64::INFINITY, -f64::INFINITY, 0.1, -0.0, 1e308, -1e308, 5e-324];
                Score::Float(ODD[usize::try_from(self.under(8)).unwrap()])
            }
            _ => Score::Integer(self.integer()),
        }
    }

    fn operator(&mut self) -> Operator {
        const ALL: [Operator; 5] =
            [Operator::Latest, Operator::Best, Operator::Sum, Operator::Min, Operator::Max];
        ALL[usize::try_from(self.under(5)).unwrap()]
    }

    fn definition(&mut self) -> Definition {
        let ties = [Ties::Earliest, Ties::Latest, Ties::Member];
        Definition {
            order: if self.under(2) == 0 { Order::Ascending } else { Order::Descending },
            score: if self.under(3) == 0 { ScoreKind::Float } else { ScoreKind::Integer },
            operator: self.operator(),
            ties: ties[usize::try_from(self.under(3)).unwrap()],
            keep_at: self.under(2) == 0,
        }
    }

    fn intent(&mut self, now_ms: i64) -> Intent {
        match self.under(200) {
            0 => Intent::DeleteBoard { name: self.name('b', 12) },
            1..=3 => {
                Intent::CreateBoard { name: self.name('b', 12), definition: self.definition() }
            }
            4..=13 => Intent::Remove { board: self.name('b', 12), member: self.name('m', 15) },
            14..=17 => {
                let texts = ["", "a", "\u{e4} b"];
                let text = texts[usize::try_from(self.under(3)).unwrap()];
                let label = (self.under(3) > 0).then(|| text.into());
                Intent::Label { member: self.name('m', 15), label }
            }
            _ => Intent::Write {
                board: self.name('b', 12),
                member: self.name('m', 15),
                score: self.score(),
                operator: (self.under(2) == 0).then(|| self.operator()),
                at_ms: match self.under(40) {
                    0 => Some(i64::MAX),
                    1..=20 => Some(now_ms + self.0.random_range(-20..=5)),
                    _ => None,
                },
            },
        }
    }

    /// Lets all writes be to one board by one operator, as most batches are.
    fn align(&mut self, intents: &mut [Intent]) {
        let name = self.name('b', 12);
        let chosen = (self.under(2) == 0).then(|| self.operator());
        for intent in intents {
            if let Intent::Write { board, operator, at_ms, .. } = intent {
                board.clone_from(&name);
                *operator = chosen;
                *at_ms = None;
            }
        }
    }

    fn batch(&mut self, now_ms: i64) -> Batch {
        // The clock steps back now and then.
        let now_ms = now_ms - self.0.random_range(0..10);
        let count = if self.under(4) == 0 { 1 } else { self.under(80) };
        let mut intents: Vec<_> = (0..count).map(|_| self.intent(now_ms)).collect();
        if self.under(3) == 0 {
            self.align(&mut intents);
        }
        let mut batch = Batch::new(intents, now_ms);
        batch.auto_create = self.under(3) > 0;
        batch
    }
}

fn operations() -> usize {
    let set = std::env::var("RANKD_REDIS_OPERATIONS");
    set.map_or(60_000, |text| text.parse().expect("RANKD_REDIS_OPERATIONS is a number"))
}

/// More members of one board than a single command is given.
fn large(now_ms: i64) -> [Batch; 2] {
    let names = (0..4_500).map(|number| format!("large {number}").into_bytes().into_boxed_slice());
    let board: Box<[u8]> = b"large".as_slice().into();
    let write = |member: Box<[u8]>| Intent::Write {
        board: board.clone(),
        score: Score::Integer(i64::try_from(member.len()).expect("short")),
        member,
        operator: Some(Operator::Sum),
        at_ms: None,
    };
    let writes: Vec<_> = names.clone().chain(names.clone().step_by(3)).map(write).collect();
    let removals = names.skip(10).map(|member| Intent::Remove { board: board.clone(), member });
    [Batch::new(writes, now_ms), Batch::new(removals.collect(), now_ms)]
}

fn agree(program: Program, seed: u64) {
    let server = Server::start(program, &[]);
    let mut pair = Pair::new(&server);
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    let mut keyed: Vec<Batch> = Vec::new();
    let (mut done, mut now_ms, mut number) = (0, 1_700_000_000_000, 0_u64);
    while done < operations() {
        let mut batches: Vec<Batch> = (0..=dice.under(4)).map(|_| dice.batch(now_ms)).collect();
        if dice.under(3) == 0
            && let Some(batch) = batches.first_mut()
        {
            number += 1;
            let key = format!("key {number}").into_bytes().into();
            batch.idempotency = Some(IdempotencyKey { key, digest: [0xa5; 16] });
            keyed.push(batch.clone());
        } else if dice.under(6) == 0 && !keyed.is_empty() {
            // A repetition, or another request under the same key.
            let chosen = usize::try_from(dice.under(keyed.len() as u64)).unwrap();
            let mut repeated = keyed[chosen].clone();
            if let (0, Some(key)) = (dice.under(4), &mut repeated.idempotency) {
                key.digest = [0x5a; 16];
            }
            batches.push(repeated);
        }
        done += batches.iter().map(|batch| batch.intents.len()).sum::<usize>();
        let call: Vec<&Batch> = batches.iter().collect();
        pair.compare(&call, Nonce(dice.0.random()));
        now_ms += i64::try_from(dice.under(30)).unwrap();
        if dice.under(200) == 0 {
            pair.compare_stored();
        }
        pair.check_stream();
    }
    for batch in large(now_ms) {
        pair.compare(&[&batch], Nonce(dice.0.random()));
        pair.compare_stored();
    }
}

#[test]
fn script_and_engine_agree_on_redis() {
    agree(Program::Redis, 1);
}

#[test]
fn script_and_engine_agree_on_valkey() {
    agree(Program::Valkey, 2);
}
