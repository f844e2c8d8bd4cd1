//! A tree of organisations: what one lock guards.
//!
//! What it is: organisations below one root, their users and groups, and how a change applies to
//! them. What it is not: a judge of intents (`resolve.rs`), or of what is unique in the store
//! (`orgs.rs`). Invariant: the state follows from the changes in the order of their numbers; users'
//! and groups' ids are unique in the tree. Cost: that of the change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::RwLock;
use rankd_activity::{Row, RowOrder, RowQuery, Window};

use crate::activities::Activities;
use crate::change::{EnrolmentEvent, Recorded, TreeChange};
use crate::group::{Group, amount};
use crate::ids::{GroupId, OrgId, TargetId, UserId};
use crate::model::{OrgSpec, Profile, TargetGroupSpec, TargetSpec};
use crate::read::{GroupView, OrgApplyError, OrgView};
use crate::recount::recount;
use crate::rules::Rules;
use crate::users::{User, Users};

/// A tree and its lock.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: OrgId,
    pub(crate) state: RwLock<TreeState>,
}

/// What the lock guards.
#[derive(Debug, Default)]
pub(crate) struct TreeState {
    /// How many changes were applied.
    pub(crate) changes: u64,
    pub(crate) orgs: HashMap<OrgId, Org, RandomState>,
    pub(crate) users: Users,
    /// Who owns which group.
    pub(crate) groups: HashMap<GroupId, OrgId, RandomState>,
}

/// An organisation.
#[derive(Debug)]
pub(crate) struct Org {
    pub(crate) spec: Arc<OrgSpec>,
    pub(crate) children: BTreeSet<OrgId>,
    pub(crate) created_ms: i64,
    pub(crate) ingested_ms: i64,
    pub(crate) version: u64,
    /// Users whose home it is.
    pub(crate) users: u64,
    pub(crate) rules: Rules,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    /// None until the first one, as most organisations of a large tree may have none.
    pub(crate) activities: Option<Box<Activities>>,
}

pub(crate) fn misfit(what: impl Into<String>) -> OrgApplyError {
    OrgApplyError(what.into())
}

impl Tree {
    pub(crate) fn new(root: OrgId) -> Self {
        Self { root, state: RwLock::default() }
    }
}

impl Org {
    pub(crate) fn new(spec: OrgSpec, created_ms: i64) -> Self {
        Self {
            spec: Arc::new(spec),
            children: BTreeSet::new(),
            created_ms,
            ingested_ms: created_ms,
            version: 0,
            users: 0,
            rules: Rules::default(),
            groups: BTreeMap::new(),
            activities: None,
        }
    }

    /// Sums what a user's stored activities bring to a target within some time, both ends included.
    fn sum_of(&self, user: UserId, target: &TargetSpec, from: i64, to: i64) -> Option<(i64, i64)> {
        let activities = self.activities.as_ref()?;
        let kinds = &activities.kinds;
        let counts = |kind: rankd_activity::KindId| {
            kinds.view(kind.0).is_some_and(|kind| kind.is_matched_by(&target.matches))
        };
        let window = Window { from_ms: from, until_ms: to.saturating_add(1) };
        let order = RowOrder::OldestFirst;
        let query = RowQuery { kinds: Some(&counts), order, offset: 0, limit: usize::MAX };
        let rows = activities.ledger.rows(window, Some(user.0)).page(&query).rows;
        let last_ms = rows.last()?.at_ms;
        Some((rows.iter().map(|row| amount(target.aggregate, row)).sum(), last_ms))
    }

    fn put_group(&mut self, id: GroupId, spec: TargetGroupSpec) {
        let old = self.groups.remove(&id);
        let (group, stale) = Group::new(Arc::new(spec), old);
        self.groups.insert(id, group);
        self.recount(BTreeMap::from([(id, stale)]));
    }

    fn recount(&mut self, stale: BTreeMap<GroupId, crate::group::Stale>) {
        let activities = self.activities.as_ref().map(|all| (&all.kinds, &all.ledger));
        recount(&mut self.groups, stale, activities);
    }

    /// Counts all boards, after everything was loaded.
    pub(crate) fn recount_all(&mut self) {
        let stale = self.groups.iter().map(|(id, group)| (*id, group.all_boards())).collect();
        self.recount(stale);
    }
}

