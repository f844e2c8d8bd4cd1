//! Order-preserving 64-bit codes of scores and times.
//!
//! What it is not: a policy; which code a board uses, and which way round, is its owner's choice.
//! Invariant: for legal inputs, `a < b` exactly when `code(a) < code(b)`, and every code decodes to
//! what was encoded. Cost: a few instructions each.

/// The top bit: flipping it turns signed order into unsigned order.
const SIGN: u64 = 1 << 63;

/// Code of an integer score. Covers all of `i64`, exactly.
///
/// ```
/// use rank_index::{decode_i64, encode_i64};
/// assert!(encode_i64(-1) < encode_i64(0));
/// assert_eq!(decode_i64(encode_i64(i64::MIN)), i64::MIN);
/// ```
pub const fn encode_i64(score: i64) -> u64 {
    score.cast_unsigned() ^ SIGN
}

/// The integer score that [`encode_i64`] turned into `code`.
pub const fn decode_i64(code: u64) -> i64 {
    (code ^ SIGN).cast_signed()
}

/// Code of a floating-point score, or `None` for NaN, which has no place in an order.
///
/// Both infinities are legal. `-0.0` equals `0.0` and is stored as such.
///
/// ```
/// use rank_index::{decode_f64, encode_f64};
/// assert!(encode_f64(f64::NEG_INFINITY) < encode_f64(-1.5));
/// assert_eq!(encode_f64(-0.0), encode_f64(0.0));
/// assert_eq!(encode_f64(f64::NAN), None);
/// assert_eq!(encode_f64(2.5).map(decode_f64), Some(2.5));
/// ```
pub fn encode_f64(score: f64) -> Option<u64> {
    if score.is_nan() {
        return None;
    }
    // Adding positive zero is the identity for every number but -0.0, which becomes 0.0.
    let bits = (score + 0.0).to_bits();
    Some(if bits & SIGN == 0 { bits | SIGN } else { !bits })
}

/// The floating-point score that [`encode_f64`] turned into `code`.
///
/// Codes that `encode_f64` never gives decode to NaN or to `-0.0`.
pub const fn decode_f64(code: u64) -> f64 {
    f64::from_bits(if code & SIGN == 0 { !code } else { code ^ SIGN })
}

/// Which end of the scores comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The lowest score is at position 0, as in a race.
    Ascending,
    /// The highest score is at position 0, as in a game.
    Descending,
}

impl Direction {
    /// Turns a score's code into one that sorts in this direction, and back again.
    ///
    /// ```
    /// use rank_index::{Direction, encode_i64};
    /// let (low, high) = (encode_i64(1), encode_i64(2));
    /// assert!(Direction::Descending.apply(high) < Direction::Descending.apply(low));
    /// assert_eq!(Direction::Descending.apply(Direction::Descending.apply(low)), low);
    /// ```
    pub const fn apply(self, code: u64) -> u64 {
        match self {
            Self::Ascending => code,
            Self::Descending => !code,
        }
    }
}

/// Tie-break code that puts the earliest time first. `at_ms` is any count of milliseconds.
///
/// ```
/// use rank_index::{earliest_ms, tie_earliest};
/// assert!(tie_earliest(1_000) < tie_earliest(2_000));
/// assert_eq!(earliest_ms(tie_earliest(-7)), -7);
/// ```
pub const fn tie_earliest(at_ms: i64) -> u64 {
    encode_i64(at_ms)
}

/// The time in milliseconds that [`tie_earliest`] turned into `tie`.
pub const fn earliest_ms(tie: u64) -> i64 {
    decode_i64(tie)
}

/// Tie-break code that puts the latest time first. `at_ms` is any count of milliseconds.
///
/// ```
/// use rank_index::{latest_ms, tie_latest};
/// assert!(tie_latest(2_000) < tie_latest(1_000));
/// assert_eq!(latest_ms(tie_latest(-7)), -7);
/// ```
pub const fn tie_latest(at_ms: i64) -> u64 {
    !encode_i64(at_ms)
}

/// The time in milliseconds that [`tie_latest`] turned into `tie`.
pub const fn latest_ms(tie: u64) -> i64 {
    decode_i64(!tie)
}
