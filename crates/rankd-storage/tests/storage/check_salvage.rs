//! `check` says what a start would do and changes nothing; `salvage` saves what is intact.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::{ManualClock, Storage};
use rankd_storage::{
    EmbeddedOptions, FileStatus, Fs, LayoutError, RealFs, SalvageReport, StorageError, Verdict,
    check, salvage,
};
use tempfile::TempDir;

use crate::layout::put;
use crate::support::{
    Contents, NOW_MS, copy_of, files, label, names_ending, open, open_with, options,
};

/// A store with snapshots at 100 and 200, and 250 records. The model after each record, too.
async fn scene() -> (TempDir, Vec<Contents>) {
    let folder = tempfile::tempdir().unwrap();
    let small = EmbeddedOptions { segment_bytes: 4096, ..options() };
    let opened = open_with(folder.path(), small, Arc::new(RealFs)).unwrap();
    let mut models = vec![Contents::default()];
    for sequence in 1..=250_u64 {
        let mut model = models.last().unwrap().clone();
        if sequence == 7 {
            opened.submit(vec![label("m0-0", "Ada")]).await;
            model.labels.insert(b"m0-0".to_vec(), "Ada".to_owned());
        } else if sequence == 8 {
            opened.offer([8; 32]).await;
            model.signing_key = Some([8; 32]);
        } else {
            opened.fill(&mut model, 1).await;
        }
        models.push(model);
        if sequence % 100 == 0 {
            opened.store.snapshot().await.unwrap();
        }
    }
    opened.store.close().await.unwrap();
    (folder, models)
}

pub(crate) fn flip(folder: &Path, name: &str, at: usize) {
    let mut bytes = files(folder)[name].clone();
    bytes[at] ^= 1;
    put(folder, name, &bytes);
}

pub(crate) fn save(folder: &Path, out: &Path) -> Result<SalvageReport, StorageError> {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    salvage(folder, out, &fs, &ManualClock::at(NOW_MS))
}

/// Salvages, and holds the new store against the model.
pub(crate) fn assert_saved(folder: &Path, models: &[Contents], sequence: u64) -> SalvageReport {
    let before = files(folder);
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("deep/new");
    let report = save(folder, &out).unwrap();
    assert_eq!(files(folder), before, "the damaged folder is not changed");
    assert_eq!(report.sequence, sequence);
    assert_eq!(check(&out, &RealFs).unwrap().verdict, Verdict::Healthy);
    let opened = open(&out).unwrap();
    assert_eq!(opened.report.sequence, sequence);
    assert_eq!(opened.contents(), models[usize::try_from(sequence).unwrap()]);
    report
}

#[tokio::test]
async fn a_healthy_folder() {
    let (folder, models) = scene().await;
    let before = files(folder.path());
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!(files(folder.path()), before);
    assert_eq!(report.verdict, Verdict::Healthy);
    assert_eq!((report.sequence, &*report.notes, report.in_use_by), (Some(250), &[][..], None));
    let logs: Vec<_> = report.files.iter().filter(|file| file.file.ends_with(".rlog")).collect();
    assert!(logs.windows(2).all(|pair| pair[0].last_sequence + 1 == pair[1].first_sequence));
    let records: u64 = logs.iter().map(|file| file.records).sum();
    assert_eq!(records, 250 - logs[0].first_sequence + 1);
    let snapshots = report.files.iter().filter(|file| file.file.ends_with(".rsnap"));
    let counts = snapshots.map(|file| (file.first_sequence, file.members, file.org_items));
    assert_eq!(counts.collect::<Vec<_>>(), [(100, 98, 1), (200, 198, 1)]);
    assert!(report.files.iter().all(|file| file.bytes == before[&file.file].len() as u64));

    let saved = assert_saved(folder.path(), &models, 250);
    assert_eq!(saved.lost, [""; 0]);
    assert_eq!((saved.records, saved.members), (50, 248));
}

#[tokio::test]
async fn a_torn_tail() {
    let (folder, models) = scene().await;
    let last = names_ending(folder.path(), ".rlog").pop().unwrap();
    let bytes = files(folder.path())[&last].clone();
    put(folder.path(), &last, &bytes[..bytes.len() - 1]);
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!((report.verdict, report.sequence), (Verdict::Startable, Some(249)));
    let file = report.files.iter().find(|file| file.file == last).unwrap();
    assert_eq!((file.status, file.last_sequence), (FileStatus::Torn, 249));
    assert!(report.notes[0].starts_with("a start cuts "), "{:?}", report.notes);
    let saved = assert_saved(folder.path(), &models, 249);
    assert_eq!(saved.lost.len(), 1);
}

