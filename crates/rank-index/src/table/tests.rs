//! Goal: the table finds what is in it and nothing else, whatever the hashes, also while it grows;
//! no insert does much work; it is never too full and never much too large.
//! Method: random operations beside a map from place to hash, with every invariant checked; counts
//! of how often a place is hashed again.

use std::cell::Cell;
use std::collections::HashMap;

use super::*;
use crate::crew::{Crew, Work};

/// The splitmix64 generator: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

/// A table and what should be in it.
struct Pair {
    table: Table,
    hashes: HashMap<u32, u64>,
    places: Vec<u32>,
    fresh: u32,
}

impl Pair {
    fn new(table: Table) -> Self {
        Self { table, hashes: HashMap::new(), places: Vec::new(), fresh: 0 }
    }

    fn fresh(&mut self) -> u32 {
        self.fresh += 1;
        // Odd, so that all bits of a place are in use.
        self.fresh.wrapping_mul(0x9E37_79B1)
    }

    /// Returns how many places were hashed again.
    fn insert(&mut self, hash: u64) -> usize {
        let place = self.fresh();
        let rehashes = Cell::new(0);
        self.table.insert(hash, Place::unpack(place), |other| {
            rehashes.set(rehashes.get() + 1);
            self.hashes[&other.pack()]
        });
        self.hashes.insert(place, hash);
        self.places.push(place);
        rehashes.get()
    }

    fn remove(&mut self, pick: usize) {
        let place = self.places.swap_remove(pick);
        let hash = self.hashes.remove(&place).unwrap();
        self.table.remove(hash, Place::unpack(place));
        self.expect(hash, place, false);
    }

    fn relocate(&mut self, pick: usize) {
        let to = self.fresh();
        let from = std::mem::replace(&mut self.places[pick], to);
        let hash = self.hashes.remove(&from).unwrap();
        self.table.relocate(hash, Place::unpack(from), Place::unpack(to));
        self.hashes.insert(to, hash);
        self.expect(hash, from, false);
        self.expect(hash, to, true);
    }

    /// Looks for a place; whatever else is offered is in the table and has the same tag.
    fn expect(&self, hash: u64, place: u32, is_there: bool) {
        let found = self.table.find(hash, |other| {
            assert_eq!(Tag::of(self.hashes[&other.pack()]), Tag::of(hash));
            other.pack() == place
        });
        assert_eq!(found, is_there.then(|| Place::unpack(place)));
    }

    fn check(&self) {
        self.table.check(|place| self.hashes[&place.pack()]).unwrap();
        assert_eq!(self.table.len(), self.hashes.len());
    }

    fn check_all(&self) {
        self.check();
        for (&place, &hash) in &self.hashes {
            self.expect(hash, place, true);
        }
    }
}

/// Random operations that let the table grow, shrink and grow again.
fn churn(seed: u64, steps: usize, places_max: usize, hash_of: impl Fn(u64) -> u64) {
    let mut random = Random(seed);
    let mut pair = Pair::new(Table::new());
    for step in 0..steps {
        // Mostly inserts at first, then mostly removals, and so on.
        let inserts = if step / places_max % 3 < 2 { 7 } else { 1 };
        let count = pair.places.len();
        match random.below(10) {
            op if op < inserts && count < places_max => drop(pair.insert(hash_of(random.next()))),
            9 if count > 0 => pair.relocate(random.below(count)),
            _ if count > 0 => pair.remove(random.below(count)),
            _ => {}
        }
        pair.expect(hash_of(random.next()), 0, false);
        pair.check();
        if step % 64 == 0 {
            pair.check_all();
        }
    }
    pair.check_all();
    while !pair.places.is_empty() {
        pair.remove(0);
    }
    pair.check();
}

#[test]
fn the_table_follows_its_model() {
    for seed in 0..4 {
        churn(seed, 6_000, 1_000, |hash| hash);
    }
}

#[test]
fn the_table_follows_its_model_with_bad_hashes() {
    churn(10, 2_000, 300, |_| 0);
    churn(11, 2_000, 300, |_| u64::MAX);
    churn(12, 2_000, 300, |_| 1 << 63 | 12_345);
    churn(13, 2_000, 400, |hash| (hash % 5).wrapping_mul(0x3333_3333_3333_3333));
    churn(14, 2_000, 400, |hash| u64::MAX << 58 | hash);
    churn(15, 2_000, 400, |hash| hash >> 8);
    churn(16, 2_000, 400, |hash| hash & 0xFFFF_FFFF_FFFF_FF00);
}

/// Several segments, with removals while the table grows.
#[test]
fn large_tables_follow_their_model() {
    let mut random = Random(20);
    let mut pair = Pair::new(Table::new());
    for step in 0..150_000 {
        pair.insert(random.next());
        if step % 4 == 3 {
            pair.remove(random.below(pair.places.len()));
            pair.relocate(random.below(pair.places.len()));
        }
        if step % 10_000 == 0 {
            pair.check();
        }
    }
    pair.check_all();
}

