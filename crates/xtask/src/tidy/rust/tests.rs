//! Each rule is fed a sample that breaks it, and one beside the limit that does not.

use super::*;

const FILE: &str = "crates/a/src/lib.rs";
const TEST_FILE: &str = "crates/a/tests/b.rs";

/// What `rule` finds in `text`, as `line: rule: message`.
fn lines(rule: fn(&Source<'_>) -> Vec<Finding>, path: &str, text: &str) -> Vec<String> {
    rule(&Source::new(path, text)).iter().map(Finding::to_string).collect()
}

/// The numbers of the lines where `rule` finds something.
fn numbers(rule: fn(&Source<'_>) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
    rule(&Source::new(path, text)).iter().map(|finding| finding.line).collect()
}

#[test]
fn a_line_has_at_most_100_characters() {
    let text = format!("{}\n{}\n", "a".repeat(100), "b".repeat(101));
    assert_eq!(lines(line_length, FILE, &text), ["2: line-length: 101 characters, limit 100"]);
}

#[test]
fn a_line_is_measured_in_characters_not_bytes() {
    assert_eq!(numbers(line_length, FILE, &"\u{e9}".repeat(100)), [0; 0]);
}

#[test]
fn a_file_has_at_most_500_lines_and_one_of_tests_1000() {
    assert_eq!(numbers(file_length, FILE, &"\n".repeat(500)), [0; 0]);
    let found = lines(file_length, FILE, &"\n".repeat(501));
    assert_eq!(found, ["501: file-length: 501 lines, limit 500"]);
    assert_eq!(numbers(file_length, TEST_FILE, &"\n".repeat(1000)), [0; 0]);
    assert_eq!(numbers(file_length, TEST_FILE, &"\n".repeat(1001)), [1001]);
}

#[test]
fn a_function_has_at_most_70_lines() {
    let with_lines = |lines: usize| format!("\nfn f() {{{}}}\n", "\n".repeat(lines - 1));
    assert_eq!(numbers(function_length, FILE, &with_lines(70)), [0; 0]);
    let found = lines(function_length, FILE, &with_lines(71));
    assert_eq!(found, ["2: function-length: `f` has 71 lines, limit 70"]);
}

#[test]
fn functions_are_found_wherever_they_stand() {
    let text = "pub const fn a() -> [u8; 4] {\n}\nimpl B {\n fn c(&self)\n where D: E,\n {\n \
                fn e() {}\n }\n}\nmac! {\n fn $f(x in 0..3) {\n  g(|| { 1 });\n }\n}\n";
    let found = functions(&Source::new(FILE, text).code);
    let found: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
    assert_eq!(found, [("a", 1, 2), ("c", 4, 5), ("e", 7, 1), ("$f", 11, 3)]);
}

#[test]
fn declarations_pointers_and_words_that_begin_with_fn_are_no_functions() {
    let text = "trait A { fn b(x: [u8; 4]); }\ntype C = fn(u8) -> u8;\nlet fnord = 1;\nfn";
    assert_eq!(functions(&Source::new(FILE, text).code), []);
}

#[test]
fn braces_in_literals_and_comments_do_not_count() {
    let text = "fn a() {\n let _ = (\"}\", '}'); // }\n}\n";
    let found = functions(&Source::new(FILE, text).code);
    assert_eq!(found, [Function { name: "a".into(), line: 1, lines: 3 }]);
}

#[test]
fn a_file_begins_with_its_head() {
    assert_eq!(numbers(module_head, FILE, "//! Head.\n"), [0; 0]);
    assert_eq!(numbers(module_head, FILE, "#![no_main]\n\n//! Head.\n"), [0; 0]);
    assert_eq!(numbers(module_head, FILE, "// Not a head.\n//! Late.\n"), [1]);
    assert_eq!(numbers(module_head, FILE, "use a;\n"), [1]);
    assert_eq!(numbers(module_head, FILE, ""), [1]);
}

#[test]
fn banned_code_is_found() {
    for (word, reason) in BANNED_IN_CODE {
        let found = lines(banned_words, FILE, &format!("\n {word}"));
        assert_eq!(found, [format!("2: banned: `{word}`: {reason}")]);
    }
}

#[test]
fn banned_code_in_comments_and_literals_is_not_code() {
    for (word, _) in BANNED_IN_CODE {
        let text = format!("// {word}\nlet _ = \"{word}\";\n");
        assert_eq!(numbers(banned_words, FILE, &text), [0; 0], "{word}");
    }
}

#[test]
fn banned_words_are_found_in_comments_but_not_in_literals() {
    for word in BANNED_IN_PROSE {
        let text = format!("// {word}: later\nlet _ = \"{word}\";\n");
        assert_eq!(numbers(banned_words, FILE, &text), [1], "{word}");
    }
}

#[test]
fn sleeping_is_for_the_task_runner_and_paced_loads_alone() {
    let text = format!("std::{SLEEP}(d);\n");
    let found = lines(sleeps, TEST_FILE, &text);
    assert_eq!(found, ["1: sleep: wait for the event, not for a time"]);
    assert_eq!(numbers(sleeps, "crates/xtask/src/main.rs", &text), [0; 0]);
    assert_eq!(numbers(sleeps, "benches/src/lib.rs", &text), [0; 0]);
}

#[test]
fn source_is_ascii() {
    let found = lines(ascii, FILE, "// ok\n// caf\u{e9}\nlet _ = \"\u{e9}\";\n");
    let message = "`\u{e9}` (U+00E9); escape it, or say why beside `tidy:allow(non-ascii)`";
    let expected = [2, 3].map(|line| format!("{line}: non-ascii: {message}"));
    assert_eq!(found, expected);
}

#[test]
fn literals_of_tests_and_marked_lines_may_be_anything() {
    let text = "let _ = \"\u{e9}\";\n// caf\u{e9}\n";
    assert_eq!(numbers(ascii, TEST_FILE, text), [2]);
    let marked = "let _ = '\u{e9}'; // tidy:allow(non-ascii): a name\n";
    assert_eq!(numbers(ascii, FILE, marked), [0; 0]);
}

#[test]
fn check_runs_every_rule() {
    let long_function = format!("fn f() {{{}}}", "\n".repeat(70));
    let text = format!(
        "{long_function}\n{}\n\u{e9} {SLEEP} {}{}",
        "a".repeat(101),
        BANNED_IN_CODE[0].0,
        "\n".repeat(500)
    );
    let mut rules: Vec<_> =
        check(&Source::new(FILE, &text)).iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    let expected = [
        "banned",
        "file-length",
        "function-length",
        "line-length",
        "module-head",
        "non-ascii",
        "sleep",
    ];
    assert_eq!(rules, expected);
}
