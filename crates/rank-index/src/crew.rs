//! Hands that a bulk build may use: the index starts no threads of its own.
//!
//! Invariant: a crew has done all work when it returns. Cost: the crew's own.

/// A piece of work that is independent of the others it is given with.
pub type Work<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Who carries out independent pieces of work, at the same time if there are hands for it.
///
/// ```
/// use rank_index::{Alone, Crew};
/// let mut sums = [0, 0];
/// let [one, two] = &mut sums;
/// Alone.carry_out(vec![Box::new(|| *one = 1 + 2), Box::new(|| *two = 3 + 4)]);
/// assert_eq!(sums, [3, 7]);
/// ```
pub trait Crew {
    /// How many pieces can be worked on at the same time; at least one.
    fn hands(&self) -> usize;

    /// Carries out all of it, in any order, and returns when it is done.
    fn carry_out(&self, work: Vec<Work<'_>>);
}

/// A crew of one: the thread that asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Crew for Alone {
    fn hands(&self) -> usize {
        1
    }

    fn carry_out(&self, work: Vec<Work<'_>>) {
        work.into_iter().for_each(|piece| piece());
    }
}
