//! A recount, and random activities.
//!
//! What it is: an independent answer to every question, from a plain list of rows, by going over
//! all of them and sorting. Invariant: it shares no code with the ledger but its types.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::HashMap;

use rankd_activity::{Counts, KindId, KindTraits, Ledger, Measure, Month, Row, Tally, Window};

pub(crate) const DAY_MS: i64 = 86_400_000;
/// 2024-02-27T00:00:00Z, two days before a leap day.
pub(crate) const START_MS: i64 = 1_708_992_000_000;

/// From 1970-01-01 to 2015-01-01.
const DAYS_TO_2015: i64 = 16_436;

/// Numbers that are the same in every run (splitmix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn within(&mut self, from: i64, until: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(until - from).unwrap())).unwrap()
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The rows of the living, in the order of their appends.
#[derive(Clone, Default)]
pub(crate) struct Recount {
    pub(crate) kinds: Vec<KindTraits>,
    pub(crate) rows: Vec<Row>,
}

impl Recount {
    pub(crate) fn counted(
        &self,
        measure: Measure,
        window: Window,
        tags: Option<&[u32]>,
    ) -> Vec<&Row> {
        let is_counted = |row: &&Row| {
            let kind = self.kinds[row.kind.0 as usize];
            let is_measured = match kind.counts {
                Counts::Nothing => false,
                Counts::Refer | Counts::Recommend => measure == Measure::Referrals,
                Counts::Points => measure == Measure::Points,
            };
            let is_tagged = tags.is_none_or(|tags| kind.tag.is_some_and(|tag| tags.contains(&tag)));
            let inside = window.from_ms <= row.at_ms && row.at_ms < window.until_ms;
            is_measured && is_tagged && inside
        };
        self.rows.iter().filter(is_counted).collect()
    }

    /// The whole board, in order.
    pub(crate) fn board(
        &self,
        measure: Measure,
        window: Window,
        tags: Option<&[u32]>,
    ) -> Vec<Tally> {
        let mut sums: HashMap<u64, (bool, Tally)> = HashMap::new();
        for row in self.counted(measure, window, tags) {
            let user = row.user;
            let none =
                Tally { user, score: 0, possible: 0, refer: 0, recommend: 0, last_ms: i64::MIN };
            let (is_present, sum) = sums.entry(user).or_insert((false, none));
            if measure == Measure::Points {
                sum.possible += i64::from(row.possible);
            }
            if row.is_correction {
                continue;
            }
            *is_present = true;
            sum.last_ms = sum.last_ms.max(row.at_ms);
            match self.kinds[row.kind.0 as usize].counts {
                Counts::Refer => (sum.score, sum.refer) = (sum.score + 3, sum.refer + 1),
                Counts::Recommend => {
                    (sum.score, sum.recommend) = (sum.score + 1, sum.recommend + 1);
                }
                _ => sum.score += i64::from(row.points),
            }
        }
        let present = sums.into_values().filter(|(is_present, _)| *is_present);
        let mut board: Vec<Tally> = present.map(|(_, sum)| sum).collect();
        board.sort_by_key(|sum| (-sum.score, sum.last_ms, sum.user));
        board
    }

    /// The months in which somebody is on the board, newest first.
    pub(crate) fn months(
        &self,
        measure: Measure,
        window: Window,
        tags: Option<&[u32]>,
    ) -> Vec<Month> {
        let counted = self.counted(measure, window, tags);
        let active = counted.iter().filter(|row| !row.is_correction);
        let mut months: Vec<Month> = active.map(|row| month_of(row.at_ms)).collect();
        months.sort();
        months.dedup();
        months.reverse();
        months
    }

    /// Every row that is listed, oldest first; equal times in the order of appends.
    pub(crate) fn listed(&self, window: Window, user: Option<u64>, kinds: &[bool]) -> Vec<Row> {
        let is_listed = |row: &&Row| {
            !row.is_correction
                && user.is_none_or(|user| user == row.user)
                && kinds[row.kind.0 as usize]
                && window.contains(row.at_ms)
        };
        let mut rows: Vec<Row> = self.rows.iter().filter(is_listed).copied().collect();
        rows.sort_by_key(|row| row.at_ms);
        rows
    }
}

