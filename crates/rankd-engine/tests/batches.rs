//! Goal: a batch does what its intents say, in order, as one, and the log says the same.
//! Method: single scenarios through `State::execute`, read back through the public reads.

mod common;

use common::{VecSink, batch, name, write};
use rankd_engine::{
    Answer, Definition, IdempotencyKey, Intent, Operator, Order, Outcome, Placed, RankStyle,
    Rejection, Score, ScoreKind, State, StoreError, Ties, limits,
};

fn outcomes(answer: Answer) -> Vec<Outcome> {
    match answer {
        Answer::Fresh(outcomes) => outcomes,
        Answer::Repeated(kept) => unreachable!("not a repetition: {kept:?}"),
    }
}

fn placed(score: i64, rank: u64) -> Placed {
    Placed { score: Score::Integer(score), rank }
}

#[test]
fn a_write_tells_the_rank_before_and_after() {
    let (state, sink) = (State::new(), VecSink::default());
    let first = batch(vec![write("b", "x", 10), write("b", "y", 20), write("b", "x", 30)], 5);
    let got = outcomes(state.execute(&first, &sink).expect("accepted").answer);
    let expected = [
        (placed(10, 1), None, true),
        (placed(20, 1), None, true),
        (placed(30, 1), Some(placed(10, 2)), true),
    ];
    for (outcome, (current, previous, changed)) in got.iter().zip(expected) {
        assert_eq!(*outcome, Outcome::Written { current, previous, changed });
    }
    let again = outcomes(
        state.execute(&batch(vec![write("b", "x", 30)], 6), &sink).expect("accepted").answer,
    );
    let unchanged =
        Outcome::Written { current: placed(30, 1), previous: Some(placed(30, 1)), changed: false };
    assert_eq!(again, [unchanged]);
    assert_eq!(sink.records.lock().len(), 1, "what changes nothing is not logged");
}

#[test]
fn rejected_intents_leave_the_others_of_their_batch_alone() {
    let (state, sink) = (State::new(), VecSink::default());
    let fraction = Intent::Write {
        board: name("b"),
        member: name("bad"),
        score: Score::Float(0.5),
        operator: None,
        at_ms: None,
    };
    let long = "m".repeat(limits::NAME_BYTES_MAX + 1);
    let mixed = vec![
        fraction,
        write("b", "good", 1),
        write("b", &long, 1),
        Intent::Remove { board: name("b"), member: name("absent") },
        Intent::Remove { board: name("nowhere"), member: name("x") },
        Intent::DeleteBoard { name: name("nowhere") },
    ];
    let got = outcomes(state.execute(&batch(mixed, 5), &sink).expect("accepted").answer);
    assert!(matches!(got[0], Outcome::Rejected(Rejection::Score(_))));
    assert!(matches!(got[1], Outcome::Written { changed: true, .. }));
    let Outcome::Rejected(too_long) = &got[2] else { unreachable!("{:?}", got[2]) };
    assert_eq!(
        too_long.to_string(),
        "the length of the member's name in bytes is 65536; allowed are 0 to 65535"
    );
    assert_eq!(got[3], Outcome::Rejected(Rejection::UnknownMember));
    assert_eq!(got[4], Outcome::Rejected(Rejection::UnknownBoard));
    assert_eq!(got[5], Outcome::Rejected(Rejection::UnknownBoard));
    let board = state.board(b"b").expect("created by the good write");
    assert_eq!(board.info().members, 1);
}

#[test]
fn a_write_that_is_rejected_does_not_create_its_board() {
    let (state, sink) = (State::new(), VecSink::default());
    let bad = Intent::Write {
        board: name("b"),
        member: name("m"),
        score: Score::Float(f64::NAN),
        operator: None,
        at_ms: None,
    };
    state.execute(&batch(vec![bad], 5), &sink).expect("accepted");
    assert!(state.board(b"b").is_none());
    assert_eq!(sink.records.lock().len(), 0);
}

