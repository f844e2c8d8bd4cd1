//! Goal: the engine, a naive model, a state replayed from the log, and a state loaded from a cut
//! and the log after it are the same board at every moment that is looked at.
//! Method: random batches under proptest, small domains so that ties and repeats are common.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{ModelBoard, VecSink, batch, name};
use proptest::collection::vec;
use proptest::prelude::*;
use rankd_engine::{
    Alone, BoardLoader, Definition, Intent, MemberRow, Name, Operator, Order, RankStyle, Score,
    ScoreKind, State, Ties,
};

#[derive(Debug, Clone)]
enum Step {
    Write { board: usize, member: u8, operator: Option<Operator>, score: i64, at_ms: Option<i64> },
    Remove { board: usize, member: u8 },
    Delete { board: usize },
    Label { member: u8, on: bool },
}

const BOARDS: [&str; 3] = ["alpha", "beta", "gamma"];

fn operator() -> impl Strategy<Value = Operator> {
    use Operator::{Best, Latest, Max, Min, Sum};
    prop::sample::select(vec![Latest, Best, Sum, Min, Max])
}

fn step() -> impl Strategy<Value = Step> {
    let board = 0..BOARDS.len();
    prop_oneof![
        20 => (board.clone(), 0..40_u8, prop::option::of(operator()), -5..5_i64,
              prop::option::of(0..60_i64))
            .prop_map(|(board, member, operator, score, at_ms)| {
                Step::Write { board, member, operator, score, at_ms }
            }),
        4 => (board.clone(), 0..40_u8).prop_map(|(board, member)| Step::Remove { board, member }),
        1 => board.prop_map(|board| Step::Delete { board }),
        1 => (0..40_u8, any::<bool>()).prop_map(|(member, on)| Step::Label { member, on }),
    ]
}

fn definition() -> impl Strategy<Value = Definition> {
    let order = prop::sample::select(vec![Order::Ascending, Order::Descending]);
    let ties = prop::sample::select(vec![Ties::Earliest, Ties::Latest, Ties::Member]);
    (order, ties, operator(), any::<bool>()).prop_map(|(order, ties, operator, keep_at)| {
        Definition { order, score: ScoreKind::Integer, operator, ties, keep_at }.normalised()
    })
}

fn member(number: u8) -> Name {
    // Some longer than an index cell holds.
    if number.is_multiple_of(3) {
        name(&format!("a-member-with-a-long-name-{number}"))
    } else {
        name(&format!("m{number}"))
    }
}

fn intent(step: &Step) -> Intent {
    match *step {
        Step::Write { board, member: m, operator, score, at_ms } => Intent::Write {
            board: name(BOARDS[board]),
            member: member(m),
            score: Score::Integer(score),
            operator,
            at_ms,
        },
        Step::Remove { board, member: m } => {
            Intent::Remove { board: name(BOARDS[board]), member: member(m) }
        }
        Step::Delete { board } => Intent::DeleteBoard { name: name(BOARDS[board]) },
        Step::Label { member: m, on } => Intent::Label {
            member: member(m),
            label: on.then(|| format!("Player {m}").into_boxed_str()),
        },
    }
}

#[derive(Default, Clone)]
struct Model {
    boards: BTreeMap<&'static str, ModelBoard>,
    labels: BTreeMap<Name, String>,
}

impl Model {
    fn step(&mut self, step: &Step, now: i64) {
        match *step {
            Step::Write { board, member: m, operator, score, at_ms } => {
                let board = self
                    .boards
                    .entry(BOARDS[board])
                    .or_insert_with(|| ModelBoard::new(Definition::default()));
                let operator = operator.unwrap_or(board.definition.operator);
                board.write(&member(m), operator, score, (at_ms, now));
            }
            Step::Remove { board, member: m } => {
                if let Some(board) = self.boards.get_mut(BOARDS[board]) {
                    board.members.remove(&member(m));
                }
            }
            Step::Delete { board } => drop(self.boards.remove(BOARDS[board])),
            Step::Label { member: m, on: true } => {
                self.labels.insert(member(m), format!("Player {m}"));
            }
            Step::Label { member: m, on: false } => drop(self.labels.remove(&member(m))),
        }
    }

