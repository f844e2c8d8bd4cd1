//! The index of one board, in the narrowest layout that holds what its definition asks for.
//!
//! | definition | layout | bytes of key a member |
//! |---|---|---|
//! | `ties: member` | score | 8 |
//! | `ties: member`, `keep_at` | score, time (kept, not ordered by) | 16 |
//! | `ties: earliest` or `latest` | score, time | 16 |

use rank_index::{Key, RankIndex, ScoreKey, ScoreNoteKey, ScoreTieKey, Snapshot};

use crate::codec::Codec;
use crate::definition::{Definition, Ties};
use crate::rows::MemberRow;
use crate::score::Score;

/// A key that holds a score, and perhaps a time.
pub(crate) trait Layout: Key {
    /// The key of this score and time.
    fn pack(codec: Codec, score: Score, at_ms: i64) -> Self;
    /// The bits that order the score.
    fn score_bits(&self) -> u64;
    /// The time, where this layout keeps it.
    fn at_ms(&self, codec: Codec) -> Option<i64>;
}

impl Layout for ScoreKey {
    fn pack(codec: Codec, score: Score, _at_ms: i64) -> Self {
        Self { score: codec.score_bits(score) }
    }
    fn score_bits(&self) -> u64 {
        self.score
    }
    fn at_ms(&self, _codec: Codec) -> Option<i64> {
        None
    }
}

impl Layout for ScoreTieKey {
    fn pack(codec: Codec, score: Score, at_ms: i64) -> Self {
        Self { score: codec.score_bits(score), tie: codec.tie_bits(at_ms) }
    }
    fn score_bits(&self) -> u64 {
        self.score
    }
    fn at_ms(&self, codec: Codec) -> Option<i64> {
        Some(codec.at_ms(self.tie))
    }
}

impl Layout for ScoreNoteKey {
    fn pack(codec: Codec, score: Score, at_ms: i64) -> Self {
        Self { score: codec.score_bits(score), note: codec.tie_bits(at_ms) }
    }
    fn score_bits(&self) -> u64 {
        self.score
    }
    fn at_ms(&self, codec: Codec) -> Option<i64> {
        Some(codec.at_ms(self.note))
    }
}

/// The index of a board.
#[derive(Debug)]
pub(crate) enum BoardIndex {
    /// Scores alone.
    Plain(RankIndex<ScoreKey>),
    /// Ties by time.
    Timed(RankIndex<ScoreTieKey>),
    /// Ties by member, the time kept.
    Noted(RankIndex<ScoreNoteKey>),
}

/// Runs the same expression on whichever index it is.
macro_rules! with_index {
    ($board_index:expr, $index:ident => $body:expr) => {
        match $board_index {
            $crate::layout::BoardIndex::Plain($index) => $body,
            $crate::layout::BoardIndex::Timed($index) => $body,
            $crate::layout::BoardIndex::Noted($index) => $body,
        }
    };
}
pub(crate) use with_index;

impl BoardIndex {
    /// An empty index for boards of this definition.
    pub(crate) fn new(definition: &Definition) -> Self {
        match (definition.ties, definition.keep_at) {
            (Ties::Member, false) => Self::Plain(RankIndex::new()),
            (Ties::Member, true) => Self::Noted(RankIndex::new()),
            (Ties::Earliest | Ties::Latest, _) => Self::Timed(RankIndex::new()),
        }
    }

    /// Number of members.
    pub(crate) fn len(&self) -> usize {
        with_index!(self, index => index.len())
    }

    /// The member's score, and its time where the layout keeps it.
    pub(crate) fn get(&self, codec: Codec, member: &[u8]) -> Option<(Score, Option<i64>)> {
        with_index!(self, index => {
            index.get(member).map(|key| (codec.score(key.score_bits()), key.at_ms(codec)))
        })
    }

    /// The member's 1-based rank.
    pub(crate) fn rank(&self, member: &[u8]) -> Option<u64> {
        with_index!(self, index => index.rank(member)).map(|position| position as u64 + 1)
    }

    /// Puts the member at this score. Returns whether it is new.
    ///
    /// # Errors
    /// If the member's name is too long or the index is full.
    pub(crate) fn set(
        &mut self,
        codec: Codec,
        member: &[u8],
        score: Score,
        at_ms: i64,
    ) -> Result<bool, rank_index::IndexError> {
        with_index!(self, index => {
            let previous = index.upsert(member, Layout::pack(codec, score, at_ms))?;
            Ok(previous.is_none())
        })
    }

