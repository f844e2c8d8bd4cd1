//! Goal: a million rows go in with one command, and are served again after a restart.
//! Method: scores with ties from a fixed sequence; the expected ranking is sorted here.

use std::fmt::Write as _;

use rankd_client::{Client, Extras};
use rankd_e2e::{Server, run_ok};

const ROWS: usize = 1_000_000;

/// Row number to score: about four members a score, and negative ones among them.
fn score(row: usize) -> i64 {
    let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) % (ROWS / 4);
    i64::try_from(mixed).expect("small") - 100_000
}

async fn check(client: &Client, expected: &[(i64, usize)]) {
    let info = client.board("million").await.expect("the board");
    assert_eq!(info.count, ROWS as u64);
    for start in (0..ROWS).step_by(ROWS / 20).chain([ROWS - 1000]) {
        let page = client.top("million", start as u64, 1000, Extras::NONE).await.expect("a page");
        for (entry, (score, row)) in page.entries.iter().zip(&expected[start..]) {
            let member = entry.member.as_str().expect("ASCII");
            assert_eq!((member, entry.score.to_string()), (&*name(*row), score.to_string()));
        }
        assert_eq!(page.entries.len(), 1000);
    }
    for position in (0..ROWS).step_by(9_973) {
        let (_, row) = expected[position];
        let standing = client.standing("million", name(row), Default::default()).await;
        assert_eq!(standing.expect("imported").rank, position as u64 + 1);
    }
}

fn name(row: usize) -> String {
    format!("user:{row}")
}

#[tokio::test]
async fn a_million_rows_are_imported_in_one_run_and_served_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("million.csv");
    let mut text = String::from("member,score,at\n");
    for row in 0..ROWS {
        // Row 0 is the oldest, so of equal scores the smaller row comes first.
        writeln!(text, "{},{},{}", name(row), score(row), row + 1).expect("a string grows");
    }
    std::fs::write(&csv, text).expect("a file");
    let mut expected: Vec<_> = (0..ROWS).map(|row| (score(row), row)).collect();
    expected.sort_by_key(|(score, row)| (-score, *row));

    let data = folder.path().join("data");
    let server = Server::start(&data);
    let csv = csv.to_str().expect("UTF-8");
    let said = run_ok(&["import", "--board", "million", "--json", "--server", &server.url, csv]);
    assert!(said.contains("\"rows\":1000000") && said.contains("\"changed\":1000000"), "{said}");
    check(&server.client(), &expected).await;
    server.kill();

    let server = Server::start(&data);
    check(&server.client(), &expected).await;
    assert!(server.stop().success());
    let server = Server::start(&data);
    check(&server.client(), &expected).await;
}
