//! Boards of windows: who leads, page by page, and where somebody is.
//!
//! What it is: one version of one window, from a live board or a cached sum where there is one,
//! else from a sum of its own. What it is not: a lock; writers go on while a board is held.
//! Invariant: all answers of one board belong to one version of the ledger; where the live board
//! has moved on between two questions, the second is answered by a sum of that version. Names are
//! those of when they are asked for. Cost: microseconds if live or cached, else a sum of the
//! window.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use rankd_activity::{Ask, Ledger, LedgerAccess, Reading, Standings, WindowView};

use crate::hot::Hot;
use crate::ids::{OrgId, UserId};
use crate::orgs::Orgs;
use crate::read::{BoardRequest, BoardRow, Measure, MonthBoard, Tally, Window};
use crate::tree::Tree;
use crate::users::nobody;

/// Places that are read at once with the board: a page of most front ends.
const FIRST_PLACES: usize = 50;
/// Users whose names are looked up under one lock.
const JOIN_USERS: usize = 256;
/// Boards with fewer users are summed within milliseconds, and not kept live.
const LIVE_USERS_MIN: u64 = 4_096;

/// A board of a window: everything asked of it belongs to one version of the data.
#[derive(Debug)]
pub struct Board {
    tree: Arc<Tree>,
    org: OrgId,
    total: u64,
    first: Vec<rankd_activity::Tally>,
    /// None if nothing can be on it.
    source: Option<Source>,
}

/// Where places come from that were not read at once.
#[derive(Debug)]
struct Source {
    question: Question,
    /// Of the board's version.
    view: WindowView,
    sum: OnceLock<Arc<Standings>>,
    threads: NonZeroUsize,
}

/// How to ask for the same board again.
#[derive(Debug)]
struct Question {
    hot: Arc<Hot>,
    measure: rankd_activity::Measure,
    window: rankd_activity::Window,
    window_kind: Option<u64>,
    /// None for no filter.
    tags: Option<Vec<u32>>,
}

impl Question {
    /// What was asked in one organisation; `None` if nothing can be on the board.
    fn new(tree: &Tree, org: OrgId, request: &BoardRequest<'_>) -> Option<Self> {
        let state = tree.state.read();
        let activities = state.orgs.get(&org)?.activities.as_ref()?;
        let tags =
            (!request.vacancies.is_empty()).then(|| activities.kinds.tags(request.vacancies));
        // Only referrals have vacancies.
        let is_void =
            request.measure == Measure::Points || tags.as_ref().is_some_and(Vec::is_empty);
        if tags.is_some() && is_void {
            return None;
        }
        Some(Self {
            hot: Arc::clone(&activities.hot),
            measure: measure_of(request.measure),
            window: window_of(request.window),
            window_kind: request.rolling_kind,
            tags,
        })
    }

    fn ask(&self, place: &Place<'_>) -> Reading {
        let Self { measure, window_kind, .. } = *self;
        let ask = Ask { measure, window_kind, tags: self.tags.as_deref() };
        self.hot.read(&ask, place, self.window)
    }

    fn view(&self, place: &Place<'_>) -> WindowView {
        place.with(|ledger| match &self.tags {
            Some(tags) => ledger.tagged(self.window, tags),
            None => ledger.window(self.measure, self.window),
        })
    }
}

/// Where a ledger is.
pub(crate) struct Place<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) org: OrgId,
}

impl LedgerAccess for Place<'_> {
    fn with<R>(&self, read: impl FnOnce(&Ledger) -> R) -> R {
        let state = self.tree.state.read();
        let activities = state.orgs.get(&self.org).and_then(|org| org.activities.as_ref());
        read(&activities.expect("an organisation that has activities keeps them").ledger)
    }
}

pub(crate) fn measure_of(measure: Measure) -> rankd_activity::Measure {
    match measure {
        Measure::Referrals => rankd_activity::Measure::Referrals,
        Measure::Points => rankd_activity::Measure::Points,
    }
}

pub(crate) fn window_of(window: Window) -> rankd_activity::Window {
    rankd_activity::Window { from_ms: window.from_ms, until_ms: window.until_ms }
}

impl Orgs {
    /// A board of a window; `None` if there is no such organisation. May take 100 ms where the
    /// window was not asked for before; no lock is held meanwhile.
    #[must_use]
    pub fn board(&self, org: OrgId, request: &BoardRequest<'_>) -> Option<Board> {
        let tree = self.tree_of(org)?;
        let Some(question) = Question::new(&tree, org, request) else {
            return Some(Board { tree, org, total: 0, first: Vec::new(), source: None });
        };
        let is_rolling = question.window_kind.is_some() && question.tags.is_none();
        let board = Board::new(tree, org, question, self.threads);
        if is_rolling && board.total >= LIVE_USERS_MIN {
            self.hot.lock().insert(org);
        }
        Some(board)
    }

