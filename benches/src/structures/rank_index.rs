//! The index itself, through its public API alone.

use std::ops::Bound;

use rank_index::RankIndex;

use super::{RADIUS, Ranked, Structure};
use crate::data::{Member, Score, Sum};

/// The key of a score beside such members.
type KeyOf<M, S> = <M as Member>::Beside<<S as Score>::Key>;

/// See the module's head.
pub struct Ours<M: Member, S: Score> {
    index: RankIndex<KeyOf<M, S>>,
}

impl<M: Member, S: Score> Ours<M, S> {
    /// The index, for what only it can do.
    pub fn index_mut(&mut self) -> &mut RankIndex<KeyOf<M, S>> {
        &mut self.index
    }
}

impl<M: Member, S: Score> Structure for Ours<M, S> {
    type Member = M;
    type Score = S;

    fn empty() -> Self {
        Self { index: RankIndex::new() }
    }

    fn set(&mut self, member: &M, score: S) {
        self.index.upsert(member.as_ref(), M::beside(score.key())).expect("a short name");
    }

    fn remove(&mut self, member: &M) -> bool {
        self.index.remove(member.as_ref()).is_some()
    }

    fn iterate(&self) -> Sum {
        sum::<M, S>(self.index.iter())
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
        sum::<M, S>(self.index.range(start..start + len))
    }

    fn count(&self, low: u64, high: u64) -> usize {
        let low = M::beside(S::least(low).key());
        let end = M::beside(S::least(high + 1).key());
        self.index.count_between(Bound::Included(&low), Bound::Excluded(&end))
    }

    fn around(&self, member: &M) -> Option<Sum> {
        let (_, entries) = self.index.around(member.as_ref(), RADIUS)?;
        Some(sum::<M, S>(entries))
    }

    fn ranks(&self, members: &[M]) -> Option<Vec<Option<usize>>> {
        Some(self.index.ranks(members))
    }
}

fn sum<'a, M: Member, S: Score>(
    entries: impl Iterator<Item = rank_index::Entry<'a, KeyOf<M, S>>>,
) -> Sum {
    let mut sum = Sum::default();
    entries.for_each(|entry| sum.add(S::score_of(&M::key_of(entry.key)), entry.member));
    sum
}
