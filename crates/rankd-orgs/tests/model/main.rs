//! Random batches against a naive re-implementation, and every way back to the same state.
//!
//! Goal: boards, months, timelines, sums by product, targets, possible points with late activities,
//! deleted users and comings and goings are right; and a state that was replayed, replayed twice,
//! or loaded from a snapshot that was taken in between, with a log that overlaps it, is the same.
//! Method: everything is executed by the crate and by `naive.rs`, and compared after some batches.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test may panic, and its numbers are small"
)]

mod compare;
mod generate;
mod naive;

use proptest::prelude::*;
use rankd_orgs::{OrgChange, OrgIntent, OrgItem, OrgOutcome, Orgs, OrgsFrozen};

use compare::compare;
use generate::{NOW, ORGS, Random};
use naive::{Expected, Naive};

/// What happened, with the times of acceptance.
type Log = Vec<(OrgChange, i64)>;

fn execute(orgs: &Orgs, batch: &[OrgIntent], now_ms: i64, log: &mut Log) -> Vec<OrgOutcome> {
    let mut calls = 0;
    let outcomes = orgs.execute(batch, now_ms, &mut |changes| {
        calls += 1;
        log.extend(changes.into_iter().map(|change| (change, now_ms)));
    });
    assert!(calls <= 1, "one append a batch");
    outcomes
}

fn expected(outcome: &OrgOutcome) -> Expected {
    match outcome {
        OrgOutcome::Created => Expected::Created,
        OrgOutcome::Changed => Expected::Changed,
        OrgOutcome::Unchanged => Expected::Unchanged,
        OrgOutcome::Duplicate => Expected::Duplicate,
        OrgOutcome::Rejected(_) => Expected::Rejected,
        OrgOutcome::CredentialAdded(_) => unreachable!("not in these tests"),
    }
}

fn apply(orgs: &Orgs, log: &[(OrgChange, i64)]) {
    for (change, accepted_ms) in log {
        orgs.apply(change, *accepted_ms).unwrap();
    }
}

fn items(mut frozen: OrgsFrozen) -> Vec<OrgItem> {
    std::iter::from_fn(|| frozen.next_item()).collect()
}

fn load(items: Vec<OrgItem>) -> Orgs {
    let orgs = Orgs::new();
    items.into_iter().for_each(|item| orgs.load(item).unwrap());
    orgs.load_end().unwrap();
    orgs
}

/// Items in a form that is the same for equal states: ids were seen in any order.
fn normal(orgs: &Orgs) -> Vec<OrgItem> {
    let mut all = items(orgs.freeze());
    for item in &mut all {
        if let OrgItem::Prints { prints, .. } = item {
            prints.sort_unstable();
        }
    }
    all
}

fn run(seed: u64, batches: u64) {
    let mut random = Random(seed);
    let (orgs, twice, mut naive) = (Orgs::new(), Orgs::new(), Naive::default());
    let mut log = Log::new();
    let puts = ORGS.iter().map(|(id, parent)| generate::org(*id, *parent));
    let mut first: Vec<OrgIntent> = puts.collect();
    first.extend(ORGS.iter().map(|(id, _)| generate::first_group(&mut random, *id)));
    let (mut frozen, mut overlap) = (None, 0);
    let frozen_at = random.below(batches);
    for number in 0..batches {
        let size = 1 + random.below(30);
        let batch: Vec<OrgIntent> = match number {
            0 => first.clone(),
            _ => (0..size).map(|_| generate::intent(&mut random)).collect(),
        };
        let before = log.len();
        let outcomes = execute(&orgs, &batch, NOW + number as i64, &mut log);
        for (intent, outcome) in batch.iter().zip(&outcomes) {
            let wanted = naive.execute(intent);
            let same = expected(outcome) == wanted
                || wanted == Expected::Taken && !matches!(outcome, OrgOutcome::Rejected(_));
            assert!(same, "{intent:?}: {outcome:?}, not {wanted:?}");
        }
        apply(&twice, &log[before..]);
        apply(&twice, &log[before..]);
        if number == frozen_at {
            overlap = random.below(log.len() as u64 + 1) as usize;
            frozen = Some(orgs.freeze());
        }
        if random.one_in(4) || number + 1 == batches {
            compare(&orgs, &naive, &mut random);
        }
    }
    let loaded = load(items(frozen.unwrap()));
    apply(&loaded, &log[overlap..]);
    let once = Orgs::new();
    apply(&once, &log);
    let state = normal(&orgs);
    for other in [&once, &twice, &loaded, &load(state.clone())] {
        assert_eq!(normal(other), state);
        assert_eq!(other.totals(), orgs.totals());
        compare(other, &naive, &mut random);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn all_states_answer_as_the_naive_one_does(seed in any::<u64>(), batches in 1..24_u64) {
        run(seed, batches);
    }
}
