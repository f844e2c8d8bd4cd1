//! A list in pieces, so that no push ever moves much of it.
//!
//! What it is not: contiguous. Invariant: all pieces but the last have `PIECE_ITEMS` items, and
//! none is empty. Cost: constant per operation; a push moves one piece at most.

use std::ops::{Index, IndexMut};

/// Items in a full piece.
const PIECE_ITEMS: usize = 4_096;

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Pieces<T>(Vec<Vec<T>>);

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Pieces<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        let full = self.0.len().saturating_sub(1) * PIECE_ITEMS;
        full + self.0.last().map_or(0, Vec::len)
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE_ITEMS => last.push(item),
            _ => self.0.push(vec![item]),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.0.last_mut()?.pop();
        if self.0.last().is_some_and(Vec::is_empty) {
            self.0.pop();
        }
        item
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    /// Heap bytes in use, without what the items own.
    pub(crate) fn memory_bytes(&self) -> usize {
        let items: usize = self.0.iter().map(Vec::capacity).sum();
        items * size_of::<T>() + self.0.capacity() * size_of::<Vec<T>>()
    }
}

impl<T> Index<usize> for Pieces<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.0[index / PIECE_ITEMS][index % PIECE_ITEMS]
    }
}

impl<T> IndexMut<usize> for Pieces<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.0[index / PIECE_ITEMS][index % PIECE_ITEMS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_a_list() {
        let mut pieces = Pieces::new();
        assert_eq!((pieces.len(), pieces.pop()), (0, None));
        for item in 0..10_000 {
            pieces.push(item);
            assert_eq!(pieces.len(), item + 1);
        }
        pieces[4_096] = 7;
        assert_eq!((pieces[4_095], pieces[4_096], pieces[9_999]), (4_095, 7, 9_999));
        assert_eq!(pieces.iter().count(), 10_000);
        for len in (0..10_000).rev() {
            assert_eq!(pieces.pop(), Some(if len == 4_096 { 7 } else { len }));
            assert_eq!(pieces.len(), len);
        }
        assert_eq!(pieces.pop(), None);
    }
}
