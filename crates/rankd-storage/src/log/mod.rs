//! The log: records in segments, chained by their checksums.
//!
//! `record` is the byte layout, `reader` reads a segment, `tail` tells a torn
//! write from damage, `group` encodes what is written together, `active` is the segment that grows,
//! `queue` is where batches wait, and `writer` is the thread that empties it.

pub(crate) mod active;
pub(crate) mod group;
pub(crate) mod queue;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod tail;
pub(crate) mod waiters;
pub(crate) mod writer;
