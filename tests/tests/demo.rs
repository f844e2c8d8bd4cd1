//! Goal: the demo's boards are what the data set says, to the last member.
//! Method: `data/oracle.py`, which shares no code with rankd, ranks the shipped files; every board
//! is read in full over HTTP and compared.

use std::collections::BTreeMap;
use std::process::Command;

use rankd_client::{Extras, Name, RankStyle};
use rankd_e2e::{Server, project, run, run_ok, texts};

const PAGE: usize = 1000;

fn oracle(argument: &str) -> String {
    let script = project().join("data/oracle.py");
    let output = Command::new("python3").arg(script).arg(argument).output();
    let output = output.expect("python3 is installed");
    let (out, err) = texts(&output);
    assert!(output.status.success(), "oracle.py {argument}: {err}");
    out
}

/// The whole board as the oracle prints it: rank, member and score.
async fn over_http(server: &Server, board: &str) -> String {
    let client = server.client();
    let (mut text, mut offset) = (String::new(), 0);
    loop {
        let page = client.top(board, offset, PAGE, Extras::NONE).await.expect("the board is there");
        for entry in &page.entries {
            let member = entry.member.as_str().expect("player ids are ASCII");
            text.push_str(&format!("{}\t{member}\t{}\n", entry.rank, entry.score));
        }
        offset += page.entries.len() as u64;
        if page.entries.is_empty() {
            assert_eq!(offset, page.total);
            return text;
        }
    }
}

/// Every board by name, each as the oracle prints it alone.
fn oracle_boards() -> BTreeMap<String, String> {
    let mut boards: BTreeMap<String, String> = BTreeMap::new();
    for line in oracle("--all").lines() {
        let (board, row) = line.split_once('\t').expect("the board comes first");
        let text = boards.entry(board.to_owned()).or_default();
        text.push_str(row);
        text.push('\n');
    }
    boards
}

async fn check_all_boards(server: &Server, boards: &BTreeMap<String, String>) {
    assert_eq!(boards.len(), 154, "four over all seasons, and one for each of 150");
    for (board, expected) in boards {
        let got = over_http(server, board).await;
        let first = expected.lines().zip(got.lines()).find(|(expected, got)| expected != got);
        assert_eq!(first, None, "{board}: the first difference (oracle, rankd)");
        assert_eq!(expected.lines().count(), got.lines().count(), "{board}: members");
    }
}

#[tokio::test]
async fn every_demo_board_agrees_with_an_independent_program_before_and_after_a_restart() {
    let boards = oracle_boards();
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_with("demo", folder.path(), &[]);
    check_all_boards(&server, &boards).await;

    let client = server.client();
    let bonds = client.standing("career-home-runs", "bondsba01", RankStyle::Ordinal).await;
    let bonds = bonds.expect("on the board");
    assert_eq!((bonds.rank, bonds.score.to_string(), bonds.total), (1, "762".to_owned(), 19_898));

    assert!(server.stop().success());
    let again = Server::start(folder.path());
    check_all_boards(&again, &boards).await;
}

#[tokio::test]
async fn a_member_found_by_rank_has_that_rank_in_every_way_of_asking() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_with("demo", folder.path(), &[]);
    let client = server.client();
    let board = "career-home-runs";
    let ranking: Vec<(u64, Name)> = oracle(board)
        .lines()
        .step_by(97)
        .map(|line| {
            let mut fields = line.split('\t');
            let rank = fields.next().and_then(|rank| rank.parse().ok()).expect("a rank");
            (rank, Name::from(fields.next().expect("a member")))
        })
        .collect();
    let members: Vec<Name> = ranking.iter().map(|(_, member)| member.clone()).collect();
    let bulk = client.ranks(board, &members, Extras::NONE).await.expect("a list of members");
    assert_eq!(bulk.entries.len(), ranking.len());
    for (entry, (rank, member)) in bulk.entries.iter().zip(&ranking) {
        assert_eq!((entry.rank, &entry.member), (*rank, member));
        let one = client.standing(board, member.as_bytes(), RankStyle::Ordinal).await;
        assert_eq!(one.expect("on the board").rank, *rank);
        let around = client.around(board, member.as_bytes(), 2, Extras::NONE).await;
        let around = around.expect("on the board");
        assert!(around.entries.iter().any(|e| e.rank == *rank && e.member == *member));
    }
}

#[test]
fn the_command_line_shows_players_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_with("demo", folder.path(), &[]);
    let top = run_ok(&["top", "career-home-runs", "-n", "6", "--server", &server.url]);
    let expected = [
        "1\tbondsba01\tBarry Bonds\t762",
        "2\taaronha01\tHank Aaron\t755",
        "3\truthba01\tBabe Ruth\t714",
        "4\trodrial01\tAlex Rodriguez\t696",
        "5\tpujolal01\tAlbert Pujols\t662",
        "6\tmayswi01\tWillie Mays\t660",
    ];
    let lines: Vec<&str> = top.lines().skip(1).collect();
    assert_eq!(lines, expected, "{top}");

    let rank = run_ok(&["rank", "career-home-runs", "ruthba01", "--server", &server.url]);
    assert!(rank.contains("Babe Ruth") && rank.contains("714"), "{rank}");
    let nobody = run(&["rank", "career-home-runs", "nobody01", "--server", &server.url]);
    let (_, err) = texts(&nobody);
    assert!(!nobody.status.success() && err.contains("nobody01"), "{err}");
}
