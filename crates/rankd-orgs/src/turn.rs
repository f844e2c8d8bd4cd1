//! One batch of intents, under the locks of all trees that it touches.
//!
//! What it is: intent by intent, resolved against the state that the ones before left, and applied.
//! What it is not: a resolver of anything but activities (`resolve.rs` has the others). Invariant:
//! applying the changes in their order to the state from before gives the state after. Activities
//! that follow each other become one change for each organisation; anything else in between ends
//! these first. Cost: that of the intents.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::RwLockWriteGuard;
use rankd_activity::{KindId, Row};

use crate::change::{OrgChange, Recorded, TreeChange};
use crate::check;
use crate::ids::{OrgId, UserId};
use crate::intent::{ActivityInput, OrgIntent, OrgOutcome, OrgRejection};
use crate::model::Profile;
use crate::orgs::{Orgs, org_of};
use crate::resolve::Scene;
use crate::rules::{Facts, resolve};
use crate::seen::fingerprint;
use crate::tree::{Tree, TreeState};

const FITS: &str = "a change that was resolved against a state applies to it";

/// An intent, with what can be known of it before anything is locked.
pub(crate) enum Prepared<'i> {
    Activity(Result<Activity<'i>, OrgRejection>),
    Other(&'i OrgIntent),
}

/// An activity that keeps to the limits.
pub(crate) struct Activity<'i> {
    input: &'i ActivityInput,
    print: u128,
    /// None if it counts nowhere.
    facts: Option<Facts<'i>>,
}

impl<'i> Prepared<'i> {
    pub(crate) fn new(intent: &'i OrgIntent, now_ms: i64) -> Self {
        let OrgIntent::Record(input) = intent else { return Self::Other(intent) };
        Self::Activity(check::activity(input, now_ms).map(|()| Activity {
            input,
            print: fingerprint(&input.id),
            facts: Facts::of(input),
        }))
    }
}

/// A batch in progress.
pub(crate) struct Turn<'t> {
    orgs: &'t Orgs,
    now_ms: i64,
    /// By ascending root.
    trees: Vec<Open<'t>>,
    changes: Vec<OrgChange>,
    /// Where the last activity's organisation was found.
    last: Option<(OrgId, usize)>,
}

/// A locked tree, with activities that are applied but not yet a change.
struct Open<'t> {
    tree: &'t Arc<Tree>,
    state: RwLockWriteGuard<'t, TreeState>,
    new_users: Vec<(UserId, OrgId)>,
    recorded: Vec<Recorded>,
    recorded_at: HashMap<OrgId, usize, RandomState>,
}

