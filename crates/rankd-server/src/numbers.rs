//! Scores in: JSON numbers read exactly. A decimal that is a whole number within `i64` becomes
//! that integer however it is spelled (`4200`, `4200.0`, `42e2`); everything else becomes the
//! nearest double, and nothing becomes an infinity or a whole number by rounding unnoticed.
//!
//! Cost: one pass over the digits.

use rankd_engine::{Score, ScoreError, ScoreKind};
use serde_json::value::RawValue;

use crate::problem::shown;

/// A JSON number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// Exactly this integer.
    Whole(i64),
    /// The nearest double, which is not a whole number within `i64` either.
    Real(f64),
    /// The nearest double, which would pass for a whole number although the text is not one.
    Rounded(f64),
}

/// A score as a request spells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand<'a> {
    /// What goes to the engine.
    pub(crate) score: Score,
    /// A fraction so near to a whole number that the engine could not tell.
    pub(crate) rounded: bool,
    /// How it was spelled.
    pub(crate) text: &'a str,
}

impl Operand<'_> {
    /// What is wrong with this score on a board of `kind`, in the request's own spelling.
    pub(crate) fn explain(&self, error: ScoreError) -> String {
        match error {
            ScoreError::NotAnInteger(_) | ScoreError::OutOfRange(_) => self.misfit(),
            other => other.to_string(),
        }
    }

    /// Refuses a rounded score for a board of integers.
    pub(crate) fn check(&self, kind: ScoreKind) -> Result<(), String> {
        if self.rounded && kind == ScoreKind::Integer { Err(self.misfit()) } else { Ok(()) }
    }

    fn misfit(&self) -> String {
        format!(
            "score is {}; this board holds whole numbers from {} to {}",
            shown(self.text),
            i64::MIN,
            i64::MAX
        )
    }
}

/// Whether `token`, the text of a JSON value, is a number.
pub(crate) fn is_number(token: &str) -> bool {
    token.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// Reads a score of a request body.
pub(crate) fn operand(raw: &RawValue) -> Result<Operand<'_>, String> {
    let text = raw.get();
    if is_number(text) {
        let number =
            parse(text).map_err(|problem| format!("score is {}; {problem}", shown(text)))?;
        let (score, rounded) = match number {
            Number::Whole(value) => (Score::Integer(value), false),
            Number::Real(value) => (Score::Float(value), false),
            Number::Rounded(value) => (Score::Float(value), true),
        };
        return Ok(Operand { score, rounded, text });
    }
    let value = match text {
        "\"inf\"" => f64::INFINITY,
        "\"-inf\"" => f64::NEG_INFINITY,
        _ => {
            return Err(format!(
                "score is {}; it must be a number, or \"inf\" or \"-inf\" on a float board",
                shown(text)
            ));
        }
    };
    Ok(Operand { score: Score::Float(value), rounded: false, text })
}

/// Reads a number of a query string as a bound of scores of `kind`; `Ok(None)` is no bound.
/// `open` is the infinity that bounds nothing: `-inf` for `min`, `inf` for `max`.
pub(crate) fn bound(text: &str, kind: ScoreKind, open: &str) -> Result<Option<Score>, String> {
    if text == open {
        return Ok(None);
    }
    let integer = kind == ScoreKind::Integer;
    let must = if integer {
        format!("a whole number from {} to {}, or {open}", i64::MIN, i64::MAX)
    } else {
        "a number, inf or -inf".to_owned()
    };
    match text {
        "inf" if !integer => return Ok(Some(Score::Float(f64::INFINITY))),
        "-inf" if !integer => return Ok(Some(Score::Float(f64::NEG_INFINITY))),
        _ => {}
    }
    let spelled = serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text);
    if !spelled || !is_number(text) {
        return Err(must);
    }
    match parse(text) {
        Ok(Number::Whole(value)) => {
            Score::Integer(value).into_kind(kind).map(Some).map_err(|error| error.to_string())
        }
        Ok(Number::Real(value) | Number::Rounded(value)) if !integer => {
            Ok(Some(Score::Float(value)))
        }
        _ => Err(must),
    }
}

/// Reads a JSON number. The error completes "score is 1e999; ...".
pub(crate) fn parse(text: &str) -> Result<Number, String> {
    if let Some(value) = whole(text) {
        return Ok(Number::Whole(value));
    }
    let value: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if value.is_infinite() {
        return Err(format!("numbers are from {:?} to {:?}", f64::MIN, f64::MAX));
    }
    let passes = Score::Float(value).into_kind(ScoreKind::Integer).is_ok();
    Ok(if passes { Number::Rounded(value) } else { Number::Real(value) })
}

