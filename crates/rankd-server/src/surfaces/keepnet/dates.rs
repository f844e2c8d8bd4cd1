//! Dates of requests, and times as rows show them.
//!
//! A date is RFC 3339; without an offset it is the company's local time, and without a time it is
//! a whole day there. A local time that a change of the clocks skips or repeats is read as RFC
//! 5545 does: forward over the gap, and the first of two.
//!
//! Invariant: every date of the years 0 to 9999 has a moment; those beyond the calendar's ends are
//! moved to them. Cost: a search in the zone's transitions.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// What a request gives as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// All of a local day.
    Day(Date),
    /// A local time.
    Local(DateTime),
    /// A time that says its offset from UTC.
    Fixed(Timestamp),
}

impl Moment {
    /// Reads RFC 3339, with or without time and offset.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let date: Date = shaped(date, b"dddd-dd-dd").then(|| date.parse().ok())??;
        if rest.is_empty() {
            return Some(Self::Day(date));
        }
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let time_end = rest.find(|char| !matches!(char, '0'..='9' | ':' | '.'));
        let (time, offset) = rest.split_at(time_end.unwrap_or(rest.len()));
        let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        if !shaped(whole, b"dd:dd:dd") || !digits {
            return None;
        }
        let local = date.to_datetime(time.parse().ok()?);
        if offset.is_empty() {
            return Some(Self::Local(local));
        }
        Some(Self::Fixed(at_offset(local, parse_offset(offset)?)))
    }

    /// The first moment that it names.
    pub(super) fn first(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Day(date) => day_start(date, zone),
            Self::Local(local) => in_zone(local, zone),
            Self::Fixed(at) => at,
        }
    }

    /// The last moment that it names.
    pub(super) fn last(self, zone: &TimeZone) -> Timestamp {
        let Self::Day(date) = self else { return self.first(zone) };
        let Ok(next) = date.tomorrow() else { return Timestamp::MAX };
        day_start(next, zone)
            .saturating_sub(SignedDuration::from_nanos(1))
            .unwrap_or(Timestamp::MIN)
    }
}

/// The first moment of a local day; it is later than 00:00 where the clocks skip that.
pub(super) fn day_start(date: Date, zone: &TimeZone) -> Timestamp {
    in_zone(DateTime::from(date), zone)
}

/// The time of this many milliseconds since 1970, UTC.
pub(super) fn timestamp(ms: i64) -> Timestamp {
    let end = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(ms).unwrap_or(end)
}

/// Milliseconds since 1970 of the first whole one that is not before `at`.
pub(super) fn ms_ceil(at: Timestamp) -> i64 {
    let ms = ms_floor(at);
    if timestamp(ms) < at { ms + 1 } else { ms }
}

/// Milliseconds since 1970 of the last whole one that is not after `at`.
pub(super) fn ms_floor(at: Timestamp) -> i64 {
    // Towards zero, which for times before 1970 is later.
    let ms = at.as_millisecond();
    if timestamp(ms) > at { ms - 1 } else { ms }
}

/// Such as `16/03/2026 09:41`.
pub(super) fn minute_text(ms: i64, zone: &TimeZone) -> String {
    timestamp(ms).to_zoned(zone.clone()).strftime("%d/%m/%Y %H:%M").to_string()
}

/// Such as `Monday, 16/03/2026`.
pub(super) fn day_text(ms: i64, zone: &TimeZone) -> String {
    timestamp(ms).to_zoned(zone.clone()).strftime("%A, %d/%m/%Y").to_string()
}

/// RFC 3339 in UTC; a fraction only where there is one.
pub(super) fn utc_text(ms: i64) -> String {
    timestamp(ms).to_string()
}

fn in_zone(local: DateTime, zone: &TimeZone) -> Timestamp {
    zone.to_timestamp(local).unwrap_or_else(|_| calendar_end(local))
}

fn at_offset(local: DateTime, offset: Offset) -> Timestamp {
    offset.to_timestamp(local).unwrap_or_else(|_| calendar_end(local))
}

/// Where a time goes that lies outside of what the calendar holds.
fn calendar_end(local: DateTime) -> Timestamp {
    if local.year() > 0 { Timestamp::MAX } else { Timestamp::MIN }
}

/// `Z`, or such as `+05:30`.
fn parse_offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    if !shaped(rest, b"dd:dd") {
        return None;
    }
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let within = hours < 24 && minutes < 60;
    within.then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

