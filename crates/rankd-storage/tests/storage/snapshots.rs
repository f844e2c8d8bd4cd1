//! Snapshots are made safely, kept in twos, and made up for when one is damaged.

use std::sync::Arc;

use rankd_engine::{Intent, ManualClock, Storage, StoreError};
use rankd_storage::{EmbeddedOptions, Fs, LayoutError, RealFs, StorageError, restore};
use tempfile::TempDir;

use crate::fault_fs::{ENOSPC, Fault, FaultFs, Op};
use crate::support::{
    Contents, Opened, copy_of, files, label, names_ending, open, open_with, options, until, write,
};

fn small_segments() -> EmbeddedOptions {
    EmbeddedOptions { segment_bytes: 4096, ..options() }
}

struct Scene {
    folder: TempDir,
    fs: FaultFs,
    opened: Opened,
    model: Contents,
}

fn scene(options: EmbeddedOptions) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let opened = open_with(folder.path(), options, fs.arc()).unwrap();
    Scene { folder, fs, opened, model: Contents::default() }
}

impl Scene {
    async fn fill(&mut self, count: i64) {
        self.opened.fill(&mut self.model, count).await;
    }

    /// What a start makes of the folder as it is now.
    fn killed(&self) -> Opened {
        let copy = copy_of(self.folder.path());
        let opened = open(copy.path()).unwrap();
        assert_eq!(opened.contents(), self.model);
        opened
    }
}

fn flip(folder: &TempDir, name: &str, at: usize) {
    let path = folder.path().join(name);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_start_loads_the_snapshot_and_the_log_after_it() {
    let mut scene = scene(options());
    scene.fill(300).await;
    scene.opened.submit(vec![label("m0-0", "Ada"), label("m0-1", "Grace")]).await;
    scene.model.labels.insert(b"m0-0".to_vec(), "Ada".to_owned());
    scene.model.labels.insert(b"m0-1".to_vec(), "Grace".to_owned());
    let report = scene.opened.store.snapshot().await.unwrap();
    assert_eq!((report.sequence, report.boards, report.members), (301, 1, 300));
    assert_eq!(report.file, "snapshot-00000000000000000301.rsnap");
    assert_eq!(report.bytes, files(scene.folder.path())[&report.file].len() as u64);
    scene.fill(5).await;
    let again = scene.killed();
    assert_eq!(again.report.snapshot.as_ref().unwrap().sequence, 301);
    assert_eq!(again.report.records, 5);
    let stats = again.store.stats();
    assert_eq!((stats.snapshot_sequence, stats.snapshot_at_ms), (301, crate::support::NOW_MS));
}

#[tokio::test]
async fn a_new_file_is_durable_under_its_name_before_an_old_one_goes() {
    let mut scene = scene(small_segments());
    for _ in 0..2 {
        scene.fill(100).await;
        scene.opened.store.snapshot().await.unwrap();
    }
    scene.fill(100).await;
    scene.fs.take_trace();
    let report = scene.opened.store.snapshot().await.unwrap();
    let trace = scene.fs.take_trace();
    let temporary = format!("{}.tmp", report.file);
    let ops: Vec<_> = trace.iter().map(|(op, name)| (*op, name.as_str())).collect();
    let made = [
        (Op::Create, temporary.as_str()),
        (Op::Write, &temporary),
        (Op::Sync, &temporary),
        (Op::Rename, &report.file),
        (Op::SyncFolder, "folder"),
    ];
    assert_eq!(ops[..5], made);
    let (end, removed) = ops[5..].split_last().unwrap();
    assert!(removed.len() > 1, "{removed:?}");
    // The old snapshot is kept as a spare file.
    assert_eq!(removed[0], (Op::Rename, "snapshot-00000000000000000100.rsnap.spare.tmp"));
    assert!(removed[1..].iter().all(|(op, _)| *op == Op::Remove), "{removed:?}");
    assert_eq!(*end, (Op::SyncFolder, "folder"));
}

/// It was longer: nothing of it may be left behind the end of the new one.
#[tokio::test]
async fn an_old_snapshot_is_written_over() {
    let mut scene = scene(small_segments());
    scene.fill(1000).await;
    for _ in 0..3 {
        scene.fill(1).await;
        scene.opened.store.snapshot().await.unwrap();
    }
    let spare = "snapshot-00000000000000001001.rsnap.spare.tmp";
    assert_eq!(names_ending(scene.folder.path(), ".tmp"), [spare]);
    let long = files(scene.folder.path())[spare].len();
    scene.opened.submit(vec![Intent::DeleteBoard { name: (*b"board").into() }]).await;
    scene.model.boards.clear();
    scene.fs.take_trace();
    let report = scene.opened.store.snapshot().await.unwrap();
    let trace = scene.fs.take_trace();
    let temporary = format!("{}.tmp", report.file);
    let ops: Vec<_> = trace.iter().take(6).map(|(op, name)| (*op, name.as_str())).collect();
    let made = [
        (Op::Rename, temporary.as_str()),
        (Op::Write, &temporary),
        (Op::Truncate, &temporary),
        (Op::Sync, &temporary),
        (Op::Rename, &report.file),
        (Op::SyncFolder, "folder"),
    ];
    assert_eq!(ops, made);
    let short = files(scene.folder.path())[&report.file].len();
    assert_eq!(short as u64, report.bytes);
    assert!(short < long, "{short} and {long} bytes");
    let again = scene.killed();
    assert_eq!(again.report.snapshot.as_ref().unwrap().sequence, report.sequence);
}

/// A hard link is a copy that costs nothing: what it shows must not change.
#[tokio::test]
async fn an_old_snapshot_with_another_name_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 100).await;
    let report = opened.store.snapshot().await.unwrap();
    let (snapshot, link) = (folder.path().join(&report.file), folder.path().join("monday"));
    std::fs::hard_link(&snapshot, &link).unwrap();
    let bytes = std::fs::read(&link).unwrap();
    for _ in 0..3 {
        opened.fill(&mut model, 1).await;
        opened.store.snapshot().await.unwrap();
    }
    assert!(!snapshot.exists());
    assert!(std::fs::read(&link).unwrap() == bytes);
}

