//! Random damage to a small log and a small snapshot. The oracle: a start either refuses, or
//! finds a state that the store once had; without a report of a cut, it is the last one, unless
//! the log was cut exactly between two records, which nothing in it can show.

use std::sync::LazyLock;

use proptest::prelude::*;
use rankd_engine::Storage;
use rankd_storage::{RealFs, StorageError, Verdict, check};

use crate::layout::{board_header, footer, put, row, snapshot, snapshot_of_version, text};
use crate::support::{Contents, files, label, open, write};

const LOG: &str = "log-00000000000000000001.rlog";
const SNAPSHOT: &str = "snapshot-00000000000000000010.rsnap";

struct Sample {
    log: Vec<u8>,
    snapshot: Vec<u8>,
    /// What the store held after each record; before the first, nothing.
    states: Vec<Contents>,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut states = vec![Contents::default()];
    runtime.block_on(async {
        let opened = open(folder.path()).unwrap();
        for score in 0..15 {
            let member = format!("member-{}", score % 4);
            if score == 7 {
                opened.offer([7; 32]).await;
            } else {
                opened.submit(vec![write("board", &member, score), label(&member, "A name")]).await;
            }
            states.push(opened.contents());
            if score == 9 {
                opened.store.snapshot().await.unwrap();
            }
        }
    });
    let files = files(folder.path());
    Sample { log: files[LOG].clone(), snapshot: files[SNAPSHOT].clone(), states }
});

#[derive(Debug, Clone)]
enum Harm {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Fill(prop::sample::Index, u16, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, u16),
}

fn harm() -> impl Strategy<Value = Harm> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), 1_u8..).prop_map(|(at, bits)| Harm::Flip(at, bits)),
        2 => index().prop_map(Harm::Cut),
        1 => (index(), 1_u16..600, any::<u8>()).prop_map(|(at, n, byte)| Harm::Fill(at, n, byte)),
        1 => (index(), prop::collection::vec(any::<u8>(), 1..60))
            .prop_map(|(at, bytes)| Harm::Insert(at, bytes)),
        1 => (index(), 1_u16..600).prop_map(|(at, n)| Harm::Remove(at, n)),
    ]
}

