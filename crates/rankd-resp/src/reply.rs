//! Replies as bytes, in the version of the protocol that the client speaks.
//!
//! Invariant: every value is complete; how many values an aggregate has is said before them.
//! Cost: O(bytes).

use rankd_engine::Score;

use crate::number::{write_integer, write_score};

/// Which version a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Version {
    /// The one of all clients, without types beyond five.
    #[default]
    Resp2,
    /// With maps, sets, doubles, booleans, nulls and pushes.
    Resp3,
}

/// Bytes on their way to a client.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// How they are to be written.
    pub(crate) version: Version,
}

impl Reply {
    fn is_3(&self) -> bool {
        self.version == Version::Resp3
    }

    fn head(&mut self, kind: u8, number: i64) {
        self.bytes.push(kind);
        write_integer(&mut self.bytes, number);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn length(&mut self, kind: u8, length: usize) {
        self.head(kind, i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// A line that says how it went.
    pub(crate) fn simple(&mut self, text: &str) {
        self.bytes.push(b'+');
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// `OK`.
    pub(crate) fn ok(&mut self) {
        self.simple("OK");
    }

    /// An error, its prefix first.
    pub(crate) fn error(&mut self, text: &[u8]) {
        self.bytes.push(b'-');
        // A line end inside would end the error.
        self.bytes.extend(
            text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }),
        );
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, number: i64) {
        self.head(b':', number);
    }

    /// A number of things.
    pub(crate) fn count(&mut self, number: usize) {
        self.length(b':', number);
    }

    /// 1 or 0, as commands answer yes or no.
    pub(crate) fn flag(&mut self, is_so: bool) {
        self.integer(i64::from(is_so));
    }

    /// Bytes.
    pub(crate) fn bulk(&mut self, bytes: &[u8]) {
        self.length(b'$', bytes.len());
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Text that clients show as it is.
    pub(crate) fn verbatim(&mut self, text: &str) {
        if !self.is_3() {
            self.bulk(text.as_bytes());
            return;
        }
        self.length(b'=', text.len() + 4);
        self.bytes.extend_from_slice(b"txt:");
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Nothing, where a value was asked for.
    pub(crate) fn null(&mut self) {
        self.bytes.extend_from_slice(if self.is_3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// Nothing, where an array was asked for.
    pub(crate) fn null_array(&mut self) {
        self.bytes.extend_from_slice(if self.is_3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// Begins an array.
    pub(crate) fn array(&mut self, length: usize) {
        self.length(b'*', length);
    }

    /// Begins a set.
    pub(crate) fn set(&mut self, length: usize) {
        self.length(if self.is_3() { b'~' } else { b'*' }, length);
    }

    /// Begins a map of so many pairs.
    pub(crate) fn map(&mut self, pairs: usize) {
        if self.is_3() {
            self.length(b'%', pairs);
        } else {
            self.length(b'*', pairs * 2);
        }
    }

    /// Begins a message that was not asked for.
    pub(crate) fn push(&mut self, length: usize) {
        self.length(if self.is_3() { b'>' } else { b'*' }, length);
    }

    /// A score: a double, or its text.
    pub(crate) fn score(&mut self, score: Score) {
        if self.is_3() {
            self.bytes.push(b',');
            write_score(&mut self.bytes, score);
            self.bytes.extend_from_slice(b"\r\n");
        } else {
            self.score_text(score);
        }
    }

    /// A score as text, whatever the version.
    pub(crate) fn score_text(&mut self, score: Score) {
        let mut text = Vec::with_capacity(24);
        write_score(&mut text, score);
        self.bulk(&text);
    }

    /// A member with its score, in a list of such: a pair of its own where the version has it so.
    pub(crate) fn scored(&mut self, member: &[u8], score: Score) {
        if self.is_3() {
            self.array(2);
        }
        self.bulk(member);
        self.score(score);
    }

    /// Begins a list of members, with their scores if asked for.
    pub(crate) fn members(&mut self, count: usize, with_scores: bool) {
        let flat = if with_scores && !self.is_3() { count * 2 } else { count };
        self.array(flat);
    }

    /// Where an aggregate is to begin whose length is not known yet.
    #[must_use]
    pub(crate) fn mark(&self) -> usize {
        self.bytes.len()
    }
}
