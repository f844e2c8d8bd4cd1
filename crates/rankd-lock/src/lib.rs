//! A reader-writer lock for boards: readers scale with cores, and nobody starves.
//!
//! What it is: [`BoardLock`], 12 bytes beside its value, phase-fair and without poisoning. Readers
//! and writers that wait for each other take turns: a writer that comes back lets in first whoever
//! waits to read, and a reader that comes while a writer waits lets that writer go first
//! (Brandenburg and Anderson 2010, "Spin-based reader-writer synchronization for multiprocessor
//! real-time systems"). While a lock is mostly read, its readers do not even write to it: each
//! shows itself in a slot of its own thread, where a writer looks for it (Dice and Kogan 2019,
//! "BRAVO - Biased locking for reader-writer locks").
//!
//! What it is not: recursive. A thread that reads a lock twice at a time waits forever if a writer
//! comes in between. Nor is it for awaiting under it: guards stay on their thread.
//!
//! Invariant: while a write guard lives, no other guard of the same lock does.
//!
//! Cost: a read of a lock that is mostly read stores twice to a line of its own thread; any other
//! read adds twice to the lock's line; a write looks at the slots of all threads, but only if the
//! lock was read that way since the last write.

mod lock;
mod parking;
mod protocol;
mod slots;
mod sync;

pub use lock::{ArcWriteGuard, BoardLock, ReadGuard, WriteGuard};
