//! Any run of operations on an index, beside a sorted `Vec` that does the same.
//!
//! The first byte picks the index (small nodes or those in use, and the kind of members), every
//! further six bytes are one operation. Runs of up to 1024 writes let short inputs make high trees.

#![no_main]

use std::collections::BTreeMap;
use std::ops::Bound;

use libfuzzer_sys::fuzz_target;
use rank_index::{
    Eight, IndexError, Key, RankIndex, SNAPSHOTS_LIVE_MAX, ScoreKey, ScoreTieKey, Snapshot,
};

/// Operations between two checks of all invariants.
const CHECK_EVERY: usize = 8;
/// Operations of one input: more of them find nothing that these do not.
const OPS_MAX: usize = 1_500;
const OP_BYTES: usize = 6;

/// A key and the members beside it.
trait FuzzKey: Key {
    /// Whether every member has eight bytes.
    const IS_EIGHT: bool = false;

    fn make(score: u64, tie: u64) -> Self;
}

impl FuzzKey for ScoreKey {
    fn make(score: u64, _tie: u64) -> Self {
        Self { score }
    }
}

impl FuzzKey for ScoreTieKey {
    fn make(score: u64, tie: u64) -> Self {
        Self { score, tie }
    }
}

impl<K: FuzzKey> FuzzKey for Eight<K> {
    const IS_EIGHT: bool = true;

    fn make(score: u64, tie: u64) -> Self {
        Self(K::make(score, tie))
    }
}

/// What an index orders by, the tie being 0 where it has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    score: u64,
    tie: u64,
    member: Vec<u8>,
}

impl Row {
    fn key<K: FuzzKey>(&self) -> K {
        K::make(self.score, self.tie)
    }
}

/// Scores of few values, some of them extreme, so that many are equal.
fn score(number: u8) -> u64 {
    match number {
        0xFF => u64::MAX,
        0xFE => 0,
        _ => u64::from(number % 16) << (number >> 4),
    }
}

/// Members of all lengths that matter, with what tells them apart in front or behind.
fn any_member(number: u16) -> Vec<u8> {
    let length = [2, 3, 8, 15, 16, 17, 40, 600][usize::from(number % 8)];
    let fill = vec![if number.is_multiple_of(3) { 0 } else { b'x' }; length - 2];
    let tag = number.to_be_bytes();
    if number & 8 == 0 { [&fill[..], &tag].concat() } else { [&tag[..], &fill].concat() }
}

fn eight_member(number: u16) -> Vec<u8> {
    let wide = u64::from(number);
    let word = [wide, u64::MAX - wide, wide << 48, wide << 24][usize::from(number % 4)];
    word.to_be_bytes().to_vec()
}

fn member<K: FuzzKey>(number: u16) -> Vec<u8> {
    if K::IS_EIGHT { eight_member(number) } else { any_member(number) }
}

#[derive(Clone, Copy)]
struct Op {
    kind: u8,
    member: u16,
    score: u8,
    other: u16,
}

impl Op {
    fn read(bytes: &[u8; OP_BYTES]) -> Self {
        let [kind, a, b, score, c, d] = *bytes;
        let (member, other) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        Self { kind, member, score, other }
    }
}

/// An index, the same as a sorted `Vec`, and snapshots of both.
struct Lab<K: FuzzKey, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    index: RankIndex<K, LEAF, INNER, UPPER>,
    rows: Vec<Row>,
    keys: BTreeMap<Vec<u8>, (u64, u64)>,
    snapshots: Vec<(Snapshot<K, LEAF>, Vec<Row>)>,
}

impl<K: FuzzKey, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Lab<K, LEAF, INNER, UPPER>
{
    fn run(bytes: &[u8]) {
        let mut lab = Self {
            index: RankIndex::with_seed(1),
            rows: Vec::new(),
            keys: BTreeMap::new(),
            snapshots: Vec::new(),
        };
        for (step, op) in bytes.as_chunks().0.iter().map(Op::read).take(OPS_MAX).enumerate() {
            lab.step(op);
            if step.is_multiple_of(CHECK_EVERY) {
                lab.index.check_invariants().expect("every operation keeps the invariants");
            }
        }
        lab.compare_all();
    }