    /// Puts the member at this score and returns the one that it had. Where the score is the same,
    /// the time stays, too.
    ///
    /// # Errors
    /// As [`BoardIndex::set`].
    pub(crate) fn put(
        &mut self,
        codec: Codec,
        member: &[u8],
        score: Score,
        at_ms: i64,
    ) -> Result<Option<Score>, rank_index::IndexError> {
        if let Self::Plain(index) = self {
            let previous = index.upsert(member, Layout::pack(codec, score, at_ms))?;
            return Ok(previous.map(|key| codec.score(key.score_bits())));
        }
        self.update(codec, member, at_ms, |_| Some(score))
    }

    /// Puts the member at the score that `change` makes of the one that it has, and returns that
    /// one. Where it is the same, or `None`, the time stays, too.
    ///
    /// # Errors
    /// As [`BoardIndex::set`].
    pub(crate) fn update(
        &mut self,
        codec: Codec,
        member: &[u8],
        at_ms: i64,
        change: impl FnOnce(Option<Score>) -> Option<Score>,
    ) -> Result<Option<Score>, rank_index::IndexError> {
        let mut stored = None;
        with_index!(self, index => {
            index.update(member, |key| {
                stored = key.map(|key| codec.score(key.score_bits()));
                let new = change(stored).filter(|new| stored != Some(*new));
                new.map(|score| Layout::pack(codec, score, at_ms))
            })?;
        });
        Ok(stored)
    }

    /// Takes the member out. Returns whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        with_index!(self, index => index.remove(member).is_some())
    }

    /// An immutable view of the index as it is now.
    pub(crate) fn snapshot(&mut self) -> BoardSnapshot {
        const WHY: &str = "only a cut takes snapshots, and there is one cut at a time";
        match self {
            Self::Plain(index) => BoardSnapshot::Plain(index.snapshot().expect(WHY)),
            Self::Timed(index) => BoardSnapshot::Timed(index.snapshot().expect(WHY)),
            Self::Noted(index) => BoardSnapshot::Noted(index.snapshot().expect(WHY)),
        }
    }
}

/// A snapshot of a [`BoardIndex`]; reading it needs the index that it came from.
#[derive(Debug)]
pub(crate) enum BoardSnapshot {
    /// Of scores alone.
    Plain(Snapshot<ScoreKey>),
    /// Of ties by time.
    Timed(Snapshot<ScoreTieKey>),
    /// Of ties by member with times.
    Noted(Snapshot<ScoreNoteKey>),
}

impl BoardSnapshot {
    /// Number of members at the time of the snapshot.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Plain(snapshot) => snapshot.len(),
            Self::Timed(snapshot) => snapshot.len(),
            Self::Noted(snapshot) => snapshot.len(),
        }
    }

    /// Appends the members from position `start` on, at most `rows_max`, to `out`.
    pub(crate) fn read(
        &self,
        index: &BoardIndex,
        codec: Codec,
        start: usize,
        rows_max: usize,
        out: &mut Vec<MemberRow>,
    ) {
        match (self, index) {
            (Self::Plain(s), BoardIndex::Plain(i)) => rows(s, i, codec, start, rows_max, out),
            (Self::Timed(s), BoardIndex::Timed(i)) => rows(s, i, codec, start, rows_max, out),
            (Self::Noted(s), BoardIndex::Noted(i)) => rows(s, i, codec, start, rows_max, out),
            _ => unreachable!("a board never changes its layout"),
        }
    }
}

/// [`BoardSnapshot::read`] for one layout.
fn rows<K: Layout>(
    snapshot: &Snapshot<K>,
    index: &RankIndex<K>,
    codec: Codec,
    start: usize,
    rows_max: usize,
    out: &mut Vec<MemberRow>,
) {
    let end = snapshot.len().min(start.saturating_add(rows_max));
    out.extend(snapshot.view(index).range(start.min(end)..end).map(|entry| MemberRow {
        member: entry.member.into(),
        score: codec.score(entry.key.score_bits()),
        at_ms: entry.key.at_ms(codec),
    }));
}
