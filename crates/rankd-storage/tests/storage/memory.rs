//! The memory store resolves as the embedded one does, and keeps nothing.

use std::sync::Arc;

use rankd_engine::{Batch, Health, State, Storage, StoreError};
use rankd_orgs::OrgOutcome;
use rankd_storage::MemoryStore;

use crate::support::{NOW_MS, contents, label, offer, open, write};

#[tokio::test]
async fn it_answers_as_the_embedded_store_does() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = open(folder.path()).unwrap();
    let state = State::new();
    let memory = MemoryStore::new(Arc::clone(&state));
    let batches = [
        vec![write("a", "x", 1), write("a", "y", 2)],
        vec![write("a", "x", 1)],
        vec![label("x", "Ada"), write("b", "x", -5)],
    ];
    for intents in batches {
        let batch = Batch { with_ranks: true, ..Batch::new(intents, NOW_MS) };
        let expected = embedded.store.submit(batch.clone()).await.unwrap();
        assert_eq!(memory.submit(batch).await.unwrap(), expected);
    }
    for key in [[1; 32], [2; 32]] {
        let expected = embedded.store.submit_orgs(offer(key)).await.unwrap();
        assert_eq!(memory.submit_orgs(offer(key)).await.unwrap(), expected);
        let is_first = key == [1; 32];
        assert_eq!((expected.answer == [OrgOutcome::Unchanged], expected.sequence), (!is_first, 3));
    }
    assert_eq!(contents(&state), embedded.contents());
    let report = memory.snapshot().await.unwrap();
    assert_eq!((report.sequence, report.boards, report.members, report.org_items), (3, 2, 3, 1));
    assert_eq!((report.bytes, report.file.as_str()), (0, ""));
    assert_eq!(memory.stats().sequence, 3);
    assert_eq!(memory.health(), Health::Ready);
    memory.close().await.unwrap();
    assert_eq!(memory.health(), Health::Closed);
    let late = memory.submit(Batch::new(vec![write("a", "x", 9)], NOW_MS)).await;
    assert_eq!(late, Err(StoreError::Closed));
    assert_eq!(memory.submit_orgs(offer([3; 32])).await, Err(StoreError::Closed));
}
