//! The whole truth about an index, checked.
//!
//! What it is not: fast, or used by anything but tests, fuzzing and tools. Invariant: what other
//! modules call their invariants is checked here. Cost: O(n).

use crate::arena::{Arena, NONE, NodeId};
use crate::cell::{Cell, Needle};
use crate::epochs::Context;
use crate::index::{Form, RankIndex};
use crate::inner::{Count, Inner, Tally};
use crate::key::Key;
use crate::leaf::{LEAF_MAX, Leaf, Place};
use crate::link::Link;
use crate::names::Handle;
use crate::small::{SMALL_AGAIN, SMALL_MAX, runs};
use crate::tree::{Tree, at_level};

/// Returns an error made of the arguments unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}
pub(crate) use ensure;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    RankIndex<K, LEAF, INNER, UPPER>
{
    /// Checks every invariant of the index. O(n); for tests and tools.
    ///
    /// # Errors
    /// What is wrong, in words. There is a bug then, in this crate or in the [`Key`].
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// assert_eq!(index.check_invariants(), Ok(()));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn check_invariants(&self) -> Result<(), String> {
        let entries: Vec<(K, K::Member)> = match &self.form {
            Form::Small(small) => small.entries().to_vec(),
            Form::Tree(tree) => tree.entries().collect(),
        };
        match &self.form {
            Form::Small(_) => {
                ensure!(entries.len() <= SMALL_MAX, "small form of {} members", entries.len());
                check_distinct(&entries, &self.cx)?;
            }
            Form::Tree(tree) => {
                ensure!(tree.len >= SMALL_AGAIN, "tree of {} members", tree.len);
                ensure!(tree.len == entries.len(), "{} of {}", entries.len(), tree.len);
                TreeCheck { tree, cx: &self.cx }.run(&entries)?;
            }
        }
        check_order(&entries, &self.cx)?;
        check_names(&entries, &self.cx)
    }
}

fn check_order<K: Key, const LEAF: usize>(
    entries: &[(K, K::Member)],
    cx: &Context<K, LEAF>,
) -> Result<(), String> {
    for (position, pair) in entries.windows(2).enumerate() {
        let needle = Needle::new(pair[1].1.bytes(&cx.names));
        let order = pair[0].0.order(&pair[1].0);
        let order = order.then_with(|| pair[0].1.order(&needle, &cx.names));
        ensure!(order.is_lt(), "entries {position} and the next are {order:?}");
    }
    Ok(())
}

fn check_distinct<K: Key, const LEAF: usize>(
    entries: &[(K, K::Member)],
    cx: &Context<K, LEAF>,
) -> Result<(), String> {
    for (position, (_, cell)) in entries.iter().enumerate() {
        let twin = entries[..position].iter().any(|(_, other)| other.same_member(cell, &cx.names));
        ensure!(!twin, "the member at {position} is there twice");
    }
    Ok(())
}

/// Every name is owned by one entry, or retired, or free.
fn check_names<K: Key, const LEAF: usize>(
    entries: &[(K, K::Member)],
    cx: &Context<K, LEAF>,
) -> Result<(), String> {
    let used = entries.iter().filter_map(|(_, cell)| cell.handle());
    let mut handles: Vec<Handle> = used.chain(cx.epochs.retired_names()).collect();
    let owned = handles.len();
    ensure!(owned == cx.names.len(), "{owned} names owned, {} stored", cx.names.len());
    handles.extend(cx.names.free_handles());
    let all = handles.len();
    handles.sort_unstable_by_key(|handle| (handle.class, handle.index));
    handles.dedup();
    ensure!(handles.len() == all, "{} names have two owners", all - handles.len());
    for (position, (_, cell)) in entries.iter().enumerate() {
        let hash = cx.hasher.hash(&Needle::new(cell.bytes(&cx.names)));
        ensure!(hash == cx.hasher.hash_cell(cell), "wrong hash in the cell at {position}");
    }
    Ok(())
}

/// The checks of a tree share these.
struct TreeCheck<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    tree: &'a Tree<K, LEAF, INNER, UPPER>,
    cx: &'a Context<K, LEAF>,
}

