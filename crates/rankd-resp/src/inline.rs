//! Words of a command that is written in one line, with quotes and escapes as in Redis.

/// Quotes that are not closed, or not followed by a space.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unbalanced;

/// Splits `line` and tells of each word.
pub(crate) fn split(line: &[u8], tell: &mut dyn FnMut(&[u8])) -> Result<(), Unbalanced> {
    let mut rest = line;
    let mut word = Vec::new();
    loop {
        let start = rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len());
        rest = &rest[start..];
        if rest.is_empty() {
            return Ok(());
        }
        word.clear();
        rest = one_word(rest, &mut word)?;
        tell(&word);
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// Reads one word off the front; what is left.
fn one_word<'l>(mut rest: &'l [u8], word: &mut Vec<u8>) -> Result<&'l [u8], Unbalanced> {
    loop {
        let Some((first, after)) = rest.split_first() else { return Ok(rest) };
        rest = match first {
            b'"' => return closed(double_quoted(after, word)?),
            b'\'' => return closed(single_quoted(after, word)?),
            byte if is_space(*byte) || *byte == 0 => return Ok(rest_after(rest)),
            byte => {
                word.push(*byte);
                after
            }
        };
    }
}

/// Nothing behind a zero byte counts.
fn rest_after(rest: &[u8]) -> &[u8] {
    if rest.first() == Some(&0) { &[] } else { rest }
}

/// A closing quote ends the word.
fn closed(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    match rest.first() {
        Some(byte) if !is_space(*byte) => Err(Unbalanced),
        _ => Ok(rest),
    }
}

fn double_quoted<'l>(mut rest: &'l [u8], word: &mut Vec<u8>) -> Result<&'l [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] => return Err(Unbalanced),
            [b'"', after @ ..] => return Ok(after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) * 16 + hex(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
        };
    }
}

fn single_quoted<'l>(mut rest: &'l [u8], word: &mut Vec<u8>) -> Result<&'l [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] => return Err(Unbalanced),
            [b'\'', after @ ..] => return Ok(after),
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
        };
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}
