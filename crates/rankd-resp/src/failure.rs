//! Errors as Redis words them: clients and libraries look at the first word, people at the rest.

use std::borrow::Cow;

use rankd_engine::{SetError, WrongKind};

/// An error reply, without its dash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) Cow<'static, [u8]>);

/// What handlers return; what they wrote before a failure is taken back.
pub(crate) type Done = Result<(), Failure>;

impl Failure {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }

    /// With what a client sent in it: as far as a zero byte, as C would print it.
    pub(crate) fn about(before: &str, sent: &[u8], after: &str) -> Self {
        let end = sent.iter().position(|byte| *byte == 0).unwrap_or(sent.len());
        Self([before.as_bytes(), &sent[..end], after.as_bytes()].concat().into())
    }

    pub(crate) fn of(text: String) -> Self {
        Self(Cow::Owned(text.into_bytes()))
    }
}

pub(crate) const SYNTAX: Failure = Failure::new("ERR syntax error");
pub(crate) const WRONG_TYPE: Failure =
    Failure::new("WRONGTYPE Operation against a key holding the wrong kind of value");
pub(crate) const NOT_INTEGER: Failure = Failure::new("ERR value is not an integer or out of range");
pub(crate) const NOT_POSITIVE: Failure =
    Failure::new("ERR value is out of range, must be positive");
pub(crate) const NOT_FLOAT: Failure = Failure::new("ERR value is not a valid float");
pub(crate) const NOT_RANGE: Failure = Failure::new("ERR min or max is not a float");
pub(crate) const NOT_LEX_RANGE: Failure =
    Failure::new("ERR min or max not valid string range item");
pub(crate) const NAN_SCORE: Failure = Failure::new("ERR resulting score is not a number (NaN)");
pub(crate) const NO_KEY: Failure = Failure::new("ERR no such key");
pub(crate) const NO_ROOM: Failure =
    Failure::new("ERR the result is larger than one turn can write");
pub(crate) const OVERFLOW: Failure = Failure::new("ERR increment or decrement would overflow");

impl From<WrongKind> for Failure {
    fn from(_: WrongKind) -> Self {
        WRONG_TYPE
    }
}

impl From<SetError> for Failure {
    fn from(error: SetError) -> Self {
        match error {
            SetError::WrongKind(_) => WRONG_TYPE,
            SetError::Full("the limit of what one turn can write") => NO_ROOM,
            other => Self::of(format!("ERR {other}")),
        }
    }
}
