//! What a test is to do: its load, its length, its workload.

use std::time::Duration;

use crate::access::Access;
use crate::error::LoadError;
use crate::mix::{Mix, Operation};

/// Every limit of a test, with its unit in its name.
pub mod limits {
    use std::time::Duration;

    /// Most connections.
    pub const CONNECTIONS_MAX: usize = 20_000;
    /// Most requests on their way on one connection.
    pub const PIPELINE_MAX: usize = 1024;
    /// Most threads.
    pub const THREADS_MAX: usize = 256;
    /// Highest rate of an open loop, in requests a second.
    pub const RATE_PER_S_MAX: u64 = 10_000_000;
    /// Longest test, and longest warm-up.
    pub const DURATION_MAX: Duration = Duration::from_hours(24);
    /// Most members of the board.
    pub const MEMBERS_MAX: u64 = 100_000_000;
    /// Most members of one page.
    pub const TOP_MAX: u32 = 1000;
    /// Most neighbours on either side.
    pub const RADIUS_MAX: u32 = 500;
    /// Most members of one bulk read.
    pub const BULK_MAX: u32 = 1000;
    /// Longest name of a board, in bytes.
    pub const BOARD_BYTES_MAX: usize = 200;
    /// Longest path of a request, in bytes.
    pub const PATH_BYTES_MAX: usize = 4096;
    /// Longest answer that is waited for, in bytes.
    pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
    /// How long an answer is waited for after the test's end.
    pub const LAST_ANSWER_WAIT: Duration = Duration::from_secs(2);
    /// How long a connection may take to be made, and an answer before the test begins.
    pub const PATIENCE: Duration = Duration::from_secs(30);
    /// Longest latency that is told apart from longer ones.
    pub const LATENCY_MAX: Duration = Duration::from_hours(1);
}

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as an answer makes room: full speed.
    Closed,
    /// At a fixed rate over all connections, whatever the answers do.
    Open {
        /// 1 to [`limits::RATE_PER_S_MAX`].
        rate_per_s: u64,
    },
}

/// What a test is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// 1 to [`limits::CONNECTIONS_MAX`].
    pub connections: usize,
    /// Most requests on their way on one connection; 1 to [`limits::PIPELINE_MAX`].
    pub pipeline: usize,
    /// Threads that the connections are spread over; 1 to [`limits::THREADS_MAX`].
    pub threads: usize,
    /// When requests are sent.
    pub pace: Pace,
    /// How long the load runs before anything is counted.
    pub warmup: Duration,
    /// How long it is counted.
    pub duration: Duration,
    /// The board; letters, digits, `-`, `_`, `.` and `~`.
    pub board: String,
    /// Members of the board; 1 to [`limits::MEMBERS_MAX`].
    pub members: u64,
    /// Which of them are asked for.
    pub access: Access,
    /// What is asked.
    pub mix: Mix,
    /// Members of a page of the top; 1 to [`limits::TOP_MAX`].
    pub top: u32,
    /// Neighbours on either side; 1 to [`limits::RADIUS_MAX`].
    pub radius: u32,
    /// Members of a bulk read; 1 to [`limits::BULK_MAX`].
    pub bulk: u32,
    /// `GET` this path of an HTTP server instead of rankd's own; `{member}` in it is replaced.
    pub path: Option<String>,
    /// Sent as a bearer token over HTTP.
    pub token: Option<String>,
    /// The same seed makes the same requests.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            connections: 64,
            pipeline: 1,
            threads: 1,
            pace: Pace::Closed,
            warmup: Duration::from_secs(2),
            duration: Duration::from_secs(10),
            board: "rankd-bench".to_owned(),
            members: 1_000_000,
            access: Access::Uniform,
            mix: Mix::only(Operation::Rank),
            top: 10,
            radius: 5,
            bulk: 100,
            path: None,
            token: None,
            seed: 1,
        }
    }
}

impl Plan {
    /// Checks every part against its limits.
    ///
    /// # Errors
    /// The first part that is outside of them.
    pub fn check(&self) -> Result<(), LoadError> {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        within("connections", count(self.connections), count(limits::CONNECTIONS_MAX))?;
        within("pipeline", count(self.pipeline), count(limits::PIPELINE_MAX))?;
        within("threads", count(self.threads), count(limits::THREADS_MAX))?;
        if let Pace::Open { rate_per_s } = self.pace {
            within("rate", rate_per_s, limits::RATE_PER_S_MAX)?;
        }
        within("members", self.members, limits::MEMBERS_MAX)?;
        within("top", self.top.into(), limits::TOP_MAX.into())?;
        within("radius", self.radius.into(), limits::RADIUS_MAX.into())?;
        within("bulk", self.bulk.into(), limits::BULK_MAX.into())?;
        self.check_times()?;
        self.check_texts()
    }

    fn check_times(&self) -> Result<(), LoadError> {
        for (what, given) in [("duration", self.duration), ("warm-up", self.warmup)] {
            if given > limits::DURATION_MAX {
                return Err(LoadError::option(what, format_args!("{given:?}"), "at most 24 hours"));
            }
        }
        if self.duration.is_zero() {
            return Err(LoadError::option("duration", "0", "more than nothing"));
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), LoadError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let board = &self.board;
        if !(1..=limits::BOARD_BYTES_MAX).contains(&board.len()) || !board.bytes().all(is_plain) {
            let must = "1 to 200 letters, digits, '-', '_', '.' or '~'";
            return Err(LoadError::option("board", format_args!("{board:?}"), must));
        }
        let is_visible = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(path) = &self.path
            && !(path.starts_with('/') && path.len() <= limits::PATH_BYTES_MAX && is_visible(path))
        {
            let must = "a path of visible ASCII that begins with a slash";
            return Err(LoadError::option("path", format_args!("{path:?}"), must));
        }
        if self.token.as_ref().is_some_and(|token| !is_visible(token)) {
            return Err(LoadError::option("the API key", "not shown here", "visible ASCII"));
        }
        Ok(())
    }
}

fn within(what: &'static str, value: u64, max: u64) -> Result<(), LoadError> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(LoadError::option(what, value, format!("1 to {max}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_limits() {
        let plan = Plan::default();
        plan.check().unwrap();
        let zero = Duration::ZERO;
        let days = Duration::from_hours(25);
        let bad = [
            Plan { connections: 0, ..plan.clone() },
            Plan { connections: 20_001, ..plan.clone() },
            Plan { pipeline: 1025, ..plan.clone() },
            Plan { threads: 0, ..plan.clone() },
            Plan { pace: Pace::Open { rate_per_s: 0 }, ..plan.clone() },
            Plan { members: 0, ..plan.clone() },
            Plan { top: 1001, ..plan.clone() },
            Plan { radius: 501, ..plan.clone() },
            Plan { bulk: 0, ..plan.clone() },
            Plan { duration: zero, ..plan.clone() },
            Plan { duration: days, ..plan.clone() },
            Plan { warmup: days, ..plan.clone() },
            Plan { board: String::new(), ..plan.clone() },
            Plan { board: "a/b".to_owned(), ..plan.clone() },
            Plan { path: Some("a".to_owned()), ..plan.clone() },
            Plan { path: Some("/a b".to_owned()), ..plan.clone() },
            Plan { token: Some("a\r\nb".to_owned()), ..plan },
        ];
        for plan in bad {
            let error = plan.check().unwrap_err().to_string();
            assert!(error.contains(" is ") && error.contains("it must be"), "{error}");
        }
    }
}
