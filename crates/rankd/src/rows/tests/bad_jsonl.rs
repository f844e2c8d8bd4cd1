//! Every kind of bad JSON Lines, with the exact message.

use super::{jsonl, message};

/// The message for a second line of this text.
fn second_line(text: &str) -> String {
    message(jsonl(&format!("{{\"member\":\"a\",\"score\":1}}\n{text}\n")), 1)
}

#[test]
fn what_is_not_an_object_is_named_with_its_column() {
    assert_eq!(
        second_line("{\"member\":\"b\",\"score\":2"),
        "line 2 is not a JSON object: EOF while parsing an object (column 23)"
    );
    let message = second_line("[1,2]");
    assert!(
        message.starts_with("line 2 is not a JSON object: invalid type: sequence"),
        "{message}"
    );
}

#[test]
fn missing_values_are_named_with_those_that_are_there() {
    assert_eq!(
        second_line("{\"player\":\"b\",\"score\":2}"),
        "line 2, column `member`: there is no such value; the object has `player`, `score`"
    );
    assert_eq!(
        second_line("{}"),
        "line 2, column `member`: there is no such value; the object is empty"
    );
}

#[test]
fn values_of_another_type_are_refused() {
    assert_eq!(
        second_line("{\"member\":7,\"score\":2}"),
        "line 2, column `member`: `7` is not a JSON string"
    );
    assert_eq!(
        second_line("{\"member\":\"b\",\"score\":\"2\"}"),
        "line 2, column `score`: `\"2\"` is not a JSON number"
    );
    assert_eq!(
        second_line("{\"member\":\"b\",\"score\":null}"),
        "line 2, column `score`: `null` is not a JSON number"
    );
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    assert_eq!(
        second_line("{\"member\":\"b\",\"score\":1,\"score\":2}"),
        "line 2, column `score`: the object has this key twice"
    );
}

#[test]
fn numbers_beyond_64_bits_are_not_rounded() {
    assert_eq!(
        second_line("{\"member\":\"b\",\"score\":-9223372036854775809}"),
        "line 2, column `score`: `-9223372036854775809` is outside the integers from \
         -9223372036854775808 to 9223372036854775807"
    );
}

#[test]
fn bad_times_are_named_by_their_key() {
    assert_eq!(
        second_line("{\"member\":\"b\",\"score\":1,\"time\":true}"),
        "line 2, column `time`: `true` is not a time; write RFC 3339 (2026-11-21T12:00:00Z) or \
         milliseconds since 1970"
    );
}
