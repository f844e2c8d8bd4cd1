//! Which operations a test consists of, and how often each comes.
//!
//! Cost of choosing one: a random number and a walk over at most six sums.

use rand::{Rng, RngExt as _};
use serde::Serialize;

use crate::error::LoadError;

/// What one request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Where one member stands.
    Rank,
    /// The first members of the board.
    Top,
    /// A member and its neighbours.
    Around,
    /// The ranks of many members at once.
    Bulk,
    /// A new score for one member.
    Update,
    /// One more for one member.
    Increment,
}

impl Operation {
    /// Every operation, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Rank, Self::Top, Self::Around, Self::Bulk, Self::Update, Self::Increment];

    /// Its name in a mix.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Top => "top",
            Self::Around => "around",
            Self::Bulk => "bulk",
            Self::Update => "update",
            Self::Increment => "increment",
        }
    }

    /// Its place in [`Operation::ALL`].
    pub(crate) fn place(self) -> usize {
        self as usize
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// Operations by weight.
///
/// ```
/// use rankd_load::{Mix, Operation};
///
/// let mix = Mix::parse("rank=90,update=10")?;
/// assert_eq!(mix.weight(Operation::Rank), 90);
/// assert_eq!(Mix::parse("rank")?.weight(Operation::Rank), 1);
/// assert!(Mix::parse("ranks=1").is_err());
/// # Ok::<(), rankd_load::LoadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    weights: [u32; Operation::ALL.len()],
    total: u32,
}

/// Largest weight of one operation.
const WEIGHT_MAX: u32 = 1_000_000;

impl Mix {
    /// Reads `NAME=WEIGHT,...`; a name alone has the weight 1.
    ///
    /// # Errors
    /// An unknown or repeated name, a weight that is not a whole number up to a million, or
    /// nothing that would ever be chosen.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let refuse = |value: &str| {
            let names = Operation::ALL.map(Operation::name).join(", ");
            let must = format!("NAME=WEIGHT,... with each of {names} at most once");
            LoadError::option("the mix", format_args!("{value:?}"), must)
        };
        let mut weights = [0; Operation::ALL.len()];
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let operation = Operation::named(name.trim()).ok_or_else(|| refuse(part))?;
            let weight = weight.trim().parse().ok().filter(|weight| *weight <= WEIGHT_MAX);
            let place = &mut weights[operation.place()];
            if *place != 0 {
                return Err(refuse(part));
            }
            *place = weight.ok_or_else(|| refuse(part))?;
        }
        match weights.iter().sum() {
            0 => Err(refuse(text)),
            total => Ok(Self { weights, total }),
        }
    }

    /// A mix of one operation.
    #[must_use]
    pub fn only(operation: Operation) -> Self {
        let mut weights = [0; Operation::ALL.len()];
        weights[operation.place()] = 1;
        Self { weights, total: 1 }
    }

    /// How often an operation comes, beside the others' weights.
    #[must_use]
    pub fn weight(&self, operation: Operation) -> u32 {
        self.weights[operation.place()]
    }

    pub(crate) fn choose(&self, random: &mut impl Rng) -> Operation {
        let mut rest = random.random_range(0..self.total);
        for operation in Operation::ALL {
            let weight = self.weight(operation);
            if rest < weight {
                return operation;
            }
            rest -= weight;
        }
        unreachable!("the weights add up to the total")
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chosen = Operation::ALL.into_iter().filter(|operation| self.weight(*operation) > 0);
        for (index, operation) in chosen.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}={}", operation.name(), self.weight(operation))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn places_are_those_of_the_list() {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation.place(), place);
        }
    }

    #[test]
    fn a_mix_is_chosen_by_its_weights() {
        let mix = Mix::parse("rank=7, update=2,top=1,around=0").unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut counts = [0_u32; 6];
        for _ in 0..100_000 {
            counts[mix.choose(&mut random).place()] += 1;
        }
        // Four standard deviations of a binomial count are 580 at most.
        for (operation, expected) in
            [(Operation::Rank, 70_000), (Operation::Update, 20_000), (Operation::Top, 10_000)]
        {
            let count = counts[operation.place()];
            assert!(count.abs_diff(expected) < 600, "{operation:?}: {count}");
        }
        assert_eq!(counts.iter().sum::<u32>(), 100_000);
        assert_eq!(mix.to_string(), "rank=7,top=1,update=2");
    }

    #[test]
    fn what_is_no_mix_is_named() {
        for bad in ["", "rank=", "rank=-1", "rank=1,rank=2", "rank=0", "dance=1", "rank=1000001"] {
            let error = Mix::parse(bad).unwrap_err().to_string();
            assert!(error.contains("NAME=WEIGHT") && error.contains("increment"), "{error}");
        }
    }
}
