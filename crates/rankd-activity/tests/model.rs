//! Random activities, and every answer beside a recount.
//!
//! Method: rows of all sorts go into a ledger and a plain list; from time to time each question is
//! asked of both. Rows come late, in the future, twice at the same millisecond, on the edges of
//! days and months; users go and come back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::num::NonZeroUsize;

use common::{Pair, month_window};
use rankd_activity::{KindId, Ledger, Measure, Row, RowOrder, RowQuery, Standings, Tally, Window};

const THREADS: NonZeroUsize = NonZeroUsize::MIN;

/// Compares all of a board, a page of it, and ranks. How many things were compared.
fn check_standings(pair: &mut Pair, standings: &Standings, expected: &[Tally]) -> usize {
    assert_eq!(standings.total(), expected.len() as u64);
    let offset = usize::try_from(pair.rng.below(expected.len() as u64 + 3)).unwrap();
    let limit = usize::try_from(pair.rng.below(12)).unwrap();
    let page: Vec<Tally> = expected.iter().skip(offset).take(limit).copied().collect();
    assert_eq!(standings.tallies(offset, limit), page);
    for _ in 0..8 {
        let user = pair.user();
        let at = expected.iter().position(|tally| tally.user == user);
        let rank = at.map(|at| (at as u64 + 1, expected[at]));
        assert_eq!(standings.rank_of(user), rank);
        assert_eq!(standings.tally_of(user), rank.map(|(_, tally)| tally));
    }
    assert_eq!(standings.tallies(0, usize::MAX), expected);
    expected.len() + limit + 16
}

fn check_windows(pair: &mut Pair) -> usize {
    let mut checks = 0;
    for _ in 0..4 {
        let (window, measure) = (pair.window(), pair.measure());
        let expected = pair.recount.board(measure, window, None);
        let standings = pair.ledger.window(measure, window).standings(THREADS);
        checks += check_standings(pair, &standings, &expected);

        let tags = [u32::try_from(pair.rng.below(6)).unwrap(), 2, 2];
        let tags = &tags[..usize::try_from(pair.rng.below(4)).unwrap()];
        let expected = pair.recount.board(Measure::Referrals, window, Some(tags));
        let standings = pair.ledger.tagged(window, tags).standings(THREADS);
        checks += check_standings(pair, &standings, &expected);
    }
    checks
}

fn check_months(pair: &mut Pair) -> usize {
    let (window, measure) = (pair.window(), pair.measure());
    let tags = pair.rng.one_in(3).then_some([1, 3]);
    let tags = tags.as_ref().map(|tags| tags.as_slice());
    let view = pair.ledger.months(measure, window, tags);
    let tags = tags.filter(|_| measure == Measure::Referrals).or(tags.map(|_| [].as_slice()));
    let expected = pair.recount.months(measure, window, tags);
    assert_eq!(view.months(), expected);
    let mut checks = expected.len() + 1;
    for month in expected.into_iter().take(4) {
        let whole = month_window(month);
        let part = Window {
            from_ms: whole.from_ms.max(window.from_ms),
            until_ms: whole.until_ms.min(window.until_ms),
        };
        let board = pair.recount.board(measure, part, tags);
        let limit = usize::try_from(pair.rng.below(80)).unwrap();
        assert_eq!(view.top(month, limit, THREADS), board[..limit.min(board.len())]);
        assert_eq!(view.total(month, THREADS), board.len() as u64);
        checks += limit.min(board.len()) + 1;
    }
    checks
}

fn check_rows(pair: &mut Pair) -> usize {
    let window = pair.window();
    let user = pair.rng.one_in(2).then(|| pair.user());
    let wanted: Vec<bool> = (0..30).map(|_| !pair.rng.one_in(3)).collect();
    let is_wanted = |kind: KindId| wanted[kind.0 as usize];
    let is_filtered = pair.rng.one_in(2);
    let kinds: Option<&dyn Fn(KindId) -> bool> = if is_filtered { Some(&is_wanted) } else { None };
    let all = [true; 30];
    let mut expected = pair.recount.listed(window, user, if is_filtered { &wanted } else { &all });
    let order = [
        RowOrder::NewestFirst,
        RowOrder::OldestFirst,
        RowOrder::MostPoints,
        RowOrder::FewestPoints,
    ][usize::try_from(pair.rng.below(4)).unwrap()];
    match order {
        RowOrder::NewestFirst => expected.sort_by_key(|row| std::cmp::Reverse(row.at_ms)),
        RowOrder::OldestFirst => {}
        RowOrder::MostPoints => expected.sort_by_key(|row| std::cmp::Reverse(row.points)),
        RowOrder::FewestPoints => expected.sort_by_key(|row| row.points),
    }
    let offset = usize::try_from(pair.rng.below(expected.len() as u64 + 2)).unwrap();
    let limit = usize::try_from(pair.rng.below(40)).unwrap();
    let view = pair.ledger.rows(window, user);
    let page = view.page(&RowQuery { kinds, order, offset, limit });
    assert_eq!(page.total, expected.len() as u64);
    let rows: Vec<Row> = expected.iter().skip(offset).take(limit).copied().collect();
    assert_eq!(page.rows, rows);
    if let Some(user) = user {
        let mut rows = pair.recount.rows.clone();
        rows.retain(|row| row.user == user && window.contains(row.at_ms));
        rows.sort_by_key(|row| row.at_ms);
        assert_eq!(view.all(), rows);
    }
    limit + 1
}

