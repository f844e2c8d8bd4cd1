//! Boards of windows that are asked for often follow the activities, whoever sent them.
//!
//! It is not needed for any answer to be right: without it a board would catch up when it is asked
//! next. Invariant: one round at a time, off the threads that serve sockets. Cost: nothing to speak
//! of while no window is asked for often.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::limits::UPKEEP_MS;
use crate::slot::EngineSlot;

/// Goes on until it is dropped.
pub(crate) async fn run(slot: EngineSlot) {
    let mut rounds = interval(Duration::from_millis(UPKEEP_MS));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(engine) = slot.get().map(Arc::clone) else { continue };
        let round = tokio::task::spawn_blocking(move || engine.orgs().maintain());
        if let Err(error) = round.await {
            tracing::error!(%error, "boards of windows could not be kept up to date");
        }
    }
}
