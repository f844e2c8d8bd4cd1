//! What is refused, and that nothing changes then.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rankd_activity::{
    AT_MS_MAX, AT_MS_MIN, BatchError, Counts, KindId, KindTraits, Ledger, Measure, Row, RowError,
    Window,
};

fn row() -> Row {
    Row {
        user: 1,
        at_ms: 0,
        kind: KindId(0),
        points: 5,
        possible: 5,
        value: 0,
        is_correction: false,
    }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.define_kind(KindTraits { counts: Counts::Points, tag: None }).unwrap();
    ledger
}

#[test]
fn rows_beyond_a_limit_are_refused() {
    let mut ledger = ledger();
    let version = ledger.version();
    let cases = [
        (Row { at_ms: AT_MS_MAX + 1, ..row() }, RowError::Time { at_ms: AT_MS_MAX + 1 }),
        (Row { at_ms: AT_MS_MIN - 1, ..row() }, RowError::Time { at_ms: AT_MS_MIN - 1 }),
        (
            Row { points: -1_000_000_001, ..row() },
            RowError::Amount { what: "points", amount: -1_000_000_001 },
        ),
        (
            Row { possible: i32::MAX, ..row() },
            RowError::Amount { what: "possible", amount: i32::MAX },
        ),
        (Row { value: i32::MIN, ..row() }, RowError::Amount { what: "value", amount: i32::MIN }),
        (Row { kind: KindId(1), ..row() }, RowError::Kind { kind: 1, kinds: 1 }),
        (Row { is_correction: true, ..row() }, RowError::Correction { points: 5, value: 0 }),
    ];
    for (wrong, error) in cases {
        assert_eq!(ledger.append(wrong), Err(error));
        let batch = [row(), wrong];
        assert_eq!(ledger.append_all(&batch), Err(BatchError { position: 1, error }));
    }
    assert_eq!((ledger.version(), ledger.memory().rows), (version, 0));
}

#[test]
fn the_first_and_the_last_millisecond_are_taken() {
    let mut ledger = ledger();
    for at_ms in [AT_MS_MAX, AT_MS_MIN] {
        ledger.append(Row { at_ms, ..row() }).unwrap();
    }
    for _ in 0..2 {
        let window = |from_ms, until_ms| {
            let view = ledger.window(Measure::Points, Window { from_ms, until_ms });
            view.standings(std::num::NonZeroUsize::MIN).tally_of(1).map(|tally| tally.score)
        };
        assert_eq!(window(i64::MIN, i64::MAX), Some(10));
        assert_eq!(window(AT_MS_MAX, i64::MAX), Some(5));
        assert_eq!(window(i64::MIN, AT_MS_MIN + 1), Some(5));
        assert_eq!(window(i64::MIN, AT_MS_MIN), None);
        assert_eq!(window(AT_MS_MAX + 1, i64::MAX), None);
        ledger.settle();
    }
}

#[test]
fn a_user_who_comes_back_begins_anew() {
    let mut ledger = ledger();
    ledger.append(row()).unwrap();
    assert!(ledger.remove_user(1));
    assert!(!ledger.remove_user(1));
    ledger.append(Row { points: 2, ..row() }).unwrap();
    let standings =
        ledger.window(Measure::Points, Window::ALL).standings(std::num::NonZeroUsize::MIN);
    assert_eq!(standings.tally_of(1).map(|tally| tally.score), Some(2));
    assert_eq!(ledger.rows(Window::ALL, Some(1)).all().len(), 1);
}
