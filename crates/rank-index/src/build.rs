//! Whole trees from sorted entries.
//!
//! What it is not: a sort; what is out of order is refused. Invariant: the leaves of a finished
//! tree are 7/8 full, so that the first writes do not split all of them; only the last node of a
//! level may have less, and no inner node has a single child. Cost: O(n); the table is made once,
//! in its final size.

use crate::arena::{Arena, NONE, NodeId};
use crate::cell::Cell;
use crate::crew::Crew;
use crate::epochs::Context;
use crate::error::IndexError;
use crate::inner::{Count, Inner, Tally};
use crate::key::{Key, begins_run};
use crate::leaf::{Leaf, Place};
use crate::table::Table;
use crate::tree::{Tree, at_level};

/// Why sorted entries could not be made into an index. Positions count entries from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An entry is not behind its predecessor in order of key and member.
    #[error("entry {position} is not behind its predecessor in order")]
    NotAscending {
        /// Position of the entry.
        position: usize,
    },
    /// A member occurs twice.
    #[error("the member of entry {position} occurs before it")]
    DuplicateMember {
        /// Position of the second occurrence in order.
        position: usize,
    },
    /// A member cannot be in the index.
    #[error("entry {position}: {reason}")]
    Member {
        /// Position of the entry.
        position: usize,
        /// What is wrong with it.
        reason: IndexError,
    },
    /// There are too many entries.
    #[error("there are more than {members_max} entries, the limit of an index")]
    TooMany {
        /// Members that an index may have.
        members_max: usize,
    },
}

/// A finished node, as its parent sees it.
struct Node<K> {
    id: NodeId,
    sep: K,
    tally: Tally,
}

/// A tree that is being built, leaf by leaf.
pub(crate) struct Builder<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    tree: Tree<K, LEAF, INNER, UPPER>,
    epoch: u64,
    level: Vec<Node<K>>,
    last_key: Option<K>,
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Builder<K, LEAF, INNER, UPPER>
{
    pub(crate) fn new(epoch: u64) -> Self {
        let tree = Tree::without_inners(Arena::new());
        Self { tree, epoch, level: Vec::new(), last_key: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.tree.len
    }

    /// Adds an entry behind all others.
    pub(crate) fn push(&mut self, key: K, cell: K::Member) {
        let full = Tree::<K, LEAF, INNER, UPPER>::LEAF_MERGE_MAX;
        if self.level.is_empty() || self.tree.leaves[self.tree.last].len() == full {
            self.begin_leaf(key);
        }
        let leaf = &mut self.tree.leaves[self.tree.last];
        leaf.insert(leaf.len(), key, cell);
        if let Some(node) = self.level.last_mut() {
            node.tally.members += 1;
            node.tally.runs += u32::from(begins_run(self.last_key, &key));
        }
        self.last_key = Some(key);
        self.tree.len += 1;
    }

    fn begin_leaf(&mut self, key: K) {
        let tree = &mut self.tree;
        let id = tree.leaves.insert(Leaf::new(key, self.epoch));
        tree.leaves[id].prev = tree.last;
        if tree.last == NONE {
            tree.first = id;
        } else {
            tree.leaves[tree.last].next = id;
        }
        tree.last = id;
        self.level.push(Node { id, sep: key, tally: Tally::ZERO });
    }

    /// Finishes the tree, which has at least one entry.
    ///
    /// # Errors
    /// The position of the first entry whose member is there twice.
    pub(crate) fn finish(
        mut self,
        cx: &Context<K, LEAF>,
        crew: &dyn Crew,
    ) -> Result<Tree<K, LEAF, INNER, UPPER>, BuildError> {
        while self.level.len() > 1 {
            self.tree.height += 1;
            self.level = self.parents();
        }
        self.tree.root = self.level.first().expect("there is at least one entry").id;
        self.tree.register_all(cx, crew)?;
        Ok(self.tree)
    }

    /// Puts the next level above the present one.
    fn parents(&mut self) -> Vec<Node<K>> {
        let level = self.tree.height;
        let parents = at_level!(mut self.tree, level, nodes => group(nodes, level, &self.level));
        for parent in &parents {
            self.tree.adopt(level, parent.id, 0);
        }
        parents
    }
}

/// Makes nodes over `children`, each with as many as leave it room to grow.
fn group<K: Key, C: Count, const N: usize>(
    nodes: &mut Arena<Inner<K, C, N>>,
    level: u8,
    mut children: &[Node<K>],
) -> Vec<Node<K>> {
    let full = Inner::<K, C, N>::MERGE_MAX;
    let mut parents = Vec::with_capacity(children.len().div_ceil(full - 1));
    while let Some(first) = children.first() {
        // The last node gets two children at least.
        let count = if children.len() == full + 1 { full - 1 } else { full.min(children.len()) };
        let mut inner = Inner::over(level, first.id, first.sep, first.tally);
        for node in &children[1..count] {
            inner.push(node.id, node.sep, node.tally);
        }
        children = &children[count..];
        let tally = inner.total();
        parents.push(Node { id: nodes.insert(inner), sep: first.sep, tally });
    }
    parents
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
    /// Makes the table.
    fn register_all(&mut self, cx: &Context<K, LEAF>, crew: &dyn Crew) -> Result<(), BuildError> {
        let leaves = &self.leaves;
        let cell = |place: Place| leaves[place.leaf].cell_in(place.slot);
        let places = || {
            let following = |leaf: &NodeId| Some(leaves[*leaf].next).filter(|&next| next != NONE);
            std::iter::successors(Some(self.first), following).flat_map(|leaf| {
                let slots = leaves[leaf].slots().iter();
                slots.map(move |&slot| Place { leaf, slot })
            })
        };
        let entries = || places().map(|place| (cx.hasher.hash_cell(cell(place)), place));
        let is_twin = |one: Place, two: Place| cell(one).same_member(cell(two), &cx.names);
        self.table = Table::filled(self.len, entries, is_twin, crew)
            .map_err(|position| BuildError::DuplicateMember { position })?;
        Ok(())
    }
}
