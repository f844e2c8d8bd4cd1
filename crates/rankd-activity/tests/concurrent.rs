//! One writer, several readers: each answer is a recount of what was written up to its version.
//!
//! Method: what will be written is made beforehand, one version each, so that a reader can replay
//! any version by itself. The writer waits for the readers to keep up, by counting.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;

use common::{DAY_MS, Pair, Recount, Rng};
use parking_lot::RwLock;
use rankd_activity::{Ask, HotBoards, HotOptions, Ledger, LedgerAccess, Measure, Row, Window};

const OPERATIONS: usize = 6_000;
/// What the writer may be ahead for each answer.
const OPERATIONS_PER_READ: usize = 6;

enum Operation {
    Append(Row),
    Remove(u64),
}

struct Run {
    operations: Vec<Operation>,
    /// Of the empty ledger with its kinds.
    first_version: u64,
    kinds: Recount,
    ledger: RwLock<Ledger>,
    hot: HotBoards,
    now_ms: AtomicI64,
    reads: AtomicUsize,
    is_over: AtomicBool,
}

impl Run {
    fn new() -> Self {
        let mut pair = Pair::new(2_000, 64);
        let ledger = std::mem::replace(&mut pair.ledger, Ledger::with_tail_rows_max(64));
        for kind in &pair.recount.kinds {
            pair.ledger.define_kind(*kind).unwrap();
        }
        let (kinds, now_ms) = (pair.recount.clone(), pair.now_ms);
        let options = HotOptions { rolling_users_min: 0, ..HotOptions::default() };
        Self {
            operations: (0..OPERATIONS).map(|_| operation(&mut pair)).collect(),
            first_version: ledger.version(),
            kinds,
            ledger: RwLock::new(ledger),
            hot: HotBoards::new(options),
            now_ms: AtomicI64::new(now_ms),
            reads: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    fn write(&self) {
        for (done, operation) in self.operations.iter().enumerate() {
            match *operation {
                Operation::Append(row) => {
                    self.ledger.write().append(row).unwrap();
                    self.now_ms.fetch_max(row.at_ms, Ordering::Relaxed);
                }
                Operation::Remove(user) => assert!(self.ledger.write().remove_user(user)),
            }
            while self.reads.load(Ordering::Relaxed) * OPERATIONS_PER_READ < done {
                thread::yield_now();
            }
        }
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn window(&self, kind: u64) -> Window {
        let now_ms = self.now_ms.load(Ordering::Relaxed);
        let days = if kind == 0 { 1 } else { 400 };
        Window { from_ms: now_ms - days * DAY_MS, until_ms: now_ms + 1 }
    }

    /// Reads until the writer is done. How many answers came from rolling boards.
    fn read(&self, seed: u64) -> usize {
        let mut rng = Rng(seed);
        let mut replay = Replay { recount: self.kinds.clone(), done: 0 };
        let mut rolling = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let measure = if rng.one_in(2) { Measure::Points } else { Measure::Referrals };
            match rng.below(3) {
                0 => self.check_window(measure, &mut rng, &mut replay),
                1 => self.check_months(measure, &mut replay),
                _ => rolling += usize::from(self.check_hot(measure, &mut rng, &mut replay)),
            }
            if rng.one_in(8) {
                self.hot.maintain(&self.ledger, |_, kind| self.window(kind));
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        rolling
    }

    fn check_window(&self, measure: Measure, rng: &mut Rng, replay: &mut Replay) {
        let window = self.window(rng.below(2));
        let view = self.ledger.with(|ledger| ledger.window(measure, window));
        let standings = view.standings(NonZeroUsize::new(2).unwrap());
        let expected = replay.at(self, view.version()).board(measure, window, None);
        assert_eq!(standings.tallies(0, usize::MAX), expected);
    }

    fn check_months(&self, measure: Measure, replay: &mut Replay) {
        let window = self.window(1);
        let view = self.ledger.with(|ledger| ledger.months(measure, window, None));
        let recount = replay.at(self, view.version());
        let months = view.months();
        assert_eq!(months, recount.months(measure, window, None));
        for month in months.into_iter().take(2) {
            let whole = common::month_window(month);
            let from_ms = whole.from_ms.max(window.from_ms);
            let part = Window { from_ms, until_ms: whole.until_ms.min(window.until_ms) };
            let mut expected = recount.board(measure, part, None);
            expected.truncate(20);
            assert_eq!(view.top(month, 20, NonZeroUsize::MIN), expected);
        }
    }

    fn check_hot(&self, measure: Measure, rng: &mut Rng, replay: &mut Replay) -> bool {
        let window_kind = rng.below(2);
        let ask = Ask { measure, window_kind: Some(window_kind), tags: None };
        let before = self.ledger.with(Ledger::version);
        let window = self.window(window_kind);
        let reading = self.hot.read(&ask, &self.ledger, window);
        assert!(reading.version() >= before);
        let (version, is_rolling) = (reading.version(), reading.is_rolling());
        let tallies = reading.tallies(0, 500);
        drop(reading);
        assert_eq!(tallies, replay.at(self, version).board(measure, window, None));
        is_rolling
    }
}

/// What was written up to a version.
struct Replay {
    recount: Recount,
    done: usize,
}

impl Replay {
    fn at(&mut self, run: &Run, version: u64) -> &Recount {
        let wanted = usize::try_from(version - run.first_version).unwrap();
        if wanted < self.done {
            *self = Self { recount: run.kinds.clone(), done: 0 };
        }
        for operation in &run.operations[self.done..wanted] {
            match operation {
                Operation::Append(row) => self.recount.rows.push(*row),
                Operation::Remove(user) => self.recount.rows.retain(|row| row.user != *user),
            }
        }
        self.done = wanted;
        &self.recount
    }
}

fn operation(pair: &mut Pair) -> Operation {
    pair.now_ms += pair.rng.within(0, 60_000);
    if pair.rng.one_in(200) && !pair.recount.rows.is_empty() {
        let at = usize::try_from(pair.rng.below(pair.recount.rows.len() as u64)).unwrap();
        let user = pair.recount.rows[at].user;
        pair.recount.rows.retain(|row| row.user != user);
        return Operation::Remove(user);
    }
    let row = pair.random_row();
    pair.recount.rows.push(row);
    Operation::Append(row)
}

#[test]
fn every_answer_is_of_one_version() {
    let run = &Run::new();
    let rolling: usize = thread::scope(|scope| {
        scope.spawn(|| run.write());
        let readers: Vec<_> =
            (0..3).map(|seed| scope.spawn(move || run.read(seed * 7 + 1))).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    assert_eq!(run.ledger.read().version() - run.first_version, OPERATIONS as u64);
    assert!(rolling > 100, "only {rolling} answers from rolling boards");
}
