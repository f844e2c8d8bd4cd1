//! The days, months and years that a ledger keeps its rows in.
//!
//! What it is not: the tail; rows come here from there, many at once. Invariant: each row is in its
//! day, and if it counts for a measure, in that measure's month and year as well; its time is
//! within the span of all three. Cost: a row is sorted once and then merged O(log n) times.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use foldhash::quality::RandomState;

use crate::cells::{Cell, CellRun, NEVER, summed};
use crate::day::{DayRow, DayRun};
use crate::merge::BlockName;
use crate::months::MonthTop;
use crate::order::positions_by;
use crate::postings::{Posting, PostingRun};
use crate::row::{Counts, KindTraits, Measure, Window};
use crate::tail::TailRow;
use crate::tiers::Tiers;
use crate::time;
use crate::users::UsersView;

/// A month or a year of one measure.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) cells: Tiers<CellRun>,
    /// From the first row to the last one.
    pub(crate) span: Window,
    /// Who is at the top, once somebody has asked; another one after every change.
    pub(crate) top: Arc<OnceLock<MonthTop>>,
}

impl Block {
    fn new() -> Self {
        let span = Window { from_ms: i64::MAX, until_ms: i64::MIN };
        Self { cells: Tiers::default(), span, top: Arc::default() }
    }

    /// Takes note of what comes in.
    fn change(&mut self, span: Window) -> &mut Tiers<CellRun> {
        self.span.from_ms = self.span.from_ms.min(span.from_ms);
        self.span.until_ms = self.span.until_ms.max(span.until_ms);
        self.top = Arc::default();
        &mut self.cells
    }
}

/// A measure's months and years, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    pub(crate) months: BTreeMap<i32, Block>,
    pub(crate) years: BTreeMap<i32, Block>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) days: BTreeMap<i32, Tiers<DayRun>>,
    levels: [Levels; Measure::ALL.len()],
    pub(crate) postings: HashMap<u32, Tiers<PostingRun>, RandomState>,
    /// Blocks that have runs to be merged.
    pub(crate) overdue: BTreeSet<BlockName>,
}

/// Rows that come in together, in the order of time, then append.
struct Incoming<'a> {
    rows: &'a [TailRow],
    kinds: &'a [KindTraits],
    users: &'a UsersView,
    /// The longest run that may be made by merging.
    merged_max: usize,
}

impl Blocks {
    pub(crate) fn levels(&self, measure: Measure) -> &Levels {
        &self.levels[measure as usize]
    }

    /// Takes rows in the order of their appends, and merges them with others into runs of at most
    /// `merged_max`.
    pub(crate) fn take(
        &mut self,
        mut rows: Vec<TailRow>,
        kinds: &[KindTraits],
        users: &UsersView,
        merged_max: usize,
    ) {
        if users.has_dead() {
            rows.retain(|row| !users.is_dead(row.user));
        }
        // Stable, so that equal times stay in the order of appends.
        rows.sort_by_key(|row| row.at_ms);
        let all = Incoming { rows: &rows, kinds, users, merged_max };
        self.take_postings(&all);
        let mut rest = rows.as_slice();
        while let Some(first) = rest.first() {
            let month = time::month_of_day(time::day_of(first.at_ms));
            let end_ms = time::month_start_ms(month + 1);
            let len = rest.partition_point(|row| row.at_ms < end_ms);
            let (of_month, others) = rest.split_at(len);
            let incoming = Incoming { rows: of_month, ..all };
            for measure in Measure::ALL {
                self.take_cells(measure, month, &incoming);
            }
            self.take_days(&incoming);
            rest = others;
        }
    }

    fn take_days(&mut self, incoming: &Incoming<'_>) {
        let day = |row: &TailRow| time::day_of(row.at_ms);
        for of_day in incoming.rows.chunk_by(|one, two| day(one) == day(two)) {
            let day = day(&of_day[0]);
            let rows: Vec<DayRow> = of_day.iter().map(day_row).collect();
            let run = DayRun::new(&rows);
            let tiers = self.days.entry(day).or_default();
            if tiers.push(run, incoming.users, incoming.merged_max) {
                self.overdue.insert(BlockName::Day(day));
            }
        }
    }