impl TreeState {
    /// Whether a change with this number is one that was applied already.
    ///
    /// # Errors
    /// If changes before it are missing.
    pub(crate) fn knows(&self, number: u64) -> Result<bool, OrgApplyError> {
        if number > self.changes + 1 {
            return Err(misfit(format!("change {number} comes after {}", self.changes)));
        }
        Ok(number <= self.changes)
    }

    pub(crate) fn org(&self, org: OrgId) -> Result<&Org, OrgApplyError> {
        self.orgs.get(&org).ok_or_else(|| misfit(format!("there is no organisation {}", org.0)))
    }

    pub(crate) fn org_mut(&mut self, org: OrgId) -> Result<&mut Org, OrgApplyError> {
        self.orgs.get_mut(&org).ok_or_else(|| misfit(format!("there is no organisation {}", org.0)))
    }

    /// The organisation and those above it, nearest first.
    pub(crate) fn upwards(&self, org: OrgId) -> impl Iterator<Item = (OrgId, &Org)> {
        let first = self.orgs.get(&org).map(|found| (org, found));
        std::iter::successors(first, |(_, below)| {
            let parent = below.spec.parent?;
            self.orgs.get(&parent).map(|found| (parent, found))
        })
    }

    pub(crate) fn is_within(&self, org: OrgId, ancestor: OrgId) -> bool {
        self.upwards(org).any(|(above, _)| above == ancestor)
    }

    /// Applies the part of a change that concerns the tree. Credentials are elsewhere.
    pub(crate) fn apply(
        &mut self,
        change: &TreeChange,
        accepted_ms: i64,
    ) -> Result<(), OrgApplyError> {
        match change {
            TreeChange::Org { org, spec } => self.put_org(*org, spec, accepted_ms)?,
            TreeChange::NewUsers(users) => {
                for (user, home) in users {
                    self.put_user(*user, *home, None, &Profile::new())?;
                }
            }
            TreeChange::User { user, home, resource_id, profile } => {
                self.put_user(*user, *home, resource_id.as_deref(), profile)?;
                self.org_mut(*home)?.version += 1;
            }
            TreeChange::UserDeleted(user) => self.delete_user(*user)?,
            TreeChange::Rules { org, rules } => {
                let org = self.org_mut(*org)?;
                org.rules = Rules::new(rules.clone());
                org.version += 1;
            }
            TreeChange::Group { org, group, spec } => {
                let owner = self.org_mut(*org)?;
                owner.put_group(*group, spec.clone());
                owner.version += 1;
                self.groups.insert(*group, *org);
            }
            TreeChange::Enrolment { org, group, target, event } => {
                self.enrol(*org, *group, *target, *event)?;
            }
            TreeChange::CredentialAdded { org, .. } | TreeChange::CredentialRevoked { org, .. } => {
                self.org_mut(*org)?.version += 1;
            }
            TreeChange::Recorded(recorded) => {
                self.record(recorded)?;
                self.recorded(OrgId(recorded.org), accepted_ms)?;
            }
        }
        self.changes += 1;
        Ok(())
    }

    fn put_org(&mut self, id: OrgId, spec: &OrgSpec, now_ms: i64) -> Result<(), OrgApplyError> {
        if let Some(org) = self.orgs.get_mut(&id) {
            org.spec = Arc::new(spec.clone());
            org.version += 1;
            return Ok(());
        }
        let mut org = Org::new(spec.clone(), now_ms);
        org.version = 1;
        self.add_org(id, org)
    }

    /// Adds an organisation below its parent.
    ///
    /// # Errors
    /// If the parent is not there.
    pub(crate) fn add_org(&mut self, id: OrgId, org: Org) -> Result<(), OrgApplyError> {
        if let Some(parent) = org.spec.parent {
            self.org_mut(parent)?.children.insert(id);
        }
        self.orgs.insert(id, org);
        Ok(())
    }

