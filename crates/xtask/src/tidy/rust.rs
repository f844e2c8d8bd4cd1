//! The rules for Rust files.
//!
//! What it is: limits of size, the module head, banned words and ASCII, each over one file's text.
//! What it is not: a second clippy; nothing here needs types or names resolved. Invariant: a rule
//! looks at comments and literals only where it says so. Cost: O(length) a rule, and the lengths
//! of nested functions are counted once for each of them.

use super::Finding;
use super::source::{Source, is_word};

const LINE_CHARS_MAX: usize = 100;
const FILE_LINES_MAX: usize = 500;
const TEST_FILE_LINES_MAX: usize = 1000;
const FUNCTION_LINES_MAX: usize = 70;

/// A line with this marker may hold characters beyond ASCII.
const NON_ASCII_MARKER: &str = "tidy:allow(non-ascii)";

/// Code that must not stay, and why. They are put together here so that a search for them finds
/// offenders alone.
const BANNED_IN_CODE: [(&str, &str); 4] = [
    (concat!("todo", "!("), "unfinished code"),
    (concat!("unimplemented", "!("), "unfinished code"),
    (concat!("dbg", "!("), "left over from debugging"),
    (concat!("#[", "ignore"), "a test runs or goes"),
];
/// Words that must stand neither in code nor in comments.
const BANNED_IN_PROSE: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X")];
const SLEEP: &str = concat!("thread", "::sleep");
/// The task runner waits for other programs, and may have to pause between two looks; paced loads
/// are made of pauses.
const SLEEP_ALLOWED_BELOW: [&str; 2] = ["crates/xtask/", "benches/src/lib.rs"];

/// Every finding of every rule, in no particular order.
pub(super) fn check(source: &Source<'_>) -> Vec<Finding> {
    let rules =
        [line_length, file_length, function_length, module_head, banned_words, ascii, sleeps];
    rules.iter().flat_map(|rule| rule(source)).collect()
}

fn line_length(source: &Source<'_>) -> Vec<Finding> {
    let lengths = source.text.lines().map(|line| line.chars().count());
    let long = numbered(lengths).filter(|&(_, length)| length > LINE_CHARS_MAX);
    long.map(|(line, length)| {
        let message = format!("{length} characters, limit {LINE_CHARS_MAX}");
        Finding::new(line, "line-length", message)
    })
    .collect()
}

fn file_length(source: &Source<'_>) -> Vec<Finding> {
    let limit = if source.is_test() { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
    let lines = source.text.lines().count();
    let message = format!("{lines} lines, limit {limit}");
    (lines > limit).then(|| Finding::new(limit + 1, "file-length", message)).into_iter().collect()
}

fn function_length(source: &Source<'_>) -> Vec<Finding> {
    let long = functions(&source.code).into_iter().filter(|f| f.lines > FUNCTION_LINES_MAX);
    long.map(|function| {
        let Function { name, line, lines } = function;
        let message = format!("`{name}` has {lines} lines, limit {FUNCTION_LINES_MAX}");
        Finding::new(line, "function-length", message)
    })
    .collect()
}

/// Only inner attributes (`#![no_main]`) may stand before the head.
fn module_head(source: &Source<'_>) -> Vec<Finding> {
    let is_before = |line: &str| line.trim().is_empty() || line.starts_with("#![");
    let first = source.text.lines().find(|line| !is_before(line));
    if first.is_some_and(|line| line.starts_with("//!")) {
        return Vec::new();
    }
    vec![Finding::new(1, "module-head", "the file does not begin with a `//!` comment")]
}

fn banned_words(source: &Source<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (word, reason) in BANNED_IN_CODE {
        let lines = lines_with(&source.code, word);
        let message = format!("`{word}`: {reason}");
        found.extend(lines.map(|line| Finding::new(line, "banned", message.clone())));
    }
    for word in BANNED_IN_PROSE {
        let lines = lines_with(&source.prose, word);
        let message = format!("`{word}`: do it, or write an issue");
        found.extend(lines.map(|line| Finding::new(line, "banned", message.clone())));
    }
    found
}

fn sleeps(source: &Source<'_>) -> Vec<Finding> {
    if SLEEP_ALLOWED_BELOW.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let lines = lines_with(&source.code, SLEEP);
    lines.map(|line| Finding::new(line, "sleep", "wait for the event, not for a time")).collect()
}

/// ASCII only, except in the literals of test files and on marked lines.
fn ascii(source: &Source<'_>) -> Vec<Finding> {
    let checked = if source.is_test() { source.prose.as_str() } else { source.text };
    let lines = source.text.lines().zip(checked.lines());
    let bad = numbered(lines).filter_map(|(number, (line, checked))| {
        let char = checked.chars().find(|char| !char.is_ascii())?;
        (!line.contains(NON_ASCII_MARKER)).then_some((number, char))
    });
    bad.map(|(line, char)| {
        let message = format!("`{char}` (U+{:04X}); escape it, or say why", u32::from(char));
        Finding::new(line, "non-ascii", format!("{message} beside `{NON_ASCII_MARKER}`"))
    })
    .collect()
}

fn numbered<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = (usize, T)> {
    (1..).zip(items)
}

fn lines_with(text: &str, word: &str) -> impl Iterator<Item = usize> {
    numbered(text.lines()).filter(move |(_, line)| line.contains(word)).map(|(number, _)| number)
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    /// Where its `fn` stands, counted from 1.
    line: usize,
    /// From `fn` to the closing brace.
    lines: usize,
}

/// Every function in code without comments and literals, nested ones and those in macros too.
fn functions(code: &str) -> Vec<Function> {
    let chars: Vec<char> = code.chars().collect();
    let mut found = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let length = chars[at..].iter().take_while(|char| is_word(**char)).count();
        if chars[at..at + length] == ['f', 'n'] {
            found.extend(function(&chars[at + length..], line));
        }
        line += usize::from(char == '\n');
        at += length.max(1);
    }
    found
}

/// The function whose `fn` stands right before `rest`; none for a declaration or a pointer type.
fn function(rest: &[char], line: usize) -> Option<Function> {
    let name = rest.iter().skip_while(|char| char.is_whitespace());
    // A macro may put the name together: `fn $name()`.
    let name: String = name.take_while(|char| is_word(**char) || **char == '$').collect();
    if name.is_empty() {
        return None;
    }
    let end = body_end(rest)?;
    let lines = 1 + rest[..end].iter().filter(|char| **char == '\n').count();
    Some(Function { name, line, lines })
}

/// Where the body ends that begins at the first brace outside of parentheses and brackets; none if
/// a semicolon comes first. A brace in a return type (`A<{ N }>`) is mistaken for the body.
fn body_end(rest: &[char]) -> Option<usize> {
    let mut open = 0_usize;
    let mut in_body = false;
    for (at, char) in rest.iter().enumerate() {
        match char {
            ';' if open == 0 => return None,
            '{' if open == 0 => (open, in_body) = (1, true),
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.checked_sub(1)?,
            _ => {}
        }
        if in_body && open == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests;
