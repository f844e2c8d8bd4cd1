//! Goal: ranks stay right in trees as large as they are in use, under skewed and tied writes.
//! Method: 300 000 members on nodes as they are used, then random churn, beside an oracle that
//! shares no idea with the index: a Fenwick tree over the distinct keys, and under each key the
//! sorted numbers of its members, whose names order as their numbers do. Bounded by counts, not by
//! time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::ops::Bound;

use rank_index::{Eight, Key, RankIndex, ScoreKey, ScoreTieKey};

const MEMBERS: u32 = 300_000;
const WRITES: u32 = 600_000;
/// Writes between two comparisons of everything.
const CHECK_EVERY: u32 = 150_000;
/// Writes between two rounds of questions.
const QUERY_EVERY: u32 = 3;

/// How the members are called, and what keys there are.
trait Setup {
    type Key: Key;
    /// Distinct keys, in order from 0.
    const KEYS: usize;
    /// Keys in a row that share a score.
    const TIES: usize;

    fn key(number: usize) -> Self::Key;
    /// Names that order as their numbers do.
    fn name(number: u32) -> Vec<u8>;
    /// A key for the member, from random bits.
    fn draw_key(random: u64) -> usize;
    /// A member for the next write, from random bits.
    fn draw_member(random: u64) -> u32;
}

/// Seven members in ten share one of twelve scores; names of 6 to 45 bytes.
struct Tied;

impl Setup for Tied {
    type Key = ScoreKey;
    const KEYS: usize = 5_000;
    const TIES: usize = 1;

    fn key(number: usize) -> ScoreKey {
        ScoreKey { score: number as u64 }
    }

    fn name(number: u32) -> Vec<u8> {
        let tail = usize::try_from(number % 8).unwrap();
        [format!("{number:06}").as_bytes(), &[b'~'; 40][..tail * tail * 39 / 49]].concat()
    }

    fn draw_key(random: u64) -> usize {
        let wide = below(random >> 8, Self::KEYS as u64);
        let narrow = 400 * below(random >> 8, 12);
        usize::try_from(if random % 10 < 7 { narrow } else { wide }).unwrap()
    }

    fn draw_member(random: u64) -> u32 {
        u32::try_from(below(random, u64::from(MEMBERS))).unwrap()
    }
}

/// Members and scores follow power laws: few are written all the time, and low scores are shared
/// by many.
struct Skewed;

impl Setup for Skewed {
    type Key = Eight<ScoreTieKey>;
    const KEYS: usize = 60_000;
    const TIES: usize = 3;

    fn key(number: usize) -> Eight<ScoreTieKey> {
        let (score, tie) = (number / Self::TIES, number % Self::TIES);
        Eight(ScoreTieKey { score: score as u64, tie: tie as u64 })
    }

    fn name(number: u32) -> Vec<u8> {
        (u64::from(number) << 40 | 0xFF).to_be_bytes().to_vec()
    }

    fn draw_key(random: u64) -> usize {
        usize::try_from(zipf(random, Self::KEYS as u64)).unwrap()
    }

    fn draw_member(random: u64) -> u32 {
        // Scattered, so that the busy ones are not neighbours in name.
        let popular = zipf(random, u64::from(MEMBERS));
        u32::try_from(popular * 77_773 % u64::from(MEMBERS)).unwrap()
    }
}

/// A number below `limit`, all equally likely.
fn below(random: u64, limit: u64) -> u64 {
    ((random >> 32) * limit) >> 32
}

/// A number below `limit` whose density falls as one over itself: Zipf's law, the exponent being
/// one. All magnitudes are equally likely.
fn zipf(random: u64, limit: u64) -> u64 {
    let bits = u64::from(u64::BITS - limit.leading_zeros());
    let magnitude = 1 << below(random, bits);
    (magnitude + (random & 0xFFFF_FFFF) % magnitude - 1).min(limit - 1)
}

/// Steele and others' SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }
}

/// Sums over the numbers in front of any.
struct Fenwick(Vec<u32>);

impl Fenwick {
    fn add(&mut self, at: usize, delta: i32) {
        let mut node = at + 1;
        while let Some(sum) = self.0.get_mut(node) {
            *sum = sum.checked_add_signed(delta).unwrap();
            node += node & node.wrapping_neg();
        }
    }

    fn in_front_of(&self, at: usize) -> usize {
        let (mut node, mut sum) = (at, 0);
        while node > 0 {
            sum += self.0[node] as usize;
            node &= node - 1;
        }
        sum
    }
}

/// See the file's head.
struct Oracle<S> {
    /// The key of each member that is there.
    keys: Vec<Option<usize>>,
    /// The members of each key, in order.
    members: Vec<BTreeSet<u32>>,
    counts: Fenwick,
    /// 1 for each score that somebody has.
    scores: Fenwick,
    setup: std::marker::PhantomData<S>,
}

