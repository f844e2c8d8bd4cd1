//! What the benches share: one data set, the structures that are compared on it, and what a page of
//! figures says of the machine.
//!
//! What it is not: a part of the product; nothing depends on it. Invariant: the same seed gives the
//! same members, scores and questions to every structure. Cost: that of the structures.

pub mod data;
pub mod machine;
pub mod servers;
pub mod structures;
pub mod table;

/// Lets time pass: between the requests of a paced load, and in what stands for a slow disk. It
/// synchronises nothing.
#[allow(clippy::disallowed_methods, reason = "the time itself is what is wanted")]
pub fn pause(time: std::time::Duration) {
    std::thread::sleep(time);
}
