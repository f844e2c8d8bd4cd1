//! Scores as users write them: exact 64-bit integers or finite-or-infinite doubles, never NaN.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Which numbers a board holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreKind {
    /// Exact `i64`, from -9223372036854775808 to 9223372036854775807.
    Integer,
    /// `f64` without NaN; the infinities are scores, and -0.0 is 0.0.
    Float,
}

/// One score. Which variant a board holds is its [`ScoreKind`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Score {
    /// A score of an integer board.
    Integer(i64),
    /// A score of a float board; never NaN, never -0.0.
    Float(f64),
}

/// Why a number cannot be a score of a board. The order of the variants is part of the storage
/// format.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// NaN has no place in an order.
    #[error("the score is not a number (NaN)")]
    NotANumber,
    /// A fraction or an infinity on an integer board.
    #[error("the score {0} is not a whole number, and this board holds integers only")]
    NotAnInteger(f64),
    /// Beyond the limits of `i64`.
    #[error(
        "the score {0} is outside the integers from -9223372036854775808 to 9223372036854775807"
    )]
    OutOfRange(f64),
    /// The sum of two legal scores is not one.
    #[error("{0} + {1} is outside the range of this board's scores")]
    Overflow(Score, Score),
}

/// 2^63 as a double: the first value above every `i64`.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

impl Score {
    /// This number as a score of a board of `kind`.
    ///
    /// An integer becomes the nearest double on a float board, as in Redis.
    ///
    /// # Errors
    /// NaN anywhere; on integer boards a fraction, an infinity, or a double outside `i64`.
    pub fn into_kind(self, kind: ScoreKind) -> Result<Self, ScoreError> {
        match (self, kind) {
            (Self::Float(x), _) if x.is_nan() => Err(ScoreError::NotANumber),
            (Self::Float(x), ScoreKind::Float) => Ok(Self::Float(x + 0.0)),
            (Self::Integer(_), ScoreKind::Integer) => Ok(self),
            (Self::Float(x), ScoreKind::Integer) => whole(x).map(Self::Integer),
            #[expect(clippy::cast_precision_loss, reason = "nearest double, as documented")]
            (Self::Integer(i), ScoreKind::Float) => Ok(Self::Float(i as f64)),
        }
    }

    /// The sum of two scores of one board: exact for integers, IEEE for floats.
    ///
    /// # Errors
    /// [`ScoreError::Overflow`] outside `i64`; [`ScoreError::NotANumber`] for inf + -inf.
    pub fn plus(self, other: Self) -> Result<Self, ScoreError> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => {
                a.checked_add(b).map(Self::Integer).ok_or(ScoreError::Overflow(self, other))
            }
            (Self::Float(a), Self::Float(b)) => Self::Float(a + b).into_kind(ScoreKind::Float),
            _ => unreachable!("both operands were converted to the board's kind"),
        }
    }

    /// The numeric order of two scores of one board.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => {
                a.partial_cmp(b).expect("NaN is refused where scores come in")
            }
            _ => unreachable!("one board holds one kind of score"),
        }
    }
}

/// `x` as an `i64`, if it is whole and in range.
fn whole(x: f64) -> Result<i64, ScoreError> {
    if x.is_infinite() || x.fract() != 0.0 {
        return Err(ScoreError::NotAnInteger(x));
    }
    if !(-I64_END..I64_END).contains(&x) {
        return Err(ScoreError::OutOfRange(x));
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within i64, checked above")]
    Ok(x as i64)
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x}"),
        }
    }
}
