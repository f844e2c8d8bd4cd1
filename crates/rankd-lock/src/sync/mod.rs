//! The primitives that everything else is made of: the machine's, or those of the model checker.
//!
//! What it is: one import to switch them by `cfg(loom)`, and the sizes that must be small in a
//! model. What it is not: an abstraction; both sides have the same names and the same meaning.
//! Invariant: no other module names `std::sync`, `parking_lot` or `loom`.

#[cfg(loom)]
mod model;
#[cfg(loom)]
pub(crate) use model::*;

#[cfg(not(loom))]
mod machine;
#[cfg(not(loom))]
pub(crate) use machine::*;
