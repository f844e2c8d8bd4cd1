//! What a fuzz target sees of the lane's parser.

use super::plain::{self, Parsed};

/// A request that the lane would answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Bytes of the input that it takes up.
    pub bytes: usize,
    /// Its method.
    pub method: String,
    /// Path and query, as they were sent.
    pub path: String,
    /// What is behind the question mark, if anything.
    pub query: String,
    /// The one Host.
    pub host: Vec<u8>,
    /// The key that it shows.
    pub bearer: Option<String>,
    /// `None` if no length was announced.
    pub body: Option<Vec<u8>>,
}

/// The plain request that `input` begins with, if it does.
#[must_use]
pub fn accept(input: &[u8]) -> Option<Accepted> {
    let Parsed::Complete(bytes, plain) = plain::parse(input) else { return None };
    Some(Accepted {
        bytes,
        method: plain.method.as_str().to_owned(),
        path: plain.path.to_owned(),
        query: plain.query.to_owned(),
        host: plain.host.to_vec(),
        bearer: plain.bearer.map(str::to_owned),
        body: plain.body.map(<[u8]>::to_vec),
    })
}
