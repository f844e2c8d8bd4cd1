//! Why a load test did not run. What goes wrong while it runs is counted instead.

use std::io;

/// Why a load test did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Something that was asked for is not possible; the text names it and what is.
    #[error("{what} is {value}; it must be {must}")]
    Option {
        /// Name of the option.
        what: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        must: String,
    },
    /// The target is not a URL that can be tested.
    #[error("{url:?} cannot be tested: {reason}")]
    Target {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The target could not be reached.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke before the test began.
    #[error("{address} closed or broke the connection: {source}")]
    Broken {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The target answered something that its protocol does not have.
    #[error("{address} does not answer as expected: {reason}")]
    Protocol {
        /// Host and port.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The target refuses what the test has to do first.
    #[error("{address} refused to {step}: {answer}")]
    Refused {
        /// Host and port.
        address: String,
        /// What was asked.
        step: &'static str,
        /// What it said.
        answer: String,
    },
    /// The board is there with other members.
    #[error(
        "board {board:?} on {address} has {found} members and the test wants {wanted}; name \
         another board, or as many members, or delete it"
    )]
    OtherMembers {
        /// Host and port.
        address: String,
        /// The board.
        board: String,
        /// Members it has.
        found: u64,
        /// Members the test would use.
        wanted: u64,
    },
    /// The system refused a thread, a runtime or a timer.
    #[error("cannot start the test: {0}")]
    System(io::Error),
}

impl LoadError {
    pub(crate) fn option(
        what: &'static str,
        value: impl std::fmt::Display,
        must: impl Into<String>,
    ) -> Self {
        Self::Option { what, value: value.to_string(), must: must.into() }
    }
}
