//! Members, scores and questions: the same for every structure that is measured.
//!
//! What it is not: random from run to run; everything follows from seeds. Invariant: members and
//! scores are held in place and without pointers, so that reading a list of them in order streams,
//! and a bench measures the structure and not the fetching of its questions. Cost: a few
//! nanoseconds a number.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use rank_index::{Eight, Key, ScoreKey, ScoreTieKey};

/// Bytes of the longest member that an [`Id`] holds.
pub const ID_BYTES_MAX: usize = 15;
/// Times of events are drawn below this many milliseconds.
const TIMES_END_MS: usize = 1 << 40;

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

    /// Puts the items into an order without a pattern.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (2..=items.len()).rev() {
            items.swap(end - 1, self.below(end));
        }
    }
}

/// A member in the form in which the structures hold it.
pub trait Member: Copy + Ord + Hash + AsRef<[u8]> + 'static {
    /// A key of the index as it is beside such members.
    type Beside<K: Key>: Key;

    /// Comes before every member in use.
    const LEAST: Self;

    /// A key, as it is beside such members.
    fn beside<K: Key>(key: K) -> Self::Beside<K>;

    /// The key that is beside such a member.
    fn key_of<K: Key>(beside: Self::Beside<K>) -> K;

    /// The member of this number.
    fn numbered(number: usize) -> Self;

    /// Appends what a person would type for it.
    fn write_text(&self, text: &mut Vec<u8>);

    /// Its bytes as two big-endian numbers that order as it does.
    fn words(&self) -> (u64, u64);
}

/// A member id of at most 15 bytes, held in 16 that order as its text does: the text, zeros, and
/// the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id([u8; ID_BYTES_MAX + 1]);

impl Id {
    /// `user:{number}`.
    ///
    /// # Panics
    /// If that is longer than 15 bytes.
    #[must_use]
    pub fn user(number: usize) -> Self {
        let text = format!("user:{number}");
        let mut bytes = [0; ID_BYTES_MAX + 1];
        bytes[..ID_BYTES_MAX][..text.len()].copy_from_slice(text.as_bytes());
        bytes[ID_BYTES_MAX] = u8::try_from(text.len()).expect("at most 15 bytes");
        Self(bytes)
    }

    fn word(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.word().cmp(&other.word())
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.word());
    }
}

impl AsRef<[u8]> for Id {
    fn as_ref(&self) -> &[u8] {
        &self.0[..usize::from(self.0[ID_BYTES_MAX])]
    }
}

impl Member for Id {
    type Beside<K: Key> = K;

    const LEAST: Self = Self([0; ID_BYTES_MAX + 1]);

    fn beside<K: Key>(key: K) -> K {
        key
    }

    fn key_of<K: Key>(beside: K) -> K {
        beside
    }

    fn numbered(number: usize) -> Self {
        Self::user(number)
    }

    fn write_text(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.as_ref());
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number of 128 bits")]
    fn words(&self) -> (u64, u64) {
        let word = self.word();
        ((word >> 64) as u64, word as u64)
    }
}

/// A member that is a number of 64 bits, spread over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number([u8; 8]);

impl Number {
    fn word(&self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.word().cmp(&other.word())
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.word());
    }
}

impl AsRef<[u8]> for Number {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Member for Number {
    type Beside<K: Key> = Eight<K>;

    const LEAST: Self = Self([0; 8]);

    fn beside<K: Key>(key: K) -> Eight<K> {
        Eight(key)
    }

    fn key_of<K: Key>(beside: Eight<K>) -> K {
        beside.0
    }

    /// Distinct for distinct numbers: one step of the sequence is a bijection.
    fn numbered(number: usize) -> Self {
        Self(Sequence::new(number as u64).next_u64().to_be_bytes())
    }

    fn write_text(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.word().to_string().as_bytes());
    }

    fn words(&self) -> (u64, u64) {
        (self.word(), 0)
    }
}

/// What members are ordered by before their own bytes.
pub trait Score: Copy + Ord + 'static {
    /// The same as a key of the index.
    type Key: Key;

    /// As a key of the index.
    fn key(self) -> Self::Key;

    /// The score alone of such a key.
    fn score_of(key: &Self::Key) -> u64;

    /// The score alone.
    fn score(self) -> u64;

    /// The first in order of all with this score.
    fn least(score: u64) -> Self;

    /// The next random one, of `scores` different ones.
    fn draw(numbers: &mut Sequence, scores: usize) -> Self;
}

impl Score for u64 {
    type Key = ScoreKey;

    fn key(self) -> ScoreKey {
        ScoreKey { score: self }
    }

    fn score_of(key: &ScoreKey) -> u64 {
        key.score
    }

