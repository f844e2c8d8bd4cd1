//! Draws that come out the same on every machine: integers alone, from ChaCha8 under a seed.
//!
//! What it is not: a library of distributions. Floating-point ones go through the system's
//! mathematics, whose last digits differ between machines; these have no rounding in them.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// What draws are for. Each purpose has a stream of its own, so that more draws for one do not
/// change the others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Campaigns = 1,
    Users,
    Days,
    Times,
    Activities,
}

/// A stream of draws.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose as u64);
        Self(rng)
    }

    /// 0 to `count` - 1, all alike. `count` is not 0.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        self.0.random_range(0..count)
    }

    /// `low` to `high`, both included, all alike.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// True `per_mille` times of a thousand.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `items`, which are not empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u32::try_from(items.len()).expect("a list that fits on a screen");
        let item = items.get(self.below(count) as usize);
        *item.expect("the draw is below the length")
    }

    /// One of `items` by their weights, of which one at least is not 0.
    pub(super) fn weighted<T: Copy>(&mut self, items: impl Iterator<Item = (u32, T)> + Clone) -> T {
        let total = items.clone().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, item) in items {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return item,
            }
        }
        unreachable!("the draw is below the sum of the weights")
    }
}

/// Zipf's law, as steps: of `items` items, the one at place `i` is drawn about in proportion to
/// 1 / (i + head). Within a step, whose length doubles from one to the next, all are alike; every
/// step is as likely as the one before it. No table, no logarithm, two draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Skew {
    items: u32,
    head_bits: u32,
    last_bits: u32,
}

impl Skew {
    /// The first step has 2 to the power of `head_bits` items. `items` is 1 to 2^30.
    pub(super) fn new(items: u32, head_bits: u32) -> Self {
        let last_bits = (items - 1 + (1 << head_bits)).ilog2();
        Self { items, head_bits, last_bits }
    }

    /// 0 to `items` - 1, the first ones most often.
    pub(super) fn draw(&self, draws: &mut Draws) -> u32 {
        loop {
            let bits = self.head_bits + draws.below(self.last_bits - self.head_bits + 1);
            let item = (1 << bits) - (1 << self.head_bits) + draws.below(1 << bits);
            if item < self.items {
                return item;
            }
        }
    }
}

/// A fixed order of 0 to `items` - 1 that has nothing to do with their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permutation {
    items: u64,
    factor: u64,
}

impl Permutation {
    pub(super) fn new(items: u32) -> Self {
        let items = u64::from(items);
        // Near the golden section, so that neighbours end up far from each other.
        let start = (items * 618 / 1000).max(1);
        let factor = (start..).find(|factor| gcd(*factor, items) == 1).expect("primes do not end");
        Self { items, factor }
    }

    /// Where `place` ends up.
    pub(super) fn at(&self, place: u32) -> u32 {
        let item = (u64::from(place) * self.factor + self.items / 3) % self.items;
        u32::try_from(item).expect("less than `items`, which is 32 bits")
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A text identifier of 8 characters, one for each number below 36^7.
pub(super) fn text_id(prefix: char, number: u64) -> Box<str> {
    const DIGITS: [u8; 36] = *b"0123456789abcdefghijklmnopqrstuvwxyz";
    const NUMBERS: u64 = 36_u64.pow(7);
    // Without a factor of 36 in it, the product takes every value once.
    let mut rest = (number % NUMBERS) * 41_468_532_479 % NUMBERS;
    let mut text = String::from(prefix);
    for _ in 0..7 {
        let digit = (0_u64..).zip(DIGITS).find(|(value, _)| *value == rest % 36);
        text.push(char::from(digit.expect("a remainder of 36").1));
        rest /= 36;
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_skewed_draw_is_in_range_and_falls_as_one_over_the_place() {
        let mut draws = Draws::new(1, Purpose::Users);
        for items in [1, 2, 3, 7, 8, 9, 1000] {
            let skew = Skew::new(items, 3);
            assert!((0..1000).all(|_| skew.draw(&mut draws) < items));
        }
        let skew = Skew::new(8 * 1023, 3);
        let mut steps = [0_u32; 10];
        for _ in 0..100_000 {
            steps[((skew.draw(&mut draws) + 8) / 8).ilog2() as usize] += 1;
        }
        // Ten steps that are alike: 10 000 each, with a standard deviation of 95.
        assert!(steps.iter().all(|count| (9_500..10_500).contains(count)), "{steps:?}");
    }

    #[test]
    fn a_permutation_takes_every_place_once() {
        for items in [1, 2, 3, 6, 200, 1000, 1009] {
            let permutation = Permutation::new(items);
            let seen: BTreeSet<_> = (0..items).map(|place| permutation.at(place)).collect();
            assert_eq!(seen, (0..items).collect());
        }
    }

    #[test]
    fn text_identifiers_are_all_different() {
        assert_eq!(gcd(41_468_532_479, 36), 1);
        let seen: BTreeSet<_> = (0..50_000).map(|number| text_id('u', number)).collect();
        assert_eq!(seen.len(), 50_000);
        assert!(seen.iter().all(|text| text.len() == 8 && text.starts_with('u')));
    }

    #[test]
    fn weights_are_kept() {
        let mut draws = Draws::new(7, Purpose::Days);
        let items = [(0, 'a'), (1, 'b'), (3, 'c')];
        let drawn: Vec<_> = (0..4000).map(|_| draws.weighted(items.iter().copied())).collect();
        let count = |letter| drawn.iter().filter(|drawn| **drawn == letter).count();
        assert_eq!(count('a'), 0);
        assert!((850..1150).contains(&count('b')), "{}", count('b'));
    }
}