#[tokio::test]
async fn two_snapshots_and_the_log_since_the_older_are_kept() {
    let mut scene = scene(small_segments());
    for round in 1..=5_u64 {
        scene.fill(100).await;
        scene.opened.store.snapshot().await.unwrap();
        let snapshots = names_ending(scene.folder.path(), ".rsnap");
        assert_eq!(snapshots.len() as u64, round.min(2));
        let logs = names_ending(scene.folder.path(), ".rlog");
        let oldest: u64 = logs[0][4..24].parse().unwrap();
        let second: u64 = logs[1][4..24].parse().unwrap();
        let older = if round == 1 { 0 } else { (round - 1) * 100 };
        assert!(oldest <= older + 1, "the log since {older} begins with {oldest}");
        assert!(round == 1 || second > older + 1, "{} was needed no more", logs[0]);
        assert_eq!(scene.opened.store.stats().segments, logs.len() as u64);
        scene.killed();
    }
}

#[tokio::test]
async fn a_damaged_newest_snapshot_is_made_up_for_by_the_log() {
    let mut scene = scene(small_segments());
    for _ in 0..3 {
        scene.fill(100).await;
        scene.opened.store.snapshot().await.unwrap();
    }
    scene.fill(10).await;
    drop(scene.opened);
    let newest = "snapshot-00000000000000000300.rsnap";
    let length = files(scene.folder.path())[newest].len();
    for at in [0, 20, 60, length / 2, length - 1] {
        let copy = copy_of(scene.folder.path());
        flip(&copy, newest, at);
        let again = open(copy.path()).unwrap();
        assert_eq!(again.contents(), scene.model);
        assert_eq!(again.report.skipped_snapshots[0].0, newest);
        assert_eq!(again.report.snapshot.as_ref().unwrap().sequence, 200);
        // The next snapshot replaces the damaged one, not the good one.
        again.submit(vec![write("board", "one more", 1)]).await;
        again.store.snapshot().await.unwrap();
        assert_eq!(
            names_ending(copy.path(), ".rsnap"),
            ["snapshot-00000000000000000200.rsnap", "snapshot-00000000000000000311.rsnap"]
        );
    }
}

