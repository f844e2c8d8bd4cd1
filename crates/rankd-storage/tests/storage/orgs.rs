//! Batches about organisations are as durable as any other, in the one order of writes.

use std::sync::Arc;

use rankd_engine::{Engine, EngineOptions, ManualClock, OrgBatch, State, Storage, StoreError};
use rankd_orgs::{OrgIntent, OrgOutcome};
use rankd_storage::{Durability, EmbeddedOptions, MemoryStore, RealFs, Verdict, check};

use crate::check_salvage::{assert_saved, flip};
use crate::fault_fs::FaultFs;
use crate::power_fs::PowerFs;
use crate::support::{
    Contents, NOW_MS, copy_of, files, offer, open, open_with, options, poll_once, until, write,
};

const KEY: [u8; 32] = *b"a key that signs access tokens..";
const FIRST_LOG: &str = "log-00000000000000000001.rlog";

#[tokio::test]
async fn an_acknowledged_batch_survives_a_kill() {
    for durability in [Durability::Always, Durability::Interval(60_000), Durability::Os] {
        let folder = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions { durability, ..options() };
        let opened = open_with(folder.path(), options, Arc::new(RealFs)).unwrap();
        let mut model = Contents::default();
        opened.fill(&mut model, 3).await;
        assert_eq!(opened.offer(KEY).await, 4);
        model.signing_key = Some(KEY);
        opened.fill(&mut model, 3).await;
        // The store goes on: nothing was closed, flushed or dropped.
        let killed = open(copy_of(folder.path()).path()).unwrap();
        assert_eq!(killed.contents(), model, "{durability:?}");
        assert_eq!(killed.report.sequence, 7);
    }
}

#[tokio::test]
async fn an_acknowledged_batch_survives_a_power_cut_wherever_it_stands() {
    // Before and behind the snapshots of records 5 and 10; segments end every few records.
    for place in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let fs = PowerFs::default();
        let small = EmbeddedOptions { segment_bytes: 4096, ..options() };
        let opened = open_with(folder.path(), small, fs.arc()).unwrap();
        let mut model = Contents::default();
        for index in 0..12 {
            if index == place {
                opened.offer(KEY).await;
                model.signing_key = Some(KEY);
            } else {
                let member = format!("{index}{}", "n".repeat(1000));
                opened.submit(vec![write("board", &member, index)]).await;
                model.set("board", &member, index, NOW_MS);
            }
            let image = fs.after_power_cut();
            assert_eq!(open(image.path()).unwrap().contents(), model, "{place}, {index}");
            if index % 5 == 4 {
                let report = opened.store.snapshot().await.unwrap();
                assert_eq!(report.org_items, u64::from(place <= index));
            }
        }
    }
}

#[tokio::test]
async fn a_batch_torn_at_any_byte_is_cut_off_whole() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 2).await;
    let before = files(folder.path())[FIRST_LOG].clone();
    opened.offer(KEY).await;
    opened.store.close().await.unwrap();
    let whole = files(folder.path())[FIRST_LOG].clone();
    for length in before.len() + 1..whole.len() {
        let torn = tempfile::tempdir().unwrap();
        std::fs::write(torn.path().join(FIRST_LOG), &whole[..length]).unwrap();
        let again = open(torn.path()).unwrap();
        assert_eq!(again.contents(), model);
        let tail = again.report.torn_tail.clone().expect("the last record is not whole");
        assert_eq!(
            (tail.offset, tail.bytes),
            (before.len() as u64, (length - before.len()) as u64)
        );
        // What was never acknowledged can be asked for again.
        assert_eq!(again.offer(KEY).await, 3);
        drop(again);
        let with_key = Contents { signing_key: Some(KEY), ..model.clone() };
        assert_eq!(open(torn.path()).unwrap().contents(), with_key);
    }
}

