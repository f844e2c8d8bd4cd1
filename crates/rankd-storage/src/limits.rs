//! Every limit of the stores, in one place.

use rankd_engine::limits::{
    BATCH_INTENTS_MAX, IDEMPOTENCY_KEY_BYTES_MAX, NAME_BYTES_MAX, TEXT_BYTES_MAX,
};

/// The format version that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 4;
/// The oldest format version that this build reads.
pub const FORMAT_VERSION_MIN: u32 = 1;
/// The first format version with organisations.
pub const FORMAT_VERSION_ORGS: u32 = 2;
/// The first format version with strings, hashes, sets and ends of keys.
pub const FORMAT_VERSION_VALUES: u32 = 3;
/// Longest body of a log record, in bytes. A batch that could exceed it is refused.
pub const RECORD_BYTES_MAX: u32 = 64 << 20;
/// Most records that are resolved but not yet on disk.
pub const QUEUE_RECORDS_MAX: u32 = 65_536;
/// Most bytes that those records may take.
pub const QUEUE_BYTES_MAX: u32 = 128 << 20;
/// Most turns over keys that one task carries out for others before it lets another go on.
pub const TURNS_TOGETHER_MAX: usize = 64;
/// Changes that such turns make before the log writer is told of them. If it were told only at the
/// end, it and the clients would wait for the turns, and then the turns for them.
pub const CHANGES_UNANNOUNCED_MAX: usize = 200;
/// Size at which a log segment is closed and the next one begun, unless set otherwise.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;
/// Smallest legal segment size, in bytes.
pub const SEGMENT_BYTES_MIN: u64 = 4 << 10;
/// Largest legal segment size, in bytes.
pub const SEGMENT_BYTES_MAX: u64 = 4 << 30;
/// Log bytes since the last snapshot at which the next one is taken, unless set otherwise.
pub const SNAPSHOT_LOG_BYTES_DEFAULT: u64 = 512 << 20;
/// Time from one snapshot to the next that is taken by itself, unless set otherwise, in
/// milliseconds.
pub const SNAPSHOT_INTERVAL_MS_DEFAULT: u64 = 3_600_000;
/// Longest legal such time, in milliseconds.
pub const SNAPSHOT_INTERVAL_MS_MAX: u64 = 31 * 24 * 3_600_000;
/// How often the log is told how far a snapshot is, in milliseconds.
pub const SNAPSHOT_TELL_MS: u64 = 5_000;
/// Longest legal time between two fsyncs of `Durability::Interval`, in milliseconds.
pub const INTERVAL_MS_MAX: u64 = 60_000;
/// A snapshot block is closed when its payload has reached this many bytes.
pub const BLOCK_BYTES_TARGET: usize = 64 << 10;
/// Largest payload of a snapshot block, in bytes, stored or decompressed.
pub const BLOCK_BYTES_MAX: u32 = 4 << 20;
/// Snapshot bytes between two fsyncs of the file that is being written, where its writes wait in
/// memory until then.
pub const SNAPSHOT_SYNC_BYTES: u64 = 1 << 20;
/// Snapshot bytes that are handed over at a time, where they go to the disk at once.
pub const DIRECT_BYTES: usize = 256 << 10;
/// What such writes begin and end at multiples of, in memory and in the file: a page, which is no
/// less than any block of a disk.
pub const DIRECT_ALIGN_BYTES: usize = 4 << 10;
/// Length in bytes from which on a snapshot is loaded by several threads.
pub const LOAD_TOGETHER_BYTES_MIN: u64 = 4 << 20;
/// Most threads that unpack blocks at a start.
pub const LOAD_DECODERS_MAX: usize = 16;
/// Blocks that may wait for each of them, and behind each of them.
pub const LOAD_BLOCKS_AHEAD: usize = 16;
/// Rows that are read from a board in one turn under its lock.
pub const CUT_ROWS_MAX: usize = 512;
/// Good snapshots that stay on disk.
pub const SNAPSHOTS_KEPT: usize = 2;
/// First pause before a failed write is tried again, in milliseconds.
pub const RETRY_MS_MIN: u64 = 100;
/// Longest pause before a failed write is tried again, in milliseconds.
pub const RETRY_MS_MAX: u64 = 5_000;
/// Most findings of one sort that a salvage lists.
pub const SALVAGE_LINES_MAX: usize = 100;
/// Bytes that are read from a file at a time.
pub const READ_BYTES: usize = 256 << 10;
/// Most bytes of buffer that the log writer keeps between two groups.
pub const GROUP_BUFFER_BYTES_KEPT: usize = 8 << 20;
/// Records of the last two groups from which on the writer waits for as many again, under
/// `Durability::Always`.
pub const GROUP_RECORDS_MIN: u64 = 8;
/// Longest such wait, in microseconds; it is no longer than the last fsync either.
pub const GROUP_WAIT_US_MAX: u64 = 500;
/// Upper bound of what one intent adds to a record beside its names, label and key, in bytes.
pub const INTENT_BYTES_MAX: u64 = 256;
/// Upper bound of what one intent about organisations adds to a record beside its changes, of
/// which there are two at most, in bytes.
pub const ORG_INTENT_BYTES_MAX: u64 = 16;

const _: () = assert!(RECORD_BYTES_MAX <= QUEUE_BYTES_MAX);
const _: () = assert!(SEGMENT_BYTES_MIN <= SEGMENT_BYTES_DEFAULT);
const _: () = assert!(SEGMENT_BYTES_DEFAULT <= SEGMENT_BYTES_MAX);
const _: () = assert!(DIRECT_BYTES.is_multiple_of(DIRECT_ALIGN_BYTES));
const _: () = assert!(RETRY_MS_MIN <= RETRY_MS_MAX);
const _: () = assert!(SNAPSHOTS_KEPT == 2, "the pruning rule keeps exactly the older of two");
// One item may be appended to a block that has almost reached its target. The largest item is
// the memory of a batch whose every intent was rejected.
const ITEM_BYTES_MAX: usize =
    NAME_BYTES_MAX + IDEMPOTENCY_KEY_BYTES_MAX + 256 + BATCH_INTENTS_MAX * 128;
const _: () = assert!(BLOCK_BYTES_TARGET + ITEM_BYTES_MAX <= BLOCK_BYTES_MAX as usize);
const _: () =
    assert!(BLOCK_BYTES_TARGET + rankd_orgs::limits::ITEM_BYTES_MAX <= BLOCK_BYTES_MAX as usize);
const _: () = assert!(FORMAT_VERSION_MIN < FORMAT_VERSION_ORGS);
const _: () = assert!(FORMAT_VERSION_ORGS < FORMAT_VERSION_VALUES);
const _: () = assert!(
    BLOCK_BYTES_TARGET + TEXT_BYTES_MAX + 2 * NAME_BYTES_MAX + 64 <= BLOCK_BYTES_MAX as usize
);
