//! Every limit of the engine, in one place. A front end may be stricter, never laxer.

/// Longest board or member name, in bytes. (HTTP narrows it to 512 bytes of UTF-8.)
pub const NAME_BYTES_MAX: usize = 64 * 1024 - 1;
/// Longest display name of a member, in bytes of UTF-8.
pub const LABEL_BYTES_MAX: usize = 512;
/// Most intents in one batch. One batch is one log record and one turn under the boards' locks.
pub const BATCH_INTENTS_MAX: usize = 10_000;
/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Most idempotency keys remembered at a time; beyond it keyed writes are refused.
pub const IDEMPOTENCY_KEYS_MAX: usize = 1_000_000;
/// Most rejected intents remembered with idempotency keys, of all keys together; beyond it keyed
/// writes are refused. Each takes some 60 bytes, so this bounds them to 256 MB.
pub const IDEMPOTENCY_REJECTIONS_MAX: usize = 4_000_000;
/// How long an idempotency key is remembered, in milliseconds (24 hours).
pub const IDEMPOTENCY_HORIZON_MS: i64 = 24 * 60 * 60 * 1000;
/// Longest string, and longest value of a hash's field, of the Redis protocol, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Most bytes of changes that the operations of one turn over keys may add that are not bounded by
/// what was sent, such as the result of a union.
pub const TURN_BULK_BYTES_MAX: u64 = 28 << 20;
/// Most strings, hashes and sets in one store.
pub const VALUES_MAX: usize = 50_000_000;
/// Most boards in one store.
pub const BOARDS_MAX: usize = 50_000_000;
/// Most entries that one read returns.
pub const PAGE_ENTRIES_MAX: usize = 1000;
/// Most members whose ranks one call may ask for.
pub const RANKS_MEMBERS_MAX: usize = 10_000;
/// Earliest accepted time of an event: 0001-01-01T00:00:00Z in milliseconds since 1970.
pub const AT_MS_MIN: i64 = -62_135_596_800_000;
/// Latest accepted time of an event: 9999-12-31T23:59:59.999Z in milliseconds since 1970.
pub const AT_MS_MAX: i64 = 253_402_300_799_999;

const _: () = assert!(LABEL_BYTES_MAX <= NAME_BYTES_MAX);
const _: () = assert!(RANKS_MEMBERS_MAX <= BATCH_INTENTS_MAX);
