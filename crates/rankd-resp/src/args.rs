//! Reading arguments.

use rankd_engine::{LexBound, Score, ScoreBound};

use crate::failure::{Failure, NOT_FLOAT, NOT_INTEGER, NOT_LEX_RANGE, NOT_POSITIVE, NOT_RANGE};
use crate::frame::integer;
use crate::number::read_score;

/// Whether the argument is this word, in whatever case.
pub(crate) fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// A whole number.
pub(crate) fn long(arg: &[u8]) -> Result<i64, Failure> {
    integer(arg).ok_or(NOT_INTEGER)
}

/// A whole number that is not negative.
pub(crate) fn positive(arg: &[u8]) -> Result<i64, Failure> {
    integer(arg).filter(|number| *number >= 0).ok_or(NOT_POSITIVE)
}

/// A whole number of things that are chosen at random; negative ones may be chosen twice.
pub(crate) fn random_count(arg: &[u8]) -> Result<i64, Failure> {
    const RANGE: Failure = Failure::new(
        "ERR value is out of range, value must between -9223372036854775807 and \
         9223372036854775807",
    );
    match long(arg)? {
        i64::MIN => Err(RANGE),
        number => Ok(number),
    }
}

/// A score.
pub(crate) fn score(arg: &[u8]) -> Result<Score, Failure> {
    read_score(arg).ok_or(NOT_FLOAT)
}

/// A number that is not negative as one that counts things here; what is more is all.
pub(crate) fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(if number < 0 { 0 } else { usize::MAX })
}

/// A bound of a range of scores. Redis is more lenient here than with scores: spaces in front,
/// nothing at all, and numbers beyond the range of doubles are understood.
fn bound(arg: &[u8]) -> Result<ScoreBound, Failure> {
    let (text, is_exclusive) = match arg.strip_prefix(b"(") {
        Some(text) => (text, true),
        None => (arg, false),
    };
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let text = &text[start..];
    let score = match read_score(text) {
        Some(score) => score,
        None if text.is_empty() => Score::Integer(0),
        None => beyond_doubles(text).ok_or(NOT_RANGE)?,
    };
    Ok(ScoreBound { score, is_exclusive })
}

/// A number that is too large or too small for a double.
fn beyond_doubles(text: &[u8]) -> Option<Score> {
    let text = std::str::from_utf8(text).ok()?;
    let has_letters = text.bytes().any(|b| b.is_ascii_alphabetic() && !matches!(b, b'e' | b'E'));
    let number: f64 = text.parse().ok()?;
    (!has_letters).then_some(Score::Float(number))
}

/// A range of scores.
pub(crate) fn score_range(min: &[u8], max: &[u8]) -> Result<(ScoreBound, ScoreBound), Failure> {
    Ok((bound(min)?, bound(max)?))
}

/// A range of members.
pub(crate) fn lex_range<'a>(
    min: &'a [u8],
    max: &'a [u8],
) -> Result<(LexBound<'a>, LexBound<'a>), Failure> {
    Ok((lex_bound(min)?, lex_bound(max)?))
}

fn lex_bound(arg: &[u8]) -> Result<LexBound<'_>, Failure> {
    match arg {
        b"-" => Ok(LexBound::Lowest),
        b"+" => Ok(LexBound::Highest),
        [b'[', member @ ..] => Ok(LexBound::Included(member)),
        [b'(', member @ ..] => Ok(LexBound::Excluded(member)),
        _ => Err(NOT_LEX_RANGE),
    }
}

/// Positions from `start` to `stop`, both included, negative ones counted from behind.
pub(crate) fn positions(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let count = i64::try_from(len).unwrap_or(i64::MAX);
    let from_behind = |at: i64| if at < 0 { at.saturating_add(count) } else { at };
    let (start, stop) = (from_behind(start).max(0), from_behind(stop));
    if start > stop || start >= count {
        return 0..0;
    }
    size(start)..size(stop.min(count - 1)) + 1
}
