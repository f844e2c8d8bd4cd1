//! Boards of windows: who leads, page by page, and where somebody is.
//!
//! What it is: one version of one window, from a live board or a cached sum where there is one,
//! else from a sum of its own. What it is not: a lock on what it ranks; writers go on while a board
//! is held, only others who ask the same live board wait. Invariant: all answers of one board
//! belong to one version of the ledger. Names are those of when they are asked for. Cost:
//! microseconds if live or cached, else a sum of the window.
//!
//! Locks: a live board's comes before a tree's, so no board is asked for under a tree's lock; and
//! who holds a board neither asks for another one nor calls [`Orgs::maintain`].

use std::sync::Arc;

use rankd_activity::{Ask, Ledger, LedgerAccess, Reading};

use crate::hot::Hot;
use crate::ids::{OrgId, UserId};
use crate::orgs::Orgs;
use crate::read::{BoardRequest, BoardRow, Measure, MonthBoard, Tally, Window};
use crate::tree::Tree;
use crate::users::nobody;

/// Users whose names are looked up under one lock.
const JOIN_USERS: usize = 256;
/// Boards with fewer users are summed within milliseconds, and not kept live.
const LIVE_USERS_MIN: u64 = 4_096;

/// A board of a window: everything asked of it belongs to one version of the data.
#[derive(Debug)]
pub struct Board {
    tree: Arc<Tree>,
    org: OrgId,
    source: Source,
}

/// Where places come from.
#[derive(Debug)]
enum Source {
    /// Nothing can be on the board.
    Nothing,
    /// A live board, which is locked meanwhile, or a sum.
    Reading(Reading),
    /// A live board's places, copied.
    Copied(Vec<rankd_activity::Tally>),
}

/// Which board is asked for.
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
            return Some(Board { tree, org, source: Source::Nothing });
        };
        let reading = question.ask(&Place { tree: &tree, org });
        let is_rolling = question.window_kind.is_some() && question.tags.is_none();
        if is_rolling && reading.total() >= LIVE_USERS_MIN {
            self.hot.lock().insert(org);
        }
        Some(Board { tree, org, source: Source::Reading(reading) })
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
}

impl Board {
    /// The same board for who reads it for long: nobody who asks the live one waits for it. Copies
    /// a live board's places, some tens of bytes each.
    #[must_use]
    pub fn copied(self) -> Self {
        let source = match self.source {
            Source::Reading(live) if live.is_rolling() => {
                let total = usize::try_from(live.total()).expect("its places are in memory");
                Source::Copied(live.tallies(0, total))
            }
            other => other,
        };
        Self { source, ..self }
    }

    /// Users on it.
    #[must_use]
    pub fn total(&self) -> u64 {
        match &self.source {
            Source::Nothing => 0,
            Source::Reading(reading) => reading.total(),
            Source::Copied(tallies) => tallies.len() as u64,
        }
    }

    /// Rows from `offset` (0-based) on.
    #[must_use]
    pub fn rows(&self, offset: u64, limit: usize) -> Vec<BoardRow> {
        let Ok(at) = usize::try_from(offset) else { return Vec::new() };
        let left = usize::try_from(self.total().saturating_sub(offset)).unwrap_or(usize::MAX);
        let limit = limit.min(left);
        if limit == 0 {
            return Vec::new();
        }
        match &self.source {
            Source::Nothing => Vec::new(),
            Source::Reading(reading) => self.join(offset, &reading.tallies(at, limit)),
            Source::Copied(tallies) => {
                self.join(offset, tallies.get(at..at + limit).unwrap_or_default())
            }
        }
    }

    /// The row of one user.
    #[must_use]
    pub fn row_of(&self, user: UserId) -> Option<BoardRow> {
        let (rank, tally) = match &self.source {
            Source::Nothing => None,
            Source::Reading(reading) => reading.rank_of(user.0),
            Source::Copied(tallies) => {
                (1..).zip(tallies).find(|(_, tally)| tally.user == user.0).map(|(r, t)| (r, *t))
            }
        }?;
        self.join(rank - 1, &[tally]).pop()
    }

    fn join(&self, offset: u64, tallies: &[rankd_activity::Tally]) -> Vec<BoardRow> {
        join(&self.tree, self.org, offset, tallies)
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
