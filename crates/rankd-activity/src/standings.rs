//! A summed window, ranked.
//!
//! What it is: every user's sums at one version of the ledger, and who is first among them. What it
//! is not: sorted, unless somebody asks for pages far down; ranks are counted. Invariant: the order
//! is total: score, highest first; then the earlier last activity; then the smaller user id. Cost:
//! 32 bytes a user, twice that once sorted; a first page is a copy, a rank is one pass over all.

use std::cmp::Ordering;
use std::sync::OnceLock;

use crate::row::{Measure, Tally};
use crate::select::Best;
use crate::sum::{RANGE_USERS, RangeSums, Sums};
use crate::users::UsersView;
use crate::window::WindowView;

/// Users who are picked out on the way, so that a page among them costs little.
pub(crate) const TOP_KEPT: usize = 1_024;
/// Of whom so many are put in order at once: the page that is mostly asked for.
pub(crate) const TOP_SORTED: usize = 128;
/// A page that ends before this part of the board is picked out; for a later one, all are sorted.
const PICKED_PART: usize = 16;

/// A user on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) score: i64,
    /// Recommendations, or possible points.
    pub(crate) b: i64,
    pub(crate) last_ms: i64,
    pub(crate) user: u32,
}

/// The order of boards, best first.
pub(crate) fn order(measure: Measure, users: &UsersView, one: &Entry, two: &Entry) -> Ordering {
    debug_assert!(measure == Measure::Points || one.score >= one.b);
    two.score
        .cmp(&one.score)
        .then(one.last_ms.cmp(&two.last_ms))
        .then_with(|| users.id(one.user).cmp(&users.id(two.user)))
}

/// See the module's head.
#[derive(Debug)]
pub struct Standings {
    measure: Measure,
    users: UsersView,
    ranges: Vec<RangeSums>,
    /// The best, of whom [`TOP_SORTED`] are in order.
    top: Vec<Entry>,
    top_sorted: OnceLock<Vec<Entry>>,
    total: usize,
    sorted: OnceLock<Vec<Entry>>,
}

impl Standings {
    pub(crate) fn new(view: &WindowView, sums: Sums) -> Self {
        let Sums { ranges, top } = sums;
        let total = ranges.iter().map(|range| range.entries.len()).sum();
        let users = view.users.clone();
        let (top_sorted, sorted) = (OnceLock::new(), OnceLock::new());
        Self { measure: view.measure, users, ranges, top, top_sorted, total, sorted }
    }

    /// Users on the board.
    pub fn total(&self) -> u64 {
        self.total as u64
    }

    /// The users at these places, the first place being 0. Fewer if the board ends before.
    ///
    /// A copy for the first thousand places; further down, a pass over the board, or its sorting,
    /// which happens once.
    pub fn tallies(&self, offset: usize, limit: usize) -> Vec<Tally> {
        let end = offset.saturating_add(limit).min(self.total);
        if offset >= end {
            return Vec::new();
        }
        let page = |entries: &[Entry]| {
            entries[offset..end].iter().map(|entry| self.tally(entry)).collect()
        };
        if end <= self.top.len().min(TOP_SORTED) {
            return page(&self.top);
        }
        if end <= self.top.len() {
            return page(self.top_sorted());
        }
        if self.sorted.get().is_none() && end <= self.total / PICKED_PART {
            let mut best = Best::new(end, |one, two| self.order(one, two));
            self.entries().for_each(|entry| best.push(*entry));
            return page(&best.finish(end));
        }
        page(self.sorted())
    }

    /// A user's rank, from 1 on, and sums; none if the user is not on the board.
    ///
    /// A pass over the board, unless it is sorted already.
    pub fn rank_of(&self, user: u64) -> Option<(u64, Tally)> {
        let own = self.find(user)?;
        let better = match self.sorted.get() {
            Some(sorted) => sorted.partition_point(|other| self.order(other, own).is_lt()),
            None => self.better_than(own),
        };
        Some((better as u64 + 1, self.tally(own)))
    }

    /// A user's sums; none if the user is not on the board.
    pub fn tally_of(&self, user: u64) -> Option<Tally> {
        self.find(user).map(|entry| self.tally(entry))
    }

    /// Bytes that it takes, or will take once it has been sorted.
    pub fn bytes(&self) -> usize {
        2 * (self.total + self.top.len()) * size_of::<Entry>()
    }

    fn better_than(&self, own: &Entry) -> usize {
        let better = |other: &&Entry| {
            other.score > own.score || (other.score == own.score && self.order(other, own).is_lt())
        };
        self.entries().filter(better).count()
    }

    fn find(&self, user: u64) -> Option<&Entry> {
        let number = self.users.find(user)?;
        let entries = &self.ranges.get(number as usize / RANGE_USERS)?.entries;
        let at = entries.binary_search_by_key(&number, |entry| entry.user).ok()?;
        entries.get(at)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.ranges.iter().flat_map(|range| range.entries.iter())
    }

    fn order(&self, one: &Entry, two: &Entry) -> Ordering {
        order(self.measure, &self.users, one, two)
    }

    /// The best, all in order.
    fn top_sorted(&self) -> &[Entry] {
        self.top_sorted.get_or_init(|| {
            let mut top = self.top.clone();
            top.sort_unstable_by(|one, two| self.order(one, two));
            top
        })
    }

    /// All entries, in order.
    pub(crate) fn sorted(&self) -> &[Entry] {
        self.sorted.get_or_init(|| {
            let mut entries: Vec<Entry> = Vec::with_capacity(self.total);
            entries.extend(self.entries());
            entries.sort_unstable_by(|one, two| self.order(one, two));
            entries
        })
    }

    /// Who has nothing but corrections, and their sum.
    pub(crate) fn ghosts(&self) -> impl Iterator<Item = (u64, i64)> {
        let ghosts = self.ranges.iter().flat_map(|range| &range.ghosts);
        ghosts.map(|&(user, possible)| (self.users.id(user), possible))
    }

    pub(crate) fn id(&self, entry: &Entry) -> u64 {
        self.users.id(entry.user)
    }

    fn tally(&self, entry: &Entry) -> Tally {
        tally(self.measure, self.id(entry), entry.score, entry.b, entry.last_ms)
    }
}

/// A tally of a score and the second sum.
pub(crate) fn tally(measure: Measure, user: u64, score: i64, b: i64, last_ms: i64) -> Tally {
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    let (possible, refer, recommend) = match measure {
        Measure::Referrals => (0, count((score - b) / 3), count(b)),
        Measure::Points => (b, 0, 0),
    };
    Tally { user, score, possible, refer, recommend, last_ms }
}
