//! A salvage takes every record that follows the newest good snapshot without a gap, whatever is
//! damaged before it, and says what else it saw. The oracle is the place of the damage: records are
//! found here by their lengths alone.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::Storage;
use rankd_storage::{EmbeddedOptions, FileStatus, RealFs, SalvageReport, Verdict, check};
use tempfile::TempDir;

use crate::check_salvage::{assert_saved, flip, save};
use crate::layout::{RawRecord, board_created, changes, member_set, put, segment};
use crate::support::{
    Contents, NOW_MS, copy_of, files, names_ending, open, open_with, options, write,
};

const LOG: &str = "log-00000000000000000001.rlog";
const OLDER: &str = "snapshot-00000000000000000010.rsnap";
const NEWER: &str = "snapshot-00000000000000000092.rsnap";
const BASE: u64 = 92;
const LAST: u64 = 240;

/// Snapshots at 10 and 92, records 1 to 240; the model after each record, too. Board `late` is
/// made by record 100.
async fn scene(segment_bytes: u64) -> (TempDir, Vec<Contents>) {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { segment_bytes, ..options() };
    let opened = open_with(folder.path(), options, Arc::new(RealFs)).unwrap();
    let mut models = vec![Contents::default()];
    for sequence in 1..=LAST {
        let mut model = models.last().unwrap().clone();
        if sequence == 100 {
            opened.submit(vec![write("late", "ada", 1)]).await;
            model.set("late", "ada", 1, NOW_MS);
        } else {
            opened.fill(&mut model, 1).await;
        }
        models.push(model);
        if [10, BASE].contains(&sequence) {
            opened.store.snapshot().await.unwrap();
        }
    }
    opened.store.close().await.unwrap();
    (folder, models)
}

async fn one_segment() -> (TempDir, Vec<Contents>) {
    scene(EmbeddedOptions::default().segment_bytes).await
}

/// Where each record of a segment begins, and the segment ends.
fn offsets(segment: &[u8]) -> Vec<usize> {
    let mut offsets = vec![48];
    while let Some(at) = offsets.last().copied().filter(|at| *at < segment.len()) {
        let length = u32::from_le_bytes(segment[at..at + 4].try_into().unwrap());
        offsets.push(at + 40 + usize::try_from(length).unwrap());
    }
    offsets
}

/// Zeroes `at` and what follows, as a lost sector would be.
fn zero(folder: &Path, name: &str, at: std::ops::Range<usize>) {
    let mut bytes = files(folder)[name].clone();
    bytes[at].fill(0);
    put(folder, name, &bytes);
}

#[track_caller]
fn assert_lost(report: &SalvageReport, parts: &[&str]) {
    let lost = &report.lost;
    assert_eq!(lost.len(), parts.len(), "{lost:?}");
    assert!(lost.iter().zip(parts).all(|(line, part)| line.contains(part)), "{lost:?}");
}

#[tokio::test]
async fn salvage_dropped_all_records_behind_damage_that_the_snapshot_covers() {
    let (folder, models) = one_segment().await;
    let records = offsets(&files(folder.path())[LOG]);
    // Every byte of a record, somewhere below the snapshot's; the last one that it covers follows.
    for at in records[21]..records[22] {
        let copy = copy_of(folder.path());
        flip(copy.path(), LOG, at);
        assert!(open(copy.path()).is_err(), "a start is refused as before");
        let saved = assert_saved(copy.path(), &models, LAST);
        assert_eq!((saved.snapshot.as_deref(), saved.records), (Some(NEWER), LAST - BASE));
        assert_lost(&saved, &[]);
        assert_eq!(saved.harmless.len(), 1);
        assert!(saved.harmless[0].contains(&format!("offset {}", records[21])));
    }
}

#[tokio::test]
async fn damage_to_the_snapshots_own_record_costs_nothing() {
    let (folder, models) = one_segment().await;
    let records = offsets(&files(folder.path())[LOG]);
    for at in records[91]..records[92] {
        let copy = copy_of(folder.path());
        flip(copy.path(), LOG, at);
        let saved = assert_saved(copy.path(), &models, LAST);
        assert_lost(&saved, &[]);
    }
}

