//! Goal: limits hold, with errors that name them; memory is what is promised; misuse is caught.
//! Method: each limit is reached and then exceeded by one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rank_index::{
    BuildError, Eight, IndexError, MEMBER_BYTES_MAX, RankIndex, SMALL_MAX, SNAPSHOTS_LIVE_MAX,
    ScoreKey, ScoreTieKey, Snapshot,
};

fn key(score: u64) -> ScoreKey {
    ScoreKey { score }
}

fn index_of(count: u64) -> RankIndex<ScoreKey> {
    let mut index = RankIndex::with_seed(1);
    for score in 0..count {
        index.upsert(format!("user:{score:08}").as_bytes(), key(score)).unwrap();
    }
    index
}

#[test]
fn members_have_a_length_limit() {
    let mut index: RankIndex<ScoreKey> = RankIndex::new();
    let longest = vec![7; MEMBER_BYTES_MAX];
    assert_eq!(index.upsert(&longest, key(1)), Ok(None));
    let too_long = vec![7; MEMBER_BYTES_MAX + 1];
    let error = index.upsert(&too_long, key(1)).unwrap_err();
    assert_eq!(error, IndexError::MemberTooLong { bytes: 65_536, bytes_max: MEMBER_BYTES_MAX });
    assert_eq!(error.to_string(), "the member has 65536 bytes, the limit is 65535");
    assert_eq!((index.get(&too_long), index.remove(&too_long)), (None, None));
    assert_eq!(index.len(), 1);
    assert_eq!(index.rank(&longest), Some(0));
}

/// Lengths around eight, where a member becomes long, and around the limit of any member.
const LENGTHS_NOT_EIGHT: [usize; 12] =
    [0, 1, 7, 9, 15, 16, 17, 511, 512, 65_534, MEMBER_BYTES_MAX, MEMBER_BYTES_MAX + 1];

#[test]
fn members_of_eight_bytes_have_no_other_length() {
    for count in [0, 5, 500] {
        let mut index: RankIndex<Eight<ScoreKey>> = RankIndex::with_seed(1);
        for number in 0..count {
            index.upsert(&u64::to_be_bytes(number), Eight(key(number))).unwrap();
        }
        let before: Vec<_> = index.iter().map(|entry| (entry.key, entry.member.to_vec())).collect();
        for bytes in LENGTHS_NOT_EIGHT {
            let other = vec![0; bytes];
            let error = index.upsert(&other, Eight(key(7))).unwrap_err();
            assert_eq!(error, IndexError::MemberNotFixed { bytes, bytes_fixed: 8 });
            assert_eq!((index.get(&other), index.rank(&other)), (None, None), "{bytes} bytes");
            assert_eq!((index.contains(&other), index.remove(&other)), (false, None));
        }
        index.check_invariants().unwrap();
        let after = index.iter().map(|entry| (entry.key, entry.member.to_vec()));
        assert!(after.eq(before), "nothing has changed");
    }
}

#[test]
fn a_build_of_members_of_eight_bytes_refuses_other_lengths() {
    for good in [0, 3, 200] {
        for bytes in LENGTHS_NOT_EIGHT {
            let eight = (0..good).map(|number| (Eight(key(1)), u64::to_be_bytes(number).to_vec()));
            let entries = eight.chain([(Eight(key(2)), vec![0; bytes])]);
            let error = RankIndex::<Eight<ScoreKey>>::from_sorted(entries).unwrap_err();
            let reason = IndexError::MemberNotFixed { bytes, bytes_fixed: 8 };
            let position = usize::try_from(good).unwrap();
            assert_eq!(error, BuildError::Member { position, reason });
        }
    }
}

#[test]
fn snapshots_have_a_number_limit() {
    let mut index = index_of(100);
    let mut snapshots: Vec<Snapshot<ScoreKey>> = Vec::new();
    for _ in 0..SNAPSHOTS_LIVE_MAX {
        snapshots.push(index.snapshot().unwrap());
    }
    let error = index.snapshot().unwrap_err();
    assert_eq!(error.to_string(), "8 snapshots of the index live already, which is the limit");
    snapshots.pop();
    assert!(index.snapshot().is_ok());
}

