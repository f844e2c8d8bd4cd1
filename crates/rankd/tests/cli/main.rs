//! The real binary, from the outside: exit codes, what it prints, and what it leaves on disk.

mod bench;
mod export;
mod host;
mod http;
mod import;
mod keys;
mod look;
mod organisations;
mod refusals;
mod serve;