#[tokio::test]
async fn without_a_complete_log_a_damaged_snapshot_is_refused() {
    let mut scene = scene(small_segments());
    for _ in 0..3 {
        scene.fill(100).await;
        scene.opened.store.snapshot().await.unwrap();
    }
    drop(scene.opened);
    let [older, newest] = &names_ending(scene.folder.path(), ".rsnap")[..] else { panic!() };
    let logs = names_ending(scene.folder.path(), ".rlog");

    let copy = copy_of(scene.folder.path());
    flip(&copy, older, 100);
    flip(&copy, newest, 100);
    let refused = open(copy.path()).map(drop).expect_err("refused");
    assert!(matches!(refused, StorageError::Layout(LayoutError::NoSnapshot { .. })), "{refused}");

    // The log ends before the damaged snapshot: nothing can make up for it.
    let copy = copy_of(scene.folder.path());
    flip(&copy, newest, 100);
    std::fs::remove_file(copy.path().join(logs.last().unwrap())).unwrap();
    let refused = open(copy.path()).map(drop).expect_err("refused");
    assert!(matches!(refused, StorageError::Layout(LayoutError::Missing { .. })), "{refused}");

    let copy = copy_of(scene.folder.path());
    for log in &logs {
        std::fs::remove_file(copy.path().join(log)).unwrap();
    }
    let refused = open(copy.path()).map(drop).expect_err("refused");
    assert!(matches!(refused, StorageError::Layout(LayoutError::NoLog(_))), "{refused}");
}

