//! Goal: batches of many threads are each whole, in one order, and a cut falls between two of them.
//! Method: threads move points between boards, so that the sum over all boards stays zero; cuts
//! taken meanwhile must sum to zero and equal a replay of the log up to their sequence.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::{VecSink, batch, name};
use rankd_engine::{Intent, MemberRow, Name, Operator, Score, State};

const THREADS: usize = 3;
const BATCHES: usize = 1_500;

/// A cheap sequence of numbers, the same for the same seed.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 40).expect("24 bits")
}

fn add(board: usize, member: usize, points: i64) -> Intent {
    Intent::Write {
        board: name(&format!("board-{board}")),
        member: name(&format!("member-with-a-name-{member}")),
        score: Score::Integer(points),
        operator: Some(Operator::Sum),
        at_ms: None,
    }
}

fn mover(state: &State, sink: &VecSink, mut seed: u64, done: &AtomicUsize) {
    for _ in 0..BATCHES {
        let (from, to) = (next(&mut seed) % 6, next(&mut seed) % 6);
        let (member, points) = (next(&mut seed) % 200, points(&mut seed));
        let moves = vec![add(from, member, -points), add(to, member, points)];
        state.execute(&batch(moves, 1), sink).expect("accepted");
    }
    done.fetch_add(1, Ordering::SeqCst);
}

/// 0 to 8.
fn points(seed: &mut u64) -> i64 {
    i64::try_from(next(seed) % 9).expect("below 9")
}

type Contents = BTreeMap<Name, BTreeMap<Name, Score>>;

fn contents_of_cut(state: &Arc<State>, sink: &VecSink) -> (u64, Contents) {
    let mut cut = state.begin_cut(sink).expect("one cut at a time");
    let mut contents = Contents::new();
    while let Some(mut board) = cut.next_board() {
        let mut rows: Vec<MemberRow> = Vec::new();
        while board.read(16, &mut rows) > 0 {}
        assert_eq!(rows.len() as u64, board.header().members);
        let members = rows.into_iter().map(|row| (row.member, row.score)).collect();
        assert!(contents.insert(board.header().name.clone(), members).is_none(), "once a board");
    }
    (cut.sequence(), contents)
}

fn contents_of_replay(sink: &VecSink, sequence: u64) -> Contents {
    let state = State::new();
    let count = usize::try_from(sequence).expect("a short log");
    for record in &sink.records.lock()[..count] {
        state.apply(record).expect("fits");
    }
    let boards = state.boards(b"", None, usize::MAX);
    let members = |board: &Arc<rankd_engine::Board>| {
        board.top(0, usize::MAX).entries.into_iter().map(|e| (e.member, e.score)).collect()
    };
    boards.iter().map(|board| (board.info().name, members(board))).collect()
}

fn sum(contents: &Contents) -> i64 {
    let scores = contents.values().flat_map(BTreeMap::values);
    scores
        .map(|score| match score {
            Score::Integer(points) => *points,
            Score::Float(_) => unreachable!("integer boards"),
        })
        .sum()
}

#[test]
fn cuts_taken_while_threads_write_fall_between_batches() {
    let (state, sink, done) = (State::new(), VecSink::default(), AtomicUsize::new(0));
    let mut cuts = Vec::new();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (state, sink, done) = (&state, &sink, &done);
            scope.spawn(move || mover(state, sink, thread as u64 + 1, done));
        }
        while done.load(Ordering::SeqCst) < THREADS {
            cuts.push(contents_of_cut(&state, &sink));
        }
    });
    cuts.push(contents_of_cut(&state, &sink));
    let stride = cuts.len().div_ceil(25);
    for (sequence, contents) in cuts.iter().rev().step_by(stride) {
        assert_eq!(sum(contents), 0, "cut at {sequence}");
        assert_eq!(*contents, contents_of_replay(&sink, *sequence), "cut at {sequence}");
    }
}

#[test]
fn batches_that_create_delete_and_name_boards_in_opposite_orders_do_not_deadlock() {
    let (state, sink) = (State::new(), VecSink::default());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (state, sink) = (&state, &sink);
            scope.spawn(move || {
                let mut seed = thread as u64 + 77;
                for _ in 0..BATCHES {
                    let mut intents: Vec<_> =
                        (0..4).map(|_| add(next(&mut seed) % 5, next(&mut seed) % 9, 1)).collect();
                    intents.extend((0..3).map(|_| Intent::Label {
                        member: name(&format!("m{}", next(&mut seed) % 9)),
                        label: Some(format!("{}", next(&mut seed) % 3).into()),
                    }));
                    if next(&mut seed).is_multiple_of(4) {
                        let board = name(&format!("board-{}", next(&mut seed) % 5));
                        intents.insert(2, Intent::DeleteBoard { name: board });
                    }
                    state.execute(&batch(intents, 1), sink).expect("accepted");
                }
            });
        }
    });
    let (sequence, contents) = contents_of_cut(&state, &sink);
    assert_eq!(contents, contents_of_replay(&sink, sequence));
    let replayed = State::new();
    for record in sink.records.lock().iter() {
        replayed.apply(record).expect("fits");
    }
    for member in (0..9).map(|number| format!("m{number}")) {
        assert_eq!(state.label(member.as_bytes()), replayed.label(member.as_bytes()), "{member}");
    }
    let members: usize = contents.values().map(BTreeMap::len).sum();
    assert_eq!(state.totals().members, members as u64);
}

#[test]
fn a_cut_keeps_what_was_deleted_after_it_began_and_leaves_out_what_came_later() {
    let (state, sink) = (State::new(), VecSink::default());
    let boards = (0..3).map(|board| add(board, 1, 5)).collect();
    state.execute(&batch(boards, 1), &sink).expect("accepted");
    let mut cut = state.begin_cut(&sink).expect("no other cut");
    assert!(state.begin_cut(&sink).is_err(), "one cut at a time");
    let delete = Intent::DeleteBoard { name: name("board-1") };
    let after = vec![delete, add(0, 1, 100), add(0, 2, 1), add(9, 1, 1)];
    state.execute(&batch(after, 1), &sink).expect("accepted");
    let mut seen = BTreeMap::new();
    while let Some(mut board) = cut.next_board() {
        let mut rows = Vec::new();
        while board.read(16, &mut rows) > 0 {}
        seen.insert(board.header().name.clone(), rows.iter().map(|r| r.score).collect::<Vec<_>>());
    }
    let five = vec![Score::Integer(5)];
    let expected = [0, 1, 2].map(|board| (name(&format!("board-{board}")), five.clone()));
    assert_eq!(seen, BTreeMap::from(expected));
    drop(cut);
    assert!(state.begin_cut(&sink).is_ok(), "a dropped cut makes room for the next");
}
