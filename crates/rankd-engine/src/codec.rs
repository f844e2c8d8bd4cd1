//! How one board's scores and times become index keys, and back, without loss.
//!
//! The index knows one order only, ascending. A descending board complements its score bits; a
//! board whose ties go to the latest complements its time. So rank 1 is always the first entry,
//! and `descending` never turns the ties around.

use rank_index::{
    Direction, decode_f64, decode_i64, earliest_ms, encode_f64, encode_i64, latest_ms,
    tie_earliest, tie_latest,
};

use crate::definition::{Definition, Order, Ties};
use crate::score::{Score, ScoreKind};

/// The mapping of one board. A copy of its definition, nothing more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codec(pub(crate) Definition);

impl Codec {
    /// The bits that order a score of this board: better scores have smaller bits.
    pub(crate) fn score_bits(self, score: Score) -> u64 {
        let ascending = match score {
            Score::Integer(i) => encode_i64(i),
            Score::Float(x) => encode_f64(x).expect("NaN is refused where scores come in"),
        };
        self.directed(ascending)
    }

    /// The score that has these bits.
    pub(crate) fn score(self, bits: u64) -> Score {
        let ascending = self.directed(bits);
        match self.0.score {
            ScoreKind::Integer => Score::Integer(decode_i64(ascending)),
            ScoreKind::Float => Score::Float(decode_f64(ascending)),
        }
    }

    /// The bits that order a time among equal scores.
    pub(crate) fn tie_bits(self, at_ms: i64) -> u64 {
        match self.0.ties {
            Ties::Latest => tie_latest(at_ms),
            Ties::Earliest | Ties::Member => tie_earliest(at_ms),
        }
    }

    /// The time that has these bits.
    pub(crate) fn at_ms(self, bits: u64) -> i64 {
        match self.0.ties {
            Ties::Latest => latest_ms(bits),
            Ties::Earliest | Ties::Member => earliest_ms(bits),
        }
    }

    /// Complementing is its own inverse, so one function serves both ways.
    fn directed(self, bits: u64) -> u64 {
        let direction = match self.0.order {
            Order::Ascending => Direction::Ascending,
            Order::Descending => Direction::Descending,
        };
        direction.apply(bits)
    }
}
