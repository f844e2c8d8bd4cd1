//! What a board is: its order, its kind of score, its operator and its rule for ties.

use serde::{Deserialize, Serialize};

use crate::score::ScoreKind;

/// Which score comes first. It never reverses the order of ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The highest score is rank 1.
    Descending,
    /// The lowest score is rank 1.
    Ascending,
}

/// What a write does to a score that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operator {
    /// The newest write wins; one with an older time than the stored one is stale.
    Latest,
    /// The score that ranks better in the board's order stays.
    Best,
    /// The write is added to the stored score.
    Sum,
    /// The lower score stays.
    Min,
    /// The higher score stays.
    Max,
}

/// Who comes first among equal scores. The member's bytes decide what is still equal then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ties {
    /// Who reached the present score first.
    Earliest,
    /// Who reached the present score last.
    Latest,
    /// The member's bytes, ascending, as in Redis.
    Member,
}

/// The definition of a board. Fixed when the board is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Definition {
    /// Which score comes first.
    pub order: Order,
    /// Which numbers the board holds.
    pub score: ScoreKind,
    /// What a write without an operator of its own does.
    pub operator: Operator,
    /// Who comes first among equal scores.
    pub ties: Ties,
    /// Whether a board with `ties: member` keeps the time of each score as well
    /// (8 bytes a member). The other tie rules always keep it.
    pub keep_at: bool,
}

impl Definition {
    /// Whether each member's time is stored.
    #[must_use]
    pub fn stores_at(&self) -> bool {
        self.keep_at || self.ties != Ties::Member
    }

    /// The same definition in its one spelling: `keep_at` is true wherever times are stored.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.keep_at = self.stores_at();
        self
    }
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            order: Order::Descending,
            score: ScoreKind::Integer,
            operator: Operator::Latest,
            ties: Ties::Earliest,
            keep_at: true,
        }
    }
}
