//! The real binary, from the outside: exit codes, what it prints, and what it leaves on disk.

mod export;
mod host;
mod import;
mod look;
mod refusals;
mod serve;
