//! What each operation of the index costs, at two sizes. Absolute figures do not travel between
//! machines; compare them within one run.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rank_index::{RankIndex, ScoreKey};
use rankd_benches::{Sequence, members};

const SIZES: [usize; 2] = [1_000, 1_000_000];
const WINDOW: usize = 16;

fn score(numbers: &mut Sequence, size: usize) -> ScoreKey {
    ScoreKey { score: numbers.below(size / 4 + 1) as u64 }
}

fn filled(names: &[Vec<u8>]) -> RankIndex<ScoreKey> {
    let mut numbers = Sequence::new(1);
    let mut index = RankIndex::new();
    for name in names {
        index.upsert(name, score(&mut numbers, names.len())).expect("a short name");
    }
    index
}

fn reads(criterion: &mut Criterion, size: usize) {
    let names = members(size);
    let index = filled(&names);
    let mut numbers = Sequence::new(2);
    let mut group = criterion.benchmark_group(format!("{size} members"));
    group.bench_function("rank", |bench| {
        bench.iter(|| black_box(index.rank(&names[numbers.below(size)])));
    });
    group.bench_function("rank, each depending on the last", |bench| {
        let mut last = 0;
        bench.iter(|| {
            let chosen = (numbers.below(size) + last) % size;
            last = index.rank(&names[chosen]).expect("every name is in the index");
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
            let found = index.around(&names[numbers.below(size)], 5);
            found.map(|(start, entries)| (start, entries.map(|e| e.member.len()).sum::<usize>()))
        });
    });
    group.throughput(Throughput::Elements(WINDOW as u64));
    group.bench_function("16 ranks in one call", |bench| {
        bench.iter_batched(
            || (0..WINDOW).map(|_| &names[numbers.below(size)][..]).collect::<Vec<_>>(),
            |window| index.ranks(&window),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn writes(criterion: &mut Criterion, size: usize) {
    let names = members(size);
    let mut index = filled(&names);
    let mut numbers = Sequence::new(3);
    let mut group = criterion.benchmark_group(format!("{size} members"));
    group.bench_function("set a new random score", |bench| {
        bench.iter(|| {
            let key = score(&mut numbers, size);
            index.upsert(&names[numbers.below(size)], key).expect("a short name")
        });
    });
    group.bench_function("remove and insert", |bench| {
        bench.iter(|| {
            let name = &names[numbers.below(size)];
            let key = index.remove(name).expect("every name is in the index");
            index.upsert(name, key).expect("a short name")
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
