//! Boards that are kept live, which only large ones are.
//!
//! Goal: a board that is held stays of its version while writes go on, and says the same when it is
//! copied; the next one has the writes. Method: more users than a live board needs, each with a
//! score of its own, so that every rank follows from the user's number.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic, and shares its support")]

mod support;

use rankd_orgs::{
    Board, BoardRequest, Measure, OrgId, OrgIntent, OrgOutcome, Orgs, UserId, Window,
};
use support::{NOW, activity, put_org};

const USERS: u64 = 5_000;

/// The user of this number has as many points.
fn record(user: u64, points: u64, id: &str) -> OrgIntent {
    let mut input = activity(1, user, id, "Reported");
    input.points = Some(i64::try_from(points).unwrap());
    OrgIntent::Record(input)
}

fn execute(orgs: &Orgs, batch: &[OrgIntent]) {
    let outcomes = orgs.execute(batch, NOW, &mut |_| {});
    assert!(outcomes.iter().all(|outcome| *outcome == OrgOutcome::Created), "{outcomes:?}");
}

fn board(orgs: &Orgs) -> Board {
    let request = BoardRequest {
        measure: Measure::Points,
        window: Window { from_ms: 0, until_ms: NOW + 1 },
        rolling_kind: Some(7),
        vacancies: &[],
        now_ms: NOW,
    };
    orgs.board(OrgId(1), &request).unwrap()
}

fn users(board: &Board, offset: u64, limit: usize) -> Vec<u64> {
    board.rows(offset, limit).iter().map(|row| row.user.id.0).collect()
}

/// A store with a board that is live.
fn live() -> Orgs {
    let orgs = Orgs::new();
    execute(&orgs, &[put_org(1, None)]);
    let all: Vec<_> = (1..=USERS).map(|user| record(user, user, &format!("a{user}"))).collect();
    execute(&orgs, &all);
    for _ in 0..100 {
        if format!("{:?}", board(&orgs)).contains("is_rolling: true") {
            return orgs;
        }
        orgs.maintain();
    }
    unreachable!("a board that is asked for often becomes live");
}

#[test]
fn a_live_board_that_is_held_stays_as_it_was_while_writes_go_on() {
    let orgs = live();
    let held = board(&orgs);
    execute(&orgs, &[record(1, 2 * USERS, "late")]);
    assert_eq!(users(&held, 0, 3), [USERS, USERS - 1, USERS - 2]);
    assert_eq!(users(&held, USERS - 1, 9), [1]);
    assert_eq!(held.row_of(UserId(1)).unwrap().rank, USERS);
    drop(held);
    let next = board(&orgs);
    assert_eq!(users(&next, 0, 3), [1, USERS, USERS - 1]);
    assert_eq!(next.row_of(UserId(1)).unwrap().rank, 1);
    assert_eq!(next.total(), USERS);
}

#[test]
fn a_copied_board_says_the_same_and_keeps_the_live_one_from_nobody() {
    let orgs = live();
    let copied = board(&orgs).copied();
    // Would wait for ever if the live board were still held.
    let live = board(&orgs);
    assert!(format!("{live:?}").contains("is_rolling: true"));
    assert!(!format!("{copied:?}").contains("is_rolling"));
    assert_eq!(copied.total(), live.total());
    for (offset, limit) in [(0, 50), (4_990, 50), (5_000, 1), (17, 0)] {
        assert_eq!(users(&copied, offset, limit), users(&live, offset, limit));
    }
    for user in [1, 77, USERS, USERS + 1] {
        let place = |board: &Board| board.row_of(UserId(user)).map(|row| (row.rank, row.tally));
        assert_eq!(place(&copied), place(&live));
    }
}
