//! The campaign of damage: flipped bits, cut files and overwritten sectors in log and snapshots.
//!
//! A start either refuses and changes nothing, or holds a state that the store once had: the last
//! one, or an earlier one with a report of what was cut off. A third of the damage is sealed with
//! good checksums, to get behind them: then nothing may panic or allocate beyond its bound.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use rankd_engine::Storage;
use rankd_storage::{OpenReport, StorageError, check};

use crate::disk::{Disk, SECTOR_BYTES};
use crate::faults::wait;
use crate::fs::{FOLDER, SimFs};
use crate::life::open;
use crate::model::{Contents, Model, Violation};
use crate::random::Random;
use crate::seal;

/// Batches in the sample.
const BATCHES: u64 = 90;
/// One batch in so many is followed by a snapshot.
const SNAPSHOT_EVERY: u64 = 28;
/// What a start may allocate at its peak on a folder of some kilobytes: a block of a snapshot is
/// decompressed into at most 4 MiB, and the rest is small.
const ALLOCATED_BYTES_MAX: usize = 16 << 20;

/// How the process measures what it allocates, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// What is allocated now.
    pub now: fn() -> usize,
    /// The most since the last reset.
    pub peak: fn() -> usize,
    /// Resets the peak.
    pub reset: fn(),
}

/// What the campaign came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// Starts on damaged files.
    pub starts: u64,
    /// Those that refused.
    pub refused: u64,
    /// Those that cut off and reported a torn tail.
    pub cut: u64,
    /// Those that took an older snapshot instead, and reported it.
    pub skipped: u64,
    /// Those that held everything.
    pub whole: u64,
    /// Those on damage that was sealed with good checksums.
    pub sealed: u64,
    /// Most bytes that were allocated by all threads together, beside the sample.
    pub peak_bytes: usize,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "starts on damaged files: {}", self.starts)?;
        writeln!(f, "refused: {}", self.refused)?;
        writeln!(f, "torn tails cut off: {}", self.cut)?;
        writeln!(f, "snapshots skipped: {}", self.skipped)?;
        writeln!(f, "nothing missing: {}", self.whole)?;
        writeln!(f, "sealed with good checksums: {}", self.sealed)?;
        writeln!(f, "most bytes allocated: {}", self.peak_bytes)?;
        write!(f, "milliseconds: {}", self.duration_ms)
    }
}

/// A folder, and everything that its store once held.
struct Sample {
    files: Vec<(String, Vec<u8>)>,
    states: Vec<Contents>,
}

