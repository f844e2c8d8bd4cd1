//! Goal: an index and a naive model do the same operations and are compared at every step.
//! Method: the model is a sorted `Vec` of rows that knows scores and times, not the index's codes;
//! its order is written out here a second time, from the policy.

use std::cmp::Ordering;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rank_index::{
    Direction, Key, RankIndex, Restructures, SNAPSHOTS_LIVE_MAX, ScoreKey, ScoreNoteKey,
    ScoreTieKey, Snapshot, SnapshotView, encode_f64, encode_i64, tie_earliest, tie_latest,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    Integer(i64),
    Float(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    Earliest,
    Latest,
    Member,
}

#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub float: bool,
    pub ties: Ties,
    pub direction: Direction,
}

/// All twelve.
pub fn policies() -> Vec<Policy> {
    let mut policies = Vec::new();
    for float in [false, true] {
        for ties in [Ties::Earliest, Ties::Latest, Ties::Member] {
            for direction in [Direction::Ascending, Direction::Descending] {
                policies.push(Policy { float, ties, direction });
            }
        }
    }
    policies
}

/// A key that can be made from what a board knows.
pub trait BoardKey: Key {
    fn make(policy: Policy, score: Score, at_ms: i64) -> Self;
}

fn code(policy: Policy, score: Score) -> u64 {
    let code = match score {
        Score::Integer(score) => encode_i64(score),
        Score::Float(score) => encode_f64(score).expect("the tests use no NaN"),
    };
    policy.direction.apply(code)
}

impl BoardKey for ScoreKey {
    fn make(policy: Policy, score: Score, _: i64) -> Self {
        Self { score: code(policy, score) }
    }
}

impl BoardKey for ScoreNoteKey {
    fn make(policy: Policy, score: Score, at_ms: i64) -> Self {
        Self { score: code(policy, score), note: encode_i64(at_ms) }
    }
}

impl BoardKey for ScoreTieKey {
    fn make(policy: Policy, score: Score, at_ms: i64) -> Self {
        let tie = match policy.ties {
            Ties::Earliest => tie_earliest(at_ms),
            Ties::Latest => tie_latest(at_ms),
            Ties::Member => panic!("ties by member have no code"),
        };
        Self { score: code(policy, score), tie }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub score: Score,
    pub at_ms: i64,
    pub member: Vec<u8>,
}

impl Row {
    pub fn key<K: BoardKey>(&self, policy: Policy) -> K {
        K::make(policy, self.score, self.at_ms)
    }

    fn score_order(&self, other: &Self, policy: Policy) -> Ordering {
        let order = match (self.score, other.score) {
            (Score::Integer(one), Score::Integer(two)) => one.cmp(&two),
            (Score::Float(one), Score::Float(two)) => one.partial_cmp(&two).expect("no NaN"),
            _ => panic!("one board has one type of score"),
        };
        match policy.direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        }
    }

    fn key_order(&self, other: &Self, policy: Policy) -> Ordering {
        self.score_order(other, policy).then(match policy.ties {
            Ties::Earliest => self.at_ms.cmp(&other.at_ms),
            Ties::Latest => other.at_ms.cmp(&self.at_ms),
            Ties::Member => Ordering::Equal,
        })
    }

    pub fn order(&self, other: &Self, policy: Policy) -> Ordering {
        self.key_order(other, policy).then_with(|| self.member.cmp(&other.member))
    }
}

/// The sorted `Vec`.
#[derive(Clone, Debug)]
pub struct Model {
    pub policy: Policy,
    pub rows: Vec<Row>,
}

impl Model {
    pub fn position(&self, member: &[u8]) -> Option<usize> {
        self.rows.iter().position(|row| row.member == member)
    }

    pub fn remove(&mut self, member: &[u8]) -> Option<Row> {
        self.position(member).map(|position| self.rows.remove(position))
    }

    pub fn upsert(&mut self, row: Row) -> Option<Row> {
        let old = self.remove(&row.member);
        let behind = |other: &Row| other.order(&row, self.policy).is_gt();
        let position = self.rows.iter().position(behind).unwrap_or(self.rows.len());
        self.rows.insert(position, row);
        old
    }

