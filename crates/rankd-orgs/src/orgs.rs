//! All organisations of a store: what is unique in it, and how changes get in.
//!
//! What it is: the directory of trees, the credentials, and the locks. What it is not: the state of
//! a tree (`tree.rs`), or a resolver (`turn.rs`).
//!
//! Invariant: locks are taken in this order: registry, trees by ascending root, then for moments
//! credentials or directory. The registry is held by whoever adds or changes what is unique in the
//! store, so that it cannot change between the check and the effect.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use parking_lot::{Mutex, RwLock};

use crate::change::{OrgChange, TreeChange};
use crate::credential::Credential;
use crate::credential_store::Credentials;
use crate::ids::OrgId;
use crate::intent::{OrgIntent, OrgOutcome};
use crate::load::Loading;
use crate::read::{OrgApplyError, OrgTotals};
use crate::tree::{Tree, TreeState, misfit};
use crate::turn::{Prepared, Turn};

/// Most threads that sum one window.
const THREADS_MAX: usize = 8;

/// All organisations of a store.
#[derive(Debug)]
pub struct Orgs {
    pub(crate) registry: Mutex<()>,
    pub(crate) directory: RwLock<Directory>,
    pub(crate) credentials: RwLock<Credentials>,
    pub(crate) counts: Counts,
    pub(crate) loading: Mutex<Loading>,
    /// Organisations with boards that are large enough to be kept live.
    pub(crate) hot: Mutex<HashSet<OrgId>>,
    /// Organisations whose ledgers have merges to be done.
    pub(crate) unmerged: Mutex<HashSet<OrgId>>,
    /// Threads that sum one window.
    pub(crate) threads: NonZeroUsize,
}

/// Where organisations are.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) trees: BTreeMap<OrgId, Arc<Tree>>,
    pub(crate) orgs: HashMap<OrgId, Arc<Tree>, RandomState>,
    pub(crate) resource_ids: HashMap<Box<str>, OrgId, RandomState>,
}

/// Sizes, kept so that nobody has to walk for them.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) orgs: AtomicU64,
    pub(crate) users: AtomicU64,
    pub(crate) activities: AtomicU64,
}

impl Default for Orgs {
    fn default() -> Self {
        Self::new()
    }
}

