//! The way back from a snapshot's items.
//!
//! What it is: what [`crate::OrgsFrozen`] gave out, put in again in the same order, and at the end
//! whatever follows from it. What it is not: a reader of files. Invariant: an item that does not
//! fit what came before is refused. Cost: rows go into the ledger by hundreds of thousands, boards
//! of targets are counted once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::thread;

use rankd_activity::Row;

use crate::activities::Activities;
use crate::change::{EnrolmentEvent, OrgItem, OrgState, Rows, UserState};
use crate::group::Group;
use crate::ids::{GroupId, OrgId, TargetId, UserId};
use crate::model::{ScoringRule, TargetGroupSpec};
use crate::orgs::Orgs;
use crate::read::OrgApplyError;
use crate::rules::Rules;
use crate::tree::{Org, Tree, TreeState, misfit};
use crate::users::Users;

/// Rows that are given to a ledger at once.
const ROWS_AT_ONCE: usize = 1 << 18;

type Loaded = Result<(), OrgApplyError>;

/// What is gathered until it is complete.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    tree: Option<Arc<Tree>>,
    rules: HashMap<OrgId, Vec<ScoringRule>>,
    groups: BTreeMap<GroupId, LoadingGroup>,
    rows: Vec<Row>,
    rows_of: Option<OrgId>,
}

#[derive(Debug)]
struct LoadingGroup {
    org: OrgId,
    spec: TargetGroupSpec,
    enrolments: Vec<(TargetId, EnrolmentEvent)>,
}

impl Orgs {
    /// Loads one item of a snapshot.
    ///
    /// # Errors
    /// If it does not fit what was loaded before it.
    pub fn load(&self, item: OrgItem) -> Result<(), OrgApplyError> {
        let mut loading = self.loading.lock();
        let rows_of = match &item {
            OrgItem::Rows { org, .. } => Some(*org),
            _ => None,
        };
        if loading.rows_of != rows_of {
            loading.flush_rows()?;
        }
        match item {
            OrgItem::SigningKey(key) => self.credentials.write().signing_key = Some(key),
            OrgItem::Tree { root, changes } => {
                loading.end_tree()?;
                let tree = Tree::new(root);
                tree.state.write().changes = changes;
                loading.tree = Some(Arc::new(tree));
            }
            OrgItem::Credentials(all) => {
                let mut credentials = self.credentials.write();
                for credential in all {
                    credentials.add(credential).map_err(misfit)?;
                }
            }
            item => self.load_into_tree(&mut loading, item)?,
        }
        Ok(())
    }

    fn load_into_tree(&self, loading: &mut Loading, item: OrgItem) -> Loaded {
        let none = || misfit("the first item of a tree is missing");
        let tree = Arc::clone(loading.tree.as_ref().ok_or_else(none)?);
        let mut state = tree.state.write();
        match item {
            OrgItem::Org(org) => self.load_org(&tree, &mut state, *org)?,
            OrgItem::Rules { org, rules } => loading.rules.entry(org).or_default().extend(rules),
            OrgItem::Users(users) => self.load_users(&mut state, users)?,
            OrgItem::Group { org, group, name, active, leaderboard_enabled } => {
                let (targets, periods) = (Vec::new(), Vec::new());
                let spec = TargetGroupSpec { name, active, leaderboard_enabled, targets, periods };
                let group_ = LoadingGroup { org, spec, enrolments: Vec::new() };
                loading.groups.insert(group, group_);
            }
            OrgItem::Targets { group, targets } => {
                loading.group(group)?.spec.targets.extend(targets);
            }
            OrgItem::Periods { group, periods } => {
                loading.group(group)?.spec.periods.extend(periods);
            }
            OrgItem::Enrolments { group, target, events } => {
                let events = events.into_iter().map(|event| (target, event));
                loading.group(group)?.enrolments.extend(events);
            }
            OrgItem::Names { org, names } => {
                let activities = state.org_mut(org)?.activities.get_or_insert_default();
                activities.define(&names).map_err(misfit)?;
            }
            OrgItem::Prints { org, prints } => {
                let seen = &mut state.org_mut(org)?.activities.get_or_insert_default().seen;
                let new = prints.iter().filter(|print| seen.insert(**print)).count();
                self.counts.recorded(new);
            }
            OrgItem::Rows { org, rows, corrections } => {
                loading.rows_of = Some(org);
                loading.take_rows(&mut state, org, &rows, &corrections)?;
            }
            OrgItem::SigningKey(_) | OrgItem::Tree { .. } | OrgItem::Credentials(_) => {}
        }
        Ok(())
    }

