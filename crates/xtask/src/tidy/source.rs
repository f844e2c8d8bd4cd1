//! Rust source told apart into code, comments and literals.
//!
//! What it is: a scanner that knows just enough of Rust's tokens to say of each character what it
//! belongs to. What it is not: a parser; source that does not compile is classified somehow. It
//! reads text, not a syntax tree, because a tree would hide what is inside macros. Invariant:
//! `code` and `prose` have the lines and columns of the file, with spaces for what they leave out.
//! Cost: O(length).

/// What a character belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Code,
    Comment,
    /// A string or character literal, with its quotes.
    Literal,
}

/// A Rust file, and what remains of it without literals and comments.
pub(super) struct Source<'a> {
    /// Relative to the workspace, with `/`.
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    /// The code alone.
    pub(super) code: String,
    /// The code and the comments.
    pub(super) prose: String,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let classes = classify(&chars);
        let code = keep(&chars, &classes, |class| class == Class::Code);
        let prose = keep(&chars, &classes, |class| class != Class::Literal);
        Self { path, text, code, prose }
    }

    /// Whether the file holds tests or benches and nothing of the product.
    pub(super) fn is_test(&self) -> bool {
        let mut parts = self.path.rsplit('/');
        let name = parts.next().unwrap_or_default();
        parts.any(|folder| folder == "tests" || folder == "benches")
            || matches!(name, "tests.rs" | "test.rs")
            || name.ends_with("_tests.rs")
            || name.ends_with("_test.rs")
    }
}

/// The characters of the wanted classes; the others become spaces, but line ends stay.
fn keep(chars: &[char], classes: &[Class], wanted: impl Fn(Class) -> bool) -> String {
    let pairs = chars.iter().zip(classes);
    pairs.map(|(&char, &class)| if char == '\n' || wanted(class) { char } else { ' ' }).collect()
}

fn classify(chars: &[char]) -> Vec<Class> {
    let mut classes = Vec::with_capacity(chars.len());
    while classes.len() < chars.len() {
        let rest = &chars[classes.len()..];
        let (class, length) = token(rest);
        classes.resize(classes.len() + length.clamp(1, rest.len()), class);
    }
    classes
}

/// The class and the length of the token at the start of `rest`, which is not empty. A token that
/// the end of the file cuts off may be given as longer than `rest`.
fn token(rest: &[char]) -> (Class, usize) {
    match rest {
        ['/', '/', ..] => (Class::Comment, until(rest, |char| char == '\n')),
        ['/', '*', ..] => (Class::Comment, block_comment(rest)),
        ['"', ..] => (Class::Literal, quoted(rest, '"')),
        // A character literal; any other quote begins a lifetime or a label.
        ['\'', '\\', ..] => (Class::Literal, quoted(rest, '\'')),
        ['\'', _, '\'', ..] => (Class::Literal, 3),
        [first, ..] if is_word(*first) => word(rest),
        _ => (Class::Code, 1),
    }
}

/// A word, or a raw string together with the word before its quotes.
fn word(rest: &[char]) -> (Class, usize) {
    let length = until(rest, |char| !is_word(char));
    let (word, after) = rest.split_at(length);
    let hashes = until(after, |char| char != '#');
    let raw = matches!(word, ['r'] | ['b', 'r'] | ['c', 'r']) && after.get(hashes) == Some(&'"');
    if !raw {
        return (Class::Code, length);
    }
    let body = length + hashes + 1;
    let mut end: Vec<char> = vec!['"'];
    end.resize(1 + hashes, '#');
    let closing = rest[body..].windows(end.len()).position(|window| window == end.as_slice());
    let literal = closing.map_or(rest.len(), |position| body + position + end.len());
    (Class::Literal, literal)
}

pub(super) fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// How many characters come before the first that `stops`.
fn until(rest: &[char], stops: impl Fn(char) -> bool) -> usize {
    rest.iter().position(|&char| stops(char)).unwrap_or(rest.len())
}

/// The length of a literal that begins with `quote` and in which a backslash escapes.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while let Some(&char) = rest.get(at) {
        match char {
            '\\' => at += 2,
            _ if char == quote => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The length of a block comment; such comments nest.
fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests;
