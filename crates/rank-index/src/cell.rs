//! A member in a slot of a leaf: as its bytes themselves, or as where they are.
//!
//! What it is not: an owner; a long member's bytes belong to `Names`. Invariant: two cells of one
//! index hold the same member exactly when their words are equal (short) or their names' bytes are
//! (long). Cost: short members compare as one 128-bit number, long ones by their bytes.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use crate::names::{Handle, Names};

/// Bytes of the longest member that lives in its cell.
pub(crate) const INLINE_BYTES_MAX: usize = 15;
/// Last byte of a long member's cell; a short one has its length there.
const LONG: u8 = 0xFF;
/// Leading bytes that a long member's cell keeps.
const PREFIX_BYTES: usize = 2;

/// What the members of an index are: [`AnyBytes`] or [`EightBytes`]. Nothing else can be.
pub trait Member: Cell {}

/// Byte strings of up to [`MEMBER_BYTES_MAX`](crate::MEMBER_BYTES_MAX) bytes, in 16 bytes of a
/// leaf: up to 15 live there, of longer ones a handle does.
//
// Short: bytes, zeros, length. Long: prefix (2), class (1), index (4), hash (8), 0xFF.
#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
pub struct AnyBytes([u8; 16]);

/// Members of exactly eight bytes, such as big-endian integers, in eight bytes of a leaf.
#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
pub struct EightBytes([u8; 8]);

impl Member for AnyBytes {}
impl Member for EightBytes {}

/// A member that is looked for, in the form in which it is compared.
#[derive(Clone, Copy, Debug)]
pub struct Needle<'a> {
    bytes: &'a [u8],
    /// What a short member's cell reads as; for a long one its prefix, zeros and 0xFF.
    word: u128,
}

impl<'a> Needle<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let word = if bytes.len() <= INLINE_BYTES_MAX {
            inline_word(bytes)
        } else {
            let prefix = u16::from_be_bytes([bytes[0], bytes[1]]);
            u128::from(prefix) << (128 - 8 * PREFIX_BYTES) | u128::from(LONG)
        };
        Self { bytes, word }
    }

    fn is_long(&self) -> bool {
        is_long(self.word)
    }
}

/// How a member is kept in a leaf.
pub trait Cell: Copy + Debug + Send + Sync + 'static {
    /// What an unused slot holds.
    const EMPTY: Self;
    /// Bytes that every member must have, where all have the same.
    const FIXED_BYTES: Option<usize>;

    /// Makes a cell for `needle`, storing its bytes in `names` when they are too long for it.
    fn store(needle: &Needle<'_>, hash: u64, names: &mut Names) -> Self;

    /// The member's bytes.
    fn bytes<'a>(&'a self, names: &'a Names) -> &'a [u8];

    /// Where a long member's bytes are.
    fn handle(&self) -> Option<Handle>;

    /// What the needle of a short member reads as.
    fn word(&self) -> u128;

    /// The hash that a long member was stored with.
    fn stored_hash(&self) -> u64;

    /// Whether this is the member `needle`, whose hash is `hash`.
    #[inline]
    fn matches(&self, needle: &Needle<'_>, hash: u64, names: &Names) -> bool {
        if needle.is_long() {
            self.matches_long(needle.bytes, hash, names)
        } else {
            self.word() == needle.word
        }
    }

    #[inline(never)]
    fn matches_long(&self, bytes: &[u8], hash: u64, names: &Names) -> bool {
        self.handle().is_some_and(|handle| self.stored_hash() == hash && names.get(handle) == bytes)
    }

    /// Whether both cells hold the same member.
    fn same_member(&self, other: &Self, names: &Names) -> bool {
        match (self.handle(), other.handle()) {
            (Some(one), Some(two)) => names.get(one) == names.get(two),
            (None, None) => self.word() == other.word(),
            _ => false,
        }
    }

    /// Order of this member's bytes and the needle's.
    #[inline]
    fn order(&self, needle: &Needle<'_>, names: &Names) -> Ordering {
        let word = self.word();
        if !is_long(word) && !needle.is_long() {
            return word.cmp(&needle.word);
        }
        prefix(word).cmp(&prefix(needle.word)).then_with(|| self.bytes(names).cmp(needle.bytes))
    }
}

impl Cell for AnyBytes {
    const EMPTY: Self = Self([0; 16]);
    const FIXED_BYTES: Option<usize> = None;

    fn store(needle: &Needle<'_>, hash: u64, names: &mut Names) -> Self {
        let mut cell = Self(needle.word.to_be_bytes());
        if needle.is_long() {
            let handle = names.store(needle.bytes);
            cell.0[2] = handle.class;
            cell.0[3..7].copy_from_slice(&handle.index.to_le_bytes());
            cell.0[7..15].copy_from_slice(&hash.to_le_bytes());
        }
        cell
    }

    fn bytes<'a>(&'a self, names: &'a Names) -> &'a [u8] {
        match self.handle() {
            Some(handle) => names.get(handle),
            None => &self.0[..usize::from(self.0[15])],
        }
    }

    #[inline]
    fn handle(&self) -> Option<Handle> {
        let c = &self.0;
        (c[15] == LONG)
            .then(|| Handle { class: c[2], index: u32::from_le_bytes([c[3], c[4], c[5], c[6]]) })
    }