    /// Sets a user; returns its slot.
    pub(crate) fn put_user(
        &mut self,
        id: UserId,
        home: OrgId,
        resource_id: Option<&str>,
        profile: &Profile,
    ) -> Result<u32, OrgApplyError> {
        self.org(home)?;
        let profile = (!profile.is_empty()).then(|| Arc::new(profile.clone()));
        let resource_id = resource_id.map(Arc::from);
        let (slot, before) = self.users.put(User { id, home, resource_id, profile });
        if before != Some(home) {
            if let Some(before) = before {
                self.org_mut(before)?.users -= 1;
            }
            self.org_mut(home)?.users += 1;
        }
        Ok(slot)
    }

    fn delete_user(&mut self, user: UserId) -> Result<(), OrgApplyError> {
        let gone = self.users.remove(user);
        let gone = gone.ok_or_else(|| misfit(format!("there is no user {}", user.0)))?;
        for (id, org) in &mut self.orgs {
            let was_active =
                org.activities.as_mut().is_some_and(|all| all.ledger.remove_user(user.0));
            org.groups.values_mut().for_each(|group| group.delete_user(user));
            let was_home = *id == gone.home;
            org.users -= u64::from(was_home);
            org.version += u64::from(was_active || was_home);
        }
        Ok(())
    }

    fn enrol(
        &mut self,
        org: OrgId,
        group: GroupId,
        target: TargetId,
        event: EnrolmentEvent,
    ) -> Result<(), OrgApplyError> {
        let owner = self.org_mut(org)?;
        owner.version += 1;
        let missing = || misfit(format!("there is no target {} in group {}", target.0, group.0));
        let mut of_group = owner.groups.remove(&group).ok_or_else(missing)?;
        let at = of_group.target(target);
        if let Some(at) = at {
            of_group.enrol(at, event, |spec, from, to| owner.sum_of(event.user, spec, from, to));
        }
        owner.groups.insert(group, of_group);
        at.map(|_| ()).ok_or_else(missing)
    }

    /// Applies logged activities.
    fn record(&mut self, recorded: &Recorded) -> Result<(), OrgApplyError> {
        let org = OrgId(recorded.org);
        let activities = self.org_mut(org)?.activities.get_or_insert_default();
        activities.define(&recorded.names).map_err(misfit)?;
        let known = activities.kinds.kinds.len();
        if !recorded.rows.fit(known) || recorded.rows.len() != recorded.prints.len() {
            return Err(misfit("the columns of activities do not fit each other"));
        }
        for print in recorded.uncounted.iter().chain(&recorded.prints) {
            activities.seen.insert(*print);
        }
        for row in recorded.rows.iter() {
            let slot = self.users.slot(UserId(row.user));
            let slot = slot.ok_or_else(|| misfit(format!("there is no user {}", row.user)))?;
            self.add_row(org, slot, row)?;
        }
        Ok(())
    }

    /// Adds an activity of the user in this slot to the organisation's ledger and boards.
    pub(crate) fn add_row(&mut self, id: OrgId, slot: u32, row: Row) -> Result<(), OrgApplyError> {
        let org = self.org_mut(id)?;
        let activities = org.activities.get_or_insert_default();
        let row = activities.add(slot, row);
        if let Some(kind) = activities.kinds.view(row.kind.0) {
            org.groups.values_mut().for_each(|group| group.feed(&kind, &row));
        }
        Ok(())
    }

    /// After activities were added.
    pub(crate) fn recorded(&mut self, org: OrgId, accepted_ms: i64) -> Result<(), OrgApplyError> {
        let org = self.org_mut(org)?;
        org.ingested_ms = org.ingested_ms.max(accepted_ms);
        org.version += 1;
        Ok(())
    }

    pub(crate) fn org_view(&self, root: OrgId, id: OrgId) -> Option<OrgView> {
        let org = self.orgs.get(&id)?;
        Some(OrgView {
            id,
            root,
            spec: Arc::clone(&org.spec),
            created_ms: org.created_ms,
            ingested_ms: org.ingested_ms,
            users: org.users,
            activities: org.activities.as_ref().map_or(0, |all| all.seen.len()),
            version: org.version,
        })
    }

    pub(crate) fn group_view(&self, id: GroupId) -> Option<GroupView> {
        let owner = *self.groups.get(&id)?;
        let spec = Arc::clone(&self.orgs.get(&owner)?.groups.get(&id)?.spec);
        Some(GroupView { id, org: owner, spec })
    }
}
