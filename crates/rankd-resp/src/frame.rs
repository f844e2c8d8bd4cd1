//! Commands out of bytes: arrays of bulk strings, or one line of words.
//!
//! What it is not: a copy; arguments are places in the bytes that came. Invariant: a length is
//! checked against its limit before anything is made of it, and a command that is not complete
//! leaves no trace. Cost: one pass over complete commands; of one that is incomplete, the heads of
//! its arguments are read again when more came.

use crate::limits::{
    ARGS_MAX, ARGS_UNKNOWN_CLIENT_MAX, BULK_BYTES_MAX, BULK_BYTES_UNKNOWN_CLIENT_MAX,
    INPUT_BYTES_MAX, LINE_BYTES_MAX,
};

/// Why the bytes are not commands. The connection cannot go on after that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The number of arguments is no number, or too large.
    #[error("Protocol error: invalid multibulk length")]
    ArgsCount,
    /// An argument's length is no number, or too large.
    #[error("Protocol error: invalid bulk length")]
    BulkLength,
    /// Too many arguments from somebody who has not shown who it is.
    #[error("Protocol error: unauthenticated multibulk length")]
    UnknownArgsCount,
    /// Too long an argument from somebody who has not shown who it is.
    #[error("Protocol error: unauthenticated bulk length")]
    UnknownBulkLength,
    /// An argument does not begin with its length.
    #[error("Protocol error: expected '$', got '{0}'")]
    NoBulk(char),
    /// A line that is too long, for a length.
    #[error("Protocol error: too big mbulk count string")]
    CountLine,
    /// A line that is too long, for the length of an argument.
    #[error("Protocol error: too big bulk count string")]
    BulkLine,
    /// A line that is too long, for a command.
    #[error("Protocol error: too big inline request")]
    InlineLine,
    /// Quotes that do not match.
    #[error("Protocol error: unbalanced quotes in request")]
    Quotes,
    /// A command that is too long in all.
    #[error("Protocol error: too big request")]
    TooLong,
}

/// The commands in a piece of input.
#[derive(Debug, Default)]
pub struct Frames {
    /// Where each argument begins, and how long it is.
    args: Vec<(u32, u32)>,
    /// The first argument of each command, and how many there are.
    commands: Vec<(u32, u32)>,
    /// Words of commands written in one line, whose quotes and escapes are resolved.
    words: Vec<u8>,
    /// Bytes of input that the commands take.
    consumed: usize,
}

/// Marks an argument that stands in `words`.
const IN_WORDS: u32 = 1 << 31;

impl Frames {
    /// Number of complete commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Bytes of the input that the commands take.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// Forgets all commands.
    pub fn clear(&mut self) {
        self.args.clear();
        self.commands.clear();
        self.words.clear();
        self.consumed = 0;
    }

    /// Gives memory back beyond that of so many arguments.
    pub fn shrink_to(&mut self, args: usize) {
        self.args.shrink_to(args);
        self.commands.shrink_to(args);
        self.words.shrink_to(args);
    }

