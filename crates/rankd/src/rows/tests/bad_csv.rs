//! Every kind of bad CSV, with the exact message.

use super::super::error::{MEMBER_BYTES_MAX, RECORD_BYTES_MAX};
use super::{csv, csv_with, float, message, row};
use crate::rows::ReadOptions;

#[test]
fn an_empty_input_has_no_header() {
    for text in ["", "\n\r\n\n"] {
        assert_eq!(
            message(csv(text), 0),
            "the input is empty; CSV starts with a header line that names the columns"
        );
    }
}

#[test]
fn a_missing_column_is_named_with_those_that_are_there() {
    assert_eq!(
        message(csv("player,points\na,1\n"), 0),
        "the header (line 1) has no column `member`; it has: `player`, `points`"
    );
    let options = ReadOptions { time_column: Some("when".to_owned()), ..ReadOptions::default() };
    assert_eq!(
        message(csv_with(b"\nmember,score\n", options), 0),
        "the header (line 2) has no column `when`; it has: `member`, `score`"
    );
}

#[test]
fn a_wrong_delimiter_or_format_is_suspected() {
    let message = |text| message(csv(text), 0);
    assert!(message("member;score\n").ends_with("need --delimiter ';'"));
    assert!(message("member\tscore\n").ends_with("need --delimiter tab"));
    assert!(message("{\"member\":1}\n").ends_with("need --format jsonl"));
}

#[test]
fn a_column_that_is_there_twice_is_refused() {
    for column in ["score", "at"] {
        assert_eq!(
            message(csv(format!("member,score,{column},{column}\n")), 0),
            format!("the header (line 1) names the column `{column}` twice")
        );
    }
}

#[test]
fn a_bad_number_is_named_with_line_column_and_value() {
    let mut text = "member,score\n".to_owned();
    for number in 2..90_417 {
        text.push_str(&format!("m{number},{number}\n"));
    }
    text.push_str("eve,12a\n");
    assert_eq!(message(csv(text), 90_415), "line 90417, column `score`: `12a` is not a number");
}

#[test]
fn numbers_that_are_no_scores_say_why() {
    let message = |value: &str| message(csv(format!("member,score\na,{value}\n")), 0);
    let at = "line 2, column `score`: ";
    assert_eq!(message(""), format!("{at}the score is empty"));
    assert_eq!(message("NaN"), format!("{at}`NaN` is not a number"));
    assert_eq!(message("--5"), format!("{at}`--5` is not a number"));
    assert_eq!(message("-"), format!("{at}`-` is not a number"));
    for value in ["9223372036854775808", "-9223372036854775809"] {
        let range = "is outside the integers from -9223372036854775808 to 9223372036854775807";
        assert_eq!(message(value), format!("{at}`{value}` {range}"));
    }
    for value in ["1.5", "inf", "1e19"] {
        let why = "is not a whole number within 64 bits, and this board holds integers";
        assert_eq!(message(value), format!("{at}`{value}` {why}"));
    }
}

#[test]
fn float_boards_refuse_nan_and_overflow() {
    let message = |value: &str| {
        message(csv_with(format!("member,score\na,{value}\n").as_bytes(), float()), 0)
    };
    let at = "line 2, column `score`: ";
    assert_eq!(message("nan"), format!("{at}`nan` is not a number"));
    assert_eq!(message("1e400"), format!("{at}`1e400` is larger than a 64-bit float can be"));
}

#[test]
fn an_unterminated_quote_is_found_where_it_opened() {
    let text = "member,score\na,1\n\"two\nlines\",2\n\"open,3\nd,4\ne,5\n";
    assert_eq!(
        message(csv(text), 2),
        "line 5, column `member`: the quote that opens here is never closed"
    );
}

#[test]
fn an_unterminated_quote_in_a_later_line_of_a_record_has_that_line() {
    let text = "member,note,score\na,\"x\ny\",\"1\n2\n";
    assert_eq!(
        message(csv(text), 0),
        "line 3, column `score`: the quote that opens here is never closed"
    );
}

