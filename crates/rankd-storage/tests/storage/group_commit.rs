//! Many writes share one fsync, and keep their order.

use std::sync::Arc;

use rankd_engine::{Batch, Storage};

use crate::fault_fs::FaultFs;
use crate::support::{Contents, NOW_MS, open, open_with, options, until, write};

const SUBMITTERS: i64 = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_submitters_share_an_fsync() {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let opened = Arc::new(open_with(folder.path(), options(), fs.arc()).unwrap());
    fs.close_gate();
    let tasks: Vec<_> = (0..SUBMITTERS)
        .map(|index| {
            let opened = Arc::clone(&opened);
            let intents = vec![write("board", &format!("m{index}"), index)];
            tokio::spawn(async move { opened.store.submit(Batch::new(intents, NOW_MS)).await })
        })
        .collect();
    // The first fsync is held until everybody waits, so the rest share the second.
    until(|| opened.store.stats().queued == SUBMITTERS as u64).await;
    fs.open_gate();
    let mut sequences = Vec::new();
    let mut model = Contents::default();
    for (index, task) in (0..).zip(tasks) {
        sequences.push(task.await.unwrap().unwrap().sequence);
        model.set("board", &format!("m{index}"), index, NOW_MS);
    }
    let stats = opened.store.stats();
    assert_eq!(stats.records, SUBMITTERS as u64);
    assert!(stats.syncs <= 2, "{} fsyncs for {SUBMITTERS} records", stats.syncs);
    assert_eq!(stats.durable_sequence, SUBMITTERS as u64);
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=SUBMITTERS as u64).collect::<Vec<_>>());
    opened.store.close().await.unwrap();
    assert_eq!(open(folder.path()).unwrap().contents(), model);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_of_one_member_replay_in_the_order_of_effects() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Arc::new(open(folder.path()).unwrap());
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let opened = Arc::clone(&opened);
            tokio::spawn(async move {
                for round in 0..50 {
                    let score = task * 1000 + round;
                    opened.submit(vec![write("a", "x", score), write("b", "x", -score)]).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let before = opened.contents();
    assert_eq!(opened.store.stats().sequence, 400);
    opened.store.close().await.unwrap();
    assert_eq!(open(folder.path()).unwrap().contents(), before);
}