    fn load_org(&self, tree: &Arc<Tree>, state: &mut TreeState, org: OrgState) -> Loaded {
        let OrgState { id, spec, created_ms, ingested_ms, version } = org;
        if spec.parent.is_none() != (id == tree.root) {
            return Err(misfit(format!("organisation {} is no part of the tree", id.0)));
        }
        let mut org = Org::new(spec, created_ms);
        (org.ingested_ms, org.version) = (ingested_ms, version);
        state.add_org(id, org)?;
        self.publish(tree, state, id, None);
        Ok(())
    }

    fn load_users(&self, state: &mut TreeState, users: Vec<UserState>) -> Loaded {
        let before = state.users.len();
        for user in users {
            let UserState { id, home, resource_id, profile } = user;
            state.put_user(id, home, resource_id.as_deref(), &profile)?;
        }
        self.counts.users_changed(before, state.users.len());
        Ok(())
    }

    /// After the last item: builds what follows from the items.
    ///
    /// # Errors
    /// If the items do not fit each other.
    pub fn load_end(&self) -> Result<(), OrgApplyError> {
        let mut loading = self.loading.lock();
        loading.flush_rows()?;
        loading.end_tree()?;
        *loading = Loading::default();
        Ok(())
    }
}

impl Loading {
    fn group(&mut self, id: GroupId) -> Result<&mut LoadingGroup, OrgApplyError> {
        let group = self.groups.get_mut(&id);
        group.ok_or_else(|| misfit(format!("there is no target group {}", id.0)))
    }

    fn take_rows(
        &mut self,
        state: &mut TreeState,
        org: OrgId,
        rows: &Rows,
        corrections: &[u32],
    ) -> Loaded {
        let TreeState { users, orgs, .. } = state;
        let activities = orgs.get_mut(&org).and_then(|org| org.activities.as_mut());
        let Some(activities) = activities.filter(|all| rows.fit(all.kinds.kinds.len())) else {
            return Err(misfit(format!("activities of organisation {} do not fit", org.0)));
        };
        let first = self.rows.len();
        self.rows.extend(rows.iter());
        for at in corrections {
            let row = self.rows.get_mut(first + *at as usize);
            row.ok_or_else(|| misfit("a correction that is not there"))?.is_correction = true;
        }
        if self.rows.len() >= ROWS_AT_ONCE {
            append(users, activities, &self.rows)?;
            self.rows.clear();
        }
        Ok(())
    }

    /// Gives the rest of the rows to their ledger.
    fn flush_rows(&mut self) -> Loaded {
        let (Some(org), Some(tree)) = (self.rows_of.take(), &self.tree) else { return Ok(()) };
        let mut state = tree.state.write();
        let TreeState { users, orgs, .. } = &mut *state;
        let activities = orgs.get_mut(&org).and_then(|org| org.activities.as_mut());
        let activities = activities.ok_or_else(|| misfit("rows of no organisation"))?;
        append(users, activities, &self.rows)?;
        activities.ledger.settle();
        self.rows = Vec::new();
        Ok(())
    }

    /// Builds rules and groups of a tree of which everything is there.
    fn end_tree(&mut self) -> Loaded {
        let Some(tree) = self.tree.take() else { return Ok(()) };
        let mut state = tree.state.write();
        for (org, rules) in std::mem::take(&mut self.rules) {
            state.org_mut(org)?.rules = Rules::new(rules);
        }
        for (id, loaded) in std::mem::take(&mut self.groups) {
            let (mut group, _) = Group::new(Arc::new(loaded.spec), None);
            for (target, event) in loaded.enrolments {
                let missing = || misfit(format!("there is no target {}", target.0));
                let at = group.target(target).ok_or_else(missing)?;
                group.note(at, event);
            }
            state.org_mut(loaded.org)?.groups.insert(id, group);
            state.groups.insert(id, loaded.org);
        }
        state.orgs.values_mut().for_each(Org::recount_all);
        Ok(())
    }
}

/// Gives rows to their ledger, and meanwhile notes which are the first of their campaigns.
fn append(users: &Users, activities: &mut Activities, rows: &[Row]) -> Loaded {
    let (ledger, mut firsts) = activities.loading();
    let mut note = || -> Loaded {
        rows.iter().try_for_each(|row| {
            let slot = users.slot(UserId(row.user));
            let slot = slot.ok_or_else(|| misfit(format!("there is no user {}", row.user)))?;
            firsts.note(slot, row);
            Ok(())
        })
    };
    let mut append = || ledger.append_all(rows).map_err(|error| misfit(error.to_string()));
    if rows.len() < ROWS_AT_ONCE / 4 {
        return note().and_then(|()| append());
    }
    thread::scope(|scope| {
        let noted = scope.spawn(&mut note);
        let appended = append();
        noted.join().unwrap_or_else(|_| Err(misfit("a thread panicked"))).and(appended)
    })
}
