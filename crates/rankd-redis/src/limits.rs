//! Every limit of the Redis store, in one place.

/// Most partitions of one store. The number of a partition is part of every board's id.
pub const PARTITIONS_MAX: u16 = 1024;
/// Partitions unless the URL says otherwise.
pub const PARTITIONS_DEFAULT: u16 = 64;
/// Intents of several batches that are sent to Redis in one call. A larger batch goes alone.
pub const CALL_INTENTS_MAX: usize = 256;
/// Most bytes of keys and arguments in one call.
pub const CALL_BYTES_MAX: usize = 64 << 20;
/// Batches that may wait for one partition; beyond it, writes are refused.
pub const QUEUE_BATCHES_MAX: usize = 10_000;
/// Entries that a partition's stream keeps unless the URL says otherwise.
pub const STREAM_ENTRIES_DEFAULT: u64 = 100_000;
/// Fewest entries that a partition's stream may be told to keep.
pub const STREAM_ENTRIES_MIN: u64 = 16;
/// Mebibytes of changes that a partition's stream keeps at most, unless the URL says otherwise.
pub const STREAM_MIB_DEFAULT: u64 = 64;
/// Most mebibytes of changes that a partition's stream may be told to keep.
pub const STREAM_MIB_MAX: u64 = 64 << 10;
/// Most entries that one read of the stream returns.
pub const READ_ENTRIES_MAX: usize = 512;
/// Entries that a node's first read of the stream asks for.
pub const READ_ENTRIES_FIRST: usize = 16;
/// About how many bytes of changes one read of the stream should return.
pub const READ_BYTES: usize = 4 << 20;
/// Members that one step of a scan asks for.
pub const SCAN_COUNT: usize = 1_000;
/// Longest prefix of this store's keys, in bytes.
pub const PREFIX_BYTES_MAX: usize = 64;
/// How long Redis may take for an answer unless the URL says otherwise, in milliseconds.
pub const TIMEOUT_MS_DEFAULT: u64 = 2_000;
/// Age of the newest news from Redis at which a node stops being ready, in milliseconds.
pub const STALENESS_MS_DEFAULT: u64 = 5_000;
/// Age of the newest news from Redis from which on reads say how old they are, in milliseconds.
pub const STALENESS_SHOWN_MS_MIN: u64 = 1_000;
/// How long a read of the stream waits for something new, in milliseconds. Every time it ends
/// without news, the head of the partition is compared with what the node knows.
pub const BLOCK_MS: u64 = 400;
/// How often a node asks which server is the primary, in milliseconds (Sentinel).
pub const TOPOLOGY_MS: u64 = 500;
/// Longest time that one Sentinel may take, in milliseconds.
pub const SENTINEL_MS_MAX: u64 = 300;
/// Nonces that a node remembers for each partition, to tell a token from the lost one that had
/// its sequence.
pub const NONCES_MAX: usize = 4_096;
/// How often a node keeps a copy of its memory, in milliseconds.
pub const COPY_MS: u64 = 600_000;
/// Most tokens that the stream is asked for at one time.
pub const LOOKUPS_MAX: usize = 4;
/// Most tasks that scan partitions at one time.
pub const SCANS_MAX: usize = 8;

const _: () = assert!(READ_ENTRIES_MAX <= NONCES_MAX);
const _: () = assert!(BLOCK_MS < STALENESS_SHOWN_MS_MIN);
