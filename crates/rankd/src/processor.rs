//! Whether this processor can run what was compiled.
//!
//! What it is not: a choice between variants at run time; the whole program is compiled for one
//! set of instructions. Invariant: it runs before anything that may use them. Cost: microseconds.

/// What a processor lacks.
#[derive(Debug, thiserror::Error)]
#[error(
    "this rankd was built for processors with AVX2 (x86-64-v3, since 2013 to 2015), which this one \
     lacks; build it with RUSTFLAGS=\"-C target-cpu=x86-64\""
)]
pub(crate) struct Missing;

/// Asks the processor itself: what the compiler assumes is not evidence.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
pub(crate) fn check() -> Result<(), Missing> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const EXTENDED_FEATURES: u32 = 7;
    const EBX_AVX2: u32 = 1 << 5;
    let leaves = __cpuid(0).eax;
    let has_avx2 =
        leaves >= EXTENDED_FEATURES && __cpuid_count(EXTENDED_FEATURES, 0).ebx & EBX_AVX2 != 0;
    if has_avx2 { Ok(()) } else { Err(Missing) }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[expect(clippy::unnecessary_wraps, reason = "other builds have something to check")]
pub(crate) fn check() -> Result<(), Missing> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn tests_run_on_a_processor_that_will_do() {
        assert!(super::check().is_ok());
    }
}
