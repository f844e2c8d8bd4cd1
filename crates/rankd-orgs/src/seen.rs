//! Which activity ids an organisation has seen, for ever.
//!
//! What it is: a set of 128-bit fingerprints: the first half of the SHA-256 of the id. What it is
//! not: a place to get an id back from. A keyed hash would be shorter to compute, but its key would
//! have to be stored and kept secret, as whoever knows it can make ids that collide; SHA-256 needs
//! no key. Two different ids collide by chance with a probability below 10^-20 among a thousand
//! million, and finding two on purpose takes 2^64 attempts.
//!
//! Invariant: what was inserted stays. Cost: 16 bytes and one hash-table entry (5 to 10 bytes) an
//! id; a copy clones one `Arc` for 1024 ids.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};

use crate::chunks::Chunks;
use crate::positions::Positions;

/// Fingerprint of an activity's id.
pub(crate) fn fingerprint(id: &str) -> u128 {
    let digest = Sha256::digest(id.as_bytes());
    let (half, _) = digest.split_first_chunk::<16>().expect("32 bytes");
    u128::from_le_bytes(*half)
}

/// A set of fingerprints.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    prints: Chunks<u128>,
    positions: Positions,
    // Seeded: whoever can choose ids must not be able to choose their places in the tables.
    hasher: RandomState,
}

impl Seen {
    pub(crate) fn len(&self) -> u64 {
        self.prints.len() as u64
    }

    pub(crate) fn contains(&self, print: u128) -> bool {
        let is = |at: u32| self.prints.get(at as usize) == Some(&print);
        self.positions.find(self.hasher.hash_one(print), is).is_some()
    }

    /// Inserts a fingerprint; false if it is known.
    pub(crate) fn insert(&mut self, print: u128) -> bool {
        if self.contains(print) {
            return false;
        }
        let at = u32::try_from(self.prints.push(print)).expect("fewer activities than 2^32");
        let (prints, hasher) = (&self.prints, &self.hasher);
        self.positions.insert(self.hasher.hash_one(print), at, |at| {
            hasher.hash_one(prints.get(at as usize).expect("positions lead to fingerprints"))
        });
        true
    }

    /// The fingerprints as they are now.
    pub(crate) fn freeze(&self) -> Chunks<u128> {
        self.prints.clone()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.prints.bytes() + self.positions.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_the_first_half_of_sha_256() {
        // FIPS 180-2, appendix B.1: SHA-256("abc") = ba7816bf 8f01cfea 414140de 5dae2223 ...
        let expected = 0xba78_16bf_8f01_cfea_4141_40de_5dae_2223_u128;
        assert_eq!(fingerprint("abc").swap_bytes(), expected);
    }

    #[test]
    fn an_id_is_new_once() {
        let mut seen = Seen::default();
        for round in 0..2 {
            for number in 0..50_000 {
                assert_eq!(seen.insert(fingerprint(&format!("a-{number}"))), round == 0);
            }
        }
        assert_eq!(seen.len(), 50_000);
        assert!(!seen.contains(fingerprint("a-50000")));
    }
}
