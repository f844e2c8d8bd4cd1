//! Adding up a window.
//!
//! What it is: all users are cut into ranges whose sums stay in the processor's cache; threads take
//! one range after another and walk its slice of every block. What it is not: ranking; of that,
//! only the first few are picked out on the way. Invariant: no two threads write the same memory,
//! and the slots of a thread are empty between ranges and windows. Cost: about a nanosecond a cell
//! and some nanoseconds a row, divided by the threads.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::Mutex;

use crate::cells::{Cell, CellRun, NEVER};
use crate::column::{CHUNK, chunks};
use crate::day::DayRun;
use crate::postings::Posting;
use crate::row::{Counts, Measure};
use crate::select::Best;
use crate::standings::{Entry, TOP_KEPT, TOP_SORTED, order};
use crate::time;
use crate::window::{Part, Source, WindowView};

/// Users of a range: their slots take 768 KiB.
pub(crate) const RANGE_USERS: usize = 1 << 15;
/// Users whose marks, which say that their slots are not empty, share a word.
const MARKED_USERS: usize = u64::BITS as usize;
/// Rows and cells from which on another thread is worth being started.
const PARALLEL_MIN: usize = 1 << 16;

/// What a range of users has.
#[derive(Debug, Default)]
pub(crate) struct RangeSums {
    /// Who is present, in ascending order of numbers.
    pub(crate) entries: Box<[Entry]>,
    /// Who only has corrections, and their sum.
    pub(crate) ghosts: Vec<(u32, i64)>,
}

/// All sums of a window.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// By range of users.
    pub(crate) ranges: Vec<RangeSums>,
    /// The best, [`TOP_KEPT`] of them or all; of those, [`TOP_SORTED`] are in order.
    pub(crate) top: Vec<Entry>,
}

/// Adds up what `view` sees.
pub(crate) fn sum(view: &WindowView, threads: NonZeroUsize) -> Sums {
    let ranges = view.users.len().div_ceil(RANGE_USERS);
    let job = Job {
        view,
        tail: Partition::of(view.tail_cells().collect::<Vec<_>>().into_iter(), ranges),
        postings: Partition::of(view.postings(), ranges),
        next: AtomicUsize::new(0),
        ranges,
    };
    let threads = threads.get().min(ranges).min(job.work() / PARALLEL_MIN + 1);
    let done = if threads <= 1 {
        vec![job.run()]
    } else {
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| job.run())).collect();
            let own = job.run();
            let others = others.into_iter().map(|other| other.join().expect("sums do not panic"));
            others.chain([own]).collect()
        })
    };
    assemble(view, ranges, done)
}

fn assemble(view: &WindowView, ranges: usize, done: Vec<Share>) -> Sums {
    let mut sums = Sums::default();
    sums.ranges.resize_with(ranges, RangeSums::default);
    let mut best = Best::new(TOP_KEPT, |one, two| order(view.measure, &view.users, one, two));
    for share in done {
        share.top.into_iter().for_each(|entry| best.push(entry));
        for (range, of_range) in share.ranges {
            sums.ranges[range] = of_range;
        }
    }
    sums.top = best.finish(TOP_SORTED);
    sums
}

/// What one thread did.
struct Share {
    ranges: Vec<(usize, RangeSums)>,
    top: Vec<Entry>,
}

struct Job<'a> {
    view: &'a WindowView,
    tail: Partition<Cell>,
    postings: Partition<Posting>,
    /// The next range that nobody has taken.
    next: AtomicUsize,
    ranges: usize,
}

impl Job<'_> {
    /// Rows and cells to go over.
    fn work(&self) -> usize {
        let parts = match &self.view.source {
            Source::Parts(parts) => parts.as_slice(),
            Source::Tagged { .. } => &[],
        };
        let lens = parts.iter().map(|part| match part {
            Part::Rows { rows, .. } => rows.len(),
            Part::Cells(cells) => cells.len(),
        });
        lens.sum::<usize>() + self.postings.items.len()
    }

    fn run(&self) -> Share {
        let view = self.view;
        let mut slots = Slots::of(view.users.len());
        let mut ranges = Vec::new();
        let mut best = Best::new(TOP_KEPT, |one, two| order(view.measure, &view.users, one, two));
        loop {
            let range = self.next.fetch_add(1, Ordering::Relaxed);
            if range >= self.ranges {
                slots.spare();
                return Share { ranges, top: best.chosen() };
            }
            slots.first = first_user(range);
            self.add(range, &mut slots);
            let sums = slots.drain(view);
            for entry in &sums.entries {
                // Most are told apart by their scores alone.
                if best.worst().is_none_or(|worst| entry.score >= worst.score) {
                    best.push(*entry);
                }
            }
            ranges.push((range, sums));
        }
    }

    /// Adds up everything that a range of users has.
    fn add(&self, range: usize, slots: &mut Slots) {
        let users = first_user(range)..first_user(range + 1);
        if let Source::Parts(parts) = &self.view.source {
            for part in parts {
                match part {
                    Part::Cells(cells) => {
                        cells.runs().iter().for_each(|run| slots.add_cells(run, users.clone()));
                    }
                    Part::Rows { day, rows, ms } => {
                        let day = OfDay { view: self.view, start_ms: time::day_start_ms(*day), ms };
                        rows.runs().iter().for_each(|run| day.add(run, users.clone(), slots));
                    }
                }
            }
        }
        self.postings.range(range).iter().for_each(|posting| slots.add_posting(posting));
        self.tail.range(range).iter().for_each(|cell| slots.add(cell));
    }
}

