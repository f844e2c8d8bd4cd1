//! Turns over keys: one after the other, by whoever is at it.
//!
//! A turn that may write is alone with the state, so two threads that each carry out their own
//! would do nothing but wait for each other. Instead, who finds a turn under way leaves its own in
//! a line and goes on with something else, and the thread that is at it carries out what has been
//! left ("flat combining", Hendler, Incze, Shavit and Tzafrir 2010).
//!
//! What it is not: a thread of its own. A turn that finds nobody is carried out on the spot.
//!
//! Invariants: at most one thread leads, and while turns wait, one does or is about to; a turn is
//! carried out in the order in which it came, and answered when it is as durable as was promised.
//! Cost: a lock of a few instructions and a channel a turn.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rankd_engine::{Change, ChangeSink, KeyBatch, Procedure, State, StoreError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::limits::{CHANGES_UNANNOUNCED_MAX, TURNS_TOGETHER_MAX};
use crate::log::queue::{Admission, Queue};
use crate::log::waiters::{Carried, Waiter};

/// What is said of a turn that nobody finished.
const UNFINISHED: &str = "the turn, or one before it, has panicked";

/// Where the changes of one batch go: into the queue, with the place that the batch was given.
/// What a batch does not append frees its place when the ticket goes. The writer is not told.
pub(crate) struct Ticket<'a> {
    queue: &'a Queue,
    admission: Cell<Option<Admission>>,
    /// Changes that were appended.
    changes: Cell<usize>,
}

impl<'a> Ticket<'a> {
    pub(crate) fn new(queue: &'a Queue, admission: Admission) -> Self {
        Self { queue, admission: Cell::new(Some(admission)), changes: Cell::new(0) }
    }
}

impl ChangeSink for Ticket<'_> {
    fn append(&self, accepted_ms: i64, changes: Vec<Change>) -> u64 {
        self.changes.set(self.changes.get() + changes.len());
        self.queue.push(accepted_ms, changes, self.admission.take())
    }

    fn last_sequence(&self) -> u64 {
        self.queue.last_sequence()
    }
}

/// The line of turns.
pub(crate) struct Turns {
    state: Arc<State>,
    queue: Arc<Queue>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    is_led: bool,
    left: VecDeque<Left>,
}

/// A turn that was let in and is not carried out yet. No more than the queue has places.
struct Left {
    keys: KeyBatch,
    admission: Admission,
    answer: oneshot::Sender<Carried>,
}

/// The duty to carry out what is left. Dropped without having been done, by a panic or with an
/// executor that ends, it lets the next one lead; those in the line are told.
struct Lead {
    turns: Arc<Turns>,
    /// Nothing was left, and nobody leads any more.
    is_over: bool,
}

impl Turns {
    pub(crate) fn new(state: Arc<State>, queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { state, queue, line: Mutex::default() })
    }

    /// Has the procedure carried out, and returns it when what it did is durable.
    ///
    /// # Errors
    /// [`StoreError::NotDurable`].
    pub(crate) async fn take(
        self: &Arc<Self>,
        keys: KeyBatch,
        admission: Admission,
    ) -> Result<Box<dyn Procedure>, StoreError> {
        let (answer, carried) = oneshot::channel();
        let leads = {
            let mut line = self.line.lock();
            line.left.push_back(Left { keys, admission, answer });
            !std::mem::replace(&mut line.is_led, true)
        };
        if leads {
            Lead { turns: Arc::clone(self), is_over: false }.go_on();
        }
        let carried = carried.await.unwrap_or_else(|_gone| Err(UNFINISHED.to_owned()));
        carried.map_err(StoreError::NotDurable)
    }

    /// The next turn; `None`: nobody leads any more.
    fn next(&self) -> Option<Left> {
        let mut line = self.line.lock();
        let next = line.left.pop_front();
        line.is_led = next.is_some();
        next
    }

    /// Carries out a turn. How many changes it made.
    fn carry_out(&self, left: Left) -> usize {
        let Left { keys: KeyBatch { mut procedure, now_ms }, admission, answer } = left;
        let ticket = Ticket::new(&self.queue, admission);
        let receipt = self.state.transact(&mut *procedure, now_ms, &ticket);
        let changes = ticket.changes.get();
        drop(ticket);
        self.queue.when_acknowledged(receipt.sequence, Waiter::Turn(answer, procedure));
        changes
    }
}

