//! What can go wrong between a call and its answer, and whether the write may still count.

use std::fmt;

use serde::Deserialize;

/// An error that the server explained (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// Stable name of the kind of error, such as `unknown-board`.
    #[serde(rename = "type", default)]
    pub slug: String,
    /// Short, for people.
    #[serde(default)]
    pub title: String,
    /// HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What exactly was wrong: parameter, value, limit.
    #[serde(default)]
    pub detail: String,
}

impl Problem {
    /// Refusals have no effect; a broken promise, a mistake inside, or the word of something in
    /// between that is not rankd, leave it open.
    fn may_take_effect(&self) -> bool {
        match self.slug.as_str() {
            "not-durable" => true,
            "" | "internal" => self.status >= 500,
            _ => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.detail.is_empty() { &self.title } else { &self.detail };
        write!(f, "{text} (HTTP {}", self.status)?;
        if !self.slug.is_empty() {
            write!(f, ", {}", self.slug)?;
        }
        f.write_str(")")
    }
}

/// Why a call has no answer. `Display` is one level; the cause is the `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The base URL cannot be used.
    #[error("the server URL `{url}` {reason}")]
    BadUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The API key cannot be one. (The message does not repeat it.)
    #[error("the API key is empty or has characters other than visible ASCII")]
    BadKey,
    /// Nobody answers at that address; the request was not sent.
    #[error("cannot connect to {url}")]
    Connect {
        /// The server's URL.
        url: String,
        /// The reason.
        source: BoxError,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {url} was lost before the answer was complete")]
    Lost {
        /// The server's URL.
        url: String,
        /// The reason.
        source: BoxError,
    },
    /// No answer in time.
    #[error("no answer from {url} within {timeout_ms} ms")]
    Timeout {
        /// The server's URL.
        url: String,
        /// The limit, in milliseconds.
        timeout_ms: u64,
    },
    /// The server refused.
    #[error("{0}")]
    Problem(Problem),
    /// The answer is longer than this client reads.
    #[error("the answer of {url} is longer than {max} bytes")]
    TooLong {
        /// The server's URL.
        url: String,
        /// The limit, in bytes.
        max: usize,
    },
    /// The request cannot be written down; it was not sent.
    #[error("the request to {url} cannot be written as JSON: {reason}")]
    Encode {
        /// The full URL asked for.
        url: String,
        /// What JSON cannot carry.
        reason: String,
    },
    /// The answer is not what this route answers; perhaps something else listens there.
    #[error("the answer of {url} is not that of a rankd server: {reason}")]
    Decode {
        /// The full URL asked for.
        url: String,
        /// What was expected or found.
        reason: String,
    },
}

/// The cause of a broken connection.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl ClientError {
    /// Whether a write that got this error may have been carried out all the same.
    ///
    /// Sending it again is safe with the same idempotency key only.
    #[must_use]
    pub fn may_take_effect(&self) -> bool {
        match self {
            Self::BadUrl { .. } | Self::BadKey | Self::Connect { .. } | Self::Encode { .. } => {
                false
            }
            Self::Problem(problem) => problem.may_take_effect(),
            _ => true,
        }
    }

    /// The server's explanation, if it gave one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the server said that there is no such board or member. (A path that it does not
    /// know, or a 404 of something in between, is another matter.)
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let slug = self.problem().map(|problem| problem.slug.as_str());
        matches!(slug, Some("unknown-board" | "unknown-member"))
    }
}