    fn competition(&self, position: usize) -> usize {
        let row = &self.rows[position];
        self.rows.iter().filter(|other| other.score_order(row, self.policy).is_lt()).count()
    }

    fn dense(&self, position: usize) -> usize {
        let mut dense = 0;
        for pair in self.rows[..=position].windows(2) {
            dense += usize::from(pair[0].score != pair[1].score);
        }
        dense
    }
}

/// One step of a random run. What the numbers mean depends on `kind` and on what is there.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    kind: u8,
    member: u16,
    score: u8,
    at: u8,
    one: u16,
    two: u16,
}

/// How wide a run is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Members that may occur.
    pub members: u16,
    /// Distinct scores: few make heavy ties.
    pub scores: u8,
    /// Steps before the run turns from growing to shrinking, and back.
    pub phase: usize,
    /// Steps between two checks of all invariants and of the whole content.
    pub check_every: usize,
}

pub fn ops(shape: Shape, count: usize) -> impl Strategy<Value = Vec<Op>> {
    let scores = 0..shape.scores;
    let one = (any::<u8>(), 0..shape.members, scores, 0..4_u8, any::<u16>(), any::<u16>());
    let op = one.prop_map(|(kind, member, score, at, one, two)| Op {
        kind,
        member,
        score,
        at,
        one,
        two,
    });
    vec(op, count)
}

