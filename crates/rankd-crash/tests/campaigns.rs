//! The share of the campaigns that continuous integration runs, and the proof that they find what
//! they are for.

use peak_alloc::PeakAlloc;
use rankd_crash::damage::{self, Memory};
use rankd_crash::faults;
use rankd_crash::moment::Moment;
use rankd_crash::power::{Campaign, run_chain};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CUTS: u64 = 100_000;
/// How often each kind of moment has to be hit.
const CUTS_OF_A_KIND_MIN: u64 = 1_000;
const THREADS: usize = 2;

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    let campaign = Campaign { seed: 6, cuts: CUTS, threads: THREADS, forgotten: None };
    let results = campaign.run().unwrap_or_else(|failure| panic!("{failure}"));
    println!("{results}");
    assert!(results.cuts.total() >= CUTS);
    for moment in Moment::ALL {
        let hit = results.cuts.of(*moment);
        assert!(hit >= CUTS_OF_A_KIND_MIN, "{moment}: {hit} cuts");
    }
    assert!(results.acknowledged > CUTS && results.torn_tails > CUTS / 100);
}

#[test]
fn a_seed_gives_the_same_crashes_again() {
    for seed in 0..20 {
        let [once, again] = [0; 2].map(|_| run_chain(seed, None).expect("nothing is lost"));
        assert_eq!(
            (once.digest, &once.cuts, once.acknowledged),
            (again.digest, &again.cuts, again.acknowledged)
        );
    }
}

/// Leaving out any one of these fsyncs is found, and what is found is a loss or a refused start.
#[test]
fn a_forgotten_fsync_is_found() {
    let fsyncs = [
        Moment::LogSync,
        Moment::RotationSync,
        Moment::RotationFolder,
        Moment::SnapshotSync,
        Moment::SnapshotFolder,
        Moment::NewStore,
        Moment::RecoverySync,
        Moment::RecoveryFolder,
    ];
    let unnoticed = fsyncs.into_iter().filter(|moment| {
        let forgotten = Some(*moment);
        let campaign = Campaign { seed: 6, cuts: CUTS, threads: THREADS, forgotten };
        let ended = campaign.run();
        if let Err(failure) = &ended {
            println!("{moment}: {failure}");
        }
        ended.is_ok()
    });
    let unnoticed: Vec<_> = unnoticed.collect();
    assert!(unnoticed.is_empty(), "left out, and nobody noticed: {unnoticed:?}");
}

#[test]
fn a_fault_at_any_call_loses_nothing_and_is_reported() {
    let results = faults::run(6, 8, 48).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{results}");
    assert!(results.faults >= 5_000, "{results}");
    assert!(results.told > 0 && results.resumed > 0 && results.read_only > 0, "{results}");
    assert!(results.refused_starts > 0 && results.snapshots_failed > 0, "{results}");
}

#[test]
fn damage_is_found_or_harmless_and_allocates_little() {
    let memory = Memory {
        now: || ALLOCATOR.current_usage(),
        peak: || ALLOCATOR.peak_usage(),
        reset: || ALLOCATOR.reset_peak_usage(),
    };
    let results = damage::run(0, 30_000, THREADS, memory);
    let results = results.unwrap_or_else(|(number, violation)| panic!("{number}: {violation}"));
    println!("{results}");
    assert!(results.refused > 0 && results.cut > 0 && results.skipped > 0, "{results}");
}
