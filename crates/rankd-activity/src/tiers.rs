//! A block of sorted runs that grows at its end.
//!
//! What it is: runs in the order of their rows' appends, each longer than those after it, or about
//! to be merged with them. What it is not: aware of what a run holds. Invariant: rows of a later
//! run were appended after all those of an earlier one, because only neighbours are merged. A clone
//! is a view; runs never change. Cost: a row is merged O(log n) times; a push merges no more than
//! it is allowed to, unless there are [`RUNS_MAX`] runs.

use std::ops::Range;
use std::sync::Arc;

use crate::users::UsersView;

/// Runs of a block; one more, and they are merged, however long that takes.
const RUNS_MAX: usize = 40;

/// What a block holds several of.
pub(crate) trait Run: Sized {
    /// Its length in rows or cells.
    fn len(&self) -> usize;

    /// What it takes in memory.
    fn bytes(&self) -> usize;

    /// One run for several that follow each other, without the rows of the dead.
    fn merged(runs: &[Arc<Self>], users: &UsersView) -> Self;
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Tiers<R>(Arc<Vec<Arc<R>>>);

impl<R> Default for Tiers<R> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<R> Clone for Tiers<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Run> Tiers<R> {
    /// The runs, oldest first.
    pub(crate) fn runs(&self) -> &[Arc<R>] {
        &self.0
    }

    /// Puts a run behind all others, and merges those that are not longer than what follows them as
    /// long as that makes no run longer than `merged_max`. Whether more should be merged.
    pub(crate) fn push(&mut self, run: R, users: &UsersView, merged_max: usize) -> bool {
        if run.len() == 0 {
            return false;
        }
        let runs = Arc::make_mut(&mut self.0);
        runs.push(Arc::new(run));
        let last = due(runs, runs.len(), merged_max);
        replace(runs, last, users);
        if runs.len() > RUNS_MAX {
            let all = 0..runs.len();
            replace(runs, all, users);
        }
        self.overdue().is_some()
    }

    /// Runs that should be merged.
    pub(crate) fn overdue(&self) -> Option<Range<usize>> {
        let ends = (2..=self.0.len()).rev();
        ends.map(|end| due(&self.0, end, usize::MAX)).find(|range| range.len() > 1)
    }

    /// Puts `merged` in the place of the runs that it was made of; whether they are still there.
    pub(crate) fn install(&mut self, of: &[Arc<R>], merged: R) -> bool {
        let starts = |window: &[Arc<R>]| window.iter().zip(of).all(|(a, b)| Arc::ptr_eq(a, b));
        let Some(at) = self.0.windows(of.len()).position(starts) else { return false };
        let runs = Arc::make_mut(&mut self.0);
        let merged = (merged.len() > 0).then(|| Arc::new(merged));
        runs.splice(at..at + of.len(), merged);
        true
    }

    /// Merges everything into one run.
    pub(crate) fn settle(&mut self, users: &UsersView) {
        if self.0.len() > 1 {
            let all = 0..self.0.len();
            replace(Arc::make_mut(&mut self.0), all, users);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|run| run.len()).sum()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|run| run.bytes() + size_of::<R>()).sum()
    }
}

/// The runs before `end` that should become one of at most `merged_max`: the last of them, and
/// those before it that are not longer than all after them.
fn due<R: Run>(runs: &[Arc<R>], end: usize, merged_max: usize) -> Range<usize> {
    let mut from = end - 1;
    let mut len = runs[from].len();
    while from > 0 && runs[from - 1].len() <= len && len + runs[from - 1].len() <= merged_max {
        from -= 1;
        len += runs[from].len();
    }
    from..end
}

/// Merges these runs.
fn replace<R: Run>(runs: &mut Vec<Arc<R>>, range: Range<usize>, users: &UsersView) {
    if range.len() > 1 {
        let merged = R::merged(&runs[range.clone()], users);
        let merged = (merged.len() > 0).then(|| Arc::new(merged));
        runs.splice(range, merged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that remember their order.
    #[derive(Debug)]
    struct Numbers(Vec<u32>);

    impl Run for Numbers {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn bytes(&self) -> usize {
            0
        }

        fn merged(runs: &[Arc<Self>], _: &UsersView) -> Self {
            Self(runs.iter().flat_map(|run| run.0.iter().copied()).collect())
        }
    }

    fn lens(tiers: &Tiers<Numbers>) -> Vec<usize> {
        tiers.runs().iter().map(|run| run.len()).collect()
    }

    fn all(tiers: &Tiers<Numbers>) -> Vec<u32> {
        tiers.runs().iter().flat_map(|run| run.0.iter().copied()).collect()
    }

    #[test]
    fn runs_stay_few_and_in_order() {
        let users = UsersView::default();
        let mut tiers = Tiers::default();
        for number in 0..1_000 {
            assert!(!tiers.push(Numbers(vec![number]), &users, usize::MAX));
        }
        assert_eq!(lens(&tiers), [512, 256, 128, 64, 32, 8]);
        assert_eq!(all(&tiers), (0..1_000).collect::<Vec<u32>>());
    }

    #[test]
    fn what_is_too_long_is_left_for_later() {
        let users = UsersView::default();
        let mut tiers = Tiers::default();
        for number in 0..16 {
            assert_eq!(tiers.push(Numbers(vec![number]), &users, 4), number >= 7);
        }
        assert_eq!((lens(&tiers), tiers.overdue()), (vec![4, 4, 4, 4], Some(0..4)));

        let of = tiers.runs()[0..4].to_vec();
        let merged = Numbers::merged(&of, &users);
        let others = Numbers::merged(&of[..2], &users);
        tiers.push(Numbers(vec![16]), &users, 4);
        assert!(tiers.install(&of, merged));
        assert!(!tiers.install(&of[..2], others));
        assert_eq!((lens(&tiers), tiers.overdue()), (vec![16, 1], None));
        assert_eq!(all(&tiers), (0..17).collect::<Vec<u32>>());
    }

    #[test]
    fn too_many_runs_are_merged_at_once() {
        let users = UsersView::default();
        let mut tiers = Tiers::default();
        for number in 0..1_000 {
            tiers.push(Numbers(vec![number]), &users, 0);
            assert!(tiers.runs().len() <= RUNS_MAX);
        }
        assert_eq!(all(&tiers), (0..1_000).collect::<Vec<u32>>());
    }
}
