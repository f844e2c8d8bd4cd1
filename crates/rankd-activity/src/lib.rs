//! Activities of one organisation in columns, and ranked windows over them.
//!
//! [`Ledger`] takes rows, each worth something to one user at one millisecond, in any order of
//! times. It answers who leads in any window of time, filtered or not; in calendar months; and what
//! happened when.
//!
//! What it is not: it does no I/O, reads no clock and knows nothing of organisations, profiles or
//! scoring rules. Invariant: every answer is exact, for the version of the ledger at which it was
//! asked; windows, caches and rolling boards all give the same one.

mod block;
mod cells;
mod column;
mod day;
mod freeze;
mod hot;
mod ledger;
mod live;
mod memory;
mod merge;
mod months;
mod order;
mod postings;
mod row;
mod select;
mod standings;
mod sum;
mod tail;
mod tiers;
mod time;
mod timeline;
mod users;
mod window;

pub use freeze::FrozenLedger;
pub use hot::{
    Ask, CACHE_ENTRIES_MAX, HotBoards, HotOptions, LedgerAccess, ROLLING_BOARDS_MAX, Reading,
};
pub use ledger::Ledger;
pub use live::{LiveBoard, LiveEntry, LiveError};
pub use memory::Memory;
pub use merge::{MergeJob, Merged};
pub use months::{MONTH_TOP_MAX, MonthsView};
pub use row::{
    AMOUNT_MAX, AT_MS_MAX, AT_MS_MIN, BatchError, Counts, KINDS_MAX, KindId, KindTraits, Measure,
    ROWS_MAX, Row, RowError, Tally, TooManyKinds, USERS_MAX, Window,
};
pub use standings::Standings;
pub use time::Month;
pub use timeline::{RowOrder, RowPage, RowQuery, RowsView};
pub use window::WindowView;
