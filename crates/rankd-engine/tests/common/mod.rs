//! A log in memory, and a naive model of boards to compare with.

#![allow(dead_code, reason = "each test file uses its part")]

use std::cmp::Ordering;
use std::collections::BTreeMap;

use parking_lot::Mutex;
use rankd_engine::{
    Batch, BoardId, Change, ChangeSink, Definition, Intent, Name, Operator, Order, Outcome, Record,
    Score, Ties,
};

/// A sink that keeps everything.
#[derive(Default)]
pub(crate) struct VecSink {
    pub(crate) records: Mutex<Vec<Record>>,
}

impl ChangeSink for VecSink {
    fn append(&self, accepted_ms: i64, changes: Vec<Change>) -> u64 {
        assert!(!changes.is_empty(), "a record is never empty");
        let mut records = self.records.lock();
        let sequence = records.len() as u64 + 1;
        records.push(Record { sequence, accepted_ms, changes });
        sequence
    }

    fn last_sequence(&self) -> u64 {
        self.records.lock().len() as u64
    }
}

pub(crate) fn name(text: &str) -> Name {
    text.as_bytes().into()
}

pub(crate) fn write(board: &str, member: &str, score: i64) -> Intent {
    Intent::Write {
        board: name(board),
        member: name(member),
        score: Score::Integer(score),
        operator: None,
        at_ms: None,
    }
}

pub(crate) fn batch(intents: Vec<Intent>, now_ms: i64) -> Batch {
    Batch { with_ranks: true, ..Batch::new(intents, now_ms) }
}

/// A board as a list that is sorted anew for every question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelBoard {
    pub(crate) definition: Definition,
    pub(crate) members: BTreeMap<Name, (i64, i64)>,
}

impl ModelBoard {
    pub(crate) fn new(definition: Definition) -> Self {
        Self { definition, members: BTreeMap::new() }
    }

    /// Best first, by the rules as the documentation states them.
    pub(crate) fn ranking(&self) -> Vec<(Name, i64, i64)> {
        let mut rows: Vec<_> = self
            .members
            .iter()
            .map(|(member, (score, at))| (member.clone(), *score, *at))
            .collect();
        rows.sort_by(|a, b| {
            let by_score = match self.definition.order {
                Order::Ascending => a.1.cmp(&b.1),
                Order::Descending => b.1.cmp(&a.1),
            };
            let by_time = match self.definition.ties {
                Ties::Earliest => a.2.cmp(&b.2),
                Ties::Latest => b.2.cmp(&a.2),
                Ties::Member => Ordering::Equal,
            };
            by_score.then(by_time).then_with(|| a.0.cmp(&b.0))
        });
        rows
    }

    pub(crate) fn rank(&self, member: &[u8]) -> Option<u64> {
        self.ranking().iter().position(|row| *row.0 == *member).map(|at| at as u64 + 1)
    }

    /// What a write does, written down a second time and differently from the engine.
    ///
    /// `given` is the time that came with the write, `now` the time of its acceptance.
    pub(crate) fn write(
        &mut self,
        member: &Name,
        operator: Operator,
        operand: i64,
        (given, now): (Option<i64>, i64),
    ) -> bool {
        let Some((old, old_at)) = self.members.get(member).copied() else {
            self.members.insert(member.clone(), (operand, given.unwrap_or(now)));
            return true;
        };
        let keeps_time = self.definition.ties != Ties::Member || self.definition.keep_at;
        let at = given.unwrap_or(if keeps_time { now.max(old_at) } else { now });
        let wins = match (operator, self.definition.order) {
            (Operator::Latest, _) => !(keeps_time && at < old_at),
            (Operator::Sum, _) => true,
            (Operator::Min, _) | (Operator::Best, Order::Ascending) => operand < old,
            (Operator::Max, _) | (Operator::Best, Order::Descending) => operand > old,
        };
        let (new, new_at) = match operator {
            Operator::Sum => (old + operand, at.max(old_at)),
            _ => (operand, at),
        };
        if !wins || new == old {
            return false;
        }
        self.members.insert(member.clone(), (new, new_at));
        true
    }
}

/// The id that a creation answered with.
pub(crate) fn created(outcome: &Outcome) -> BoardId {
    match outcome {
        Outcome::Created { board } => *board,
        other => unreachable!("expected a created board, got {other:?}"),
    }
}
