//! The leaderboard itself: the top performers, and the whole board in pages, filtered and sorted.
//!
//! What it is not: a ranking. Rows come ranked from the domain, and keep their rank whatever the
//! request filters, sorts or pages.
//!
//! Invariant: all rows of an answer, their ranks and the totals belong to one board. Cost: a page
//! by rank reads that page; anything else reads the whole board, in at most [`WHOLE_BOARDS_MAX`]
//! answers at a time, and picks its page without sorting the rest.

use std::cmp::Ordering;

use rankd_orgs::{Board, BoardRequest, BoardRow, Measure, OrgId, Orgs, Profile};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::body::Fields;
use super::envelope::{Problems, Refusal};
use super::filter::{self, Filter};
use super::limits::{BOARD_PAGE_ROWS, SCAN_ROWS, TOP_ROWS_MAX, UNPAGED_ROWS_MAX, WHOLE_BOARDS_MAX};
use super::page::{Page, PageOf};
use super::percent::Percent;
use super::window::Asked as AskedWindow;
use crate::problem::shown;

/// Turns of the answers that hold much in memory.
static WHOLE_BOARDS: Semaphore = Semaphore::const_new(WHOLE_BOARDS_MAX);

/// A row as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    rank: u64,
    target_user_resource_id: &'a str,
    first_name: Option<&'a str>,
    email: Option<&'a str>,
    last_name: Option<&'a str>,
    department: Option<&'a str>,
    preferred_language: Option<&'a str>,
    phone_number: Option<&'a str>,
    points: i32,
    performance: Percent,
    total_row_count: u64,
}

/// The names of a row's columns.
pub(super) const ROW_COLUMNS: [&str; 11] = [
    "rank",
    "targetUserResourceId",
    "firstName",
    "email",
    "lastName",
    "department",
    "preferredLanguage",
    "phoneNumber",
    "points",
    "performance",
    "totalRowCount",
];

impl<'a> Row<'a> {
    /// A row of a board that has `total` of them.
    pub(super) fn new(row: &'a BoardRow, total: u64) -> Self {
        let profile = |key| profile_text(&row.user.profile, key);
        Self {
            rank: row.rank,
            target_user_resource_id: &row.user.resource_id,
            first_name: profile("firstName"),
            email: profile("email"),
            last_name: profile("lastName"),
            department: profile("department"),
            preferred_language: profile("preferredLanguage"),
            phone_number: profile("phone"),
            points: points(row.tally.score),
            performance: Percent::of(row.tally.score, row.tally.possible),
            total_row_count: total,
        }
    }
}

/// A profile's text.
pub(super) fn profile_text<'a>(profile: &'a Profile, key: &str) -> Option<&'a str> {
    profile.get(key).map(|text| &**text)
}

/// Points as they are shown: saturated at 32 bits.
pub(super) fn points(sum: i64) -> i32 {
    i32::try_from(sum).unwrap_or(if sum < 0 { i32::MIN } else { i32::MAX })
}

/// The board of a window.
///
/// # Errors
/// The company has gone meanwhile.
pub(super) fn of(
    orgs: &Orgs,
    company: OrgId,
    asked: AskedWindow,
    now_ms: i64,
) -> Result<Board, Refusal> {
    let AskedWindow { window, rolling_kind } = asked;
    let request =
        BoardRequest { measure: Measure::Points, window, rolling_kind, vacancies: &[], now_ms };
    orgs.board(company, &request).ok_or_else(gone)
}

/// The company was there a moment ago.
pub(super) fn gone() -> Refusal {
    Refusal::NotFound("the company is not there any more".to_owned())
}

/// The best three, and how many there are in all.
pub(super) fn top(board: &Board) -> (u64, Vec<BoardRow>) {
    (board.total(), board.rows(0, TOP_ROWS_MAX))
}

/// The top performers as they are shown.
pub(super) fn top_page(total: u64, rows: &[BoardRow]) -> PageOf<Row<'_>> {
    let page = Page { number: 1, size: TOP_ROWS_MAX as u64 };
    let shown = rows.iter().map(|row| Row::new(row, total)).collect();
    PageOf::new(page, rows.len() as u64, shown)
}

/// Which rows of the board, in which order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    filter: Option<Filter>,
    order: Column,
    ascending: bool,
    /// None for all rows, up to [`UNPAGED_ROWS_MAX`].
    page: Option<Page>,
}

/// A column to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Rank,
    /// A key of the profile.
    Text(&'static str),
    Performance,
    Points,
}

const COLUMNS: [(&str, Column); 7] = [
    ("rank", Column::Rank),
    ("firstName", Column::Text("firstName")),
    ("lastName", Column::Text("lastName")),
    ("email", Column::Text("email")),
    ("department", Column::Text("department")),
    ("performance", Column::Performance),
    ("points", Column::Points),
];

/// Rows picked from a board.
#[derive(Debug)]
pub(super) struct Picked {
    /// Users on the whole board.
    total: u64,
    /// Rows that pass the filter.
    matching: u64,
    rows: Vec<BoardRow>,
}

impl Asked {
    /// Reads filter and pagination of a request.
    pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Self {
        let filter = filter::read(fields, problems);
        let Some(pagination) = fields.object("pagination", problems) else {
            return Self { filter, order: Column::Rank, ascending: true, page: None };
        };
        let pagination = Fields::below(pagination, "pagination.");
        let page = Page::read(&pagination, BOARD_PAGE_ROWS, problems);
        let order = Column::read(&pagination, problems);
        let ascending = pagination.boolean("ascending", problems);
        let ascending = ascending.unwrap_or(order == Column::Rank);
        Self { filter, order, ascending, page: Some(page) }
    }