/// Damages `count` folders, the first with the number `seed`.
///
/// # Errors
/// The first start that did what it must not, with its number.
pub fn run(
    seed: u64,
    count: u64,
    threads: usize,
    memory: Memory,
) -> Result<Results, (u64, Violation)> {
    let begun = Instant::now();
    let sample = Sample::new().map_err(|violation| (seed, violation))?;
    let base = (memory.now)();
    (memory.reset)();
    let (next, total) = (AtomicU64::new(0), Mutex::new(Ok(Results::default())));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || total.lock().is_err() {
                return;
            }
            let number = seed.wrapping_add(number);
            if let Err(violation) = sample.judge(number, &total) {
                *total.lock() = Err((number, violation));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut results = total.into_inner()?;
    results.peak_bytes = (memory.peak)().saturating_sub(base);
    if results.peak_bytes > threads * ALLOCATED_BYTES_MAX {
        let what = format!("{} bytes were allocated at once", results.peak_bytes);
        return Err((seed, Violation(what)));
    }
    results.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(results)
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// Bits were flipped.
    Flipped(usize),
    Cut,
    Overwritten,
}

impl Sample {
    fn new() -> Result<Self, Violation> {
        let fs = SimFs::new(Disk::default(), Random::new(0));
        let refused = |error: StorageError| Violation(error.one_line());
        let (store, _state, _report) = open(&fs).map_err(refused)?;
        let (mut model, mut random) = (Model::default(), Random::new(0));
        let mut states = vec![Contents::default()];
        for number in 1..=BATCHES {
            let receipt = wait(store.submit(model.submit(&mut random)))?;
            receipt.map_err(|error| Violation(error.to_string()))?;
            states.push(model.memory().clone());
            if number % SNAPSHOT_EVERY == 0 {
                let taken = wait(store.snapshot())?;
                taken.map_err(|error| Violation(error.to_string()))?;
            }
        }
        drop(store);
        let disk = fs.disk();
        // A start removes temporary files, whatever is in them.
        let files = disk.files().filter(|(name, _)| !name.ends_with(".tmp"));
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
        Ok(Self { files, states })
    }

    /// Damages the folder in the way of this number, and judges what a start makes of it.
    fn judge(
        &self,
        number: u64,
        total: &Mutex<Result<Results, (u64, Violation)>>,
    ) -> Result<(), Violation> {
        let mut random = Random::new(number);
        let mut files = self.files.clone();
        let victim = random.below(files.len());
        let is_sealed = random.one_in(3);
        let (name, bytes) = files.get_mut(victim).expect("below their number");
        let name = name.clone();
        let harm = harm(bytes, &mut random);
        if is_sealed {
            seal::seal(&name, bytes);
        }
        let is_between_records = self.is_cut_between_records(&name, bytes);
        let files: Vec<_> = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
        let disk = Disk::with_files(&files);
        let fs = SimFs::new(disk, Random::new(0));
        let opened = catch_unwind(AssertUnwindSafe(|| self.start(&fs)));
        let opened = opened.map_err(|_panic| Violation(format!("PANIC on {name}, {harm:?}")))??;
        let mut total = total.lock();
        let Ok(results) = &mut *total else { return Ok(()) };
        results.starts += 1;
        results.sealed += u64::from(is_sealed);
        let Some((report, found)) = opened else {
            results.refused += 1;
            let after = fs.disk();
            return match after.files().eq(files.iter().copied()) {
                true => Ok(()),
                false => Err(Violation(format!("a refused start changed files: {name}"))),
            };
        };
        results.cut += u64::from(report.torn_tail.is_some());
        results.skipped += u64::from(!report.skipped_snapshots.is_empty());
        results.whole += u64::from(report.sequence == BATCHES);
        if is_sealed {
            // With good checksums it is somebody else's store: nobody knows what it held.
            return Ok(());
        }
        self.believe(&report, &found, harm, is_between_records)
            .map_err(|violation| Violation(format!("{name}, {harm:?}: {violation}")))
    }

    /// Starts a store, and checks the folder first. `None`: it was refused.
    fn start(&self, fs: &SimFs) -> Result<Option<(OpenReport, Contents)>, Violation> {
        let checked = check(Path::new(FOLDER), fs);
        match open(fs) {
            Ok((store, state, report)) => {
                let contents = Contents::of(&state);
                drop(store);
                let checked = checked.map_err(|error| Violation(error.one_line()))?;
                if checked.sequence != Some(report.sequence) {
                    let (said, found) = (checked.sequence, report.sequence);
                    return Err(Violation(format!("check said {said:?}, the start {found}")));
                }
                contents.map(|contents| Some((report, contents)))
            }
            Err(StorageError::Io { source, .. }) => {
                Err(Violation(format!("the disk is well: {source}")))
            }
            Err(_refused) => Ok(None),
        }
    }

    fn believe(
        &self,
        report: &OpenReport,
        found: &Contents,
        harm: Harm,
        is_between_records: bool,
    ) -> Result<(), Violation> {
        let sequence = usize::try_from(report.sequence).unwrap_or(usize::MAX);
        if self.states.get(sequence) != Some(found) {
            return Err(Violation(format!("WRONG at record {sequence}: {found:?}")));
        }
        let is_reported = report.torn_tail.is_some();
        if report.sequence < BATCHES && !is_reported && !is_between_records {
            return Err(Violation(format!("LOST without a word after record {sequence}")));
        }
        // One flipped bit spoils one record, and only the last can pass for a torn write.
        if harm == Harm::Flipped(1) && report.sequence + 1 < BATCHES {
            return Err(Violation(format!("one bit cost all after record {sequence}")));
        }
        Ok(())
    }

    /// Whether this is the last segment, cut off right behind one of its records: then it looks
    /// like a log that never was longer.
    fn is_cut_between_records(&self, name: &str, bytes: &[u8]) -> bool {
        let last = self.files.iter().rfind(|(name, _)| name.ends_with(".rlog"));
        let Some((last, whole)) = last else { return false };
        last == name && whole.starts_with(bytes) && seal::ends(whole).contains(&bytes.len())
    }
}

fn harm(bytes: &mut Vec<u8>, random: &mut Random) -> Harm {
    match random.below(8) {
        0 => {
            bytes.truncate(random.below(bytes.len()));
            Harm::Cut
        }
        1 => {
            let filler = if random.one_in(2) { 0 } else { random.byte() };
            let start = random.below(bytes.len()) / SECTOR_BYTES * SECTOR_BYTES;
            bytes.iter_mut().skip(start).take(SECTOR_BYTES).for_each(|byte| *byte = filler);
            Harm::Overwritten
        }
        kind => {
            let count = if kind < 6 { 1 } else { 2 + random.below(4) };
            for _ in 0..count {
                let at = random.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            Harm::Flipped(count)
        }
    }
}
