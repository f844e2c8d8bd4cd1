//! Data that the benches share: the same members and scores for every structure measured.
//!
//! Scores have about four members each, as boards of real games do; the numbers come from a fixed
//! sequence, so two runs measure the same work.

/// A sequence of well-mixed numbers (`SplitMix64`, Steele, Lea and Flood 2014), the same for the
/// same seed.
#[derive(Debug, Clone)]
pub struct Sequence(u64);

impl Sequence {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the high half is below `end`")]
        {
            ((u128::from(self.next_u64()) * end as u128) >> 64) as usize
        }
    }
}

/// A member id of at most 15 bytes, held in place: reading a list of them in order streams, so a
/// bench measures the structure and not the fetching of its questions.
#[derive(Debug, Clone, Copy)]
pub struct Id {
    bytes: [u8; 15],
    len: u8,
}

impl AsRef<[u8]> for Id {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Id {
    /// `user:{number}`.
    ///
    /// # Panics
    /// If that is longer than 15 bytes.
    #[must_use]
    pub fn user(number: usize) -> Self {
        let text = format!("user:{number}");
        let mut bytes = [0; 15];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self { bytes, len: u8::try_from(text.len()).expect("at most 15 bytes") }
    }
}

/// The ids 0 to `count - 1` in an order without a pattern.
#[must_use]
pub fn shuffled_ids(count: usize, seed: u64) -> Vec<Id> {
    let mut ids: Vec<_> = (0..count).map(Id::user).collect();
    let mut numbers = Sequence::new(seed);
    for end in (2..=count).rev() {
        ids.swap(end - 1, numbers.below(end));
    }
    ids
}
