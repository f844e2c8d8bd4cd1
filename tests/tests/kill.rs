//! Goal: what was acknowledged survives `kill -9`, and what else survives was sent, whole.
//! Method: clients write batches of their own members; the process is killed while they do, at a
//! moment given by the number of acknowledgements; after the restart every board entry is
//! accounted for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rankd_client::{Client, Extras, ScoreRow};
use rankd_e2e::{Server, command, run_ok, texts};
use tokio::sync::Notify;

const CLIENTS: usize = 4;
const ROWS: usize = 50;
const ROUNDS: usize = 40;
const BOARD: &str = "killed";

fn member(round: usize, client: usize, batch: usize, row: usize) -> String {
    format!("r{round}-c{client}-b{batch}-{row}")
}

fn score(batch: usize, row: usize) -> i64 {
    i64::try_from(batch * 1000 + row).expect("small numbers")
}

/// Writes batches until the server is gone. Returns how many were sent and which were answered.
async fn write_until_killed(
    client: Client,
    round: usize,
    number: usize,
    answered: Arc<AtomicUsize>,
    enough: Arc<Notify>,
    kill_after: usize,
) -> (usize, usize) {
    for batch in 0.. {
        let names: Vec<_> = (0..ROWS).map(|row| member(round, number, batch, row)).collect();
        let rows: Vec<_> = (0..)
            .zip(&names)
            .map(|(row, name)| ScoreRow {
                member: name,
                score: score(batch, row).into(),
                at: None,
                operator: None,
            })
            .collect();
        if client.post_scores(BOARD, &rows, None).await.is_err() {
            return (batch + 1, batch);
        }
        if answered.fetch_add(1, Ordering::SeqCst) + 1 == kill_after {
            enough.notify_one();
        }
    }
    unreachable!("batches are numbered without end")
}

/// Everything on the board.
async fn contents(client: &Client) -> BTreeMap<String, String> {
    let (mut all, mut offset) = (BTreeMap::new(), 0);
    loop {
        let page = client.top(BOARD, offset, 1000, Extras::NONE).await.expect("the board");
        if page.entries.is_empty() {
            assert_eq!(all.len() as u64, page.total);
            return all;
        }
        offset += page.entries.len() as u64;
        all.extend(page.entries.into_iter().map(|entry| {
            (entry.member.as_str().expect("ASCII").to_owned(), entry.score.to_string())
        }));
    }
}

/// Removes the rows of one batch from `all`. Returns how many were there with their scores.
fn take_batch(
    all: &mut BTreeMap<String, String>,
    round: usize,
    client: usize,
    batch: usize,
) -> usize {
    (0..ROWS)
        .filter(|row| {
            let found = all.remove(&member(round, client, batch, *row));
            found.is_some_and(|found| found == score(batch, *row).to_string())
        })
        .count()
}

async fn killed_round(folder: &Path, round: usize, kept: &mut BTreeSet<(usize, usize, usize)>) {
    let server = Server::start(folder);
    let (answered, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let kill_after = 1 + round * 7;
    let writers: Vec<_> = (0..CLIENTS)
        .map(|number| {
            tokio::spawn(write_until_killed(
                server.client(),
                round,
                number,
                Arc::clone(&answered),
                Arc::clone(&enough),
                kill_after,
            ))
        })
        .collect();
    enough.notified().await;
    server.kill();

    let mut sent = Vec::new();
    for (client, writer) in writers.into_iter().enumerate() {
        sent.push((client, writer.await.expect("the writer ended")));
    }
    let server = Server::start(folder);
    let mut all = contents(&server.client()).await;
    for (round, client, batch) in kept.iter().copied() {
        assert_eq!(take_batch(&mut all, round, client, batch), ROWS, "an older round's batch");
    }
    for (client, (sent, answered)) in sent {
        for batch in 0..sent {
            let found = take_batch(&mut all, round, client, batch);
            let must_be_there = batch < answered;
            let is_whole = found == ROWS || (found == 0 && !must_be_there);
            assert!(is_whole, "round {round}, client {client}, batch {batch}: {found} of {ROWS}");
            if found == ROWS {
                kept.insert((round, client, batch));
            }
        }
    }
    assert!(all.is_empty(), "nobody sent {all:?}");
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_batches_survive_kill_9_and_others_are_whole_or_absent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut kept = BTreeSet::new();
    for round in 0..ROUNDS {
        killed_round(folder.path(), round, &mut kept).await;
    }
    assert!(kept.len() > ROUNDS, "the rounds wrote something");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_lost_its_server_goes_on_from_the_line_it_names() {
    const LINES: usize = 400_000;
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("rows.csv");
    let mut text = String::from("member,score\n");
    for row in 0..LINES {
        // Each member twice, so that a row written twice would show in its sum.
        text.push_str(&format!("m{},{}\n", row / 2, row + 1));
    }
    std::fs::write(&csv, text).expect("a file");
    let (csv, data) = (csv.to_str().expect("UTF-8"), folder.path().join("data"));

    let server = Server::start(&data);
    let first =
        command(&["import", "--board", BOARD, "--operator", "sum", "--server", &server.url])
            .arg(csv)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("rankd can be started");
    let client = server.client();
    while client.board(BOARD).await.map_or(0, |board| board.count) < 20_000 {
        tokio::task::yield_now().await;
    }
    server.kill();
    let output = first.wait_with_output().expect("it is our child");
    let (_, err) = texts(&output);
    assert!(!output.status.success(), "the import noticed: {err}");
    let line = err.split("--from-line ").nth(1).expect(&err);
    let line: String = line.chars().take_while(char::is_ascii_digit).collect();

    let server = Server::start(&data);
    let again = ["import", "--board", BOARD, "--operator", "sum", "--server", &server.url];
    let _ = run_ok(&[&again[..], &["--from-line", &line, csv]].concat());
    let client = server.client();
    assert_eq!(client.board(BOARD).await.expect("the board").count, LINES as u64 / 2);
    for pair in (0..LINES / 2).step_by(1_009) {
        let standing = client.standing(BOARD, format!("m{pair}"), Default::default()).await;
        let sum = (2 * pair + 1) + (2 * pair + 2);
        assert_eq!(standing.expect("imported").score.to_string(), sum.to_string(), "m{pair}");
    }
}
