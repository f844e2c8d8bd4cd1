//! Each test gives a line of source, and the pieces that one of the two views must leave out.

use super::*;

fn code(text: &str) -> String {
    Source::new("a.rs", text).code
}

fn prose(text: &str) -> String {
    Source::new("a.rs", text).prose
}

/// The text with spaces instead of the pieces in `gone`, each of which it holds once.
fn without(text: &str, gone: &[&str]) -> String {
    let mut expected = text.to_owned();
    for piece in gone {
        assert_eq!(expected.matches(piece).count(), 1, "{piece} in {expected}");
        let blank = piece.chars().map(|char| if char == '\n' { '\n' } else { ' ' });
        expected = expected.replace(piece, &blank.collect::<String>());
    }
    expected
}

#[test]
fn comments_are_not_code_but_prose() {
    for (text, comment) in [("a // b\nc", "// b"), ("a /* b\n \" */ c", "/* b\n \" */")] {
        assert_eq!(code(text), without(text, &[comment]));
        assert_eq!(prose(text), text);
    }
}

#[test]
fn block_comments_nest() {
    let text = "a /* b /* c */ d */ e";
    assert_eq!(code(text), without(text, &["/* b /* c */ d */"]));
}

#[test]
fn literals_are_neither() {
    let text = r#"f("a { // b", x, b"c\nd")"#;
    let gone = [r#""a { // b""#, r#""c\nd""#];
    assert_eq!(code(text), without(text, &gone));
    assert_eq!(prose(text), without(text, &gone));
}

#[test]
fn escapes_do_not_end_a_literal() {
    for literal in [r#""a\"{""#, r#""\\""#, r"'\''", r"'\\'", r"'\u{7b}'", "'{'", "'\"'"] {
        let text = format!("f({literal}) {{");
        assert_eq!(code(&text), without(&text, &[literal]));
    }
}

#[test]
fn raw_strings_end_at_their_own_quotes() {
    for literal in [r#"r"\""#, r###"r#"a"{"#"###, r###"br##"a"#"##"###, r##"cr#"\"#"##] {
        let text = format!("f({literal}) {{");
        assert_eq!(code(&text), without(&text, &[literal]));
    }
}

#[test]
fn raw_identifiers_and_names_that_end_in_r_are_code() {
    assert_eq!(code("r#type(for_r)"), "r#type(for_r)");
    assert_eq!(code("expr\"{\""), without("expr\"{\"", &["\"{\""]));
}

#[test]
fn lifetimes_and_labels_are_code() {
    assert_eq!(code("fn f<'a>(x: &'a T) { 'b: loop {} }"), "fn f<'a>(x: &'a T) { 'b: loop {} }");
}

#[test]
fn what_the_end_cuts_off_is_classified_without_a_panic() {
    for cut in ["\"a", "\"a\\", "'", "'\\", "/*", "/* /*", "r#", "r#\"", "r##\"a\"#", "b'"] {
        assert_eq!(code(cut).chars().count(), cut.chars().count(), "{cut:?}");
    }
}

#[test]
fn test_files_are_known_by_folder_or_name() {
    for path in ["tests/src/lib.rs", "crates/a/tests/b.rs", "benches/benches/c.rs"] {
        assert!(Source::new(path, "").is_test(), "{path}");
    }
    for path in ["crates/a/src/tests.rs", "crates/a/src/b_tests.rs", "crates/a/src/b_test.rs"] {
        assert!(Source::new(path, "").is_test(), "{path}");
    }
    for path in ["crates/a/src/lib.rs", "crates/a/src/contests.rs", "crates/a/src/latest.rs"] {
        assert!(!Source::new(path, "").is_test(), "{path}");
    }
}
