//! The languages of targets: requests out, answers in. Each answer is looked at only as far as
//! the test needs to: where it ends, whether it is a refusal, and a number if it is one.
//!
//! Cost: requests are appended to a buffer, answers are borrowed from one; nothing is allocated.

mod http;
mod redis;

use crate::mix::Operation;
use crate::plan::Plan;
use crate::source::Source;
use crate::target::{Scheme, Target};

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply<'a> {
    Body(&'a [u8]),
    Integer(u64),
    /// What was asked for is not there.
    Nil,
    Refused(&'a [u8]),
}

/// An answer at the beginning of what has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    /// How much of the input it takes.
    pub(crate) bytes: usize,
    pub(crate) reply: Reply<'a>,
    /// Whether the server closes the connection after it.
    pub(crate) is_last: bool,
}

/// An operation that was written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// Answers that it will get.
    pub(crate) answers: u32,
    /// Whether its answer, a rank, leads to a second request.
    pub(crate) then_around: bool,
}

impl Encoded {
    const ONE: Self = Self { answers: 1, then_around: false };
}

/// How to talk to a target.
#[derive(Debug, Clone)]
pub(crate) enum Wire {
    Http(http::Http),
    Redis(redis::Redis),
}

impl Wire {
    pub(crate) fn new(target: &Target, plan: &Plan) -> Self {
        match target.scheme {
            Scheme::Http => Self::Http(http::Http::new(target, plan)),
            Scheme::Redis => Self::Redis(redis::Redis::new(target, plan)),
        }
    }

    /// Appends what a new connection begins with; returns the answers to wait for.
    pub(crate) fn hello(&self, out: &mut Vec<u8>) -> u32 {
        match self {
            Self::Http(_) => 0,
            Self::Redis(redis) => redis.hello(out),
        }
    }

    /// Appends a request.
    pub(crate) fn encode(
        &self,
        operation: Operation,
        source: &mut Source,
        out: &mut Vec<u8>,
    ) -> Encoded {
        match self {
            Self::Http(http) => http.encode(operation, source, out),
            Self::Redis(redis) => redis.encode(operation, source, out),
        }
    }

    /// Appends the second request of an operation whose first answer was a rank, from 0.
    pub(crate) fn encode_around(&self, rank: u64, out: &mut Vec<u8>) {
        if let Self::Redis(redis) = self {
            redis.encode_around(rank, out);
        }
    }

    /// Appends the question how many members the board has.
    pub(crate) fn encode_count(&self, out: &mut Vec<u8>) {
        match self {
            Self::Http(http) => http.encode_count(out),
            Self::Redis(redis) => redis.encode_count(out),
        }
    }

    /// What the answer to that question says; `None` if it is no such answer.
    pub(crate) fn count(&self, reply: &Reply<'_>) -> Option<u64> {
        match self {
            Self::Http(_) => http::count(reply),
            Self::Redis(_) => redis::count(reply),
        }
    }

    /// Appends a request that gives scores to the members from `first` on, `count` of them.
    pub(crate) fn encode_fill(
        &self,
        first: u64,
        count: u64,
        source: &mut Source,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Http(http) => http.encode_fill(first, count, source, out),
            Self::Redis(redis) => redis.encode_fill(first, count, source, out),
        }
    }

    /// The first answer in `input`, once all of it is there.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub(crate) fn decode<'a>(&self, input: &'a [u8]) -> Result<Option<Answer<'a>>, &'static str> {
        match self {
            Self::Http(_) => http::decode(input),
            Self::Redis(_) => redis::decode(input),
        }
    }
}
