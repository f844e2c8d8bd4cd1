//! Goal: a snapshot never changes, whatever happens to its index, and costs nothing afterwards.
//! Method: snapshots are held across long stretches of writes and compared with a copy of their
//! moment, in random runs with what a sorted map had then; memory is measured by what the index
//! says it owns.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use rank_index::{
    Eight, Key, RankIndex, Restructures, SNAPSHOTS_LIVE_MAX, ScoreKey, ScoreNoteKey, Snapshot,
    SnapshotView,
};

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

/// Numbers that look random, the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }
}

/// How a run makes keys and members; the map knows scores, notes and names only.
trait Naming: Key {
    fn make(score: u64, note: u64) -> Self;
    fn read(&self) -> (u64, u64);
    fn member(number: u64) -> Vec<u8>;
}

impl Naming for ScoreNoteKey {
    fn make(score: u64, note: u64) -> Self {
        Self { score, note }
    }

    fn read(&self) -> (u64, u64) {
        (self.score, self.note)
    }

    fn member(number: u64) -> Vec<u8> {
        name(number)
    }
}

impl Naming for Eight<ScoreKey> {
    fn make(score: u64, _: u64) -> Self {
        Self(ScoreKey { score })
    }

    fn read(&self) -> (u64, u64) {
        (self.0.score, 0)
    }

    fn member(number: u64) -> Vec<u8> {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes().to_vec()
    }
}

/// What an index holds: member to score and note.
type Map = BTreeMap<Vec<u8>, (u64, u64)>;
type Rows = Vec<(u64, Vec<u8>, u64)>;

fn rows(map: &Map) -> Rows {
    let row = |(member, &(score, note)): (&Vec<u8>, &(u64, u64))| (score, member.clone(), note);
    let mut rows: Rows = map.iter().map(row).collect();
    rows.sort_unstable();
    rows
}

fn compare<K: Naming, const LEAF: usize, const INNER: usize, const UPPER: usize>(
    view: &SnapshotView<'_, K, LEAF, INNER, UPPER>,
    rows: &Rows,
    dice: &mut Dice,
) {
    let read = |entry: rank_index::Entry<'_, K>| {
        let (score, note) = entry.key.read();
        (score, entry.member.to_vec(), note)
    };
    assert_eq!(&view.range(..).map(read).collect::<Rows>(), rows);
    let mut backwards: Rows = view.range(..).rev().map(read).collect();
    backwards.reverse();
    assert_eq!(&backwards, rows);
    if rows.is_empty() {
        return;
    }
    for _ in 0..8 {
        let at = usize::try_from(dice.below(rows.len() as u64)).unwrap();
        let (score, member, note) = &rows[at];
        assert_eq!(view.entry_at(at).map(read).as_ref(), Some(&rows[at]));
        assert_eq!(view.rank(&K::make(*score, *note), member), at);
        let found =
            view.partition_point(|key, other| (key.read().0, other) < (*score, &member[..]));
        assert_eq!(found, at);
        let standing = view.standing_at(at).unwrap();
        assert_eq!(standing.competition(), rows.partition_point(|row| row.0 < *score));
        let mut scores: Vec<u64> = rows[..at].iter().map(|row| row.0).collect();
        scores.dedup();
        assert_eq!(standing.dense(), scores.iter().filter(|&other| other < score).count());
    }
}