#[test]
fn no_insert_hashes_many_places_and_no_table_is_large() {
    // Two full chunks, what lies behind them, and some reserve.
    const REHASHES_MAX: usize = 72;
    // As much as a table that has just begun to grow has in use, if it is a single segment.
    const LOAD_LEAST_PERCENT: usize = 65;
    let mut random = Random(30);
    let mut pair = Pair::new(Table::new());
    let (mut most, mut total) = (0, 0);
    for count in 1..=300_000_usize {
        let rehashes = pair.insert(random.next());
        most = most.max(rehashes);
        total += rehashes;
        pair.table.layout.check(count as u64).unwrap();
        let lanes = count * 100 / LOAD_LEAST_PERCENT;
        // Some chunks are behind the last home; then there is the list of segments.
        let chunks = lanes.div_ceil(LANES) + 2 + lanes / LANES / 16;
        let bytes = pair.table.memory_bytes();
        assert!(bytes <= chunks * size_of::<Chunk>() + 512, "{bytes} for {count}");
    }
    pair.check_all();
    println!("most {most} total {total}");
    assert!(most <= REHASHES_MAX, "{most} places were hashed again by one insert");
    assert!(total <= 6 * 300_000, "{total} places were hashed again");
}

#[test]
fn a_table_made_for_its_places_does_not_grow() {
    let mut random = Random(40);
    for count in [0, 1, 9, 10, 33, 1_000, 60_000] {
        let mut pair = Pair::new(Table::with_capacity(count));
        let homes = pair.table.layout.homes();
        assert!((0..count).all(|_| pair.insert(random.next()) == 0));
        assert_eq!(pair.table.layout.homes(), homes);
        let lanes = homes * LANES;
        assert!(count * 100 <= lanes * 80, "{count} in {lanes}");
        pair.check_all();
    }
}

#[test]
fn small_tables_are_small() {
    assert_eq!(Table::new().memory_bytes(), 0);
    let mut random = Random(50);
    let mut pair = Pair::new(Table::with_capacity(32));
    for _ in 0..33 {
        pair.insert(random.next());
    }
    let bytes = pair.table.memory_bytes();
    assert!(bytes <= 7 * size_of::<Chunk>() + 128, "{bytes} bytes");
}

/// All hashes fall together: only the places themselves tell entries apart.
#[test]
fn places_with_equal_hashes_are_told_apart() {
    let mut table = Table::new();
    let place = |leaf| Place { leaf, slot: 3 };
    for leaf in 0..100 {
        table.insert(7, place(leaf), |_| 7);
    }
    table.relocate(7, place(40), place(400));
    table.remove(7, place(41));
    assert_eq!(table.find(7, |other| other == place(400)), Some(place(400)));
    assert_eq!(table.find(7, |other| other == place(40)), None);
    assert_eq!(table.find(7, |other| other == place(41)), None);
    assert_eq!(table.len(), 99);
}

/// The line that a caller may fetch early is the one that a search reads first.
#[test]
fn the_first_chunk_of_a_search_holds_the_place() {
    let mut pair = Pair::new(Table::with_capacity(10));
    pair.insert(1 << 40);
    let chunk = pair.table.segments.chunk(pair.table.layout.home(1 << 40));
    let place = Place::unpack(pair.places[0]);
    let lane = chunk.lanes_with(Tag::of(1 << 40)).find(|&lane| chunk.place(lane) == place);
    assert_eq!(lane, Some(0));
}

/// Hands that work one after the other, and the last piece first.
struct Backwards(usize);

impl Crew for Backwards {
    fn hands(&self) -> usize {
        self.0
    }

    fn carry_out(&self, work: Vec<Work<'_>>) {
        assert!(work.len() <= self.0, "{} pieces for {} hands", work.len(), self.0);
        work.into_iter().rev().for_each(|piece| piece());
    }
}

/// Hashes of enough entries for three segments. Some share one at the end of the first, so that
/// they do not fit in there.
fn hashes_of_three_segments() -> Vec<u64> {
    let (places, chunk) = (3_000_000_u64, (1_u128 << 17) - 1);
    let homes = Layout::with_room(places).homes() as u128;
    assert!(homes > 2 << 17, "{homes} chunks are two segments");
    let last = u64::try_from((chunk << 64).div_ceil(homes)).unwrap();
    let mut random = Random(5);
    (0..places).map(|number| if number % 60_000 == 0 { last } else { random.next() }).collect()
}

#[test]
fn a_table_that_is_filled_in_parts_has_every_place() {
    let hashes = hashes_of_three_segments();
    let place = |number: usize| Place::unpack(u32::try_from(number).unwrap());
    let entries = || hashes.iter().enumerate().map(|(number, &hash)| (hash, place(number)));
    for hands in [1, 2, 7] {
        let table = Table::filled(hashes.len(), entries, |one, two| one == two, &Backwards(hands));
        let table = table.unwrap();
        table.check(|place| hashes[place.pack() as usize]).unwrap();
        for (hash, place) in entries().step_by(101) {
            assert_eq!(table.find(hash, |other| other == place), Some(place));
        }
    }
}

#[test]
fn a_member_that_is_there_twice_is_found_in_any_part() {
    let hashes = hashes_of_three_segments();
    let place = |number: usize| Place::unpack(u32::try_from(number).unwrap());
    // The first: in the run of hashes that are equal, and do not fit.
    for (one, two) in [(0, 2_940_000), (17, 18), (2_000_000, 2_999_999)] {
        let mut hashes = hashes.clone();
        hashes[two] = hashes[one];
        let entries = || hashes.iter().enumerate().map(|(number, &hash)| (hash, place(number)));
        let is_twin = |left: Place, right: Place| (left, right) == (place(one), place(two));
        let found = Table::filled(hashes.len(), entries, is_twin, &Backwards(3));
        assert_eq!(found.err(), Some(two));
    }
}