fn first_user(range: usize) -> u32 {
    u32::try_from(range * RANGE_USERS).expect("there are at most USERS_MAX users")
}

/// A user's sums, while they are added up; see [`Cell`].
#[derive(Clone, Copy)]
struct Slot {
    a: i64,
    b: i64,
    last_ms: i64,
}

const EMPTY: Slot = Slot { a: 0, b: 0, last_ms: NEVER };

/// A slot for every user of a range.
struct Slots {
    first: u32,
    slots: Vec<Slot>,
    /// A bit for every slot, so that a window with few users costs no walk over the others.
    marks: Vec<u64>,
    /// Who was present in the range before; kept for its memory.
    present: Vec<Entry>,
}

/// Slots that wait for the next window: a short one takes less time than making new ones.
static SPARE: Mutex<Vec<Slots>> = Mutex::new(Vec::new());
/// How many wait at most, about 2 MiB each.
const SPARE_MAX: usize = 8;

impl Slots {
    /// Slots for so many users, all empty.
    fn of(users: usize) -> Self {
        let spare = if users >= RANGE_USERS { SPARE.lock().pop() } else { None };
        spare.unwrap_or_else(|| Self::new(users))
    }

    /// Keeps empty slots, if they are as many as a range can have.
    fn spare(self) {
        debug_assert!(self.marks.iter().all(|marks| *marks == 0), "slots are drained");
        let mut spare = SPARE.lock();
        if self.slots.len() == RANGE_USERS && spare.len() < SPARE_MAX {
            spare.push(self);
        }
    }

    fn new(users: usize) -> Self {
        let users = users.min(RANGE_USERS).next_multiple_of(MARKED_USERS);
        let (slots, marks) = (vec![EMPTY; users], vec![0; users / MARKED_USERS]);
        Self { first: 0, slots, marks, present: Vec::with_capacity(users) }
    }

    #[inline]
    fn slot(&mut self, user: u32) -> &mut Slot {
        let at = (user - self.first) as usize;
        self.marks[at / MARKED_USERS] |= 1 << (at % MARKED_USERS);
        &mut self.slots[at]
    }

    #[inline]
    fn add_values(&mut self, user: u32, a: i64, b: i64, last_ms: i64) {
        let slot = self.slot(user);
        slot.a += a;
        slot.b += b;
        slot.last_ms = slot.last_ms.max(last_ms);
    }

    fn add(&mut self, cell: &Cell) {
        self.add_values(cell.user, cell.a, cell.b, cell.last_ms);
    }

    fn add_posting(&mut self, posting: &Posting) {
        let refer = i64::from(posting.is_refer);
        self.add_values(posting.user, refer, 1 - refer, posting.at_ms);
    }

    fn add_cells(&mut self, run: &CellRun, users: Range<u32>) {
        let [mut a, mut b, mut last] = [[0; CHUNK]; 3];
        for chunk in chunks(run.of_users(users)) {
            run.a.load(chunk.clone(), &mut a);
            run.b.load(chunk.clone(), &mut b);
            run.last.load(chunk.clone(), &mut last);
            for (nth, &user) in run.users[chunk].iter().enumerate() {
                let since = last[nth];
                let last_ms = if since == 0 { NEVER } else { run.start_ms + since - 1 };
                self.add_values(user, a[nth], b[nth], last_ms);
            }
        }
    }

