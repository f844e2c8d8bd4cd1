//! The rules of the embedded store, one scenario a module. The oracle is a map that is updated
//! by the test itself; a store is right if its state, read back, equals it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod check_salvage;
mod damage;
mod durability;
mod fault_fs;
mod faults;
mod golden;
mod group_commit;
mod hostile;
mod layout;
mod memory;
mod orgs;
mod power;
mod power_fs;
mod recovery;
mod salvage_damage;
mod snapshots;
mod support;
