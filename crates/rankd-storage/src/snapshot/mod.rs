//! Snapshots: one cut across all boards in one file.
//!
//! `block` is the byte layout, `write` makes a file from a cut, `read` checks and reads one,
//! `payload` is a block unpacked, `load` fills a state from it, `desk` collects requests, `keeper`
//! is the thread that serves them and removes what is not needed any more.

pub(crate) mod block;
pub(crate) mod desk;
pub(crate) mod keeper;
pub(crate) mod load;
pub(crate) mod payload;
pub(crate) mod read;
pub(crate) mod write;
