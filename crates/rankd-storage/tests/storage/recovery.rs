//! A start finds everything, cuts a torn tail off, and can itself be cut short.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::Storage;
use rankd_storage::{EmbeddedOptions, RealFs, StorageError, Verdict, check};

use crate::fault_fs::FaultFs;
use crate::support::{Contents, copy_of, files, names_ending, open, open_with, options};

const FIRST_LOG: &str = "log-00000000000000000001.rlog";

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_off_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 2).await;
    let before = files(folder.path())[FIRST_LOG].clone();
    let mut with_last = model.clone();
    opened.fill(&mut with_last, 1).await;
    opened.store.close().await.unwrap();
    let whole = files(folder.path())[FIRST_LOG].clone();

    for length in before.len() + 1..whole.len() {
        put(folder.path(), FIRST_LOG, &whole[..length]);
        let again = open(folder.path()).unwrap();
        assert_eq!(again.contents(), model);
        let torn = again.report.torn_tail.clone().expect("the last record is not whole");
        assert_eq!((&*torn.file, torn.offset), (FIRST_LOG, before.len() as u64));
        assert_eq!(torn.bytes, (length - before.len()) as u64);
        let files = files(folder.path());
        assert_eq!(files[&torn.copy], whole[before.len()..length]);
        assert_eq!(files[FIRST_LOG], before);
        drop(again);
        // Once cut, it is a good store.
        assert_eq!(check(folder.path(), &RealFs).unwrap().verdict, Verdict::Healthy);
        std::fs::remove_file(folder.path().join(&torn.copy)).unwrap();
    }
    put(folder.path(), FIRST_LOG, &whole);
    assert_eq!(open(folder.path()).unwrap().contents(), with_last);
}

#[tokio::test]
async fn a_tail_of_zeros_or_of_noise_is_torn_too() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 3).await;
    opened.store.close().await.unwrap();
    let whole = files(folder.path())[FIRST_LOG].clone();
    for tail in [vec![0; 5000], vec![0xff; 39], vec![0xa5; 300_000]] {
        put(folder.path(), FIRST_LOG, &[&whole[..], &tail[..]].concat());
        let again = open(folder.path()).unwrap();
        assert_eq!(again.contents(), model);
        assert_eq!(again.report.torn_tail.as_ref().unwrap().bytes, tail.len() as u64);
        // And the log goes on behind it.
        let mut more = model.clone();
        again.fill(&mut more, 1).await;
        drop(again);
        assert_eq!(open(folder.path()).unwrap().contents(), more);
    }
}

/// A folder with a snapshot, several segments, an unfinished file and a torn tail.
async fn scene() -> (tempfile::TempDir, Contents) {
    let folder = tempfile::tempdir().unwrap();
    let small = EmbeddedOptions { segment_bytes: 4096, ..options() };
    let opened = open_with(folder.path(), small, Arc::new(RealFs)).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 100).await;
    opened.store.snapshot().await.unwrap();
    opened.fill(&mut model, 100).await;
    drop(opened);
    let logs = names_ending(folder.path(), ".rlog");
    assert!(logs.len() > 3, "{logs:?}");
    let last = logs.last().unwrap();
    let bytes = files(folder.path())[last].clone();
    put(folder.path(), last, &[&bytes[..], b"half a record"].concat());
    put(folder.path(), "snapshot-00000000000000000999.rsnap.tmp", b"half a snapshot");
    (folder, model)
}

#[tokio::test]
async fn a_crash_at_any_point_of_a_recovery_is_recovered_from() {
    let (scene, model) = scene().await;
    let mut crashes = 0;
    loop {
        let folder = copy_of(scene.path());
        let fs = FaultFs::new();
        fs.crash_at(crashes + 1);
        let crashed = open_with(folder.path(), options(), fs.arc());
        if let Ok(opened) = &crashed {
            assert_eq!(opened.contents(), model);
            break;
        }
        drop(crashed);
        crashes += 1;
        let again = open(folder.path()).unwrap();
        assert_eq!(again.contents(), model, "crash at call {crashes}");
        assert_eq!(again.report.sequence, 200);
        // The tail was copied once, however often it was tried.
        assert_eq!(names_ending(folder.path(), ".tail").len(), 1);
        assert_eq!(names_ending(folder.path(), ".tmp"), [""; 0]);
    }
    // Removing; copying (create, write, fsync, rename, fsync); cutting, fsync; writing again,
    // fsync; fsync of the folder.
    assert_eq!(crashes, 11);
}

