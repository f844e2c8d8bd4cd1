//! A full disk is waited out; a failed fsync is not.

use std::sync::Arc;

use rankd_engine::{Batch, Health, Receipt, Storage, StoreError};
use rankd_storage::EmbeddedOptions;
use tempfile::TempDir;

use crate::fault_fs::{EIO, ENOSPC, Fault, FaultFs, Op};
use crate::support::{
    Contents, NOW_MS, Opened, contents, copy_of, files, open, open_with, options, poll_once, write,
};

struct Scene {
    folder: TempDir,
    fs: FaultFs,
    opened: Opened,
    model: Contents,
}

/// A store with three writes in it.
async fn scene(segment_bytes: u64) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let options = EmbeddedOptions { segment_bytes, ..options() };
    let opened = open_with(folder.path(), options, fs.arc()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 3).await;
    fs.take_trace();
    Scene { folder, fs, opened, model }
}

impl Scene {
    async fn try_write(&mut self, member: &str) -> Result<Receipt, StoreError> {
        let batch = Batch::new(vec![write("board", member, 1)], NOW_MS);
        let result = self.opened.store.submit(batch).await;
        if !matches!(result, Err(StoreError::ReadOnly(_))) {
            self.model.set("board", member, 1, NOW_MS);
        }
        result
    }

    fn assert_read_only(&self) {
        let health = self.opened.store.health();
        assert!(matches!(health, Health::ReadOnly { ahead_of_disk: true, .. }), "{health:?}");
    }

    async fn wait_until_ready(&self) {
        let mut health = self.opened.store.health_changes();
        health.wait_for(|health| *health == Health::Ready).await.expect("the store is open");
    }

    /// Closes, and compares what a start finds.
    async fn assert_all_there(self) {
        assert_eq!(self.opened.contents(), self.model);
        self.opened.store.close().await.unwrap();
        let again = open(self.folder.path()).unwrap();
        assert_eq!(again.report.torn_tail, None);
        assert_eq!(again.contents(), self.model);
    }
}

fn not_durable<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::NotDurable(reason)) => reason,
        other => panic!("expected NotDurable, got {other:?}"),
    }
}

#[tokio::test]
async fn a_full_disk_is_waited_out() {
    for fault in [Fault::Errno(ENOSPC), Fault::Errno(EIO), Fault::Short] {
        let mut scene = scene(1 << 20).await;
        let before = files(scene.folder.path());
        scene.fs.fail(Op::Write, ".rlog", fault);
        let reason = not_durable(scene.try_write("late").await);
        assert!(reason.contains("log-00000000000000000001.rlog"), "{reason}");
        scene.assert_read_only();
        // The file is as it was before, and reads go on.
        assert_eq!(files(scene.folder.path()), before, "{fault:?}");
        assert_eq!(scene.opened.contents(), scene.model);
        let refused = scene.try_write("refused").await;
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
        scene.fs.heal();
        scene.wait_until_ready().await;
        // What was held back is in the log now, in order, and nothing twice.
        assert_eq!(scene.opened.store.stats().durable_sequence, 4);
        assert_eq!(scene.try_write("next").await.unwrap().sequence, 5);
        scene.assert_all_there().await;
    }
}

#[tokio::test]
async fn writes_held_back_keep_their_order() {
    let mut scene = scene(1 << 20).await;
    scene.fs.close_gate();
    let submit = |score| {
        let batch = Batch::new(vec![write("board", "same", score)], NOW_MS);
        scene.opened.store.submit(batch)
    };
    let mut first = submit(1);
    assert!(poll_once(&mut first).is_pending());
    crate::support::until(|| scene.fs.held() == 1).await;
    // The first is at its fsync, the others wait behind it; then the disk is full.
    let mut held_back: Vec<_> = (2..=4).map(submit).collect();
    for later in &mut held_back {
        assert!(poll_once(later).is_pending());
    }
    scene.fs.fail(Op::Write, ".rlog", Fault::Errno(ENOSPC));
    scene.fs.open_gate();
    assert_eq!(first.await.unwrap().sequence, 4);
    for later in held_back {
        not_durable(later.await);
    }
    scene.fs.heal();
    scene.wait_until_ready().await;
    scene.model.set("board", "same", 4, NOW_MS);
    scene.assert_all_there().await;
}

