//! What each operation of the index costs, at two sizes. Absolute figures do not travel between
//! machines; compare them within one run.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rank_index::{RankIndex, ScoreKey};
use rankd_benches::{Id, Sequence, shuffled_ids};

const SIZES: [usize; 2] = [1_000, 1_000_000];
const WINDOW: usize = 16;

fn score(numbers: &mut Sequence, size: usize) -> ScoreKey {
    ScoreKey { score: numbers.below(size / 4 + 1) as u64 }
}

fn filled(ids: &[Id]) -> RankIndex<ScoreKey> {
    let mut numbers = Sequence::new(1);
    let mut index = RankIndex::new();
    for id in ids {
        index.upsert(id.as_ref(), score(&mut numbers, ids.len())).expect("a short name");
    }
    index
}

fn reads(criterion: &mut Criterion, size: usize) {
    let ids = shuffled_ids(size, 2);
    let index = filled(&ids);
    let questions = shuffled_ids(size, 3);
    let mut next = questions.iter().cycle();
    let mut numbers = Sequence::new(4);
    let mut group = criterion.benchmark_group(format!("{size} members"));
    group.bench_function("rank", |bench| {
        bench.iter(|| next.next().map(|id| index.rank(black_box(id.as_ref()))));
    });
    group.bench_function("rank, each depending on the last", |bench| {
        let mut at = 0;
        bench.iter(|| {
            let rank = index.rank(questions[at].as_ref()).expect("every id is in the index");
            // The next question is near the last one, so that only the look-up is waited for.
            at = (at + 1 + (rank & 1)) % size;
        });
    });
    group.bench_function("100 entries at a random rank", |bench| {
        bench.iter(|| {
            let start = numbers.below(size - 100);
            index.range(start..start + 100).map(|entry| entry.key.score).sum::<u64>()
        });
    });
    group.bench_function("around, radius 5", |bench| {
        bench.iter(|| {
            let id = next.next().expect("a cycle has no end");
            let found = index.around(id.as_ref(), 5);
            found.map(|(start, entries)| (start, entries.map(|e| e.member.len()).sum::<usize>()))
        });
    });
    group.throughput(Throughput::Elements(WINDOW as u64));
    let mut windows = questions.chunks_exact(WINDOW).cycle();
    group.bench_function("16 ranks in one call", |bench| {
        bench.iter(|| windows.next().map(|window| index.ranks(window)));
    });
    group.finish();
}

fn writes(criterion: &mut Criterion, size: usize) {
    let mut index = filled(&shuffled_ids(size, 2));
    let questions = shuffled_ids(size, 3);
    let mut next = questions.iter().cycle();
    let mut numbers = Sequence::new(4);
    let mut group = criterion.benchmark_group(format!("{size} members"));
    group.bench_function("set a new random score", |bench| {
        bench.iter(|| {
            let id = next.next().expect("a cycle has no end");
            index.upsert(id.as_ref(), score(&mut numbers, size)).expect("a short name")
        });
    });
    group.bench_function("remove and insert", |bench| {
        bench.iter(|| {
            let id = next.next().expect("a cycle has no end");
            let key = index.remove(id.as_ref()).expect("every id is in the index");
            index.upsert(id.as_ref(), key).expect("a short name")
        });
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    for size in SIZES {
        reads(criterion, size);
        writes(criterion, size);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
