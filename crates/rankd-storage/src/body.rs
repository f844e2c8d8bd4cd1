//! Bodies of log records and snapshot items: the one file that knows `bincode`.
//!
//! It is never given bytes whose checksum was not good, and never network input. Fixed-width
//! little-endian integers, a byte limit, nothing left over. Cost: O(bytes); a length inside a
//! body is checked against the bytes that are left before anything is allocated for it.

use bincode::Options;
use rankd_engine::Change;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Damage;
use crate::limits::{BLOCK_BYTES_MAX, RECORD_BYTES_MAX};

fn options(bytes_max: u32) -> impl Options {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_little_endian()
        .with_limit(u64::from(bytes_max))
}

/// Appends the body of a record to `out`.
///
/// # Errors
/// If it is longer than [`RECORD_BYTES_MAX`]; `out` may then end in a part of it.
pub(crate) fn encode_changes(changes: &[Change], out: &mut Vec<u8>) -> Result<(), Damage> {
    options(RECORD_BYTES_MAX).serialize_into(out, changes).map_err(unfit)
}

/// The changes of a record's body.
///
/// # Errors
/// If the bytes are not exactly such a body.
pub(crate) fn decode_changes(bytes: &[u8]) -> Result<Vec<Change>, Damage> {
    options(RECORD_BYTES_MAX).reject_trailing_bytes().deserialize(bytes).map_err(unfit)
}

/// Appends one snapshot item to `out`.
///
/// # Errors
/// If it is longer than [`BLOCK_BYTES_MAX`].
pub(crate) fn encode_item<T: Serialize>(item: &T, out: &mut Vec<u8>) -> Result<(), Damage> {
    options(BLOCK_BYTES_MAX).serialize_into(out, item).map_err(unfit)
}

/// Takes one snapshot item off the front of `bytes`.
///
/// # Errors
/// If the bytes do not begin with such an item.
pub(crate) fn decode_item<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, Damage> {
    options(BLOCK_BYTES_MAX).allow_trailing_bytes().deserialize_from(bytes).map_err(unfit)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn unfit(error: bincode::Error) -> Damage {
    Damage::Body(error.to_string())
}
