//! Random rows, written by the `csv` crate, read back; lines against a naive counter.

use proptest::prelude::*;

use super::{all, good};
use crate::rows::{ReadOptions, Row, Rows};
use rankd_engine::Score;

/// Names with everything that CSV has to quote in them.
fn member() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[\"\r\n, a\u{e9};]{1,12}",
        proptest::string::string_regex("\\PC{1,20}").expect("a good pattern"),
    ]
}

fn row() -> impl Strategy<Value = (String, i64, Option<i64>)> {
    (member(), any::<i64>(), proptest::option::of(-1_000_000_000_000_i64..=1_000_000_000_000))
}

/// The file, and what has to be read from it: each row with the number of newlines before it.
fn write(rows: &[(String, i64, Option<i64>)], crlf: bool) -> (Vec<u8>, Vec<Row>) {
    let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
    writer.write_record(["score", "member", "at"]).unwrap();
    let mut expected = Vec::new();
    for (member, score, at_ms) in rows {
        writer.flush().unwrap();
        let newlines = writer.get_ref().iter().filter(|&&byte| byte == b'\n').count();
        let at = at_ms.map(|at| at.to_string()).unwrap_or_default();
        writer.write_record([&score.to_string(), member, &at]).unwrap();
        expected.push(Row {
            line: newlines as u64 + 1,
            member: member.clone(),
            score: Score::Integer(*score),
            at_ms: *at_ms,
        });
    }
    (writer.into_inner().unwrap(), expected)
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_back_with_its_lines(
        rows in proptest::collection::vec(row(), 0..30),
        crlf in any::<bool>(),
    ) {
        let (text, expected) = write(&rows, crlf);
        let read = good(all(Rows::csv(text.as_slice(), ReadOptions::default()).unwrap()));
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn reading_from_a_line_gives_the_rows_that_start_there_or_later(
        rows in proptest::collection::vec(row(), 1..20),
        from_line in 1_u64..60,
    ) {
        let (text, mut expected) = write(&rows, false);
        expected.retain(|row| row.line >= from_line);
        let options = ReadOptions { from_line, ..ReadOptions::default() };
        let read = good(all(Rows::csv(text.as_slice(), options).unwrap()));
        prop_assert_eq!(read, expected);
    }

    /// Hostile bytes: an error or rows, with lines within the input, and never a panic.
    #[test]
    fn any_bytes_end_in_rows_or_an_error_with_a_line(
        bytes in proptest::collection::vec(prop_oneof![
            Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'1'), any::<u8>()
        ], 0..200),
    ) {
        let mut text = b"member,score\n".to_vec();
        text.extend_from_slice(&bytes);
        let lines = text.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        let (rows, error) = all(Rows::csv(text.as_slice(), ReadOptions::default()).unwrap());
        prop_assert!(rows.windows(2).all(|pair| pair[0].line < pair[1].line));
        prop_assert!(rows.iter().all(|row| (2..=lines).contains(&row.line)));
        if let Some(error) = error {
            prop_assert!((2..=lines).contains(&error.line().expect("a line")));
        }
    }
}