impl<S: Setup> Oracle<S> {
    fn new() -> Self {
        Self {
            keys: vec![None; MEMBERS as usize],
            members: vec![BTreeSet::new(); S::KEYS],
            counts: Fenwick(vec![0; S::KEYS + 1]),
            scores: Fenwick(vec![0; S::KEYS / S::TIES + 1]),
            setup: std::marker::PhantomData,
        }
    }

    fn has_score(&self, score: usize) -> bool {
        (score * S::TIES..(score + 1) * S::TIES).any(|key| !self.members[key].is_empty())
    }

    fn set(&mut self, member: u32, key: Option<usize>) -> Option<usize> {
        let old = std::mem::replace(&mut self.keys[member as usize], key);
        if let Some(old) = old {
            self.members[old].remove(&member);
            self.counts.add(old, -1);
            if !self.has_score(old / S::TIES) {
                self.scores.add(old / S::TIES, -1);
            }
        }
        if let Some(key) = key {
            if !self.has_score(key / S::TIES) {
                self.scores.add(key / S::TIES, 1);
            }
            self.members[key].insert(member);
            self.counts.add(key, 1);
        }
        old
    }

    fn order(&self) -> impl Iterator<Item = (usize, u32)> {
        let keys = self.members.iter().enumerate();
        keys.flat_map(|(key, members)| members.iter().map(move |&member| (key, member)))
    }
}

/// An index and its oracle.
struct Pair<S: Setup> {
    index: RankIndex<S::Key>,
    oracle: Oracle<S>,
}

impl<S: Setup> Pair<S> {
    fn set(&mut self, member: u32, key: usize) {
        let old = self.index.upsert(&S::name(member), S::key(key)).unwrap();
        assert_eq!(old, self.oracle.set(member, Some(key)).map(S::key));
    }

    fn remove(&mut self, member: u32) {
        let old = self.index.remove(&S::name(member));
        assert_eq!(old, self.oracle.set(member, None).map(S::key));
    }

    /// Counts in front of a member's key and score; its place among equals is left to
    /// `compare_all`, which walks them.
    fn query(&self, member: u32) {
        let name = S::name(member);
        let Some(key) = self.oracle.keys[member as usize] else {
            assert_eq!((self.index.get(&name), self.index.rank(&name)), (None, None));
            return;
        };
        let equals = &self.oracle.members[key];
        let first = self.oracle.counts.in_front_of(key);
        let rank = self.index.rank(&name).unwrap();
        assert!((first..first + equals.len()).contains(&rank), "{member} at {rank}");
        if equals.len() < 50 {
            assert_eq!(rank, first + equals.range(..member).count(), "{member}");
        }
        let score = key / S::TIES;
        let better = self.oracle.counts.in_front_of(score * S::TIES);
        assert_eq!(self.index.competition_rank(&name), Some(better));
        assert_eq!(self.index.dense_rank(&name), Some(self.oracle.scores.in_front_of(score)));
        assert_eq!(self.index.entry_at(rank).unwrap().member, name);
        let from = S::key(key);
        let rest = self.index.count_between(Bound::Included(&from), Bound::Unbounded);
        assert_eq!(rest, self.index.len() - first);
    }

    fn compare_all(&self) {
        self.index.check_invariants().unwrap();
        let expected: Vec<_> =
            self.oracle.order().map(|(key, member)| (S::key(key), S::name(member))).collect();
        assert_eq!(self.index.len(), expected.len());
        let entries = self.index.iter().map(|entry| (entry.key, entry.member));
        assert!(entries.eq(expected.iter().map(|(key, name)| (*key, &name[..]))));
        let names: Vec<_> = expected.iter().map(|(_, name)| name).collect();
        assert!(self.index.ranks(&names).into_iter().eq((0..names.len()).map(Some)));
    }
}

/// Loads all members in a scattered order, then writes at random and compares.
fn churn<S: Setup>(seed: u64) {
    let mut random = Random(seed);
    let mut pair = Pair::<S> { index: RankIndex::with_seed(seed), oracle: Oracle::new() };
    for number in 0..MEMBERS {
        pair.set(number.wrapping_mul(7_919) % MEMBERS, S::draw_key(random.next()));
    }
    pair.compare_all();
    for step in 1..=WRITES {
        let member = S::draw_member(random.next());
        match random.next() % 8 {
            0..=1 => pair.remove(member),
            _ => pair.set(member, S::draw_key(random.next())),
        }
        if step.is_multiple_of(QUERY_EVERY) {
            pair.query(member);
            pair.query(S::draw_member(random.next()));
        }
        if step.is_multiple_of(CHECK_EVERY) {
            pair.compare_all();
        }
    }
    let counts = pair.index.restructures();
    println!("{counts:?}");
    assert!(counts.height >= 3 && counts.leaf_splits > 4_000 && counts.shifts > 4_000);
}

#[test]
fn heavy_ties() {
    churn::<Tied>(1);
}

#[test]
fn power_laws_and_members_of_eight_bytes() {
    churn::<Skewed>(2);
}
