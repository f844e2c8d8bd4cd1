//! Many threads write, one takes snapshots, others read.
//!
//! Goal: batches that share trees are applied in the order in which they are appended; a frozen
//! state is that of its moment, however long it is read; readers see whole batches only. Method: a
//! log that grows in `append`, frozen states compared with a replay of the log up to their moment,
//! and batches whose sums are zero.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic, and shares its support")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::{Mutex, RwLock};
use rankd_orgs::{
    BoardRequest, Measure, OrgChange, OrgId, OrgIntent, OrgItem, Orgs, OrgsFrozen, UserId, Window,
};
use support::{NOW, activity, put_org, put_user};

const WRITERS: u64 = 4;
const BATCHES: u64 = 60;
const ORGS: u64 = 6;

/// Two activities a user whose points cancel each other, in organisations of several trees.
fn batch(writer: u64, number: u64) -> Vec<OrgIntent> {
    let mut intents = Vec::new();
    for step in 0..4 {
        let org = 1 + (writer + number + step) % ORGS;
        let user = 1 + (number * 7 + step) % 20;
        for points in [50, -50] {
            let id = format!("{writer}-{number}-{step}-{points}");
            let mut input = activity(org, user, &id, "Reported");
            input.points = Some(points);
            input.at_ms = NOW - i64::try_from(number * 1000 + writer).unwrap();
            intents.push(OrgIntent::Record(input));
        }
        if number % 5 == step {
            intents.push(put_user(org, user));
        }
        if number % 11 == step {
            intents.push(OrgIntent::DeleteUser { org: OrgId(org), user: UserId(user) });
        }
    }
    intents.push(put_org(100 + writer * BATCHES + number, number.is_multiple_of(2).then_some(1)));
    intents
}

fn items(mut frozen: OrgsFrozen) -> Vec<OrgItem> {
    let mut all: Vec<OrgItem> = std::iter::from_fn(|| frozen.next_item()).collect();
    for item in &mut all {
        if let OrgItem::Prints { prints, .. } = item {
            prints.sort_unstable();
        }
    }
    all
}

fn replay(log: &[OrgChange]) -> Orgs {
    let orgs = Orgs::new();
    log.iter().for_each(|change| orgs.apply(change, NOW).unwrap());
    orgs
}

/// A reader: every user's points are zero, as no batch is ever half there.
fn read_until(orgs: &Orgs, done: &AtomicBool) -> u64 {
    let mut rows = 0;
    while !done.load(Ordering::Acquire) {
        for org in 1..=ORGS {
            let request = BoardRequest {
                measure: Measure::Points,
                window: Window { from_ms: 0, until_ms: NOW + 1 },
                rolling_kind: Some(1),
                vacancies: &[],
                now_ms: NOW,
            };
            let board = orgs.board(OrgId(org), &request).unwrap();
            let found = board.rows(0, 100);
            assert_eq!(found.len() as u64, board.total());
            assert!(found.iter().all(|row| row.tally.score == 0), "{found:?}");
            rows += found.len() as u64;
        }
        orgs.maintain();
    }
    rows
}

#[test]
fn frozen_states_are_prefixes_of_the_log() {
    let orgs = Orgs::new();
    let log = Mutex::new(Vec::new());
    // Shared by batches, exclusive to who freezes: as a store does it.
    let gate = RwLock::new(());
    let execute = |batch: &[OrgIntent]| {
        let _shared = gate.read();
        orgs.execute(batch, NOW, &mut |changes| log.lock().extend(changes));
    };
    let first: Vec<OrgIntent> =
        (1..=ORGS).map(|org| put_org(org, (org % 3 == 0).then(|| org - 1))).collect();
    execute(&first);
    let done = AtomicBool::new(false);
    let frozen = thread::scope(|scope| {
        let reader = scope.spawn(|| read_until(&orgs, &done));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let execute = &execute;
                scope.spawn(move || (0..BATCHES).for_each(|number| execute(&batch(writer, number))))
            })
            .collect();
        let mut frozen = Vec::new();
        while !writers.iter().all(|writer| writer.is_finished()) {
            if frozen.len() < 8 {
                let _alone = gate.write();
                frozen.push((log.lock().len(), orgs.freeze()));
            }
            thread::yield_now();
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Release);
        assert!(reader.join().is_ok());
        frozen
    });
    let log = log.into_inner();
    assert_eq!(items(replay(&log).freeze()), items(orgs.freeze()));
    assert!(!frozen.is_empty());
    for (length, frozen) in frozen {
        assert_eq!(items(replay(&log[..length]).freeze()), items(frozen));
    }
}