#[test]
fn an_unterminated_quote_does_not_swallow_a_large_file() {
    let mut text = "member,score\n\"open,1\n".to_owned();
    while text.len() < 3 * RECORD_BYTES_MAX {
        text.push_str("somebody,123456789\n");
    }
    assert_eq!(
        message(csv(text), 0),
        "line 2, column `member`: the quote that opens here is never closed (looked at the next \
         mebibyte)"
    );
}

#[test]
fn latin_1_is_named_with_line_and_byte() {
    assert_eq!(
        message(csv(b"member,score\na,1\nRen\xE9,2\n"), 1),
        "line 3 (byte 4 of the line, byte 21 of the input): the byte 0xE9 is not UTF-8; if the \
         file is Latin-1, convert it with `iconv -f LATIN1 -t UTF-8`"
    );
    assert_eq!(
        message(csv(b"member,score\n\"a\nb\xFFc\",2\n"), 0),
        "line 3 (byte 2 of the line, byte 18 of the input): the byte 0xFF is not UTF-8; if the \
         file is Latin-1, convert it with `iconv -f LATIN1 -t UTF-8`"
    );
}

#[test]
fn other_encodings_are_suspected_from_the_first_bytes() {
    let utf16 = message(csv(b"\xFF\xFEm\0e\0m\0"), 0);
    assert!(utf16.contains("looks like UTF-16"), "{utf16}");
    let gzip = message(csv(b"\x1F\x8B\x08\0abc\n"), 0);
    assert!(gzip.contains("looks like gzip"), "{gzip}");
}

#[test]
fn a_row_with_another_number_of_fields_is_refused() {
    for (line, fields) in [("b", "1 field"), ("b,2,3", "3 fields"), ("b,2,", "3 fields")] {
        assert_eq!(
            message(csv(format!("member,score\na,1\n{line}\n")), 1),
            format!("line 3 has {fields}, but the header has 2")
        );
    }
}

#[test]
fn text_after_a_closing_quote_is_refused() {
    assert_eq!(
        message(csv("member,score\n\"a\"b,1\n"), 0),
        "line 2, column `member`: there is text after the closing quote; a quote within quotes is \
         written twice"
    );
}

#[test]
fn members_have_limits() {
    let longest = "\u{e9}".repeat(MEMBER_BYTES_MAX / 2);
    let text = format!("member,score\n{longest},1\n{longest}x,2\n");
    let (rows, error) = csv(text);
    assert_eq!(rows, [row(2, &longest, 1)]);
    let shown = "\u{e9}".repeat(60);
    assert_eq!(
        error.unwrap().to_string(),
        format!(
            "line 3, column `member`: the member `{shown}...` has 513 bytes; at most 512 \
             are allowed"
        )
    );
    assert_eq!(
        message(csv("member,score\n,1\n"), 0),
        "line 2, column `member`: the member is empty; it has 1 to 512 bytes"
    );
}

#[test]
fn a_line_without_end_is_refused() {
    let text = format!("member,score\na,1\n{}", "x".repeat(2 * RECORD_BYTES_MAX));
    assert_eq!(message(csv(text), 1), "line 3 does not end within 1048576 bytes");
}

#[test]
fn times_say_what_they_may_be() {
    let message = |value: &str| message(csv(format!("member,score,at\na,1,{value}\n")), 0);
    let at = "line 2, column `at`: ";
    let forms = "write RFC 3339 (2026-11-21T12:00:00Z) or milliseconds since 1970";
    assert_eq!(message("yesterday"), format!("{at}`yesterday` is not a time; {forms}"));
    assert_eq!(message("2026-11-21"), format!("{at}`2026-11-21` is not a time; {forms}"));
    assert_eq!(
        message("253402300800000"),
        format!("{at}the time `253402300800000` is outside the years 1 to 9999")
    );
}

#[test]
fn values_are_shown_in_part_and_without_control_characters() {
    let text = format!("member,score\na,\"\x1b[2J{}\"\n", "9".repeat(100));
    let shown = format!("\\u{{1b}}[2J{}...", "9".repeat(56));
    assert_eq!(message(csv(text), 0), format!("line 2, column `score`: `{shown}` is not a number"));
}
