//! A board as Redis would show it: positions from 0 in ascending order of scores.
//!
//! On boards that ascend, that is the board's own order; on boards that descend, the reverse of it,
//! ties included, so that reading from behind gives the board as it is displayed. Cost: O(log n),
//! plus the entries shown.

use std::cmp::Ordering;
use std::ops::Range;

use crate::codec::Codec;
use crate::definition::{Order, Ties};
use crate::layout::{BoardIndex, Layout, with_index};
use crate::score::Score;

/// A bound of a range of scores; the number may be any that a client can write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreBound {
    /// The number, never NaN.
    pub score: Score,
    /// Whether members of exactly this score are outside.
    pub is_exclusive: bool,
}

/// A bound of a range of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Before every member.
    Lowest,
    /// Behind every member.
    Highest,
    /// This member and those beyond.
    Included(&'a [u8]),
    /// Those beyond this member.
    Excluded(&'a [u8]),
}

/// A board that is held for reading or writing.
#[derive(Clone, Copy)]
pub struct BoardView<'a> {
    pub(crate) index: &'a BoardIndex,
    pub(crate) codec: Codec,
}

impl BoardView<'_> {
    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn descends(&self) -> bool {
        self.codec.0.order == Order::Descending
    }

    /// A position of the board's own order as one of ours, and back.
    fn turned(&self, position: usize) -> usize {
        if self.descends() { self.len() - 1 - position } else { position }
    }

    /// The member's score.
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<Score> {
        let codec = self.codec;
        with_index!(self.index, index => {
            index.get(member).map(|key| codec.score(key.score_bits()))
        })
    }

    /// The member's position.
    #[must_use]
    pub fn position(&self, member: &[u8]) -> Option<usize> {
        let position = with_index!(self.index, index => index.rank(member))?;
        Some(self.turned(position))
    }

    /// The positions of many members: the same as one by one, and faster.
    #[must_use]
    pub fn positions(&self, members: &[&[u8]]) -> Vec<Option<usize>> {
        let mut found = with_index!(self.index, index => index.ranks(members));
        if self.descends() {
            found.iter_mut().flatten().for_each(|position| *position = self.turned(*position));
        }
        found
    }

    /// Asks the memory for what looking these members up will read. Right before it.
    pub fn prefetch(&self, members: &[&[u8]]) {
        with_index!(self.index, index => index.prefetch(members));
    }

    /// Asks the memory for what changing these members' scores a little will read.
    pub fn prefetch_changes(&self, members: &[&[u8]]) {
        with_index!(self.index, index => index.prefetch_update(members));
    }

    /// Asks the memory for what giving these members these scores will read.
    pub fn prefetch_puts(&self, members: &[&[u8]], scores: &[Score]) {
        let kind = self.codec.0.score;
        let fitting = scores.iter().filter_map(|score| score.into_kind(kind).ok());
        with_index!(self.index, index => {
            // The time only orders entries that tie: their leaves are neighbours.
            let keys: Vec<_> = fitting.map(|score| Layout::pack(self.codec, score, 0)).collect();
            index.prefetch_upsert(members, &keys);
        });
    }

    /// How many members have a higher score, and how many higher scores there are.
    #[must_use]
    pub fn higher(&self, member: &[u8]) -> Option<(usize, usize)> {
        let descends = self.descends();
        with_index!(self.index, index => {
            let standing = index.standing(member)?;
            if descends {
                return Some((standing.competition(), standing.dense()));
            }
            let bits = standing.key.score_bits();
            let through = index.partition_point(|key, _| key.score_bits() <= bits);
            let last = index.standing_at(index.len() - 1)?;
            Some((index.len() - through, last.dense() - standing.dense()))
        })
    }

    /// Shows the members at these positions, in ascending order or from behind.
    pub fn each(&self, range: Range<usize>, from_behind: bool, mut show: impl FnMut(&[u8], Score)) {
        let len = self.len();
        let range = range.start.min(len)..range.end.min(len);
        if range.is_empty() {
            return;
        }
        let (codec, descends) = (self.codec, self.descends());
        let own = if descends { len - range.end..len - range.start } else { range };
        with_index!(self.index, index => {
            let entries = index.range(own);
            let mut tell = |entry: rank_index::Entry<'_, _>| {
                show(entry.member, codec.score(bits_of(&entry)));
            };
            if from_behind == descends {
                entries.for_each(&mut tell);
            } else {
                entries.rev().for_each(&mut tell);
            }
        });
    }

    /// The positions whose scores lie between the bounds.
    #[must_use]
    pub fn between(&self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        let start = self.first(|score| is_below(score, min));
        let end = self.first(|score| !is_above(score, max));
        start..end.max(start)
    }

    /// The first position at which `is_before`, which holds for low scores, does not hold.
    fn first(&self, is_before: impl Fn(Score) -> bool) -> usize {
        let (codec, descends) = (self.codec, self.descends());
        with_index!(self.index, index => {
            if descends {
                let own = |bits| !is_before(codec.score(bits));
                index.len() - index.partition_point(|key, _| own(key.score_bits()))
            } else {
                index.partition_point(|key, _| is_before(codec.score(key.score_bits())))
            }
        })
    }

    /// Whether equal scores are in the order of their members' bytes, which ranges of members need.
    #[must_use]
    pub fn is_lexical(&self) -> bool {
        self.codec.0.ties == Ties::Member && !self.descends()
    }

    /// The positions of the members between the bounds, if all scores are equal.
    #[must_use]
    pub fn lex_between(&self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        let start = self.first_member(|member| match min {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Included(bound) => member < bound,
            LexBound::Excluded(bound) => member <= bound,
        });
        let end = self.first_member(|member| match max {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Included(bound) => member <= bound,
            LexBound::Excluded(bound) => member < bound,
        });
        start..end.max(start)
    }

    fn first_member(&self, mut is_before: impl FnMut(&[u8]) -> bool) -> usize {
        with_index!(self.index, index => index.partition_point(|_, member| is_before(member)))
    }

    /// Bytes that the members occupy in memory, about.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        with_index!(self.index, index => index.memory_bytes())
    }
}

