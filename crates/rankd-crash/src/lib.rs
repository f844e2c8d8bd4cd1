//! Crashes on purpose: a simulated disk, and campaigns that hold the embedded store to its word.
//!
//! What it is: [`disk`], which knows what a power cut leaves; [`fs`], the store's door to it;
//! [`model`], what the store has to hold; and the campaigns [`power`], [`faults`] and [`damage`].
//! `docs/reliability.md` has their results. What it is not: a part of the product. Invariant: a
//! campaign is decided by its seed alone.

pub mod damage;
pub mod disk;
pub mod faults;
pub mod fs;
pub mod life;
pub mod model;
pub mod moment;
pub mod power;
pub mod random;

mod files;
mod seal;