/// What a walk through the nodes has seen.
struct Walk {
    leaves: Vec<NodeId>,
    bases: Vec<NodeId>,
    uppers: Vec<NodeId>,
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    TreeCheck<'_, K, LEAF, INNER, UPPER>
{
    fn run(&self, entries: &[(K, K::Member)]) -> Result<(), String> {
        let tree = self.tree;
        let mut walk = Walk { leaves: Vec::new(), bases: Vec::new(), uppers: Vec::new() };
        let total = self.node(tree.root, tree.height, Link::NONE, (None, None), &mut walk)?;
        ensure!(total.members as usize == tree.len, "{total:?} in a tree of {}", tree.len);
        ensure!(total.runs as usize == runs(entries), "{total:?}, runs: {}", runs(entries));
        self.links(&walk.leaves)?;
        walk.leaves.extend(self.cx.epochs.retired_leaves());
        check_arena("leaf", &tree.leaves, walk.leaves)?;
        check_arena("base", &tree.bases, walk.bases)?;
        check_arena("upper", &tree.uppers, walk.uppers)?;
        self.table()
    }

    /// Checks the node and everything below it, whose keys must lie within `bounds`.
    fn node(
        &self,
        id: NodeId,
        level: u8,
        link: Link,
        bounds: (Option<K>, Option<K>),
        walk: &mut Walk,
    ) -> Result<Tally, String> {
        match level {
            0 => walk.leaves.push(id),
            1 => walk.bases.push(id),
            _ => walk.uppers.push(id),
        }
        if level == 0 {
            return self.leaf(id, link, bounds);
        }
        at_level!(self.tree, level, nodes => {
            let inner = &nodes[id];
            ensure!(inner.link == link, "inner {id} has another parent");
            ensure!(inner.level == level, "inner {id} is on level {} of {level}", inner.level);
            self.children(id, inner, bounds, walk)
        })
    }

    fn children<C: Count, const N: usize>(
        &self,
        id: NodeId,
        inner: &Inner<K, C, N>,
        bounds: (Option<K>, Option<K>),
        walk: &mut Walk,
    ) -> Result<Tally, String> {
        let below = inner.level - 1;
        ensure!(2 <= inner.len() && inner.len() <= N, "inner {id} has {}", inner.len());
        let mut total = Tally::ZERO;
        for (index, &child) in inner.children().iter().enumerate() {
            let sep = |index: usize| (index < inner.len()).then(|| inner.sep(index));
            let lower = if index == 0 { bounds.0 } else { sep(index) };
            let upper = sep(index + 1).or(bounds.1);
            ensure!(inner.before(index) == total, "inner {id}: sum before child {index}");
            let tally = self.node(child, below, Link::new(id, index), (lower, upper), walk)?;
            ensure!(inner.tally(index) == tally, "inner {id}: tally of child {index}");
            if below > 0 {
                let first = at_level!(self.tree, below, nodes => nodes[child].sep(0));
                ensure!(inner.sep(index) == first, "inner {id}: separator {index} is two");
            }
            total = total.plus(tally);
        }
        ensure!(inner.total() == total, "inner {id}: {:?} for {total:?}", inner.total());
        let exempt = bounds.1.is_none();
        let least = Inner::<K, C, N>::LEAST;
        ensure!(exempt || inner.len() >= least, "inner {id} has only {}", inner.len());
        Ok(total)
    }

    fn leaf(
        &self,
        id: NodeId,
        link: Link,
        (lower, upper): (Option<K>, Option<K>),
    ) -> Result<Tally, String> {
        let leaf = &self.tree.leaves[id];
        ensure!(leaf.link == link, "leaf {id} has another parent");
        ensure!(0 < leaf.len() && leaf.len() <= LEAF, "leaf {id} has {} entries", leaf.len());
        ensure!(self.cx.epochs.has_record(leaf.stamp), "leaf {id} has a stamp without a record");
        let least = Tree::<K, LEAF, INNER, UPPER>::LEAF_LEAST;
        let exempt = leaf.next == NONE;
        ensure!(exempt || leaf.len() >= least, "leaf {id} has only {}", leaf.len());
        let mut slots = leaf.permutation().to_vec();
        slots.sort_unstable();
        let whole = slots.iter().enumerate().all(|(index, &slot)| index == usize::from(slot));
        ensure!(whole, "leaf {id} has no permutation");
        let below = lower.is_none_or(|lower| lower.order(&leaf.key(0)).is_le());
        ensure!(below, "leaf {id} begins before its separator");
        let above = upper.is_none_or(|upper| upper.order(&leaf.last_key()).is_ge());
        ensure!(above, "leaf {id} ends behind the next separator");
        Ok(self.tree.tally_of(id, 0..leaf.len()))
    }

    /// The leaves' links follow the walk.
    fn links(&self, leaves: &[NodeId]) -> Result<(), String> {
        let tree = self.tree;
        let ends = (leaves.first().copied(), leaves.last().copied());
        ensure!(ends == (Some(tree.first), Some(tree.last)), "ends {ends:?}");
        let mut before = NONE;
        for (at, &id) in leaves.iter().enumerate() {
            let leaf: &Leaf<K, LEAF> = &tree.leaves[id];
            ensure!(leaf.prev == before, "leaf {id} has another predecessor");
            let next = leaves.get(at + 1).copied().unwrap_or(NONE);
            ensure!(leaf.next == next, "leaf {id} has another successor");
            before = id;
        }
        Ok(())
    }

    /// Every entry is found through the table, which holds nothing else.
    fn table(&self) -> Result<(), String> {
        let tree = self.tree;
        ensure!(tree.table.len() == tree.len, "{} places", tree.table.len());
        let mut leaf = tree.first;
        while leaf != NONE {
            let node = &tree.leaves[leaf];
            for (pos, &slot) in node.slots().iter().enumerate() {
                let needle = Needle::new(node.cell_in(slot).bytes(&self.cx.names));
                let found = tree.find(self.cx, &needle, self.cx.hasher.hash(&needle));
                let place = Place { leaf, slot };
                ensure!(found == Some(place), "{place:?} is found at {found:?}");
                ensure!(node.position(slot) == pos, "{place:?} has another position");
                ensure!(usize::from(slot) < LEAF_MAX, "{place:?} does not fit a place");
            }
            leaf = node.next;
        }
        let cell = |place: Place| tree.leaves[place.leaf].cell_in(place.slot);
        tree.table.check(|place| self.cx.hasher.hash_cell(cell(place)))
    }
}

/// Every node of the arena is in the tree, or kept for a snapshot, or free.
fn check_arena<T: Copy>(name: &str, arena: &Arena<T>, mut used: Vec<NodeId>) -> Result<(), String> {
    used.extend(arena.free());
    used.sort_unstable();
    let whole = used.iter().enumerate().all(|(index, &id)| index == id as usize);
    ensure!(whole && used.len() == arena.slots(), "{name} numbers are lost or used twice");
    Ok(())
}