#[test]
fn without_auto_create_a_write_to_an_unknown_board_is_rejected() {
    let (state, sink) = (State::new(), VecSink::default());
    let mut strict = batch(vec![write("b", "m", 1)], 5);
    strict.auto_create = false;
    let got = outcomes(state.execute(&strict, &sink).expect("accepted").answer);
    assert_eq!(got, [Outcome::Rejected(Rejection::UnknownBoard)]);
    assert!(state.board(b"b").is_none());
}

#[test]
fn a_board_is_created_once_and_found_again_only_with_the_same_definition() {
    let (state, sink) = (State::new(), VecSink::default());
    let golf = Definition { order: Order::Ascending, ..Definition::default() };
    let create = |definition| Intent::CreateBoard { name: name("golf"), definition };
    let got = outcomes(
        state
            .execute(
                &batch(vec![create(golf), create(golf), create(Definition::default())], 5),
                &sink,
            )
            .expect("accepted")
            .answer,
    );
    let board = common::created(&got[0]);
    assert_eq!(got[1], Outcome::Existed { board });
    assert_eq!(got[2], Outcome::Rejected(Rejection::DefinitionDiffers(golf)));
}

#[test]
fn a_board_deleted_and_made_again_in_one_batch_is_a_new_empty_board() {
    let (state, sink) = (State::new(), VecSink::default());
    state.execute(&batch(vec![write("b", "old", 1)], 5), &sink).expect("accepted");
    let old = state.board(b"b").expect("created");
    let renew = vec![Intent::DeleteBoard { name: name("b") }, write("b", "new", 2)];
    state.execute(&batch(renew, 6), &sink).expect("accepted");
    let new = state.board(b"b").expect("created again");
    assert!(new.standing(b"old", RankStyle::Ordinal).is_none());
    assert_eq!(new.standing(b"new", RankStyle::Ordinal).expect("written").rank, 1);
    assert_eq!(old.info().members, 1, "who still reads the old one sees it whole");
    let totals = state.totals();
    assert_eq!((totals.boards, totals.members), (1, 1));
}

#[test]
fn a_repeated_key_answers_as_before_without_a_second_effect() {
    let (state, sink) = (State::new(), VecSink::default());
    let add = |digest| {
        let intent = Intent::Write {
            board: name("b"),
            member: name("m"),
            score: Score::Integer(5),
            operator: Some(Operator::Sum),
            at_ms: None,
        };
        let mut keyed = batch(vec![intent], 5);
        keyed.idempotency = Some(IdempotencyKey { key: name("k"), digest: [digest; 16] });
        keyed
    };
    let first = outcomes(state.execute(&add(1), &sink).expect("accepted").answer);
    let repeated = state.execute(&add(1), &sink).expect("accepted");
    let kept = rankd_engine::KeptOutcomes::One(Box::new(first[0].clone()));
    assert_eq!(repeated.answer, Answer::Repeated(kept));
    assert_eq!(repeated.sequence, 1);
    assert_eq!(state.execute(&add(2), &sink), Err(StoreError::KeyReused));
    let standing = state.board(b"b").and_then(|b| b.standing(b"m", RankStyle::Ordinal));
    assert_eq!(standing.expect("written").score, Score::Integer(5));

    // A state replayed from the log remembers the key as well.
    let follower = State::new();
    for record in sink.records.lock().iter() {
        follower.apply(record).expect("fits");
    }
    let there = follower.execute(&add(1), &VecSink::default()).expect("accepted");
    assert_eq!(there.answer, repeated.answer);
}

#[test]
fn a_clock_that_steps_back_does_not_make_writes_stale() {
    let (state, sink) = (State::new(), VecSink::default());
    state.execute(&batch(vec![write("b", "m", 1)], 1_000), &sink).expect("accepted");
    state.execute(&batch(vec![write("b", "m", 2)], 400), &sink).expect("accepted");
    let standing = state.board(b"b").and_then(|b| b.standing(b"m", RankStyle::Ordinal));
    let standing = standing.expect("written");
    assert_eq!((standing.score, standing.at_ms), (Score::Integer(2), Some(1_000)));
}

