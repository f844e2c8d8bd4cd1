//! The index itself, through its public API alone.

use std::ops::Bound;

use rank_index::RankIndex;

use super::{RADIUS, Ranked, Structure};
use crate::data::{Member, Score, Sum};

/// See the module's head.
pub struct Ours<M, S: Score> {
    index: RankIndex<S::Key>,
    members: std::marker::PhantomData<M>,
}

impl<M, S: Score> Ours<M, S> {
    /// The index, for what only it can do.
    pub fn index_mut(&mut self) -> &mut RankIndex<S::Key> {
        &mut self.index
    }
}

impl<M: Member, S: Score> Structure for Ours<M, S> {
    type Member = M;
    type Score = S;

    fn empty() -> Self {
        Self { index: RankIndex::new(), members: std::marker::PhantomData }
    }

    fn set(&mut self, member: &M, score: S) {
        self.index.upsert(member.as_ref(), score.key()).expect("a short name");
    }

    fn remove(&mut self, member: &M) -> bool {
        self.index.remove(member.as_ref()).is_some()
    }

    fn iterate(&self) -> Sum {
        sum::<S>(self.index.iter())
    }

    fn memory_bytes(&self) -> Option<usize> {
        Some(self.index.memory_bytes())
    }
}

impl<M: Member, S: Score> Ranked for Ours<M, S> {
    fn rank(&self, member: &M) -> Option<usize> {
        self.index.rank(member.as_ref())
    }

    fn page(&self, start: usize, len: usize) -> Sum {
        sum::<S>(self.index.range(start..start + len))
    }

    fn count(&self, low: u64, high: u64) -> usize {
        let (low, end) = (S::least(low).key(), S::least(high + 1).key());
        self.index.count_between(Bound::Included(&low), Bound::Excluded(&end))
    }

    fn around(&self, member: &M) -> Option<Sum> {
        let (_, entries) = self.index.around(member.as_ref(), RADIUS)?;
        Some(sum::<S>(entries))
    }

    fn ranks(&self, members: &[M]) -> Option<Vec<Option<usize>>> {
        Some(self.index.ranks(members))
    }
}

fn sum<'a, S: Score>(entries: impl Iterator<Item = rank_index::Entry<'a, S::Key>>) -> Sum {
    let mut sum = Sum::default();
    entries.for_each(|entry| sum.add(S::score_of(&entry.key), entry.member));
    sum
}
