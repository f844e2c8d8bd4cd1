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

/// `user:0` to `user:{count - 1}`, each as its bytes.
#[must_use]
pub fn members(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("user:{number}").into_bytes()).collect()
}
