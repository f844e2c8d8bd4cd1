//! Every version of both formats, byte for byte. If the first test fails, the format has changed
//! and needs a new version; these files stay readable forever.
//!
//! `RANKD_BLESS=1` writes the files anew, for a new version only.

use std::path::{Path, PathBuf};

use rankd_engine::{
    Batch, Definition, IdempotencyKey, Intent, KeyBatch, KeyTurn, Operator, Order, Procedure,
    Score, ScoreKind, Storage, Ties,
};
use rankd_storage::{RealFs, Verdict, check};
use tempfile::TempDir;

use crate::fault_fs::FaultFs;
use crate::support::{
    Contents, NOW_MS, Opened, create, files, label, name, names_ending, open, open_with, options,
    write,
};

const LOG: &str = "log-00000000000000000001.rlog";
const SNAPSHOT: &str = "snapshot-00000000000000000009.rsnap";
/// Version 3 has everything but members that end.
const SNAPSHOT_3: &str = "snapshot-00000000000000000008.rsnap";
/// Version 2 has no values beside boards either.
const SNAPSHOT_2: &str = "snapshot-00000000000000000007.rsnap";
/// Version 1 has no organisations either.
const SNAPSHOT_1: &str = "snapshot-00000000000000000006.rsnap";
const KEY: [u8; 32] = *b"a key that signs access tokens..";

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
}

/// One of every change to values, and a board that gets another name.
struct Values;

impl Procedure for Values {
    fn bytes_max(&self) -> u64 {
        1000
    }

    fn run(&mut self, turn: &mut KeyTurn<'_>) {
        turn.put_text(b"text", b"bytes");
        turn.put_text(b"old", b"away");
        turn.put_field(b"hash", b"field", b"value").unwrap();
        turn.put_field(b"hash", b"gone", b"value").unwrap();
        turn.remove_field(b"hash", b"gone").unwrap();
        turn.add_element(b"set", b"one").unwrap();
        turn.add_element(b"set", b"two").unwrap();
        turn.remove_element(b"set", b"two").unwrap();
        turn.delete(b"old");
        turn.rename(b"text", b"string");
        turn.set_end(b"string", Some(NOW_MS + 1_000_000));
        // Several values come in no particular order in a snapshot; it keeps one.
        turn.delete(b"hash");
        turn.delete(b"set");
        turn.set_member(b"first", b"dee", Score::Float(1.5)).unwrap();
        turn.rename(b"first", b"second");
    }
}

/// Members that end: later, never after all, and by now.
struct MemberEnds;

impl Procedure for MemberEnds {
    fn bytes_max(&self) -> u64 {
        1000
    }

    fn run(&mut self, turn: &mut KeyTurn<'_>) {
        for member in ["eve", "fay", "gus"] {
            turn.set_member(b"second", member.as_bytes(), Score::Float(2.5)).unwrap();
        }
        for (member, end_ms) in [("dee", 2_000_000), ("eve", 3_000_000), ("gus", 0)] {
            turn.set_end_of_member(b"second", member.as_bytes(), Some(NOW_MS + end_ms)).unwrap();
        }
        turn.set_end_of_member(b"second", b"eve", None).unwrap();
        turn.remove_member(b"second", b"fay").unwrap();
    }
}

/// When the members of the board end; `None`: they are not there.
fn member_ends(opened: &Opened) -> [Option<Option<i64>>; 4] {
    opened.state.read_keys(NOW_MS, |turn| {
        ["dee", "eve", "fay", "gus"]
            .map(|member| turn.end_of_member(b"second", member.as_bytes()).unwrap())
    })
}

#[test]
fn members_end_as_it_was_written() {
    for with_snapshot in [false, true] {
        let opened = open(folder_of(4, with_snapshot).path()).unwrap();
        let expected = [Some(Some(NOW_MS + 2_000_000)), Some(None), None, None];
        assert_eq!(member_ends(&opened), expected, "with a snapshot: {with_snapshot}");
    }
}

