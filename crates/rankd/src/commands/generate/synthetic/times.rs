//! When things happen: more on working days than on others, more at some hours than at others,
//! more this year than last, and no two days alike.
//!
//! Invariant: as many times as were asked for, ascending, each before the end. Memory: the times
//! of one hour, and four bytes a day.

use super::random::{Draws, Purpose};

pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// How much more happens at the end than at the beginning, in percent of the beginning.
const GROWTH_PERCENT: u64 = 150;
/// Weights of days differ by up to so many percent either way.
const DAY_PERCENT: u32 = 30;

/// How much happens when, as weights.
#[derive(Debug)]
pub(super) struct Shape {
    /// From Monday on.
    pub(super) weekdays: [u32; 7],
    /// By the hour of the day, UTC.
    pub(super) hours: [u32; 24],
}

/// Offices in Europe.
pub(super) const OFFICE: Shape = Shape {
    weekdays: [100, 115, 110, 105, 80, 12, 8],
    hours: [1, 1, 1, 1, 2, 6, 20, 60, 95, 100, 90, 60, 55, 85, 90, 75, 45, 22, 12, 10, 8, 6, 3, 2],
};

/// Shops in India: weekends, and evenings.
pub(super) const SHOPS: Shape = Shape {
    weekdays: [70, 65, 70, 75, 95, 140, 130],
    hours: [
        12, 25, 35, 45, 55, 60, 65, 62, 58, 55, 60, 75, 95, 100, 85, 50, 20, 8, 4, 2, 2, 3, 4, 7,
    ],
};

/// A stretch of time that is to be filled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) days: u32,
    /// The end, in milliseconds since 1970, UTC.
    pub(super) until_ms: i64,
}

impl Stretch {
    /// Its first millisecond.
    pub(super) fn start_ms(&self) -> i64 {
        self.until_ms - i64::from(self.days) * DAY_MS
    }

    /// The day, from 0, that a time within it is on.
    pub(super) fn day_of(&self, at_ms: i64) -> u32 {
        let day = (at_ms - self.start_ms()).div_euclid(DAY_MS);
        u32::try_from(day).unwrap_or(0).min(self.days - 1)
    }
}

/// The times, in milliseconds since 1970, UTC.
pub(super) struct Times {
    stretch: Stretch,
    shape: &'static Shape,
    draws: Draws,
    /// Weight of each day, the weekday apart.
    days: Vec<u32>,
    count: u64,
    weight_total: u128,
    weight_so_far: u128,
    drawn: u64,
    /// The next hour, from 0.
    hour: u32,
    /// The times of the hour before it, descending.
    pending: Vec<i64>,
}

impl Times {
    pub(super) fn new(seed: u64, count: u64, stretch: Stretch, shape: &'static Shape) -> Self {
        let mut draws = Draws::new(seed, Purpose::Days);
        let days = (0..stretch.days)
            .map(|_| 100 - DAY_PERCENT + draws.below(2 * DAY_PERCENT + 1))
            .collect();
        let mut times = Self {
            stretch,
            shape,
            draws: Draws::new(seed, Purpose::Times),
            days,
            count,
            weight_total: 0,
            weight_so_far: 0,
            drawn: 0,
            hour: 0,
            pending: Vec::new(),
        };
        times.weight_total = (0..stretch.days * 24).map(|hour| times.weight(hour)).sum();
        times
    }

    fn hour_ms(&self, hour: u32) -> i64 {
        self.stretch.start_ms() + i64::from(hour) * HOUR_MS
    }

    fn weight(&self, hour: u32) -> u128 {
        let start_ms = self.hour_ms(hour);
        // 1970 began on a Thursday.
        let weekday = (start_ms.div_euclid(DAY_MS) + 3).rem_euclid(7);
        let hour_of_day = start_ms.div_euclid(HOUR_MS).rem_euclid(24);
        let at = |weights: &[u32], index: i64| {
            let index = usize::try_from(index).expect("a remainder is not negative");
            u128::from(*weights.get(index).expect("a weight for each day and hour"))
        };
        let day = hour / 24;
        let growth = 100 + GROWTH_PERCENT * u64::from(day) / u64::from(self.stretch.days);
        at(&self.shape.weekdays, weekday)
            * at(&self.shape.hours, hour_of_day)
            * at(&self.days, i64::from(day))
            * u128::from(growth)
    }

    /// Draws the times of the next hour. What is due by its end is a share of the whole, so that
    /// rounding loses none.
    fn draw_hour(&mut self) {
        self.weight_so_far += self.weight(self.hour);
        let due = u128::from(self.count) * self.weight_so_far / self.weight_total;
        let due = u64::try_from(due).expect("a share of a 64-bit number");
        let start_ms = self.hour_ms(self.hour);
        for _ in self.drawn..due {
            self.pending.push(start_ms + self.draws.between(0, HOUR_MS - 1));
        }
        self.pending.sort_unstable_by(|a, b| b.cmp(a));
        self.drawn = due;
        self.hour += 1;
    }
}

impl Iterator for Times {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        while self.pending.is_empty() && self.hour < self.stretch.days * 24 {
            self.draw_hour();
        }
        self.pending.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-16, a Monday.
    const UNTIL_MS: i64 = 1_773_619_200_000;

    fn times(count: u64, days: u32) -> Vec<i64> {
        Times::new(3, count, Stretch { days, until_ms: UNTIL_MS }, &OFFICE).collect()
    }

    #[test]
    fn there_are_as_many_as_asked_for_ascending_and_within() {
        for (count, days) in [(0, 1), (1, 1), (5, 400), (10_000, 2), (10_000, 365)] {
            let times = times(count, days);
            assert_eq!(times.len() as u64, count);
            assert!(times.is_sorted());
            let from_ms = UNTIL_MS - i64::from(days) * DAY_MS;
            assert!(times.iter().all(|at_ms| (from_ms..UNTIL_MS).contains(at_ms)));
        }
    }

    #[test]
    fn weekends_and_nights_are_quiet_and_it_grows() {
        let times = times(100_000, 728);
        let share = |is_in: &dyn Fn(i64) -> bool| {
            times.iter().filter(|at_ms| is_in(**at_ms)).count() * 100 / times.len()
        };
        let weekday = |at_ms: i64| (at_ms.div_euclid(DAY_MS) + 3).rem_euclid(7);
        let hour = |at_ms: i64| at_ms.div_euclid(HOUR_MS).rem_euclid(24);
        // 20 of 530 weights.
        assert!((2..=6).contains(&share(&|at_ms| weekday(at_ms) >= 5)));
        // 80 to 90 percent from 7 to 17.
        assert!((80..=92).contains(&share(&|at_ms| (7..17).contains(&hour(at_ms)))));
        // The second half has (150 + 250) / 2 against (100 + 175) / 2 weights: 60 percent or so.
        let half_ms = UNTIL_MS - 364 * DAY_MS;
        assert!((56..=64).contains(&share(&|at_ms| at_ms >= half_ms)));
    }
}
