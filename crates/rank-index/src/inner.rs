//! An inner node: children, the keys that separate them, and how much lies before each.
//!
//! What it is not: exact about keys; separators are loose. Invariant: `seps[i]` is at most every
//! key below child `i` and at least every key below child `i - 1`; `seps[0]` equals the separator
//! that the parent keeps for this node (at the left edge it is arbitrary); the sums at `i` are over
//! all children before `i`. Cost: searches are logarithmic, what writes is linear in `N`, mostly
//! in vector steps. With 30 children and 16-bit sums, the first cache line is all that a rank needs
//! of a node.

use crate::arena::NodeId;
use crate::key::Key;
use crate::leaf::narrow;
use crate::link::Link;
use crate::partition::partition;
use crate::prefetch::{prefetch, prefetch_all};

/// An unsigned number in which a node keeps sums. Sums that a node cannot exceed fit it; sums and
/// differences wrap.
pub(crate) trait Count: Copy {
    const ZERO: Self;

    /// The low bits of `number`.
    fn low_bits(number: u32) -> Self;
    fn get(self) -> u32;

    /// Adds to every number behind `index`, absent children's included: nobody reads those, and a
    /// loop of constant length becomes a few vector steps.
    fn add_behind<const N: usize>(numbers: &mut [Self; N], index: usize, change: u32);

    /// Both additions in one pass.
    fn add_behind_both<const N: usize>(
        numbers: &mut [Self; N],
        one: (usize, u32),
        other: (usize, u32),
    );
}

/// The same code for two widths; comparing signed lanes is what vector units do best.
macro_rules! count {
    ($unsigned:ty, $lane:ty) => {
        impl Count for $unsigned {
            const ZERO: Self = 0;

            #[allow(
                clippy::cast_possible_truncation,
                clippy::unnecessary_cast,
                reason = "that is what the method is for; one of the widths is 32 bits"
            )]
            fn low_bits(number: u32) -> Self {
                number as Self
            }

            fn get(self) -> u32 {
                u32::from(self)
            }

            fn add_behind<const N: usize>(numbers: &mut [Self; N], index: usize, change: u32) {
                let (last, change) = (<$lane>::from(narrow(index)), Self::low_bits(change));
                for (at, number) in numbers.iter_mut().enumerate() {
                    let behind = <$lane>::from(narrow(at)) > last;
                    *number = number.wrapping_add(if behind { change } else { 0 });
                }
            }

            fn add_behind_both<const N: usize>(
                numbers: &mut [Self; N],
                one: (usize, u32),
                other: (usize, u32),
            ) {
                let lasts = (<$lane>::from(narrow(one.0)), <$lane>::from(narrow(other.0)));
                let changes = (Self::low_bits(one.1), Self::low_bits(other.1));
                for (at, number) in numbers.iter_mut().enumerate() {
                    let at = <$lane>::from(narrow(at));
                    let change = if at > lasts.0 { changes.0 } else { 0 };
                    let other = if at > lasts.1 { changes.1 } else { 0 };
                    *number = number.wrapping_add(change).wrapping_add(other);
                }
            }
        }
    };
}

count!(u16, i16);
count!(u32, i32);

/// How much lies below a node or before a place. Differences use the same type and wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Entries.
    pub(crate) members: u32,
    /// Entries whose score differs from that of their predecessor in the whole index.
    pub(crate) runs: u32,
}

impl Tally {
    pub(crate) const ZERO: Self = Self { members: 0, runs: 0 };

    /// A difference: negative numbers wrap.
    pub(crate) fn change(members: i32, runs: i32) -> Self {
        Self { members: members.cast_unsigned(), runs: runs.cast_unsigned() }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            members: self.members.wrapping_add(other.members),
            runs: self.runs.wrapping_add(other.runs),
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            members: self.members.wrapping_sub(other.members),
            runs: self.runs.wrapping_sub(other.runs),
        }
    }
}

/// Children of one level, in order, with sums in `C`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Inner<K, C, const N: usize> {
    members: [C; N],
    pub(crate) link: Link,
    runs: [C; N],
    total: Tally,
    len: u8,
    /// 1 when the children are leaves, one more per level above.
    pub(crate) level: u8,
    children: [NodeId; N],
    seps: [K; N],
}

impl<K: Key, C: Count, const N: usize> Inner<K, C, N> {
    /// A node with fewer children than this asks its neighbour for help.
    const FEW: usize = N / 2;
    /// Two neighbours with no more children than this become one. Short of full, so that the next
    /// inserts do not split it again.
    pub(crate) const MERGE_MAX: usize = N - N / 8;
    /// Children that those rules leave in a node at least, if it is not the last of its level.
    pub(crate) const LEAST: usize = Self::MERGE_MAX / 2;