#[tokio::test]
async fn a_disk_that_is_full_at_the_next_segment_is_waited_out() {
    for op in [Op::Create, Op::Write, Op::Rename] {
        let mut scene = scene(4096).await;
        let mut model = std::mem::take(&mut scene.model);
        while files(scene.folder.path())["log-00000000000000000001.rlog"].len() < 4096 {
            scene.opened.fill(&mut model, 1).await;
        }
        scene.model = model;
        scene.fs.fail(op, "rlog", Fault::Errno(ENOSPC));
        not_durable(scene.try_write("late").await);
        scene.assert_read_only();
        scene.fs.heal();
        scene.wait_until_ready().await;
        assert_eq!(scene.opened.store.stats().segments, 2, "{op:?}");
        scene.assert_all_there().await;
    }
}

#[tokio::test]
async fn a_failed_fsync_is_final() {
    let mut scene = scene(1 << 20).await;
    scene.fs.fail(Op::Sync, ".rlog", Fault::Errno(EIO));
    not_durable(scene.try_write("late").await);
    scene.assert_read_only();
    scene.fs.heal();
    scene.fs.take_trace();
    for _ in 0..3 {
        let refused = scene.try_write("refused").await;
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    }
    assert!(matches!(scene.opened.store.snapshot().await, Err(StoreError::Snapshot(_))));
    // The disk is well again, and still nothing touches it.
    assert_eq!(scene.fs.take_trace(), []);
    not_durable(scene.opened.store.close().await);
    // The record was written before the fsync failed: it may be there, and here it is.
    let again = open(scene.folder.path()).unwrap();
    assert_eq!(again.contents(), scene.model);
}

#[tokio::test]
async fn a_start_after_a_failed_fsync_writes_the_doubtful_records_again() {
    let mut scene = scene(1 << 20).await;
    scene.fs.fail(Op::Sync, ".rlog", Fault::Errno(EIO));
    not_durable(scene.try_write("late").await);
    let copy = copy_of(scene.folder.path());
    let fs = FaultFs::new();
    let before = files(copy.path());
    let again = open_with(copy.path(), options(), fs.arc()).unwrap();
    let log = "log-00000000000000000001.rlog".to_owned();
    let folder = (Op::SyncFolder, "folder".to_owned());
    assert_eq!(fs.take_trace(), [(Op::Write, log.clone()), (Op::Sync, log), folder]);
    assert_eq!(files(copy.path()), before);
    assert_eq!(again.contents(), scene.model);
}

#[tokio::test]
async fn a_file_that_cannot_be_cut_back_is_final() {
    let mut scene = scene(1 << 20).await;
    let good = files(scene.folder.path());
    let good = &good["log-00000000000000000001.rlog"];
    scene.fs.fail(Op::Write, ".rlog", Fault::Short);
    scene.fs.fail(Op::Truncate, ".rlog", Fault::Errno(EIO));
    let reason = not_durable(scene.try_write("late").await);
    assert!(reason.contains("truncate"), "{reason}");
    scene.fs.heal();
    let refused = scene.try_write("refused").await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    not_durable(scene.opened.store.close().await);
    // Half a record is on disk; a start finds a torn tail.
    let again = open(scene.folder.path()).unwrap();
    let torn = again.report.torn_tail.clone().expect("half a record");
    assert_eq!(torn.offset, good.len() as u64);
    assert_eq!(again.report.sequence, 3);
}

#[tokio::test]
async fn a_full_disk_does_not_hold_up_closing() {
    let mut scene = scene(1 << 20).await;
    scene.fs.fail(Op::Write, ".rlog", Fault::Errno(ENOSPC));
    not_durable(scene.try_write("late").await);
    not_durable(scene.opened.store.close().await);
    assert_eq!(scene.opened.store.health(), Health::Closed);
    let again = open(scene.folder.path()).unwrap();
    assert_eq!(again.report.sequence, 3);
}