/// Runs `body` on random steps, the same ones each time unless `PROPTEST_RNG_SEED` says otherwise.
pub fn run<S: Strategy>(cases: u32, strategy: &S, body: impl Fn(S::Value)) {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_260_901);
    }
    config.max_shrink_iters = 4_000;
    let outcome = TestRunner::new(config).run(strategy, |value| {
        body(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Members of all kinds: none, short, as long as a cell, long with shared prefixes, very long.
pub fn member(number: u16) -> Vec<u8> {
    let text = number.to_string().into_bytes();
    match number % 8 {
        _ if number == 0 => Vec::new(),
        0 | 1 => text,
        2 => [&b"user:"[..], &[0; 10][text.len()..], &text].concat(),
        3 => [vec![b'x'; 16], text].concat(),
        4 => [vec![0; usize::from(number % 13)], text].concat(),
        5 => [vec![b'x'; 13 - text.len()], text].concat(),
        6 => [vec![b'p'; 16 + usize::from(number % 280)], text].concat(),
        _ => [text, vec![0xFF; 600]].concat(),
    }
}

fn score(policy: Policy, number: u8) -> Score {
    let number = i64::from(number) - 20;
    if !policy.float {
        return Score::Integer(match number {
            -20 => i64::MIN,
            -19 => i64::MAX,
            _ => number,
        });
    }
    Score::Float(match number {
        -20 => f64::NEG_INFINITY,
        -19 => f64::INFINITY,
        -18 => -0.0,
        -17 => 0.0,
        -16 => f64::MIN_POSITIVE,
        _ => f64::from(i32::try_from(number).expect("a small number")) / 4.0,
    })
}

/// An index and its model, with snapshots of both.
pub struct Lab<K: BoardKey, const LEAF: usize, const INNER: usize> {
    pub index: RankIndex<K, LEAF, INNER>,
    pub model: Model,
    snapshots: Vec<(Snapshot<K, LEAF>, Model)>,
}

impl<K: BoardKey, const LEAF: usize, const INNER: usize> Lab<K, LEAF, INNER> {
    pub fn new(policy: Policy) -> Self {
        let model = Model { policy, rows: Vec::new() };
        Self { index: RankIndex::with_seed(7), model, snapshots: Vec::new() }
    }

    /// Does all steps and returns what they restructured.
    pub fn run(&mut self, shape: Shape, ops: &[Op]) -> Restructures {
        let mut restructures = Restructures::default();
        for (step, op) in ops.iter().enumerate() {
            let growing = step / shape.phase % 2 == 0;
            self.write(op, growing);
            self.query(op);
            if step % shape.check_every == 0 {
                self.index.check_invariants().unwrap();
                self.compare_all();
            }
            let height = self.index.restructures().height.max(restructures.height);
            restructures = Restructures { height, ..self.index.restructures() };
        }
        self.index.check_invariants().unwrap();
        self.compare_all();
        restructures
    }

    fn write(&mut self, op: &Op, growing: bool) {
        match (op.kind, growing) {
            (0..=1, _) => self.take_snapshot(),
            (2..=3, _) => self.drop_snapshot(usize::from(op.one)),
            (4..=7, _) => self.pop(op.kind % 2 == 0),
            (8..=27, true) | (8..=160, false) => self.remove_some(op),
            (28..=110, true) | (161..=200, false) => self.update_some(op),
            _ => {
                let at_ms = i64::from(op.at);
                let member = member(op.member);
                self.upsert(Row { score: score(self.model.policy, op.score), at_ms, member });
            }
        }
    }

    pub fn upsert(&mut self, row: Row) {
        let policy = self.model.policy;
        let old = self.index.upsert(&row.member, row.key(policy)).unwrap();
        let expected = self.model.upsert(row).map(|row| row.key(policy));
        assert_eq!(old, expected);
    }

    /// Gives a member that is there another score.
    fn update_some(&mut self, op: &Op) {
        if self.model.rows.is_empty() {
            return;
        }
        let row = &self.model.rows[usize::from(op.one) % self.model.rows.len()];
        let score = score(self.model.policy, op.score);
        self.upsert(Row { score, at_ms: i64::from(op.at), member: row.member.clone() });
    }

    /// Removes a member that is there, or (now and then) one that may not be.
    fn remove_some(&mut self, op: &Op) {
        let member = match self.model.rows.len() {
            0 => member(op.member),
            len if op.two % 8 > 0 => self.model.rows[usize::from(op.one) % len].member.clone(),
            _ => member(op.member),
        };
        let removed = self.index.remove(&member);
        let expected = self.model.remove(&member).map(|row| row.key(self.model.policy));
        assert_eq!(removed, expected);
    }

    fn pop(&mut self, first: bool) {
        let popped = if first { self.index.pop_first() } else { self.index.pop_last() };
        let rows = &mut self.model.rows;
        let row = if rows.is_empty() {
            None
        } else if first {
            Some(rows.remove(0))
        } else {
            rows.pop()
        };
        let expected = row.map(|row| (row.key(self.model.policy), row.member.into_boxed_slice()));
        assert_eq!(popped, expected);
    }

    pub fn take_snapshot(&mut self) {
        if self.snapshots.len() == SNAPSHOTS_LIVE_MAX {
            assert!(self.index.snapshot().is_err());
        } else {
            self.snapshots.push((self.index.snapshot().unwrap(), self.model.clone()));
        }
    }

    fn drop_snapshot(&mut self, number: usize) {
        if !self.snapshots.is_empty() {
            self.snapshots.swap_remove(number % self.snapshots.len());
        }
    }

    /// The whole content, in both directions, here and in all snapshots.
    pub fn compare_all(&self) {
        compare_content(&self.model, self.index.iter(), self.index.iter().rev());
        for (snapshot, model) in &self.snapshots {
            let view = snapshot.view(&self.index);
            assert_eq!(view.len(), model.rows.len());
            assert_eq!(view.is_empty(), model.rows.is_empty());
            compare_content(model, view.range(..), view.range(..).rev());
        }
        let members: Vec<&[u8]> = self.model.rows.iter().map(|row| &row.member[..]).collect();
        let expected: Vec<_> = (0..members.len()).map(Some).collect();
        assert_eq!(self.index.ranks(&members), expected);
    }

    /// One question of each kind, chosen by the step's numbers.
    fn query(&self, op: &Op) {
        let len = self.model.rows.len();
        assert_eq!((self.index.len(), self.index.is_empty()), (len, len == 0));
        self.query_member(&member(op.member));
        let one = usize::from(op.one) % (len + 1);
        let two = usize::from(op.two) % (len + 2);
        if one < len {
            self.query_member(&self.model.rows[one].member);
        }
        self.query_positions(one, two);
        self.query_bounds(op);
        if !self.snapshots.is_empty() {
            let (snapshot, model) = &self.snapshots[usize::from(op.two) % self.snapshots.len()];
            query_view(&snapshot.view(&self.index), model, op);
        }
    }

    fn query_member(&self, member: &[u8]) {
        let model = &self.model;
        let position = model.position(member);
        let key = position.map(|position| model.rows[position].key(model.policy));
        assert_eq!(self.index.get(member), key);
        assert_eq!(self.index.contains(member), position.is_some());
        assert_eq!(self.index.rank(member), position);
        let competition = position.map(|position| model.competition(position));
        assert_eq!(self.index.competition_rank(member), competition);
        let dense = position.map(|position| model.dense(position));
        assert_eq!(self.index.dense_rank(member), dense);
        let around = self.index.around(member, 3);
        let around = around.map(|(start, entries)| (start, entries.len()));
        let expected = position.map(|position| {
            let start = position.saturating_sub(3);
            (start, (position + 4).min(model.rows.len()) - start)
        });
        assert_eq!(around, expected);
    }

    fn query_positions(&self, one: usize, two: usize) {
        let rows = &self.model.rows;
        let entry = self.index.entry_at(one).map(|entry| entry.member);
        assert_eq!(entry, rows.get(one).map(|row| &row.member[..]));
        let end = two.min(rows.len());
        let expected = if one <= end { &rows[one..end] } else { &[] };
        let members = expected.iter().map(|row| &row.member[..]);
        assert!(self.index.range(one..two).map(|entry| entry.member).eq(members.clone()));
        assert!(self.index.range(one..two).rev().map(|entry| entry.member).eq(members.rev()));
        let mut both = self.index.range(one..two);
        let mut left = expected;
        while let [first, rest @ ..] = left {
            assert_eq!(both.len(), left.len());
            assert_eq!(both.next().unwrap().member, first.member);
            left = rest;
            if let [rest @ .., last] = left {
                assert_eq!(both.next_back().unwrap().member, last.member);
                left = rest;
            }
        }
        assert!(both.next().is_none() && both.next_back().is_none());
    }

    fn query_bounds(&self, op: &Op) {
        let (model, policy) = (&self.model, self.model.policy);
        let row = |number: u8, at: u16| Row {
            score: score(policy, number),
            at_ms: i64::from(at % 4),
            member: member(op.member),
        };
        let (low, high) = (row(op.score, op.one), row(op.kind % 40, op.two));
        let (low_key, high_key) = (low.key::<K>(policy), high.key::<K>(policy));
        let before = |row: &Row, order: Ordering| {
            model.rows.iter().filter(|other| other.key_order(row, policy) <= order).count()
        };
        let (less, equal) = (Ordering::Less, Ordering::Equal);
        let expected = before(&low, less)..before(&high, equal);
        let expected = expected.start..expected.end.max(expected.start);
        let bounds = (Bound::Included(&low_key), Bound::Included(&high_key));
        assert_eq!(self.index.positions_between(bounds.0, bounds.1), expected);
        assert_eq!(self.index.range_between(bounds.0, bounds.1).len(), expected.len());
        let above = self.index.count_between(Bound::Excluded(&low_key), Bound::Unbounded);
        assert_eq!(above, model.rows.len() - before(&low, equal));
        let below = self.index.count_between(Bound::Unbounded, Bound::Excluded(&low_key));
        assert_eq!(below, before(&low, less));
        self.query_lex(&low, op.kind);
        let found = self.index.partition_point(|key, member| {
            key.order(&low_key).then_with(|| member.cmp(&low.member)).is_lt()
        });
        let expected = model.rows.iter().filter(|other| other.order(&low, policy).is_lt());
        assert_eq!(found, expected.count());
    }

    fn query_lex(&self, row: &Row, kind: u8) {
        let policy = self.model.policy;
        let (low, high) = (&row.member[..], member(u16::from(kind)));
        let bound = |number: u8, member| match number % 3 {
            0 => Bound::Included(member),
            1 => Bound::Excluded(member),
            _ => Bound::Unbounded,
        };
        let bounds = (bound(kind, low), bound(kind / 3, &high[..]));
        let expected: Vec<&[u8]> = self
            .model
            .rows
            .iter()
            .filter(|other| other.key_order(row, policy).is_eq())
            .map(|other| &other.member[..])
            .filter(|other| match bounds.0 {
                Bound::Included(low) => *other >= low,
                Bound::Excluded(low) => *other > low,
                Bound::Unbounded => true,
            })
            .filter(|other| match bounds.1 {
                Bound::Included(high) => *other <= high,
                Bound::Excluded(high) => *other < high,
                Bound::Unbounded => true,
            })
            .collect();
        let key = row.key::<K>(policy);
        assert_eq!(self.index.lex_count(&key, bounds.0, bounds.1), expected.len());
        let found = self.index.lex_range(&key, bounds.0, bounds.1);
        assert!(found.map(|entry| entry.member).eq(expected));
    }
}

fn query_view<K: BoardKey, const LEAF: usize, const INNER: usize>(
    view: &SnapshotView<'_, K, LEAF, INNER>,
    model: &Model,
    op: &Op,
) {
    let rows = &model.rows;
    let position = usize::from(op.one) % (rows.len() + 1);
    let entry = view.entry_at(position).map(|entry| entry.member);
    assert_eq!(entry, rows.get(position).map(|row| &row.member[..]));
    if let Some(standing) = view.standing_at(position) {
        assert_eq!(standing.position, position);
        assert_eq!(standing.competition(), model.competition(position));
        assert_eq!(standing.dense(), model.dense(position));
    }
    let end = (position + usize::from(op.two) % 20).min(rows.len());
    let members = rows[position..end].iter().map(|row| &row.member[..]);
    assert!(view.range(position..end).map(|entry| entry.member).eq(members.clone()));
    assert!(view.range(position..end).rev().map(|entry| entry.member).eq(members.rev()));
    let policy = model.policy;
    let at_ms = i64::from(op.at);
    let row = Row { score: score(policy, op.score), at_ms, member: member(op.member) };
    let expected = rows.iter().filter(|other| other.order(&row, policy).is_lt()).count();
    let key = row.key::<K>(policy);
    assert_eq!(view.rank(&key, &row.member), expected);
    let found = view.partition_point(|other, member| {
        other.order(&key).then_with(|| member.cmp(&row.member)).is_lt()
    });
    assert_eq!(found, expected);
}

fn compare_content<'a, K: BoardKey>(
    model: &Model,
    forwards: impl ExactSizeIterator<Item = rank_index::Entry<'a, K>>,
    backwards: impl Iterator<Item = rank_index::Entry<'a, K>>,
) {
    assert_eq!(forwards.len(), model.rows.len());
    for (entry, row) in forwards.zip(&model.rows) {
        assert_eq!((entry.key, entry.member), (row.key(model.policy), &row.member[..]));
    }
    let members = model.rows.iter().rev().map(|row| &row.member[..]);
    assert!(backwards.map(|entry| entry.member).eq(members));
}

/// Adds up what several runs restructured; of the heights, the greatest.
pub fn sum(one: Restructures, two: Restructures) -> Restructures {
    Restructures {
        leaf_splits: one.leaf_splits + two.leaf_splits,
        inner_splits: one.inner_splits + two.inner_splits,
        shifts: one.shifts + two.shifts,
        leaf_merges: one.leaf_merges + two.leaf_merges,
        inner_merges: one.inner_merges + two.inner_merges,
        borrows: one.borrows + two.borrows,
        promotions: one.promotions + two.promotions,
        demotions: one.demotions + two.demotions,
        height: one.height.max(two.height),
    }
}
