//! What a store has to hold: a naive model, kept by whoever drives the store.
//!
//! What it is: maps, and the batches that were submitted, in their order. What it is not: a second
//! engine; batches are of a few kinds, whose effect is plain. Invariant: after any crash, the store
//! holds what some number of the submitted batches make up, no fewer than were acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use rankd_engine::{Batch, Change, ChangeSink, Intent, MemberRow, Name, Operator, Score, State};

use crate::random::Random;

/// Time of the first batch, in milliseconds since 1970, UTC.
const FIRST_MS: i64 = 1_700_000_000_000;
const BOARDS: usize = 3;
const MEMBERS: usize = 12;
/// Longest display name that is given, in bytes.
const LABEL_BYTES_MAX: usize = 400;

/// Score and time of each member.
type Members = BTreeMap<Vec<u8>, (i64, i64)>;

/// Everything a state holds, in a form that can be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    boards: BTreeMap<Vec<u8>, Members>,
    labels: BTreeMap<Vec<u8>, String>,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

/// A sink for reading a state, which changes nothing.
struct NoSink;

impl ChangeSink for NoSink {
    fn append(&self, _accepted_ms: i64, _changes: Vec<Change>) -> u64 {
        unreachable!("reading changes nothing")
    }

    fn last_sequence(&self) -> u64 {
        0
    }
}

impl Contents {
    /// Reads a state through the door that snapshots use.
    ///
    /// # Errors
    /// If a snapshot is being taken, or the state holds what no batch has written.
    pub fn of(state: &Arc<State>) -> Result<Self, Violation> {
        let cut = state.begin_cut(&NoSink);
        let mut cut = cut.map_err(|error| Violation(error.to_string()))?;
        let mut contents = Self::default();
        while let Some(mut board) = cut.next_board() {
            let mut rows: Vec<MemberRow> = Vec::new();
            while board.read(100, &mut rows) > 0 {}
            let members = rows.into_iter().map(|row| match (row.score, row.at_ms) {
                (Score::Integer(score), Some(at_ms)) => Ok((row.member.to_vec(), (score, at_ms))),
                other => Err(Violation(format!("nobody wrote {other:?}"))),
            });
            let members = members.collect::<Result<_, _>>()?;
            contents.boards.insert(board.header().name.to_vec(), members);
        }
        contents.labels = cut.labels().map(|(m, label)| (m.to_vec(), label.to_owned())).collect();
        Ok(contents)
    }

    /// Does what the batch does.
    fn apply(&mut self, batch: &Batch) {
        for intent in &batch.intents {
            match intent {
                Intent::Write { board, member, score: Score::Integer(score), operator, .. } => {
                    self.write(board, member, *score, *operator, batch.now_ms);
                }
                Intent::Remove { board, member } => {
                    let members = self.boards.get_mut(&**board);
                    members.and_then(|members| members.remove(&**member));
                }
                Intent::DeleteBoard { name } => drop(self.boards.remove(&**name)),
                Intent::Label { member, label: Some(label) } => {
                    self.labels.insert(member.to_vec(), label.to_string());
                }
                other => unreachable!("no batch has {other:?}"),
            }
        }
    }

    fn write(
        &mut self,
        board: &Name,
        member: &Name,
        score: i64,
        operator: Option<Operator>,
        now_ms: i64,
    ) {
        let members = self.boards.entry(board.to_vec()).or_default();
        let old = members.get(&**member).map(|(score, _)| *score);
        let new = match (operator, old) {
            (Some(Operator::Sum), Some(old)) => old + score,
            (Some(Operator::Best), Some(old)) => old.max(score),
            _ => score,
        };
        if old != Some(new) {
            members.insert(member.to_vec(), (new, now_ms));
        }
    }
}

/// What was submitted to a store, and what of it was acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Model {
    durable: Contents,
    durable_sequence: u64,
    /// Not acknowledged; the first has the sequence after the durable one.
    doubtful: VecDeque<Batch>,
    /// Everything together: what a running store shows.
    memory: Contents,
    batches: i64,
}

