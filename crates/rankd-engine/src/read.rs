//! What users ask: who is at the top, what is my rank, who is around me.
//!
//! Every call takes one turn under the board's lock for reading, so all parts of one answer
//! belong to one state. Ranks are 1-based. Cost: O(log n), plus the entries returned.

use std::collections::HashSet;

use rank_index::{Entry as IndexEntry, RankIndex};

use crate::board::Board;
use crate::codec::Codec;
use crate::ids::Name;
use crate::layout::{Layout, with_index};
use crate::score::Score;

/// How equal scores are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RankStyle {
    /// 1 2 3 4: ties are broken by the board's rule.
    #[default]
    Ordinal,
    /// 1 2 2 4: one more than the number of better scores' members.
    Competition,
    /// 1 2 2 3: one more than the number of better scores.
    Dense,
}

/// A member in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// 1-based ordinal rank.
    pub rank: u64,
    /// The member.
    pub member: Name,
    /// Its score.
    pub score: Score,
    /// Since when it has the score, in milliseconds since 1970, UTC, where the board keeps that.
    pub at_ms: Option<i64>,
}

/// Where one member stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Its score.
    pub score: Score,
    /// 1-based, in the style that was asked for.
    pub rank: u64,
    /// Members of the board.
    pub total: u64,
    /// Since when it has the score, in milliseconds since 1970, UTC, where the board keeps that.
    pub at_ms: Option<i64>,
}

/// Consecutive members of a board.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Members of the board.
    pub total: u64,
    /// Best first.
    pub entries: Vec<Entry>,
}

/// Members within a range of scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorePage {
    /// Members in the range, returned or not.
    pub count: u64,
    /// The best of them, best first.
    pub entries: Vec<Entry>,
}

/// The ranks of a list of members.
#[derive(Debug, Clone, PartialEq)]
pub struct RankList {
    /// Members of the board.
    pub total: u64,
    /// Those that are on the board, each once, in the order of their ranks.
    pub entries: Vec<Entry>,
    /// Those that are not, each once, in the order of the request.
    pub missing: Vec<Name>,
}

impl Board {
    /// Where a member stands; `None` if it is not on the board.
    #[must_use]
    pub fn standing(&self, member: &[u8], style: RankStyle) -> Option<Standing> {
        let codec = self.codec();
        let body = self.body.read();
        with_index!(&body.index, index => {
            let key = index.get(member)?;
            let before = match style {
                RankStyle::Ordinal => index.rank(member)?,
                RankStyle::Competition => index.competition_rank(member)?,
                RankStyle::Dense => index.dense_rank(member)?,
            };
            Some(Standing {
                score: codec.score(key.score_bits()),
                rank: before as u64 + 1,
                total: index.len() as u64,
                at_ms: key.at_ms(codec),
            })
        })
    }

    /// `limit` members from the `offset`-th best on.
    #[must_use]
    pub fn top(&self, offset: u64, limit: usize) -> Page {
        let body = self.body.read();
        with_index!(&body.index, index => {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(index.len());
            page(index, self.codec(), start, start.saturating_add(limit))
        })
    }

    /// The member and up to `radius` neighbours on each side; `None` if it is not on the board.
    #[must_use]
    pub fn around(&self, member: &[u8], radius: usize) -> Option<Page> {
        let body = self.body.read();
        with_index!(&body.index, index => {
            let (start, entries) = index.around(member, radius)?;
            Some(Page { total: index.len() as u64, entries: list(self.codec(), start, entries) })
        })
    }

    /// Members whose scores lie between `min` and `max`, both included, both of the board's kind;
    /// the best `limit` of them.
    #[must_use]
    pub fn by_score(&self, min: Option<Score>, max: Option<Score>, limit: usize) -> ScorePage {
        let codec = self.codec();
        let bits = |bound: Option<Score>| bound.map(|score| codec.score_bits(score));
        // In a descending board the higher score has the smaller bits.
        let (first, last) = match self.definition.order {
            crate::definition::Order::Ascending => (bits(min), bits(max)),
            crate::definition::Order::Descending => (bits(max), bits(min)),
        };
        let body = self.body.read();
        with_index!(&body.index, index => {
            let start = first.map_or(0, |bits| {
                index.partition_point(|key, _| key.score_bits() < bits)
            });
            let end = last.map_or(index.len(), |bits| {
                index.partition_point(|key, _| key.score_bits() <= bits)
            });
            let end = end.max(start);
            let shown = page(index, codec, start, end.min(start.saturating_add(limit)));
            ScorePage { count: (end - start) as u64, entries: shown.entries }
        })
    }

    /// The ranks of many members at once.
    #[must_use]
    pub fn ranks(&self, members: &[Name]) -> RankList {
        let codec = self.codec();
        let body = self.body.read();
        let (mut entries, mut missing) = (Vec::with_capacity(members.len()), Vec::new());
        let total = with_index!(&body.index, index => {
            for (member, position) in members.iter().zip(index.ranks(members)) {
                match position.and_then(|position| index.entry_at(position).zip(Some(position))) {
                    Some((found, position)) => entries.push(entry(codec, position, &found)),
                    None => missing.push(member.clone()),
                }
            }
            index.len() as u64
        });
        drop(body);
        entries.sort_unstable_by_key(|entry| entry.rank);
        entries.dedup_by_key(|entry| entry.rank);
        let mut seen = HashSet::new();
        missing.retain(|member| seen.insert(member.clone()));
        RankList { total, entries, missing }
    }
}

fn page<K: Layout>(index: &RankIndex<K>, codec: Codec, start: usize, end: usize) -> Page {
    let end = end.min(index.len());
    Page { total: index.len() as u64, entries: list(codec, start, index.range(start..end)) }
}

fn list<'i, K: Layout>(
    codec: Codec,
    start: usize,
    entries: impl Iterator<Item = IndexEntry<'i, K>>,
) -> Vec<Entry> {
    (start..).zip(entries).map(|(position, found)| entry(codec, position, &found)).collect()
}

fn entry<K: Layout>(codec: Codec, position: usize, found: &IndexEntry<'_, K>) -> Entry {
    Entry {
        rank: position as u64 + 1,
        member: found.member.into(),
        score: codec.score(found.key.score_bits()),
        at_ms: found.key.at_ms(codec),
    }
}
