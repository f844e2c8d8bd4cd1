//! The reader against good input, every kind of bad input, and random CSV written by another
//! program (the `csv` crate), with lines counted by a naive oracle.

mod bad_csv;
mod bad_jsonl;
mod batches;
mod organisations;
mod random;

use rankd_engine::{Score, ScoreKind};

use super::{ReadError, ReadOptions, Row, Rows};

/// All rows of a stream, and the error that ended it.
fn all(mut rows: Rows<&[u8], ReadOptions>) -> (Vec<Row>, Option<ReadError>) {
    let mut good = Vec::new();
    while let Some(row) = rows.next_row() {
        match row {
            Ok(row) => good.push(row),
            Err(error) => return (good, Some(error)),
        }
    }
    (good, None)
}

fn csv_with(text: &[u8], options: ReadOptions) -> (Vec<Row>, Option<ReadError>) {
    match Rows::csv(text, options) {
        Ok(rows) => all(rows),
        Err(error) => (Vec::new(), Some(error)),
    }
}

fn csv(text: impl AsRef<[u8]>) -> (Vec<Row>, Option<ReadError>) {
    csv_with(text.as_ref(), ReadOptions::default())
}

fn jsonl(text: &str) -> (Vec<Row>, Option<ReadError>) {
    all(Rows::jsonl(text.as_bytes(), ReadOptions::default()))
}

/// The rows of good input.
fn good((rows, error): (Vec<Row>, Option<ReadError>)) -> Vec<Row> {
    assert!(error.is_none(), "{}", error.unwrap());
    rows
}

/// The message of bad input, after this many good rows.
fn message((rows, error): (Vec<Row>, Option<ReadError>), good_rows: usize) -> String {
    assert_eq!(rows.len(), good_rows);
    error.expect("an error").to_string()
}

fn row(line: u64, member: &str, score: i64) -> Row {
    Row { line, member: member.to_owned(), score: Score::Integer(score), at_ms: None }
}

fn float() -> ReadOptions {
    ReadOptions { kind: ScoreKind::Float, ..ReadOptions::default() }
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let text = "id,score,note,member\n7,10,x,ada\n8,-20,\"a,b\",bob\n";
    assert_eq!(good(csv(text)), [row(2, "ada", 10), row(3, "bob", -20)]);
}

#[test]
fn other_columns_may_be_named() {
    let options = ReadOptions {
        member_column: "player".to_owned(),
        score_column: "points".to_owned(),
        time_column: Some("when".to_owned()),
        ..ReadOptions::default()
    };
    let rows = good(csv_with(b"points,when,player\n5,1000,ada\n", options));
    assert_eq!(rows, [Row { at_ms: Some(1000), ..row(2, "ada", 5) }]);
}

#[test]
fn a_column_named_at_or_time_is_the_time() {
    for column in ["at", "time"] {
        let text = format!(
            "member,score,{column}\na,1,1970-01-01T00:00:01Z\nb,2,-5\nc,3,\n\
             d,4,1969-12-31T23:59:59.5-00:00\n"
        );
        let times: Vec<_> = good(csv(text)).iter().map(|row| row.at_ms).collect();
        assert_eq!(times, [Some(1000), Some(-5), None, Some(-500)]);
    }
}

#[test]
fn quotes_newlines_blank_lines_and_line_ends_are_counted_as_they_are() {
    let text = "\u{FEFF}member,score\r\n\r\n\"a\"\"b\",1\r\n\"two\nlines\",2\n\n\nlast,3";
    let expected = [row(3, "a\"b", 1), row(4, "two\nlines", 2), row(8, "last", 3)];
    assert_eq!(good(csv(text)), expected);
}

#[test]
fn other_delimiters_work() {
    let options = ReadOptions { delimiter: b';', ..ReadOptions::default() };
    assert_eq!(good(csv_with(b"member;score\n\"a;b\";1\n", options)), [row(2, "a;b", 1)]);
}

#[test]
fn integers_are_exact_to_the_limits() {
    let text = format!("member,score\na,{}\nb,{}\nc, +7 \nd,1e3\ne,2.0\n", i64::MIN, i64::MAX);
    let scores: Vec<_> = good(csv(text)).into_iter().map(|row| row.score).collect();
    let expected = [i64::MIN, i64::MAX, 7, 1000, 2].map(Score::Integer);
    assert_eq!(scores, expected);
}

#[test]
fn floats_take_fractions_infinities_and_large_whole_numbers() {
    let text = b"member,score\na,1.5\nb,inf\nc,-inf\nd,10000000000000000000\ne,-0.0\n";
    let scores: Vec<_> = good(csv_with(text, float())).into_iter().map(|row| row.score).collect();
    let expected = [1.5, f64::INFINITY, f64::NEG_INFINITY, 1e19, 0.0].map(Score::Float);
    assert_eq!(scores, expected);
}

#[test]
fn from_line_passes_over_earlier_records_even_bad_ones() {
    let text = b"member,score\na,x\n\"b\nb\",2,3\n\xE9,3\nc,4\nd,5\n";
    let options = ReadOptions { from_line: 6, ..ReadOptions::default() };
    assert_eq!(good(csv_with(text, options)), [row(6, "c", 4), row(7, "d", 5)]);
    let options = ReadOptions { from_line: 2, ..ReadOptions::default() };
    let text = "{\"member\":\"a\",\"score\":1}\n{\"member\":\"b\",\"score\":2}\n";
    assert_eq!(good(all(Rows::jsonl(text.as_bytes(), options))), [row(2, "b", 2)]);
}

#[test]
fn json_lines_are_read_by_their_keys() {
    let text = concat!(
        "{\"score\": 1, \"member\": \"\\u00e9\\n\", \"extra\": [1, {}]}\n",
        "\n",
        "{\"member\":\"b\",\"score\":-9223372036854775808,\"at\":\"1970-01-01T00:00:02Z\"}\n",
        "{\"member\":\"c\",\"score\":2e0,\"time\":7,\"at\":null}"
    );
    let expected = [
        row(1, "\u{e9}\n", 1),
        Row { at_ms: Some(2000), ..row(3, "b", i64::MIN) },
        // `at` comes first and is there, if empty.
        row(4, "c", 2),
    ];
    assert_eq!(good(jsonl(text)), expected);
    let infinite = all(Rows::jsonl(b"{\"member\":\"a\",\"score\":\"-inf\"}".as_slice(), float()));
    assert_eq!(good(infinite)[0].score, Score::Float(f64::NEG_INFINITY));
}
