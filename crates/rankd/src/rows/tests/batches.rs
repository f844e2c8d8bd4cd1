//! Batches: their size, what ends them, and that they are repeatable.

use crate::rows::{Batch, Batches, ReadOptions, Row, RowData as _, Rows, Stop};

const BATCH_ROWS_MAX: usize = Row::BATCH_ROWS_MAX;

fn batches(text: &str, from_line: u64, skip_bad: bool) -> (Vec<Batch<Row>>, Stop) {
    let options = ReadOptions { from_line, ..ReadOptions::default() };
    let mut batches = Batches::new(Rows::csv(text.as_bytes(), options).unwrap(), skip_bad);
    let mut all = Vec::new();
    while let Some(batch) = batches.next_batch() {
        all.push(batch);
    }
    (all, batches.finish())
}

fn numbered(rows: usize) -> String {
    let mut text = "member,score\n".to_owned();
    (0..rows).for_each(|number| text.push_str(&format!("m{number},{number}\n")));
    text
}

#[test]
fn rows_come_in_batches_that_the_api_takes() {
    let text = numbered(2 * BATCH_ROWS_MAX + 1);
    let (all, stop) = batches(&text, 1, false);
    let sizes: Vec<_> = all.iter().map(|batch| batch.rows.len()).collect();
    assert_eq!(sizes, [BATCH_ROWS_MAX, BATCH_ROWS_MAX, 1]);
    assert_eq!((all[1].first_line(), all[1].last_line()), (10_002, 20_001));
    assert_eq!(all[2].bytes_read, text.len() as u64);
    assert!(matches!(stop, Stop::End { bad, last_line: 20_002 } if bad.count == 0));
}

#[test]
fn long_names_make_smaller_batches() {
    let mut text = "member,score\n".to_owned();
    (0..10_000).for_each(|number| text.push_str(&format!("{number:0>512},1\n")));
    let (all, _) = batches(&text, 1, false);
    assert_eq!(all[0].rows.len(), 2 * 1024 * 1024 / 512);
}

fn digests(batches: &[Batch<Row>]) -> Vec<[u8; 16]> {
    batches.iter().map(|batch| batch.digest(&[b"board"])).collect()
}

/// A score in line 10 005, the fourth row of the second batch, that is no number.
fn with_a_bad_row() -> String {
    numbered(3 * BATCH_ROWS_MAX).replace("m10003,10003", "m10003,1ooo3")
}

#[test]
fn a_batch_with_a_bad_row_is_not_cut_short_but_left_out() {
    let (all, stop) = batches(&with_a_bad_row(), 1, false);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].rows.len(), all[0].last_line()), (BATCH_ROWS_MAX, 10_001));
    let Stop::Error { error, from_line } = stop else { panic!("a bad row was read") };
    assert_eq!((error.line(), from_line), (Some(10_005), 10_002));
}

#[test]
fn a_batch_that_a_broken_quote_spoils_is_left_out_even_if_bad_rows_are_passed_over() {
    let (all, stop) = batches("member,score\na,1\nb,x\n\"c,3\n", 1, true);
    assert!(all.is_empty());
    let Stop::Error { error, from_line } = stop else { panic!("an open quote was read") };
    assert_eq!((error.line(), from_line), (Some(4), 2));
}

#[test]
fn a_mended_file_has_the_same_batches_from_the_start_and_from_the_line_of_the_spoilt_one() {
    let (written, stop) = batches(&with_a_bad_row(), 1, false);
    let Stop::Error { from_line, .. } = stop else { panic!("a bad row was read") };
    let mended = numbered(3 * BATCH_ROWS_MAX);
    let (whole, _) = batches(&mended, 1, false);
    let (rest, _) = batches(&mended, from_line, false);
    assert_eq!(digests(&whole), [digests(&written), digests(&rest)].concat());
}

#[test]
fn passing_over_bad_rows_moves_no_other_batch() {
    let (whole, _) = batches(&numbered(3 * BATCH_ROWS_MAX), 1, false);
    let (skipped, _) = batches(&with_a_bad_row(), 1, true);
    let (whole, skipped) = (digests(&whole), digests(&skipped));
    assert_eq!((whole[0], whole[2]), (skipped[0], skipped[2]));
    assert_ne!(whole[1], skipped[1]);
    assert_eq!(skipped.len(), 3);
}

#[test]
fn a_batch_that_begins_with_bad_rows_is_read_again_from_the_first_of_them() {
    let text = numbered(3 * BATCH_ROWS_MAX).replace("m10000,10000", "m10000,\"x\ny\"");
    let (all, _) = batches(&text, 1, true);
    assert_eq!((all[1].from_line, all[1].first_line()), (10_002, 10_004));
    let (again, _) = batches(&text, all[1].from_line, true);
    assert_eq!(digests(&all[1..]), digests(&again));
}

#[test]
fn more_bad_rows_than_a_batch_has_do_not_end_the_input() {
    let mut text = "member,score\n".to_owned();
    (0..2 * BATCH_ROWS_MAX).for_each(|_| text.push_str("b,x\n"));
    text.push_str("c,3\n");
    let (all, stop) = batches(&text, 1, true);
    assert_eq!((all.len(), all[0].first_line(), all[0].from_line), (1, 20_002, 20_002));
    assert!(matches!(stop, Stop::End { bad, .. } if bad.count == 20_000));
}

#[test]
fn bad_rows_are_counted_and_the_first_ten_kept() {
    let mut text = "member,score\na,1\n".to_owned();
    (0..12).for_each(|_| text.push_str("b,x\n"));
    text.push_str("c,3\n");
    let (all, stop) = batches(&text, 1, true);
    let members: Vec<_> = all[0].rows.iter().map(|row| row.member.as_str()).collect();
    assert_eq!(members, ["a", "c"]);
    let Stop::End { bad, .. } = stop else { panic!("ended early") };
    assert_eq!((bad.count, bad.shown.len()), (12, 10));
    assert_eq!(bad.shown[0], "line 3, column `score`: `x` is not a number");
}

#[test]
fn what_hides_the_rows_after_it_cannot_be_passed_over() {
    let (_, stop) = batches("member,score\n\"a,1\nb,2\n", 1, true);
    assert!(matches!(stop, Stop::Error { error, .. } if error.line() == Some(2)));
}

#[test]
fn a_batch_read_again_from_its_first_line_has_the_same_digest() {
    let text = numbered(3 * BATCH_ROWS_MAX);
    let (all, _) = batches(&text, 1, false);
    let (again, _) = batches(&text, all[1].first_line(), false);
    assert_eq!(digests(&all[1..]), digests(&again));
}

#[test]
fn digests_tell_batches_apart() {
    let texts = [
        "member,score,at\na,1,\n",
        "member,score,at\na,2,\n",
        "member,score,at\nb,1,\n",
        "member,score,at\na,1,0\n",
        "member,score,at\n\na,1,\n",
        "member,score,at\na,1,\na,1,\n",
    ];
    let digest = |text| batches(text, 1, false).0[0].digest(&[b"board"]);
    let mut digests: Vec<_> = texts.into_iter().map(digest).collect();
    digests.push(batches(texts[0], 1, false).0[0].digest(&[b"boar", b"d"]));
    let distinct: std::collections::HashSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}
