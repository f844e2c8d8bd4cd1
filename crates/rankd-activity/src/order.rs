//! The order of small numbers, such as users' or tags'.
//!
//! What it is: a radix sort of positions by their keys, eleven bits at a time, from the lowest on.
//! What it is not: in place. Invariant: equal keys stay in the order of their positions. Cost: two
//! passes for up to four million different keys, some nanoseconds each.

/// Bits of a digit: so many counters stay in the nearest cache.
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;
/// Keys below which comparing is quicker.
const RADIX_MIN: usize = 1_024;

/// Positions of the keys in ascending order; there are fewer than 2^32.
pub(crate) fn positions_by(keys: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut pairs: Vec<u64> =
        keys.zip(0_u32..).map(|(key, at)| u64::from(key) << 32 | u64::from(at)).collect();
    if pairs.len() < RADIX_MIN {
        pairs.sort_unstable();
    } else if !pairs.is_sorted() {
        radix_sort(&mut pairs);
    }
    pairs.into_iter().map(low_half).collect()
}

/// Sorts by the upper halves.
fn radix_sort(pairs: &mut Vec<u64>) {
    let bits = 64 - pairs.iter().fold(0, |all, pair| all | pair).leading_zeros();
    let mut other = vec![0; pairs.len()];
    let mut shift = 32;
    while shift < bits {
        let mut next = [0_usize; DIGITS];
        pairs.iter().for_each(|pair| next[digit(*pair, shift)] += 1);
        let mut start = 0;
        for count in &mut next {
            start += std::mem::replace(count, start);
        }
        for &pair in pairs.iter() {
            let place = &mut next[digit(pair, shift)];
            other[*place] = pair;
            *place += 1;
        }
        std::mem::swap(pairs, &mut other);
        shift += DIGIT_BITS;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "eleven bits are left")]
fn digit(pair: u64, shift: u32) -> usize {
    (pair >> shift) as usize % DIGITS
}

#[expect(clippy::cast_possible_truncation, reason = "the other half is the key")]
fn low_half(pair: u64) -> u32 {
    pair as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn radix_and_comparison_agree_with_a_stable_sort() {
        for (count, end) in
            [(0, 1), (1, 9), (1_000, 7), (5_000, 3), (5_000, u32::MAX), (9_000, 3_000)]
        {
            let keys: Vec<u32> =
                (0..count).map(|n: u32| n.wrapping_mul(2_654_435_761) % end).collect();
            let mut expected: Vec<u32> = (0..count).collect();
            expected.sort_by_key(|&at| keys[at as usize]);
            assert_eq!(positions_by(keys.iter().copied()), expected, "{count} {end}");
        }
        assert_eq!(positions_by(0..2_000), (0..2_000).collect::<Vec<u32>>());
    }
}