    /// The same rows, not in pages.
    pub(super) fn all_pages(self) -> Self {
        Self { page: None, ..self }
    }

    /// Waits for its turn if the answer is going to hold much in memory.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'static>> {
        if self.is_page_by_rank() {
            return None;
        }
        whole_board_turn().await
    }

    /// Whether nothing else of the board is read.
    fn is_page_by_rank(&self) -> bool {
        self.page.is_some() && self.filter.is_none() && self.order == Column::Rank
    }

    /// Picks the rows.
    pub(super) fn pick(&self, board: Board) -> Picked {
        let board = &if self.is_page_by_rank() { board } else { board.copied() };
        let total = board.total();
        let (offset, limit) =
            self.page.map_or((0, UNPAGED_ROWS_MAX), |page| (page.offset(), page.rows_max()));
        if self.filter.is_none() && self.order == Column::Rank {
            let rows = by_rank(board, self.ascending, offset, limit);
            return Picked { total, matching: total, rows };
        }
        let rows = self.matching(board);
        let matching = rows.len() as u64;
        Picked { total, matching, rows: self.sorted_page(rows, offset, limit) }
    }

    fn matching(&self, board: &Board) -> Vec<BoardRow> {
        let accepted = |row: &BoardRow| self.filter.as_ref().is_none_or(|f| f.accepts(row));
        let mut matching = Vec::new();
        let mut offset = 0;
        while offset < board.total() {
            matching.extend(board.rows(offset, SCAN_ROWS).into_iter().filter(accepted));
            offset += SCAN_ROWS as u64;
        }
        matching
    }

    /// One page of rows as if all of them were sorted.
    fn sorted_page(&self, rows: Vec<BoardRow>, offset: u64, limit: usize) -> Vec<BoardRow> {
        let Some(offset) = usize::try_from(offset).ok().filter(|offset| *offset < rows.len())
        else {
            return Vec::new();
        };
        let mut keyed: Vec<_> = rows.into_iter().map(|row| (self.order.key(&row), row)).collect();
        let order = |a: &(Key, BoardRow), b: &(Key, BoardRow)| self.compare(a, b);
        if offset > 0 {
            keyed.select_nth_unstable_by(offset, order);
        }
        let mut page = keyed.split_off(offset);
        if limit < page.len() {
            page.select_nth_unstable_by(limit, order);
            page.truncate(limit);
        }
        page.sort_unstable_by(order);
        page.into_iter().map(|(_, row)| row).collect()
    }

    /// Equal keys fall back to rank, whichever way the keys are sorted.
    fn compare(&self, (a_key, a): &(Key, BoardRow), (b_key, b): &(Key, BoardRow)) -> Ordering {
        let keys = a_key.cmp(b_key);
        let keys = if self.ascending { keys } else { keys.reverse() };
        keys.then(a.rank.cmp(&b.rank))
    }
}

/// Waits for the turn of an answer that holds much in memory.
pub(super) async fn whole_board_turn() -> Option<SemaphorePermit<'static>> {
    WHOLE_BOARDS.acquire().await.ok()
}

impl Picked {
    /// The rows as they are shown.
    pub(super) fn shown(&self) -> Vec<Row<'_>> {
        self.rows.iter().map(|row| Row::new(row, self.total)).collect()
    }

    /// The rows as a page.
    pub(super) fn page(&self, asked: &Asked) -> PageOf<Row<'_>> {
        match asked.page {
            Some(page) => PageOf::new(page, self.matching, self.shown()),
            None => PageOf::unpaged(self.matching, self.shown()),
        }
    }
}

/// What rows are sorted by; a missing text is an empty one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
}

impl Column {
    fn read(pagination: &Fields<'_>, problems: &mut Problems) -> Self {
        let text = pagination.text("orderBy", problems).unwrap_or_default();
        if text.is_empty() {
            return Self::Rank;
        }
        let known = COLUMNS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        known.map_or_else(
            || {
                let names = COLUMNS.map(|(name, _)| name).join(", ");
                let problem =
                    format!("pagination.orderBy is {:?}; it must be one of {names}", shown(text));
                problems.add(problem);
                Self::Rank
            },
            |(_, column)| *column,
        )
    }

    fn key(self, row: &BoardRow) -> Key {
        match self {
            Self::Rank => Key::Number(i64::try_from(row.rank).unwrap_or(i64::MAX)),
            Self::Points => Key::Number(row.tally.score),
            Self::Performance => {
                let percent = Percent::of(row.tally.score, row.tally.possible);
                Key::Number(i64::from(percent.hundredths()))
            }
            Self::Text(key) => {
                Key::Text(profile_text(&row.user.profile, key).unwrap_or("").to_lowercase())
            }
        }
    }
}

/// Rows by rank; the board is read backwards for descending ones.
fn by_rank(board: &Board, ascending: bool, offset: u64, limit: usize) -> Vec<BoardRow> {
    if ascending {
        return board.rows(offset, limit);
    }
    let end = board.total().saturating_sub(offset);
    let start = end.saturating_sub(limit as u64);
    let length = usize::try_from(end - start).expect("at most the limit");
    let mut rows = board.rows(start, length);
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests;
