//! Rows as a list: what happened, newest or oldest first, or by points.
//!
//! What it is: a view of a window's days, and pages of it. What it is not: a full sort; only the
//! days of a page are put in order, and by points only the page is picked out. Invariant: equal
//! times are in the order of appends, whichever way the list goes, and equal points in the order of
//! time; corrections and rows of removed users are never listed. Cost: one user's rows are found by
//! binary search in every day; everybody's are counted, a word or two a row.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use crate::day::{DayRow, DayRun};
use crate::ledger::Ledger;
use crate::row::{KindId, KindTraits, Row, Window};
use crate::select::Best;
use crate::tail::{Mark, TailRow};
use crate::tiers::{Run, Tiers};
use crate::time;
use crate::users::UsersView;
use crate::window::Part;

/// How a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
    /// The most points first.
    MostPoints,
    /// The fewest points first.
    FewestPoints,
}

/// Which part of a list is asked for.
#[derive(Clone, Copy)]
pub struct RowQuery<'a> {
    /// Which kinds are listed; none for all.
    pub kinds: Option<&'a dyn Fn(KindId) -> bool>,
    /// In which order.
    pub order: RowOrder,
    /// Rows to leave out at the beginning.
    pub offset: usize,
    /// Rows to list at most.
    pub limit: usize,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPage {
    /// Rows of the whole list.
    pub total: u64,
    /// Those asked for.
    pub rows: Vec<Row>,
}

/// An unchanging view of the rows in a window; the ledger may go on.
#[derive(Clone, Debug)]
pub struct RowsView {
    /// In ascending order.
    days: Vec<Day>,
    /// The one whose rows are listed; none for everybody.
    user: Option<u32>,
    kinds: Arc<Vec<KindTraits>>,
    users: UsersView,
    version: u64,
}

/// What a day has within the window.
#[derive(Clone, Debug)]
struct Day {
    number: i32,
    runs: Tiers<DayRun>,
    ms: Range<u32>,
    /// Those of the tail that are within, by time, then append.
    tail: Vec<DayRow>,
}

impl Ledger {
    /// A view of the rows of one user, or of all, in a window. A user whom the ledger does not know
    /// has none. Microseconds, and one more for every twenty days or so.
    pub fn rows(&self, window: Window, user: Option<u64>) -> RowsView {
        let window = window.clamped();
        let known = user.map(|user| self.users.get(user));
        let days = if known == Some(None) { Vec::new() } else { self.days(window) };
        RowsView {
            days,
            user: known.flatten(),
            kinds: Arc::clone(&self.kinds),
            users: self.users.view().clone(),
            version: self.version(),
        }
    }

    fn days(&self, window: Window) -> Vec<Day> {
        let parts = self.blocks.days_within(window).filter_map(|part| match part {
            Part::Rows { day, rows, ms } => Some(Day { number: day, runs: rows, ms, tail: vec![] }),
            Part::Cells(_) => None,
        });
        let mut days: Vec<Day> = parts.collect();
        let inside = self.tail.rows().filter(|row| window.contains(row.at_ms));
        let mut tail: Vec<&TailRow> = inside.collect();
        tail.sort_by_key(|row| row.at_ms);
        for of_day in tail.chunk_by(|one, two| time::day_of(one.at_ms) == time::day_of(two.at_ms)) {
            let number = time::day_of(of_day[0].at_ms);
            let rows = of_day.iter().map(|row| day_row(row)).collect();
            match days.binary_search_by_key(&number, |day| day.number) {
                Ok(at) => days[at].tail = rows,
                Err(at) => {
                    let runs = Tiers::default();
                    days.insert(at, Day { number, runs, ms: 0..0, tail: rows });
                }
            }
        }
        days
    }
}

impl RowsView {
    /// The ledger's version when the view was taken.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All rows, and unlike on pages all corrections, in the order of time, then append. Meant for
    /// one user's: everybody's may be many.
    pub fn all(&self) -> Vec<Row> {
        self.every_day().flatten().collect()
    }

    /// A page, and how many rows there are on all of them.
    pub fn page(&self, query: &RowQuery<'_>) -> RowPage {
        let wanted = query.kinds.map(|is_wanted| {
            let numbers = (0_u32..).take(self.kinds.len());
            numbers.map(|kind| is_wanted(KindId(kind))).collect::<Vec<bool>>()
        });
        let filter = Filter { view: self, wanted };
        let counts: Vec<usize> = self.days.iter().map(|day| filter.count(day)).collect();
        let total = counts.iter().map(|&count| count as u64).sum();
        let rows = match query.order {
            RowOrder::NewestFirst => {
                let days = self.days.iter().zip(counts).rev();
                filter.in_time(days, query, |rows| rows.sort_by_key(|row| !row.ms))
            }
            RowOrder::OldestFirst => {
                let days = self.days.iter().zip(counts);
                filter.in_time(days, query, |rows| rows.sort_by_key(|row| row.ms))
            }
            RowOrder::MostPoints => filter.by_points(query, |one, two| two.cmp(&one)),
            RowOrder::FewestPoints => filter.by_points(query, |one, two| one.cmp(&two)),
        };
        RowPage { total, rows }
    }

    /// Rows and corrections, one day at a time, in the order of time, then append.
    pub(crate) fn every_day(&self) -> impl Iterator<Item = Vec<Row>> {
        self.days.iter().map(|day| self.rows_of_day(day))
    }

    /// One of [`every_day`](Self::every_day).
    pub(crate) fn nth_day(&self, nth: usize) -> Option<Vec<Row>> {
        self.days.get(nth).map(|day| self.rows_of_day(day))
    }

