//! A score as JSON carries it: an exact integer, a double, or the strings `"inf"` and `"-inf"`.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A score as it was written: `3` is an integer and `3.0` a float, whatever the board holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score {
    /// An exact 64-bit integer.
    Integer(i64),
    /// A double; the infinities are scores, NaN is not.
    Float(f64),
}

impl From<i64> for Score {
    fn from(score: i64) -> Self {
        Self::Integer(score)
    }
}

impl From<f64> for Score {
    fn from(score: f64) -> Self {
        Self::Float(score)
    }
}

/// In the fewest digits that read back as the same score: as JSON has it, but for the `.0` of a
/// float without a fraction.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(score) => write!(f, "{score}"),
            Self::Float(score) if score.is_finite() => {
                let text = serde_json::to_string(score).map_err(|_| fmt::Error)?;
                f.write_str(text.strip_suffix(".0").unwrap_or(&text))
            }
            Self::Float(score) => write!(f, "{score}"),
        }
    }
}

impl Serialize for Score {
    /// # Errors
    /// NaN, which no board holds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Integer(score) => serializer.serialize_i64(score),
            Self::Float(score) if score.is_nan() => {
                Err(serde::ser::Error::custom("the score is not a number (NaN)"))
            }
            Self::Float(f64::INFINITY) => serializer.serialize_str("inf"),
            Self::Float(f64::NEG_INFINITY) => serializer.serialize_str("-inf"),
            Self::Float(score) => serializer.serialize_f64(score),
        }
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScoreVisitor)
    }
}

struct ScoreVisitor;

impl Visitor<'_> for ScoreVisitor {
    type Value = Score;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"inf\" or \"-inf\"")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Score, E> {
        Ok(Score::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Score, E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond i64 it was a double at the server")]
        Ok(i64::try_from(value).map_or(Score::Float(value as f64), Score::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Score, E> {
        Ok(Score::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Score, E> {
        match value {
            "inf" => Ok(Score::Float(f64::INFINITY)),
            "-inf" => Ok(Score::Float(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}
