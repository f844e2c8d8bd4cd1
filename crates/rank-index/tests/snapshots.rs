//! Goal: a snapshot never changes, whatever happens to its index, and costs nothing afterwards.
//! Method: snapshots are held across long stretches of writes and compared with a copy of their
//! moment; memory is measured by what the index says it owns.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rank_index::{RankIndex, ScoreKey, Snapshot};

type Small = RankIndex<ScoreKey, 4, 4, 4>;
type Content = Vec<(ScoreKey, Vec<u8>)>;

fn name(number: u64) -> Vec<u8> {
    if number.is_multiple_of(2) {
        number.to_string().into_bytes()
    } else {
        format!("a-member-with-a-long-name-{number:020}").into_bytes()
    }
}

fn content<const LEAF: usize, const INNER: usize, const UPPER: usize>(
    index: &RankIndex<ScoreKey, LEAF, INNER, UPPER>,
) -> Content {
    index.iter().map(|entry| (entry.key, entry.member.to_vec())).collect()
}

fn snapshot_content(snapshot: &Snapshot<ScoreKey, 4>, index: &Small) -> Content {
    let view = snapshot.view(index);
    view.range(..).map(|entry| (entry.key, entry.member.to_vec())).collect()
}

fn fill(index: &mut Small, members: std::ops::Range<u64>, factor: u64) {
    for number in members {
        let key = ScoreKey { score: number.wrapping_mul(factor) % 1_009 };
        index.upsert(&name(number), key).unwrap();
    }
}

#[test]
fn a_snapshot_survives_every_change_of_form() {
    for (before, after) in [(10, 500), (500, 0), (0, 100), (500, 5), (20, 31), (0, 0)] {
        let mut index = Small::with_seed(5);
        fill(&mut index, 0..before, 7);
        let first = index.snapshot().unwrap();
        let first_content = content(&index);
        while index.len() > 3 {
            index.pop_last();
        }
        let second = index.snapshot().unwrap();
        let second_content = content(&index);
        fill(&mut index, 1_000..1_000 + after, 11);
        fill(&mut index, 0..before, 13);
        while index.pop_first().is_some() {}
        fill(&mut index, 0..after, 17);
        assert_eq!(snapshot_content(&first, &index), first_content);
        assert_eq!(snapshot_content(&second, &index), second_content);
        drop(first);
        fill(&mut index, 0..after, 19);
        assert_eq!(snapshot_content(&second, &index), second_content);
        index.check_invariants().unwrap();
    }
}

#[test]
fn names_wait_for_the_snapshots_that_need_them() {
    let mut index = Small::with_seed(5);
    fill(&mut index, 0..1_000, 7);
    let memory = index.memory_bytes();
    for round in 0..20 {
        let snapshot = index.snapshot().unwrap();
        let before = content(&index);
        for number in 0..1_000 {
            index.remove(&name(number));
        }
        fill(&mut index, 0..1_000, 7 + round);
        assert_eq!(snapshot_content(&snapshot, &index), before);
        index.check_invariants().unwrap();
    }
    // What the last snapshot held is found to be free by the next write.
    index.remove(b"nobody");
    index.check_invariants().unwrap();
    assert!(index.memory_bytes() < 3 * memory, "{} of {memory}", index.memory_bytes());
}

#[test]
fn memory_is_given_back_when_an_index_shrinks() {
    let mut index = Small::with_seed(5);
    fill(&mut index, 0..10_000, 7);
    let snapshot = index.snapshot().unwrap();
    while index.len() > 10 {
        index.pop_first();
    }
    drop(snapshot);
    fill(&mut index, 0..1_000, 7);
    while index.len() > 10 {
        index.pop_first();
    }
    assert!(index.memory_bytes() < 2_048, "{} bytes", index.memory_bytes());
    index.check_invariants().unwrap();
}

#[test]
fn a_snapshot_is_read_by_several_threads() {
    let mut index = Small::with_seed(5);
    fill(&mut index, 0..2_000, 7);
    let snapshot = index.snapshot().unwrap();
    let before = content(&index);
    fill(&mut index, 0..2_000, 11);
    let (snapshot, index, before) = (&snapshot, &index, &before);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(move || assert_eq!(&snapshot_content(snapshot, index), before));
        }
    });
}
