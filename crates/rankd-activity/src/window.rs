//! What a window is made of, at one moment.
//!
//! What it is: the blocks that cover a window and the rows that are in no block yet, held by
//! reference counts. What it is not: the sums; making those takes no lock and may happen on
//! another thread. Invariant: the parts and the tail hold each row of the window exactly once; a
//! block is taken whole only if all its rows are inside. Cost: at most 60 days, 2 days in part, 22
//! months and 10 years are referred to, for a window of any length; some microseconds.

use std::num::NonZeroUsize;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::block::{Block, Blocks, Levels, cell, posting};
use crate::cells::{Cell, CellRun, NEVER};
use crate::day::DayRun;
use crate::ledger::Ledger;
use crate::postings::{Posting, PostingRun};
use crate::row::{KindTraits, Measure, Window};
use crate::standings::Standings;
use crate::sum;
use crate::tail::Tail;
use crate::tiers::{Run, Tiers};
use crate::time::{self, DAY_MS};
use crate::users::UsersView;

/// A block of a window.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Rows of a day, within these milliseconds of it.
    Rows { day: i32, rows: Tiers<DayRun>, ms: Range<u32> },
    /// A whole month or year.
    Cells(Tiers<CellRun>),
}

impl Part {
    /// The first and the last time of every run of rows.
    fn times(&self) -> impl Iterator<Item = i64> {
        let (day, runs, ms) = match self {
            Self::Rows { day, rows, ms } => (*day, rows.runs(), ms.clone()),
            Self::Cells(_) => (0, [].as_slice(), 0..0),
        };
        let start_ms = time::day_start_ms(day);
        let ends = runs.iter().flat_map(move |run| {
            let times = run.times_within(&ms);
            let ends =
                [times.start, times.end.saturating_sub(1)].map(|nth| (nth, times.contains(&nth)));
            ends.into_iter()
                .filter(|(_, is_inside)| *is_inside)
                .map(|(nth, _)| run.ms[run.nth_by_time(nth)])
        });
        ends.map(move |ms| start_ms + i64::from(ms))
    }
}

/// Where the rows of a window come from, apart from the tail.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Parts(Vec<Part>),
    /// The lists of these tags, which are sorted.
    Tagged {
        tags: Vec<u32>,
        lists: Vec<Tiers<PostingRun>>,
    },
}

/// Where the edges of a window could be as well, without a row coming in or going out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slack {
    pub(crate) from_ms: RangeInclusive<i64>,
    pub(crate) until_ms: RangeInclusive<i64>,
}

/// An unchanging view of a window; the ledger may go on.
#[derive(Clone, Debug)]
pub struct WindowView {
    pub(crate) measure: Measure,
    pub(crate) window: Window,
    pub(crate) source: Source,
    pub(crate) tail: Tail,
    pub(crate) kinds: Arc<Vec<KindTraits>>,
    pub(crate) users: UsersView,
    pub(crate) slack: Slack,
    pub(crate) version: u64,
}

impl Ledger {
    /// A view of a measure in a window. A few microseconds.
    pub fn window(&self, measure: Measure, window: Window) -> WindowView {
        let window = window.clamped();
        let parts = self.blocks.parts(measure, window);
        self.view(measure, window, Source::Parts(parts))
    }

    /// A view of the referrals and recommendations in a window whose kinds have one of these tags.
    pub fn tagged(&self, window: Window, tags: &[u32]) -> WindowView {
        let window = window.clamped();
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        tags.dedup();
        let lists = tags.iter().filter_map(|tag| self.blocks.postings.get(tag));
        let lists = lists.cloned().collect();
        self.view(Measure::Referrals, window, Source::Tagged { tags, lists })
    }

    fn view(&self, measure: Measure, window: Window, source: Source) -> WindowView {
        let slack = |edge_ms| {
            let before = self.last_before(edge_ms).map_or(i64::MIN, |ms| ms + 1);
            before..=self.first_at_or_after(edge_ms).unwrap_or(i64::MAX)
        };
        let slack = Slack { from_ms: slack(window.from_ms), until_ms: slack(window.until_ms) };
        WindowView { slack, ..self.bare_view(measure, window, source) }
    }

    /// A view that is not asked where its edges could be as well.
    pub(crate) fn bare_view(&self, measure: Measure, window: Window, source: Source) -> WindowView {
        let edge = |edge_ms| edge_ms..=edge_ms;
        WindowView {
            measure,
            window,
            source,
            tail: self.tail.clone(),
            kinds: Arc::clone(&self.kinds),
            users: self.users.view().clone(),
            slack: Slack { from_ms: edge(window.from_ms), until_ms: edge(window.until_ms) },
            version: self.version(),
        }
    }
}

impl WindowView {
    /// What it ranks by.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// The ledger's version when the view was taken.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Sums and ranks the window, on at most this many threads.
    pub fn standings(&self, threads: NonZeroUsize) -> Standings {
        Standings::new(self, sum::sum(self, threads))
    }

    /// Whether nobody is on the board. Stops at the first who is.
    pub(crate) fn is_vacant(&self) -> bool {
        let in_source = match &self.source {
            Source::Parts(parts) => parts.iter().any(|part| self.has_activity(part)),
            Source::Tagged { .. } => self.postings().any(|row| !self.users.is_dead(row.user)),
        };
        let mut tail = self.tail_cells();
        !in_source && !tail.any(|cell| cell.last_ms != NEVER && !self.users.is_dead(cell.user))
    }

