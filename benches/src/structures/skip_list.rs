//! `skiplist`: an ordered skip list whose links carry distances, beside a hash table.
//!
//! It gets 20 levels instead of its default of 16, enough for a million members. It has no range by
//! rank: a page is the entry at the first rank, found by distance, then a cursor at that entry.

use std::ops::Bound;

use skiplist::OrderedSkipList;
use skiplist::level_generator::geometric::Geometric;

use super::{Entry, Ranked, Scores, Structure};
use crate::data::{Member, Score, Sum};

/// Members up to which it is measured: it takes several hundred bytes for each.
pub const SKIP_LIST_MEMBERS_MAX: usize = 1_000_000;
const LEVELS: usize = 20;
/// Entries of one level that have a link of the next.
const RISE: f64 = 0.5;

/// See the module's head.
pub struct SkipList<M: Member, S: Score> {
    order: OrderedSkipList<Entry<M, S>, LEVELS>,
    scores: Scores<M, S>,
}

impl<M: Member, S: Score> SkipList<M, S> {
    /// How many entries come before this one, which need not be there.
    fn before(&self, entry: &Entry<M, S>) -> usize {
        let next = self.order.lower_bound(Bound::Included(entry)).peek_next();
        next.and_then(|next| self.order.rank(next)).unwrap_or(self.order.len())
    }
}

impl<M: Member, S: Score> Structure for SkipList<M, S> {
    type Member = M;
    type Score = S;

    fn empty() -> Self {
        let levels = Geometric::new(LEVELS, RISE).expect("a valid number of levels");
        Self { order: OrderedSkipList::with_level_generator(levels), scores: Scores::default() }
    }

    fn set(&mut self, member: &M, score: S) {
        if let Some(before) = self.scores.insert(*member, score) {
            self.order.take(&Entry { score: before, member: *member });
        }
        self.order.insert(Entry { score, member: *member });
    }

    fn remove(&mut self, member: &M) -> bool {
        let Some(score) = self.scores.remove(member) else { return false };
        self.order.take(&Entry { score, member: *member }).is_some()
    }

    fn iterate(&self) -> Sum {
        let mut sum = Sum::default();
        self.order.iter().for_each(|entry| sum.add(entry.score.score(), entry.member.as_ref()));
        sum
    }
}

impl<M: Member, S: Score> Ranked for SkipList<M, S> {
    fn rank(&self, member: &M) -> Option<usize> {
        let score = *self.scores.get(member)?;
        self.order.rank(&Entry { score, member: *member })
    }

    fn page(&self, start: usize, len: usize) -> Sum {
        let mut sum = Sum::default();
        let Some(first) = self.order.get_by_index(start) else { return sum };
        let mut cursor = self.order.lower_bound(Bound::Included(first));
        for _ in 0..len {
            let Some(entry) = cursor.next() else { break };
            sum.add(entry.score.score(), entry.member.as_ref());
        }
        sum
    }

    fn count(&self, low: u64, high: u64) -> usize {
        let before = |score| self.before(&Entry { score: S::least(score), member: M::LEAST });
        before(high + 1) - before(low)
    }
}