impl Model {
    /// The sequence up to which everything was acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.durable_sequence
    }

    /// The sequence of the last batch that was submitted.
    #[must_use]
    pub fn submitted(&self) -> u64 {
        self.durable_sequence + self.doubtful.len() as u64
    }

    /// What a running store shows.
    #[must_use]
    pub fn memory(&self) -> &Contents {
        &self.memory
    }

    /// Draws the next batch, which always changes something, and notes it.
    pub fn submit(&mut self, random: &mut Random) -> Batch {
        loop {
            let batch = self.draw(random);
            let mut memory = self.memory.clone();
            memory.apply(&batch);
            if memory != self.memory {
                self.memory = memory;
                self.doubtful.push_back(batch.clone());
                return batch;
            }
        }
    }

    fn draw(&mut self, random: &mut Random) -> Batch {
        self.batches += 1;
        let intents = match random.below(8) {
            0..=3 => self.writes(random),
            4 => self.sums(random),
            5 => self.labels(random),
            6 => self.removal(random).unwrap_or_else(|| self.writes(random)),
            _ => self.deletion(random).unwrap_or_else(|| self.writes(random)),
        };
        Batch::new(intents, FIRST_MS + self.batches)
    }

    /// Everything up to `sequence` was acknowledged.
    ///
    /// # Errors
    /// If it was never submitted.
    pub fn acknowledge(&mut self, sequence: u64) -> Result<(), Violation> {
        if sequence > self.submitted() {
            return Err(Violation(format!("record {sequence} was acknowledged, never submitted")));
        }
        while self.durable_sequence < sequence {
            let batch = self.doubtful.pop_front().expect("as many as the sequences say");
            self.durable.apply(&batch);
            self.durable_sequence += 1;
        }
        Ok(())
    }

    /// A start came to `sequence` and holds `found`: from now on that is durable, and what was
    /// submitted after it never happened.
    ///
    /// # Errors
    /// If something acknowledged is lost, or `found` is not what was submitted.
    pub fn recover(&mut self, sequence: u64, found: &Contents) -> Result<(), Violation> {
        let acknowledged = self.durable_sequence;
        if sequence < acknowledged {
            return Err(Violation(format!(
                "LOST: record {acknowledged} was acknowledged, the start found {sequence}"
            )));
        }
        self.acknowledge(sequence)?;
        self.doubtful.clear();
        if *found != self.durable {
            return Err(Violation(format!(
                "WRONG: at record {sequence} the store holds {found:?}, expected {:?}",
                self.durable
            )));
        }
        self.memory = self.durable.clone();
        Ok(())
    }

    fn board(&self, random: &mut Random) -> Name {
        format!("board-{}", random.below(BOARDS)).into_bytes().into()
    }

    fn member(&self, random: &mut Random) -> Name {
        format!("member-{}", random.below(MEMBERS)).into_bytes().into()
    }

    /// Several members of one or two boards get a score that nobody ever had.
    fn writes(&self, random: &mut Random) -> Vec<Intent> {
        let count = 1 + random.below(6);
        let operator = if random.one_in(3) { Operator::Best } else { Operator::Latest };
        let write = |place: usize, random: &mut Random| Intent::Write {
            board: self.board(random),
            member: self.member(random),
            score: Score::Integer(self.batches * 10 + i64::try_from(place).expect("a few")),
            operator: Some(operator),
            at_ms: None,
        };
        (0..count).map(|place| write(place, random)).collect()
    }

    fn sums(&self, random: &mut Random) -> Vec<Intent> {
        let sum = |random: &mut Random| Intent::Write {
            board: self.board(random),
            member: self.member(random),
            score: Score::Integer(1),
            operator: Some(Operator::Sum),
            at_ms: None,
        };
        (0..2).map(|_| sum(random)).collect()
    }

    /// A display name that is new, and long enough to take more than a sector now and then.
    fn labels(&self, random: &mut Random) -> Vec<Intent> {
        let length = random.up_to(LABEL_BYTES_MAX);
        let label = format!("{} {}", self.batches, "x".repeat(length));
        let members = (0..2).map(|_| self.member(random));
        let named = |member| Intent::Label { member, label: Some(label.as_str().into()) };
        members.map(named).collect()
    }

    fn removal(&self, random: &mut Random) -> Option<Vec<Intent>> {
        let board = self.board(random);
        let members = self.memory.boards.get(&*board)?;
        let nth = random.below(members.len().max(1));
        let member = members.keys().nth(nth)?.as_slice().into();
        Some(vec![Intent::Remove { board, member }])
    }

    fn deletion(&self, random: &mut Random) -> Option<Vec<Intent>> {
        let name = self.board(random);
        self.memory.boards.contains_key(&*name).then(|| vec![Intent::DeleteBoard { name }])
    }
}
