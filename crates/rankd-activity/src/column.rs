//! A column of integers, as narrow as its values allow.
//!
//! What it is not: compressed any further, or able to change. Invariant: `get` gives back exactly
//! what the column was made of. Values are kept as distances from the smallest one, in 0, 1, 2, 4
//! or 8 bytes: a column whose values are all the same takes no memory. Cost: O(1) to read one;
//! [`Column::load`] reads many at the speed of memory.

use std::ops::Range;

/// Values that are worth being loaded at once.
pub(crate) const CHUNK: usize = 256;

/// A range, in pieces of at most [`CHUNK`].
pub(crate) fn chunks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(CHUNK).map(move |from| from..end.min(from + CHUNK))
}

#[derive(Debug)]
enum Codes {
    Same,
    Bytes1(Box<[u8]>),
    Bytes2(Box<[u16]>),
    Bytes4(Box<[u32]>),
    Bytes8(Box<[u64]>),
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Column {
    base: i64,
    codes: Codes,
}

impl Column {
    /// A column of these values. Goes over them twice.
    pub(crate) fn of<I: Iterator<Item = i64> + Clone>(values: I) -> Self {
        let Some(base) = values.clone().min() else { return Self { base: 0, codes: Codes::Same } };
        let far = values.clone().max().map_or(0, |max| distance(max, base));
        let distances = values.map(|value| distance(value, base));
        Self { base, codes: Codes::of(far, distances) }
    }

    pub(crate) fn get(&self, at: usize) -> i64 {
        let code = match &self.codes {
            Codes::Same => 0,
            Codes::Bytes1(codes) => u64::from(codes[at]),
            Codes::Bytes2(codes) => u64::from(codes[at]),
            Codes::Bytes4(codes) => u64::from(codes[at]),
            Codes::Bytes8(codes) => codes[at],
        };
        self.base.wrapping_add(code.cast_signed())
    }

    /// The values of these positions, into as many places.
    pub(crate) fn load(&self, range: Range<usize>, into: &mut [i64]) {
        let base = self.base;
        match &self.codes {
            Codes::Same => into[..range.len()].fill(base),
            Codes::Bytes1(codes) => decode(base, &codes[range], into),
            Codes::Bytes2(codes) => decode(base, &codes[range], into),
            Codes::Bytes4(codes) => decode(base, &codes[range], into),
            Codes::Bytes8(codes) => decode(base, &codes[range], into),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match &self.codes {
            Codes::Same => 0,
            Codes::Bytes1(codes) => codes.len(),
            Codes::Bytes2(codes) => 2 * codes.len(),
            Codes::Bytes4(codes) => 4 * codes.len(),
            Codes::Bytes8(codes) => 8 * codes.len(),
        }
    }
}

impl Codes {
    #[expect(clippy::cast_possible_truncation, reason = "no distance is larger than `far`")]
    fn of(far: u64, distances: impl Iterator<Item = u64>) -> Self {
        match far {
            0 => Self::Same,
            1..=0xff => Self::Bytes1(distances.map(|code| code as u8).collect()),
            0x100..=0xffff => Self::Bytes2(distances.map(|code| code as u16).collect()),
            0x1_0000..=0xffff_ffff => Self::Bytes4(distances.map(|code| code as u32).collect()),
            _ => Self::Bytes8(distances.collect()),
        }
    }
}

/// `value - base`, which may need all 64 bits.
fn distance(value: i64, base: i64) -> u64 {
    value.wrapping_sub(base).cast_unsigned()
}

fn decode<T: Copy + Into<u64>>(base: i64, codes: &[T], into: &mut [i64]) {
    for (code, value) in codes.iter().zip(into) {
        *value = base.wrapping_add((*code).into().cast_signed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_gives_back_what_it_was_made_of() {
        let cases: [(&[i64], usize); 7] = [
            (&[], 0),
            (&[-7, -7, -7], 0),
            (&[1_000, 1_255, 1_001], 3),
            (&[-400, 500, 0], 6),
            (&[-1_000_000_000, 1_000_000_000], 8),
            (&[0, 1 << 32], 16),
            (&[i64::MIN, i64::MAX, 0], 24),
        ];
        for (values, bytes) in cases {
            let column = Column::of(values.iter().copied());
            assert_eq!(column.bytes(), bytes, "{values:?}");
            let each: Vec<i64> = (0..values.len()).map(|at| column.get(at)).collect();
            assert_eq!(each, values);
            let mut loaded = vec![0; values.len()];
            column.load(0..values.len(), &mut loaded);
            assert_eq!(loaded, values);
        }
    }
}
