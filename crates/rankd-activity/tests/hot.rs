//! Rolling boards and cached sums beside a recount.
//!
//! Method: as in `model.rs`, but the clock moves on and the same kinds of windows are asked for
//! again and again, by rank and by page. Each board has to be the recount of its own window.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::cell::Cell;

use common::{DAY_MS, Pair, Rng, month_of, month_window};
use rankd_activity::{
    Ask, Counts, HotBoards, HotOptions, KindTraits, Ledger, LedgerAccess, Measure,
    ROLLING_BOARDS_MAX, Reading, Row, Tally, Window,
};

/// Kinds of windows: the last days to the millisecond, from a day's start, a month, all of a time.
fn window(kind: u64, now_ms: i64) -> Window {
    let until_ms = now_ms + 1;
    match kind {
        0..4 => {
            let days = [1, 30, 365, 2][usize::try_from(kind).unwrap()];
            Window { from_ms: now_ms - days * DAY_MS, until_ms }
        }
        4 => Window { from_ms: (now_ms.div_euclid(DAY_MS) - 3) * DAY_MS, until_ms },
        5 => Window { until_ms, ..month_window(month_of(now_ms)) },
        // Longer in the future than rows come.
        _ => Window { from_ms: now_ms - 10 * DAY_MS, until_ms: now_ms + 1_000_000 },
    }
}

#[derive(Debug, Default)]
struct Seen {
    rolling: usize,
    summed: usize,
    checks: usize,
}

fn check(reading: &Reading, expected: &[Tally], rng: &mut Rng) {
    assert_eq!(reading.total(), expected.len() as u64);
    assert_eq!(reading.tallies(0, usize::MAX), expected);
    let offset = usize::try_from(rng.below(expected.len() as u64 + 2)).unwrap();
    let end = expected.len().min(offset + 5);
    assert_eq!(reading.tallies(offset, 5), expected[offset.min(end)..end]);
    if !expected.is_empty() {
        let at = usize::try_from(rng.below(expected.len() as u64)).unwrap();
        assert_eq!(reading.rank_of(expected[at].user), Some((at as u64 + 1, expected[at])));
    }
    assert_eq!(reading.rank_of(u64::MAX), None);
}

/// Asks for a board; now and then for a time that has gone by.
fn ask(pair: &mut Pair, hot: &HotBoards, kinds: u64, seen: &mut Seen) {
    let measure = pair.measure();
    let tags = [1, 4];
    let tags = pair.rng.one_in(6).then_some(tags.as_slice());
    let measure = if tags.is_some() { Measure::Referrals } else { measure };
    let window_kind = Some(pair.rng.below(kinds)).filter(|_| !pair.rng.one_in(12));
    let ask = Ask { measure, window_kind, tags };
    let back = match pair.rng.below(20) {
        0 => pair.rng.within(0, DAY_MS),
        1..5 => pair.rng.within(0, 100_000),
        _ => 0,
    };
    let now_ms = pair.now_ms - back;
    let window = window(window_kind.unwrap_or(0), now_ms);
    let expected = pair.recount.board(measure, window, tags);
    let reading = hot.read(&ask, &pair.ledger, window);
    assert_eq!(reading.window(), window);
    assert_eq!(reading.version(), pair.ledger.version());
    check(&reading, &expected, &mut pair.rng);
    seen.checks += expected.len() + 6;
    *(if reading.is_rolling() { &mut seen.rolling } else { &mut seen.summed }) += 1;
}

fn options(users_min: u64) -> HotOptions {
    HotOptions { rolling_users_min: users_min, ..HotOptions::default() }
}