    fn take_cells(&mut self, measure: Measure, month: i32, incoming: &Incoming<'_>) {
        let &Incoming { rows, kinds, users, merged_max } = incoming;
        let cells = rows.iter().filter_map(|row| cell(row, measure, kinds));
        let cells = summed(&cells.collect::<Vec<Cell>>());
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
        if cells.is_empty() {
            return;
        }
        let span = Window { from_ms: first.at_ms, until_ms: last.at_ms + 1 };
        let year = time::year_of_month(month);
        let year_start_ms = time::month_start_ms(time::first_month(year));
        let levels = &mut self.levels[measure as usize];
        let of_month = CellRun::new(&cells, time::month_start_ms(month));
        let of_year = CellRun::new(&cells, year_start_ms);
        let in_month = levels.months.entry(month).or_insert_with(Block::new).change(span);
        if in_month.push(of_month, users, merged_max) {
            self.overdue.insert(BlockName::Month(measure, month));
        }
        let in_year = levels.years.entry(year).or_insert_with(Block::new).change(span);
        if in_year.push(of_year, users, merged_max) {
            self.overdue.insert(BlockName::Year(measure, year));
        }
    }

    fn take_postings(&mut self, incoming: &Incoming<'_>) {
        let &Incoming { rows, kinds, users, merged_max } = incoming;
        let tagged = rows.iter().filter_map(|row| posting(row, kinds));
        let tagged: Vec<(u32, Posting)> = tagged.collect();
        let order = positions_by(tagged.iter().map(|(tag, _)| *tag));
        let tag = |at: u32| tagged[at as usize].0;
        for of_tag in order.chunk_by(|&one, &two| tag(one) == tag(two)) {
            let postings = of_tag.iter().map(|&at| tagged[at as usize].1);
            let run = PostingRun::new(&postings.collect::<Vec<Posting>>());
            let tag = tag(of_tag[0]);
            if self.postings.entry(tag).or_default().push(run, users, merged_max) {
                self.overdue.insert(BlockName::Tag(tag));
            }
        }
    }

    /// The cells of a month or year.
    pub(crate) fn cells_mut(&mut self, block: BlockName) -> Option<&mut Tiers<CellRun>> {
        let block = match block {
            BlockName::Month(measure, month) => {
                self.levels[measure as usize].months.get_mut(&month)
            }
            BlockName::Year(measure, year) => self.levels[measure as usize].years.get_mut(&year),
            BlockName::Day(_) | BlockName::Tag(_) => None,
        };
        block.map(|block| &mut block.cells)
    }

    /// Forgets who is at the top of which month.
    pub(crate) fn forget_tops(&mut self) {
        for levels in &mut self.levels {
            levels.months.values_mut().for_each(|block| block.top = Arc::default());
        }
    }

    /// Leaves one run in every block.
    pub(crate) fn settle(&mut self, users: &UsersView) {
        self.overdue.clear();
        self.days.values_mut().for_each(|rows| rows.settle(users));
        self.postings.values_mut().for_each(|list| list.settle(users));
        for levels in &mut self.levels {
            levels.months.values_mut().for_each(|block| block.cells.settle(users));
            levels.years.values_mut().for_each(|block| block.cells.settle(users));
        }
    }
}

fn day_row(row: &TailRow) -> DayRow {
    let TailRow { at_ms, user, mark, points, possible, value } = *row;
    DayRow { ms: time::ms_in_day(at_ms), user, mark, points, possible, value }
}

/// What a row adds to its user's sums of a measure.
pub(crate) fn cell(row: &TailRow, measure: Measure, kinds: &[KindTraits]) -> Option<Cell> {
    let counts = kinds[row.mark.kind()].counts;
    if !measure.takes(counts) {
        return None;
    }
    let is_correction = row.mark.is_correction();
    let (a, b) = match counts {
        Counts::Points => (i64::from(row.points), i64::from(row.possible)),
        Counts::Refer | Counts::Recommend | Counts::Nothing if is_correction => return None,
        Counts::Refer => (1, 0),
        Counts::Recommend => (0, 1),
        Counts::Nothing => return None,
    };
    let last_ms = if is_correction { NEVER } else { row.at_ms };
    Some(Cell { user: row.user, a, b, last_ms })
}

/// The tag of a row that can be filtered by one, and what is kept there.
pub(crate) fn posting(row: &TailRow, kinds: &[KindTraits]) -> Option<(u32, Posting)> {
    let KindTraits { counts, tag } = kinds[row.mark.kind()];
    let is_refer = counts == Counts::Refer;
    let is_tagged = is_refer || counts == Counts::Recommend;
    let tag = tag.filter(|_| is_tagged && !row.mark.is_correction())?;
    Some((tag, Posting { at_ms: row.at_ms, is_refer, user: row.user }))
}
