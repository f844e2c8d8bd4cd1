//! The window of a leaderboard: `datePeriod`, `startDate` and `endDate`, in the company's time.
//!
//! What it is not: a sum over the window; that is the domain's.
//!
//! Invariant: both ends that a request names belong to the window, so the half-open range ends one
//! millisecond after the second; and for one zone, a named period only moves forward.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rankd_orgs::Window;
use serde_json::Value;

use super::body::Fields;
use super::dates::{self, Moment};
use super::envelope::Problems;
use crate::problem::shown;

/// A window, and which kind of rolling window it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) window: Window,
    /// The same number for every window of this period in this zone; none for explicit dates.
    pub(super) rolling_kind: Option<u64>,
}

/// The values of `datePeriod`, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    LastMonth = 0,
    Last3Months = 1,
    Last6Months = 2,
    LastYear = 3,
    ThisYear = 4,
    Custom = 5,
}

const PERIODS: [(&str, Period); 6] = [
    ("lastmonth", Period::LastMonth),
    ("last3months", Period::Last3Months),
    ("last6months", Period::Last6Months),
    ("lastyear", Period::LastYear),
    ("thisyear", Period::ThisYear),
    ("custom", Period::Custom),
];

/// Reads the window of a request at `now_ms`.
pub(super) fn read(
    fields: &Fields<'_>,
    zone: &TimeZone,
    now_ms: i64,
    problems: &mut Problems,
) -> Option<Asked> {
    let dated = ["startDate", "endDate"].iter().any(|name| fields.value(name).is_some());
    let period = match fields.value("datePeriod") {
        None if dated => Period::Custom,
        None => Period::LastMonth,
        Some(value) => {
            let period = Period::parse(value);
            if period.is_none() {
                problems.add(format!(
                    "datePeriod is {}; it must be LastMonth, Last3Months, Last6Months, LastYear, \
                     ThisYear or Custom",
                    shown(&value.to_string())
                ));
            }
            period?
        }
    };
    if period != Period::Custom {
        return Some(named(period, zone, now_ms));
    }
    if !dated {
        problems.add("datePeriod Custom needs startDate or endDate");
        return None;
    }
    let window = explicit(fields, zone, now_ms, problems)?;
    Some(Asked { window, rolling_kind: None })
}

/// The window of the default period.
pub(super) fn last_month(zone: &TimeZone, now_ms: i64) -> Asked {
    named(Period::LastMonth, zone, now_ms)
}

impl Period {
    /// By number, by number as text, or by name without regard to case, blanks and underscores.
    fn parse(value: &Value) -> Option<Self> {
        if let Some(number) = value.as_u64() {
            return PERIODS.get(usize::try_from(number).ok()?).map(|(_, period)| *period);
        }
        let text = value.as_str()?.to_ascii_lowercase().replace([' ', '_'], "");
        let known = |&(name, period): &(&str, Self)| {
            (name == text || (period as u8).to_string() == text).then_some(period)
        };
        PERIODS.iter().find_map(known)
    }

    /// The first day of the period that ends today; days that a month lacks become its last.
    fn first_day(self, today: Date) -> Date {
        let months = match self {
            Self::LastMonth => 1,
            Self::Last3Months => 3,
            Self::Last6Months => 6,
            Self::LastYear => 12,
            Self::ThisYear => return today.first_of_year(),
            Self::Custom => 0,
        };
        today.saturating_sub(months.months())
    }
}

fn named(period: Period, zone: &TimeZone, now_ms: i64) -> Asked {
    let today = dates::timestamp(now_ms).to_zoned(zone.clone()).date();
    let from_ms = dates::ms_ceil(dates::day_start(period.first_day(today), zone));
    Asked {
        window: Window { from_ms, until_ms: now_ms.saturating_add(1) },
        rolling_kind: Some(rolling_kind(period, zone)),
    }
}

/// FNV-1a of the zone's name with the period's number in front; the top bit keeps these kinds
/// apart from plain numbers of days.
fn rolling_kind(period: Period, zone: &TimeZone) -> u64 {
    let name = zone.iana_name().unwrap_or_default();
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let bytes = std::iter::once(period as u8).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, mix) | 1 << 63
}