    fn step(&mut self, op: Op) {
        match op.kind % 16 {
            0..=3 => self.upsert(op.member, op.score, op.other),
            4..=5 => self.remove(op.member),
            6 => self.run_of(op, |lab, number| lab.upsert(number, op.score, number >> 3)),
            7 => self.run_of(op, |lab, number| {
                let score = number.wrapping_mul(op.other | 1).to_be_bytes()[0];
                lab.upsert(number, score, number);
            }),
            8 => self.run_of(op, Self::remove),
            9 => self.pop(op.kind & 16 == 0),
            10 => self.take_snapshot(),
            11 => self.drop_snapshot(usize::from(op.other)),
            12 => self.query_member(op),
            13 => self.query_range(op),
            14 => self.query_snapshot(op),
            _ if op.kind < 64 => self.rebuild(),
            _ => self.refuse(op),
        }
    }

    /// Up to 1024 writes, at one distance from each other.
    fn run_of(&mut self, op: Op, write: impl Fn(&mut Self, u16)) {
        let stride = 1 + u16::from(op.kind >> 4);
        for number in 0..op.other % 1_024 {
            write(self, op.member.wrapping_add(number.wrapping_mul(stride)));
        }
    }

    fn forget(&mut self, member: &[u8]) -> Option<K> {
        let (score, tie) = self.keys.remove(member)?;
        let row = Row { score, tie, member: member.to_vec() };
        let position = self.rows.binary_search(&row).expect("both models agree");
        self.rows.remove(position);
        Some(K::make(score, tie))
    }

    fn upsert(&mut self, number: u16, score_number: u8, tie: u16) {
        let member = member::<K>(number);
        let has_tie = K::make(0, 0) != K::make(0, 1);
        let tie = if has_tie { u64::from(tie % 4) } else { 0 };
        let row = Row { score: score(score_number), tie, member };
        let old = self.index.upsert(&row.member, row.key());
        assert_eq!(old, Ok(self.forget(&row.member)));
        self.keys.insert(row.member.clone(), (row.score, row.tie));
        let position = self.rows.partition_point(|other| other < &row);
        self.rows.insert(position, row);
    }

    fn remove(&mut self, number: u16) {
        let member = member::<K>(number);
        assert_eq!(self.index.remove(&member), self.forget(&member));
    }

    fn pop(&mut self, is_first: bool) {
        let popped = if is_first { self.index.pop_first() } else { self.index.pop_last() };
        let row = if is_first { self.rows.first() } else { self.rows.last() }.cloned();
        let expected = row.map(|row| (row.key(), row.member.clone().into_boxed_slice()));
        assert_eq!(popped, expected);
        if let Some((_, member)) = popped {
            self.forget(&member);
        }
    }

    fn take_snapshot(&mut self) {
        let snapshot = self.index.snapshot();
        assert_eq!(snapshot.is_ok(), self.snapshots.len() < SNAPSHOTS_LIVE_MAX);
        self.snapshots.extend(snapshot.ok().map(|snapshot| (snapshot, self.rows.clone())));
    }

    fn drop_snapshot(&mut self, number: usize) {
        if !self.snapshots.is_empty() {
            self.snapshots.swap_remove(number % self.snapshots.len());
        }
    }

    /// Begins again with a bulk build of what is there.
    fn rebuild(&mut self) {
        self.snapshots.clear();
        let entries = self.rows.iter().map(|row| (row.key(), &row.member));
        self.index = RankIndex::from_sorted_with_seed(2, entries).expect("the rows are sorted");
    }

    /// What an index of such members must not take, nor find.
    fn refuse(&mut self, op: Op) {
        let bytes = usize::from(op.other) % 64;
        if !K::IS_EIGHT || bytes == 8 {
            return;
        }
        let other = vec![op.score; bytes];
        let refused = Err(IndexError::MemberNotFixed { bytes, bytes_fixed: 8 });
        assert_eq!(self.index.upsert(&other, K::make(1, 0)), refused);
        assert_eq!((self.index.rank(&other), self.index.remove(&other)), (None, None));
    }

