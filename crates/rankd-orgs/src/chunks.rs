//! A growing array of which an exact copy can be taken at once.
//!
//! What it is: pieces behind `Arc`s. What it is not: a place for holes; nothing is ever taken out,
//! only replaced. Invariant: every piece but the last is full. Cost: a copy clones one `Arc` for
//! [`CHUNK`] values; the first write to a piece after that copies the piece.

use std::sync::Arc;

/// Values of one piece: copying one takes microseconds.
const CHUNK: usize = 1024;

/// An array in pieces.
#[derive(Debug, Clone)]
pub(crate) struct Chunks<T> {
    pieces: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), len: 0 }
    }
}

impl<T> Chunks<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.pieces.get(at / CHUNK)?.get(at % CHUNK)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flat_map(|piece| piece.iter())
    }

    /// Values from `at` on, without those of earlier pieces being passed over.
    pub(crate) fn iter_from(&self, at: usize) -> impl Iterator<Item = &T> {
        let pieces = self.pieces.get(at / CHUNK..).unwrap_or_default();
        pieces.iter().flat_map(|piece| piece.iter()).skip(at % CHUNK)
    }

    /// Bytes of the pieces.
    pub(crate) fn bytes(&self) -> u64 {
        let held: usize = self.pieces.iter().map(|piece| piece.capacity()).sum();
        (held * size_of::<T>()) as u64
    }
}

impl<T: Clone> Chunks<T> {
    /// Appends a value and returns its position.
    pub(crate) fn push(&mut self, value: T) -> usize {
        if self.len.is_multiple_of(CHUNK) {
            self.pieces.push(Arc::new(Vec::new()));
        }
        let piece = self.pieces.last_mut().expect("there is room in the last piece");
        Arc::make_mut(piece).push(value);
        self.len += 1;
        self.len - 1
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        Arc::make_mut(self.pieces.get_mut(at / CHUNK)?).get_mut(at % CHUNK)
    }
}

impl<T: Clone> FromIterator<T> for Chunks<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut chunks = Self::default();
        values.into_iter().for_each(|value| {
            chunks.push(value);
        });
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut values = Chunks::default();
        for value in 0..3000_u32 {
            assert_eq!(values.push(value), value as usize);
        }
        let copy = values.clone();
        *values.get_mut(1500).unwrap() = 7;
        values.push(9);
        assert!(copy.iter().copied().eq(0..3000));
        assert_eq!((values.len(), values.get(1500), values.get(3000)), (3001, Some(&7), Some(&9)));
        assert!(values.iter_from(2999).copied().eq([2999, 9]));
        assert_eq!((copy.get(3000), copy.iter_from(5000).next()), (None, None));
    }
}