#[tokio::test]
async fn a_snapshot_that_fails_at_any_point_costs_nothing() {
    let mut scene = scene(small_segments());
    for _ in 0..2 {
        scene.fill(60).await;
        scene.opened.store.snapshot().await.unwrap();
    }
    let mut failures = 0;
    for nth in 1.. {
        scene.fill(60).await;
        let before = names_ending(scene.folder.path(), ".rsnap");
        scene.fs.fail_nth(nth);
        let taken = scene.opened.store.snapshot().await;
        scene.fs.heal();
        scene.killed();
        match taken {
            Err(StoreError::Snapshot(reason)) => {
                assert!(reason.contains("os error 5"), "{reason}");
                failures += 1;
                assert_eq!(scene.opened.store.stats().snapshots_failed, failures);
                // Without the fsync of the folder, both names may be there.
                let after = names_ending(scene.folder.path(), ".rsnap");
                assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
            }
            Err(other) => panic!("{other}"),
            Ok(_) => break,
        }
    }
    assert_eq!(failures, 5, "create, write, fsync, rename, fsync of the folder");
    // What could not be removed then is removed now.
    scene.fill(60).await;
    scene.opened.store.snapshot().await.unwrap();
    assert_eq!(names_ending(scene.folder.path(), ".rsnap").len(), 2);
    let temporary = names_ending(scene.folder.path(), ".tmp");
    assert!(temporary.len() == 1 && temporary[0].ends_with(".spare.tmp"), "{temporary:?}");
    scene.killed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_go_on_while_a_snapshot_is_taken() {
    let mut scene = scene(options());
    scene.fill(2000).await;
    let snapshots = async {
        for _ in 0..5 {
            scene.opened.store.snapshot().await.unwrap();
        }
    };
    let mut model = scene.model.clone();
    let writes = scene.opened.fill(&mut model, 300);
    tokio::join!(snapshots, writes);
    scene.model = model;
    let again = scene.killed();
    let snapshot = again.report.snapshot.as_ref().expect("five were taken");
    assert_eq!(snapshot.sequence + again.report.records, 2300);
    assert_eq!(snapshot.members, snapshot.sequence);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_share_a_snapshot_that_begins_after_them() {
    let mut scene = scene(options());
    scene.fill(10).await;
    let store = &scene.opened.store;
    let (a, b, c) = tokio::join!(store.snapshot(), store.snapshot(), store.snapshot());
    assert!([a, b, c].iter().all(|taken| taken.as_ref().is_ok_and(|report| report.sequence == 10)));
    // Nothing new: the same snapshot again is no new file.
    assert_eq!(store.snapshot().await.unwrap().sequence, 10);
    assert_eq!(store.stats().snapshots, 1);
}

#[tokio::test]
async fn the_log_asks_for_a_snapshot_when_it_has_grown() {
    let mut scene = scene(EmbeddedOptions { snapshot_log_bytes: Some(8192), ..options() });
    while scene.opened.store.stats().log_bytes < 8192 {
        assert_eq!(scene.opened.store.stats().snapshots, 0);
        scene.fill(1).await;
    }
    until(|| scene.opened.store.stats().snapshots == 1).await;
    assert_eq!(scene.killed().report.records, 0);
}

#[tokio::test]
async fn a_snapshot_is_taken_when_the_last_one_is_old_enough() {
    let mut scene = scene(EmbeddedOptions { snapshot_interval_ms: Some(5), ..options() });
    for round in 1..=3 {
        scene.fill(10).await;
        until(|| scene.opened.store.stats().snapshot_sequence == 10 * round).await;
    }
    assert_eq!(scene.killed().report.records, 0);
}

#[tokio::test]
async fn without_anything_new_time_makes_no_snapshot() {
    let mut scene = scene(EmbeddedOptions { snapshot_interval_ms: Some(1), ..options() });
    scene.fill(10).await;
    until(|| scene.opened.store.stats().snapshot_sequence == 10).await;
    let snapshots = scene.opened.store.stats().snapshots;
    // Each of these is a request that is served after the times that passed before it.
    for _ in 0..20 {
        assert_eq!(scene.opened.store.snapshot().await.unwrap().sequence, 10);
    }
    assert_eq!(scene.opened.store.stats().snapshots, snapshots);
}

#[tokio::test]
async fn what_became_of_the_last_snapshot_can_be_seen() {
    let mut scene = scene(options());
    scene.fill(10).await;
    scene.fs.fail(Op::Write, ".rsnap", Fault::Errno(ENOSPC));
    scene.opened.store.snapshot().await.unwrap_err();
    let stats = scene.opened.store.stats();
    assert!(stats.snapshot_last_failed);
    assert_eq!((stats.snapshots_failed, stats.snapshot_bytes), (1, 0));
    scene.fs.heal();
    let report = scene.opened.store.snapshot().await.unwrap();
    let stats = scene.opened.store.stats();
    assert!(!stats.snapshot_last_failed);
    assert_eq!((stats.snapshot_bytes, stats.snapshot_ms), (report.bytes, report.duration_ms));
    assert_eq!((stats.snapshot_members_done, stats.snapshot_members_total), (0, 0));
}

#[tokio::test]
async fn a_restored_copy_is_a_store_of_its_own() {
    let mut scene = scene(options());
    scene.fill(300).await;
    scene.opened.submit(vec![label("m0-0", "Ada")]).await;
    scene.model.labels.insert(b"m0-0".to_vec(), "Ada".to_owned());
    let report = scene.opened.store.snapshot().await.unwrap();
    let at_snapshot = scene.model.clone();
    scene.fill(20).await;

    let away = tempfile::tempdir().unwrap();
    let copy = away.path().join("monday.backup");
    std::fs::copy(scene.folder.path().join(&report.file), &copy).unwrap();
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let out = away.path().join("restored");
    let restored = restore(&copy, &out, &fs, &ManualClock::at(1)).unwrap();
    assert_eq!((restored.sequence, restored.boards, restored.members), (301, 1, 300));
    assert_eq!(restored.finished_ms, crate::support::NOW_MS);

    let again = open(&out).unwrap();
    assert_eq!((again.report.sequence, again.report.records), (301, 0));
    assert_eq!(again.contents(), at_snapshot);
    // It goes on behind the snapshot, and no file of the old store passes for one of its own.
    let mut model = at_snapshot;
    again.fill(&mut model, 5).await;
    drop(again);
    assert_eq!(open(&out).unwrap().contents(), model);
    let foreign = names_ending(scene.folder.path(), ".rsnap").remove(0);
    std::fs::copy(scene.folder.path().join(&foreign), out.join(&foreign)).unwrap();
    assert!(matches!(open(&out).err(), Some(StorageError::Damaged { .. })));
}

#[tokio::test]
async fn a_damaged_copy_or_a_used_folder_is_not_restored() {
    let mut scene = scene(options());
    scene.fill(300).await;
    let report = scene.opened.store.snapshot().await.unwrap();
    let away = tempfile::tempdir().unwrap();
    let (copy, out) = (away.path().join("copy"), away.path().join("restored"));
    let good = std::fs::read(scene.folder.path().join(&report.file)).unwrap();
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let restore = || restore(&copy, &out, &fs, &ManualClock::at(1));
    for at in (0..good.len()).step_by(37) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&copy, bad).unwrap();
        let refused = restore().map(drop).expect_err("refused");
        let is_expected =
            matches!(refused, StorageError::Damaged { .. } | StorageError::Newer { .. });
        assert!(is_expected, "byte {at}: {refused}");
        assert!(!out.exists(), "byte {at}: nothing is made of a damaged copy");
    }
    std::fs::write(&copy, good).unwrap();
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("notes.txt"), "mine").unwrap();
    let refused = restore().map(drop).expect_err("refused");
    assert!(matches!(refused, StorageError::Layout(LayoutError::NotEmpty(_))), "{refused}");
    std::fs::remove_file(out.join("notes.txt")).unwrap();
    assert_eq!(restore().unwrap().members, 300);
}

