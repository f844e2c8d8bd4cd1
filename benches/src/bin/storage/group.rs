//! Group commit at the storage layer: writers that share fsyncs, on a disk whose fsync takes 2 ms.

use rankd_benches::pause;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use rankd_benches::data::Sequence;
use rankd_benches::table::{Table, number};
use rankd_engine::{Batch, Clock, Intent, Score, State, Storage, SystemClock};
use rankd_storage::{EmbeddedOptions, EmbeddedStore, Fs, FsFile, FsLock, RealFs};
use tokio::task::JoinSet;

use crate::Arguments;
use crate::client::{BOARD, name};

const WRITERS: usize = 64;
const MEMBERS: usize = 100_000;
const SYNC: Duration = Duration::from_millis(2);

/// The operating system's files, with an fsync that takes [`SYNC`] longer.
#[derive(Clone, Copy)]
struct SlowFs;

struct SlowFile(Box<dyn FsFile>);

/// What a run came to.
struct Found {
    writes: u64,
    syncs: u64,
    seconds: f64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let time = Duration::from_secs(arguments.seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    let alone = runtime.block_on(measure(1, time))?;
    let together = runtime.block_on(measure(WRITERS, time))?;
    let mut table = Table::new(["writers", "writes a second", "fsyncs", "writes per fsync"]);
    for (writers, found) in [(1, &alone), (WRITERS, &together)] {
        let (per_s, per_sync) = (found.per_second(), found.per_sync());
        let syncs = found.syncs.to_string();
        table.push(vec![writers.to_string(), number(per_s), syncs, number(per_sync)]);
    }
    let times = together.per_second() / alone.per_second();
    Ok(format!(
        "{}{WRITERS} writers get {} times what one fsync a write gives.\n",
        table.render(),
        number(times)
    ))
}

#[expect(clippy::cast_precision_loss, reason = "for printing")]
impl Found {
    fn per_second(&self) -> f64 {
        self.writes as f64 / self.seconds
    }

    fn per_sync(&self) -> f64 {
        self.writes as f64 / self.syncs as f64
    }
}

async fn measure(writers: usize, time: Duration) -> Result<Found> {
    let folder = tempfile::tempdir()?;
    let options = EmbeddedOptions {
        snapshot_log_bytes: None,
        snapshot_on_close: false,
        ..EmbeddedOptions::default()
    };
    let (store, _) = EmbeddedStore::open(folder.path(), options, Arc::new(SlowFs), State::new())?;
    let store = Arc::new(store);
    let before = store.stats();
    let (begun, is_over) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let mut running = JoinSet::new();
    for writer in 0..writers {
        let (store, is_over) = (Arc::clone(&store), Arc::clone(&is_over));
        running.spawn(async move { write_on(&store, writer as u64, &is_over).await });
    }
    tokio::time::sleep(time).await;
    is_over.store(true, Ordering::Relaxed);
    let mut writes = 0;
    while let Some(written) = running.join_next().await {
        writes += written??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let syncs = store.stats().syncs - before.syncs;
    store.close().await?;
    Ok(Found { writes, syncs, seconds })
}

async fn write_on(store: &EmbeddedStore, seed: u64, is_over: &AtomicBool) -> Result<u64> {
    let (mut numbers, mut writes) = (Sequence::new(seed), 0);
    while !is_over.load(Ordering::Relaxed) {
        let intent = Intent::Write {
            board: BOARD.as_bytes().into(),
            member: name(numbers.below(MEMBERS)).into_bytes().into(),
            score: Score::Integer(i64::try_from(numbers.below(1 << 30))?),
            operator: None,
            at_ms: None,
        };
        store.submit(Batch::new(vec![intent], SystemClock.now_ms())).await?;
        writes += 1;
    }
    Ok(writes)
}

impl Fs for SlowFs {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        RealFs.create_folder(folder)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealFs.list(folder)
    }
    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn FsFile>> {
        Ok(Box::new(SlowFile(RealFs.open(path, writable)?)))
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        Ok(Box::new(SlowFile(RealFs.create(path)?)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFs.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFs.remove(path)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        RealFs.sync_folder(folder)
    }
    fn lock(&self, path: &Path, owner: &str) -> io::Result<Option<Box<dyn FsLock>>> {
        RealFs.lock(path, owner)
    }
    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        RealFs.is_locked(path)
    }
}

impl FsFile for SlowFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.truncate(length)
    }
    fn sync(&self) -> io::Result<()> {
        pause(SYNC);
        self.0.sync()
    }
}
