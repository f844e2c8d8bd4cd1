//! Times as the API prints them: local time to the millisecond with the zone's abbreviation behind
//! it, without a separator. The zones are those that were built in, whatever the machine has.

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of an organisation. Zones were checked when the organisation was made, so an unknown
/// one means data of a newer build; it gets UTC rather than no answer.
pub(super) fn zone(name: &str) -> TimeZone {
    ZONES.get(name).unwrap_or(TimeZone::UTC)
}

/// A time in a zone, as text.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalTime<'a> {
    pub(super) at_ms: i64,
    pub(super) zone: &'a TimeZone,
}

impl fmt::Display for LocalTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let furthest = if self.at_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let at = Timestamp::from_millisecond(self.at_ms).unwrap_or(furthest);
        let offset = self.zone.to_offset_info(at);
        let local = offset.offset().to_datetime(at);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}",
            local.year(),
            local.month(),
            local.day(),
            local.hour(),
            local.minute(),
            local.second(),
            local.millisecond(),
            offset.abbreviation()
        )
    }
}

impl Serialize for LocalTime<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(name: &str, at: &str) -> String {
        let at: Timestamp = at.parse().unwrap();
        LocalTime { at_ms: at.as_millisecond(), zone: &zone(name) }.to_string()
    }

    #[test]
    fn zones_with_letters_print_them() {
        let at = "2026-02-11T03:35:31Z";
        assert_eq!(printed("Asia/Kolkata", at), "2026-02-11T09:05:31.000IST");
        assert_eq!(printed("UTC", at), "2026-02-11T03:35:31.000UTC");
        assert_eq!(printed("Europe/Oslo", at), "2026-02-11T04:35:31.000CET");
    }

    #[test]
    fn zones_without_letters_print_their_offset() {
        assert_eq!(
            printed("Europe/Istanbul", "2026-02-11T03:35:31Z"),
            "2026-02-11T06:35:31.000+03"
        );
        assert_eq!(
            printed("Asia/Kathmandu", "2026-02-11T03:35:31.007Z"),
            "2026-02-11T09:20:31.007+0545"
        );
    }

    #[test]
    fn the_abbreviation_is_that_of_the_moment() {
        let zone = "America/New_York";
        assert_eq!(printed(zone, "2026-03-08T06:59:59.999Z"), "2026-03-08T01:59:59.999EST");
        assert_eq!(printed(zone, "2026-03-08T07:00:00Z"), "2026-03-08T03:00:00.000EDT");
        assert_eq!(printed(zone, "2026-11-01T05:59:59Z"), "2026-11-01T01:59:59.000EDT");
        assert_eq!(printed(zone, "2026-11-01T06:00:00Z"), "2026-11-01T01:00:00.000EST");
    }

    #[test]
    fn no_time_and_no_zone_is_a_panic() {
        for at_ms in [i64::MIN, i64::MAX, -1, 0] {
            let text = LocalTime { at_ms, zone: &zone("Asia/Kolkata") }.to_string();
            assert!(text.ends_with("IST") || text.ends_with("LMT"), "{text}");
        }
        assert_eq!(printed("Nowhere/Land", "2026-02-11T03:35:31Z"), "2026-02-11T03:35:31.000UTC");
    }
}
