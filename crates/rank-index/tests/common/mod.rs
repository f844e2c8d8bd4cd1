//! Goal: an index and a naive model do the same operations and are compared at every step.
//! Method: the model is a sorted `Vec` of rows that knows scores and times, not the index's codes;
//! its order is written out here a second time, from the policy.

#![allow(dead_code, reason = "every test crate uses a part of this")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod lab;

use std::cmp::Ordering;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rank_index::{
    Direction, Eight, Key, Restructures, ScoreKey, ScoreNoteKey, ScoreTieKey, encode_f64,
    encode_i64, tie_earliest, tie_latest,
};

pub(crate) use lab::Lab;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Score {
    Integer(i64),
    Float(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ties {
    Earliest,
    Latest,
    Member,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) float: bool,
    pub(crate) ties: Ties,
    pub(crate) direction: Direction,
}

/// All twelve.
pub(crate) fn policies() -> Vec<Policy> {
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
pub(crate) trait BoardKey: Key {
    fn make(policy: Policy, score: Score, at_ms: i64) -> Self;

    /// A member that an index of such keys takes.
    fn member(number: u16) -> Vec<u8> {
        member(number)
    }

    /// A member that may be asked for, and may be one that such an index never takes.
    fn needle(number: u16) -> Vec<u8> {
        Self::member(number)
    }
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

impl<K: BoardKey> BoardKey for Eight<K> {
    fn make(policy: Policy, score: Score, at_ms: i64) -> Self {
        Self(K::make(policy, score, at_ms))
    }

    fn member(number: u16) -> Vec<u8> {
        member_of_eight(number).to_vec()
    }

    fn needle(number: u16) -> Vec<u8> {
        if number.is_multiple_of(5) { member(number) } else { Self::member(number) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) score: Score,
    pub(crate) at_ms: i64,
    pub(crate) member: Vec<u8>,
}

impl Row {
    pub(crate) fn key<K: BoardKey>(&self, policy: Policy) -> K {
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

    pub(crate) fn order(&self, other: &Self, policy: Policy) -> Ordering {
        self.key_order(other, policy).then_with(|| self.member.cmp(&other.member))
    }
}

/// The sorted `Vec`.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) policy: Policy,
    pub(crate) rows: Vec<Row>,
}

impl Model {
    pub(crate) fn position(&self, member: &[u8]) -> Option<usize> {
        self.rows.iter().position(|row| row.member == member)
    }

    pub(crate) fn remove(&mut self, member: &[u8]) -> Option<Row> {
        self.position(member).map(|position| self.rows.remove(position))
    }

    pub(crate) fn upsert(&mut self, row: Row) -> Option<Row> {
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
pub(crate) struct Op {
    kind: u8,
    member: u16,
    score: u8,
    at: u8,
    one: u16,
    two: u16,
}

/// How wide a run is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Members that may occur.
    pub(crate) members: u16,
    /// Distinct scores: few make heavy ties.
    pub(crate) scores: u8,
    /// Steps before the run turns from growing to shrinking, and back.
    pub(crate) phase: usize,
    /// Steps between two rounds of questions.
    pub(crate) query_every: usize,
    /// Steps between two checks of all invariants and of the whole content.
    pub(crate) check_every: usize,
}

pub(crate) fn ops(shape: Shape, count: usize) -> impl Strategy<Value = Vec<Op>> {
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
pub(crate) fn run<S: Strategy>(cases: u32, strategy: &S, body: impl Fn(S::Value)) {
    let mut config = Config { cases, failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_260_901);
    }
    config.max_shrink_iters = 400;
    let outcome = TestRunner::new(config).run(strategy, |value| {
        body(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Members of all kinds: none, short, as long as a cell, long with shared prefixes, very long.
pub(crate) fn member(number: u16) -> Vec<u8> {
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

/// Members of eight bytes: both extremes and their neighbours, zeros in front or behind, any.
pub(crate) fn member_of_eight(number: u16) -> [u8; 8] {
    let number = u64::from(number);
    let word = match number % 4 {
        0 => number,
        1 => u64::MAX - (number - 1),
        2 => number << 48,
        _ => number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
    };
    word.to_be_bytes()
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

/// Adds up what several runs restructured; of the heights, the greatest.
pub(crate) fn sum(one: Restructures, two: Restructures) -> Restructures {
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