impl Lead {
    /// Carries out what is left. After a while another task of the executor goes on, so that the
    /// one that happened to come first is not the last that is answered.
    fn go_on(mut self) {
        loop {
            let mut unannounced = 0;
            for _ in 0..TURNS_TOGETHER_MAX {
                let Some(left) = self.turns.next() else {
                    self.is_over = true;
                    return;
                };
                unannounced += self.turns.carry_out(left);
                if unannounced >= CHANGES_UNANNOUNCED_MAX {
                    self.turns.queue.announce();
                    unannounced = 0;
                }
            }
            self.turns.queue.announce();
            if let Ok(executor) = Handle::try_current() {
                executor.spawn(async move { self.go_on() });
                return;
            }
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // Once for all turns: waking the writer costs as much as a turn, and what it finds together
        // it writes together.
        self.turns.queue.announce();
        if self.is_over {
            return;
        }
        let mut line = self.turns.line.lock();
        line.is_led = false;
        let unfinished = std::mem::take(&mut line.left);
        drop(line);
        drop(unfinished);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    use rankd_engine::{KeyTurn, Score, StoreStats};
    use tokio::runtime;

    use super::*;
    use crate::log::queue::Wake;

    /// Does something, and says on which thread.
    struct Probe<F>(F, mpsc::Sender<ThreadId>);

    impl<F: FnMut() + Send + 'static> Procedure for Probe<F> {
        fn bytes_max(&self) -> u64 {
            0
        }

        fn run(&mut self, _turn: &mut KeyTurn<'_>) {
            let _nobody_asks = self.1.send(thread::current().id());
            (self.0)();
        }
    }

    fn turns() -> Arc<Turns> {
        Turns::new(State::new(), Arc::new(Queue::new(0, StoreStats::default())))
    }

    /// Takes a turn to its end on an executor of this thread. Nothing is changed in it, so it is
    /// durable at once.
    fn take(
        turns: &Arc<Turns>,
        told: &mpsc::Sender<ThreadId>,
        work: impl FnMut() + Send + 'static,
    ) -> Result<(), StoreError> {
        let executor = runtime::Builder::new_current_thread().build().expect("an executor");
        executor.block_on(async {
            let admission = turns.queue.admit(1).await?;
            let procedure = Box::new(Probe(work, told.clone()));
            turns.take(KeyBatch { procedure, now_ms: 1 }, admission).await.map(drop)
        })
    }

    fn wait_for_left(turns: &Turns, count: usize) {
        while turns.line.lock().left.len() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn a_turn_that_finds_nobody_is_carried_out_on_the_spot() {
        let (told, threads) = mpsc::channel();
        let turns = turns();
        take(&turns, &told, || {}).expect("it is carried out");
        take(&turns, &told, || {}).expect("it is carried out");
        drop(told);
        assert!(threads.iter().all(|thread| thread == thread::current().id()));
        assert!(!turns.line.lock().is_led);
    }

    /// Has `others` threads take a turn each while `work` is carried out on this one.
    fn with_others(
        turns: &Arc<Turns>,
        told: &mpsc::Sender<ThreadId>,
        others: usize,
        work: impl FnMut() + Send + 'static,
    ) -> Vec<Result<(), StoreError>> {
        thread::scope(|scope| {
            let come = || {
                while !turns.line.lock().is_led {
                    thread::yield_now();
                }
                take(turns, told, || {})
            };
            let coming: Vec<_> = (0..others).map(|_| scope.spawn(come)).collect();
            let led = catch_unwind(AssertUnwindSafe(|| take(turns, told, work)));
            let ended = coming.into_iter().map(|thread| thread.join().expect("it does not panic"));
            ended.chain(led).collect()
        })
    }

    #[test]
    fn turns_that_come_meanwhile_are_carried_out_by_who_is_at_it() {
        let (told, threads) = mpsc::channel();
        let turns = turns();
        let its_turns = Arc::clone(&turns);
        let ended = with_others(&turns, &told, 2, move || wait_for_left(&its_turns, 2));
        assert_eq!(ended, [const { Ok(()) }; 3]);
        drop(told);
        assert_eq!(threads.iter().collect::<Vec<_>>(), [thread::current().id(); 3]);
        assert!(!turns.line.lock().is_led);
    }

    #[test]
    fn a_turn_that_panics_fails_those_that_wait_for_it_and_no_later_one() {
        let (told, threads) = mpsc::channel();
        let turns = turns();
        let its_turns = Arc::clone(&turns);
        let ended = with_others(&turns, &told, 2, move || {
            wait_for_left(&its_turns, 2);
            panic!("a procedure that panics on purpose");
        });
        let unfinished = Err(StoreError::NotDurable(UNFINISHED.to_owned()));
        assert_eq!(ended, [unfinished.clone(), unfinished]);
        take(&turns, &told, || {}).expect("the next one is carried out");
        drop(told);
        assert_eq!(threads.iter().count(), 2);
    }

    #[test]
    fn who_has_carried_out_many_turns_lets_another_task_go_on() {
        let (told, threads) = mpsc::channel();
        let turns = turns();
        let executor = runtime::Builder::new_current_thread().build().expect("an executor");
        let order = executor.block_on(async {
            let mut answers = Vec::new();
            for _ in 0..=TURNS_TOGETHER_MAX {
                let (answer, carried) = oneshot::channel();
                let procedure = Box::new(Probe(|| {}, told.clone()));
                let keys = KeyBatch { procedure, now_ms: 1 };
                let admission = turns.queue.admit(1).await.expect("there is room");
                turns.line.lock().left.push_back(Left { keys, admission, answer });
                answers.push(carried);
            }
            turns.line.lock().is_led = true;
            Lead { turns: Arc::clone(&turns), is_over: false }.go_on();
            let last = answers.last_mut().expect("there are some");
            let is_left = last.try_recv().is_err();
            (is_left, last.await.expect("another task carries it out").is_ok())
        });
        assert_eq!(order, (true, true));
        drop(told);
        assert_eq!(threads.iter().count(), TURNS_TOGETHER_MAX + 1);
    }

    /// Sets many members, and says when it has.
    struct Many;

    impl Procedure for Many {
        fn bytes_max(&self) -> u64 {
            0
        }

        fn run(&mut self, turn: &mut KeyTurn<'_>) {
            for number in 0..CHANGES_UNANNOUNCED_MAX {
                let member = number.to_string();
                turn.set_member(b"b", member.as_bytes(), Score::Integer(1)).expect("it is set");
            }
        }
    }

    #[test]
    fn the_writer_is_told_of_many_changes_before_the_turns_are_over() {
        let turns = turns();
        let (wrote, written) = mpsc::channel();
        let queue = Arc::clone(&turns.queue);
        let writer = thread::spawn(move || {
            let taken = queue.next_work(Wake::Work(None)).pending.len();
            wrote.send(taken).expect("somebody waits for it");
        });
        let executor = runtime::Builder::new_current_thread().build().expect("an executor");
        let (told, seen) = mpsc::channel();
        let (saw, sight) = mpsc::channel();
        let wait = move || {
            let taken = written.recv_timeout(Duration::from_secs(60));
            saw.send(taken).expect("somebody looks");
        };
        executor.block_on(async {
            for procedure in [Box::new(Many) as Box<dyn Procedure>, Box::new(Probe(wait, told))] {
                let (answer, _carried) = oneshot::channel();
                let keys = KeyBatch { procedure, now_ms: 1 };
                let admission = turns.queue.admit(1).await.expect("there is room");
                turns.line.lock().left.push_back(Left { keys, admission, answer });
            }
        });
        turns.line.lock().is_led = true;
        Lead { turns: Arc::clone(&turns), is_over: false }.go_on();
        assert_eq!(sight.recv(), Ok(Ok(1)), "the writer had the first turn during the second");
        assert_eq!(seen.try_iter().count(), 1);
        writer.join().expect("it does not panic");
    }

    #[test]
    fn an_executor_that_ends_leaves_nobody_in_the_lead() {
        let (told, _threads) = mpsc::channel();
        let turns = turns();
        let executor = runtime::Builder::new_current_thread().build().expect("an executor");
        executor.block_on(async {
            turns.line.lock().is_led = true;
            let lead = Lead { turns: Arc::clone(&turns), is_over: false };
            drop(tokio::spawn(async move { lead.go_on() }));
        });
        drop(executor);
        take(&turns, &told, || {}).expect("it leads");
    }
}
