//! What a run came to, in words: which rows are in, and the command that goes on from there.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;

use super::run::{Ending, Lines, REFUSED_SHOWN_MAX, Run, rate};
use super::sink::{Repeats, Sink};
use crate::exit::{Failure, Outcome};
use crate::output::{counted, grouped, print, print_json, program};
use crate::rows::{BadRows, ReadError, Stop};

/// Exit code of a program that SIGINT stopped.
const INTERRUPTED: u8 = 130;

impl<S: Sink> Run<'_, S> {
    /// Prints what the run came to; an error unless the whole input is in.
    pub(super) fn report(&self, ending: Ending) -> Outcome {
        let message = match ending {
            Ending::Input(Stop::End { bad, last_line }) => return self.done(&bad, last_line),
            Ending::Input(Stop::Error { error, from_line }) => self.unreadable(&error, from_line),
            Ending::Refused(lines) => self.refused(lines),
            Ending::Write { lines, error, may_take_effect } => {
                let reason = crate::exit::one_line(&error);
                self.not_written(&reason, lines, may_take_effect)
            }
            Ending::Interrupted(lines) => {
                eprintln!("rankd: {}", self.interrupted(lines));
                return Err(Failure::Code(INTERRUPTED));
            }
        };
        Err(Failure::Failed(anyhow!(message)))
    }

    fn done(&self, bad: &BadRows, last_line: u64) -> Outcome {
        let elapsed = self.started.elapsed();
        let passed_over = bad.count + self.tally.refused;
        if passed_over > 0 {
            let first: Vec<_> = bad.shown.iter().chain(&self.tally.refused_shown).collect();
            let rows = counted(passed_over, "bad row");
            eprintln!("passed over {rows}, the first of them:");
            first.iter().take(REFUSED_SHOWN_MAX).for_each(|reason| eprintln!("  {reason}"));
        }
        if self.args.from_line > last_line.max(1) {
            let from_line = self.args.from_line;
            eprintln!("warning: --from-line {from_line}: the input ends with line {last_line}");
        }
        if self.tally.replayed > 0 {
            eprintln!(
                "{} had been imported within the last 24 hours and did not count again (--again \
                 makes them)",
                counted(self.tally.replayed, "row")
            );
        }
        if self.args.json {
            return Ok(self.print_json(passed_over, elapsed)?);
        }
        let words = self.sink.words();
        print(&format!(
            "imported {}{} in {:.1} s ({}): {} {}, {} {}{}\n",
            counted(self.tally.rows(), "row"),
            words.destination,
            elapsed.as_secs_f64(),
            rate(self.tally.rows(), elapsed),
            grouped(self.tally.applied),
            words.changed,
            grouped(self.tally.unchanged),
            words.unchanged,
            self.before("; "),
        ))?;
        Ok(())
    }

    fn print_json(&self, passed_over: u64, elapsed: Duration) -> anyhow::Result<()> {
        let (key, value) = self.sink.words().name;
        print_json(&serde_json::json!({
            key: value,
            "rows": self.tally.rows(),
            "changed": self.tally.applied,
            "unchanged": self.tally.unchanged,
            "passed_over": passed_over,
            "replayed": self.tally.replayed,
            "duration_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }))
    }

    fn unreadable(&self, error: &ReadError, from_line: u64) -> String {
        let mut text = format!("{}: {}", shown(&self.args.file), chain(error));
        let _ = write!(
            text,
            "\n{}; nothing from line {from_line} on. Mend it, then go on with:",
            self.so_far()
        );
        self.push_command(&mut text, from_line);
        let again = match self.sink.words().repeats {
            Repeats::Count => "",
            Repeats::Keyed => {
                "\nOr run the same command again: rows that are in do not count twice within 24 \
                 hours."
            }
            Repeats::Harmless => {
                "\nOr run the same command again: rows that are in do not count twice."
            }
        };
        text.push_str(again);
        if error.is_skippable() {
            text.push_str("\nOr add --skip-bad to pass over rows that cannot be read.");
        }
        text
    }

    fn refused(&self, lines: Lines) -> String {
        let rows = counted(self.tally.refused, "row");
        let mut text = format!("{}: {rows} refused:", shown(&self.args.file));
        for reason in &self.tally.refused_shown {
            let _ = write!(text, "\n  {reason}");
        }
        let _ = write!(
            text,
            "\n{}: of the batch of lines {} to {} the others are in. Mend the refused rows in a \
             file of their own; go on with:",
            self.so_far(),
            lines.first,
            lines.last
        );
        self.push_command(&mut text, lines.last + 1);
        text.push_str("\nOr add --skip-bad to pass over rows that are refused.");
        text
    }

    fn not_written(&self, reason: &str, lines: Lines, may_take_effect: bool) -> String {
        let mut text = format!("{reason}\n{}; ", self.so_far());
        self.push_uncertain(&mut text, lines, may_take_effect);
        text
    }

    fn interrupted(&self, lines: Option<Lines>) -> String {
        let mut text = format!("stopped\n{}; ", self.so_far());
        match (lines, self.tally.last_line) {
            (Some(lines), _) => self.push_uncertain(&mut text, lines, true),
            (None, last_line) => {
                let next = last_line.map_or(self.args.from_line, |line| line + 1);
                let _ = write!(text, "nothing from line {next} on. Go on with:");
                self.push_command(&mut text, next);
            }
        }
        text
    }

    /// What is known of the batch that was under way.
    fn push_uncertain(&self, text: &mut String, lines: Lines, may_take_effect: bool) {
        let Lines { first, last } = lines;
        if !may_take_effect {
            let _ = write!(text, "nothing from line {first} on. Go on with:");
            self.push_command(text, first);
            return;
        }
        let how = match self.sink.words().repeats {
            // The key of a run with --again is its own, and the next run has another.
            Repeats::Count => "Look at the board, for this command counts them once more:",
            Repeats::Keyed => {
                "This command sends them again under the same idempotency key, so that they count \
                 once (within 24 hours):"
            }
            Repeats::Harmless => "This command sends them again; what is in does not count twice:",
        };
        let _ = write!(text, "lines {first} to {last} may or may not be in. {how}");
        self.push_command(text, first);
    }

    fn so_far(&self) -> String {
        let rows = counted(self.tally.rows(), "row");
        match self.tally.last_line {
            None => "imported no rows".to_owned(),
            Some(last) => format!("imported {rows}{}, up to line {last}", self.before(" (")),
        }
    }

    /// How many rows an earlier run had imported, after `opening`; nothing if there are none.
    fn before(&self, opening: &str) -> String {
        let closing = if opening.ends_with('(') { ")" } else { "" };
        match self.tally.replayed {
            0 => String::new(),
            rows => format!("{opening}{} more had been imported before{closing}", grouped(rows)),
        }
    }

    fn push_command(&self, text: &mut String, line: u64) {
        let arguments = std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned());
        let _ = write!(text, "\n  {} {}", program(), resume_arguments(arguments, line));
    }
}

/// The failure of an input whose header cannot be used.
pub(super) fn unreadable(file: &Path, error: &ReadError) -> Failure {
    Failure::Failed(anyhow!("{}: {}; imported no rows", shown(file), chain(error)))
}

/// The input as messages name it.
fn shown(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// The error and its cause.
fn chain(error: &ReadError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The same arguments with `--from-line LINE` in place of any other.
fn resume_arguments(arguments: impl Iterator<Item = String>, line: u64) -> String {
    let mut command = String::new();
    let mut is_value = false;
    for argument in arguments {
        if std::mem::take(&mut is_value) || argument.starts_with("--from-line=") {
            continue;
        }
        if argument == "--from-line" {
            is_value = true;
            continue;
        }
        command.push_str(&quoted(&argument));
        command.push(' ');
    }
    let _ = write!(command, "--from-line {line}");
    command
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::resume_arguments;

    fn resumed(arguments: &[&str]) -> String {
        resume_arguments(arguments.iter().map(|text| (*text).to_owned()), 90417)
    }

    #[test]
    fn the_command_goes_on_at_the_line() {
        assert_eq!(
            resumed(&["import", "--board", "daily", "f.csv"]),
            "import --board daily f.csv --from-line 90417"
        );
    }

    #[test]
    fn an_earlier_line_is_replaced() {
        let expected = "import f.csv --board b --from-line 90417";
        assert_eq!(resumed(&["import", "--from-line", "7", "f.csv", "--board", "b"]), expected);
        assert_eq!(resumed(&["import", "f.csv", "--from-line=7", "--board", "b"]), expected);
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(
            resumed(&["import", "--board", "it's one", "a b.csv", ""]),
            "import --board 'it'\\''s one' 'a b.csv' '' --from-line 90417"
        );
    }
}
