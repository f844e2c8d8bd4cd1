//! What the commands do, a file a family. Each reads its arguments, asks the turn over keys, and
//! writes its reply; none of them ranks anything.

pub(crate) mod beyond;
pub(crate) mod connection;
pub(crate) mod hashes;
pub(crate) mod keys;
pub(crate) mod member_ends;
pub(crate) mod pubsub;
pub(crate) mod scan;
pub(crate) mod server;
pub(crate) mod sets;
pub(crate) mod strings;
pub(crate) mod zadd;
pub(crate) mod zops;
pub(crate) mod zpop;
pub(crate) mod zrange;
pub(crate) mod zread;

use crate::failure::Failure;

/// The error for a second word that the command does not know.
pub(crate) fn unknown_subcommand(command: &str, word: &[u8]) -> Failure {
    let word = &word[..word.len().min(128)];
    Failure::about("ERR unknown subcommand '", word, &format!("'. Try {command} HELP."))
}
