//! Goal: a bulk build gives what the same inserts would, and refuses what it must.
//! Method: every small size and some larger ones are built both ways, compared, and used on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{BoardKey, Lab, Policy, Row, Score, Shape, Ties, member, ops, run};
use rank_index::{
    BuildError, Direction, MEMBER_BYTES_MAX, RankIndex, SMALL_MAX, ScoreKey, ScoreTieKey,
};

const POLICY: Policy =
    Policy { float: false, ties: Ties::Earliest, direction: Direction::Descending };

/// Distinct members with scores that tie in fours.
fn rows(count: u16) -> Vec<Row> {
    let row = |number: u16| {
        let score = Score::Integer(i64::from(number.wrapping_mul(40_503) % (count / 4 + 1)));
        Row { score, at_ms: i64::from(number % 3), member: member(number) }
    };
    let mut rows: Vec<Row> = (0..count).map(row).collect();
    rows.sort_by(|one, two| one.order(two, POLICY));
    rows
}

fn built<K: BoardKey, const LEAF: usize, const INNER: usize, const UPPER: usize>(
    rows: &[Row],
) -> RankIndex<K, LEAF, INNER, UPPER> {
    let entries = rows.iter().map(|row| (row.key(POLICY), &row.member));
    RankIndex::from_sorted_with_seed(3, entries).unwrap()
}

fn compare_sizes<const LEAF: usize, const INNER: usize, const UPPER: usize>(
    sizes: impl Iterator<Item = u16>,
) {
    for size in sizes {
        let rows = rows(size);
        let built = built::<ScoreTieKey, LEAF, INNER, UPPER>(&rows);
        built.check_invariants().unwrap();
        let mut inserted = RankIndex::<ScoreTieKey, LEAF, INNER, UPPER>::new();
        for row in rows.iter().rev() {
            inserted.upsert(&row.member, row.key(POLICY)).unwrap();
        }
        assert!(built.iter().eq(inserted.iter()), "{size} members");
        assert_eq!(built.len(), rows.len());
        let small = built.restructures().height == 0;
        assert_eq!(small, rows.len() <= SMALL_MAX, "{size} members");
    }
}

#[test]
fn builds_equal_inserts() {
    compare_sizes::<4, 4, 4>((0..400).chain([4_000, 4_001]));
    compare_sizes::<58, 30, 64>((0..120).chain([1_322, 1_323, 1_324, 30_000]));
}

#[test]
fn a_built_index_goes_on() {
    let shape = Shape { members: 900, scores: 40, phase: 300, query_every: 3, check_every: 7 };
    run(20, &ops(shape, 1_000), |ops| {
        let mut lab = Lab::<ScoreTieKey, 5, 4, 4>::new(POLICY);
        lab.model.rows = rows(700);
        lab.index = built(&lab.model.rows);
        lab.take_snapshot();
        lab.run(shape, &ops);
    });
}

fn key(score: u64) -> ScoreKey {
    ScoreKey { score }
}

fn build_error(entries: Vec<(ScoreKey, Vec<u8>)>) -> Option<BuildError> {
    RankIndex::<ScoreKey>::from_sorted(entries).err()
}

#[test]
fn wrong_order_is_refused_by_position() {
    let wrong_score =
        vec![(key(1), b"a".to_vec()), (key(3), b"b".to_vec()), (key(2), b"c".to_vec())];
    assert_eq!(build_error(wrong_score), Some(BuildError::NotAscending { position: 2 }));
    let wrong_member = vec![(key(1), b"b".to_vec()), (key(1), b"a".to_vec())];
    assert_eq!(build_error(wrong_member), Some(BuildError::NotAscending { position: 1 }));
}

#[test]
fn a_member_that_is_there_twice_is_refused_by_position() {
    for long in [false, true] {
        let name = |number: u64| {
            let text = number.to_string().into_bytes();
            if long { [vec![b'x'; 30], text].concat() } else { text }
        };
        for count in [2, 20, 33, 5_000] {
            let mut entries: Vec<_> = (0..count).map(|score| (key(score), name(score))).collect();
            let last = entries.len() - 1;
            entries[last].1 = name(0);
            let expected = BuildError::DuplicateMember { position: last };
            assert_eq!(build_error(entries), Some(expected), "{count} members");
        }
    }
    let same_entry = vec![(key(1), b"a".to_vec()), (key(1), b"a".to_vec())];
    assert_eq!(build_error(same_entry), Some(BuildError::DuplicateMember { position: 1 }));
}

#[test]
fn a_member_that_is_too_long_is_refused_by_position() {
    let longest = vec![b'a'; MEMBER_BYTES_MAX];
    assert_eq!(build_error(vec![(key(1), longest.clone())]), None);
    let too_long = [longest, vec![b'a']].concat();
    let error = build_error(vec![(key(1), b"a".to_vec()), (key(2), too_long)]).unwrap();
    let text = "entry 1: the member has 65536 bytes, the limit is 65535";
    assert_eq!(error.to_string(), text);
}