#[tokio::test]
async fn the_record_behind_a_destroyed_one_was_taken_unchecked() {
    let (folder, models) = one_segment().await;
    let records = offsets(&files(folder.path())[LOG]);
    // The snapshot's own record is gone altogether: nothing shows whether the body of the next
    // one is as it was written, and here it is not.
    zero(folder.path(), LOG, records[91]..records[92]);
    flip(folder.path(), LOG, records[93] - 1);
    let lost = [LOG, "record 93: its head is good", "147 undamaged records from record 94 on"];
    assert_lost(&assert_saved(folder.path(), &models, BASE), &lost);

    // Nor would a good one be known to be one.
    flip(folder.path(), LOG, records[93] - 1);
    assert_lost(&assert_saved(folder.path(), &models, BASE), &lost);
}

#[tokio::test]
async fn one_flipped_byte_anywhere_in_the_log_costs_what_is_behind_it_at_most() {
    let (folder, models) = one_segment().await;
    let bytes = files(folder.path())[LOG].clone();
    let records = offsets(&bytes);
    for at in (0..bytes.len()).step_by(331) {
        let copy = copy_of(folder.path());
        flip(copy.path(), LOG, at);
        // The number of the record that has the byte; 0: the file's head.
        let hit = records.iter().filter(|start| **start <= at).count() as u64;
        let reached = if hit <= BASE { LAST } else { hit - 1 };
        let saved = assert_saved(copy.path(), &models, reached);
        if hit > BASE && hit < LAST {
            let unused = format!("{} undamaged records from record {}", LAST - hit, hit + 1);
            assert_lost(&saved, &[LOG, &unused]);
        }
    }
}

#[tokio::test]
async fn lost_stretches_are_passed_over_only_below_the_snapshot() {
    let (folder, models) = one_segment().await;
    let records = offsets(&files(folder.path())[LOG]);
    // Three stretches, the file's head among them.
    let below = copy_of(folder.path());
    for stretch in [0..60, records[19] + 3..records[24] + 7, records[39]..records[41]] {
        zero(below.path(), LOG, stretch);
    }
    let saved = assert_saved(below.path(), &models, LAST);
    assert_lost(&saved, &[]);
    assert_eq!(saved.harmless.len(), 4, "the head, record 1, and two stretches: {saved:?}");

    let above = copy_of(folder.path());
    zero(above.path(), LOG, records[119]..records[124] + 7);
    zero(above.path(), LOG, records[199]..records[199] + 40);
    let saved = assert_saved(above.path(), &models, 119);
    // 126 to 199 are whole; 201's checksum continues one that is gone, and its head is good.
    assert_lost(&saved, &[LOG, LOG, "114 undamaged records from record 126 on"]);

    // A record that is gone without a trace.
    let gone = copy_of(folder.path());
    let bytes = files(folder.path())[LOG].clone();
    put(gone.path(), LOG, &[&bytes[..records[29]], &bytes[records[30]..]].concat());
    assert_lost(&assert_saved(gone.path(), &models, LAST), &[]);
}

#[tokio::test]
async fn segments_that_are_damaged_or_missing() {
    let (folder, models) = scene(4096).await;
    let logs = names_ending(folder.path(), ".rlog");
    let first_of = |log: &str| log[4..24].parse::<u64>().unwrap();
    let above = logs.iter().position(|log| first_of(log) > BASE + 1).unwrap();

    // A damaged head alone: the segment before leads up to it.
    let head = copy_of(folder.path());
    flip(head.path(), &logs[above], 20);
    let saved = assert_saved(head.path(), &models, LAST);
    assert_lost(&saved, &[]);
    assert!(saved.harmless[0].contains(&logs[above]), "{saved:?}");

    let missing = copy_of(folder.path());
    std::fs::remove_file(missing.path().join(&logs[above])).unwrap();
    let (from, next) = (first_of(&logs[above]), first_of(&logs[above + 1]));
    let unused = format!("{} undamaged records from record {next} on", LAST - next + 1);
    let saved = assert_saved(missing.path(), &models, from - 1);
    assert_lost(&saved, &["the first sequence", &unused]);

    let below = copy_of(folder.path());
    let covered = logs.iter().rposition(|log| first_of(log) <= BASE).unwrap() - 1;
    std::fs::remove_file(below.path().join(&logs[covered])).unwrap();
    assert_lost(&assert_saved(below.path(), &models, LAST), &[]);
}

