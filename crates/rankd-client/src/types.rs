//! What goes over the wire: requests and answers, field by field as the HTTP API names them.
//!
//! Unknown fields of answers are ignored, so that an older client reads a newer server.

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::score::Score;

/// Makes a unit enum whose variants are written in lower case, in JSON and as text.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word that stands for it in JSON and in queries.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Which score comes first.
    Order {
        /// The highest score is rank 1.
        Descending = "descending",
        /// The lowest score is rank 1.
        Ascending = "ascending",
    }
}

words! {
    /// Which numbers a board holds.
    ScoreKind {
        /// Exact 64-bit integers.
        Integer = "integer",
        /// Doubles without NaN.
        Float = "float",
    }
}

words! {
    /// What a write does to a score that is already there.
    Operator {
        /// The newest write wins.
        Latest = "latest",
        /// The score that ranks better stays.
        Best = "best",
        /// The write is added.
        Sum = "sum",
        /// The lower score stays.
        Min = "min",
        /// The higher score stays.
        Max = "max",
    }
}

words! {
    /// Who comes first among equal scores.
    Ties {
        /// Who reached the score first.
        Earliest = "earliest",
        /// Who reached the score last.
        Latest = "latest",
        /// The member's bytes, ascending.
        Member = "member",
    }
}

words! {
    /// How ranks are numbered among equal scores.
    #[derive(Default)]
    RankStyle {
        /// 1 2 3 4
        #[default]
        Ordinal = "ordinal",
        /// 1 2 2 4
        Competition = "competition",
        /// 1 2 2 3
        Dense = "dense",
    }
}

/// The definition of a board; the default is the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Which score comes first.
    pub order: Order,
    /// Which numbers it holds.
    pub score: ScoreKind,
    /// What a write without an operator of its own does.
    pub operator: Operator,
    /// Who comes first among equal scores.
    pub ties: Ties,
    /// With [`Ties::Member`] only: whether times are kept. `None` is the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_at: Option<bool>,
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            order: Order::Descending,
            score: ScoreKind::Integer,
            operator: Operator::Latest,
            ties: Ties::Earliest,
            keep_at: None,
        }
    }
}

/// A board as the server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardInfo {
    /// Its name.
    pub board: Name,
    /// What it is.
    #[serde(flatten)]
    pub definition: Definition,
    /// Members on it.
    pub count: u64,
    /// When it was created, RFC 3339; `None` if it was deleted while the answer was written.
    pub created_at: Option<String>,
    /// When anything on it changed last, RFC 3339; `None` as above.
    pub changed_at: Option<String>,
}

/// A page of boards, names ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardList {
    /// The boards.
    pub boards: Vec<BoardInfo>,
    /// What to pass to get the next page; nothing after the last one.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Time of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum At {
    /// Milliseconds since 1970, UTC.
    Ms(i64),
    /// RFC 3339.
    Text(String),
}

/// What a write may carry beside its score.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions<'a> {
    /// Time of the event; the time of acceptance if absent.
    pub at: Option<At>,
    /// Overrides the board's operator.
    pub operator: Option<Operator>,
    /// The same key again, within the server's horizon, changes nothing and returns the first
    /// answer. Visible ASCII, at most 255 bytes.
    pub idempotency_key: Option<&'a str>,
}

/// One row of a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreRow<'a> {
    /// The member.
    pub member: &'a str,
    /// The operand.
    pub score: Score,
    /// Time of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// Overrides the board's operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
}

/// A score with its rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The score.
    pub score: Score,
    /// 1-based.
    pub rank: u64,
}

/// What one write came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// The member.
    pub member: Name,
    /// Its score now.
    pub score: Score,
    /// Its rank now.
    pub rank: u64,
    /// Where it was before.
    pub previous: Option<Placed>,
    /// Whether anything changed.
    pub changed: bool,
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Rows that changed something.
    pub applied: u64,
    /// Rows that were resolved without effect.
    pub unchanged: u64,
    /// Rows that were refused, one by one.
    pub rejected: Vec<RejectedRow>,
    /// Whether this is the answer to an earlier request with the same idempotency key, and
    /// nothing was done now.
    #[serde(skip)]
    pub replayed: bool,
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Its position in the batch, from 0.
    pub index: usize,
    /// Why.
    pub detail: String,
}

/// Where a member stands on a board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The member.
    pub member: Name,
    /// Its score.
    pub score: Score,
    /// Its rank, in the style that was asked for.
    pub rank: u64,
    /// Members on the board.
    pub total: u64,
    /// Share of the others that it is ahead of, 0 to 100.
    pub percentile: f64,
    /// When it reached the score, RFC 3339; absent where the board keeps no times.
    #[serde(default)]
    pub at: Option<String>,
}

/// One line of a ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1-based.
    pub rank: u64,
    /// The member.
    pub member: Name,
    /// Its score.
    pub score: Score,
    /// Its display name, if names were asked for and it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when it has the score, RFC 3339, if times were asked for and the board keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// A part of a ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Members on the board.
    pub total: u64,
    /// The entries, best first.
    pub entries: Vec<Entry>,
}

/// The members within a range of scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorePage {
    /// How many there are, whatever the limit.
    pub count: u64,
    /// The first of them, best first.
    pub entries: Vec<Entry>,
}

/// One of the members that a list was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListEntry {
    /// Rank on the board.
    pub rank: u64,
    /// Rank within the list.
    pub position: u64,
    /// The member.
    pub member: Name,
    /// Its score.
    pub score: Score,
    /// Its display name, if names were asked for and it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A list of members in rank order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankList {
    /// Those on the board.
    pub entries: Vec<ListEntry>,
    /// Those that are not.
    pub missing: Vec<Name>,
}

/// A member's place on one of several boards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoardRank {
    /// The board.
    pub board: Name,
    /// Its score there.
    pub score: Score,
    /// Its rank there.
    pub rank: u64,
    /// Members on that board.
    pub total: u64,
    /// Share of the others that it is ahead of, 0 to 100.
    pub percentile: f64,
    /// When it reached the score, RFC 3339; absent where the board keeps no times.
    #[serde(default)]
    pub at: Option<String>,
}

/// A member's places on several boards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRanks {
    /// The member.
    pub member: Name,
    /// The boards that the member is on.
    pub entries: Vec<BoardRank>,
    /// The others of those asked for.
    #[serde(default)]
    pub missing: Vec<Name>,
}

/// A member and its display name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The member.
    pub member: Name,
    /// What to show for it.
    pub name: String,
}

/// A finished snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotReport {
    /// Everything up to this sequence is in it.
    pub sequence: u64,
    /// Boards in it.
    pub boards: u64,
    /// Members of all boards.
    pub members: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// File name within the server's data folder.
    pub file: String,
}

/// Whether the server can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether it is loaded and takes writes.
    pub ready: bool,
    /// `ready`, `loading`, `degraded`, `read-only` or `closed`.
    pub status: String,
    /// Why it is not ready.
    pub reason: Option<String>,
    /// Whether memory may hold writes that the disk does not.
    pub ahead_of_disk: bool,
}
