//! Which members a test asks for: all equally often, or few of them most of the time.
//!
//! Invariant: the same seed asks for the same members, on every machine. Cost: a random number;
//! for Zipf's law a few, and one multiplication that spreads the popular members over the board.

use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, Zipf};

use crate::error::LoadError;

/// How members are picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Access {
    /// Each as often as every other.
    Uniform,
    /// By Zipf's law: the k-th most popular one 1/k^exponent as often as the most popular one.
    Zipf {
        /// Above 0 and at most [`Access::EXPONENT_MAX`]; around 1 for what people do.
        exponent: f64,
    },
}

impl Access {
    /// Largest exponent.
    pub const EXPONENT_MAX: f64 = 10.0;

    /// Reads `uniform`, `zipf` (exponent 0.99) or `zipf:EXPONENT`.
    ///
    /// ```
    /// use rankd_load::Access;
    ///
    /// assert_eq!(Access::parse("zipf:1.2")?, Access::Zipf { exponent: 1.2 });
    /// assert!(Access::parse("zipf:0").is_err());
    /// # Ok::<(), rankd_load::LoadError>(())
    /// ```
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let exponent = match text {
            "uniform" => return Ok(Self::Uniform),
            "zipf" => Some(0.99),
            other => other.strip_prefix("zipf:").and_then(|number| number.parse().ok()),
        };
        match exponent.filter(|given| *given > 0.0 && *given <= Self::EXPONENT_MAX) {
            Some(exponent) => Ok(Self::Zipf { exponent }),
            None => Err(LoadError::option(
                "the access",
                format_args!("{text:?}"),
                "uniform, zipf, or zipf:EXPONENT with an exponent above 0 and at most 10",
            )),
        }
    }
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Zipf { exponent } => write!(f, "zipf:{exponent}"),
        }
    }
}

/// Picks members of a board that has `members`.
#[derive(Debug, Clone)]
pub(crate) struct Picker {
    members: u64,
    zipf: Option<Zipf<f64>>,
}

impl Picker {
    pub(crate) fn new(access: Access, members: u64) -> Self {
        debug_assert!(members > 0, "a plan without members does not pass its check");
        #[expect(clippy::cast_precision_loss, reason = "MEMBERS_MAX is far below 2^53")]
        let zipf = match access {
            Access::Uniform => None,
            Access::Zipf { exponent } => Zipf::new(members as f64, exponent).ok(),
        };
        Self { members, zipf }
    }

    /// The number of a member, below `members`.
    pub(crate) fn pick(&self, random: &mut impl Rng) -> u64 {
        let Some(zipf) = &self.zipf else { return random.random_range(0..self.members) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to members")]
        let popularity = zipf.sample(random) as u64 - 1;
        self.spread(popularity)
    }

    /// The popular ones are not neighbours of one another: steps of a constant that shares no
    /// factor with the number of members reach each of them once.
    fn spread(&self, popularity: u64) -> u64 {
        const STEP: u64 = 11_400_714_819_323_198_485;
        let mut step = STEP % self.members;
        while gcd(step, self.members) != 1 {
            step += 1;
        }
        let product = u128::from(popularity) * u128::from(step) % u128::from(self.members);
        u64::try_from(product).expect("less than the number of members")
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn popular_members_are_spread_and_none_is_left_out() {
        for members in [1, 2, 3, 10, 97, 1000, 4096] {
            let picker = Picker::new(Access::Uniform, members);
            let mut reached: Vec<_> = (0..members).map(|k| picker.spread(k)).collect();
            reached.sort_unstable();
            assert_eq!(reached, (0..members).collect::<Vec<_>>());
        }
    }

    #[test]
    fn zipf_is_as_steep_as_its_law() {
        let picker = Picker::new(Access::Zipf { exponent: 1.0 }, 100);
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut counts = vec![0_u32; 100];
        for _ in 0..200_000 {
            counts[usize::try_from(picker.pick(&mut random)).unwrap()] += 1;
        }
        // The law, summed by hand: the k-th has 1/k of the first, which has 1/H(100).
        let harmonic: f64 = (1..=100).map(|k| 1.0 / f64::from(k)).sum();
        for k in [1_u32, 2, 10] {
            let expected = 200_000.0 / harmonic / f64::from(k);
            let member = usize::try_from(picker.spread(u64::from(k) - 1)).unwrap();
            let found = f64::from(counts[member]);
            assert!((found / expected - 1.0).abs() < 0.05, "{k}: {found} of {expected}");
        }
    }

    #[test]
    fn uniform_picks_reach_both_ends() {
        let picker = Picker::new(Access::Uniform, 10);
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            counts[usize::try_from(picker.pick(&mut random)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_is_no_access_is_named() {
        for bad in ["", "zipf:", "zipf:0", "zipf:-1", "zipf:11", "zipf:NaN", "gauss"] {
            let error = Access::parse(bad).unwrap_err().to_string();
            assert!(error.contains("zipf:EXPONENT"), "{error}");
        }
        for good in ["uniform", "zipf:1.5"] {
            assert_eq!(Access::parse(good).unwrap().to_string(), good);
        }
    }
}
