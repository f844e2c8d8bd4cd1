//! Patterns with `*`, `?`, `[...]` and backslashes, as Redis matches keys and channels.
//!
//! Cost: O(pattern x text) at worst: of all the stars, only the last one is ever tried again.

/// Whether the whole of `text` matches.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern_at, mut text_at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while text_at < text.len() {
        if pattern.get(pattern_at) == Some(&b'*') {
            pattern_at += 1;
            star = Some((pattern_at, text_at));
            continue;
        }
        if let Some(length) = one(&pattern[pattern_at..], text[text_at]) {
            (pattern_at, text_at) = (pattern_at + length, text_at + 1);
            continue;
        }
        let Some((after, from)) = star else { return false };
        star = Some((after, from + 1));
        (pattern_at, text_at) = (after, from + 1);
    }
    pattern[pattern_at..].iter().all(|byte| *byte == b'*')
}

/// The length of the first element of `pattern`, if it matches `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (matches, length) = class_of(class, byte);
            matches.then_some(length + 1)
        }
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [first, ..] => (*first == byte).then_some(1),
    }
}

/// Whether a class matches, and its length with the closing bracket.
fn class_of(class: &[u8], byte: u8) -> (bool, usize) {
    let is_negated = class.first() == Some(&b'^');
    let mut at = usize::from(is_negated);
    let mut matches = false;
    loop {
        match &class[at.min(class.len())..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', escaped, ..] => {
                matches |= *escaped == byte;
                at += 2;
            }
            [low, b'-', high, ..] => {
                let (low, high) = (low.min(high), low.max(high));
                matches |= (*low..=*high).contains(&byte);
                at += 3;
            }
            [single, ..] => {
                matches |= *single == byte;
                at += 1;
            }
        }
    }
    (matches != is_negated, at)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        let yes = [
            ("*", ""),
            ("a*c", "abbc"),
            ("h?llo", "hello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hallo"),
            ("[a-c]", "b"),
            ("[c-a]", "b"),
            (r"\*", "*"),
            ("**a", "a"),
            ("*a*b", "xaybab"),
        ];
        for (pattern, text) in yes {
            assert!(matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        let no = [
            ("", "a"),
            ("a", ""),
            ("h?llo", "hllo"),
            ("h[^e]llo", "hello"),
            ("a*c", "abd"),
            (r"\*", "a"),
        ];
        for (pattern, text) in no {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }
}
