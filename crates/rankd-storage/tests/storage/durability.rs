//! An acknowledged write is there after the process is gone, whatever the durability.

use std::sync::Arc;

use rankd_engine::{Batch, Health, IdempotencyKey, Intent, Storage, StoreError};
use rankd_storage::{Durability, EmbeddedOptions, RealFs, StorageError};

use crate::fault_fs::FaultFs;
use crate::support::{
    Contents, NOW_MS, copy_of, label, name, open, open_with, options, poll_once, write,
};

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    for durability in [Durability::Always, Durability::Interval(60_000), Durability::Os] {
        let folder = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions { durability, segment_bytes: 4096, ..options() };
        let opened = open_with(folder.path(), options, Arc::new(RealFs)).unwrap();
        let mut model = Contents::default();
        for round in 1..=4 {
            opened.fill(&mut model, 50).await;
            // The store goes on: nothing was closed, flushed or dropped.
            let copy = copy_of(folder.path());
            let killed = open(copy.path()).unwrap();
            assert_eq!(killed.contents(), model, "{durability:?}, round {round}");
            assert_eq!(killed.report.torn_tail, None);
            assert_eq!(killed.report.sequence, 50 * round);
        }
    }
}

#[tokio::test]
async fn labels_keys_and_deletions_survive() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    opened.submit(vec![write("a", "x", 1), write("b", "x", 2), label("x", "Ada")]).await;
    opened.submit(vec![Intent::DeleteBoard { name: name("a") }]).await;
    opened.submit(vec![write("b", "y", 3)]).await;
    opened.submit(vec![Intent::Remove { board: name("b"), member: name("x") }]).await;
    let key = IdempotencyKey { key: name("key"), digest: [7; 16] };
    let keyed = Batch { idempotency: Some(key), ..Batch::new(vec![write("c", "z", 4)], NOW_MS) };
    opened.store.submit(keyed).await.unwrap();
    std::mem::forget(opened);

    let mut model = Contents::default();
    model.set("b", "y", 3, NOW_MS);
    model.set("c", "z", 4, NOW_MS);
    model.labels.insert(b"x".to_vec(), "Ada".to_owned());
    model.keys.insert(b"key".to_vec(), [7; 16]);
    let copy = copy_of(folder.path());
    assert_eq!(open(copy.path()).unwrap().contents(), model);
}

#[tokio::test]
async fn an_answer_waits_for_what_it_depends_on() {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let opened = open_with(folder.path(), options(), fs.arc()).unwrap();
    fs.close_gate();
    let mut first = opened.store.submit(Batch::new(vec![write("a", "x", 1)], NOW_MS));
    assert!(poll_once(&mut first).is_pending());
    // The same score again changes nothing, but says that the score is there.
    let mut second = opened.store.submit(Batch::new(vec![write("a", "x", 1)], NOW_MS));
    assert!(poll_once(&mut second).is_pending());
    assert_eq!(opened.store.stats().durable_sequence, 0);
    fs.open_gate();
    assert_eq!(second.await.unwrap().sequence, 1);
    assert_eq!(first.await.unwrap().sequence, 1);
    assert_eq!(opened.store.stats().records, 1);
}

#[tokio::test]
async fn a_submit_that_nobody_waits_for_still_counts() {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let opened = open_with(folder.path(), options(), fs.arc()).unwrap();
    fs.close_gate();
    let mut abandoned = opened.store.submit(Batch::new(vec![write("a", "x", 1)], NOW_MS));
    assert!(poll_once(&mut abandoned).is_pending());
    drop(abandoned);
    fs.open_gate();
    opened.store.close().await.unwrap();
    drop(opened);
    let mut model = Contents::default();
    model.set("a", "x", 1, NOW_MS);
    assert_eq!(open(folder.path()).unwrap().contents(), model);
}

#[tokio::test]
async fn interval_makes_durable_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let durability = Durability::Interval(1);
    let options = EmbeddedOptions { durability, ..options() };
    let opened = open_with(folder.path(), options, Arc::new(RealFs)).unwrap();
    opened.submit(vec![write("a", "x", 1)]).await;
    crate::support::until(|| opened.store.stats().durable_sequence == 1).await;
    assert_eq!(opened.store.stats().syncs, 1);
}

#[tokio::test]
async fn os_makes_durable_at_close() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { durability: Durability::Os, ..options() };
    let opened = open_with(folder.path(), options, Arc::new(RealFs)).unwrap();
    opened.submit(vec![write("a", "x", 1)]).await;
    assert_eq!(opened.store.stats().durable_sequence, 0);
    opened.store.close().await.unwrap();
    assert_eq!(opened.store.stats().durable_sequence, 1);
}

#[tokio::test]
async fn a_closed_store_refuses_and_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    opened.submit(vec![write("a", "x", 1)]).await;
    let (once, twice) = tokio::join!(opened.store.close(), opened.store.close());
    assert_eq!((once, twice), (Ok(()), Ok(())));
    assert_eq!(opened.store.health(), Health::Closed);
    let late = opened.store.submit(Batch::new(vec![write("a", "x", 2)], NOW_MS)).await;
    assert_eq!(late, Err(StoreError::Closed));
    assert_eq!(opened.store.snapshot().await, Err(StoreError::Closed));
    // The first store is still there, and the folder is free.
    assert_eq!(open(folder.path()).unwrap().report.sequence, 1);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_refused_before_it_is_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let long = "n".repeat(65_000);
    let intents = (0..2000).map(|score| write(&long, &long, score)).collect();
    let refused = opened.store.submit(Batch::new(intents, NOW_MS)).await;
    let Err(StoreError::TooLarge { value, max, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(max, 64 << 20);
    assert!(value > max);
    assert_eq!(opened.contents(), Contents::default());
}

#[tokio::test]
async fn a_close_that_nobody_waits_for_keeps_the_folder_until_the_log_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let options = EmbeddedOptions { durability: Durability::Os, ..options() };
    let opened = open_with(folder.path(), options, fs.arc()).unwrap();
    opened.submit(vec![write("a", "x", 1)]).await;
    fs.close_gate();
    let mut abandoned = opened.store.close();
    crate::support::until(|| {
        assert!(poll_once(&mut abandoned).is_pending());
        fs.held() == 1
    })
    .await;
    drop(abandoned);
    // The log's last fsync is still under way: nobody else may write here.
    let refused = open(folder.path()).err().expect("refused");
    assert!(matches!(refused, StorageError::Locked { .. }), "{refused}");
    // And who closes once more is not told that all is well before it is.
    let mut close = opened.store.close();
    assert!(poll_once(&mut close).is_pending());
    fs.open_gate();
    close.await.unwrap();
    assert_eq!(opened.store.stats().durable_sequence, 1);
    assert_eq!(open(folder.path()).unwrap().report.sequence, 1);
}
