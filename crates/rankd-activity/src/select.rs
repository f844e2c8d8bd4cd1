//! The best few of many.
//!
//! What it is: a bounded collection of entries that throws away whatever cannot be among the best
//! `keep` any more. What it is not: sorted until it is finished. Invariant: the best `keep` of what
//! was pushed are in it. Cost: one comparison for most entries, O(keep) memory.

use std::cmp::Ordering;

/// See the module's head. `order` puts the best first.
pub(crate) struct Best<T, F> {
    keep: usize,
    order: F,
    entries: Vec<T>,
    /// As many are at least as good.
    worst: Option<T>,
}

impl<T: Copy, F: Fn(&T, &T) -> Ordering> Best<T, F> {
    pub(crate) fn new(keep: usize, order: F) -> Self {
        Self { keep, order, entries: Vec::new(), worst: None }
    }

    /// What is not better than this one cannot be among the best; none if anything can.
    pub(crate) fn worst(&self) -> Option<&T> {
        self.worst.as_ref()
    }

    #[inline]
    pub(crate) fn push(&mut self, entry: T) {
        if let Some(worst) = &self.worst
            && (self.order)(&entry, worst).is_ge()
        {
            return;
        }
        self.entries.push(entry);
        if self.entries.len() >= 2 * self.keep.max(32) {
            self.drop_surplus();
        }
    }

    fn drop_surplus(&mut self) {
        let Some(last) = self.keep.checked_sub(1) else { return self.entries.clear() };
        if last < self.entries.len() {
            let (_, worst, _) = self.entries.select_nth_unstable_by(last, &self.order);
            self.worst = Some(*worst);
            self.entries.truncate(self.keep);
        }
    }

    /// The best, in any order.
    pub(crate) fn chosen(mut self) -> Vec<T> {
        self.drop_surplus();
        self.entries
    }

    /// The best; the first `sorted` of them in order and before the others.
    pub(crate) fn finish(mut self, sorted: usize) -> Vec<T> {
        self.drop_surplus();
        let sorted = sorted.min(self.entries.len());
        if let Some(last) = sorted.checked_sub(1) {
            self.entries.select_nth_unstable_by(last, &self.order);
            self.entries[..last].sort_unstable_by(&self.order);
        }
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_out_in_order() {
        let mut numbers: Vec<u64> = (0..5_000).map(|n: u64| n * 7_919 % 5_003).collect();
        for keep in [0, 1, 2, 31, 32, 500, 5_000, 6_000] {
            let mut best = Best::new(keep, u64::cmp);
            numbers.iter().for_each(|&number| best.push(number));
            let mut expected = numbers.clone();
            expected.sort_unstable();
            expected.truncate(keep);
            let mut found = best.finish(200);
            let sorted = keep.min(expected.len()).min(200);
            assert_eq!(found[..sorted], expected[..sorted]);
            found.sort_unstable();
            assert_eq!(found, expected);
            numbers.rotate_left(777);
        }
    }
}
