//! What each operation of the index costs, each by itself, at two sizes. Absolute figures do not
//! travel between machines; compare them within one run, or with the run before on the same one.

use std::hint::black_box;
use std::ops::Bound;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rank_index::{RankIndex, ScoreKey};
use rankd_benches::data::{Id, Sequence, shuffled};

const SIZES: [usize; 2] = [1_000, 1_000_000];
const WINDOW: usize = 16;
/// Members that are removed and inserted again, one in this many.
const REMOVED_PART: usize = 10;
const REMOVED_MAX: usize = 10_000;

fn score(numbers: &mut Sequence, size: usize) -> ScoreKey {
    ScoreKey { score: numbers.below(size / 4 + 1) as u64 }
}

fn entries(size: usize) -> Vec<(ScoreKey, Id)> {
    let mut numbers = Sequence::new(1);
    shuffled(size, 2).into_iter().map(|id| (score(&mut numbers, size), id)).collect()
}

fn filled(size: usize) -> RankIndex<ScoreKey> {
    let mut index = RankIndex::new();
    for (key, id) in entries(size) {
        index.upsert(id.as_ref(), key).expect("a short name");
    }
    index
}

fn ranks(criterion: &mut Criterion, size: usize) {
    let index = filled(size);
    let questions = shuffled::<Id>(size, 3);
    let mut next = questions.iter().cycle();
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
    group.throughput(Throughput::Elements(WINDOW as u64));
    let mut windows = questions.chunks_exact(WINDOW).cycle();
    group.bench_function("16 ranks in one call", |bench| {
        bench.iter(|| windows.next().map(|window| index.ranks(window)));
    });
    group.finish();
}

fn ranges(criterion: &mut Criterion, size: usize) {
    let index = filled(size);
    let questions = shuffled::<Id>(size, 3);
    let mut next = questions.iter().cycle();
    let mut numbers = Sequence::new(4);
    let mut group = criterion.benchmark_group(format!("{size} members"));
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
    group.bench_function("count in a score range", |bench| {
        bench.iter(|| {
            let (one, two) = (score(&mut numbers, size), score(&mut numbers, size));
            let (low, high) = if one.score < two.score { (one, two) } else { (two, one) };
            index.count_between(Bound::Included(&low), Bound::Included(&high))
        });
    });
    group.throughput(Throughput::Elements(size as u64));
    group.bench_function("iterate everything", |bench| {
        bench.iter(|| {
            let read = index.iter().map(|entry| entry.key.score + entry.member.len() as u64);
            read.sum::<u64>()
        });
    });
    group.finish();
}

fn writes(criterion: &mut Criterion, size: usize) {
    let mut index = filled(size);
    let questions = shuffled::<Id>(size, 3);
    let mut next = questions.iter().cycle();
    let mut numbers = Sequence::new(4);
    let mut group = criterion.benchmark_group(format!("{size} members"));
    group.bench_function("set a new random score", |bench| {
        bench.iter(|| {
            let id = next.next().expect("a cycle has no end");
            index.upsert(id.as_ref(), score(&mut numbers, size)).expect("a short name")
        });
    });
    let batch = (size / REMOVED_PART).min(REMOVED_MAX);
    let mut batches = questions.chunks_exact(batch).cycle();
    group.throughput(Throughput::Elements(batch as u64));
    // A batch leaves and comes back; only one of the two ways is inside the timed part.
    let index = std::cell::RefCell::new(index);
    group.bench_function("remove", |bench| {
        let mut out: &[Id] = &[];
        let insert = || {
            insert_all(&mut index.borrow_mut(), out, size);
            out = batches.next().expect("a cycle has no end");
            out
        };
        bench.iter_batched(
            insert,
            |ids| remove_all(&mut index.borrow_mut(), ids),
            BatchSize::PerIteration,
        );
        insert_all(&mut index.borrow_mut(), out, size);
    });
    group.bench_function("insert", |bench| {
        let remove = || {
            let ids = batches.next().expect("a cycle has no end");
            remove_all(&mut index.borrow_mut(), ids);
            ids
        };
        bench.iter_batched(
            remove,
            |ids| insert_all(&mut index.borrow_mut(), ids, size),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn remove_all(index: &mut RankIndex<ScoreKey>, ids: &[Id]) {
    for id in ids {
        index.remove(id.as_ref()).expect("every id is in the index");
    }
}

fn insert_all(index: &mut RankIndex<ScoreKey>, ids: &[Id], size: usize) {
    let mut numbers = Sequence::new(5);
    for id in ids {
        index.upsert(id.as_ref(), score(&mut numbers, size)).expect("a short name");
    }
}

fn wholes(criterion: &mut Criterion, size: usize) {
    let mut sorted = entries(size);
    sorted.sort_by_key(|(key, id)| (key.score, *id));
    let mut index = filled(size);
    let mut group = criterion.benchmark_group(format!("{size} members"));
    group.bench_function("take a snapshot", |bench| {
        bench.iter(|| index.snapshot().expect("only one is alive"));
    });
    group.throughput(Throughput::Elements(size as u64)).sample_size(10);
    group.bench_function("build in bulk", |bench| {
        bench.iter_with_large_drop(|| {
            RankIndex::<ScoreKey>::from_sorted(sorted.iter().copied()).expect("sorted")
        });
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    for size in SIZES {
        ranks(criterion, size);
        ranges(criterion, size);
        writes(criterion, size);
        wholes(criterion, size);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