impl<'t> Turn<'t> {
    /// Locks the trees, which come by ascending root.
    pub(crate) fn new(orgs: &'t Orgs, trees: &'t [Arc<Tree>], now_ms: i64) -> Self {
        let open = |tree: &'t Arc<Tree>| Open {
            tree,
            state: tree.state.write(),
            new_users: Vec::new(),
            recorded: Vec::new(),
            recorded_at: HashMap::default(),
        };
        let trees = trees.iter().map(open).collect();
        Self { orgs, now_ms, trees, changes: Vec::new(), last: None }
    }

    /// Carries out one intent.
    pub(crate) fn execute(&mut self, prepared: Prepared<'_>) -> OrgOutcome {
        let done = match prepared {
            Prepared::Activity(Err(why)) => Err(why),
            Prepared::Activity(Ok(activity)) => self.record(&activity),
            Prepared::Other(OrgIntent::OfferSigningKey { key }) => Ok(self.offer_key(*key)),
            Prepared::Other(intent) => self.decide(intent),
        };
        done.unwrap_or_else(OrgOutcome::Rejected)
    }

    /// All changes, in order.
    pub(crate) fn finish(&mut self) -> Vec<OrgChange> {
        for at in 0..self.trees.len() {
            self.flush(at);
        }
        std::mem::take(&mut self.changes)
    }

    fn offer_key(&mut self, key: [u8; 32]) -> OrgOutcome {
        let mut credentials = self.orgs.credentials.write();
        if credentials.signing_key.is_some() {
            return OrgOutcome::Unchanged;
        }
        credentials.signing_key = Some(key);
        self.changes.push(OrgChange::SigningKey(key));
        OrgOutcome::Created
    }

    /// Position of the tree that an organisation is in.
    fn find(&mut self, org: OrgId) -> Option<usize> {
        if let Some((_, at)) = self.last.filter(|(last, _)| *last == org) {
            return Some(at);
        }
        let root = self.orgs.directory.read().orgs.get(&org)?.root;
        let at = self.position(root)?;
        self.last = Some((org, at));
        Some(at)
    }

    fn position(&self, root: OrgId) -> Option<usize> {
        self.trees.binary_search_by_key(&root, |open| open.tree.root).ok()
    }

    /// Position of the tree that an intent is about, be it one that it makes.
    fn tree_for(&mut self, intent: &OrgIntent) -> Result<usize, OrgRejection> {
        let org = org_of(intent).expect("only a signing key belongs to no organisation");
        if let Some(at) = self.find(org) {
            return Ok(at);
        }
        let parent = match intent {
            OrgIntent::PutOrg { spec, .. } => spec.parent,
            _ => return Err(check::unknown("organisation", org.0)),
        };
        let at = match parent {
            None => self.position(org),
            Some(parent) => self.find(parent),
        };
        at.ok_or_else(|| check::unknown("organisation", parent.unwrap_or(org).0))
    }

    fn decide(&mut self, intent: &OrgIntent) -> Result<OrgOutcome, OrgRejection> {
        let at = self.tree_for(intent)?;
        let scene = Scene { orgs: self.orgs, state: &self.trees[at].state };
        let Some((outcome, change)) = scene.decide(intent)? else {
            return Ok(OrgOutcome::Unchanged);
        };
        self.flush(at);
        let open = &mut self.trees[at];
        self.orgs.apply_to(open.tree, &mut open.state, &change, self.now_ms).expect(FITS);
        self.changes.push(open.numbered(change));
        Ok(outcome)
    }

    /// Ends the activities of a tree.
    fn flush(&mut self, at: usize) {
        let open = &mut self.trees[at];
        open.recorded_at.clear();
        let new_users = std::mem::take(&mut open.new_users);
        if !new_users.is_empty() {
            open.state.changes += 1;
            self.changes.push(open.numbered(TreeChange::NewUsers(new_users)));
        }
        for recorded in std::mem::take(&mut open.recorded) {
            open.state.changes += 1;
            open.state.recorded(OrgId(recorded.org), self.now_ms).expect(FITS);
            self.orgs.note_merges(&open.state, OrgId(recorded.org));
            self.changes.push(open.numbered(TreeChange::Recorded(Box::new(recorded))));
        }
    }

    fn record(&mut self, activity: &Activity<'_>) -> Result<OrgOutcome, OrgRejection> {
        let Activity { input, print, ref facts } = *activity;
        let at = self.find(input.org).ok_or_else(|| check::unknown("organisation", input.org.0))?;
        let open = &mut self.trees[at];
        let org = open.state.orgs.get_mut(&input.org).expect("the directory leads to it");
        let activities = org.activities.get_or_insert_default();
        if activities.seen.contains(print) {
            return Ok(OrgOutcome::Duplicate);
        }
        if activities.is_full() {
            return Err(check::invalid("the organisation has all the activities that it can have"));
        }
        activities.seen.insert(print);
        self.orgs.counts.recorded(1);
        match facts {
            Some(facts) => {
                let added = open.add(facts, print);
                self.orgs.counts.users_changed(0, added);
            }
            None => open.recorded(input.org).uncounted.push(print),
        }
        Ok(OrgOutcome::Created)
    }
}

impl Open<'_> {
    /// A change that was just applied, with its number.
    fn numbered(&self, change: TreeChange) -> OrgChange {
        OrgChange::Tree { root: self.tree.root, number: self.state.changes, change }
    }

    fn recorded(&mut self, org: OrgId) -> &mut Recorded {
        let at = *self.recorded_at.entry(org).or_insert_with(|| {
            self.recorded.push(Recorded { org: org.0, ..Recorded::default() });
            self.recorded.len() - 1
        });
        &mut self.recorded[at]
    }

    /// Adds an activity; returns how many users are new.
    fn add(&mut self, facts: &Facts<'_>, print: u128) -> u64 {
        let (org, user) = (facts.input.org, facts.input.user);
        let resolved = resolve(facts, self.state.upwards(org).map(|(_, org)| &org.rules));
        let known = self.state.users.slot(user);
        let slot = known.unwrap_or_else(|| {
            self.new_users.push((user, org));
            self.state.put_user(user, org, None, &Profile::new()).expect(FITS)
        });
        self.recorded(org);
        let recorded = &mut self.recorded[self.recorded_at[&org]];
        let activities = self.state.org_mut(org).expect(FITS).activities.get_or_insert_default();
        let kind = activities.kind_of(facts, &resolved, &mut recorded.names);
        let small = |number: i64| i32::try_from(number).expect("checked against POINTS_MAX");
        let row = Row {
            user: user.0,
            at_ms: facts.input.at_ms,
            kind: KindId(kind),
            points: small(resolved.points),
            possible: small(resolved.possible),
            value: small(facts.input.value.unwrap_or(0)),
            is_correction: false,
        };
        recorded.push(&row, print);
        self.state.add_row(org, slot, row).expect(FITS);
        u64::from(known.is_none())
    }
}