    /// The arguments of a command, its name first, into `out`.
    pub fn args<'a>(&'a self, command: usize, input: &'a [u8], out: &mut Vec<&'a [u8]>) {
        out.clear();
        let (first, count) = self.commands[command];
        let args = &self.args[first as usize..(first + count) as usize];
        out.extend(args.iter().map(|(at, length)| {
            let (source, at) = match at & IN_WORDS {
                0 => (input, *at as usize),
                _ => (&*self.words, (at ^ IN_WORDS) as usize),
            };
            &source[at..at + *length as usize]
        }));
    }

    /// Takes all complete commands off `input`, from where the last call ended.
    ///
    /// # Errors
    /// [`ProtocolError`]; the commands before it are there.
    pub fn parse(&mut self, input: &[u8], is_known: bool) -> Result<(), ProtocolError> {
        while self.consumed < input.len() {
            let (args, words) = (self.args.len(), self.words.len());
            let parsed = match input[self.consumed] {
                b'*' => self.array(input, is_known),
                _ => self.inline(input),
            };
            if !matches!(parsed, Ok(Some(_))) {
                self.args.truncate(args);
                self.words.truncate(words);
            }
            let Some(end) = parsed? else {
                return match input.len() - self.consumed {
                    left if left > INPUT_BYTES_MAX => Err(ProtocolError::TooLong),
                    _ => Ok(()),
                };
            };
            self.consumed = end;
            let count = self.args.len() - args;
            if count > 0 {
                self.commands.push((narrow(args), narrow(count)));
            }
        }
        Ok(())
    }

    /// An array of bulk strings. Where it ends; `None` if it is not complete.
    fn array(&mut self, input: &[u8], is_known: bool) -> Result<Option<usize>, ProtocolError> {
        let Some((line, mut at)) = line(input, self.consumed + 1, ProtocolError::CountLine)? else {
            return Ok(None);
        };
        // Less than nothing is nothing.
        let count = integer(line).map(|count| usize::try_from(count.max(0)).unwrap_or(usize::MAX));
        let count = count.filter(|count| *count <= ARGS_MAX).ok_or(ProtocolError::ArgsCount)?;
        if !is_known && count > ARGS_UNKNOWN_CLIENT_MAX {
            return Err(ProtocolError::UnknownArgsCount);
        }
        for _ in 0..count {
            let Some(first) = input.get(at) else { return Ok(None) };
            if *first != b'$' {
                return Err(ProtocolError::NoBulk(char::from(*first)));
            }
            let Some((line, start)) = line_of_bulk(input, at + 1)? else { return Ok(None) };
            let length = bulk_length(line, is_known)?;
            // The two bytes behind it are not looked at, as in Redis.
            at = start + length + 2;
            if at > input.len() {
                return Ok(None);
            }
            self.args.push((narrow(start), narrow(length)));
        }
        Ok(Some(at))
    }

    /// A command in one line. Where it ends; `None` if it is not complete.
    fn inline(&mut self, input: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let rest = &input[self.consumed..];
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            return match rest.len() {
                length if length > LINE_BYTES_MAX => Err(ProtocolError::InlineLine),
                _ => Ok(None),
            };
        };
        let line = &rest[..length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        crate::inline::split(line, &mut |word| {
            let at = narrow(self.words.len()) | IN_WORDS;
            self.words.extend_from_slice(word);
            self.args.push((at, narrow(word.len())));
        })
        .map_err(|_quotes| ProtocolError::Quotes)?;
        Ok(Some(self.consumed + length + 1))
    }
}

fn bulk_length(line: &[u8], is_known: bool) -> Result<usize, ProtocolError> {
    let length = integer(line).and_then(|length| usize::try_from(length).ok());
    let length = length.filter(|length| *length <= BULK_BYTES_MAX);
    let length = length.ok_or(ProtocolError::BulkLength)?;
    if !is_known && length > BULK_BYTES_UNKNOWN_CLIENT_MAX {
        return Err(ProtocolError::UnknownBulkLength);
    }
    Ok(length)
}

fn line_of_bulk(input: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, ProtocolError> {
    line(input, at, ProtocolError::BulkLine)
}

/// The line that begins at `at`, and where the next one begins.
fn line(
    input: &[u8],
    at: usize,
    too_long: ProtocolError,
) -> Result<Option<(&[u8], usize)>, ProtocolError> {
    let rest = input.get(at..).unwrap_or_default();
    let Some(length) = rest.iter().position(|byte| *byte == b'\r') else {
        return if rest.len() > LINE_BYTES_MAX { Err(too_long) } else { Ok(None) };
    };
    // The line feed has to be there, and is not looked at, as in Redis.
    Ok((rest.len() > length + 1).then(|| (&rest[..length], at + length + 2)))
}

/// A whole number as Redis reads lengths: no sign but a minus, no zeros in front, no spaces.
pub(crate) fn integer(digits: &[u8]) -> Option<i64> {
    let (is_negative, number) = match digits.strip_prefix(b"-") {
        Some(number) => (true, number),
        None => (false, digits),
    };
    match number {
        [b'0'] if !is_negative => return Some(0),
        [] | [b'0', ..] => return None,
        _ => {}
    }
    let mut value: i64 = 0;
    for digit in number {
        let digit = i64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        // Downwards, because there is one more number below zero than above.
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if is_negative { Some(value) } else { value.checked_neg() }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("input is limited to far less than 4 GiB")
}