#[test]
fn batches_and_keys_beyond_their_limits_are_refused_whole() {
    let (state, sink) = (State::new(), VecSink::default());
    let many = vec![write("b", "m", 1); limits::BATCH_INTENTS_MAX + 1];
    let refused = state.execute(&batch(many, 5), &sink).expect_err("too many");
    assert_eq!(refused.to_string(), "the number of intents is 10001, the limit is 10000");
    let mut keyed = batch(vec![write("b", "m", 1)], 5);
    let key = vec![b'k'; limits::IDEMPOTENCY_KEY_BYTES_MAX + 1].into();
    keyed.idempotency = Some(IdempotencyKey { key, digest: [0; 16] });
    assert!(matches!(state.execute(&keyed, &sink), Err(StoreError::TooLarge { value: 256, .. })));
    assert!(state.board(b"b").is_none());
}

#[test]
fn rank_styles_differ_only_among_equal_scores() {
    let (state, sink) = (State::new(), VecSink::default());
    let writes =
        [("a", 9), ("b", 7), ("c", 7), ("d", 5)].map(|(member, score)| write("b", member, score));
    state.execute(&batch(writes.to_vec(), 5), &sink).expect("accepted");
    let board = state.board(b"b").expect("created");
    let ranks = |style| {
        ["a", "b", "c", "d"].map(|m| board.standing(m.as_bytes(), style).expect("there").rank)
    };
    assert_eq!(ranks(RankStyle::Ordinal), [1, 2, 3, 4]);
    assert_eq!(ranks(RankStyle::Competition), [1, 2, 2, 4]);
    assert_eq!(ranks(RankStyle::Dense), [1, 2, 2, 3]);
}

#[test]
fn score_ranges_include_both_bounds_and_count_beyond_the_limit() {
    let (state, sink) = (State::new(), VecSink::default());
    for (board, order) in [("up", Order::Ascending), ("down", Order::Descending)] {
        let definition = Definition {
            order,
            score: ScoreKind::Float,
            ties: Ties::Member,
            keep_at: false,
            ..Definition::default()
        };
        let mut intents = vec![Intent::CreateBoard { name: name(board), definition }];
        intents.extend((0..10).map(|i| write(board, &format!("m{i}"), i)));
        state.execute(&batch(intents, 5), &sink).expect("accepted");
    }
    let scores = |board: &str, min, max, limit| {
        let board = state.board(board.as_bytes()).expect("created");
        let page = board.by_score(min, max, limit);
        let of = |e: &rankd_engine::Entry| (e.rank, e.score);
        (page.count, page.entries.iter().map(of).collect::<Vec<_>>())
    };
    let float = |x: f64| Score::Float(x);
    let (some3, some6) = (Some(float(3.0)), Some(float(6.0)));
    assert_eq!(scores("up", some3, some6, 2), (4, vec![(4, float(3.0)), (5, float(4.0))]));
    assert_eq!(scores("down", some3, some6, 2), (4, vec![(4, float(6.0)), (5, float(5.0))]));
    assert_eq!(scores("down", some6, some3, 2), (0, vec![]), "an empty range");
    assert_eq!(scores("up", None, Some(float(f64::INFINITY)), 1).0, 10);
}

#[test]
fn keys_that_expired_long_ago_are_not_kept_by_a_replay() {
    let (state, sink) = (State::new(), VecSink::default());
    for day in 0..5_u8 {
        let mut keyed = batch(vec![write("b", "m", i64::from(day))], 0);
        keyed.now_ms = i64::from(day) * (limits::IDEMPOTENCY_HORIZON_MS + 1);
        keyed.idempotency = Some(IdempotencyKey { key: [day].into(), digest: [day; 16] });
        state.execute(&keyed, &sink).expect("accepted");
        assert_eq!(state.totals().keys, 1);
    }
    let follower = State::new();
    for record in sink.records.lock().iter() {
        follower.apply(record).expect("fits");
        assert_eq!(follower.totals().keys, 1, "at record {}", record.sequence);
    }
}
