//! The endless list of what a connection asks: operations, members and scores from one seed.
//!
//! Invariant: a plan and a number of connection give the same list, whatever the target.

use std::io::Write as _;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use crate::access::Picker;
use crate::mix::{Mix, Operation};
use crate::plan::Plan;

/// Scores are below this.
const SCORE_MAX: u32 = 1_000_000_000;

/// What one connection asks.
#[derive(Debug)]
pub(crate) struct Source {
    mix: Mix,
    picker: Picker,
    random: ChaCha8Rng,
}

impl Source {
    /// The list of connection `number`.
    pub(crate) fn new(plan: &Plan, number: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
        random.set_stream(number);
        let picker = Picker::new(plan.access, plan.members);
        Self { mix: plan.mix.clone(), picker, random }
    }

    pub(crate) fn operation(&mut self) -> Operation {
        self.mix.choose(&mut self.random)
    }

    /// Appends the name of a member that is asked for next.
    pub(crate) fn member(&mut self, out: &mut Vec<u8>) {
        write_member(self.picker.pick(&mut self.random), out);
    }

    pub(crate) fn score(&mut self) -> u32 {
        self.random.random_range(0..SCORE_MAX)
    }
}

/// Appends the name of member `number`; at least seven digits, so that most have one length.
pub(crate) fn write_member(number: u64, out: &mut Vec<u8>) {
    print(out, format_args!("user:{number:07}"));
}

/// Appends formatted text.
pub(crate) fn print(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a vector cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(plan: &Plan, number: u64) -> Vec<u8> {
        let mut source = Source::new(plan, number);
        let mut out = Vec::new();
        for _ in 0..20 {
            out.extend_from_slice(source.operation().name().as_bytes());
            source.member(&mut out);
            print(&mut out, format_args!(" {}\n", source.score()));
        }
        out
    }

    #[test]
    fn a_seed_and_a_connection_make_one_list() {
        let plan = Plan::default();
        assert_eq!(list(&plan, 3), list(&plan, 3));
        assert_ne!(list(&plan, 3), list(&plan, 4));
        assert_ne!(list(&plan, 3), list(&Plan { seed: 2, ..plan.clone() }, 3));
    }
}