#[tokio::test]
async fn without_a_log_salvage_spoke_of_records_93_to_92() {
    let (folder, models) = one_segment().await;
    std::fs::remove_file(folder.path().join(LOG)).unwrap();
    let saved = assert_saved(folder.path(), &models, BASE);
    assert_lost(&saved, &["the log: there is no segment"]);
    let notes = check(folder.path(), &RealFs).unwrap().notes;
    assert_eq!(notes[0], format!("a start is refused: there is {NEWER} but no log segment"));
    assert!(notes.iter().all(|note| !note.contains("93 to 92")), "{notes:?}");

    std::fs::remove_file(folder.path().join(OLDER)).unwrap();
    std::fs::remove_file(folder.path().join(NEWER)).unwrap();
    let out = tempfile::tempdir().unwrap();
    let refused = save(folder.path(), out.path()).unwrap_err().to_string();
    assert_eq!(refused, "there is no log segment and no good snapshot");
}

#[test]
fn a_record_that_does_not_fit_ends_what_is_taken() {
    // It is the second of its record's changes that names an unknown board: half of it was applied.
    let bodies = [
        changes(&[board_created(1, "board")]),
        changes(&[member_set(1, "ada", 1)]),
        changes(&[member_set(1, "bob", 2), member_set(77, "bob", 2)]),
        changes(&[member_set(1, "cyd", 3)]),
    ];
    let raws = (1..).zip(bodies).map(|(sequence, body)| RawRecord::new(sequence, body));
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), LOG, &segment(&raws.collect::<Vec<_>>()));
    let mut model = Contents::default();
    model.set("board", "ada", 1, NOW_MS);
    let saved = assert_saved(folder.path(), &[Contents::default(), Contents::default(), model], 2);
    assert_lost(&saved, &["record 3 does not fit", "1 undamaged records from record 4 on"]);
}

#[tokio::test]
async fn check_called_damage_torn_that_a_start_refuses() {
    let (folder, _) = one_segment().await;
    let records = offsets(&files(folder.path())[LOG]);
    flip(folder.path(), LOG, records[21]);
    let before = files(folder.path());
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!(files(folder.path()), before);
    assert_eq!(report.verdict, Verdict::Damaged);
    let log = report.files.iter().find(|file| file.file == LOG).unwrap();
    assert_eq!((log.status, log.last_sequence), (FileStatus::Damaged, 21));
    let [refused, salvage] = &report.notes[..] else { panic!("{:?}", report.notes) };
    assert!(refused.contains("record 22 had been on disk"), "{refused}");
    assert_eq!(
        *salvage,
        format!(
            "a salvage loses nothing: {NEWER} and 148 records, up to record 240, are undamaged"
        )
    );
}

#[tokio::test]
async fn check_says_what_a_salvage_loses() {
    let (folder, models) = one_segment().await;
    let records = offsets(&files(folder.path())[LOG]);
    flip(folder.path(), LOG, records[149]);
    let notes = check(folder.path(), &RealFs).unwrap().notes;
    let saved = assert_saved(folder.path(), &models, 149);
    let expected = saved.lost.iter().map(|lost| format!("a salvage loses: {lost}"));
    assert_eq!(notes[1], format!("a salvage saves {NEWER} and 57 records, up to record 149"));
    assert_eq!(notes[2..], expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn check_said_that_a_start_goes_without_a_snapshot_where_it_takes_the_older() {
    let (folder, models) = one_segment().await;
    flip(folder.path(), NEWER, 200);
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!((report.verdict, report.sequence), (Verdict::Startable, Some(LAST)));
    let taken = format!("a start takes {OLDER} and the log after it instead: {NEWER} is damaged");
    assert!(report.notes[0].starts_with(&taken), "{:?}", report.notes);
    // Nor is anything lost: the log made up for it.
    let saved = assert_saved(folder.path(), &models, LAST);
    assert_lost(&saved, &[]);
    assert!(saved.harmless[0].contains(NEWER), "{saved:?}");

    flip(folder.path(), OLDER, 200);
    let note = check(folder.path(), &RealFs).unwrap().notes.remove(0);
    assert!(note.starts_with("a start takes the log from its first record instead: "), "{note}");
}

#[tokio::test]
async fn a_flipped_byte_in_the_last_record_was_called_never_acknowledged() {
    let (folder, _) = one_segment().await;
    let length = files(folder.path())[LOG].len();
    flip(folder.path(), LOG, length - 1);
    let report = check(folder.path(), &RealFs).unwrap();
    let log = report.files.iter().find(|file| file.file == LOG).unwrap();
    assert_eq!((log.status, report.sequence), (FileStatus::Torn, Some(LAST - 1)));
    assert!(
        report.notes[0].contains("a write that was cut short, or damaged later"),
        "{:?}",
        report.notes
    );
}
