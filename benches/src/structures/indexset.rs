//! `indexset`: nodes of up to 1024 entries, a Fenwick tree of their sizes, and a hash table.

use indexset::BTreeSet;

use super::{Entry, Ranked, Scores, Structure};
use crate::data::{Member, Score, Sum};

/// See the module's head.
pub struct IndexSet<M: Member, S: Score> {
    order: BTreeSet<Entry<M, S>>,
    scores: Scores<M, S>,
}

impl<M: Member, S: Score> Structure for IndexSet<M, S> {
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
        sum(self.order.iter())
    }
}

impl<M: Member, S: Score> Ranked for IndexSet<M, S> {
    fn rank(&self, member: &M) -> Option<usize> {
        let score = *self.scores.get(member)?;
        Some(self.order.rank(&Entry { score, member: *member }))
    }

    fn page(&self, start: usize, len: usize) -> Sum {
        let end = (start + len).min(self.order.len());
        sum(self.order.range_idx(start..end))
    }

    fn count(&self, low: u64, high: u64) -> usize {
        let before = |score| self.order.rank(&Entry { score: S::least(score), member: M::LEAST });
        before(high + 1) - before(low)
    }
}

fn sum<'a, M: Member, S: Score>(entries: impl Iterator<Item = &'a Entry<M, S>>) -> Sum {
    let mut sum = Sum::default();
    entries.for_each(|entry| sum.add(entry.score.score(), entry.member.as_ref()));
    sum
}