fn bits_of<K: Layout>(entry: &rank_index::Entry<'_, K>) -> u64 {
    entry.key.score_bits()
}

fn is_below(score: Score, min: ScoreBound) -> bool {
    match compare(score, min.score) {
        Ordering::Less => true,
        Ordering::Equal => min.is_exclusive,
        Ordering::Greater => false,
    }
}

fn is_above(score: Score, max: ScoreBound) -> bool {
    match compare(score, max.score) {
        Ordering::Greater => true,
        Ordering::Equal => max.is_exclusive,
        Ordering::Less => false,
    }
}

/// The exact order of two numbers of any kinds.
pub(crate) fn compare(a: Score, b: Score) -> Ordering {
    match (a, b) {
        (Score::Integer(a), Score::Float(b)) => compare_mixed(a, b),
        (Score::Float(a), Score::Integer(b)) => compare_mixed(b, a).reverse(),
        _ => a.compare(&b),
    }
}

/// An integer against a double, without rounding the integer.
fn compare_mixed(a: i64, b: f64) -> Ordering {
    const I64_END: f64 = 9_223_372_036_854_775_808.0;
    if b >= I64_END {
        return Ordering::Less;
    }
    if b < -I64_END {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within i64, checked above")]
    let whole = b.trunc() as i64;
    // Truncation goes towards zero, so the fraction has the double's sign.
    a.cmp(&whole).then_with(|| 0.0.partial_cmp(&b.fract()).expect("never NaN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_doubles_compare_without_rounding() {
        let big = (1_i64 << 53) + 1;
        let table = [
            (1, 1.0, Ordering::Equal),
            (1, 1.5, Ordering::Less),
            (-1, -1.5, Ordering::Greater),
            (0, -0.5, Ordering::Greater),
            (big, 9_007_199_254_740_992.0, Ordering::Greater),
            (i64::MAX, f64::INFINITY, Ordering::Less),
            (i64::MIN, f64::NEG_INFINITY, Ordering::Greater),
            (i64::MAX, 9_223_372_036_854_775_808.0, Ordering::Less),
            (i64::MIN, -9_223_372_036_854_775_808.0, Ordering::Equal),
        ];
        for (integer, double, expected) in table {
            assert_eq!(compare(Score::Integer(integer), Score::Float(double)), expected);
            let reversed = compare(Score::Float(double), Score::Integer(integer));
            assert_eq!(reversed, expected.reverse());
        }
    }
}
