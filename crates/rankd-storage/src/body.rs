//! Bodies of log records and snapshot items: the one file that knows `bincode`.
//!
//! It is never given bytes whose checksum was not good, and never network input. Fixed-width
//! little-endian integers, a byte limit, nothing left over. Cost: O(bytes); a length inside a
//! body is checked against the bytes that are left before anything is allocated for it.

use std::ops::Range;

use bincode::Options;
use rankd_engine::{Change, RowRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};

use crate::error::Damage;
use crate::limits::{BLOCK_BYTES_MAX, RECORD_BYTES_MAX};

/// Length of the length that a row's member begins with.
const ROW_LENGTH_BYTES: usize = 8;
/// Bytes of the shortest row: no name, a score and no time.
pub(crate) const ROW_BYTES_MIN: usize = ROW_LENGTH_BYTES + 4 + 8 + 1;

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

/// How many bytes this takes in a record or an item.
fn encoded_bytes<T: Serialize>(part: &T) -> u64 {
    let size = bincode::DefaultOptions::new().with_fixint_encoding().serialized_size(part);
    size.expect("without a limit, and every list knows its length")
}

/// Takes one snapshot item off the front of `bytes`.
///
/// # Errors
/// If the bytes do not begin with such an item.
pub(crate) fn decode_item<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, Damage> {
    options(BLOCK_BYTES_MAX).allow_trailing_bytes().deserialize_from(bytes).map_err(unfit)
}

/// Reads the member's row that `bytes` begin with, without copying the member. Returns the row,
/// where its member lies in `bytes`, and how many bytes the row takes.
///
/// # Errors
/// If the bytes do not begin with a row.
pub(crate) fn decode_row(bytes: &[u8]) -> Result<(RowRef<'_>, Range<usize>, usize), Damage> {
    let options = options(BLOCK_BYTES_MAX).allow_trailing_bytes();
    let mut decoder = bincode::Deserializer::from_slice(bytes, options);
    let row = RowRef::deserialize(&mut decoder).map_err(unfit)?;
    let taken = usize::try_from(encoded_bytes(&row)).expect("it is within a block");
    let end = ROW_LENGTH_BYTES + row.member.len();
    Ok((row, ROW_LENGTH_BYTES..end, taken))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn unfit(error: bincode::Error) -> Damage {
    Damage::Body(error.to_string())
}

#[cfg(test)]
mod tests {
    use rankd_engine::{
        BoardId, Definition, KeptOutcomes, KeyMemory, MemberRow, Name, Outcome, Placed, Rejection,
        Score, ScoreError,
    };

    use super::*;

    /// Bytes by the format page: numbers of 4, 8 and 8 bytes.
    fn u32s(number: u32) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    fn u64s(number: u64) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    fn floats(number: f64) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    fn assert_bytes(outcomes: KeptOutcomes, expected: &[Vec<u8>]) {
        let memory = KeyMemory { digest: [7; 16], accepted_ms: 9, outcomes };
        let changes = vec![Change::KeyRemembered { key: b"k".as_slice().into(), memory }];
        let mut bytes = Vec::new();
        encode_changes(&changes, &mut bytes).expect("short");
        let key = [u64s(1), u32s(5), u64s(1), b"k".to_vec(), vec![7; 16], u64s(9)].concat();
        assert_eq!(bytes, [key, expected.concat()].concat(), "{changes:?}");
        assert_eq!(decode_changes(&bytes), Ok(changes));
    }

    #[test]
    fn every_outcome_of_a_key_is_laid_out_as_the_format_page_says() {
        let placed = |rank| Placed { score: Score::Integer(-1), rank };
        let placed_bytes = |rank| [u32s(0), vec![0xff; 8], u64s(rank)].concat();
        let (current, previous) = (placed(2), Some(placed(3)));
        let table = [
            (Outcome::Created { board: BoardId(4) }, vec![u32s(0), u64s(4)]),
            (Outcome::Existed { board: BoardId(4) }, vec![u32s(1), u64s(4)]),
            (Outcome::Deleted, vec![u32s(2)]),
            (
                Outcome::Written { current, previous, changed: true },
                vec![u32s(3), placed_bytes(2), vec![1], placed_bytes(3), vec![1]],
            ),
            (
                Outcome::Written { current, previous: None, changed: false },
                vec![u32s(3), placed_bytes(2), vec![0], vec![0]],
            ),
            (Outcome::Removed, vec![u32s(4)]),
            (Outcome::Labelled, vec![u32s(5)]),
            (Outcome::LabelKept, vec![u32s(7)]),
            (Outcome::Rejected(Rejection::UnknownBoard), vec![u32s(6), u32s(0)]),
        ];
        for (outcome, expected) in table {
            assert_bytes(KeptOutcomes::One(Box::new(outcome)), &[vec![u32s(0)], expected].concat());
        }
    }

    #[test]
    fn a_row_is_read_in_place_as_it_is_read_into_memory() {
        let member: Name = b"ada".as_slice().into();
        for (score, at_ms) in [(Score::Integer(-3), None), (Score::Float(0.5), Some(-9))] {
            let row = MemberRow { member: member.clone(), score, at_ms };
            let mut bytes = Vec::new();
            encode_item(&row, &mut bytes).expect("short");
            let whole = bytes.len();
            bytes.extend_from_slice(b"the next row");
            let (found, place, taken) = decode_row(&bytes).expect("a row");
            assert_eq!((found, taken), (row.as_ref(), whole));
            assert_eq!(bytes.get(place), Some(b"ada".as_slice()));
            for short in 0..whole {
                assert!(decode_row(&bytes[..short]).is_err(), "{short} bytes of {whole}");
            }
        }
    }

    #[test]
    fn every_rejection_of_a_key_is_laid_out_as_the_format_page_says() {
        let overflow = ScoreError::Overflow(Score::Integer(1), Score::Float(0.5));
        let limits = Rejection::OutOfLimits { what: "at".into(), value: 5, min: 1, max: 2 };
        // Of the default definition: descending, integer, latest, earliest; and `keep_at`.
        let definition = [u32s(0), u32s(0), u32s(0), u32s(0), vec![1]].concat();
        let table = [
            (Rejection::UnknownBoard, vec![u32s(0)]),
            (Rejection::UnknownMember, vec![u32s(1)]),
            (Rejection::DefinitionDiffers(Definition::default()), vec![u32s(2), definition]),
            (Rejection::Score(ScoreError::NotANumber), vec![u32s(3), u32s(0)]),
            (Rejection::Score(ScoreError::NotAnInteger(0.5)), vec![u32s(3), u32s(1), floats(0.5)]),
            (Rejection::Score(ScoreError::OutOfRange(1e19)), vec![u32s(3), u32s(2), floats(1e19)]),
            (
                Rejection::Score(overflow),
                vec![u32s(3), u32s(3), u32s(0), u64s(1), u32s(1), floats(0.5)],
            ),
            (limits, vec![u32s(4), u64s(2), b"at".to_vec(), u64s(5), u64s(1), u64s(2)]),
            (Rejection::TooManyBoards(8), vec![u32s(5), u64s(8)]),
            (Rejection::NameTaken, vec![u32s(6)]),
        ];
        for (rejection, expected) in table {
            let outcomes =
                KeptOutcomes::Many { applied: 1, unchanged: 2, rejected: vec![(3, rejection)] };
            let head = vec![u32s(1), u32s(1), u32s(2), u64s(1), u32s(3)];
            assert_bytes(outcomes, &[head, expected].concat());
        }
    }
}