    fn rows_of_day(&self, day: &Day) -> Vec<Row> {
        let mut rows: Vec<DayRow> = Vec::new();
        for run in day.runs.runs() {
            let positions = match self.user {
                Some(user) => run.of_users(user..user + 1),
                None => 0..run.len(),
            };
            let sorted =
                positions.map(|at| if self.user.is_some() { at } else { run.nth_by_time(at) });
            rows.extend(sorted.map(|at| run.row(at)).filter(|row| day.ms.contains(&row.ms)));
        }
        rows.extend(&day.tail);
        rows.retain(|row| {
            self.user.is_none_or(|user| user == row.user) && !self.users.is_dead(row.user)
        });
        rows.sort_by_key(|row| row.ms);
        rows.iter().map(|row| self.row(day.number, row)).collect()
    }

    fn row(&self, day: i32, row: &DayRow) -> Row {
        let DayRow { ms, user, mark, points, possible, value } = *row;
        let kind = u32::try_from(mark.kind()).expect("it came from 31 bits");
        Row {
            user: self.users.id(user),
            at_ms: time::day_start_ms(day) + i64::from(ms),
            kind: KindId(kind),
            points,
            possible,
            value,
            is_correction: mark.is_correction(),
        }
    }
}

/// Which rows of a view are listed.
struct Filter<'a> {
    view: &'a RowsView,
    /// By the number of the kind.
    wanted: Option<Vec<bool>>,
}

impl Filter<'_> {
    fn takes(&self, user: u32, mark: Mark) -> bool {
        !mark.is_correction()
            && self.view.user.is_none_or(|wanted| wanted == user)
            && self.wanted.as_ref().is_none_or(|wanted| wanted[mark.kind()])
            && !self.view.users.is_dead(user)
    }

    /// Positions of a run's rows that are listed, in the order of time.
    fn positions<'b>(&'b self, run: &'b DayRun, ms: &'b Range<u32>) -> Vec<usize> {
        match self.view.user {
            // A user's rows are together, and in the order of time.
            Some(user) => {
                let of_user = run.of_users(user..user + 1);
                let inside = of_user.filter(|&at| ms.contains(&run.ms[at]));
                inside.filter(|&at| self.takes(user, run.mark(at))).collect()
            }
            None => {
                let by_time = run.times_within(ms).map(|nth| run.nth_by_time(nth));
                by_time.filter(|&at| self.takes(run.users[at], run.mark(at))).collect()
            }
        }
    }

    fn count(&self, day: &Day) -> usize {
        let tail = day.tail.iter().filter(|row| self.takes(row.user, row.mark)).count();
        tail + day.runs.runs().iter().map(|run| self.count_run(run, &day.ms)).sum::<usize>()
    }

    fn count_run(&self, run: &DayRun, ms: &Range<u32>) -> usize {
        let takes_all = self.view.user.is_none()
            && self.wanted.is_none()
            && !self.view.users.has_dead()
            && run.listed() == run.len();
        if takes_all {
            return run.times_within(ms).len();
        }
        if self.view.user.is_some() {
            return self.positions(run, ms).len();
        }
        let is_inside = |at: &usize| ms.contains(&run.ms[*at]);
        let inside = (0..run.len()).filter(is_inside);
        inside.filter(|&at| self.takes(run.users[at], run.mark(at))).count()
    }

    /// The listed rows of a day: run by run, each by time.
    fn rows_of(&self, day: &Day) -> Vec<DayRow> {
        let mut rows = Vec::new();
        for run in day.runs.runs() {
            let positions = self.positions(run, &day.ms);
            rows.extend(positions.into_iter().map(|at| run.row(at)));
        }
        rows.extend(day.tail.iter().filter(|row| self.takes(row.user, row.mark)));
        rows
    }

    /// The page of a list by time. `sort` puts a day's rows in order and is stable.
    fn in_time<'a>(
        &self,
        days: impl Iterator<Item = (&'a Day, usize)>,
        query: &RowQuery<'_>,
        sort: impl Fn(&mut Vec<DayRow>),
    ) -> Vec<Row> {
        let mut skip = query.offset;
        let mut listed = Vec::new();
        for (day, count) in days {
            let missing = query.limit - listed.len();
            if missing == 0 {
                break;
            }
            if skip >= count {
                skip -= count;
                continue;
            }
            let mut rows = self.rows_of(day);
            sort(&mut rows);
            let page = rows.iter().skip(std::mem::take(&mut skip)).take(missing);
            listed.extend(page.map(|row| self.view.row(day.number, row)));
        }
        listed
    }

    /// The page of a list by points, then time, then append.
    fn by_points(&self, query: &RowQuery<'_>, points: impl Fn(i32, i32) -> Ordering) -> Vec<Row> {
        // Of equal points and times, earlier runs and positions were appended earlier.
        let order = |one: &(i32, DayRow, usize), two: &(i32, DayRow, usize)| {
            let by_time = || (one.0, one.1.ms, one.2).cmp(&(two.0, two.1.ms, two.2));
            points(one.1.points, two.1.points).then_with(by_time)
        };
        let mut best = Best::new(query.offset.saturating_add(query.limit), order);
        for day in &self.view.days {
            for (nth, row) in self.rows_of(day).into_iter().enumerate() {
                best.push((day.number, row, nth));
            }
        }
        let page = best.finish(usize::MAX).into_iter().skip(query.offset);
        page.map(|(day, row, _)| self.view.row(day, &row)).collect()
    }
}

fn day_row(row: &TailRow) -> DayRow {
    let TailRow { at_ms, user, mark, points, possible, value } = *row;
    DayRow { ms: time::ms_in_day(at_ms), user, mark, points, possible, value }
}
