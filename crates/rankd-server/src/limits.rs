//! Every limit of the HTTP front end, in one place, with its unit in its name. The engine has
//! limits of its own; what is here is never laxer.

/// Most connections at a time that may be configured; one more is told so and closed.
pub const CONNECTIONS_MAX: usize = 100_000;
/// Most connections at a time unless configured.
pub const CONNECTIONS_DEFAULT: usize = 10_000;
/// Most requests being answered at a time that may be configured; one more is 503 `overloaded`.
pub const REQUESTS_MAX: usize = 1_000_000;
/// Most requests being answered at a time unless configured.
pub const REQUESTS_DEFAULT: usize = 20_000;
/// Most refused connections that are being told so at a time; beyond it they are just closed.
pub const REFUSALS_MAX: usize = 64;
/// How long a refused connection may take to read its refusal, in milliseconds.
pub const REFUSAL_MS_MAX: u64 = 1_000;
/// Most concurrent requests on one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// Largest request head (request line and headers), in bytes.
pub const HEAD_BYTES_MAX: u32 = 64 * 1024;
/// Longest request target (path and query), in bytes.
pub const URI_BYTES_MAX: usize = 32 * 1024;
/// Most of a path, or of a method, that a line of the log shows, in characters.
pub const LOGGED_PATH_CHARS_MAX: usize = 256;
/// Most bytes of a refused request's body that are read and thrown away, so that a client which
/// sends all of it before it reads gets the refusal. More than that is answered at once.
pub const DISCARDED_BYTES_MAX: usize = 2 * BULK_BODY_BYTES_MAX;
/// Longest pause of a client whose refused body is being thrown away, in milliseconds; one that
/// falls silent rather waits for its answer.
pub const DISCARD_PAUSE_MS_MAX: u64 = 1_000;
/// Most of a connection's requests that wait to be answered in the lane, in bytes; a longer request
/// is hyper's.
pub const LANE_INPUT_BYTES_MAX: usize = 16 * 1024;
/// Replies that are sent before more are written, in bytes.
pub const LANE_OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// How long the lane waits for a body whose head is there, in milliseconds; then it is hyper's.
pub const LANE_BODY_MS_MAX: u64 = 50;
/// Longest time for a TLS handshake, in milliseconds.
pub const TLS_HANDSHAKE_MS_MAX: u64 = 10_000;
/// Largest file of certificates or of a TLS key, in bytes.
pub const TLS_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Largest body of a request that names one thing, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Largest body of a bulk request, in bytes.
pub const BULK_BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most bodies up to [`BODY_BYTES_MAX`] in memory at a time (256 MiB).
pub const BODIES_MAX: usize = 4096;
/// Most larger bodies in memory at a time (256 MiB).
pub const BULK_BODIES_MAX: usize = 16;
/// Longest board or member name over HTTP, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 512;
/// Most rows of one bulk write.
pub const BATCH_ROWS_MAX: usize = rankd_engine::limits::BATCH_INTENTS_MAX;
/// Most members of one bulk read.
pub const RANKS_MEMBERS_MAX: usize = rankd_engine::limits::RANKS_MEMBERS_MAX;
/// Most entries of one page.
pub const PAGE_ENTRIES_MAX: usize = rankd_engine::limits::PAGE_ENTRIES_MAX;
/// Most neighbours on either side.
pub const RADIUS_MAX: usize = 500;
/// Most boards that one request reads a member's ranks from.
pub const BOARDS_PER_READ_MAX: usize = 100;
/// Longest wait for running requests at shutdown, in milliseconds.
pub const DRAIN_MS_MAX: u64 = 10_000;
/// Largest body of a request to one of the published APIs, in bytes.
pub const SURFACE_BODY_BYTES_MAX: usize = 64 * 1024;
/// Largest body of a report of activities, in bytes.
pub const ACTIVITIES_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most rows of one bulk request about organisations.
pub const ORG_ROWS_MAX: usize = rankd_orgs::limits::BATCH_INTENTS_MAX;
/// Most questions to organisations that are being worked on at a time; more wait for their turn.
pub const QUESTIONS_MAX: usize = 64;
/// How long a window of a rate limit lasts, in milliseconds.
pub const RATE_WINDOW_MS: i64 = 60_000;
/// Most credentials whose rate is remembered.
pub const RATE_ENTRIES_MAX: usize = 100_000;
/// Requests that a token of the Wintro surface may make a window.
pub const WINTRO_REQUESTS_MAX: u32 = 100;
/// Most entries, or months, of one page of the Wintro surface.
pub const WINTRO_PAGE_ENTRIES_MAX: u64 = 50;
/// Longest look back of the Wintro surface, in days.
pub const WINTRO_PERIOD_DAYS_MAX: u64 = 3650;
/// Longest id of a vacancy, in characters.
pub const VACANCY_ID_CHARS_MAX: usize = 64;
/// Shortest key of the operator, in bytes.
pub const ADMIN_KEY_BYTES_MIN: usize = 16;
/// Longest secret that may be given for a credential, in bytes.
pub const SECRET_BYTES_MAX: usize = 512;
/// Shortest bearer secret that may be given, in bytes: it is all that a client shows.
pub const BEARER_BYTES_MIN: usize = 16;
/// Longest time that may be configured for reading a head or a body, for taking in replies, and for
/// being idle, in milliseconds.
pub const WAIT_MS_MAX: u64 = 600_000;
/// Largest file of board keys, in bytes.
pub const KEY_FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Most board keys.
pub const KEYS_MAX: usize = 10_000;
/// Longest id of a board key, in bytes.
pub const KEY_ID_BYTES_MAX: usize = 64;
/// Most prefixes of board names in one board key.
pub const KEY_BOARDS_MAX: usize = 100;
/// Longest time that may be configured for a request to count as a slow one, in milliseconds.
pub const SLOW_MS_MAX: u64 = 600_000;
/// Most slow requests that the log shows a second; the next line says how many were left out.
pub const SLOW_LINES_PER_S_MAX: u32 = 10;
/// Time between two rounds of keeping boards of windows up to date, in milliseconds.
pub const UPKEEP_MS: u64 = 200;

const _: () = assert!(NAME_BYTES_MAX <= rankd_engine::limits::NAME_BYTES_MAX);
const _: () = assert!(2 * RADIUS_MAX < PAGE_ENTRIES_MAX + 1);
const _: () = assert!(BODY_BYTES_MAX <= BULK_BODY_BYTES_MAX);
// A body of a published API counts as a small one.
const _: () = assert!(SURFACE_BODY_BYTES_MAX <= BODY_BYTES_MAX);
