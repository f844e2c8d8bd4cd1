//! Opening a store for an engine: the one place that knows which stores there are.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use rankd_engine::{Cut, Engine, EngineOptions, SnapshotReport, State, Storage, SystemClock};
use rankd_redis::{LocalCopy, RedisOptions, RedisStore};
use rankd_storage::{
    CopyFolder, Durability as StoreDurability, EmbeddedOptions, EmbeddedStore, MemoryStore,
    OpenReport, Progress, RealFs, StorageError,
};

use crate::settings::{Durability, Settings, Store};

/// How often the log is told how far loading is, where there is no terminal, in milliseconds.
const LOADING_TELL_MS: u64 = 2_000;

/// Where a node of a Redis store keeps a copy of its memory, within the data folder.
const COPY: &str = "copy";

/// An engine over the store that the settings ask for. Blocks until it is loaded.
pub(crate) fn open(settings: &Settings, folder: &Path) -> anyhow::Result<Arc<Engine>> {
    let options = EngineOptions { auto_create: settings.auto_create };
    match &settings.store {
        Store::Redis(url) => {
            let state = State::new();
            let store_options = RedisOptions::parse(url)?;
            let copy = local_copy(&folder.join(COPY));
            let store = RedisStore::open_with(store_options, Arc::clone(&state), copy)?;
            Ok(engine(state, Arc::new(store), options))
        }
        Store::Memory => {
            let state = State::new();
            let store = MemoryStore::new(Arc::clone(&state));
            Ok(engine(state, Arc::new(store), options))
        }
        Store::Embedded => {
            let store_options = EmbeddedOptions {
                durability: durability(settings),
                segment_bytes: settings.segment_bytes,
                snapshot_log_bytes: Some(settings.snapshot_log_bytes),
                snapshot_interval_ms: match settings.snapshot_interval_s {
                    0 => None,
                    seconds => Some(seconds * 1_000),
                },
                ..EmbeddedOptions::default()
            };
            open_embedded(folder, store_options, options)
        }
    }
}

/// A node's copy of its memory, in a folder of its own.
struct Copied(CopyFolder);

impl LocalCopy for Copied {
    fn load(&self, state: &Arc<State>) -> Result<Option<String>, String> {
        self.0.load(state).map_err(|error| error.one_line())
    }

    fn keep(&self, cut: Cut, note: &str) -> Result<(), String> {
        let report = self.0.keep(cut, note).map_err(|error| error.one_line())?;
        let SnapshotReport { members, bytes, duration_ms, .. } = report;
        tracing::info!(members, bytes, duration_ms, "a copy of this node's memory was kept");
        Ok(())
    }
}

/// A copy only makes starts short: where the folder cannot be had, there is none.
fn local_copy(folder: &Path) -> Option<Box<dyn LocalCopy>> {
    match CopyFolder::open(folder, Arc::new(RealFs), Arc::new(SystemClock)) {
        Ok(copy) => Some(Box::new(Copied(copy))),
        Err(error) => {
            let error = error.one_line();
            tracing::warn!(error, "this node keeps no copy of its memory, and starts slowly");
            None
        }
    }
}

/// Whether `path` is a folder in which a store has left its files. A folder that cannot be listed
/// counts: opening it tells why.
pub(crate) fn is_data_folder(path: &Path) -> bool {
    let is_ours = |name: &Path| {
        name.extension().is_some_and(|extension| extension == "rlog" || extension == "rsnap")
    };
    match std::fs::read_dir(path) {
        Ok(mut entries) => {
            entries.any(|entry| entry.is_ok_and(|entry| is_ours(entry.file_name().as_ref())))
        }
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// An engine over the data folder at `path`, for a command that works without a server.
pub(crate) async fn open_folder(path: &Path) -> anyhow::Result<Arc<Engine>> {
    let path = path.to_owned();
    let opening = tokio::task::spawn_blocking(move || {
        open_embedded(&path, EmbeddedOptions::default(), EngineOptions::default())
    });
    opening.await.context("opening the data folder was cut short")?
}

fn open_embedded(
    folder: &Path,
    store_options: EmbeddedOptions,
    options: EngineOptions,
) -> anyhow::Result<Arc<Engine>> {
    let state = State::new();
    let progress = progress_bar();
    let mut told = Instant::now();
    let mut on_progress = |at: Progress| {
        progress.set_length(at.total_bytes);
        progress.set_position(at.done_bytes);
        if progress.is_hidden() && told.elapsed() >= Duration::from_millis(LOADING_TELL_MS) {
            told = Instant::now();
            let Progress { done_bytes, total_bytes } = at;
            tracing::info!(done_bytes, total_bytes, "loading");
        }
    };
    let opened = EmbeddedStore::open_with_progress(
        folder,
        store_options,
        Arc::new(RealFs),
        Arc::clone(&state),
        &mut on_progress,
    );
    progress.finish_and_clear();
    let (store, report) = opened.map_err(explained)?;
    log(folder, &report);
    Ok(engine(state, Arc::new(store), options))
}

fn engine(state: Arc<State>, storage: Arc<dyn Storage>, options: EngineOptions) -> Arc<Engine> {
    Arc::new(Engine::new(state, storage, Arc::new(SystemClock), options))
}

fn durability(settings: &Settings) -> StoreDurability {
    match settings.durability {
        Durability::Always => StoreDurability::Always,
        Durability::Interval => StoreDurability::Interval(settings.interval_ms),
        Durability::Os => StoreDurability::Os,
    }
}

/// The error with what users can do about it.
fn explained(error: StorageError) -> anyhow::Error {
    let hint = match &error {
        StorageError::Locked { .. } => {
            "a running server has it open: stop it, or work on the server with --server URL"
        }
        StorageError::Damaged { .. } | StorageError::Layout(_) => {
            "`rankd check DIR` tells more and can salvage what is intact"
        }
        _ => return error.into(),
    };
    anyhow::anyhow!("{} ({hint})", error.one_line())
}

/// A bar on a terminal; elsewhere it is hidden, and the log is told.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("loading {bar:30} {bytes}/{total_bytes} {eta}")
        .expect("a template that is well-formed");
    ProgressBar::new(0).with_style(style)
}

/// Tells the log what opening came to; damage that was got around, loudly.
fn log(folder: &Path, report: &OpenReport) {
    let snapshot = report.snapshot.as_ref().map_or("none", |snapshot| snapshot.file.as_str());
    tracing::info!(
        folder = %folder.display(),
        is_new = report.is_new,
        snapshot,
        records = report.records,
        sequence = report.sequence,
        duration_ms = report.duration_ms,
        "store opened"
    );
    for (file, reason) in &report.skipped_snapshots {
        tracing::error!(file, reason, "a damaged snapshot was passed over; the log made up for it");
    }
    if let Some(tail) = &report.torn_tail {
        tracing::warn!(
            file = tail.file,
            offset = tail.offset,
            bytes = tail.bytes,
            copy = tail.copy,
            reason = tail.reason,
            "the log ended in a write that was cut short, or damaged later; it was set aside"
        );
    }
}