#[tokio::test]
async fn damage_in_the_log() {
    let (folder, models) = scene().await;
    let logs = names_ending(folder.path(), ".rlog");
    // In the log after the newest snapshot.
    let last = logs.last().unwrap();
    let copy = copy_of(folder.path());
    flip(copy.path(), last, 50);
    let report = check(copy.path(), &RealFs).unwrap();
    assert_eq!((report.verdict, report.sequence), (Verdict::Damaged, None));
    assert!(report.notes[0].contains(last) && report.notes[0].contains("offset 48"));
    let first: u64 = last[4..24].parse().unwrap();
    let saved = assert_saved(copy.path(), &models, u64::max(200, first - 1));
    assert!(saved.lost[0].contains(last), "{:?}", saved.lost);

    // In the log that the newest snapshot covers: a start does not need it.
    let copy = copy_of(folder.path());
    flip(copy.path(), &logs[0], 50);
    let report = check(copy.path(), &RealFs).unwrap();
    assert_eq!((report.verdict, report.sequence), (Verdict::Startable, Some(250)));
    assert_saved(copy.path(), &models, 250);
}

#[tokio::test]
async fn damaged_snapshots() {
    let (folder, models) = scene().await;
    let [older, newer] = &names_ending(folder.path(), ".rsnap")[..] else { panic!() };
    flip(folder.path(), newer, 200);
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!((report.verdict, report.sequence), (Verdict::Startable, Some(250)));
    let saved = assert_saved(folder.path(), &models, 250);
    assert_eq!(saved.snapshot.as_ref(), Some(older));

    flip(folder.path(), older, 200);
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!((report.verdict, report.sequence), (Verdict::Damaged, None));
    // The log begins behind record 1, and nothing stands below it.
    let out = tempfile::tempdir().unwrap();
    let refused = save(folder.path(), out.path()).unwrap_err();
    assert!(matches!(refused, StorageError::Layout(LayoutError::Missing { .. })), "{refused}");
}

#[tokio::test]
async fn unfinished_and_kept_files_are_listed_and_harmless() {
    let (folder, _) = scene().await;
    put(folder.path(), "snapshot-00000000000000000300.rsnap.tmp", b"half");
    put(folder.path(), "damaged-00000000000000000001-48-00000000.tail", b"kept");
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!(report.verdict, Verdict::Healthy);
    let statuses: Vec<_> = report.files.iter().rev().take(2).map(|file| file.status).collect();
    assert_eq!(statuses, [FileStatus::Kept, FileStatus::Unfinished]);
    assert_eq!(names_ending(folder.path(), ".tmp").len(), 1);
}

#[tokio::test]
async fn a_newer_file_is_named() {
    let (folder, _) = scene().await;
    let newest = names_ending(folder.path(), ".rsnap").pop().unwrap();
    let mut bytes = files(folder.path())[&newest].clone();
    bytes[8] = 9;
    put(folder.path(), &newest, &bytes);
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!(report.verdict, Verdict::Damaged);
    let file = report.files.iter().find(|file| file.file == newest).unwrap();
    assert_eq!(file.status, FileStatus::Newer);
    assert!(report.notes[0].contains("format version 9"), "{:?}", report.notes);
}

#[tokio::test]
async fn salvage_goes_into_an_empty_folder_from_one_that_is_not_in_use() {
    let (folder, _) = scene().await;
    let out = tempfile::tempdir().unwrap();
    put(out.path(), "mine", b"");
    let refused = save(folder.path(), out.path()).unwrap_err();
    assert!(matches!(refused, StorageError::Layout(LayoutError::NotEmpty(_))), "{refused}");
    let opened = open(folder.path()).unwrap();
    let refused = save(folder.path(), &out.path().join("new")).unwrap_err();
    assert!(matches!(refused, StorageError::Locked { .. }), "{refused}");
    assert!(!out.path().join("new").exists());
    drop(opened);
}

#[tokio::test]
async fn salvage_builds_on_no_snapshot_of_another_store() {
    let (folder, models) = scene().await;
    let other = tempfile::tempdir().unwrap();
    let others = EmbeddedOptions { store_id: Some([9; 16]), ..options() };
    let opened = open_with(other.path(), others, Arc::new(RealFs)).unwrap();
    opened.fill(&mut Contents::default(), 300).await;
    opened.store.snapshot().await.unwrap();
    drop(opened);
    let newest = "snapshot-00000000000000000300.rsnap";
    std::fs::copy(other.path().join(newest), folder.path().join(newest)).unwrap();
    assert!(open(folder.path()).is_err(), "a start is refused, so somebody salvages");
    let saved = assert_saved(folder.path(), &models, 250);
    assert!(saved.lost[0].contains(newest), "{:?}", saved.lost);
}
