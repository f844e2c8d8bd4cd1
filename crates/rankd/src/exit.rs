//! How a command ends: with a reason in one line, and an exit code that says whose turn it is.

use std::io::Write as _;
use std::process::ExitCode;

/// What the exit codes mean, for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 it could not be done (the reason is on stderr; for check: damage was found);
2 wrong usage: a flag, a variable, a config file or an argument; 130 or 143 stopped by a signal.";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked in a wrong way: exit code 2.
    Usage(anyhow::Error),
    /// It could not be done: exit code 1.
    Failed(anyhow::Error),
    /// Everything was said already.
    Code(u8),
}

/// The result of a command.
pub(crate) type Outcome = Result<(), Failure>;

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Failure {
    /// Wrong usage, for this reason.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }
}

/// The exit code of a command's outcome, after its reason has been printed.
pub(crate) fn code_of(outcome: Outcome) -> ExitCode {
    let (error, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Code(code)) => return ExitCode::from(code),
        // Whoever read our output has seen enough, as in `rankd export ... | head`.
        Err(Failure::Failed(error)) if is_broken_pipe(&error) => return ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => (error, 2),
        Err(Failure::Failed(error)) => (error, 1),
    };
    // If stderr is gone as well, the code is all that is left to say.
    let _ = writeln!(std::io::stderr(), "rankd: {}", one_line(&error));
    ExitCode::from(code)
}

/// The error and its causes, `: ` between them. A cause whose text its parent has quoted already
/// is not repeated.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line.push_str(": ");
            line.push_str(&cause);
        }
    }
    line
}

/// Whether the error is that nobody reads our standard output any more.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.is::<crate::output::StdoutClosed>()
}
