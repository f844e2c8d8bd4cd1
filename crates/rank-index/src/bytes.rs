//! Where a byte occurs in a short array.
//!
//! What it is not: a search in text. Invariant: bit `i` of the answer is set exactly when byte `i`
//! is the one that is looked for. Cost: a compare per 16 bytes, without a branch.

// One call of an intrinsic: the bench `core`, "rank", is what it pays for.
#![allow(unsafe_code)]

/// Bytes that are compared at once.
const LANES: usize = 16;

/// The places of `byte` among `bytes`, at most 64 of them, as bits.
#[inline]
pub(crate) fn mask_of<const N: usize>(bytes: &[u8; N], byte: u8) -> u64 {
    const { assert!(N <= 64, "there is one bit for each byte") };
    let mut mask = 0;
    let Some(last) = bytes.last_chunk() else {
        for (at, &other) in bytes.iter().enumerate() {
            mask |= u64::from(other == byte) << at;
        }
        return mask;
    };
    for (window, lanes) in bytes.as_chunks().0.iter().enumerate() {
        mask |= u64::from(mask_of_lanes(lanes, byte)) << (window * LANES);
    }
    // The last window may overlap others: the same bit is set twice then.
    mask | u64::from(mask_of_lanes(last, byte)) << (N - LANES)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn mask_of_lanes(bytes: &[u8; LANES], byte: u8) -> u16 {
    // SAFETY: SSE2 is part of every x86-64 processor.
    unsafe { mask_of_lanes_sse2(bytes, byte) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse2")]
fn mask_of_lanes_sse2(bytes: &[u8; LANES], byte: u8) -> u16 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    let word = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the word is taken apart")]
    let (low, high) = (word as u64, (word >> 64) as u64);
    let lanes = _mm_set_epi64x(high.cast_signed(), low.cast_signed());
    let equal = _mm_cmpeq_epi8(lanes, _mm_set1_epi8(byte.cast_signed()));
    let mask = _mm_movemask_epi8(equal).cast_unsigned();
    #[expect(clippy::cast_possible_truncation, reason = "the mask has 16 bits")]
    {
        mask as u16
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn mask_of_lanes(bytes: &[u8; LANES], byte: u8) -> u16 {
    bytes.iter().zip(0..).fold(0, |mask, (&other, at)| mask | u16::from(other == byte) << at)
}

#[cfg(test)]
mod tests {
    use super::mask_of;

    fn check<const N: usize>() {
        for byte in [0_u8, 1, 7, 0x80, 0xFF] {
            let bytes: [u8; N] =
                std::array::from_fn(|at| if at % 3 == 0 { byte } else { byte.wrapping_add(1) });
            let expected = (0..N).step_by(3).fold(0, |mask, at| mask | 1_u64 << at);
            assert_eq!(mask_of(&bytes, byte), expected, "{byte} in {N} bytes");
            assert_eq!(mask_of(&bytes, byte.wrapping_add(2)), 0);
        }
    }

    #[test]
    fn every_place_has_its_bit() {
        check::<4>();
        check::<15>();
        check::<16>();
        check::<17>();
        check::<58>();
        check::<64>();
    }
}