/// What a state holds beside boards.
fn values(opened: &Opened) -> Vec<String> {
    opened.state.read_keys(NOW_MS, |turn| {
        let text = turn.text(b"string").unwrap().map(|text| text.escape_ascii().to_string());
        let field = turn.hash(b"hash", |fields| format!("{:?}", fields.iter().collect::<Vec<_>>()));
        let set = turn.set(b"set", |set| format!("{:?}", set.iter().collect::<Vec<_>>()));
        let end = turn.end_of(b"string").map(|at_ms| at_ms.to_string());
        let board = turn.board(b"second", |view| format!("{:?}", view.score(b"dee")));
        let gone = turn.kind(b"first").is_some() || turn.kind(b"text").is_some();
        let all = [text, field.unwrap(), set.unwrap(), end, board.unwrap(), Some(gone.to_string())];
        all.into_iter().map(|found| found.unwrap_or_default()).collect()
    })
}

#[test]
fn values_are_as_they_were_written() {
    for with_snapshot in [false, true] {
        let opened = open(folder_of(4, with_snapshot).path()).unwrap();
        let expected = [
            "bytes".to_owned(),
            String::new(),
            String::new(),
            (NOW_MS + 1_000_000).to_string(),
            "Some(Float(1.5))".to_owned(),
            "false".to_owned(),
        ];
        assert_eq!(values(&opened), expected, "with a snapshot: {with_snapshot}");
    }
}

/// One of every change.
async fn write_everything(folder: &Path) {
    let opened = open(folder).unwrap();
    let redis_like = Definition {
        order: Order::Ascending,
        score: ScoreKind::Float,
        operator: Operator::Best,
        ties: Ties::Member,
        keep_at: false,
    };
    let float = Intent::CreateBoard { name: name("gone"), definition: redis_like };
    opened.submit(vec![create("board"), float]).await;
    let infinite = Intent::Write {
        board: name("gone"),
        member: name("x"),
        score: Score::Float(f64::NEG_INFINITY),
        operator: None,
        at_ms: None,
    };
    opened.submit(vec![write("board", "ada", i64::MAX), infinite]).await;
    opened.submit(vec![write("board", "bob", -1), label("ada", "Ada \u{1f451}")]).await;
    opened.submit(vec![Intent::Remove { board: name("board"), member: name("bob") }]).await;
    opened.submit(vec![Intent::DeleteBoard { name: name("gone") }]).await;
    let key = IdempotencyKey { key: name("key"), digest: *b"fedcba9876543210" };
    let keyed = Batch::new(vec![write("board", "cy", i64::MIN)], NOW_MS + 1);
    opened.store.submit(Batch { idempotency: Some(key), ..keyed }).await.unwrap();
    opened.offer(KEY).await;
    let keys = KeyBatch { procedure: Box::new(Values), now_ms: NOW_MS };
    opened.store.transact(keys).await.unwrap();
    let keys = KeyBatch { procedure: Box::new(MemberEnds), now_ms: NOW_MS };
    opened.store.transact(keys).await.unwrap();
    opened.store.snapshot().await.unwrap();
    opened.store.close().await.unwrap();
}

/// What the files of a version hold.
fn expected(version: u32) -> Contents {
    let mut expected = Contents::default();
    expected.set("board", "ada", i64::MAX, NOW_MS);
    expected.set("board", "cy", i64::MIN, NOW_MS + 1);
    expected.labels.insert(b"ada".to_vec(), "Ada \u{1f451}".to_owned());
    expected.keys.insert(b"key".to_vec(), *b"fedcba9876543210");
    expected.signing_key = (version > 1).then_some(KEY);
    if version > 2 {
        let dee = (b"dee".to_vec(), (1.5_f64.to_bits().cast_signed(), None));
        let eve = (b"eve".to_vec(), (2.5_f64.to_bits().cast_signed(), None));
        let members = if version > 3 { vec![dee, eve] } else { vec![dee] };
        expected.boards.insert(b"second".to_vec(), members.into_iter().collect());
    }
    expected
}

#[tokio::test]
async fn the_same_writes_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    write_everything(folder.path()).await;
    let written = files(folder.path());
    for (file, stored) in [(LOG, "v4.rlog"), (SNAPSHOT, "v4.rsnap")] {
        if std::env::var_os("RANKD_BLESS").is_some() {
            std::fs::write(golden(stored), &written[file]).unwrap();
        }
        assert_eq!(written[file], std::fs::read(golden(stored)).unwrap(), "{stored}");
    }
}

