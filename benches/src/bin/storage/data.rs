//! The large data set: one board, the same members and scores in both servers.
//!
//! Invariant: what is there already is not made again; a file with the number of members is written
//! last. Cost: about a minute for ten million members.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rankd_benches::data::Sequence;
use rankd_engine::{Batch, Clock, Intent, Score, State, Storage, SystemClock};
use rankd_storage::{Durability, EmbeddedOptions, EmbeddedStore, RealFs};
use tempfile::TempDir;

use crate::client::{BOARD, Client, name};
use crate::redis::{NEVER, Redis};

const BATCH: usize = 10_000;
/// Pairs of score and member in one command.
const PAIRS: usize = 500;
const SCORES_SEED: u64 = 7;

/// A folder of each server, with the same board in it.
pub(crate) struct Data {
    pub(crate) rankd: PathBuf,
    pub(crate) redis: PathBuf,
    _temporary: Option<TempDir>,
}

impl Data {
    /// The data of this many members, in `folder` or in a temporary one.
    pub(crate) fn of(members: usize, folder: Option<&Path>) -> Result<Self> {
        let temporary = folder.is_none().then(tempfile::tempdir).transpose()?;
        let base = temporary.as_ref().map(TempDir::path).or(folder).expect("one of them");
        let base = base.join(members.to_string());
        let (rankd, redis) = (base.join("rankd"), base.join("redis"));
        let done = base.join("done");
        if !done.is_file() {
            for folder in [&rankd, &redis] {
                fs::create_dir_all(folder)?;
            }
            eprintln!("making the data of {members} members");
            fill_rankd(&rankd, members)?;
            fill_redis(&redis, members)?;
            fs::write(done, members.to_string())?;
        }
        Ok(Self { rankd, redis, _temporary: temporary })
    }
}

/// A copy of a folder, whose files are shared where the server never writes into them.
pub(crate) fn copy_of(folder: &Path) -> Result<TempDir> {
    let parent = folder.parent().context("the data's own folder")?;
    let copy = tempfile::tempdir_in(parent)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
        }
    }
    Ok(copy)
}

fn fill_rankd(folder: &Path, members: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let options = EmbeddedOptions {
            durability: Durability::Os,
            snapshot_log_bytes: None,
            ..EmbeddedOptions::default()
        };
        let (store, _) = EmbeddedStore::open(folder, options, Arc::new(RealFs), State::new())?;
        let mut scores = Sequence::new(SCORES_SEED);
        for first in (0..members).step_by(BATCH) {
            let intents = (first..members.min(first + BATCH)).map(|number| Intent::Write {
                board: BOARD.as_bytes().into(),
                member: name(number).into_bytes().into(),
                score: Score::Integer(i64::try_from(scores.below(1 << 30)).expect("small")),
                operator: None,
                at_ms: None,
            });
            store.submit(Batch::new(intents.collect(), SystemClock.now_ms())).await?;
        }
        store.close().await?;
        Ok(())
    })
}

fn fill_redis(folder: &Path, members: usize) -> Result<()> {
    let redis = Redis::start(folder, &NEVER)?;
    let mut client = Client::connect(redis.peer)?;
    let mut scores = Sequence::new(SCORES_SEED);
    for first in (0..members).step_by(PAIRS) {
        let pairs: Vec<_> = (first..members.min(first + PAIRS))
            .flat_map(|number| [scores.below(1 << 30).to_string(), name(number)])
            .collect();
        let words = ["ZADD", BOARD].into_iter().chain(pairs.iter().map(String::as_str));
        client.call(&words.collect::<Vec<_>>())?;
    }
    client.call(&["SAVE"])
}
