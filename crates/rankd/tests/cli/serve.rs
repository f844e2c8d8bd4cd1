//! Serving: what survives, how it ends, and the demo.

use std::path::Path;

use rustix::process::Signal;

use super::host::{Server, run, run_with};

#[test]
fn what_was_acknowledged_is_there_after_every_way_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let ends = [(Signal::INT, Some(0)), (Signal::TERM, Some(0)), (Signal::KILL, None)];
    for (index, (signal, code)) in ends.into_iter().enumerate() {
        let server = Server::start("serve", folder.path(), &[]);
        let rows = format!("member,score\nm{index},{index}\n");
        run_with(&["import", "--board", "b", "--server", &server.url, "-"], &rows).ok();
        assert_eq!(server.stop(signal), code);
    }
    let data = folder.path().to_str().unwrap();
    let csv = run(&["export", "--board", "b", "--data", data]).ok();
    let members: Vec<_> = csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(members, ["m2", "m1", "m0"]);
}

#[test]
fn a_server_says_where_it_is_and_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &[]);
    let line = format!(
        "rankd is ready: {}/  (data in {}; 0 boards, 0 members)\n",
        server.url,
        folder.path().display()
    );
    assert_eq!(server.printed, line);
}

#[test]
fn writes_create_no_board_where_that_is_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &["--auto-create=false"]);
    let client = rankd_client::Client::new(&server.url).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error =
        runtime.block_on(client.put_score("b", "a", &1.into(), &Default::default())).unwrap_err();
    assert!(error.is_unknown(), "{error}");
}

/// The places that the record books have, from outside of this project's data files.
const HOME_RUNS: [(&str, &str, u64); 5] = [
    ("bondsba01", "Barry Bonds", 762),
    ("aaronha01", "Hank Aaron", 755),
    ("ruthba01", "Babe Ruth", 714),
    ("rodrial01", "Alex Rodriguez", 696),
    ("pujolal01", "Albert Pujols", 662),
];

fn demo_top(folder: &Path) -> (String, String) {
    let server = Server::start("demo", folder, &["--durability", "os"]);
    let top = run(&["top", "career-home-runs", "-n", "5", "--server", &server.url]).ok();
    let printed = server.printed.clone();
    assert_eq!(server.stop(Signal::INT), Some(0));
    (top, printed)
}

#[test]
fn the_demo_ranks_as_the_record_books_do_and_loads_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = "rank\tmember\tname\tscore\n".to_owned();
    for (rank, (member, name, score)) in (1..).zip(HOME_RUNS) {
        expected.push_str(&format!("{rank}\t{member}\t{name}\t{score}\n"));
    }
    for _ in 0..2 {
        // The second time on the same data: sums would show if anything were loaded twice.
        let (top, printed) = demo_top(folder.path());
        assert_eq!(top, expected);
        assert!(printed.contains("154 boards, 180 282 members"), "{printed}");
    }
}