/// A folder with the files of a version.
fn folder_of(version: u32, with_snapshot: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |stored: String, file: &str| {
        std::fs::copy(golden(&stored), folder.path().join(file)).unwrap();
    };
    put(format!("v{version}.rlog"), LOG);
    if with_snapshot {
        put(
            format!("v{version}.rsnap"),
            [SNAPSHOT_1, SNAPSHOT_2, SNAPSHOT_3, SNAPSHOT][version as usize - 1],
        );
    }
    folder
}

#[test]
fn every_version_is_read() {
    for (version, records) in [(1, 6), (2, 7), (3, 8), (4, 9)] {
        for with_snapshot in [false, true] {
            let folder = folder_of(version, with_snapshot);
            let healthy = check(folder.path(), &RealFs).unwrap();
            assert_eq!((healthy.verdict, healthy.sequence), (Verdict::Healthy, Some(records)));
            let opened = open(folder.path()).unwrap();
            assert_eq!(opened.contents(), expected(version), "version {version}");
            assert_eq!(opened.report.records, if with_snapshot { 0 } else { records });
        }
    }
}

#[tokio::test]
async fn a_store_of_version_1_goes_on_in_a_segment_of_the_present_version() {
    for with_snapshot in [false, true] {
        let folder = folder_of(1, with_snapshot);
        let opened = open(folder.path()).unwrap();
        assert_eq!(opened.store.stats().segments, 2);
        assert_eq!(opened.offer(KEY).await, 7);
        drop(opened);
        let files = files(folder.path());
        assert_eq!(files[LOG], std::fs::read(golden("v1.rlog")).unwrap());
        assert_eq!(files["log-00000000000000000007.rlog"][8..12], 4_u32.to_le_bytes());
        let again = open(folder.path()).unwrap();
        assert_eq!(again.contents(), expected(2));
        // Begun once: from now on the log's end is of this version.
        assert_eq!(again.store.stats().segments, 2);
        again.store.snapshot().await.unwrap();
        drop(again);
        assert_eq!(open(folder.path()).unwrap().contents(), expected(2));
    }
}

#[tokio::test]
async fn a_segment_of_version_1_without_a_record_is_made_anew() {
    let folder = folder_of(1, false);
    let empty = &std::fs::read(golden("v1.rlog")).unwrap()[..48];
    std::fs::write(folder.path().join(LOG), empty).unwrap();
    let opened = open(folder.path()).unwrap();
    assert_eq!(opened.store.stats().segments, 1);
    assert_eq!(opened.offer(KEY).await, 1);
    drop(opened);
    assert_eq!(names_ending(folder.path(), ".rlog"), [LOG]);
    assert_eq!(open(folder.path()).unwrap().contents().signing_key, Some(KEY));
}

#[tokio::test]
async fn a_torn_tail_of_version_1_is_cut_before_the_present_version_goes_on() {
    let whole = std::fs::read(golden("v1.rlog")).unwrap();
    let folder = folder_of(1, false);
    std::fs::write(folder.path().join(LOG), &whole[..whole.len() - 1]).unwrap();
    let opened = open(folder.path()).unwrap();
    assert!(opened.report.torn_tail.is_some());
    assert_eq!(opened.offer(KEY).await, 6);
    drop(opened);
    let again = open(folder.path()).unwrap();
    assert_eq!((again.report.sequence, again.report.torn_tail.clone()), (6, None));
    let keys = std::collections::BTreeMap::new();
    let mut without_last = Contents { keys, ..expected(2) };
    let _cy = without_last.boards.get_mut(&b"board"[..]).unwrap().remove(&b"cy"[..]);
    assert_eq!(again.contents(), without_last);
}

#[test]
fn a_crash_at_any_point_of_the_way_to_the_present_version_is_recovered_from() {
    let mut crashes = 0;
    loop {
        let folder = folder_of(1, true);
        let fs = FaultFs::new();
        fs.crash_at(crashes + 1);
        let has_crashed = open_with(folder.path(), options(), fs.arc()).is_err();
        let again = open(folder.path()).unwrap();
        assert_eq!(again.contents(), expected(1), "crash at call {crashes}");
        assert_eq!((again.report.sequence, again.store.stats().segments), (6, 2));
        assert_eq!(names_ending(folder.path(), ".tmp"), [""; 0]);
        if !has_crashed {
            break;
        }
        crashes += 1;
    }
    // Writing the last record again, fsync, fsync of the folder; the new segment: create, write,
    // fsync, rename, fsync of the folder.
    assert_eq!(crashes, 8);
}