#[test]
fn hot_boards_are_those_of_a_recount() {
    let mut seen = Seen::default();
    for seed in 0..40 {
        let tail_rows_max = [3, 64, 300, 4_096][usize::try_from(seed % 4).unwrap()];
        let mut pair = Pair::new(1_000 + seed, tail_rows_max);
        let hot = HotBoards::new(options(u64::from(seed % 3 == 0)));
        // More kinds than there can be boards, or fewer.
        let kinds = if seed % 2 == 0 { 7 } else { 3 };
        for _ in 0..150 {
            for _ in 0..pair.rng.below(30) {
                pair.append();
                pair.now_ms += pair.rng.within(0, 60_000);
            }
            match pair.rng.below(25) {
                0 => pair.remove(),
                1 => pair.now_ms += pair.rng.within(0, 3 * DAY_MS),
                2 => pair.ledger.settle(),
                3 => pair.append_all(50),
                4 => pair.now_ms += 40 * DAY_MS,
                5 => pair.now_ms += 1,
                6..9 => pair.merge(),
                _ => {}
            }
            let now_ms = pair.now_ms;
            if pair.rng.one_in(3) {
                hot.maintain(&pair.ledger, |_, kind| window(kind, now_ms));
            }
            for _ in 0..2 {
                ask(&mut pair, &hot, kinds, &mut seen);
            }
        }
        assert!(hot.rolling_boards() <= ROLLING_BOARDS_MAX);
    }
    assert!(seen.checks > 200_000, "only {} checks", seen.checks);
    assert!(seen.rolling > 2_000 && seen.summed > 2_000, "{seen:?}");
}

#[test]
fn a_board_that_lost_its_way_is_made_anew() {
    let mut pair = Pair::new(7, 64);
    let hot = HotBoards::new(options(0));
    let mut seen = Seen::default();
    for round in 0..4 {
        for _ in 0..40 {
            pair.append();
            ask(&mut pair, &hot, 1, &mut seen);
        }
        let now_ms = pair.now_ms;
        for _ in 0..2 {
            hot.maintain(&pair.ledger, |_, kind| window(kind, now_ms));
        }
        assert_eq!(hot.rolling_boards(), 2, "round {round}");
        // So many rows at once leave nothing to catch up from.
        pair.append_all(20_000);
        let before = (seen.rolling, seen.summed);
        for _ in 0..20 {
            ask(&mut pair, &hot, 1, &mut seen);
        }
        assert_eq!(seen.rolling, before.0);
        assert!(seen.summed > before.1);
    }
}

/// Counts how often the ledger is summed, by how often a view is wanted.
struct Counting<'a> {
    ledger: &'a Ledger,
    accesses: Cell<usize>,
}

impl LedgerAccess for Counting<'_> {
    fn with<R>(&self, read: impl FnOnce(&Ledger) -> R) -> R {
        self.accesses.set(self.accesses.get() + 1);
        read(self.ledger)
    }
}

#[test]
fn a_sum_is_good_until_a_row_comes_in_or_goes_out() {
    let mut ledger = Ledger::new();
    let kind = ledger.define_kind(KindTraits { counts: Counts::Points, tag: None }).unwrap();
    let append = |ledger: &mut Ledger, at_ms| {
        let row =
            Row { user: 5, at_ms, kind, points: 1, possible: 0, value: 0, is_correction: false };
        ledger.append(row).unwrap();
    };
    [1_000, 2_000, 9_000].into_iter().for_each(|at_ms| append(&mut ledger, at_ms));
    let hot = HotBoards::new(HotOptions::default());
    let ask = Ask { measure: Measure::Points, window_kind: Some(0), tags: None };
    let read = |ledger: &Ledger, from_ms, until_ms| {
        let counting = Counting { ledger, accesses: Cell::new(0) };
        let reading = hot.read(&ask, &counting, Window { from_ms, until_ms });
        let score = reading.tallies(0, 1)[0].score;
        // Once for the version, and once more for a view.
        (score, counting.accesses.get() == 1)
    };
    assert_eq!(read(&ledger, 500, 3_000), (2, false));
    assert_eq!(read(&ledger, 1_000, 9_000), (2, true));
    assert_eq!(read(&ledger, 1_000, 9_001), (3, false));
    assert_eq!(read(&ledger, 1_000, 1 << 40), (3, true));
    assert_eq!(read(&ledger, 1_001, 1 << 40), (2, false));
    assert_eq!(read(&ledger, 1_000, 1 << 40), (3, false));
    assert_eq!(read(&ledger, 0, 9_001), (3, true));
    assert_eq!(read(&ledger, 0, 9_000), (2, false));
    assert_eq!(read(&ledger, 0, 2_001), (2, true));
    assert_eq!(read(&ledger, 0, 2_000), (1, false));
    append(&mut ledger, 500);
    assert_eq!(read(&ledger, 1_000, 1 << 40), (3, false));
}
