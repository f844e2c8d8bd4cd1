//! Goal: whatever is done to an index, it answers as a sorted `Vec` would.
//! Method: random runs of writes, queries and snapshots, under every policy, on nodes so small that
//! the trees are high, and on nodes as they are used. The runs here do over a million steps.

mod common;

use std::cell::Cell;
use std::collections::BTreeSet;

use common::{BoardKey, Lab, Policy, Shape, Ties, member_of_eight, ops, policies, run, sum};
use rank_index::{Eight, Restructures, ScoreKey, ScoreNoteKey, ScoreTieKey};

/// Heavy ties, and a check of everything after every step.
const SMALL: Shape = Shape { members: 400, scores: 40, phase: 600, query_every: 1, check_every: 1 };
/// Larger trees, checked now and then.
const MEDIUM: Shape =
    Shape { members: 3_000, scores: 200, phase: 4_000, query_every: 8, check_every: 199 };
/// As large as the naive model bears.
const LARGE: Shape =
    Shape { members: 20_000, scores: 250, phase: 12_000, query_every: 64, check_every: 1_999 };
/// Between the two, for a second kind of member on nodes as they are used.
const WIDE: Shape =
    Shape { members: 12_000, scores: 250, phase: 6_000, query_every: 64, check_every: 1_999 };
/// Next to nothing but ties.
const TIED: Shape =
    Shape { members: 2_000, scores: 2, phase: 2_000, query_every: 8, check_every: 97 };

fn with_ties(wanted: impl Fn(Ties) -> bool) -> Vec<Policy> {
    policies().into_iter().filter(|policy| wanted(policy.ties)).collect()
}

/// Runs `cases` sequences of `steps` steps under each policy.
fn run_all<K: BoardKey, const LEAF: usize, const INNER: usize, const UPPER: usize>(
    policies: &[Policy],
    shape: Shape,
    cases: u32,
    steps: usize,
) -> Restructures {
    let total = Cell::new(Restructures::default());
    for &policy in policies {
        run(cases, &ops(shape, steps), |ops| {
            let restructures = Lab::<K, LEAF, INNER, UPPER>::new(policy).run(shape, &ops);
            total.set(sum(total.get(), restructures));
        });
    }
    total.get()
}

/// Asserts that a test has exercised what it is for.
fn assert_restructured(counts: Restructures, leaves: u64, inners: u64, height: u32) {
    println!("{counts:?}");
    assert!(counts.leaf_splits >= leaves, "{counts:?}");
    assert!(counts.shifts >= leaves, "{counts:?}");
    assert!(counts.leaf_merges >= leaves, "{counts:?}");
    assert!(counts.borrows >= leaves / 10, "{counts:?}");
    assert!(counts.inner_splits >= inners, "{counts:?}");
    assert!(counts.inner_merges >= inners, "{counts:?}");
    assert!(counts.height >= height, "{counts:?}");
}

#[test]
fn small_nodes_with_ties_by_time() {
    let policies = with_ties(|ties| ties != Ties::Member);
    let counts = run_all::<ScoreTieKey, 4, 4, 4>(&policies, SMALL, 2, 6_000);
    assert_restructured(counts, 5_000, 2_000, 5);
    assert!(counts.promotions > 50 && counts.demotions > 50, "{counts:?}");
}

#[test]
fn small_nodes_with_ties_by_member() {
    let policies = with_ties(|ties| ties == Ties::Member);
    let counts = run_all::<ScoreKey, 5, 4, 4>(&policies, SMALL, 2, 6_000);
    assert_restructured(counts, 2_000, 500, 4);
    let counts = run_all::<ScoreNoteKey, 6, 5, 5>(&policies, SMALL, 2, 6_000);
    assert_restructured(counts, 2_000, 500, 4);
}

#[test]
fn medium_trees_with_ties_by_time() {
    let policies = with_ties(|ties| ties != Ties::Member);
    let counts = run_all::<ScoreTieKey, 6, 4, 4>(&policies, MEDIUM, 2, 24_000);
    assert_restructured(counts, 10_000, 5_000, 6);
}

#[test]
fn medium_trees_with_ties_by_member() {
    let policies = with_ties(|ties| ties == Ties::Member);
    let counts = run_all::<ScoreNoteKey, 4, 4, 4>(&policies, MEDIUM, 2, 24_000);
    assert_restructured(counts, 10_000, 5_000, 6);
}

#[test]
fn heavy_ties() {
    let policies = with_ties(|ties| ties == Ties::Member);
    let counts = run_all::<ScoreKey, 4, 4, 4>(&policies, TIED, 2, 20_000);
    assert_restructured(counts, 5_000, 2_000, 6);
}

#[test]
fn production_nodes_with_ties_by_time() {
    let policies = with_ties(|ties| ties != Ties::Member);
    let counts = run_all::<ScoreTieKey, 58, 30, 64>(&policies, LARGE, 1, 24_000);
    assert_restructured(counts, 300, 20, 3);
}

#[test]
fn production_nodes_with_ties_by_member() {
    let policies = with_ties(|ties| ties == Ties::Member);
    let counts = run_all::<ScoreKey, 58, 30, 64>(&policies, LARGE, 1, 24_000);
    assert_restructured(counts, 150, 10, 3);
}

#[test]
fn small_nodes_with_members_of_eight_bytes() {
    let policies = with_ties(|ties| ties != Ties::Member);
    let counts = run_all::<Eight<ScoreTieKey>, 4, 4, 4>(&policies, SMALL, 1, 5_000);
    assert_restructured(counts, 2_000, 800, 5);
    let policies = with_ties(|ties| ties == Ties::Member);
    let counts = run_all::<Eight<ScoreKey>, 4, 4, 4>(&policies, SMALL, 2, 5_000);
    assert_restructured(counts, 2_000, 800, 5);
    let counts = run_all::<Eight<ScoreKey>, 4, 4, 4>(&policies, TIED, 1, 10_000);
    assert_restructured(counts, 1_000, 500, 5);
}

#[test]
fn production_nodes_with_members_of_eight_bytes() {
    let latest = with_ties(|ties| ties == Ties::Latest);
    let counts = run_all::<Eight<ScoreTieKey>, 58, 30, 64>(&latest, WIDE, 1, 14_000);
    assert_restructured(counts, 100, 4, 3);
    let policies = with_ties(|ties| ties == Ties::Member);
    let counts = run_all::<Eight<ScoreKey>, 58, 30, 64>(&policies, WIDE, 1, 14_000);
    assert_restructured(counts, 100, 4, 3);
}

#[test]
fn every_number_has_a_member_of_eight_bytes_of_its_own() {
    let members: BTreeSet<_> = (0..=u16::MAX).map(member_of_eight).collect();
    assert_eq!(members.len(), 1 << 16);
    assert!(members.contains(&[0; 8]) && members.contains(&[0xFF; 8]));
}
