//! Performance: points of possible points, in percent.
//!
//! Invariant: 0 to 100, in whole hundredths; rounding is exact, half up, so no two machines and no
//! two ways to sum differ in the last digit.

use serde::{Serialize, Serializer};

/// Hundredths of a percent, 0 to 10 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Percent(u32);

impl Percent {
    /// `points` of `possible`; 0 unless both are positive, and at most 100.
    pub(super) fn of(points: i64, possible: i64) -> Self {
        if points <= 0 || possible <= 0 {
            return Self(0);
        }
        let (points, possible) = (i128::from(points), i128::from(possible));
        let hundredths = (points * 20_000 + possible) / (2 * possible);
        Self(u32::try_from(hundredths.min(10_000)).expect("at most 10 000"))
    }

    pub(super) fn hundredths(self) -> u32 {
        self.0
    }

    /// The number as it is shown.
    pub(super) fn value(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl Serialize for Percent {
    /// Integral values are written without decimals.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 100 {
            0 => serializer.serialize_u32(self.0 / 100),
            _ => serializer.serialize_f64(self.value()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(points: i64, possible: i64) -> String {
        serde_json::to_string(&Percent::of(points, possible)).unwrap()
    }

    #[test]
    fn two_decimals_half_up() {
        for (points, possible, expected) in [
            (700, 800, "87.5"),
            (450, 600, "75"),
            (1150, 1400, "82.14"),
            (900, 1400, "64.29"),
            (1, 3, "33.33"),
            (2, 3, "66.67"),
            (1, 20_000, "0.01"),
            (1, 20_001, "0"),
            (12_345, 1_000_000, "1.23"),
            (12_350, 1_000_000, "1.24"),
            (99_995, 100_000, "100"),
            (99_994, 100_000, "99.99"),
            (7, 7, "100"),
            (8, 7, "100"),
            (i64::MAX, 1, "100"),
            (1, i64::MAX, "0"),
        ] {
            assert_eq!(text(points, possible), expected, "{points} of {possible}");
        }
    }

    #[test]
    fn nothing_and_less_are_zero() {
        for (points, possible) in [(0, 100), (-1, 100), (5, 0), (5, -3), (-5, -3), (0, 0)] {
            assert_eq!(text(points, possible), "0");
        }
    }

    #[test]
    fn every_value_has_at_most_two_decimals() {
        for hundredths in 0..=10_000 {
            let text = serde_json::to_string(&Percent(hundredths)).unwrap();
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            assert!(fraction.len() <= 2 && !fraction.ends_with('0'), "{text}");
            let padded = format!("{fraction:0<2}");
            let back = whole.parse::<u32>().unwrap() * 100 + padded.parse::<u32>().unwrap();
            assert_eq!(back, hundredths);
        }
    }
}
