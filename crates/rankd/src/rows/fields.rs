//! The values of a row: member, score and time, from text to what the engine takes.

use chrono::DateTime;
use rankd_engine::limits::{AT_MS_MAX, AT_MS_MIN};
use rankd_engine::{Score, ScoreKind};

use super::error::{MEMBER_BYTES_MAX, shown};

/// Checks the length of a member's name.
pub(crate) fn check_member(text: &str) -> Result<(), String> {
    match text.len() {
        0 => Err(format!("the member is empty; it has 1 to {MEMBER_BYTES_MAX} bytes")),
        1..=MEMBER_BYTES_MAX => Ok(()),
        bytes => Err(format!(
            "the member `{}` has {bytes} bytes; at most {MEMBER_BYTES_MAX} are allowed",
            shown(text)
        )),
    }
}

/// The score that `text` is on a board of `kind`. Blanks around it do not count.
pub(crate) fn parse_score(text: &str, kind: ScoreKind) -> Result<Score, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the score is empty".to_owned());
    }
    if kind == ScoreKind::Integer {
        if let Ok(score) = text.parse() {
            return Ok(Score::Integer(score));
        }
        // Digits alone that are no i64 must not take the way over a rounded double.
        if text.trim_start_matches(['-', '+']).bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(digits_error(text));
        }
    }
    let value = parse_double(text)?;
    Score::Float(value).into_kind(kind).map_err(|_| match kind {
        ScoreKind::Integer => format!(
            "`{}` is not a whole number within 64 bits, and this board holds integers",
            shown(text)
        ),
        ScoreKind::Float => not_a_number(text),
    })
}

/// What is wrong with something that has only digits and signs and yet is not an `i64`.
fn digits_error(text: &str) -> String {
    if text.bytes().any(|byte| byte.is_ascii_digit())
        && !text.get(1..).unwrap_or("").contains(['-', '+'])
    {
        format!("`{}` is outside the integers from {} to {}", shown(text), i64::MIN, i64::MAX)
    } else {
        not_a_number(text)
    }
}

fn parse_double(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| not_a_number(text))?;
    if value.is_nan() {
        return Err(not_a_number(text));
    }
    if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{}` is larger than a 64-bit float can be", shown(text)));
    }
    Ok(value)
}

fn not_a_number(text: &str) -> String {
    format!("`{}` is not a number", shown(text))
}

/// The time that `text` is, in milliseconds since 1970, UTC; nothing if it is blank.
pub(crate) fn parse_time(text: &str) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let at_ms = match (text.parse::<i64>(), DateTime::parse_from_rfc3339(text)) {
        (Ok(at_ms), _) => at_ms,
        (_, Ok(time)) => time.timestamp_millis(),
        _ => {
            return Err(format!(
                "`{}` is not a time; write RFC 3339 (2026-11-21T12:00:00Z) or milliseconds \
                 since 1970",
                shown(text)
            ));
        }
    };
    if (AT_MS_MIN..=AT_MS_MAX).contains(&at_ms) {
        Ok(Some(at_ms))
    } else {
        Err(format!("the time `{}` is outside the years 1 to 9999", shown(text)))
    }
}
