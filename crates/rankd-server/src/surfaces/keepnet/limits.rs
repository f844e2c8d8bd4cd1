//! Every limit of this API, in one place.

/// Most rows of one page.
pub(super) const PAGE_ROWS_MAX: u64 = 1000;
/// Largest page number.
pub(super) const PAGE_NUMBER_MAX: u64 = i32::MAX as u64;
/// Most rows of an answer that nobody asked to be paged.
pub(super) const UNPAGED_ROWS_MAX: usize = 100_000;
/// Rows of a page whose size is not given, on boards.
pub(super) const BOARD_PAGE_ROWS: u64 = 10;
/// Rows of a page whose size is not given, in timelines.
pub(super) const TIMELINE_PAGE_ROWS: u64 = 25;
/// Rows of the top performers.
pub(super) const TOP_ROWS_MAX: usize = 3;
/// Most items of a filter, over all of its groups.
pub(super) const FILTER_ITEMS_MAX: usize = 50;
/// Deepest nesting of a filter's groups.
pub(super) const FILTER_DEPTH_MAX: usize = 3;
/// Longest company id, in characters.
pub(super) const COMPANY_ID_CHARS_MAX: usize = 64;
/// Most problems that one answer names.
pub(super) const PROBLEMS_MAX: usize = 100;
/// Most answers at a time that hold a whole board or an unpaged list in memory.
pub(super) const WHOLE_BOARDS_MAX: usize = 4;
/// Rows read from a board at a time when all of it is looked through.
pub(super) const SCAN_ROWS: usize = 4096;
/// Lifetime of an access token, in seconds.
pub(super) const TOKEN_TTL_S: u32 = 3600;
