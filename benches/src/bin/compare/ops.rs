//! The operations that are timed, and what one timing of one of them is asked to do.
//!
//! Invariant: everything a contender does follows from the [`Lot`], so the same lot leaves every
//! contender in the same state and gives the same checksum.

use std::time::Duration;

use anyhow::Result;
use rankd_benches::data::Sequence;

/// Entries that a page has.
pub(crate) const PAGE_LEN: usize = 100;
/// Members whose ranks are asked for in one call.
pub(crate) const WINDOW: usize = 16;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Rank,
    RankDependent,
    RankWindow,
    Set,
    Insert,
    Remove,
    Page,
    Around,
    Count,
    Iterate,
}

impl Op {
    /// All, in the order of the tables.
    pub(crate) const ALL: [Self; 10] = [
        Self::Rank,
        Self::RankDependent,
        Self::RankWindow,
        Self::Set,
        Self::Insert,
        Self::Remove,
        Self::Page,
        Self::Around,
        Self::Count,
        Self::Iterate,
    ];

    /// What the tables call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rank => "rank of a random member",
            Self::RankDependent => "... each lookup depending on the last",
            Self::RankWindow => "... 16 lookups in one call, each",
            Self::Set => "set a new random score",
            Self::Insert => "insert a new member",
            Self::Remove => "remove a member",
            Self::Page => "100 entries at a random rank",
            Self::Around => "around a member, 5 to each side",
            Self::Count => "count in a score range",
            Self::Iterate => "iterate everything, per member",
        }
    }

    /// Whether a lot's members have to be different.
    pub(crate) fn wants_distinct(self) -> bool {
        matches!(self, Self::Insert | Self::Remove)
    }
}

/// One piece of work.
#[derive(Clone, Copy)]
pub(crate) struct Lot<'a, M> {
    /// Who is asked for, in this order.
    pub(crate) asked: &'a [M],
    /// How often all of it is gone through.
    pub(crate) passes: usize,
    /// Members that the board has.
    pub(crate) size: usize,
    /// Different scores that the board may have.
    pub(crate) scores: usize,
    /// Where scores, ranks and ranges come from.
    pub(crate) seed: u64,
}

impl<M> Lot<'_, M> {
    /// Operations that it is made of; for iteration, entries.
    pub(crate) fn operations(&self, op: Op) -> usize {
        match op {
            Op::Iterate => self.size * self.passes,
            Op::Insert | Op::Remove => self.asked.len(),
            Op::RankWindow => (self.asked.len() - self.asked.len() % WINDOW) * self.passes,
            _ => self.asked.len() * self.passes,
        }
    }

    /// The numbers that it is made from.
    pub(crate) fn numbers(&self) -> Sequence {
        Sequence::new(self.seed)
    }

    /// The next rank at which a whole page begins.
    pub(crate) fn page_start(&self, numbers: &mut Sequence) -> usize {
        numbers.below(self.size - PAGE_LEN + 1)
    }

    /// The next range of scores, both ends included.
    pub(crate) fn score_range(&self, numbers: &mut Sequence) -> (u64, u64) {
        let low = numbers.below(self.scores);
        let high = low + numbers.below(self.scores - low);
        (low as u64, high as u64)
    }
}

/// What came of a lot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// How long it took.
    pub(crate) time: Duration,
    /// Of all answers in their order; the same for every contender.
    pub(crate) checksum: u64,
}

/// Something that holds a board and can be timed.
pub(crate) trait Contender<M, S> {
    /// What the tables call it.
    fn name(&self) -> &'static str;

    /// Puts the members into the empty board, in this order.
    fn load(&mut self, entries: &[(M, S)]) -> Result<()>;

    /// Works through the lot; nothing if there is no such operation.
    fn run(&mut self, op: Op, lot: &Lot<'_, M>) -> Result<Option<Outcome>>;

    /// Resident bytes of a process of its own, if it has one.
    fn own_resident_bytes(&self) -> Result<Option<usize>> {
        Ok(None)
    }
}

/// Adds an answer to a checksum in which the order counts.
pub(crate) fn mix(checksum: u64, answer: u64) -> u64 {
    checksum.rotate_left(5) ^ answer
}
