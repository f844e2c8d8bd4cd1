//! What an intent means for the state as it is: a change, nothing, or a rejection.
//!
//! What it is: one function for each sort of intent but activities. What it is not: an effect; the
//! state is only read. Invariant: a change that comes from here applies to that state. Cost: that
//! of comparing what is with what is to be.

use crate::change::{EnrolmentEvent, EnrolmentStep, TreeChange};
use crate::check::{self, invalid, taken, unknown};
use crate::credential::CredentialSpec;
use crate::ids::{CredentialId, GroupId, OrgId, TargetId, UserId};
use crate::intent::{OrgIntent, OrgOutcome, OrgRejection};
use crate::limits::{CREDENTIALS_MAX, ENROLMENT_EVENTS_MAX, GROUPS_MAX, ORGS_MAX, TREE_DEPTH_MAX};
use crate::model::{OrgSpec, Profile, ScoringRule, TargetGroupSpec};
use crate::orgs::Orgs;
use crate::tree::{Org, TreeState};

/// What is to be done; `None` if it is so already.
type Decided = Result<Option<(OrgOutcome, TreeChange)>, OrgRejection>;

/// What an intent is resolved against.
pub(crate) struct Scene<'s> {
    pub(crate) orgs: &'s Orgs,
    pub(crate) state: &'s TreeState,
}

/// Created if there was none before, else changed.
fn outcome(existed: bool) -> OrgOutcome {
    if existed { OrgOutcome::Changed } else { OrgOutcome::Created }
}

fn limited(what: &str, count: usize, max: usize) -> Result<(), OrgRejection> {
    if count <= max {
        return Ok(());
    }
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (value, max) = (number(count), number(max));
    Err(OrgRejection::OutOfLimits { what: what.into(), value, min: 0, max })
}

