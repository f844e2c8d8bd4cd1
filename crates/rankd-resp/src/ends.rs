//! Keys and members whose time has come, taken away whether or not anybody asks for them.
//!
//! Invariant: who asks for a key finds it gone from its end on, without this; a member is gone when
//! a turn has ended it, which every connection has done before its own commands run. Cost: a look
//! every [`EXPIRY_MS`](crate::limits::EXPIRY_MS), and a turn when something is due.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rankd_engine::{KeyTurn, Name, Procedure};
use tokio::time::{MissedTickBehavior, interval};

use crate::limits::{EXPIRY_KEYS_MAX, EXPIRY_MEMBERS_BYTES_MAX, EXPIRY_MS};
use crate::shared::Shared;

/// Deletes keys whose end has come.
struct EndKeys {
    ended: Vec<Name>,
}

impl Procedure for EndKeys {
    fn bytes_max(&self) -> u64 {
        EXPIRY_KEYS_MAX as u64 * (rankd_engine::limits::NAME_BYTES_MAX as u64 + 64)
    }

    fn run(&mut self, turn: &mut KeyTurn<'_>) {
        self.ended = turn.ended_keys(EXPIRY_KEYS_MAX);
        for key in &self.ended {
            // Looking at it is enough: it has ended.
            debug_assert!(turn.kind(key).is_none(), "an ended key is gone when it is looked at");
            turn.delete(key);
        }
    }
}

/// Takes members whose end has come out of their boards.
#[derive(Default)]
struct EndMembers {
    count: u64,
    /// The boards they were on, and whether those are gone with them.
    boards: Vec<(Name, bool)>,
}

impl Procedure for EndMembers {
    fn bytes_max(&self) -> u64 {
        EXPIRY_MEMBERS_BYTES_MAX
    }

    fn run(&mut self, turn: &mut KeyTurn<'_>) {
        let mut boards = turn.end_members(EXPIRY_MEMBERS_BYTES_MAX);
        self.count = boards.len() as u64;
        boards.sort_unstable();
        boards.dedup();
        let with_kind = |board: Name| {
            let is_gone = turn.kind(&board).is_none();
            (board, is_gone)
        };
        self.boards = boards.into_iter().map(with_kind).collect();
    }
}

/// Looks for what has ended, for as long as it is let.
pub(crate) async fn go_on(shared: Arc<Shared>) {
    let mut ticks = interval(Duration::from_millis(EXPIRY_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        end_members(&shared).await;
        end_keys(&shared).await;
    }
}

async fn end_keys(shared: &Shared) {
    let has_some = shared.engine.read_keys(|turn| !turn.ended_keys(1).is_empty());
    if !has_some {
        return;
    }
    match shared.engine.transact(EndKeys { ended: Vec::new() }).await {
        Ok(done) => {
            shared.counters.expired.fetch_add(done.ended.len() as u64, Ordering::Relaxed);
            done.ended.iter().for_each(|key| tell(shared, 'x', "expired", key));
        }
        Err(error) => tracing::debug!(%error, "keys could not be ended; they will be"),
    }
}

/// Ends the members that are due, all of them.
pub(crate) async fn end_members(shared: &Shared) {
    while shared.engine.has_ended_members() {
        match shared.engine.transact(EndMembers::default()).await {
            Ok(done) => {
                shared.counters.expired_members.fetch_add(done.count, Ordering::Relaxed);
                tell_of_members(shared, &done.boards);
            }
            Err(error) => {
                tracing::debug!(%error, "members could not be ended; they will be");
                return;
            }
        }
    }
}

/// Once for a board, however many of its members have ended together.
fn tell_of_members(shared: &Shared, boards: &[(Name, bool)]) {
    for (board, is_gone) in boards {
        tell(shared, 'z', "zexpired", board);
        if *is_gone {
            tell(shared, 'g', "del", board);
        }
    }
}

fn tell(shared: &Shared, class: char, event: &str, key: &[u8]) {
    shared.event(class, event, key, |channel, payload| {
        shared.hub.publish(&channel, payload);
    });
}