/// Writes everything down and reads it again.
fn check_rebuilt(pair: &mut Pair) -> usize {
    let frozen = pair.ledger.freeze();
    let version = pair.ledger.version();
    pair.append();
    assert_eq!(frozen.version(), version);
    let mut rebuilt = Ledger::new();
    for kind in frozen.kinds() {
        rebuilt.define_kind(*kind).unwrap();
    }
    let written: Vec<Row> = frozen.days().flatten().collect();
    let mut expected = pair.recount.rows[..pair.recount.rows.len() - 1].to_vec();
    expected.sort_by_key(|row| row.at_ms);
    assert_eq!(written, expected);
    rebuilt.append_all(&written).unwrap();
    rebuilt.append(*pair.recount.rows.last().unwrap()).unwrap();
    rebuilt.settle();
    let original = std::mem::replace(&mut pair.ledger, rebuilt);
    let checks = check_windows(pair) + check_months(pair) + check_rows(pair) + written.len();
    pair.ledger = original;
    checks
}

#[test]
fn every_answer_is_that_of_a_recount() {
    let (mut checks, mut merges) = (0, 0);
    for seed in 0..48 {
        let tail_rows_max = [1, 7, 64, 4_096][usize::try_from(seed % 4).unwrap()];
        let mut pair = Pair::new(seed, tail_rows_max);
        for round in 0..24 {
            for _ in 0..pair.rng.below(120) {
                pair.append();
                pair.now_ms += pair.rng.within(0, 40_000);
            }
            match pair.rng.below(10) {
                0 => pair.remove(),
                1 => pair.now_ms += pair.rng.within(0, 3 * common::DAY_MS),
                2 => pair.ledger.settle(),
                3 => pair.append_all(50),
                4 | 5 => pair.merge(),
                _ => {}
            }
            checks += check_windows(&mut pair) + check_months(&mut pair);
            checks += check_rows(&mut pair) + check_rows(&mut pair);
            if round % 12 == 11 {
                checks += check_rebuilt(&mut pair);
            }
        }
        merges += pair.merges;
    }
    assert!(merges > 100, "only {merges} merges");
    assert!(checks > 300_000, "only {checks} checks");
}

/// Enough users for several ranges and rows for several threads, loaded in bulk.
#[test]
fn many_users_on_several_threads() {
    let mut pair = Pair::new(99, 4_096);
    (pair.users, pair.span_ms) = (100_000, 900 * common::DAY_MS);
    let rows: Vec<Row> =
        (0..160_000).map(|_| Row { user: pair.rng.below(100_000), ..pair.random_row() }).collect();
    pair.recount.rows = rows.clone();
    for rows in rows.chunks(40_000) {
        pair.ledger.append_all(rows).unwrap();
    }
    for _ in 0..300 {
        pair.append();
    }
    assert_eq!(pair.ledger.memory().rows, 160_300);
    let now = pair.now_ms;
    for (from_ms, until_ms) in [(0, i64::MAX), (now - 500 * common::DAY_MS, now + 1)] {
        for measure in [Measure::Referrals, Measure::Points] {
            let window = Window { from_ms, until_ms };
            let expected = pair.recount.board(measure, window, None);
            let view = pair.ledger.window(measure, window);
            for threads in [1, 2, 7] {
                let standings = view.standings(NonZeroUsize::new(threads).unwrap());
                // Kept, picked out, and sorted.
                for offset in [0, 100, 500, 1_000, 2_000, 30_000] {
                    let end = expected.len().min(offset + 50);
                    let page = &expected[offset.min(end)..end];
                    assert_eq!(standings.tallies(offset, 50), page);
                }
                assert_eq!(standings.tallies(0, usize::MAX), expected);
            }
        }
        let expected =
            pair.recount.board(Measure::Referrals, Window { from_ms, until_ms }, Some(&[0, 1]));
        let view = pair.ledger.tagged(Window { from_ms, until_ms }, &[1, 0]);
        assert_eq!(view.standings(NonZeroUsize::new(2).unwrap()).tallies(0, usize::MAX), expected);
    }
}