/// Whether `text` is like `shape`, in which a `d` stands for a digit.
fn shaped(text: &str, shape: &[u8]) -> bool {
    let like = |(byte, shape): (u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte == *other,
    };
    text.len() == shape.len() && text.bytes().zip(shape).all(like)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn first(text: &str, name: &str) -> String {
        Moment::parse(text).unwrap().first(&zone(name)).to_string()
    }

    fn last(text: &str, name: &str) -> String {
        Moment::parse(text).unwrap().last(&zone(name)).to_string()
    }

    #[test]
    fn offsets_win_over_the_zone_and_local_times_are_the_companys() {
        for (text, utc) in [
            ("2026-03-16T12:00:00Z", "2026-03-16T12:00:00Z"),
            ("2026-03-16t12:00:00.25z", "2026-03-16T12:00:00.25Z"),
            ("2026-03-16 12:00:00+05:30", "2026-03-16T06:30:00Z"),
            ("2026-03-16T12:00:00.1234567-00:00", "2026-03-16T12:00:00.1234567Z"),
            ("2026-03-16T00:15:00-23:59", "2026-03-17T00:14:00Z"),
            ("2026-03-16T12:00:00", "2026-03-16T06:30:00Z"),
            ("2026-03-16", "2026-03-15T18:30:00Z"),
            ("2024-02-29", "2024-02-28T18:30:00Z"),
        ] {
            assert_eq!(first(text, "Asia/Kolkata"), utc, "{text}");
        }
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        assert_eq!(last("2026-03-31", "Asia/Kolkata"), "2026-03-31T18:29:59.999999999Z");
        // Clocks go forward: 23 hours, then back: 25 hours.
        assert_eq!(first("2026-03-29", "Europe/Oslo"), "2026-03-28T23:00:00Z");
        assert_eq!(last("2026-03-29", "Europe/Oslo"), "2026-03-29T21:59:59.999999999Z");
        assert_eq!(first("2026-11-01", "America/New_York"), "2026-11-01T04:00:00Z");
        assert_eq!(last("2026-11-01", "America/New_York"), "2026-11-02T04:59:59.999999999Z");
    }

    #[test]
    fn skipped_times_move_forward_and_repeated_ones_are_the_first() {
        assert_eq!(first("2026-03-29T02:30:00", "Europe/Oslo"), "2026-03-29T01:30:00Z");
        assert_eq!(first("2026-10-25T02:30:00", "Europe/Oslo"), "2026-10-25T00:30:00Z");
        assert_eq!(first("2026-03-08T02:30:00", "America/New_York"), "2026-03-08T07:30:00Z");
        // Where midnight itself is skipped, the day begins at one.
        assert_eq!(first("2018-11-04", "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
    }

    #[test]
    fn the_ends_of_the_calendar_are_moments_too() {
        let end = Timestamp::MAX.to_string();
        assert_eq!(first("9999-12-31T23:59:59.9999999Z", "UTC"), end);
        assert_eq!(last("9999-12-31", "America/New_York"), end);
        assert_eq!(first("0001-01-01T00:00:00", "Asia/Kolkata"), "0000-12-31T18:06:32Z");
    }

    #[test]
    fn anything_else_is_no_date() {
        for bad in [
            "",
            "today",
            "2026",
            "2026-3-16",
            "20260316",
            "2026-02-29",
            "2026-13-01",
            "2026-03-00",
            "2026-03-16T",
            "2026-03-16T12",
            "2026-03-16T12:00",
            "2026-03-16T25:00:00",
            "2026-03-16T12:60:00Z",
            "2026-03-16T12:00:00.Z",
            "2026-03-16T12:00:00,5Z",
            "2026-03-16T12:00:00.1234567890Z",
            "2026-03-16T12:00:00+0530",
            "2026-03-16T12:00:00+24:00",
            "2026-03-16T12:00:00+05:60",
            "2026-03-16T12:00:00ZZ",
            "2026-03-16T12:00:00[UTC]",
            "2026-03-16T12:00:00 Z",
            " 2026-03-16",
            "2026-03-16 ",
            "+002026-03-16",
            "-000001-01-01",
            "2026-W12-1",
            "1773662400000",
            "2026-03-1\u{666}",
        ] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn milliseconds_round_inwards() {
        for (text, floor, ceil) in [
            ("1970-01-01T00:00:00.0015Z", 1, 2),
            ("1970-01-01T00:00:00.001Z", 1, 1),
            ("1969-12-31T23:59:59.9985Z", -2, -1),
        ] {
            let at = Moment::parse(text).unwrap().first(&TimeZone::UTC);
            assert_eq!((ms_floor(at), ms_ceil(at)), (floor, ceil), "{text}");
        }
    }

    #[test]
    fn times_are_shown_in_company_time() {
        let ms = 1_773_650_460_000; // 2026-03-16T08:41:00Z
        assert_eq!(minute_text(ms, &zone("Europe/Oslo")), "16/03/2026 09:41");
        assert_eq!(day_text(ms, &zone("Europe/Oslo")), "Monday, 16/03/2026");
        assert_eq!(minute_text(ms, &zone("Asia/Kolkata")), "16/03/2026 14:11");
        assert_eq!(minute_text(i64::MAX, &TimeZone::UTC), "30/12/9999 22:00");
        assert_eq!(utc_text(ms), "2026-03-16T08:41:00Z");
        assert_eq!(utc_text(ms + 250), "2026-03-16T08:41:00.25Z");
    }
}
