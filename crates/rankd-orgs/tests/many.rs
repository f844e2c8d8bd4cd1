//! More activities than are given to a ledger one by one when a snapshot is loaded.
//!
//! Goal: what is built beside the ledger while it is loaded, who had the first activity of a
//! campaign, is what it was. Method: tens of thousands of activities in a random order of times;
//! then the same late activities for the store and for its copy, which must move the same possible
//! points.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic, and shares its support")]

mod support;

use rankd_orgs::{
    ActivityInput, BoardRequest, Campaign, Measure, OrgId, OrgIntent, OrgOutcome, Orgs, Tally,
    Window,
};
use support::{NOW, activity, execute, items, load, put_org};

const USERS: u64 = 500;
const CAMPAIGNS: u64 = 40;

fn recorded(number: u64, late_ms: i64) -> ActivityInput {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut input = activity(1, 1 + (mixed >> 20) % USERS, &format!("a-{number}"), "Reported");
    input.at_ms = NOW - late_ms - i64::try_from((mixed >> 32) % 100_000_000).unwrap();
    input.attributes.difficulty = Some(u8::try_from(mixed % 3).unwrap());
    let resource_id = format!("c{}", (mixed >> 8) % CAMPAIGNS).into();
    input.attributes.campaign = Some(Campaign { resource_id, ..Campaign::default() });
    input
}

fn record(orgs: &Orgs, numbers: std::ops::Range<u64>, late_ms: i64) {
    for first in numbers.clone().step_by(10_000) {
        let some = first..numbers.end.min(first + 10_000);
        let batch: Vec<OrgIntent> =
            some.map(|number| OrgIntent::Record(recorded(number, late_ms))).collect();
        let (outcomes, _) = execute(orgs, &batch);
        assert!(outcomes.iter().all(|outcome| *outcome == OrgOutcome::Created));
    }
}

fn tallies(orgs: &Orgs) -> Vec<(u64, Tally)> {
    let request = BoardRequest {
        measure: Measure::Points,
        window: Window { from_ms: 0, until_ms: NOW + 1 },
        rolling_kind: None,
        vacancies: &[],
        now_ms: NOW,
    };
    let rows = orgs.board(OrgId(1), &request).unwrap().rows(0, 1000);
    rows.iter().map(|row| (row.user.id.0, row.tally)).collect()
}

#[test]
fn a_copy_goes_on_as_the_store_does() {
    let orgs = Orgs::new();
    execute(&orgs, &[put_org(1, None)]);
    record(&orgs, 0..150_000, 0);
    let before = items(&orgs);
    let copy = load(before.clone());
    assert_eq!(items(&copy), before);
    for orgs in [&orgs, &copy] {
        record(orgs, 150_000..152_000, 200_000_000);
    }
    let expected = tallies(&orgs);
    assert_eq!(expected.len() as u64, USERS);
    assert_eq!(tallies(&copy), expected);
    // A user took part in nearly all campaigns, often several times, each of which counts once.
    let campaigns = i64::try_from(CAMPAIGNS).unwrap();
    let possible = expected.iter().map(|(_, tally)| tally.possible);
    assert!(possible.clone().all(|sum| (campaigns * 50..=campaigns * 400).contains(&sum)));
    assert_eq!(items(&copy).len(), items(&orgs).len());
}
