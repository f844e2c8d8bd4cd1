//! Work that is better done before somebody waits for it.
//!
//! What it is: merges of runs of activities that are too long to be done while activities come in,
//! and live boards that follow them. What it is not: a thread, nor needed for any answer; without
//! it, appends merge once there are too many runs, and boards catch up when they are asked.
//! Invariant: no lock is held while a merge runs. Cost: nothing where nothing is due; else tens of
//! nanoseconds for each row that is merged, on the caller's thread.

use std::sync::Arc;

use rankd_activity::Ledger;

use crate::board::Place;
use crate::ids::OrgId;
use crate::orgs::Orgs;
use crate::tree::{Tree, TreeState};

/// Merges of one organisation in one round; the rest waits for the next one, so that live boards
/// do not.
const ROUND_MERGES_MAX: usize = 64;

impl Orgs {
    /// Merges what is due, keeps live boards up to date, and makes those that were asked for often.
    /// For a thread that calls it every few hundred milliseconds; making a board of a million
    /// users takes a second. Without it every answer is the same, only later.
    pub fn maintain(&self) {
        let unmerged = std::mem::take(&mut *self.unmerged.lock());
        for org in unmerged {
            if let Some(tree) = self.tree_of(org) {
                self.merge(&tree, org);
            }
        }
        let hot: Vec<OrgId> = self.hot.lock().iter().copied().collect();
        for org in hot {
            if let Some(tree) = self.tree_of(org) {
                follow(&tree, org);
            }
        }
    }

    /// Remembers that an organisation has merges to be done, if it has.
    pub(crate) fn note_merges(&self, state: &TreeState, org: OrgId) {
        if ledger_of(state, org).is_some_and(Ledger::has_merge_job) {
            self.unmerged.lock().insert(org);
        }
    }

    fn merge(&self, tree: &Tree, org: OrgId) {
        for _ in 0..ROUND_MERGES_MAX {
            let job = ledger_of(&tree.state.read(), org).and_then(Ledger::merge_job);
            let Some(job) = job else { return };
            let merged = job.run();
            let mut state = tree.state.write();
            let activities = state.orgs.get_mut(&org).and_then(|org| org.activities.as_mut());
            let Some(activities) = activities else { return };
            activities.ledger.finish(merged);
        }
        self.note_merges(&tree.state.read(), org);
    }
}

fn ledger_of(state: &TreeState, org: OrgId) -> Option<&Ledger> {
    state.orgs.get(&org)?.activities.as_ref().map(|activities| &activities.ledger)
}

fn follow(tree: &Tree, org: OrgId) {
    let state = tree.state.read();
    let activities = state.orgs.get(&org).and_then(|org| org.activities.as_ref());
    let hot = activities.map(|activities| Arc::clone(&activities.hot));
    drop(state);
    if let Some(hot) = hot {
        hot.maintain(&Place { tree, org });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;
    use crate::intent::{ActivityInput, Attributes, OrgIntent, OrgOutcome};
    use crate::model::{Licence, OrgSpec};
    use crate::read::{BoardRequest, Measure, Tally, Window};

    const ORG: OrgId = OrgId(1);
    const NOW: i64 = 1_773_662_400_000;
    const ACTIVITIES: u64 = 60_000;

    fn put_org() -> OrgIntent {
        let spec = OrgSpec {
            parent: None,
            resource_id: "northwind".into(),
            name: "Northwind".into(),
            time_zone: "Europe/Oslo".into(),
            leaderboards_enabled: true,
            enrichment_fields: Vec::new(),
            licence: Licence::default(),
        };
        OrgIntent::PutOrg { org: ORG, spec }
    }

    fn activity(number: u64) -> OrgIntent {
        OrgIntent::Record(ActivityInput {
            id: format!("a-{number}").into(),
            org: ORG,
            user: UserId(1 + number * 7919 % 5000),
            action: "Reported".into(),
            at_ms: NOW - i64::try_from(number * 104_729 % 1_000_000).expect("it is small"),
            points: Some(1),
            possible: None,
            value: None,
            attributes: Attributes::default(),
        })
    }

    fn recorded() -> Orgs {
        let orgs = Orgs::new();
        let activities = (0..ACTIVITIES).map(activity);
        let intents: Vec<OrgIntent> = std::iter::once(put_org()).chain(activities).collect();
        for batch in intents.chunks(10_000) {
            let outcomes = orgs.execute(batch, NOW, &mut |_| {});
            assert!(outcomes.iter().all(|outcome| *outcome == OrgOutcome::Created));
        }
        orgs
    }

    fn has_merges(orgs: &Orgs) -> bool {
        let tree = orgs.tree_of(ORG).expect("it was put");
        ledger_of(&tree.state.read(), ORG).is_some_and(Ledger::has_merge_job)
    }

    fn tallies(orgs: &Orgs) -> Vec<(UserId, Tally)> {
        let request = BoardRequest {
            measure: Measure::Points,
            window: Window { from_ms: NOW - 500_000, until_ms: NOW },
            rolling_kind: None,
            vacancies: &[],
            now_ms: NOW,
        };
        let rows = orgs.board(ORG, &request).expect("it was put").rows(0, 10_000);
        rows.iter().map(|row| (row.user.id, row.tally)).collect()
    }

    #[test]
    fn merges_that_are_due_are_done_and_change_no_answer() {
        let orgs = recorded();
        assert!(has_merges(&orgs) && orgs.unmerged.lock().contains(&ORG));
        let before = tallies(&orgs);
        assert_eq!(before.len(), 5000);
        orgs.maintain();
        assert!(!has_merges(&orgs) && orgs.unmerged.lock().is_empty());
        assert_eq!(tallies(&orgs), before);
    }
}
