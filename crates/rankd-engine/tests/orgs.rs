//! Goal: batches about organisations are in the one order of writes, and a cut falls between two.
//! Method: a sink that keeps everything; what organisations do with their changes is tested by
//! themselves.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{VecSink, batch, write};
use rankd_engine::{Change, OrgBatch, Receipt, Record, State, StoreError};
use rankd_orgs::{OrgIntent, OrgItem, OrgOutcome};

const KEY: [u8; 32] = [7; 32];

fn offers(keys: &[[u8; 32]]) -> OrgBatch {
    let intents = keys.iter().map(|key| OrgIntent::OfferSigningKey { key: *key });
    OrgBatch { intents: intents.collect(), now_ms: 5 }
}

fn execute(state: &State, sink: &VecSink, keys: &[[u8; 32]]) -> Receipt<Vec<OrgOutcome>> {
    state.execute_orgs(&offers(keys), sink).expect("not too many")
}

fn items(state: &Arc<State>, sink: &VecSink) -> Vec<OrgItem> {
    let mut cut = state.begin_cut(sink).expect("no other cut");
    std::iter::from_fn(|| cut.next_org_item()).collect()
}

#[test]
fn a_batch_is_one_record_and_without_effect_none() {
    let (state, sink) = (State::new(), VecSink::default());
    state.execute(&batch(vec![write("a", "x", 1)], 1), &sink).expect("accepted");
    let first = execute(&state, &sink, &[KEY, [8; 32]]);
    assert_eq!((first.sequence, first.answer.len()), (2, 2));
    assert_eq!(first.answer[1], OrgOutcome::Unchanged);
    let again = execute(&state, &sink, &[[9; 32]]);
    assert_eq!((again.sequence, &again.answer[..]), (2, &[OrgOutcome::Unchanged][..]));
    let records = sink.records.lock();
    let [_, Record { sequence: 2, accepted_ms: 5, changes }] = &records[..] else {
        unreachable!("two records, got {records:?}")
    };
    assert!(changes.iter().all(|change| matches!(change, Change::Orgs(_))), "{changes:?}");
}

#[test]
fn a_batch_beyond_its_limit_is_refused_without_effect() {
    let (state, sink) = (State::new(), VecSink::default());
    let refused = state.execute_orgs(&offers(&[KEY; 10_001]), &sink);
    let what = "the number of intents";
    assert_eq!(refused, Err(StoreError::TooLarge { what, value: 10_001, max: 10_000 }));
    assert_eq!(state.orgs().signing_key(), None);
    assert_eq!(execute(&state, &sink, &[KEY; 10_000]).answer.len(), 10_000);
}

#[test]
fn replay_and_a_restart_from_a_cut_come_to_the_same() {
    let (state, sink) = (State::new(), VecSink::default());
    execute(&state, &sink, &[KEY]);
    state.execute(&batch(vec![write("a", "x", 1)], 1), &sink).expect("accepted");
    let replayed = State::new();
    for record in sink.records.lock().iter() {
        // Twice: changes are absolute.
        replayed.apply(record).expect("fits");
        replayed.apply(record).expect("fits");
    }
    let loaded = State::new();
    for item in items(&state, &sink) {
        loaded.orgs().load(item).expect("in order");
    }
    loaded.orgs().load_end().expect("complete");
    for copy in [replayed, loaded] {
        assert_eq!(copy.orgs().signing_key(), Some(KEY));
        assert_eq!(items(&copy, &sink), items(&state, &sink));
    }
}

#[test]
fn a_cut_leaves_out_what_came_later() {
    let (state, sink) = (State::new(), VecSink::default());
    let mut cut = state.begin_cut(&sink).expect("no other cut");
    execute(&state, &sink, &[KEY]);
    assert_eq!((cut.sequence(), cut.next_org_item()), (0, None));
    drop(cut);
    assert_eq!(items(&state, &sink).len(), 1);
}

#[test]
fn cuts_taken_while_threads_write_hold_organisations_of_their_sequence() {
    for round in 0..50_u8 {
        let (state, sink, is_done) = (State::new(), VecSink::default(), AtomicBool::new(false));
        let cuts = thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for score in 0..100_i64 {
                    if score == 50 {
                        execute(&state, &sink, &[[round; 32]]);
                    }
                    let scores = vec![write("a", "x", score)];
                    state.execute(&batch(scores, 1), &sink).expect("accepted");
                }
                is_done.store(true, Ordering::SeqCst);
            });
            let mut cuts = Vec::new();
            while !is_done.load(Ordering::SeqCst) {
                let mut cut = state.begin_cut(&sink).expect("one at a time");
                cuts.push((cut.sequence(), cut.next_org_item()));
            }
            writer.join().expect("no panic");
            cuts
        });
        for (sequence, item) in cuts {
            // The organisations' record is the 51st.
            assert_eq!(item.is_some(), sequence > 50, "cut at {sequence}");
        }
    }
}