    /// A node with one child.
    pub(crate) fn over(level: u8, child: NodeId, sep: K, tally: Tally) -> Self {
        Self {
            members: [C::ZERO; N],
            link: Link::NONE,
            runs: [C::ZERO; N],
            total: tally,
            len: 1,
            level,
            children: [child; N],
            seps: [sep; N],
        }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() == N
    }

    /// Whether its neighbour should help it out.
    pub(crate) fn is_low(&self) -> bool {
        self.len() < Self::FEW
    }

    /// Children with which two neighbours become one, at most.
    pub(crate) fn merge_max(&self) -> usize {
        Self::MERGE_MAX
    }

    pub(crate) fn children(&self) -> &[NodeId] {
        &self.children[..self.len()]
    }

    pub(crate) fn child(&self, index: usize) -> NodeId {
        self.children()[index]
    }

    pub(crate) fn sep(&self, index: usize) -> K {
        self.seps[..self.len()][index]
    }

    pub(crate) fn set_sep(&mut self, index: usize, sep: K) {
        self.seps[..usize::from(self.len)][index] = sep;
    }

    /// Everything below this node.
    pub(crate) fn total(&self) -> Tally {
        self.total
    }

    /// Members before child `index`, which is there.
    pub(crate) fn members_before(&self, index: usize) -> usize {
        self.members[index].get() as usize
    }

    /// Everything before child `index`; `index` may be the number of children.
    pub(crate) fn before(&self, index: usize) -> Tally {
        if index == self.len() {
            self.total
        } else {
            Tally { members: self.members[index].get(), runs: self.runs[index].get() }
        }
    }

    /// Everything below child `index`.
    pub(crate) fn tally(&self, index: usize) -> Tally {
        self.before(index + 1).minus(self.before(index))
    }

    fn set_before(&mut self, index: usize, before: Tally) {
        self.members[index] = C::low_bits(before.members);
        self.runs[index] = C::low_bits(before.runs);
    }

    /// Asks for the lines that a search by key reads.
    #[inline]
    pub(crate) fn prefetch_seps(&self) {
        prefetch(&self.len);
        prefetch_all(&self.seps);
    }

    /// Leading children for whose right neighbour `before` holds of the separator between them:
    /// the child in which a monotone `before` turns false.
    #[inline(always)]
    pub(crate) fn partition(&self, mut before: impl FnMut(&K) -> bool) -> usize {
        partition::<N>(self.len() - 1, |place| before(&self.seps[place + 1]))
    }

    /// The child in which a monotone `before` turns false.
    #[inline]
    pub(crate) fn child_by_key(&self, before: impl FnMut(&K) -> bool) -> NodeId {
        self.prefetch_seps();
        self.child(self.partition(before))
    }

    /// How many children behind child `index` have separators that order `key` equal.
    #[inline]
    pub(crate) fn ties_behind(&self, index: usize, key: &K) -> usize {
        let seps = &self.seps[..self.len()][index + 1..];
        seps.iter().take_while(|sep| !key.is_before(sep)).count()
    }

    /// The child that holds the entry at `position` below this node.
    pub(crate) fn child_at(&self, position: usize) -> usize {
        let before = &self.members[1..self.len()];
        before.iter().filter(|before| before.get() as usize <= position).count()
    }

    /// Adds `change` to child `index`.
    pub(crate) fn add(&mut self, index: usize, change: Tally) {
        C::add_behind(&mut self.members, index, change.members);
        if change.runs != 0 {
            C::add_behind(&mut self.runs, index, change.runs);
        }
        self.total = self.total.plus(change);
    }

    /// Adds to two children.
    pub(crate) fn add_both(&mut self, one: (usize, Tally), other: (usize, Tally)) {
        let members = ((one.0, one.1.members), (other.0, other.1.members));
        C::add_behind_both(&mut self.members, members.0, members.1);
        let runs = ((one.0, one.1.runs), (other.0, other.1.runs));
        if runs.0.1 != 0 || runs.1.1 != 0 {
            C::add_behind_both(&mut self.runs, runs.0, runs.1);
        }
        self.total = self.total.plus(one.1).plus(other.1);
    }

    /// Counts `moved` for child `index - 1` instead of child `index`, or, negative, the other way.
    pub(crate) fn move_left(&mut self, index: usize, moved: Tally) {
        self.set_before(index, self.before(index).plus(moved));
    }

