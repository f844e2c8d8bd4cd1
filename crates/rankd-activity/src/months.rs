//! Boards of calendar months.
//!
//! What it is: the months of a window in which somebody is on the board, and who leads each. What
//! it is not: aware of how many months a page shows. Invariant: a month's board is that of the part
//! of it that the window covers. Cost: a whole month without new rows is summed once and then a
//! copy; another one is a window like any other.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use crate::cells::NEVER;
use crate::ledger::Ledger;
use crate::row::{Measure, Tally, Window};
use crate::time::{self, Month};
use crate::window::{Part, Source, WindowView, months_of};

/// Users of a whole month whose order is kept.
pub const MONTH_TOP_MAX: usize = 64;

/// The best of a month, and how many there are.
#[derive(Debug)]
pub(crate) struct MonthTop {
    total: u64,
    top: Vec<Tally>,
}

/// A month of a window.
#[derive(Clone, Debug)]
struct MonthView {
    number: i32,
    view: WindowView,
    /// Where the order is kept, if the view is the whole month's and nothing of it is in the tail.
    kept: Option<Arc<OnceLock<MonthTop>>>,
}

/// The months of a window at one version of the ledger.
#[derive(Clone, Debug)]
pub struct MonthsView {
    months: Vec<MonthView>,
    version: u64,
}

impl Ledger {
    /// The months of a window. With tags: of what is tagged so, for [`Measure::Referrals`] alone;
    /// in [`Measure::Points`] nothing is tagged.
    pub fn months(&self, measure: Measure, window: Window, tags: Option<&[u32]>) -> MonthsView {
        let window = window.clamped();
        let months = match tags {
            None => self.months_of_blocks(measure, window),
            Some(tags) if measure == Measure::Referrals => self.months_of_tags(window, tags),
            Some(_) => Vec::new(),
        };
        MonthsView { months, version: self.version() }
    }

    fn months_of_blocks(&self, measure: Measure, window: Window) -> Vec<MonthView> {
        if window.is_empty() {
            return Vec::new();
        }
        let in_tail = self.tail.rows().filter(|row| window.contains(row.at_ms));
        let months = in_tail.map(|row| time::month_of_day(time::day_of(row.at_ms)));
        let mut in_tail: Vec<i32> = months.collect();
        in_tail.sort_unstable();
        in_tail.dedup();
        let blocks = &self.blocks.levels(measure).months;
        let mut numbers: Vec<i32> =
            blocks.range(months_of(window)).map(|(&month, _)| month).collect();
        numbers.extend(&in_tail);
        numbers.sort_unstable();
        numbers.dedup();
        let month = |&number: &i32| {
            let block = blocks.get(&number);
            let mut parts = Vec::new();
            if let Some(block) = block {
                self.blocks.parts_of_month(number, block, window, &mut parts);
            }
            let is_whole = matches!(parts.as_slice(), [Part::Cells(_)]);
            let is_kept = is_whole && in_tail.binary_search(&number).is_err();
            let kept = block.filter(|_| is_kept).map(|block| Arc::clone(&block.top));
            let of_month = time::month_window(number).intersection(window);
            let view = self.bare_view(measure, of_month, Source::Parts(parts));
            MonthView { number, view, kept }
        };
        numbers.iter().map(month).collect()
    }

    fn months_of_tags(&self, window: Window, tags: &[u32]) -> Vec<MonthView> {
        let all = self.tagged(window, tags);
        let in_lists = all.postings().map(|row| row.at_ms);
        let in_tail = all.tail_cells().map(|cell| cell.last_ms).filter(|&ms| ms != NEVER);
        let months = in_lists.chain(in_tail).map(|ms| time::month_of_day(time::day_of(ms)));
        let mut numbers: Vec<i32> = Vec::new();
        months.for_each(|month| {
            // Times mostly ascend, so this is mostly the month of the row before.
            if numbers.last() != Some(&month) {
                numbers.push(month);
            }
        });
        numbers.sort_unstable();
        numbers.dedup();
        let month = |&number: &i32| {
            let window = time::month_window(number).intersection(all.window);
            MonthView { number, view: WindowView { window, ..all.clone() }, kept: None }
        };
        numbers.iter().map(month).collect()
    }
}

impl MonthsView {
    /// The ledger's version when the view was taken.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The months in which somebody is on the board, newest first.
    pub fn months(&self) -> Vec<Month> {
        let months = self.months.iter().rev().filter(|month| !month.view.is_vacant());
        months.map(|month| time::calendar_month(month.number)).collect()
    }

    /// The first `limit` users of a month's board; none if the month is not in the window.
    pub fn top(&self, month: Month, limit: usize, threads: NonZeroUsize) -> Vec<Tally> {
        let Some(month) = self.find(month) else { return Vec::new() };
        match &month.kept {
            Some(kept) if limit <= MONTH_TOP_MAX => {
                let top = &month.top(kept, threads).top;
                top[..limit.min(top.len())].to_vec()
            }
            _ => month.view.standings(threads).tallies(0, limit),
        }
    }

    /// Users on a month's board.
    pub fn total(&self, month: Month, threads: NonZeroUsize) -> u64 {
        let Some(month) = self.find(month) else { return 0 };
        match &month.kept {
            Some(kept) => month.top(kept, threads).total,
            None => month.view.standings(threads).total(),
        }
    }

    fn find(&self, month: Month) -> Option<&MonthView> {
        let number = time::month_number(month)?;
        let at = self.months.binary_search_by_key(&number, |month| month.number).ok()?;
        self.months.get(at)
    }
}

impl MonthView {
    fn top<'a>(&self, kept: &'a OnceLock<MonthTop>, threads: NonZeroUsize) -> &'a MonthTop {
        kept.get_or_init(|| {
            let standings = self.view.standings(threads);
            MonthTop { total: standings.total(), top: standings.tallies(0, MONTH_TOP_MAX) }
        })
    }
}