#[tokio::test]
async fn a_snapshot_holds_what_was_before_its_cut_and_the_log_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let lazy = EmbeddedOptions { durability: Durability::Os, ..options() };
    let opened = open_with(folder.path(), lazy, fs.arc()).unwrap();
    let mut model = Contents::default();
    opened.fill(&mut model, 3).await;
    fs.close_gate();
    let mut snapshot = opened.store.snapshot();
    // The cut is taken: the log is being made durable up to it.
    until(|| {
        assert!(poll_once(&mut snapshot).is_pending());
        fs.held() == 1
    })
    .await;
    let mut offered = opened.store.submit_orgs(offer(KEY));
    assert!(poll_once(&mut offered).is_pending());
    assert_eq!(opened.state.orgs().signing_key(), Some(KEY), "applied, and not yet written");
    fs.open_gate();
    let report = snapshot.await.unwrap();
    assert_eq!((report.sequence, report.org_items), (3, 0));
    assert_eq!(offered.await.unwrap().sequence, 4);
    model.signing_key = Some(KEY);
    let killed = open(copy_of(folder.path()).path()).unwrap();
    assert_eq!((killed.report.records, killed.contents()), (1, model.clone()));

    let report = opened.store.snapshot().await.unwrap();
    assert_eq!((report.sequence, report.org_items), (4, 1));
    let killed = open(copy_of(folder.path()).path()).unwrap();
    assert_eq!((killed.report.records, killed.contents()), (0, model));
    assert_eq!(killed.report.snapshot.as_ref().unwrap().org_items, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_fall_between_batches_while_writes_go_on() {
    for round in 0..20_u8 {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(folder.path()).unwrap();
        let mut model = Contents::default();
        let writes = async {
            opened.fill(&mut model, i64::from(round)).await;
            let offered = opened.offer([round; 32]).await;
            model.signing_key = Some([round; 32]);
            opened.fill(&mut model, 10).await;
            offered
        };
        let snapshots = async {
            let mut reports = Vec::new();
            while reports.len() < 4 {
                reports.push(opened.store.snapshot().await.unwrap());
            }
            reports
        };
        let (offered, reports) = tokio::join!(writes, snapshots);
        for report in &reports {
            let has_key = report.sequence >= offered;
            assert_eq!(report.org_items, u64::from(has_key), "cut at {}", report.sequence);
        }
        let killed = open(copy_of(folder.path()).path()).unwrap();
        assert_eq!(killed.contents(), model);
    }
}

#[tokio::test]
async fn an_answer_waits_for_the_batch_that_it_depends_on() {
    let folder = tempfile::tempdir().unwrap();
    let fs = FaultFs::new();
    let opened = open_with(folder.path(), options(), fs.arc()).unwrap();
    fs.close_gate();
    let mut first = opened.store.submit_orgs(offer(KEY));
    assert!(poll_once(&mut first).is_pending());
    // Another key changes nothing, but is told that there is one.
    let mut second = opened.store.submit_orgs(offer([0; 32]));
    assert!(poll_once(&mut second).is_pending());
    fs.open_gate();
    let second = second.await.unwrap();
    assert_eq!((second.sequence, &second.answer[..]), (1, &[OrgOutcome::Unchanged][..]));
    assert_eq!(first.await.unwrap().sequence, 1);
    assert_eq!(opened.store.stats().records, 1);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_refused_before_it_is_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let intents = |count| vec![OrgIntent::OfferSigningKey { key: KEY }; count];
    for count in [10_001, 1_000_000] {
        let batch = OrgBatch { intents: intents(count), now_ms: NOW_MS };
        let refused = opened.store.submit_orgs(batch).await;
        let Err(StoreError::TooLarge { value, max, .. }) = refused else { panic!("{refused:?}") };
        assert!(value > max);
    }
    let profile = [("firstName".into(), "n".repeat(64 << 20).into())].into();
    let (org, user) = (rankd_orgs::OrgId(1), rankd_orgs::UserId(1));
    let long = OrgIntent::PutUser { org, user, resource_id: None, profile };
    let batch = OrgBatch { intents: vec![long], now_ms: NOW_MS };
    let refused = opened.store.submit_orgs(batch).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    assert_eq!(opened.contents(), Contents::default());
    let batch = OrgBatch { intents: intents(10_000), now_ms: NOW_MS };
    let receipt = opened.store.submit_orgs(batch).await.unwrap();
    assert_eq!((receipt.sequence, receipt.answer.len()), (1, 10_000));
}

#[tokio::test]
async fn check_counts_the_pieces_and_salvage_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).unwrap();
    let mut models = vec![Contents::default()];
    opened.offer(KEY).await;
    models.push(Contents { signing_key: Some(KEY), ..Contents::default() });
    opened.store.snapshot().await.unwrap();
    for _ in 2..=3 {
        let mut model = models.last().unwrap().clone();
        opened.fill(&mut model, 1).await;
        models.push(model);
        opened.store.snapshot().await.unwrap();
    }
    opened.store.close().await.unwrap();
    let report = check(folder.path(), &RealFs).unwrap();
    assert_eq!(report.verdict, Verdict::Healthy);
    let counts: Vec<_> = report.files.iter().map(|file| file.org_items).collect();
    assert_eq!(counts, [0, 1, 1, 0], "the log, two snapshots and the spare file");

    // From a snapshot, and without any from the log.
    assert_saved(folder.path(), &models, 3);
    for name in ["snapshot-00000000000000000002.rsnap", "snapshot-00000000000000000003.rsnap"] {
        flip(folder.path(), name, 60);
    }
    let report = assert_saved(folder.path(), &models, 3);
    assert_eq!((report.snapshot, report.records), (None, 3));
}

#[tokio::test]
async fn the_engine_hands_batches_on() {
    let state = State::new();
    let store = Arc::new(MemoryStore::new(Arc::clone(&state)));
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let engine = Engine::new(state, store, clock, EngineOptions::default());
    let offers = vec![OrgIntent::OfferSigningKey { key: KEY }; 2];
    let outcomes = engine.submit_orgs(offers).await.unwrap();
    assert_eq!((outcomes.len(), &outcomes[1]), (2, &OrgOutcome::Unchanged));
    assert_eq!(engine.orgs().signing_key(), Some(KEY));
    assert_eq!(engine.stats().sequence, 1);
}