impl Scene<'_> {
    /// Resolves an intent.
    pub(crate) fn decide(&self, intent: &OrgIntent) -> Decided {
        match intent {
            OrgIntent::PutOrg { org, spec } => self.put_org(*org, spec),
            OrgIntent::PutUser { org, user, resource_id, profile } => {
                self.put_user(*org, *user, resource_id.as_deref(), profile)
            }
            OrgIntent::DeleteUser { org, user } => self.delete_user(*org, *user),
            OrgIntent::PutRules { org, rules } => self.put_rules(*org, rules),
            OrgIntent::PutGroup { org, group, spec } => self.put_group(*org, *group, spec),
            OrgIntent::Enrol { org, group, target, user, from_ms } => {
                let (step, at_ms) = (EnrolmentStep::Entered, *from_ms);
                self.enrol(*org, *group, *target, EnrolmentEvent { user: *user, step, at_ms })
            }
            OrgIntent::Unenrol { org, group, target, user, until_ms } => {
                let (step, at_ms) = (EnrolmentStep::Left, *until_ms);
                self.enrol(*org, *group, *target, EnrolmentEvent { user: *user, step, at_ms })
            }
            OrgIntent::AddCredential { org, spec } => self.add_credential(*org, spec),
            OrgIntent::RevokeCredential { org, credential } => self.revoke(*org, *credential),
            OrgIntent::OfferSigningKey { .. } | OrgIntent::Record(_) => Ok(None),
        }
    }

    fn org(&self, org: OrgId) -> Result<&Org, OrgRejection> {
        self.state.orgs.get(&org).ok_or_else(|| unknown("organisation", org.0))
    }

    fn put_org(&self, org: OrgId, spec: &OrgSpec) -> Decided {
        check::id("the organisation's id", org.0)?;
        check::org(spec)?;
        let known = self.state.orgs.get(&org);
        match known {
            Some(known) if *known.spec == *spec => return Ok(None),
            Some(known) if known.spec.parent != spec.parent => {
                return Err(invalid("the parent of an organisation cannot be changed"));
            }
            Some(_) => {}
            None => self.check_place(spec.parent)?,
        }
        let owner = self.orgs.directory.read().resource_ids.get(&spec.resource_id).copied();
        if owner.is_some_and(|owner| owner != org) {
            return Err(taken("organisation's resourceId", &spec.resource_id));
        }
        let change = TreeChange::Org { org, spec: Box::new(spec.clone()) };
        Ok(Some((outcome(known.is_some()), change)))
    }

    /// Whether there is room for an organisation below `parent`.
    fn check_place(&self, parent: Option<OrgId>) -> Result<(), OrgRejection> {
        let orgs = self.orgs.directory.read().orgs.len();
        limited("the number of organisations", orgs + 1, ORGS_MAX)?;
        let Some(parent) = parent else { return Ok(()) };
        self.org(parent)?;
        let depth = self.state.upwards(parent).count() + 1;
        limited("the depth of the tree of organisations", depth, TREE_DEPTH_MAX)
    }

    fn put_user(
        &self,
        home: OrgId,
        user: UserId,
        resource_id: Option<&str>,
        profile: &Profile,
    ) -> Decided {
        self.org(home)?;
        check::id("userId", user.0)?;
        check::profile(profile)?;
        let resource_id = check::user_resource_id(user, resource_id)?;
        let known = self.state.users.get(user);
        // A user can be fetched from below, but not taken from beside.
        if known.is_some_and(|known| !self.state.is_within(known.home, home)) {
            return Err(taken("user", user.0));
        }
        let holder = resource_id.and_then(|text| self.state.users.by_resource_id(text));
        if let Some(holder) = holder.filter(|holder| holder.id != user) {
            let text = holder.resource_id.as_deref().unwrap_or_default();
            return Err(taken("user's resourceId", text));
        }
        let same = known.is_some_and(|known| {
            known.home == home
                && known.resource_id.as_deref() == resource_id
                && known.profile.as_deref().unwrap_or(&Profile::new()) == profile
        });
        if same {
            return Ok(None);
        }
        let (resource_id, profile) = (resource_id.map(Into::into), profile.clone());
        let change = TreeChange::User { user, home, resource_id, profile };
        Ok(Some((outcome(known.is_some()), change)))
    }

    fn delete_user(&self, org: OrgId, user: UserId) -> Decided {
        self.org(org)?;
        let known = self.state.users.get(user);
        let known = known.filter(|known| self.state.is_within(known.home, org));
        known.ok_or_else(|| unknown("user", user.0))?;
        Ok(Some((OrgOutcome::Changed, TreeChange::UserDeleted(user))))
    }

    fn put_rules(&self, org: OrgId, rules: &[ScoringRule]) -> Decided {
        let known = &self.org(org)?.rules.all;
        check::rules(rules)?;
        if **known == rules {
            return Ok(None);
        }
        let change = TreeChange::Rules { org, rules: rules.to_vec() };
        Ok(Some((outcome(!known.is_empty()), change)))
    }

    fn put_group(&self, org: OrgId, group: GroupId, spec: &TargetGroupSpec) -> Decided {
        let owner = self.org(org)?;
        check::id("the target group's id", group.0)?;
        check::group(spec)?;
        if self.state.groups.get(&group).is_some_and(|owner| *owner != org) {
            return Err(taken("target group", group.0));
        }
        let known = owner.groups.get(&group);
        if known.is_some_and(|known| *known.spec == *spec) {
            return Ok(None);
        }
        if known.is_none() {
            limited("the number of target groups", owner.groups.len() + 1, GROUPS_MAX)?;
        }
        let change = TreeChange::Group { org, group, spec: spec.clone() };
        Ok(Some((outcome(known.is_some()), change)))
    }

    fn enrol(
        &self,
        org: OrgId,
        group: GroupId,
        target: TargetId,
        event: EnrolmentEvent,
    ) -> Decided {
        let found = self.org(org)?.groups.get(&group);
        let found = found.ok_or_else(|| unknown("target group", group.0))?;
        let at = found.target(target).ok_or_else(|| unknown("target", target.0))?;
        if self.state.users.slot(event.user).is_none() {
            return Err(unknown("user", event.user.0));
        }
        check::enrolment_time(event.at_ms)?;
        let enrolments = found.enrolments(at);
        if enrolments.is_idle(&event) {
            return Ok(None);
        }
        if enrolments.is_full(event.user) {
            let most =
                format!("a user enters and leaves a target {ENROLMENT_EVENTS_MAX} times at most");
            return Err(invalid(most));
        }
        let change = TreeChange::Enrolment { org, group, target, event };
        Ok(Some((outcome(enrolments.knows(event.user)), change)))
    }

    fn add_credential(&self, org: OrgId, spec: &CredentialSpec) -> Decided {
        self.org(org)?;
        check::credential(spec)?;
        let credentials = self.orgs.credentials.read();
        limited("the number of credentials", credentials.active_of(org) + 1, CREDENTIALS_MAX)?;
        credentials.check_free(spec)?;
        let id = credentials.next_id();
        let change = TreeChange::CredentialAdded { org, id, spec: Box::new(spec.clone()) };
        Ok(Some((OrgOutcome::CredentialAdded(id), change)))
    }

    fn revoke(&self, org: OrgId, id: CredentialId) -> Decided {
        self.org(org)?;
        let credentials = self.orgs.credentials.read();
        if !credentials.of(org, id)?.active {
            return Ok(None);
        }
        let change = TreeChange::CredentialRevoked { org, id };
        Ok(Some((OrgOutcome::Changed, change)))
    }
}
