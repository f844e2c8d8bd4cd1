//! Times of events: RFC 3339 or whole milliseconds since 1970 in, RFC 3339 in UTC out.

use std::borrow::Cow;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use rankd_engine::limits::{AT_MS_MAX, AT_MS_MIN};
use serde_json::value::RawValue;

use crate::numbers::{self, Number};
use crate::problem::shown;

/// Reads the JSON value of `at`; the error says what is wrong with it.
pub(crate) fn parse(raw: &RawValue) -> Result<i64, String> {
    parse_field("at", raw)
}

/// Reads a time that is the JSON value of `field`; the error says what is wrong with it.
pub(crate) fn parse_field(field: &str, raw: &RawValue) -> Result<i64, String> {
    let token = raw.get();
    let ms = if token.starts_with('"') {
        let text: Cow<'_, str> = serde_json::from_str(token).map_err(|_| {
            format!("{field} is {}; its escapes are not those of a text", shown(token))
        })?;
        DateTime::parse_from_rfc3339(&text)
            .map_err(|error| {
                format!(
                    "{field} is {:?}; it must be an RFC 3339 time such as \
                     2026-11-21T12:00:00Z ({error})",
                    shown(&text)
                )
            })?
            .timestamp_millis()
    } else {
        whole_ms(field, token)?
    };
    if !(AT_MS_MIN..=AT_MS_MAX).contains(&ms) {
        return Err(format!("{field} is {}; {}", shown(token), limits()));
    }
    Ok(ms)
}

fn whole_ms(field: &str, token: &str) -> Result<i64, String> {
    if !numbers::is_number(token) {
        return Err(format!(
            "{field} is {}; it must be an RFC 3339 string or whole milliseconds since 1970",
            shown(token)
        ));
    }
    match numbers::parse(token) {
        Ok(Number::Whole(ms)) => Ok(ms),
        _ => {
            Err(format!("{field} is {}; it must be whole milliseconds, {}", shown(token), limits()))
        }
    }
}

fn limits() -> String {
    format!(
        "times are from {} ({AT_MS_MIN} ms) to {} ({AT_MS_MAX} ms)",
        print(AT_MS_MIN),
        print(AT_MS_MAX)
    )
}

/// `ms` since 1970 as RFC 3339 in UTC, with milliseconds only where there are any.
pub(crate) fn print(ms: i64) -> String {
    let mut text = Vec::with_capacity(24);
    write(ms, &mut text);
    String::from_utf8(text).expect("digits and punctuation")
}

/// Appends what [`print`] returns.
pub(crate) fn write(ms: i64, out: &mut Vec<u8>) {
    let Some(time) = DateTime::<Utc>::from_timestamp_millis(ms) else {
        debug_assert!(false, "{ms} ms is outside the times that are let in");
        out.extend_from_slice(ms.to_string().as_bytes());
        return;
    };
    let (_, year) = time.year_ce();
    write_digits(out, year, 4);
    for (before, part) in [
        (b'-', time.month()),
        (b'-', time.day()),
        (b'T', time.hour()),
        (b':', time.minute()),
        (b':', time.second()),
    ] {
        out.push(before);
        write_digits(out, part, 2);
    }
    let millis = time.timestamp_subsec_millis();
    if millis > 0 {
        out.push(b'.');
        write_digits(out, millis, 3);
    }
    out.push(b'Z');
}

/// Appends a number of at most four digits with zeros before it.
fn write_digits(out: &mut Vec<u8>, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).expect("a digit"));
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_written_as_chrono_writes_them(ms in AT_MS_MIN..=AT_MS_MAX, whole: bool) {
            let ms = if whole { ms / 1000 * 1000 } else { ms };
            let digits = if ms % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
            let time = DateTime::<Utc>::from_timestamp_millis(ms).unwrap();
            prop_assert_eq!(print(ms), time.to_rfc3339_opts(digits, true));
        }
    }

    fn parsed(json: &str) -> Result<i64, String> {
        parse(serde_json::from_str::<&RawValue>(json).unwrap())
    }

    #[test]
    fn both_spellings_are_read() {
        assert_eq!(parsed("\"1970-01-01T00:00:01Z\""), Ok(1000));
        assert_eq!(parsed("\"1970-01-01T01:00:00.5+01:00\""), Ok(500));
        assert_eq!(parsed("1763726400000"), Ok(1_763_726_400_000));
        assert_eq!(parsed("-1"), Ok(-1));
    }

    #[test]
    fn the_limits_are_inclusive() {
        assert_eq!(parsed(&AT_MS_MIN.to_string()), Ok(AT_MS_MIN));
        assert_eq!(parsed(&AT_MS_MAX.to_string()), Ok(AT_MS_MAX));
        assert_eq!(parsed("\"9999-12-31T23:59:59.999Z\""), Ok(AT_MS_MAX));
        for beyond in [AT_MS_MIN - 1, AT_MS_MAX + 1] {
            let error = parsed(&beyond.to_string()).unwrap_err();
            assert!(error.contains(&AT_MS_MAX.to_string()), "{error}");
        }
        assert!(parsed("\"0000-12-31T23:59:59Z\"").is_err());
    }

    #[test]
    fn what_is_not_a_time_is_named() {
        for bad in ["\"yesterday\"", "\"2026-02-30T00:00:00Z\"", "1.5", "true", "[1]", "1e400"] {
            let error = parsed(bad).unwrap_err();
            assert!(error.starts_with("at is "), "{bad}: {error}");
        }
    }

    #[test]
    fn printing_shows_milliseconds_only_where_there_are_any() {
        assert_eq!(print(0), "1970-01-01T00:00:00Z");
        assert_eq!(print(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(print(1_763_726_400_120), "2025-11-21T12:00:00.120Z");
        assert_eq!(print(AT_MS_MIN), "0001-01-01T00:00:00Z");
    }
}
