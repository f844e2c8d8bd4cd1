//! The UTC calendar: which day, month and year a millisecond is in.
//!
//! What it is not: a clock, or aware of time zones; windows come in resolved to milliseconds.
//! Invariant: days, months and years are half-open and follow each other without gaps, in the
//! proleptic Gregorian calendar. Cost: a few divisions each.

use crate::row::{AT_MS_MAX, AT_MS_MIN, Window};

/// Milliseconds of a day; UTC days have no leap seconds here.
pub(crate) const DAY_MS: i64 = 86_400_000;
const MONTHS: i32 = 12;
/// Days of four hundred years, after which the calendar repeats.
const ERA_DAYS: i32 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i32 = 719_468;

/// A calendar month in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Of the common era.
    pub year: i32,
    /// From 1 to 12.
    pub month: u32,
}

/// The number of the day: 0 is 1970-01-01. `at_ms` is from [`AT_MS_MIN`] to [`AT_MS_MAX`].
pub(crate) fn day_of(at_ms: i64) -> i32 {
    debug_assert!((AT_MS_MIN..=AT_MS_MAX).contains(&at_ms));
    i32::try_from(at_ms.div_euclid(DAY_MS)).expect("ten thousand years have few days")
}

pub(crate) fn day_start_ms(day: i32) -> i64 {
    i64::from(day) * DAY_MS
}

/// Milliseconds since the day of `at_ms` began.
pub(crate) fn ms_in_day(at_ms: i64) -> u32 {
    u32::try_from(at_ms.rem_euclid(DAY_MS)).expect("a day has fewer")
}

/// The number of the month that `day` is in: twelve times the year, and the month from 0.
///
/// Years are thought to begin in March, so that the leap day is their last; then the lengths of
/// the months before any month are a straight line, rounded down.
pub(crate) fn month_of_day(day: i32) -> i32 {
    let days = day + EPOCH_DAYS;
    let era = days.div_euclid(ERA_DAYS);
    let in_era = days.rem_euclid(ERA_DAYS);
    let year_in_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    let march_month = (5 * in_year + 2) / 153;
    (era * 400 + year_in_era) * MONTHS + march_month + 2
}

/// The first day of the month with this number.
pub(crate) fn month_start_day(month: i32) -> i32 {
    let from_march = month - 2;
    let year = from_march.div_euclid(MONTHS);
    let march_month = from_march.rem_euclid(MONTHS);
    let era = year.div_euclid(400);
    let year_in_era = year.rem_euclid(400);
    let in_year = (153 * march_month + 2) / 5;
    let in_era = year_in_era * 365 + year_in_era / 4 - year_in_era / 100 + in_year;
    era * ERA_DAYS + in_era - EPOCH_DAYS
}

pub(crate) fn month_start_ms(month: i32) -> i64 {
    day_start_ms(month_start_day(month))
}

pub(crate) fn month_window(month: i32) -> Window {
    Window { from_ms: month_start_ms(month), until_ms: month_start_ms(month + 1) }
}

pub(crate) fn year_of_month(month: i32) -> i32 {
    month.div_euclid(MONTHS)
}

/// The number of the first month of `year`.
pub(crate) fn first_month(year: i32) -> i32 {
    year * MONTHS
}

pub(crate) fn calendar_month(month: i32) -> Month {
    let in_year = u32::try_from(month.rem_euclid(MONTHS)).expect("it is from 0 to 11");
    Month { year: year_of_month(month), month: in_year + 1 }
}

/// The number of a calendar month; none if there is no such month.
pub(crate) fn month_number(month: Month) -> Option<i32> {
    let in_year = i32::try_from(month.month).ok().filter(|month| (1..=MONTHS).contains(month))?;
    month.year.checked_mul(MONTHS)?.checked_add(in_year - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts days one by one from 1970, by the rule of leap years alone.
    #[test]
    fn the_calendar_agrees_with_counting() {
        let (mut year, mut month, mut in_month) = (1970, 0, 0);
        for day in 0..60_000 {
            assert_eq!(month_of_day(day), year * 12 + month, "day {day}");
            if in_month == 0 {
                assert_eq!(month_start_day(year * 12 + month), day);
            }
            in_month += 1;
            if in_month == length(year, month) {
                (month, in_month) = (month + 1, 0);
            }
            if month == 12 {
                (year, month) = (year + 1, 0);
            }
        }
    }

    fn length(year: i32, month: i32) -> i32 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        match month {
            1 => 28 + i32::from(leap),
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        }
    }

    #[test]
    fn known_edges() {
        // `date -u -d 2024-03-01 +%s` and its like.
        assert_eq!(month_start_ms(2024 * 12 + 2), 1_709_251_200_000);
        assert_eq!(month_start_ms(1969 * 12 + 11), -2_678_400_000);
        assert_eq!(day_of(-1), -1);
        assert_eq!(ms_in_day(-1), 86_399_999);
        assert_eq!(calendar_month(2024 * 12 + 1), Month { year: 2024, month: 2 });
        assert_eq!(month_number(Month { year: 2024, month: 13 }), None);
        assert_eq!(day_start_ms(day_of(AT_MS_MIN)), AT_MS_MIN);
        assert_eq!(calendar_month(month_of_day(day_of(AT_MS_MAX))).year, 9999);
    }
}