    fn has_activity(&self, part: &Part) -> bool {
        match part {
            Part::Cells(cells) => cells.runs().iter().any(|run| run.has_activity(&self.users)),
            Part::Rows { rows, ms, .. } => rows.runs().iter().any(|run| {
                let counts = |at: &usize| {
                    let mark = run.mark(*at);
                    ms.contains(&run.ms[*at])
                        && !mark.is_correction()
                        && self.measure.takes(self.kinds[mark.kind()].counts)
                        && !self.users.is_dead(run.users[*at])
                };
                (0..run.len()).any(|at| counts(&at))
            }),
        }
    }

    /// What the tail's rows add.
    pub(crate) fn tail_cells(&self) -> impl Iterator<Item = Cell> {
        let inside = self.tail.rows().filter(|row| self.window.contains(row.at_ms));
        inside.filter_map(|row| match &self.source {
            Source::Parts(_) => cell(row, self.measure, &self.kinds),
            Source::Tagged { tags, .. } => {
                let (tag, _) = posting(row, &self.kinds)?;
                tags.binary_search(&tag).ok()?;
                cell(row, self.measure, &self.kinds)
            }
        })
    }

    /// The window's rows in the lists of its tags.
    pub(crate) fn postings(&self) -> impl Iterator<Item = Posting> + Clone {
        let lists = match &self.source {
            Source::Tagged { lists, .. } if !self.window.is_empty() => lists.as_slice(),
            _ => &[],
        };
        let runs = lists.iter().flat_map(Tiers::runs);
        runs.flat_map(|run| run.within(self.window).map(|at| run.get(at)))
    }
}

impl Blocks {
    /// The fewest blocks that cover a window.
    pub(crate) fn parts(&self, measure: Measure, window: Window) -> Vec<Part> {
        let mut parts = Vec::new();
        if window.is_empty() {
            return parts;
        }
        let levels = self.levels(measure);
        let months = months_of(window);
        let years = time::year_of_month(*months.start())..=time::year_of_month(*months.end());
        for (year, block) in levels.years.range(years) {
            if is_inside(block, window) {
                parts.push(Part::Cells(block.cells.clone()));
            } else if !block.span.intersection(window).is_empty() {
                let of_year = time::first_month(*year)..=time::first_month(year + 1) - 1;
                self.parts_of_months(levels, of_year, window, &mut parts);
            }
        }
        parts
    }

    fn parts_of_months(
        &self,
        levels: &Levels,
        months: RangeInclusive<i32>,
        window: Window,
        parts: &mut Vec<Part>,
    ) {
        for (&month, block) in levels.months.range(months) {
            self.parts_of_month(month, block, window, parts);
        }
    }

    /// The fewest blocks that cover what a window has of a month.
    pub(crate) fn parts_of_month(
        &self,
        month: i32,
        block: &Block,
        window: Window,
        parts: &mut Vec<Part>,
    ) {
        let of_month = time::month_window(month).intersection(window);
        if is_inside(block, of_month) {
            parts.push(Part::Cells(block.cells.clone()));
        } else if !block.span.intersection(of_month).is_empty() {
            parts.extend(self.days_within(of_month));
        }
    }

    /// The oldest row at or after `ms`.
    pub(crate) fn first_at_or_after(&self, ms: i64) -> Option<i64> {
        let window = Window { from_ms: ms, ..Window::ALL }.clamped();
        self.days_within(window).find_map(|part| part.times().min())
    }

    /// The newest row before `ms`.
    pub(crate) fn last_before(&self, ms: i64) -> Option<i64> {
        let window = Window { until_ms: ms, ..Window::ALL }.clamped();
        self.days_within(window).rev().find_map(|part| part.times().max())
    }

    /// Rows of a window, day by day.
    pub(crate) fn days_within(&self, window: Window) -> impl DoubleEndedIterator<Item = Part> {
        let range = if window.is_empty() {
            0..0
        } else {
            time::day_of(window.from_ms)..time::day_of(window.until_ms - 1) + 1
        };
        self.days.range(range).filter_map(move |(&day, rows)| {
            let ms = ms_within(day, window)?;
            Some(Part::Rows { day, rows: rows.clone(), ms })
        })
    }
}

fn is_inside(block: &Block, window: Window) -> bool {
    window.from_ms <= block.span.from_ms && block.span.until_ms <= window.until_ms
}

/// The months that a window, which is not empty, touches.
pub(crate) fn months_of(window: Window) -> RangeInclusive<i32> {
    let month = |ms| time::month_of_day(time::day_of(ms));
    month(window.from_ms)..=month(window.until_ms - 1)
}

/// The milliseconds of a day that are inside of a window; none if there are none.
fn ms_within(day: i32, window: Window) -> Option<Range<u32>> {
    let start_ms = time::day_start_ms(day);
    let edge = |ms: i64| u32::try_from((ms - start_ms).clamp(0, DAY_MS)).expect("it fits a day");
    let ms = edge(window.from_ms)..edge(window.until_ms);
    (!ms.is_empty()).then_some(ms)
}
