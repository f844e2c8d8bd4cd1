//! The referrals and recommendations that have one tag.
//!
//! What it is: a run of (time, user) sorted by time. What it is not: sorted by user; a filtered sum
//! goes over what matches and nothing else. Invariant: times ascend; rows of the dead go when
//! runs are merged. Cost: 12 bytes a row.

use std::ops::Range;
use std::sync::Arc;

use crate::row::Window;
use crate::tiers::Run;
use crate::users::UsersView;

/// A row: the time, a bit that says whether it is a referral, and the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) at_ms: i64,
    pub(crate) is_refer: bool,
    pub(crate) user: u32,
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct PostingRun {
    users: Box<[u32]>,
    /// Twice the time, and one more for a referral.
    packed: Box<[i64]>,
}

impl PostingRun {
    /// A run of postings that are sorted by time.
    pub(crate) fn new(postings: &[Posting]) -> Self {
        let packed = |posting: &Posting| posting.at_ms << 1 | i64::from(posting.is_refer);
        Self {
            users: postings.iter().map(|posting| posting.user).collect(),
            packed: postings.iter().map(packed).collect(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Posting {
        let packed = self.packed[at];
        Posting { at_ms: packed >> 1, is_refer: packed & 1 == 1, user: self.users[at] }
    }

    /// Positions of the rows inside of `window`, which is not empty.
    pub(crate) fn within(&self, window: Window) -> Range<usize> {
        let before = |ms: i64| self.packed.partition_point(|&packed| packed >> 1 < ms);
        before(window.from_ms)..before(window.until_ms)
    }
}

impl Run for PostingRun {
    fn len(&self) -> usize {
        self.users.len()
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.users) + size_of_val(&*self.packed)
    }

    fn merged(runs: &[Arc<Self>], users: &UsersView) -> Self {
        let mut postings = Vec::with_capacity(runs.iter().map(|run| run.len()).sum());
        for run in runs {
            let of_run = (0..run.len()).map(|at| run.get(at));
            postings.extend(of_run.filter(|posting| !users.is_dead(posting.user)));
        }
        postings.sort_by_key(|posting| posting.at_ms);
        Self::new(&postings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_half_open_and_signs_survive() {
        let posting = |at_ms, is_refer, user| Posting { at_ms, is_refer, user };
        let rows = [posting(-5, true, 1), posting(-5, false, 2), posting(0, true, 3)];
        let run = PostingRun::new(&rows);
        assert_eq!([run.get(0), run.get(1), run.get(2)], rows);
        let within = |from_ms, until_ms| run.within(Window { from_ms, until_ms });
        assert_eq!(within(-5, 0), 0..2);
        assert_eq!(within(-4, 1), 2..3);
        assert_eq!(within(1, 9), 3..3);
    }
}