#[test]
#[should_panic(expected = "read through its own index")]
fn a_snapshot_is_not_read_through_another_index() {
    let snapshot = index_of(3).snapshot().unwrap();
    snapshot.view(&index_of(3));
}

#[test]
fn positions_out_of_range_are_clamped() {
    for count in [0, 5, 500] {
        let index = index_of(count);
        let len = index.len();
        assert_eq!(index.range(len + 1..).len(), 0);
        assert_eq!(index.range(..=usize::MAX).len(), len);
        let inverted = std::ops::Range { start: len, end: 0 };
        assert_eq!(index.range(inverted).len(), 0);
        let excluded = (std::ops::Bound::Excluded(usize::MAX), std::ops::Bound::Unbounded);
        assert_eq!(index.range(excluded).len(), 0);
        assert!(index.entry_at(len).is_none());
    }
    let (start, entries) = index_of(500)
        .around(b"user:00000003", usize::MAX)
        .map_or_else(|| panic!("the member is there"), |(start, entries)| (start, entries.len()));
    assert_eq!((start, entries), (0, 500));
}

#[test]
fn small_indexes_are_small() {
    let empty: RankIndex<ScoreTieKey> = RankIndex::new();
    assert_eq!(empty.memory_bytes(), size_of::<RankIndex<ScoreTieKey>>(), "nothing is allocated");
    let mut ten: RankIndex<ScoreTieKey> = RankIndex::new();
    for tie in 0..10 {
        let member = format!("user:{tie:08}");
        ten.upsert(member.as_bytes(), ScoreTieKey { score: 1, tie }).unwrap();
    }
    assert!(ten.memory_bytes() < 1_024, "{} bytes", ten.memory_bytes());
    while ten.pop_first().is_some() {}
    assert_eq!(ten.memory_bytes(), empty.memory_bytes(), "everything is given back");
}

#[test]
fn a_sorted_load_leaves_full_leaves() {
    let index = index_of(100_000);
    index.check_invariants().unwrap();
    let counts = index.restructures();
    assert_eq!(counts.shifts, 0);
    // The first leaf is the only one that the promotion made.
    assert_eq!(counts.leaf_splits, 100_000_u64.div_ceil(58) - 1);
}

#[test]
fn updates_within_a_leaf_restructure_nothing() {
    let mut index: RankIndex<ScoreKey> = RankIndex::with_seed(1);
    let name = |number: u64| format!("user:{number:08}");
    for number in 0..1_000 {
        index.upsert(name(number).as_bytes(), key(number * 100)).unwrap();
    }
    let before = index.restructures();
    for round in 1..50 {
        for number in 0..1_000 {
            // Scores are 100 apart, so this changes every key and no position.
            let old = index.upsert(name(number).as_bytes(), key(number * 100 + round));
            assert_eq!(old, Ok(Some(key(number * 100 + round - 1))));
            assert_eq!(index.rank(name(number).as_bytes()), usize::try_from(number).ok());
        }
    }
    index.check_invariants().unwrap();
    assert_eq!(index.restructures(), before);
}

#[test]
fn the_form_follows_the_number_of_members() {
    let small_max = u64::try_from(SMALL_MAX).unwrap();
    let mut index = index_of(small_max);
    assert_eq!(index.restructures().height, 0);
    index.upsert(b"one more", key(0)).unwrap();
    assert_eq!(index.restructures().height, 1);
    while index.len() >= SMALL_MAX / 2 {
        assert_eq!(index.restructures().height, 1);
        index.pop_last();
    }
    assert_eq!(index.restructures().height, 0);
    assert_eq!((index.restructures().promotions, index.restructures().demotions), (1, 1));
}

#[test]
fn everything_can_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<RankIndex<ScoreKey>>();
    check::<Snapshot<ScoreKey>>();
    check::<rank_index::SnapshotView<'_, ScoreKey>>();
    check::<rank_index::Iter<'_, ScoreKey>>();
    check::<rank_index::Standing<'_, ScoreKey>>();
}
