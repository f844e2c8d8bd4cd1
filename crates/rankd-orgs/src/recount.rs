//! Boards of targets counted from the stored activities.
//!
//! What it is: one walk over an organisation's activities for all boards that need it: those of new
//! and changed targets and periods, and all after a snapshot was loaded. What it is not: the
//! up-to-date keeping (`group.rs`). Invariant: the result is what feeding the activities one by one
//! gives. Cost: O(activities), a few array look-ups each, and what the boards take.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rankd_activity::{Ledger, LiveEntry, Row};

use crate::group::{Group, Stale, amount};
use crate::ids::{GroupId, UserId};
use crate::kinds::Kinds;

type Sums = HashMap<u64, (i64, i64), RandomState>;

/// What is being counted for one group.
struct Count<'g> {
    group: &'g Group,
    stale: Stale,
    /// Positions of matching targets, by kind.
    matching: Vec<Option<Box<[usize]>>>,
    sums: HashMap<(usize, usize), Sums, RandomState>,
}

impl<'g> Count<'g> {
    fn new(group: &'g Group, stale: Stale, kinds: usize) -> Self {
        Self { group, stale, matching: vec![None; kinds], sums: HashMap::default() }
    }

    fn take(&mut self, kinds: &Kinds, row: &Row) {
        let Some(matching) = self.matching.get_mut(row.kind.0 as usize) else { return };
        let group = self.group;
        let matching = matching.get_or_insert_with(|| {
            kinds.view(row.kind.0).map_or_else(Box::default, |kind| group.matching(&kind).collect())
        });
        for target in matching.iter() {
            let amount = amount(group.spec.targets[*target].aggregate, row);
            for period in group.counting(*target, UserId(row.user), row.at_ms) {
                if self.stale.contains(&(*target, period)) {
                    let board = self.sums.entry((*target, period)).or_default();
                    let sum = board.entry(row.user).or_insert((0, i64::MIN));
                    *sum = (sum.0 + amount, sum.1.max(row.at_ms));
                }
            }
        }
    }
}

/// Counts the stale boards of some groups.
pub(crate) fn recount(
    groups: &mut BTreeMap<GroupId, Group>,
    stale: BTreeMap<GroupId, Stale>,
    activities: Option<(&Kinds, &Ledger)>,
) {
    let counted = activities.map_or(0, |(kinds, _)| kinds.kinds.len());
    let wanted = stale.into_iter().filter(|(_, boards)| !boards.is_empty());
    let counts =
        wanted.filter_map(|(id, stale)| Some((id, Count::new(groups.get(&id)?, stale, counted))));
    let mut counts: Vec<(GroupId, Count<'_>)> = counts.collect();
    if let Some((kinds, ledger)) = activities.filter(|_| !counts.is_empty()) {
        for row in ledger.freeze().days().flatten().filter(|row| !row.is_correction) {
            counts.iter_mut().for_each(|(_, count)| count.take(kinds, &row));
        }
    }
    let results = counts.into_iter().map(|(id, count)| (id, count.stale, count.sums));
    for (id, stale, mut sums) in results.collect::<Vec<_>>() {
        let Some(group) = groups.get_mut(&id) else { continue };
        for board in stale {
            let sums = sums.remove(&board).unwrap_or_default();
            let entry = |(user, (value, last_ms))| LiveEntry { user, value, last_ms };
            group.set_board(board, sums.into_iter().map(entry));
        }
    }
}