impl Orgs {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            registry: Mutex::default(),
            directory: RwLock::default(),
            credentials: RwLock::default(),
            counts: Counts::default(),
            loading: Mutex::default(),
            hot: Mutex::default(),
            unmerged: Mutex::default(),
            threads: threads(),
        }
    }

    /// Resolves and applies intents in order, in one turn. If anything changed, `append` is called
    /// once with the changes while everything that was touched is still locked, so that the order
    /// of appends is the order of effects. One outcome an intent; bad ones are rejected one by one.
    pub fn execute(
        &self,
        intents: &[OrgIntent],
        now_ms: i64,
        append: &mut dyn FnMut(Vec<OrgChange>),
    ) -> Vec<OrgOutcome> {
        let prepared = intents.iter().map(|intent| Prepared::new(intent, now_ms));
        let prepared: Vec<Prepared<'_>> = prepared.collect();
        let _registry = intents.iter().any(needs_registry).then(|| self.registry.lock());
        let trees = self.trees_of(intents);
        let mut turn = Turn::new(self, &trees, now_ms);
        let outcomes = prepared.into_iter().map(|intent| turn.execute(intent)).collect();
        let changes = turn.finish();
        if !changes.is_empty() {
            append(changes);
        }
        drop(turn);
        outcomes
    }

    /// The trees that a batch may touch, by root: those that are there and those that it may make.
    fn trees_of(&self, intents: &[OrgIntent]) -> Vec<Arc<Tree>> {
        let directory = self.directory.read();
        let mut trees: BTreeMap<OrgId, Arc<Tree>> = BTreeMap::new();
        // Roots that an organisation may get in this batch: more than one if an intent fails.
        let mut planned: HashMap<OrgId, Vec<OrgId>> = HashMap::new();
        let mut last = None;
        for intent in intents {
            let Some(org) = org_of(intent).filter(|org| last != Some(*org)) else { continue };
            if let Some(tree) = directory.orgs.get(&org) {
                last = Some(org);
                trees.entry(tree.root).or_insert_with(|| Arc::clone(tree));
            } else if let OrgIntent::PutOrg { spec, .. } = intent {
                let roots = match spec.parent {
                    None => {
                        trees.entry(org).or_insert_with(|| Arc::new(Tree::new(org)));
                        vec![org]
                    }
                    Some(parent) => match directory.orgs.get(&parent) {
                        Some(tree) => {
                            trees.entry(tree.root).or_insert_with(|| Arc::clone(tree));
                            vec![tree.root]
                        }
                        None => planned.get(&parent).cloned().unwrap_or_default(),
                    },
                };
                let known = planned.entry(org).or_default();
                known.extend(roots);
                known.sort_unstable();
                known.dedup();
            }
        }
        trees.into_values().collect()
    }

    /// Applies a logged change.
    ///
    /// # Errors
    /// If it does not fit, which means that something before it is missing.
    pub fn apply(&self, change: &OrgChange, accepted_ms: i64) -> Result<(), OrgApplyError> {
        let _registry = self.registry.lock();
        let (root, number, change) = match change {
            OrgChange::SigningKey(key) => {
                self.credentials.write().signing_key = Some(*key);
                return Ok(());
            }
            OrgChange::Tree { root, number, change } => (*root, *number, change),
        };
        let known = self.directory.read().trees.get(&root).cloned();
        let tree = match (known, change) {
            (Some(tree), _) => tree,
            (None, TreeChange::Org { org, .. }) if *org == root => Arc::new(Tree::new(root)),
            (None, _) => return Err(misfit(format!("there is no tree {}", root.0))),
        };
        let mut state = tree.state.write();
        if state.knows(number)? {
            return Ok(());
        }
        self.apply_to(&tree, &mut state, change, accepted_ms)
    }

    /// Applies a change to its tree and to what is unique in the store.
    pub(crate) fn apply_to(
        &self,
        tree: &Arc<Tree>,
        state: &mut TreeState,
        change: &TreeChange,
        accepted_ms: i64,
    ) -> Result<(), OrgApplyError> {
        let users = state.users.len();
        match change {
            TreeChange::Org { org, .. } => {
                let old = state.orgs.get(org).map(|org| org.spec.resource_id.clone());
                state.apply(change, accepted_ms)?;
                self.publish(tree, state, *org, old.as_deref());
            }
            TreeChange::CredentialAdded { org, id, spec } => {
                state.apply(change, accepted_ms)?;
                let (spec, created_ms) = ((**spec).clone(), accepted_ms);
                let added = Credential { id: *id, org: *org, active: true, created_ms, spec };
                self.credentials.write().add(added).map_err(misfit)?;
            }
            TreeChange::CredentialRevoked { id, .. } => {
                state.apply(change, accepted_ms)?;
                self.credentials.write().revoke(*id);
            }
            TreeChange::Recorded(recorded) => {
                state.apply(change, accepted_ms)?;
                self.counts.recorded(recorded.prints.len() + recorded.uncounted.len());
                self.note_merges(state, OrgId(recorded.org));
            }
            _ => state.apply(change, accepted_ms)?,
        }
        self.counts.users_changed(users, state.users.len());
        Ok(())
    }

    /// Makes an organisation findable.
    pub(crate) fn publish(
        &self,
        tree: &Arc<Tree>,
        state: &TreeState,
        org: OrgId,
        old_resource_id: Option<&str>,
    ) {
        let Some(found) = state.orgs.get(&org) else { return };
        let mut directory = self.directory.write();
        if let Some(old) = old_resource_id {
            directory.resource_ids.remove(old);
        }
        directory.resource_ids.insert(found.spec.resource_id.clone(), org);
        directory.trees.entry(tree.root).or_insert_with(|| Arc::clone(tree));
        if directory.orgs.insert(org, Arc::clone(tree)).is_none() {
            self.counts.orgs.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The tree that an organisation is in.
    pub(crate) fn tree_of(&self, org: OrgId) -> Option<Arc<Tree>> {
        self.directory.read().orgs.get(&org).cloned()
    }

    /// Sizes. Cheap enough for every scrape of the metrics.
    #[must_use]
    pub fn totals(&self) -> OrgTotals {
        OrgTotals {
            orgs: self.counts.orgs.load(Ordering::Relaxed),
            users: self.counts.users.load(Ordering::Relaxed),
            activities: self.counts.activities.load(Ordering::Relaxed),
        }
    }
}

impl Counts {
    pub(crate) fn users_changed(&self, before: u64, after: u64) {
        // Wrapping: the difference may be negative.
        self.users.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
    }

    pub(crate) fn recorded(&self, activities: usize) {
        self.activities.fetch_add(activities as u64, Ordering::Relaxed);
    }
}

/// Threads that sum one window.
pub(crate) fn threads() -> NonZeroUsize {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    cores.min(NonZeroUsize::new(THREADS_MAX).unwrap_or(NonZeroUsize::MIN))
}

/// Whether the intent concerns something that is unique in the store.
fn needs_registry(intent: &OrgIntent) -> bool {
    matches!(
        intent,
        OrgIntent::PutOrg { .. }
            | OrgIntent::AddCredential { .. }
            | OrgIntent::RevokeCredential { .. }
            | OrgIntent::OfferSigningKey { .. }
    )
}

/// The organisation that an intent is about.
pub(crate) fn org_of(intent: &OrgIntent) -> Option<OrgId> {
    match intent {
        OrgIntent::PutOrg { org, .. }
        | OrgIntent::PutUser { org, .. }
        | OrgIntent::DeleteUser { org, .. }
        | OrgIntent::PutRules { org, .. }
        | OrgIntent::PutGroup { org, .. }
        | OrgIntent::Enrol { org, .. }
        | OrgIntent::Unenrol { org, .. }
        | OrgIntent::AddCredential { org, .. }
        | OrgIntent::RevokeCredential { org, .. } => Some(*org),
        OrgIntent::Record(input) => Some(input.org),
        OrgIntent::OfferSigningKey { .. } => None,
    }
}