    /// Takes all sums out and leaves the slots empty.
    fn drain(&mut self, view: &WindowView) -> RangeSums {
        let has_dead = view.users.has_dead();
        let mut ghosts = Vec::new();
        self.present.clear();
        let words = self.marks.iter_mut().zip(self.slots.chunks_exact_mut(MARKED_USERS));
        for ((word, slots), first) in words.zip((self.first..).step_by(MARKED_USERS)) {
            let mut marks = std::mem::take(word);
            while marks != 0 {
                let bit = marks.trailing_zeros();
                marks &= marks - 1;
                let user = first + bit;
                let Slot { a, b, last_ms } = std::mem::replace(&mut slots[bit as usize], EMPTY);
                if (last_ms == NEVER && b == 0) || (has_dead && view.users.is_dead(user)) {
                    continue;
                }
                if last_ms == NEVER {
                    ghosts.push((user, b));
                } else {
                    let score = view.measure.score(a, b);
                    self.present.push(Entry { score, b, last_ms, user });
                }
            }
        }
        RangeSums { entries: self.present.as_slice().into(), ghosts }
    }
}

/// The rows of one day within a window.
struct OfDay<'a> {
    view: &'a WindowView,
    start_ms: i64,
    ms: &'a Range<u32>,
}

impl OfDay<'_> {
    fn add(&self, run: &DayRun, users: Range<u32>, slots: &mut Slots) {
        match self.view.measure {
            Measure::Referrals => self.add_referrals(run, users, slots),
            Measure::Points => self.add_points(run, users, slots),
        }
    }

    fn add_referrals(&self, run: &DayRun, users: Range<u32>, slots: &mut Slots) {
        let mut marks = [0; CHUNK];
        for chunk in chunks(run.of_users(users)) {
            run.marks.load(chunk.clone(), &mut marks);
            let rows = run.users[chunk.clone()].iter().zip(&run.ms[chunk]);
            for ((&user, &ms), &mark) in rows.zip(&marks) {
                let (a, b) = match self.counts(mark, ms) {
                    Some((Counts::Refer, false)) => (1, 0),
                    Some((Counts::Recommend, false)) => (0, 1),
                    _ => continue,
                };
                slots.add_values(user, a, b, self.start_ms + i64::from(ms));
            }
        }
    }

    fn add_points(&self, run: &DayRun, users: Range<u32>, slots: &mut Slots) {
        let [mut marks, mut points, mut possible] = [[0; CHUNK]; 3];
        for chunk in chunks(run.of_users(users)) {
            run.marks.load(chunk.clone(), &mut marks);
            run.points.load(chunk.clone(), &mut points);
            run.possible.load(chunk.clone(), &mut possible);
            let rows = run.users[chunk.clone()].iter().zip(&run.ms[chunk]);
            for (nth, (&user, &ms)) in rows.enumerate() {
                let Some((Counts::Points, is_correction)) = self.counts(marks[nth], ms) else {
                    continue;
                };
                let at_ms = self.start_ms + i64::from(ms);
                let last_ms = if is_correction { NEVER } else { at_ms };
                slots.add_values(user, points[nth], possible[nth], last_ms);
            }
        }
    }

    /// What a row of this mark and time counts for, and whether it is a correction.
    #[inline]
    fn counts(&self, mark: i64, ms: u32) -> Option<(Counts, bool)> {
        let kind = usize::try_from(mark >> 1).ok()?;
        let counts = self.view.kinds.get(kind)?.counts;
        self.ms.contains(&ms).then_some((counts, mark & 1 == 1))
    }
}

/// What belongs to a user.
trait Owned: Copy {
    fn user(&self) -> u32;
}

impl Owned for Cell {
    fn user(&self) -> u32 {
        self.user
    }
}

impl Owned for Posting {
    fn user(&self) -> u32 {
        self.user
    }
}

/// Items in any order, put together by range of users.
struct Partition<T> {
    items: Vec<T>,
    ends: Vec<usize>,
}

impl<T: Owned> Partition<T> {
    /// Goes over the items twice: to count, and to put each in its place.
    fn of(items: impl Iterator<Item = T> + Clone, ranges: usize) -> Self {
        let range = |item: &T| item.user() as usize / RANGE_USERS;
        let mut ends = vec![0; ranges];
        items.clone().for_each(|item| ends[range(&item)] += 1);
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let Some(first) = items.clone().next() else { return Self { items: Vec::new(), ends } };
        let mut placed = vec![first; start];
        items.for_each(|item| {
            let end = &mut ends[range(&item)];
            placed[*end] = item;
            *end += 1;
        });
        Self { items: placed, ends }
    }

    fn range(&self, range: usize) -> &[T] {
        let start = range.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start..self.ends[range]]
    }
}
