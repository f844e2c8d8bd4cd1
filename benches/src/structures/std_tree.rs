//! The standard library's B-tree beside a hash table: it knows no ranks, so it is the yardstick for
//! writes and iteration alone.

use std::collections::BTreeSet;

use super::{Entry, Scores, Structure};
use crate::data::{Member, Score, Sum};

/// See the module's head.
pub struct StdTree<M, S> {
    order: BTreeSet<Entry<M, S>>,
    scores: Scores<M, S>,
}

impl<M: Member, S: Score> Structure for StdTree<M, S> {
    type Member = M;
    type Score = S;

    fn empty() -> Self {
        Self { order: BTreeSet::new(), scores: Scores::default() }
    }

    fn set(&mut self, member: &M, score: S) {
        if let Some(before) = self.scores.insert(*member, score) {
            self.order.remove(&Entry { score: before, member: *member });
        }
        self.order.insert(Entry { score, member: *member });
    }

    fn remove(&mut self, member: &M) -> bool {
        let Some(score) = self.scores.remove(member) else { return false };
        self.order.remove(&Entry { score, member: *member })
    }

    fn iterate(&self) -> Sum {
        let mut sum = Sum::default();
        self.order.iter().for_each(|entry| sum.add(entry.score.score(), entry.member.as_ref()));
        sum
    }
}
