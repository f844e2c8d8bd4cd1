//! Instructions and cache misses per operation, counted by valgrind instead of timed.
//!
//! What it is: the program behind `cargo xtask bench count`; it starts itself under callgrind and
//! reads what that wrote. What it is not: a clock; the cache is a simulated one. Invariant: only
//! the operations are counted, not the loading. Cost: some minutes.
fn main() {}