#[tokio::test]
async fn a_newer_version_is_refused_and_left_untouched() {
    let (scene, _) = scene().await;
    let victims = [names_ending(scene.path(), ".rlog"), names_ending(scene.path(), ".rsnap")];
    for victim in victims.concat() {
        let folder = copy_of(scene.path());
        let mut bytes = files(folder.path())[&victim].clone();
        bytes[8] = 5;
        put(folder.path(), &victim, &bytes);
        let before = files(folder.path());
        match open(folder.path()).err().expect("refused") {
            StorageError::Newer { file, found: 5, known: 4 } => assert_eq!(file, victim),
            other => panic!("{victim}: {other}"),
        }
        assert_eq!(files(folder.path()), before);
    }
}

#[tokio::test]
async fn one_process_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    match open(folder.path()).err().expect("refused") {
        StorageError::Locked { owner, .. } => assert_eq!(owner, std::process::id().to_string()),
        other => panic!("{other}"),
    }
    // The attempt has not disturbed the one who has it.
    assert_eq!(first.submit(vec![crate::support::create("board")]).await, 1);
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!(report.in_use_by, Some(std::process::id().to_string()));
    drop(first);
    assert_eq!(open(folder.path()).unwrap().report.sequence, 1);
    assert_eq!(check(folder.path(), &RealFs).unwrap().in_use_by, None);
}

#[tokio::test]
async fn files_of_another_store_are_refused() {
    let (scene, _) = scene().await;
    let other = tempfile::tempdir().unwrap();
    let others = EmbeddedOptions { store_id: Some([9; 16]), ..options() };
    let opened = open_with(other.path(), others, Arc::new(RealFs)).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 200).await;
    opened.store.snapshot().await.unwrap();
    drop(opened);
    let snapshot = "snapshot-00000000000000000200.rsnap";
    for name in [snapshot, FIRST_LOG] {
        let folder = copy_of(scene.path());
        std::fs::copy(other.path().join(name), folder.path().join(name)).unwrap();
        let refused = open(folder.path()).err().expect("refused").to_string();
        assert!(refused.contains("belongs to another store"), "{refused}");
    }
}

#[tokio::test]
async fn names_that_are_almost_ours_are_refused_and_others_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "notes.txt", b"mine");
    put(folder.path(), "somebody.tmp", b"not rankd's");
    drop(open(folder.path()).unwrap());
    assert_eq!(files(folder.path())["notes.txt"], b"mine");
    assert_eq!(files(folder.path())["somebody.tmp"], b"not rankd's");
    put(folder.path(), "log-2.rlog", b"");
    let refused = open(folder.path()).err().expect("refused").to_string();
    assert!(refused.contains("log-2.rlog"), "{refused}");
}

#[tokio::test]
async fn progress_reaches_its_total() {
    let (scene, _) = scene().await;
    let mut seen = Vec::new();
    let state = rankd_engine::State::new();
    let opened = rankd_storage::EmbeddedStore::open_with_progress(
        scene.path(),
        options(),
        Arc::new(RealFs),
        state,
        &mut |progress| seen.push(progress),
    );
    drop(opened.unwrap());
    let last = seen.last().expect("told at least once");
    assert!(last.total_bytes > 4096);
    assert_eq!(last.done_bytes, last.total_bytes);
    assert!(seen.is_sorted_by_key(|progress| progress.done_bytes));
}

#[tokio::test]
async fn an_older_snapshot_of_another_store_is_refused_too() {
    let (scene, _) = scene().await;
    let other = tempfile::tempdir().unwrap();
    let others = EmbeddedOptions { store_id: Some([9; 16]), ..options() };
    let opened = open_with(other.path(), others, Arc::new(RealFs)).unwrap();
    opened.fill(&mut Contents::default(), 50).await;
    opened.store.snapshot().await.unwrap();
    drop(opened);
    // The newest snapshot, of record 100, is this store's own and good.
    let older = "snapshot-00000000000000000050.rsnap";
    std::fs::copy(other.path().join(older), scene.path().join(older)).unwrap();
    let before = files(scene.path());
    let refused = open(scene.path()).err().expect("refused").to_string();
    assert!(refused.contains(older) && refused.contains("another store"), "{refused}");
    assert_eq!(files(scene.path()), before);
}