    fn query_member(&self, op: Op) {
        let member = member::<K>(op.member);
        let found = self.keys.get(&member).map(|&(score, tie)| {
            let row = Row { score, tie, member: member.clone() };
            (row.key(), self.rows.binary_search(&row).expect("both models agree"), score)
        });
        assert_eq!(self.index.get(&member), found.map(|(key, ..)| key));
        assert_eq!(self.index.rank(&member), found.map(|(_, rank, _)| rank));
        let better = |score| self.rows.partition_point(|row| row.score < score);
        let competition = found.map(|(.., score)| better(score));
        assert_eq!(self.index.competition_rank(&member), competition);
        let dense = competition.map(|end| {
            let scores = self.rows[..end].chunk_by(|one, two| one.score == two.score);
            scores.count()
        });
        assert_eq!(self.index.dense_rank(&member), dense);
    }

    fn query_range(&self, op: Op) {
        let start = usize::from(op.member) % (self.rows.len() + 1);
        let end = (start + usize::from(op.other % 128)).min(self.rows.len());
        let expected = self.rows[start..end].iter().map(|row| (row.key(), &row.member[..]));
        let range = self.index.range(start..end);
        assert!(range.map(|entry| (entry.key, entry.member)).eq(expected));
        let key = K::make(score(op.score), 0);
        let low = Row { score: score(op.score), tie: 0, member: Vec::new() };
        let first = self.rows.partition_point(|row| row < &low);
        let count = self.index.count_between(Bound::Included(&key), Bound::Unbounded);
        assert_eq!(count, self.rows.len() - first);
        let name = member::<K>(op.member);
        let equals = self.rows[first..].iter().take_while(|row| row.key::<K>() == key);
        let behind = equals.filter(|row| row.member > name).count();
        assert_eq!(self.index.lex_count(&key, Bound::Excluded(&name), Bound::Unbounded), behind);
    }

    fn query_snapshot(&self, op: Op) {
        let Some((snapshot, rows)) = self.snapshots.get(usize::from(op.kind >> 5)) else { return };
        let view = snapshot.view(&self.index);
        let start = usize::from(op.member) % (rows.len() + 1);
        let end = (start + usize::from(op.other % 128)).min(rows.len());
        let expected = rows[start..end].iter().map(|row| (row.key(), &row.member[..]));
        assert!(view.range(start..end).map(|entry| (entry.key, entry.member)).eq(expected));
        let (member, score) = (member::<K>(op.member), score(op.score));
        let row = Row { score, tie: 0, member };
        let before = rows.partition_point(|other| other < &row);
        assert_eq!(view.rank(&row.key(), &row.member), before);
    }

    fn compare_all(&self) {
        self.index.check_invariants().expect("every operation keeps the invariants");
        let entries = self.index.iter().map(|entry| (entry.key, entry.member));
        assert!(entries.eq(self.rows.iter().map(|row| (row.key(), &row.member[..]))));
        let members: Vec<_> = self.rows.iter().map(|row| &row.member).collect();
        assert!(self.index.ranks(&members).into_iter().eq((0..members.len()).map(Some)));
        for (snapshot, rows) in &self.snapshots {
            let view = snapshot.view(&self.index);
            let entries = view.range(..).rev().map(|entry| (entry.key, entry.member));
            assert!(entries.eq(rows.iter().rev().map(|row| (row.key(), &row.member[..]))));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, ops)) = bytes.split_first() else { return };
    match kind % 8 {
        0 => Lab::<ScoreKey, 4, 4, 4>::run(ops),
        1 => Lab::<ScoreTieKey, 4, 4, 4>::run(ops),
        2 => Lab::<Eight<ScoreKey>, 4, 4, 4>::run(ops),
        3 => Lab::<Eight<ScoreTieKey>, 4, 4, 4>::run(ops),
        4 => Lab::<ScoreKey, 58, 30, 64>::run(ops),
        5 => Lab::<ScoreTieKey, 58, 30, 64>::run(ops),
        6 => Lab::<Eight<ScoreKey>, 58, 30, 64>::run(ops),
        _ => Lab::<Eight<ScoreTieKey>, 58, 30, 64>::run(ops),
    }
});