#[tokio::test]
async fn closing_writes_what_was_held_back_if_it_can() {
    let mut scene = scene(1 << 20).await;
    scene.fs.fail(Op::Write, ".rlog", Fault::Errno(ENOSPC));
    not_durable(scene.try_write("late").await);
    scene.fs.heal();
    scene.assert_all_there().await;
}

#[tokio::test]
async fn a_writer_that_panics_leaves_nobody_waiting() {
    let mut scene = scene(1 << 20).await;
    scene.fs.fail(Op::Write, ".rlog", Fault::Panic);
    let reason = not_durable(scene.try_write("late").await);
    assert!(reason.contains("panicked"), "{reason}");
    scene.assert_read_only();
    scene.fs.heal();
    let refused = scene.try_write("refused").await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    not_durable(scene.opened.store.close().await);
}

#[tokio::test]
async fn a_snapshot_thread_that_panicked_was_noticed_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let small = EmbeddedOptions { snapshot_log_bytes: Some(4096), ..options() };
    let opened = open_with(folder.path(), small, fs.arc()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 3).await;
    fs.fail(Op::Write, ".rsnap", Fault::Panic);
    for attempt in ["the one that panics", "a later one"] {
        match opened.store.snapshot().await {
            Err(StoreError::Snapshot(reason)) => {
                assert!(reason.contains("has panicked"), "{attempt}: {reason}");
            }
            other => panic!("{attempt}: {other:?}"),
        }
        fs.heal();
    }
    assert_eq!(opened.store.stats().snapshots_failed, 1);
    // Writes go on, and that the log is not cut back is counted.
    let health = opened.store.health();
    assert!(
        matches!(&health, Health::Degraded { reason } if reason.contains("has panicked")),
        "{health:?}"
    );
    while opened.store.stats().snapshots_failed == 1 {
        assert!(opened.store.stats().log_bytes < 2 * 4096);
        opened.fill(&mut model, 1).await;
    }
    opened.store.close().await.unwrap();
    assert_eq!(opened.store.stats().snapshots, 0);
    let again = open(folder.path()).unwrap();
    assert_eq!(again.contents(), model);
    assert_eq!(again.report.removed.len(), 1, "the unfinished snapshot");
}

#[tokio::test]
async fn a_full_queue_makes_writers_wait_and_a_failure_sends_them_away() {
    let scene = scene(1 << 20).await;
    scene.fs.close_gate();
    let long = "n".repeat(60_000);
    // Each may take 15 MB of the queue's 128 MiB: the ninth has to wait.
    let batch = || {
        let intents = (0..128).map(|score| write(&long, &long, score)).collect();
        Batch::new(intents, NOW_MS)
    };
    let mut tasks: Vec<_> = (0..9).map(|_| scene.opened.store.submit(batch())).collect();
    for task in &mut tasks {
        assert!(poll_once(task).is_pending());
    }
    // Eight are applied; the ninth was not even resolved.
    assert_eq!(scene.opened.store.stats().sequence, 3 + 8);
    let before = contents(&scene.opened.state);
    scene.fs.fail(Op::Sync, ".rlog", Fault::Errno(EIO));
    scene.fs.open_gate();
    let ninth = tasks.pop().expect("nine were submitted").await;
    assert!(matches!(ninth, Err(StoreError::ReadOnly(_))), "{ninth:?}");
    for task in tasks {
        not_durable(task.await);
    }
    assert_eq!(scene.opened.contents(), before);
}

#[tokio::test]
async fn options_outside_their_limits_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bad = [
        EmbeddedOptions { segment_bytes: 1, ..options() },
        EmbeddedOptions { durability: rankd_storage::Durability::Interval(0), ..options() },
        EmbeddedOptions { snapshot_log_bytes: Some(0), ..options() },
    ];
    for options in bad {
        let refused = open_with(&folder.path().join("new"), options, Arc::new(FaultFs::new()));
        let message = refused.err().expect("refused").to_string();
        assert!(message.contains("; allowed are "), "{message}");
        assert!(!folder.path().join("new").exists());
    }
}