/// Days of a month, by the rule of leap years alone.
fn length(year: i32, month: u32) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The month by counting days from 2015.
pub(crate) fn month_of(at_ms: i64) -> Month {
    let mut days = at_ms.div_euclid(DAY_MS) - DAYS_TO_2015;
    let (mut year, mut month) = (2015, 1);
    while days >= length(year, month) {
        days -= length(year, month);
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    Month { year, month }
}

/// The window of a month from 2015 on.
pub(crate) fn month_window(wanted: Month) -> Window {
    let (mut year, mut month, mut day) = (2015, 1, DAYS_TO_2015);
    while (Month { year, month }) != wanted {
        day += length(year, month);
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let end = day + length(year, month);
    Window { from_ms: day * DAY_MS, until_ms: end * DAY_MS }
}

/// A ledger and its recount, fed with the same.
pub(crate) struct Pair {
    pub(crate) ledger: Ledger,
    pub(crate) recount: Recount,
    pub(crate) rng: Rng,
    pub(crate) users: u64,
    /// The present: most rows come then.
    pub(crate) now_ms: i64,
    /// Before the present.
    pub(crate) span_ms: i64,
    /// Merges that were done beside the appends.
    pub(crate) merges: usize,
}

impl Pair {
    pub(crate) fn new(seed: u64, tail_rows_max: u64) -> Self {
        let mut rng = Rng(seed);
        let mut ledger = Ledger::with_tail_rows_max(tail_rows_max);
        let mut recount = Recount::default();
        let counts =
            [Counts::Refer, Counts::Recommend, Counts::Points, Counts::Nothing, Counts::Points];
        for number in 0..30 {
            let tag = (!rng.one_in(4)).then(|| u32::try_from(rng.below(5)).unwrap());
            let kind = KindTraits { counts: counts[number % counts.len()], tag };
            ledger.define_kind(kind).unwrap();
            recount.kinds.push(kind);
        }
        let users = [8, 40, 300][usize::try_from(rng.below(3)).unwrap()];
        let span_ms = [2, 40, 800][usize::try_from(rng.below(3)).unwrap()] * DAY_MS;
        let now_ms = START_MS + rng.within(0, 4 * DAY_MS);
        Self { ledger, recount, rng, users, now_ms, span_ms, merges: 0 }
    }

    pub(crate) fn user(&mut self) -> u64 {
        // The ids' order is not that of their first rows; some are large.
        let user = self.rng.below(self.users);
        if user.is_multiple_of(7) { (1 << 53) - 1 - user } else { user * 37 % 1_000 + 1 }
    }

    /// A time: now, on an edge of a day or month, long ago, or a little in the future.
    pub(crate) fn time(&mut self) -> i64 {
        let (now, span) = (self.now_ms, self.span_ms);
        match self.rng.below(10) {
            0..4 => now,
            4 => now - self.rng.within(0, 5),
            5 => now + self.rng.within(0, 300_000),
            6 => {
                let day = (now - self.rng.within(0, span)).div_euclid(DAY_MS) * DAY_MS;
                day - i64::from(self.rng.one_in(2))
            }
            7 => {
                let month = month_of(now - self.rng.within(0, span));
                month_window(month).from_ms - i64::from(self.rng.one_in(2))
            }
            _ => now - self.rng.within(0, span),
        }
    }

    pub(crate) fn random_row(&mut self) -> Row {
        let kind = KindId(u32::try_from(self.rng.below(30)).unwrap());
        let (user, at_ms) = (self.user(), self.time());
        let is_correction = self.rng.one_in(12);
        let mut amount = |range: i64| i32::try_from(self.rng.within(-range, range + 1)).unwrap();
        let row = Row {
            user,
            at_ms,
            kind,
            points: amount(40),
            possible: amount(60),
            value: amount(2),
            is_correction,
        };
        let large = self.rng.one_in(200);
        match (is_correction, large) {
            (true, _) => Row { points: 0, value: 0, ..row },
            (false, true) => Row { points: 1_000_000_000, possible: 999_999_999, ..row },
            (false, false) => row,
        }
    }

    pub(crate) fn append(&mut self) {
        let row = self.random_row();
        self.recount.rows.push(row);
        if row.is_correction {
            let Row { user, at_ms, kind, possible, .. } = row;
            self.ledger.append_correction(user, at_ms, kind, possible).unwrap();
        } else {
            self.ledger.append(row).unwrap();
        }
    }

    pub(crate) fn append_all(&mut self, rows: usize) {
        let rows: Vec<Row> = (0..rows).map(|_| self.random_row()).collect();
        self.recount.rows.extend(&rows);
        self.ledger.append_all(&rows).unwrap();
    }

    /// Does some of the merges that wait, as another thread would.
    pub(crate) fn merge(&mut self) {
        for _ in 0..self.rng.below(4) {
            let Some(job) = self.ledger.merge_job() else { return };
            if self.rng.one_in(2) {
                self.append();
            }
            if self.rng.one_in(20) {
                self.ledger.settle();
            }
            self.ledger.finish(job.run());
            self.merges += 1;
        }
    }

    pub(crate) fn remove(&mut self) {
        let user = self.user();
        let was_there = self.ledger.remove_user(user);
        assert!(was_there || self.recount.rows.iter().all(|row| row.user != user));
        self.recount.rows.retain(|row| row.user != user);
    }

    /// One of several kinds of edges.
    pub(crate) fn edge(&mut self) -> i64 {
        match self.rng.below(6) {
            0 => self.now_ms + 1,
            1 => self.now_ms - self.span_ms - DAY_MS,
            2 if !self.recount.rows.is_empty() => {
                let at = usize::try_from(self.rng.below(self.recount.rows.len() as u64)).unwrap();
                self.recount.rows[at].at_ms + i64::from(self.rng.one_in(2))
            }
            _ => self.time(),
        }
    }

    pub(crate) fn window(&mut self) -> Window {
        let (one, two) = (self.edge(), self.edge());
        match self.rng.below(40) {
            0 => Window::ALL,
            1 => Window { from_ms: i64::MIN, until_ms: i64::MAX },
            2 => Window { from_ms: one.max(two), until_ms: one.min(two) },
            _ => Window { from_ms: one.min(two), until_ms: one.max(two) },
        }
    }

    pub(crate) fn measure(&mut self) -> Measure {
        if self.rng.one_in(2) { Measure::Points } else { Measure::Referrals }
    }
}