/// Writes for `steps` steps, growing and shrinking in turn down to nothing, and takes and drops
/// snapshots of all ages meanwhile.
fn churn<K: Naming, const LEAF: usize, const INNER: usize, const UPPER: usize>(
    seed: u64,
    members: u64,
    steps: u64,
) -> Restructures {
    let mut index = RankIndex::<K, LEAF, INNER, UPPER>::with_seed(seed);
    let (mut map, mut live, mut dice) = (Map::new(), Vec::new(), Dice(seed));
    let mut compared = 0;
    for step in 0..steps {
        let growing = (step / (members * 3)).is_multiple_of(2);
        let member = K::member(dice.below(members));
        if dice.below(10) < if growing { 1 } else { 9 } {
            let next = map.range(member..).next().or(map.first_key_value());
            if let Some(member) = next.map(|(member, _)| member.clone()) {
                let old = index.remove(&member).map(|key| key.read());
                assert_eq!(old, map.remove(&member));
            }
        } else if growing || map.contains_key(&member) {
            let key = K::make(dice.below(members / 4), dice.below(3));
            let old = index.upsert(&member, key).unwrap().map(|key| key.read());
            assert_eq!(old, map.insert(member, key.read()));
        }
        match dice.below(members / 8) {
            0 | 4 | 5 if live.len() < SNAPSHOTS_LIVE_MAX => {
                live.push((index.snapshot().unwrap(), rows(&map)));
            }
            1 if !live.is_empty() => {
                live.remove(usize::try_from(dice.below(live.len() as u64)).unwrap());
            }
            // Everything but the oldest, from the newest on: their records stay for that one.
            2 => live.truncate(1),
            3 => live.clear(),
            _ => {}
        }
        if step.is_multiple_of(members / 16) {
            index.check_invariants().unwrap();
            for (snapshot, rows) in &live {
                compare(&snapshot.view(&index), rows, &mut dice);
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "only {compared} snapshots were compared");
    index.restructures()
}

#[test]
fn snapshots_of_all_ages_never_change() {
    for seed in [1, 2, 6] {
        let counts = churn::<ScoreNoteKey, 4, 4, 4>(seed, 400, 30_000);
        assert!(counts.leaf_splits > 1_000 && counts.leaf_merges > 1_000, "{counts:?}");
        assert!(counts.borrows > 500 && counts.shifts > 500, "{counts:?}");
        assert!(counts.promotions > 5 && counts.demotions > 5, "{counts:?}");
    }
}

#[test]
fn snapshots_of_members_of_eight_bytes_never_change() {
    let counts = churn::<Eight<ScoreKey>, 5, 4, 4>(3, 400, 30_000);
    assert!(counts.leaf_splits > 1_000 && counts.promotions > 5, "{counts:?}");
    let counts = churn::<Eight<ScoreKey>, 58, 30, 64>(4, 6_000, 60_000);
    assert!(counts.leaf_splits > 100 && counts.leaf_merges > 50, "{counts:?}");
}

#[test]
fn leaves_that_no_snapshot_knows_are_used_again_at_once() {
    let short = |number: u64| number.to_string().into_bytes();
    let mut index = Small::with_seed(5);
    let churn = |index: &mut Small, round: u64| {
        for number in 0..1_900 {
            index.remove(&short(number));
        }
        for number in 0..2_000 {
            let key = ScoreKey { score: number * (7 + round) % 1_009 };
            index.upsert(&short(number), key).unwrap();
        }
    };
    churn(&mut index, 0);
    let snapshot = index.snapshot().unwrap();
    let before = content(&index);
    churn(&mut index, 1);
    let memory = index.memory_bytes();
    for round in 2..40 {
        churn(&mut index, round);
        index.check_invariants().unwrap();
    }
    assert!(index.memory_bytes() < memory * 5 / 4, "{} of {memory}", index.memory_bytes());
    assert_eq!(snapshot_content(&snapshot, &index), before);
    // And those that one did know, when it is gone.
    for round in 40..80 {
        drop(index.snapshot().unwrap());
        churn(&mut index, round);
    }
    drop(snapshot);
    let memory = index.memory_bytes();
    for round in 80..120 {
        drop(index.snapshot().unwrap());
        churn(&mut index, round);
    }
    index.check_invariants().unwrap();
    assert!(index.memory_bytes() < memory * 5 / 4, "{} of {memory}", index.memory_bytes());
}

#[test]
fn snapshots_between_which_nothing_happens_leave_nothing() {
    let mut index = Small::with_seed(5);
    fill(&mut index, 0..500, 7);
    let oldest = index.snapshot().unwrap();
    let before = content(&index);
    let memory = index.memory_bytes();
    for _ in 0..10_000 {
        drop(index.snapshot().unwrap());
    }
    assert!(index.memory_bytes() < memory + 1_024, "{} of {memory}", index.memory_bytes());
    fill(&mut index, 0..500, 11);
    assert_eq!(snapshot_content(&oldest, &index), before);
}

#[test]
fn snapshots_outlive_the_trees_that_they_are_of() {
    let mut index = Small::with_seed(5);
    let mut live: Vec<(Snapshot<ScoreKey, 4>, Content)> = Vec::new();
    for round in 0..5 * SNAPSHOTS_LIVE_MAX as u64 {
        if live.len() == SNAPSHOTS_LIVE_MAX {
            live.remove(usize::try_from(round * 5).unwrap() % SNAPSHOTS_LIVE_MAX);
        }
        // A tree, written after its snapshot, then dissolved, then another one.
        fill(&mut index, 0..200 + round, 7 + round);
        live.push((index.snapshot().unwrap(), content(&index)));
        fill(&mut index, 0..100, 11 + round);
        for _ in 0..round % 4 {
            while index.len() > 2 {
                index.pop_first();
            }
            fill(&mut index, 50..250, 13 + round);
        }
        for (snapshot, content) in &live {
            assert_eq!(&snapshot_content(snapshot, &index), content);
        }
        index.check_invariants().unwrap();
    }
    assert!(index.restructures().demotions > 40, "{:?}", index.restructures());
}