    /// The months of the request's window that have activity, newest first: `(total, the months
    /// from `offset` on)`, each with its best `rows_max`.
    #[must_use]
    pub fn months(
        &self,
        org: OrgId,
        request: &BoardRequest<'_>,
        offset: u64,
        months_max: usize,
        rows_max: usize,
    ) -> Option<(u64, Vec<MonthBoard>)> {
        let tree = self.tree_of(org)?;
        let Some(question) = Question::new(&tree, org, request) else {
            return Some((0, Vec::new()));
        };
        let Question { measure, window, tags, .. } = question;
        let place = Place { tree: &tree, org };
        let view = place.with(|ledger| ledger.months(measure, window, tags.as_deref()));
        let months = view.months();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let page = months.iter().skip(offset).take(months_max).map(|month| MonthBoard {
            year: month.year,
            month: u8::try_from(month.month).expect("months are 1 to 12"),
            rows: join(&tree, org, 0, &view.top(*month, rows_max, self.threads)),
        });
        Some((months.len() as u64, page.collect()))
    }

    /// Keeps live boards up to date, and makes those that were asked for often. For a thread that
    /// calls it every few hundred milliseconds; making a board of a million users takes a second.
    /// Without it every answer is the same, only later.
    pub fn maintain(&self) {
        let orgs: Vec<OrgId> = self.hot.lock().iter().copied().collect();
        for org in orgs {
            let Some(tree) = self.tree_of(org) else { continue };
            let state = tree.state.read();
            let activities = state.orgs.get(&org).and_then(|org| org.activities.as_ref());
            let hot = activities.map(|activities| Arc::clone(&activities.hot));
            drop(state);
            if let Some(hot) = hot {
                hot.maintain(&Place { tree: &tree, org });
            }
        }
    }
}

impl Board {
    /// Reads the first places, and keeps a view of that version for others.
    fn new(tree: Arc<Tree>, org: OrgId, question: Question, threads: NonZeroUsize) -> Self {
        let place = Place { tree: &tree, org };
        let reading = question.ask(&place);
        let (total, version) = (reading.total(), reading.version());
        let (first, sum) = (reading.tallies(0, FIRST_PLACES), reading.standings());
        // A live board is locked as long as the reading is there.
        drop(reading);
        let view = question.view(&place);
        let is_one_version = sum.is_some() || view.version() == version;
        let sum = sum.map_or_else(OnceLock::new, OnceLock::from);
        let source = Source { question, view, sum, threads };
        if is_one_version {
            return Self { tree, org, total, first, source: Some(source) };
        }
        // The ledger has moved on in between: the view alone is one version.
        let total = source.sum().total();
        Self { tree, org, total, first: Vec::new(), source: Some(source) }
    }

    /// Users on it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Rows from `offset` (0-based) on.
    #[must_use]
    pub fn rows(&self, offset: u64, limit: usize) -> Vec<BoardRow> {
        let Ok(at) = usize::try_from(offset) else { return Vec::new() };
        let left = usize::try_from(self.total.saturating_sub(offset)).unwrap_or(usize::MAX);
        let limit = limit.min(left);
        let tallies = match (self.first.get(at..at.saturating_add(limit)), &self.source) {
            (Some(page), _) => page.to_vec(),
            (None, Some(source)) => {
                let place = Place { tree: &self.tree, org: self.org };
                source.ask(&place, |live| live.tallies(at, limit), |sum| sum.tallies(at, limit))
            }
            (None, None) => Vec::new(),
        };
        join(&self.tree, self.org, offset, &tallies)
    }

    /// The row of one user.
    #[must_use]
    pub fn row_of(&self, user: UserId) -> Option<BoardRow> {
        let place = Place { tree: &self.tree, org: self.org };
        let source = self.source.as_ref()?;
        let found = source.ask(&place, |live| live.rank_of(user.0), |sum| sum.rank_of(user.0));
        let (rank, tally) = found?;
        join(&self.tree, self.org, rank - 1, &[tally]).pop()
    }
}

impl Source {
    /// The sum of the view.
    fn sum(&self) -> &Standings {
        self.sum.get_or_init(|| Arc::new(self.view.standings(self.threads)))
    }

    /// Asks the live board if it has not moved on, else the sum.
    fn ask<R>(
        &self,
        place: &Place<'_>,
        live: impl FnOnce(&Reading) -> R,
        summed: impl FnOnce(&Standings) -> R,
    ) -> R {
        if self.sum.get().is_none() {
            let reading = self.question.ask(place);
            if reading.version() == self.view.version() {
                return live(&reading);
            }
        }
        summed(self.sum())
    }
}

/// Adds names and ranks to tallies that begin after `offset` places.
fn join(tree: &Tree, org: OrgId, offset: u64, tallies: &[rankd_activity::Tally]) -> Vec<BoardRow> {
    let mut rows = Vec::with_capacity(tallies.len());
    for some in tallies.chunks(JOIN_USERS) {
        let state = tree.state.read();
        for tally in some {
            let id = UserId(tally.user);
            let user = state.users.get(id).map_or_else(|| nobody(id, org), |user| user.view());
            let rank = offset + rows.len() as u64 + 1;
            rows.push(BoardRow { rank, user, tally: tally_of(tally) });
        }
    }
    rows
}

fn tally_of(tally: &rankd_activity::Tally) -> Tally {
    Tally {
        score: tally.score,
        possible: tally.possible,
        referrals: tally.refer.into(),
        recommendations: tally.recommend.into(),
        last_ms: tally.last_ms,
    }
}