    #[inline]
    fn word(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    fn stored_hash(&self) -> u64 {
        let c = &self.0;
        u64::from_le_bytes([c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14]])
    }
}

/// The word has the length of the member behind its bytes, as that of any short member.
impl Cell for EightBytes {
    const EMPTY: Self = Self([0; 8]);
    const FIXED_BYTES: Option<usize> = Some(8);

    fn store(needle: &Needle<'_>, _hash: u64, _names: &mut Names) -> Self {
        Self(needle.bytes.try_into().expect("the index takes members of eight bytes only"))
    }

    fn bytes<'a>(&'a self, _names: &'a Names) -> &'a [u8] {
        &self.0
    }

    #[inline]
    fn handle(&self) -> Option<Handle> {
        None
    }

    #[inline]
    fn word(&self) -> u128 {
        u128::from(u64::from_be_bytes(self.0)) << 64 | 8
    }

    fn stored_hash(&self) -> u64 {
        unreachable!("members of eight bytes are never long")
    }
}

/// Reads as a number that orders as the bytes do: zeros sort first, and the length settles it.
#[inline]
fn inline_word(bytes: &[u8]) -> u128 {
    let len = bytes.len();
    let text = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(&first), Some(&last)) => {
            // Both loads overlap by 16 - len bytes, which are shifted out of the second.
            let rest = u128::from(u64::from_be_bytes(last)) << (8 * (16 - len));
            u128::from(u64::from_be_bytes(first)) << 64 | rest & u128::from(u64::MAX)
        }
        _ => inline_word_short(bytes),
    };
    text | len as u128
}

/// As [`inline_word`], for fewer than 8 bytes and without the length.
#[inline(never)]
fn inline_word_short(bytes: &[u8]) -> u128 {
    let len = bytes.len();
    let text = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(&first), Some(&last)) => {
            let rest = u64::from(u32::from_be_bytes(last)) << (8 * (8 - len));
            u64::from(u32::from_be_bytes(first)) << 32 | rest & u64::from(u32::MAX)
        }
        _ => bytes.iter().rev().fold(0, |text, &byte| text >> 8 | u64::from(byte) << 56),
    };
    u128::from(text) << 64
}

#[inline]
fn is_long(word: u128) -> bool {
    word & 0xFF == u128::from(LONG)
}

fn prefix(word: u128) -> u128 {
    word >> (128 - 8 * PREFIX_BYTES)
}

/// Hashes members with a seed of the index's own, so that nobody can prepare colliding ones.
#[derive(Clone, Debug)]
pub(crate) struct MemberHasher(SeedableRandomState);

impl MemberHasher {
    pub(crate) fn random() -> Self {
        Self(SeedableRandomState::random())
    }

    pub(crate) fn with_seed(seed: u64) -> Self {
        Self(SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()))
    }

    #[inline]
    pub(crate) fn hash(&self, needle: &Needle<'_>) -> u64 {
        if needle.is_long() { self.hash_bytes(needle.bytes) } else { self.hash_word(needle.word) }
    }

    #[inline]
    fn hash_word(&self, word: u128) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write_u128(word);
        hasher.finish()
    }

    #[inline(never)]
    fn hash_bytes(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    /// The hash of the member in `cell`; the same as that of its bytes.
    #[inline]
    pub(crate) fn hash_cell(&self, cell: &impl Cell) -> u64 {
        let word = cell.word();
        if is_long(word) { cell.stored_hash() } else { self.hash_word(word) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Vec<u8>> {
        let mut samples: Vec<Vec<u8>> = vec![vec![], vec![0], vec![0, 0], vec![255], vec![255; 40]];
        for length in 1..=40_u8 {
            samples.push((1..=length).collect());
            samples.push(vec![b'a'; usize::from(length)]);
            let mut zero_tail = vec![b'a'; usize::from(length)];
            zero_tail.push(0);
            samples.push(zero_tail);
            let mut high_tail = vec![b'a'; usize::from(length)];
            high_tail.push(0xFF);
            samples.push(high_tail);
        }
        samples
    }

    #[test]
    fn cells_order_match_and_hash_as_their_bytes() {
        let hasher = MemberHasher::with_seed(1);
        let samples = samples();
        let mut names = Names::new();
        for left in &samples {
            let needle = Needle::new(left);
            let hash = hasher.hash(&needle);
            let cell = AnyBytes::store(&needle, hash, &mut names);
            assert_eq!(cell.bytes(&names), left);
            assert_eq!(hasher.hash_cell(&cell), hash);
            for right in &samples {
                let other = Needle::new(right);
                assert_eq!(cell.order(&other, &names), left.cmp(right), "{left:?} {right:?}");
                let same = cell.matches(&other, hasher.hash(&other), &names);
                assert_eq!(same, left == right, "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn seeds_decide_hashes() {
        let needle = Needle::new(b"member");
        let one = MemberHasher::with_seed(1).hash(&needle);
        assert_eq!(one, MemberHasher::with_seed(1).hash(&needle));
        assert_ne!(one, MemberHasher::with_seed(2).hash(&needle));
    }
}
