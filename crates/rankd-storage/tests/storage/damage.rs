//! Damage anywhere but in a torn tail: a start is refused, names file and offset, and changes
//! nothing.

use std::path::Path;

use rankd_engine::Storage;
use rankd_storage::{Damage, EmbeddedOptions, LayoutError, StorageError};

use crate::layout::{RawRecord, board_created, changes, member_set, put, record, segment};
use crate::support::{Contents, copy_of, files, names_ending, open, open_with, options};

const FIRST_LOG: &str = "log-00000000000000000001.rlog";

fn refused(folder: &Path) -> StorageError {
    let before = files(folder);
    let error = open(folder).err().expect("refused");
    assert_eq!(files(folder), before, "a refused start changes nothing");
    error
}

#[track_caller]
fn assert_damaged(error: &StorageError, expected_file: &str, expected_offset: u64) {
    match error {
        StorageError::Damaged { file, offset, .. } => {
            assert_eq!((file.as_str(), *offset), (expected_file, expected_offset), "{error}");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_flipped_bit_before_the_last_record_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let mut ends = vec![48];
    for index in 0..5 {
        opened.fill(&mut Contents::default(), 1).await;
        ends.push(files(folder.path())[FIRST_LOG].len());
        assert_eq!(opened.report.torn_tail, None, "{index}");
    }
    drop(opened);
    let whole = files(folder.path())[FIRST_LOG].clone();
    for record in 0..4 {
        for at in ends[record]..ends[record + 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            put(folder.path(), FIRST_LOG, &bytes);
            assert_damaged(&refused(folder.path()), FIRST_LOG, ends[record] as u64);
        }
    }
    // The last record may be torn: nothing after it shows that it had been on disk.
    let mut bytes = whole;
    bytes[ends[4]] ^= 0x10;
    put(folder.path(), FIRST_LOG, &bytes);
    assert_eq!(open(folder.path()).unwrap().report.torn_tail.unwrap().offset, ends[4] as u64);
}

#[tokio::test]
async fn a_record_that_is_gone_or_doubled_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let raws: Vec<_> = (1..=4)
        .map(|sequence| {
            RawRecord::new(sequence, changes(&[board_created(sequence, &sequence.to_string())]))
        })
        .collect();
    let whole = segment(&raws);
    let length = (whole.len() - 48) / 4;
    let at = |index: usize| 48 + index * length;
    let without_second = [&whole[..at(1)], &whole[at(2)..]].concat();
    let second_twice = [&whole[..at(2)], &whole[at(1)..]].concat();
    for (bytes, offset) in [(without_second, at(1)), (second_twice, at(2))] {
        put(folder.path(), FIRST_LOG, &bytes);
        assert_damaged(&refused(folder.path()), FIRST_LOG, offset as u64);
    }
}

#[tokio::test]
async fn unproven_records_behind_a_hole_are_a_torn_tail() {
    // One write of three records, of which the middle one did not reach the disk: a power cut
    // leaves that, and nobody was told that any of them was durable.
    let mut raws: Vec<_> = (1..=4)
        .map(|sequence| RawRecord::new(sequence, changes(&[member_set(1, "x", 1)])))
        .collect();
    raws[0].body = changes(&[board_created(1, "board")]);
    for raw in &mut raws[1..] {
        raw.durable = 1;
    }
    let mut bytes = segment(&raws);
    let third = bytes.len() - 2 * (40 + raws[3].body.len());
    bytes[third..third + 60].fill(0);
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), FIRST_LOG, &bytes);
    let opened = open(folder.path()).unwrap();
    assert_eq!(opened.report.torn_tail.as_ref().unwrap().offset, third as u64);
    assert_eq!(opened.report.sequence, 2);
}

#[tokio::test]
async fn a_segment_before_the_last_is_never_torn() {
    let folder = tempfile::tempdir().unwrap();
    let small = EmbeddedOptions { segment_bytes: 4096, ..options() };
    let opened = open_with(folder.path(), small, std::sync::Arc::new(rankd_storage::RealFs));
    let opened = opened.unwrap();
    opened.fill(&mut Contents::default(), 150).await;
    opened.store.close().await.unwrap();
    let logs = names_ending(folder.path(), ".rlog");
    let [first, second, .., last] = &logs[..] else { panic!("{logs:?}") };

    let cut = copy_of(folder.path());
    let bytes = files(cut.path())[first].clone();
    put(cut.path(), first, &bytes[..bytes.len() - 1]);
    match refused(cut.path()) {
        StorageError::Damaged { file, damage: Damage::Short { .. }, .. } => {
            assert_eq!(&file, first);
        }
        other => panic!("{other}"),
    }

    let gap = copy_of(folder.path());
    std::fs::remove_file(gap.path().join(second)).unwrap();
    match refused(gap.path()) {
        StorageError::Damaged { damage: Damage::Differs { .. }, offset: 0, .. } => {}
        other => panic!("{other}"),
    }

    let start = copy_of(folder.path());
    std::fs::remove_file(start.path().join(first)).unwrap();
    match refused(start.path()) {
        StorageError::Layout(LayoutError::Missing { first: 1, .. }) => {}
        other => panic!("{other}"),
    }

    // Even the last one's head was durable before the file had its name.
    let head = copy_of(folder.path());
    put(head.path(), last, &files(head.path())[last][..47]);
    assert_damaged(&refused(head.path()), last, 0);
}

#[test]
fn a_record_that_was_written_whole_and_is_wrong_is_damage_even_at_the_end() {
    let good = || RawRecord::new(1, changes(&[board_created(1, "board")]));
    let wrong = [
        RawRecord { sequence: 3, ..RawRecord::new(2, changes(&[])) },
        RawRecord { durable: 2, ..RawRecord::new(2, changes(&[])) },
        RawRecord { kind: 2, ..RawRecord::new(2, changes(&[])) },
        RawRecord::new(2, vec![0; 7]),
        RawRecord::new(2, changes(&[vec![0xff; 4]])),
        RawRecord::new(2, [changes(&[]), vec![0]].concat()),
        RawRecord::new(2, changes(&[member_set(77, "nobody", 1)])),
        RawRecord::new(2, u64::MAX.to_le_bytes().to_vec()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let offset = segment(&[good()]).len() as u64;
    for raw in wrong {
        put(folder.path(), FIRST_LOG, &segment(&[good(), raw]));
        assert_damaged(&refused(folder.path()), FIRST_LOG, offset);
    }
}

#[test]
fn a_length_is_checked_before_anything_is_allocated() {
    let folder = tempfile::tempdir().unwrap();
    let whole = segment(&[RawRecord::new(1, changes(&[board_created(1, "board")]))]);
    let chain = u32::from_le_bytes(whole[48 + 32..48 + 36].try_into().unwrap());
    let raw = RawRecord::new(2, vec![1, 2, 3]);
    for length in [0, (64 << 20) + 1, u32::MAX] {
        let lying = record(&raw, length, &mut chain.clone());
        put(folder.path(), FIRST_LOG, &[&whole[..], &lying].concat());
        match refused(folder.path()) {
            StorageError::Damaged { damage: Damage::Length { found, max, .. }, .. } => {
                assert_eq!((found, max), (u64::from(length), 64 << 20));
            }
            other => panic!("{other}"),
        }
    }
    // Legal, but more than is left: it was torn.
    let lying = record(&raw, 64 << 20, &mut chain.clone());
    put(folder.path(), FIRST_LOG, &[&whole[..], &lying].concat());
    let torn = open(folder.path()).unwrap().report.torn_tail.unwrap();
    assert_eq!(torn.reason, "a record's body needs 67108864 bytes, 3 are left");
}