    fn check(&self, state: &State) {
        assert_eq!(state.totals().boards, self.boards.len() as u64);
        assert_eq!(
            state.totals().members,
            self.boards.values().map(|b| b.members.len() as u64).sum::<u64>()
        );
        for name in BOARDS {
            match (self.boards.get(name), state.board(name.as_bytes())) {
                (None, None) => {}
                (Some(model), Some(board)) => check_board(model, &board),
                (model, _) => unreachable!("{name}: the model has it: {}", model.is_some()),
            }
        }
        for m in 0..40 {
            let expected = self.labels.get(&member(m)).map(String::as_str);
            assert_eq!(state.label(&member(m)).as_deref(), expected);
        }
    }
}

fn check_board(model: &ModelBoard, board: &rankd_engine::Board) {
    let ranking = model.ranking();
    let page = board.top(0, usize::MAX);
    assert_eq!(page.total, ranking.len() as u64);
    let got: Vec<_> = page.entries.iter().map(|e| (&e.member, e.score)).collect();
    let expected: Vec<_> = ranking.iter().map(|(m, s, _)| (m, Score::Integer(*s))).collect();
    assert_eq!(got, expected);
    for (rank, (member, score, at)) in (1..).zip(&ranking) {
        let standing = board.standing(member, RankStyle::Ordinal).expect("on the board");
        let at_ms = board.definition().stores_at().then_some(*at);
        assert_eq!((standing.rank, standing.at_ms), (rank, at_ms));
        let better = |other: &&(Name, i64, i64)| match model.definition.order {
            Order::Ascending => other.1 < *score,
            Order::Descending => other.1 > *score,
        };
        let competition = board.standing(member, RankStyle::Competition).expect("on the board");
        assert_eq!(competition.rank, ranking.iter().filter(better).count() as u64 + 1);
        let mut distinct: Vec<i64> = ranking.iter().filter(better).map(|row| row.1).collect();
        distinct.dedup();
        let dense = board.standing(member, RankStyle::Dense).expect("on the board");
        assert_eq!(dense.rank, distinct.len() as u64 + 1);
    }
}

/// A state from a cut and the records after it, as a restart makes one.
fn restart(state: &Arc<State>, sink: &VecSink) -> Arc<State> {
    let loaded = State::new();
    let mut cut = state.begin_cut(sink).expect("no other cut");
    loaded.load_next_board_id(cut.next_board_id());
    while let Some(mut board) = cut.next_board() {
        let mut rows = Vec::new();
        while board.read(7, &mut rows) > 0 {}
        let mut loader = BoardLoader::new(board.header().clone());
        for rows in rows.chunks(5) {
            loader.push(rows.iter().map(MemberRow::as_ref)).expect("rows in order");
        }
        loaded.finish_board(loader, &Alone).expect("all rows");
    }
    for (member, label) in cut.labels() {
        loaded.load_label(member, label.into());
    }
    loaded.load_keys(cut.keys().map(|(key, memory)| (key.clone(), memory.clone())));
    loaded
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn engine_model_replay_and_restart_agree(
        definitions in vec(definition(), BOARDS.len()),
        batches in vec(vec(step(), 1..12), 1..60),
        cut_at in 0..60_usize,
    ) {
        let (state, sink, mut model) = (State::new(), VecSink::default(), Model::default());
        let follower = State::new();
        let create = BOARDS.iter().zip(&definitions);
        let intents = create.clone().map(|(board, definition)| Intent::CreateBoard {
            name: name(board),
            definition: *definition,
        });
        state.execute(&batch(intents.collect(), 0), &sink).expect("accepted");
        model.boards.extend(create.map(|(board, d)| (*board, ModelBoard::new(*d))));

        let mut restarted = None;
        let mut now = 0;
        for (number, steps) in batches.iter().enumerate() {
            now += 7;
            if number == cut_at {
                restarted = Some((restart(&state, &sink), sink.records.lock().len()));
            }
            let intents = steps.iter().map(intent).collect();
            state.execute(&batch(intents, now), &sink).expect("accepted");
            steps.iter().for_each(|step| model.step(step, now));
            model.check(&state);
        }
        let records = sink.records.lock().clone();
        for record in &records {
            follower.apply(record).expect("fits");
        }
        model.check(&follower);
        if let Some((loaded, from)) = restarted {
            for record in &records[from..] {
                loaded.apply(record).expect("fits");
            }
            model.check(&loaded);
        }
    }
}