/// A range of dates: no first one means since the beginning, no last one until now.
fn explicit(
    fields: &Fields<'_>,
    zone: &TimeZone,
    now_ms: i64,
    problems: &mut Problems,
) -> Option<Window> {
    let start = moment(fields, "startDate", problems);
    let end = moment(fields, "endDate", problems);
    let start = start?.map_or(Timestamp::MIN, |start| start.first(zone));
    let end = end?.map_or(dates::timestamp(now_ms), |end| end.last(zone));
    if start > end {
        let ended = fields.value("endDate").is_some();
        let end = if ended { "endDate" } else { "now, where the window ends without endDate" };
        problems.add(format!("startDate must not be after {end}"));
        return None;
    }
    Some(Window { from_ms: dates::ms_ceil(start), until_ms: dates::ms_floor(end) + 1 })
}

/// A date that may be absent; none at all if it is not one.
#[expect(clippy::option_option, reason = "absent and malformed are different things")]
fn moment(fields: &Fields<'_>, name: &str, problems: &mut Problems) -> Option<Option<Moment>> {
    let Some(value) = fields.value(name) else { return Some(None) };
    let moment = value.as_str().and_then(Moment::parse);
    if moment.is_none() {
        problems.add(format!(
            "{name} is {}; it must be an RFC 3339 time such as 2026-03-16T12:00:00Z, a local time \
             such as 2026-03-16T12:00:00, or a date such as 2026-03-16",
            shown(&value.to_string())
        ));
    }
    moment.map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::surfaces::keepnet::envelope::Refusal;

    const NOW: &str = "2026-03-16T12:00:00Z";

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    /// The window as UTC texts, both ends inclusive.
    fn asked(body: Value, zone: &str, now: &str) -> Result<(String, String), Vec<String>> {
        // As the reader of bodies does it.
        let Value::Object(body) = body else { panic!("no object") };
        let body: Map<_, _> =
            body.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let zone = TimeZone::get(zone).unwrap();
        let mut problems = Problems::default();
        let asked = read(&Fields::new(&body), &zone, at(now), &mut problems);
        match problems.check() {
            Ok(()) => {
                let window = asked.unwrap().window;
                let last = dates::utc_text(window.until_ms - 1);
                Ok((dates::utc_text(window.from_ms), last))
            }
            Err(Refusal::Input(lines)) => Err(lines),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn first(period: &str, zone: &str, now: &str) -> String {
        let (first, last) = asked(json!({ "datePeriod": period }), zone, now).unwrap();
        assert_eq!(last, now);
        first
    }

    #[test]
    fn every_spelling_of_a_period_is_the_same_window() {
        let expected = asked(json!({}), "UTC", NOW).unwrap();
        assert_eq!(expected, ("2026-02-16T00:00:00Z".to_owned(), NOW.to_owned()));
        for value in [
            json!("LastMonth"),
            json!(0),
            json!("0"),
            json!("last_month"),
            json!("LAST MONTH"),
            json!(null),
        ] {
            assert_eq!(asked(json!({ "datePeriod": value }), "UTC", NOW).unwrap(), expected);
        }
        for value in [json!("Nope"), json!(6), json!(-1), json!(0.0), json!(""), json!(["0"])] {
            let lines = asked(json!({ "datePeriod": value }), "UTC", NOW).unwrap_err();
            assert!(lines[0].starts_with("datePeriod is "), "{lines:?}");
        }
    }

    #[test]
    fn named_periods_begin_at_midnight_in_company_time() {
        for (period, zone, expected) in [
            ("LastMonth", "Europe/Oslo", "2026-02-15T23:00:00Z"),
            ("Last3Months", "Europe/Oslo", "2025-12-15T23:00:00Z"),
            // Summer time then, none now.
            ("Last6Months", "Europe/Oslo", "2025-09-15T22:00:00Z"),
            ("LastYear", "America/New_York", "2025-03-16T04:00:00Z"),
            // Clocks went forward on 8 March.
            ("LastMonth", "America/New_York", "2026-02-16T05:00:00Z"),
            ("ThisYear", "Asia/Kolkata", "2025-12-31T18:30:00Z"),
        ] {
            assert_eq!(first(period, zone, NOW), expected, "{period} {zone}");
        }
        // Two hours before midnight UTC it is tomorrow in Kolkata, and there it is next year.
        assert_eq!(
            first("ThisYear", "Asia/Kolkata", "2025-12-31T22:00:00Z"),
            "2025-12-31T18:30:00Z"
        );
        assert_eq!(first("ThisYear", "UTC", "2025-12-31T22:00:00Z"), "2025-01-01T00:00:00Z");
    }

    #[test]
    fn months_that_are_shorter_end_earlier() {
        for (period, now, expected) in [
            ("LastMonth", "2026-03-31T10:00:00Z", "2026-02-28T00:00:00Z"),
            ("LastMonth", "2024-03-31T10:00:00Z", "2024-02-29T00:00:00Z"),
            ("LastMonth", "2024-03-29T10:00:00Z", "2024-02-29T00:00:00Z"),
            ("Last3Months", "2026-05-31T10:00:00Z", "2026-02-28T00:00:00Z"),
            ("Last6Months", "2026-08-31T10:00:00Z", "2026-02-28T00:00:00Z"),
            ("LastYear", "2024-02-29T10:00:00Z", "2023-02-28T00:00:00Z"),
            ("LastYear", "2100-03-01T10:00:00Z", "2099-03-01T00:00:00Z"),
        ] {
            assert_eq!(first(period, "UTC", now), expected, "{period} {now}");
        }
    }

    #[test]
    fn explicit_windows_hold_both_their_ends() {
        let window = |start: Value, end: Value| {
            asked(json!({ "startDate": start, "endDate": end }), "Europe/Oslo", NOW)
        };
        let range = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(
            window(json!("2026-01-01T00:00:00Z"), json!("2026-03-31T23:59:59Z")),
            range("2026-01-01T00:00:00Z", "2026-03-31T23:59:59Z")
        );
        assert_eq!(
            window(json!("2026-03-29"), json!("2026-03-29")),
            range("2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999Z")
        );
        assert_eq!(
            window(json!("2026-03-01T10:00:00"), json!(null)),
            range("2026-03-01T09:00:00Z", NOW)
        );
        let (from, to) = window(json!(null), json!("2026-03-01T10:00:00.0009")).unwrap();
        assert!(from.starts_with('-'), "{from}");
        assert_eq!(to, "2026-03-01T09:00:00Z");
        let same = json!("2026-03-01T10:00:00Z");
        let noon = "2026-03-01T10:00:00Z";
        assert_eq!(window(same.clone(), same), range(noon, noon));
    }

    #[test]
    fn bad_windows_are_named() {
        for (body, what) in [
            (json!({"datePeriod": "Custom"}), "needs startDate or endDate"),
            (json!({"datePeriod": 5, "startDate": null}), "needs startDate or endDate"),
            (json!({"startDate": "soon"}), "startDate is \"soon\""),
            (json!({"endDate": 1}), "endDate is 1"),
            (json!({"startDate": "2026-03-02", "endDate": "2026-03-01"}), "after endDate"),
            (json!({"startDate": "2026-03-17"}), "after now"),
        ] {
            let lines = asked(body, "UTC", NOW).unwrap_err();
            assert!(lines.len() == 1 && lines[0].contains(what), "{lines:?}");
        }
        let both = asked(json!({"startDate": "a", "endDate": "b"}), "UTC", NOW).unwrap_err();
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn named_periods_ignore_dates() {
        let body = json!({"datePeriod": "ThisYear", "startDate": "soon", "endDate": 1});
        assert_eq!(asked(body, "UTC", NOW).unwrap().0, "2026-01-01T00:00:00Z");
    }

    #[test]
    fn kinds_differ_by_period_and_zone_and_do_not_move() {
        let mut kinds = Vec::new();
        for zone in ["UTC", "Europe/Oslo", "Asia/Kolkata"] {
            let zone = TimeZone::get(zone).unwrap();
            for (_, period) in &PERIODS[..5] {
                let kind = named(*period, &zone, 0).rolling_kind;
                assert_eq!(kind, named(*period, &zone, at(NOW)).rolling_kind);
                kinds.push(kind.unwrap());
            }
        }
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), 15);
        assert!(kinds.iter().all(|kind| *kind > u64::MAX / 2));
    }
}