    fn score(self) -> u64 {
        self
    }

    fn least(score: u64) -> Self {
        score
    }

    fn draw(numbers: &mut Sequence, scores: usize) -> Self {
        numbers.below(scores) as Self
    }
}

/// A score whose ties go by a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timed {
    score: u64,
    at_ms: u64,
}

impl Score for Timed {
    type Key = ScoreTieKey;

    fn key(self) -> ScoreTieKey {
        ScoreTieKey { score: self.score, tie: self.at_ms }
    }

    fn score_of(key: &ScoreTieKey) -> u64 {
        key.score
    }

    fn score(self) -> u64 {
        self.score
    }

    fn least(score: u64) -> Self {
        Self { score, at_ms: 0 }
    }

    fn draw(numbers: &mut Sequence, scores: usize) -> Self {
        let score = u64::draw(numbers, scores);
        Self { score, at_ms: numbers.below(TIMES_END_MS) as u64 }
    }
}

/// What was read of entries, folded so that nothing read can be left out: members in their order,
/// scores apart, because not every contender gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Sum {
    /// Of the members.
    pub members: u64,
    /// Of the scores.
    pub scores: u64,
}

impl Sum {
    /// Adds an entry.
    pub fn add(&mut self, score: u64, member: &[u8]) {
        let first = match member.first_chunk::<8>() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => short_word(member),
        };
        let last = u64::from(member.last().copied().unwrap_or_default());
        self.members = self.members.rotate_left(7) ^ first.wrapping_add(last);
        self.scores = self.scores.wrapping_add(score);
    }
}

/// Fewer than 8 bytes with zeros after them, as a number that orders as they do.
fn short_word(member: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..member.len()].copy_from_slice(member);
    u64::from_be_bytes(bytes)
}

/// The members 0 to `count - 1` in an order without a pattern.
#[must_use]
pub fn shuffled<M: Member>(count: usize, seed: u64) -> Vec<M> {
    let mut members: Vec<_> = (0..count).map(M::numbered).collect();
    Sequence::new(seed).shuffle(&mut members);
    members
}

/// `count` members of a list, drawn so that the one at place `i` (from 1) comes up in proportion
/// to `1 / i^exponent`: a few are asked for all the time, most hardly ever.
#[must_use]
pub fn zipf<M: Member>(members: &[M], exponent: f64, count: usize, seed: u64) -> Vec<M> {
    let mut total = 0.0;
    let upto: Vec<f64> = (1..=members.len())
        .map(|place| {
            #[expect(clippy::cast_precision_loss, reason = "places are far below 2^52")]
            let place = place as f64;
            total += place.powf(-exponent);
            total
        })
        .collect();
    let mut numbers = Sequence::new(seed);
    let draw = |numbers: &mut Sequence| {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let part = (numbers.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let at = upto.partition_point(|&upto| upto <= part * total);
        members[at.min(members.len() - 1)]
    };
    (0..count).map(|_| draw(&mut numbers)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_as_their_text_does() {
        let mut ids = shuffled::<Id>(2_000, 1);
        let mut texts: Vec<_> = ids.iter().map(|id| id.as_ref().to_vec()).collect();
        ids.sort();
        texts.sort();
        assert_eq!(ids.iter().map(|id| id.as_ref().to_vec()).collect::<Vec<_>>(), texts);
    }

    #[test]
    fn a_sum_depends_on_every_member_and_their_order() {
        let sum = |members: &[&str]| {
            let mut sum = Sum::default();
            members.iter().for_each(|member| sum.add(1, member.as_bytes()));
            sum
        };
        let right = sum(&["user:1", "user:12", "user:123456"]);
        assert_ne!(right, sum(&["user:12", "user:1", "user:123456"]));
        assert_ne!(right, sum(&["user:1", "user:12", "user:123457"]));
        assert_eq!(right.scores, 3);
    }

    #[test]
    fn zipf_asks_for_the_first_place_as_often_as_its_weight_says() {
        let members = shuffled::<Id>(1_000, 1);
        let asked = zipf(&members, 0.99, 100_000, 2);
        let weights: f64 = (1..=1_000).map(|place| f64::from(place).powf(-0.99)).sum();
        for place in [1_i32, 10] {
            let member = members[usize::try_from(place).unwrap() - 1];
            let count = asked.iter().filter(|&&other| other == member).count();
            let expected = 100_000.0 * f64::from(place).powf(-0.99) / weights;
            // Five standard deviations of a count of rare events.
            #[expect(clippy::cast_precision_loss, reason = "at most 100 000")]
            let difference = (count as f64 - expected).abs();
            assert!(difference < 5.0 * expected.sqrt(), "{place}: {count}, {expected}");
        }
    }
}
