//! Version 1 of both formats, byte for byte. If the first test fails, the format has changed and
//! needs a new version; these files stay readable forever.
//!
//! `RANKD_BLESS=1` writes the files anew, for a new version only.

use std::path::{Path, PathBuf};

use rankd_engine::{
    Batch, Definition, IdempotencyKey, Intent, Operator, Order, Score, ScoreKind, Storage, Ties,
};

use crate::support::{Contents, NOW_MS, create, files, label, name, open, write};

const LOG: &str = "log-00000000000000000001.rlog";
const SNAPSHOT: &str = "snapshot-00000000000000000006.rsnap";

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
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
    opened.store.snapshot().await.unwrap();
    opened.store.close().await.unwrap();
}

fn expected() -> Contents {
    let mut expected = Contents::default();
    expected.set("board", "ada", i64::MAX, NOW_MS);
    expected.set("board", "cy", i64::MIN, NOW_MS + 1);
    expected.labels.insert(b"ada".to_vec(), "Ada \u{1f451}".to_owned());
    expected.keys.insert(b"key".to_vec(), *b"fedcba9876543210");
    expected
}

#[tokio::test]
async fn the_same_writes_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    write_everything(folder.path()).await;
    let written = files(folder.path());
    for (file, stored) in [(LOG, "v1.rlog"), (SNAPSHOT, "v1.rsnap")] {
        if std::env::var_os("RANKD_BLESS").is_some() {
            std::fs::write(golden(stored), &written[file]).unwrap();
        }
        assert_eq!(written[file], std::fs::read(golden(stored)).unwrap(), "{stored}");
    }
}

#[test]
fn version_1_is_read() {
    for with_snapshot in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(golden("v1.rlog"), folder.path().join(LOG)).unwrap();
        if with_snapshot {
            std::fs::copy(golden("v1.rsnap"), folder.path().join(SNAPSHOT)).unwrap();
        }
        let opened = open(folder.path()).unwrap();
        assert_eq!(opened.contents(), expected());
        assert_eq!(opened.report.records, if with_snapshot { 0 } else { 6 });
    }
}