    /// Adds a last child.
    pub(crate) fn push(&mut self, child: NodeId, sep: K, tally: Tally) {
        let len = self.len();
        self.children[len] = child;
        self.seps[len] = sep;
        self.len += 1;
        self.set_before(len, self.total);
        self.total = self.total.plus(tally);
    }

    /// Child `index` was split: `moved` of it is now below `right`, whose keys begin at `sep`.
    pub(crate) fn split_child(&mut self, index: usize, right: NodeId, sep: K, moved: Tally) {
        let (len, at) = (self.len(), index + 1);
        let before = self.before(at).minus(moved);
        self.children.copy_within(at..len, at + 1);
        self.seps.copy_within(at..len, at + 1);
        self.members.copy_within(at..len, at + 1);
        self.runs.copy_within(at..len, at + 1);
        self.children[at] = right;
        self.seps[at] = sep;
        self.len += 1;
        self.set_before(at, before);
    }

    /// Child `index`, not the first, was merged into the one before it.
    pub(crate) fn drop_child(&mut self, index: usize) {
        debug_assert!(index > 0);
        let len = self.len();
        self.children.copy_within(index + 1..len, index);
        self.seps.copy_within(index + 1..len, index);
        self.members.copy_within(index + 1..len, index);
        self.runs.copy_within(index + 1..len, index);
        self.len -= 1;
    }

    /// Cuts the children from `cut` on off into a node of their own. Both keep at least one.
    pub(crate) fn split_off(&mut self, cut: usize) -> Self {
        debug_assert!(0 < cut && cut < self.len());
        let mut right = Self::over(self.level, self.child(cut), self.sep(cut), self.tally(cut));
        for index in cut + 1..self.len() {
            right.push(self.child(index), self.sep(index), self.tally(index));
        }
        self.total = self.before(cut);
        self.len = narrow(cut);
        right
    }

    /// Adds all children of `right` behind this node's own.
    pub(crate) fn append(&mut self, right: &Self) {
        for index in 0..right.len() {
            self.push(right.child(index), right.sep(index), right.tally(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::ScoreKey;

    type Node = Inner<ScoreKey, u16, 8>;

    fn tally(members: u32) -> Tally {
        Tally { members, runs: members * 2 }
    }

    fn node(tallies: &[u32]) -> Node {
        let key = |index: usize| ScoreKey { score: index as u64 * 10 };
        let mut node = Node::over(1, 0, key(0), tally(tallies[0]));
        for (index, &members) in tallies.iter().enumerate().skip(1) {
            node.push(u32::try_from(index).unwrap(), key(index), tally(members));
        }
        node
    }

    fn tallies(node: &Node) -> Vec<u32> {
        (0..node.len()).map(|index| node.tally(index).members).collect()
    }

    #[test]
    fn sums_follow_changes() {
        let mut node = node(&[3, 5, 7]);
        node.add(1, Tally::change(-2, -4));
        assert_eq!(tallies(&node), [3, 3, 7]);
        node.move_left(2, tally(4));
        assert_eq!(tallies(&node), [3, 7, 3]);
        node.split_child(2, 9, ScoreKey { score: 25 }, tally(1));
        assert_eq!(tallies(&node), [3, 7, 2, 1]);
        node.drop_child(1);
        assert_eq!(tallies(&node), [10, 2, 1]);
        assert_eq!(node.total(), Tally { members: 13, runs: 26 });
        assert_eq!(node.children(), [0, 2, 9]);
    }

    #[test]
    fn split_and_append_are_inverse() {
        let whole = node(&[3, 5, 7, 9]);
        for cut in 1..4 {
            let mut left = whole;
            let right = left.split_off(cut);
            assert_eq!(tallies(&left), tallies(&whole)[..cut]);
            assert_eq!(tallies(&right), tallies(&whole)[cut..]);
            left.append(&right);
            assert_eq!(tallies(&left), tallies(&whole));
            assert_eq!(left.total(), whole.total());
        }
    }

    #[test]
    fn searches_count_separators() {
        let node = node(&[3, 5, 7, 9]);
        assert_eq!(node.partition(|sep| sep.score < 20), 1);
        assert_eq!(node.partition(|sep| sep.score <= 20), 2);
        let found: Vec<usize> = [0, 2, 3, 7, 8, 14, 15, 23].map(|at| node.child_at(at)).to_vec();
        assert_eq!(found, [0, 0, 1, 1, 2, 2, 3, 3]);
    }
}
