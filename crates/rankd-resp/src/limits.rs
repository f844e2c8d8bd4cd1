//! Every limit of the Redis front end, in one place.

/// Longest argument of a command, in bytes; as long as the longest string that the engine keeps.
pub const BULK_BYTES_MAX: usize = rankd_engine::limits::TEXT_BYTES_MAX;
/// Most arguments of one command.
pub const ARGS_MAX: usize = 1 << 20;
/// Longest line: a length, or a command that is written in one line, in bytes.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// Most arguments, and most bytes of one, before a client has shown who it is.
pub const ARGS_UNKNOWN_CLIENT_MAX: usize = 10;
/// See [`ARGS_UNKNOWN_CLIENT_MAX`].
pub const BULK_BYTES_UNKNOWN_CLIENT_MAX: usize = 16 << 10;
/// Most bytes of one command, and of what a connection has sent and not yet got an answer to.
pub const INPUT_BYTES_MAX: usize = 16 << 20;
/// Most that the commands of one turn, or of one transaction, may become in the log, in bytes.
pub const TURN_BYTES_MAX: u64 = 16 << 20;
/// Most commands that are carried out in one turn.
pub const TURN_COMMANDS_MAX: usize = 1024;
/// Bytes of replies at which a turn ends, so that they can be sent.
pub const OUTPUT_BYTES_TARGET: usize = 1 << 20;
/// Longest reply to one command, in bytes.
pub const REPLY_BYTES_MAX: usize = 512 << 20;
/// Most bytes of replies that wait for all clients together; who would add more is let go.
pub const OUTPUT_BYTES_TOTAL_MAX: usize = 1 << 30;
/// How long a client may take to read a reply, in milliseconds, as long as it reads nothing.
pub const WRITE_MS_MAX: u64 = 60_000;
/// Bytes of room that a read is given.
pub const READ_BYTES: usize = 16 << 10;
/// Arguments for which a connection keeps room while its client is silent.
pub const RESTING_ARGS_MAX: usize = 64;
/// Bytes of replies for which a connection keeps room while its client is silent.
pub const RESTING_OUTPUT_BYTES_MAX: usize = 1 << 10;
/// Most connections at a time, unless set otherwise.
pub const CONNECTIONS_MAX_DEFAULT: usize = 10_000;
/// How long a connection may be silent, in milliseconds, unless set otherwise; 0: for ever.
pub const IDLE_MS_DEFAULT: u64 = 0;
/// How long a client may take to show who it is, where a password is asked for, in milliseconds.
pub const AUTH_MS_MAX: u64 = 10_000;
/// Messages that may wait for one subscriber; who is that far behind is let go.
pub const MESSAGES_MAX: usize = 4096;
/// Channels and patterns that one connection may subscribe to.
pub const SUBSCRIPTIONS_MAX: usize = 10_000;
/// Keys that one connection may watch.
pub const WATCHES_MAX: usize = 10_000;
/// Entries of the slow log that are kept.
pub const SLOW_LOG_MAX: usize = 128;
/// How often ends of keys and members are looked for, in milliseconds.
pub const EXPIRY_MS: u64 = 100;
/// Keys that are ended in one turn.
pub const EXPIRY_KEYS_MAX: usize = 256;
/// What members that are ended in one turn may become in the log, in bytes.
pub const EXPIRY_MEMBERS_BYTES_MAX: u64 = 1 << 20;
/// How often a client that waits for a member looks for one that came over HTTP, in milliseconds.
pub const BLOCKED_LOOK_MS: u64 = 100;
/// Members up to which a scan shows a board in one piece.
pub const SCAN_WHOLE_MAX: usize = 10_000;
/// Longest name of a client or its library, in bytes.
pub const CLIENT_NAME_BYTES_MAX: usize = 255;

const _: () = assert!(BULK_BYTES_MAX <= INPUT_BYTES_MAX);
const _: () = assert!(rankd_engine::limits::NAME_BYTES_MAX <= BULK_BYTES_MAX);
