//! What the next few operations will read, asked for before the first of them.
//!
//! What it is not: needed; an index without these calls computes the same. Invariant: nothing
//! changes but what the processor's caches hold. Cost: about that of the hashes, for writes with
//! the keys that of a search each, in exchange for cache misses that overlap: worth it for a dozen
//! members or two, right before they are looked up or written one by one.

use crate::cell::Needle;
use crate::index::{Form, RankIndex};
use crate::key::Key;
use crate::leaf::Leaf;
use crate::tree::WINDOW;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    RankIndex<K, LEAF, INNER, UPPER>
{
    /// Asks the memory for what looking up these members reads.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.prefetch(&["ada", "bob"]);
    /// ```
    pub fn prefetch(&self, members: &[impl AsRef<[u8]>]) {
        self.ask(members, Leaf::prefetch_rank);
    }

    /// Asks the memory for what [`update`](Self::update) of these members reads, if their new keys
    /// are near their old ones.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.prefetch_update(&["ada", "bob"]);
    /// ```
    pub fn prefetch_update(&self, members: &[impl AsRef<[u8]>]) {
        self.ask(members, Leaf::prefetch_change);
    }

    /// Asks the memory for what [`upsert`](Self::upsert) of these members with these keys reads.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.prefetch_upsert(&["ada", "bob"], &[ScoreKey { score: 7 }, ScoreKey { score: 5 }]);
    /// ```
    pub fn prefetch_upsert(&self, members: &[impl AsRef<[u8]>], keys: &[K]) {
        let Form::Tree(tree) = &self.form else { return };
        self.ask(members, Leaf::prefetch_removal);
        for keys in keys.chunks(WINDOW) {
            tree.prefetch_keys(keys);
        }
    }

    fn ask(&self, members: &[impl AsRef<[u8]>], ask: impl Fn(&Leaf<K, LEAF>, u8)) {
        let Form::Tree(tree) = &self.form else { return };
        let mut hashes = [0; WINDOW];
        for members in members.chunks(WINDOW) {
            let hashes = &mut hashes[..members.len()];
            for (hash, member) in hashes.iter_mut().zip(members) {
                *hash = self.cx.hasher.hash(&Needle::new(member.as_ref()));
            }
            tree.prefetch_members(&self.cx.names, hashes.iter().copied(), &ask);
        }
    }
}