#[tokio::test]
async fn closing_leaves_nothing_to_replay() {
    let mut scene = scene(EmbeddedOptions { snapshot_on_close: true, ..options() });
    scene.fill(20).await;
    scene.opened.store.close().await.unwrap();
    assert_eq!(scene.killed().report.records, 0);
}

#[tokio::test]
async fn a_snapshot_that_fails_at_close_is_no_loss() {
    let mut scene = scene(EmbeddedOptions { snapshot_on_close: true, ..options() });
    scene.fill(20).await;
    scene.fs.fail(Op::Write, ".rsnap", Fault::Errno(ENOSPC));
    scene.opened.store.close().await.unwrap();
    assert_eq!(scene.killed().report.records, 20);
}

#[tokio::test]
async fn large_boards_and_long_names_take_many_blocks() {
    let mut scene = scene(options());
    let long = "n".repeat(60_000);
    for index in 0..20 {
        let member = format!("{long}{index}");
        scene.opened.submit(vec![write(&long, &member, index)]).await;
        scene.model.set(&long, &member, index, crate::support::NOW_MS);
    }
    let wide = (0..9000).map(|index| write("wide", &format!("member-{index}"), index % 7));
    scene.opened.submit(wide.collect()).await;
    for index in 0..9000 {
        scene.model.set("wide", &format!("member-{index}"), index % 7, crate::support::NOW_MS);
    }
    scene.opened.store.snapshot().await.unwrap();
    assert_eq!(scene.killed().report.records, 0);
}
