//! Goal: display names have one order, the log's, and an answer about one rests on its record.
//! Method: a log that holds up its first record while a second batch labels the same member; what
//! the state says is held against a replay of the log.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{VecSink, batch, name};
use parking_lot::Mutex;
use rankd_engine::{Change, ChangeSink, Intent, State};

/// Turns that the second batch gets to overtake the first; it must not take them.
const TURNS: usize = 20_000;

/// A log in which the first record takes as long as the test wants.
#[derive(Default)]
struct SlowSink {
    inner: VecSink,
    is_held: AtomicBool,
    gate: Mutex<()>,
}

impl ChangeSink for SlowSink {
    fn append(&self, accepted_ms: i64, changes: Vec<Change>) -> u64 {
        if !self.is_held.swap(true, Ordering::SeqCst) {
            drop(self.gate.lock());
        }
        self.inner.append(accepted_ms, changes)
    }

    fn last_sequence(&self) -> u64 {
        self.inner.last_sequence()
    }
}

/// Labels `m` in two batches, the first of which is held up in the log. Returns their sequences.
fn race(state: &State, sink: &SlowSink, labels: [&str; 2]) -> [u64; 2] {
    let submit = |text: &str| {
        let label = Intent::Label { member: name("m"), label: Some(text.into()) };
        state.execute(&batch(vec![label], 1), sink).expect("accepted").sequence
    };
    let held = sink.gate.lock();
    thread::scope(|scope| {
        let first = scope.spawn(|| submit(labels[0]));
        while !sink.is_held.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let second = scope.spawn(|| submit(labels[1]));
        for _ in 0..TURNS {
            if second.is_finished() {
                break;
            }
            thread::yield_now();
        }
        drop(held);
        [first.join().expect("no panic"), second.join().expect("no panic")]
    })
}

#[test]
fn labels_of_racing_batches_replay_to_what_the_state_says() {
    let (state, sink) = (State::new(), SlowSink::default());
    assert_eq!(race(&state, &sink, ["Ada", "Grace"]), [1, 2], "in the order of effects");
    let replayed = State::new();
    for record in sink.inner.records.lock().iter() {
        replayed.apply(record).expect("fits");
    }
    assert_eq!(state.label(b"m").as_deref(), Some("Grace"));
    assert_eq!(replayed.label(b"m"), state.label(b"m"));
}

#[test]
fn a_label_that_is_there_already_is_answered_with_the_record_that_put_it_there() {
    let (state, sink) = (State::new(), SlowSink::default());
    assert_eq!(race(&state, &sink, ["Ada", "Ada"]), [1, 1], "both rest on record 1");
    assert_eq!(sink.inner.records.lock().len(), 1, "the second changed nothing");
}