fn harmed(bytes: &[u8], harms: &[Harm]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for harm in harms {
        if bytes.is_empty() {
            break;
        }
        let end = |at: usize, count: u16| (at + usize::from(count)).min(bytes.len());
        match harm {
            Harm::Flip(at, bits) => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Harm::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Harm::Fill(at, count, byte) => {
                let at = at.index(bytes.len());
                let end = end(at, *count);
                bytes[at..end].fill(*byte);
            }
            Harm::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Harm::Remove(at, count) => {
                let at = at.index(bytes.len());
                let end = end(at, *count);
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

/// Opens the folder and holds what comes of it against what the store once had.
fn judge(folder: &std::path::Path) -> Result<(), TestCaseError> {
    let checked = check(folder, &RealFs);
    let opened = open(folder);
    let verdict = checked.map(|report| (report.verdict, report.sequence));
    match opened {
        Ok(opened) => {
            let report = &opened.report;
            let sequence = usize::try_from(report.sequence).unwrap();
            prop_assert_eq!(&opened.contents(), &SAMPLE.states[sequence]);
            let is_whole = report.torn_tail.is_none() && report.skipped_snapshots.is_empty();
            let log = std::fs::read(folder.join(LOG)).expect("it was put there");
            let is_cut_between_records = SAMPLE.log.starts_with(&log);
            prop_assert!(sequence == 15 || report.torn_tail.is_some() || is_cut_between_records);
            let (verdict, checked) = verdict.expect("what opens can be checked");
            prop_assert_eq!(checked, Some(report.sequence));
            prop_assert!(verdict != Verdict::Damaged);
            prop_assert!(is_whole || verdict == Verdict::Startable);
        }
        Err(StorageError::Io { source, .. }) => {
            return Err(TestCaseError::fail(format!("the disk is well: {source}")));
        }
        Err(_refused) => {
            let (verdict, _) = verdict.expect("what is refused can be checked");
            prop_assert_eq!(verdict, Verdict::Damaged);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn a_harmed_log_is_never_believed(harms in prop::collection::vec(harm(), 1..3)) {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), LOG, &harmed(&SAMPLE.log, &harms));
        judge(folder.path())?;
    }

    #[test]
    fn a_harmed_snapshot_is_never_believed(harms in prop::collection::vec(harm(), 1..3)) {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), LOG, &SAMPLE.log);
        put(folder.path(), SNAPSHOT, &harmed(&SAMPLE.snapshot, &harms));
        judge(folder.path())?;
        // The log is complete, so nothing may be missing, whatever became of the snapshot.
        if let Ok(opened) = open(folder.path()) {
            prop_assert_eq!(opened.report.sequence, 15);
        }
    }
}

/// Snapshots whose checksums are good and whose content is not.
#[test]
fn a_snapshot_that_lies_is_refused() {
    let meta = || (1, 1, 2_u64.to_le_bytes().to_vec());
    let board = |members| (2, 1, board_header(1, "board", members));
    let rows = |count: u32| {
        let rows: Vec<_> = (0..count).map(|i| row(&format!("m{i}"), -i64::from(i))).collect();
        (3, count, rows.concat())
    };
    let huge = || u64::MAX.to_le_bytes().to_vec();
    let orgs = || (7, 1, vec![0; 36]);
    // A key, its digest, its time, and that a board was deleted.
    let keys = || (5, 1, [text("k"), vec![0; 24 + 4], 2_u32.to_le_bytes().to_vec()].concat());
    let lies = [
        ("more members than", vec![meta(), board(1), rows(2), footer(10, [1, 2, 0, 0, 0, 0, 3])]),
        ("are missing", vec![meta(), board(3), rows(2), footer(10, [1, 2, 0, 0, 0, 0, 3])]),
        ("the footer says", vec![meta(), board(1), rows(1), footer(10, [1, 2, 0, 0, 0, 0, 3])]),
        ("the footer says", vec![meta(), footer(9, [0, 0, 0, 0, 0, 0, 1])]),
        ("order of blocks", vec![meta(), rows(1), footer(10, [0, 1, 0, 0, 0, 0, 2])]),
        ("order of blocks", vec![board(0), footer(10, [1, 0, 0, 0, 0, 0, 1])]),
        ("order of blocks", vec![meta(), meta(), footer(10, [0, 0, 0, 0, 0, 0, 2])]),
        ("the footer is missing", vec![meta(), board(1), rows(1)]),
        ("cannot be read", vec![meta(), (2, 1, huge()), footer(10, [1, 0, 0, 0, 0, 0, 2])]),
        ("cannot be read", vec![meta(), (4, 1, huge()), footer(10, [0, 0, 1, 0, 0, 0, 2])]),
        ("cannot be read", vec![meta(), (5, 1, huge()), footer(10, [0, 0, 0, 1, 0, 0, 2])]),
        ("number of items", vec![meta(), (4, 10, text("x")), footer(10, [0, 0, 10, 0, 0, 0, 2])]),
        ("block kind 9", vec![meta(), (9, 1, text("x"))]),
        ("cannot be read", vec![meta(), (7, 1, huge()), footer(10, [0, 0, 0, 0, 1, 0, 2])]),
        ("order of blocks", vec![meta(), orgs(), keys(), footer(10, [0, 0, 0, 1, 1, 0, 3])]),
        ("the footer says", vec![meta(), orgs(), footer(10, [0, 0, 0, 0, 2, 0, 2])]),
        ("too many", vec![(1, 1, [huge(), huge()].concat()), footer(10, [0, 0, 0, 0, 0, 0, 1])]),
        ("behind the footer", vec![meta(), footer(10, [0, 0, 0, 0, 0, 0, 1]), meta()]),
    ];
    for (expected, blocks) in lies {
        assert_refused(expected, &snapshot(10, &blocks));
    }
    // What one version has is damage in the other.
    let before_orgs = [
        ("block kind 7", vec![meta(), orgs(), footer(10, [0, 0, 0, 0, 2])]),
        ("the footer says", vec![meta(), footer(10, [0, 0, 0, 0, 0, 1])]),
    ];
    for (expected, blocks) in before_orgs {
        assert_refused(expected, &snapshot_of_version(1, 10, &blocks));
    }
    assert_refused("cannot be read", &snapshot(10, &[meta(), footer(10, [0, 0, 0, 0, 1])]));
    let value = || (8, 1, [13_u32.to_le_bytes().to_vec(), text("k")].concat());
    let before_values = [
        ("block kind 8", vec![meta(), value(), footer(10, [0, 0, 0, 0, 0, 2])]),
        ("the footer says", vec![meta(), footer(10, [0, 0, 0, 0, 0, 0, 1])]),
    ];
    for (expected, blocks) in before_values {
        assert_refused(expected, &snapshot_of_version(2, 10, &blocks));
    }
    let huge_value = (8, 1, [8_u32.to_le_bytes().to_vec(), huge()].concat());
    let lie = [meta(), huge_value, footer(10, [0, 0, 0, 0, 0, 1, 2])];
    assert_refused("cannot be read", &snapshot(10, &lie));
    assert_refused("version 0", &snapshot_of_version(0, 10, &[]));
}

/// Such a snapshot is called damaged, and what opens in spite of it is whole.
fn assert_refused(expected: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), LOG, &SAMPLE.log);
    put(folder.path(), SNAPSHOT, bytes);
    let report = check(folder.path(), &RealFs).unwrap();
    let file = report.files.iter().find(|file| file.file == SNAPSHOT).unwrap();
    let (_, finding) = file.finding.clone().unwrap_or_default();
    assert!(finding.contains(expected), "expected {expected:?}, found {finding:?}");
    if let Ok(opened) = open(folder.path()) {
        assert_eq!(opened.contents(), SAMPLE.states[15]);
    }
}

/// A length that does not fit its block never becomes an allocation.
#[test]
fn a_snapshot_block_length_is_checked_first() {
    let mut bytes = snapshot(10, &[(1, 1, 2_u64.to_le_bytes().to_vec())]);
    for (at, expected) in [(48 + 4, "stored length"), (48 + 8, "raw length")] {
        let before = bytes[at..at + 4].to_vec();
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), LOG, &SAMPLE.log);
        put(folder.path(), SNAPSHOT, &bytes);
        let report = check(folder.path(), &RealFs).unwrap();
        let (offset, finding) = report.files[1].finding.clone().unwrap();
        assert_eq!(offset, 48);
        assert!(finding.contains(expected) && finding.contains("4294967295"), "{finding}");
        bytes[at..at + 4].copy_from_slice(&before);
    }
}

/// The last of all numbers as a sequence: no arithmetic on it may go wrong.
#[test]
fn a_snapshot_of_the_last_sequence_is_refused() {
    let blocks = [(1, 1, 2_u64.to_le_bytes().to_vec()), footer(u64::MAX, [0, 0, 0, 0, 0, 0, 1])];
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), LOG, &SAMPLE.log);
    put(folder.path(), "snapshot-18446744073709551615.rsnap", &snapshot(u64::MAX, &blocks));
    let refused = open(folder.path()).err().expect("refused").to_string();
    assert!(refused.contains("are missing: the log ends before"), "{refused}");
}