/// The exact value of a JSON number, if it is a whole number within `i64`.
fn whole(text: &str) -> Option<i64> {
    if let Ok(value) = text.parse::<i64>() {
        return Some(value);
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (negative, integer) = match integer.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, integer),
    };
    let digits = [integer, fraction].concat();
    let kept = digits.trim_end_matches('0');
    let significant = kept.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // An exponent beyond i64 puts any non-zero digits out of range, or below the point.
    let exponent: i64 = exponent.parse().ok()?;
    let dropped = i64::try_from(digits.len() - kept.len()).ok()?;
    let fraction_digits = i64::try_from(fraction.len()).ok()?;
    let zeros = exponent.checked_sub(fraction_digits)?.checked_add(dropped)?;
    let zeros = usize::try_from(zeros).ok().filter(|&zeros| zeros + significant.len() <= 19)?;
    let value: i128 = significant.parse().ok()?;
    let value = value * 10_i128.pow(u32::try_from(zeros).ok()?);
    i64::try_from(if negative { -value } else { value }).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<Operand<'_>, String> {
        operand(serde_json::from_str::<&RawValue>(json).unwrap())
    }

    #[test]
    fn whole_numbers_are_exact_however_they_are_spelled() {
        for (text, value) in [
            ("4200", 4200),
            ("4200.000", 4200),
            ("42e2", 4200),
            ("0.42E+4", 4200),
            ("420000e-2", 4200),
            ("-0", 0),
            ("-0.0", 0),
            ("0e99999999999999999999", 0),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775807.0", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9007199254740993.0", 9_007_199_254_740_993),
        ] {
            assert_eq!(parse(text), Ok(Number::Whole(value)), "{text}");
        }
    }

    #[test]
    fn nothing_becomes_whole_by_rounding() {
        assert_eq!(parse("0.5"), Ok(Number::Real(0.5)));
        assert_eq!(parse("4503599627370497.00001"), Ok(Number::Rounded(4_503_599_627_370_497.0)));
        assert_eq!(parse("1e-999"), Ok(Number::Rounded(0.0)));
        assert_eq!(parse("9223372036854775808"), Ok(Number::Real(9_223_372_036_854_775_808.0)));
        assert!(parse("1e999").is_err());
        assert!(parse("-1e99999999999999999999").is_err());
        assert!(parse(&"9".repeat(400)).is_err());
    }

    #[test]
    fn a_misfit_is_explained_in_its_own_spelling() {
        let operand = read("9223372036854775809").unwrap();
        let error = operand.score.into_kind(ScoreKind::Integer).unwrap_err();
        let detail = operand.explain(error);
        assert!(detail.contains("9223372036854775809"), "{detail}");
        assert!(detail.contains("to 9223372036854775807"), "{detail}");
        assert!(read("0.1e-400").unwrap().check(ScoreKind::Integer).is_err());
        assert!(read("0.1e-400").unwrap().check(ScoreKind::Float).is_ok());
    }

    #[test]
    fn what_is_not_a_number_is_named() {
        for bad in ["\"12\"", "null", "true", "[1]", "{}", "\"NaN\"", "\"Infinity\""] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(bad) && error.contains("must be a number"), "{error}");
        }
    }

    #[test]
    fn infinities_are_strings() {
        assert_eq!(read("\"inf\"").unwrap().score, Score::Float(f64::INFINITY));
        assert_eq!(read("\"-inf\"").unwrap().score, Score::Float(f64::NEG_INFINITY));
    }

    #[test]
    fn bounds_follow_the_kind_of_the_board() {
        let float = ScoreKind::Float;
        let integer = ScoreKind::Integer;
        assert_eq!(bound("-inf", integer, "-inf"), Ok(None));
        assert_eq!(bound("inf", float, "-inf"), Ok(Some(Score::Float(f64::INFINITY))));
        assert_eq!(bound("12", integer, "inf"), Ok(Some(Score::Integer(12))));
        assert_eq!(bound("12", float, "inf"), Ok(Some(Score::Float(12.0))));
        assert_eq!(bound("1.5", float, "inf"), Ok(Some(Score::Float(1.5))));
        for bad in ["1.5", "inf", "9223372036854775808", "abc", "", "+1", " 1", "1 ", "nan", ".5"] {
            assert!(bound(bad, integer, "-inf").is_err(), "{bad:?}");
        }
        for bad in ["abc", "", "NaN", "infinity", "1e999", "+inf"] {
            assert!(bound(bad, float, "-inf").is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_scaling_of_an_integer_is_that_integer(value in any::<i64>(), zeros in 0_usize..30) {
            let text = format!("{value}{}e-{zeros}", "0".repeat(zeros));
            prop_assert_eq!(parse(&text), Ok(Number::Whole(value)));
        }

        #[test]
        fn reading_agrees_with_the_standard_library(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            let read = match parse(&format!("{value:?}")).unwrap() {
                Number::Real(x) => x,
                #[expect(clippy::cast_precision_loss, reason = "it came from a double")]
                Number::Whole(i) => i as f64,
                Number::Rounded(x) => return Err(TestCaseError::fail(format!("{x} is exact"))),
            };
            prop_assert_eq!(read, value);
        }
    }
}
