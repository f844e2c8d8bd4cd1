//! Goal: what was acknowledged survives `kill -9`, and what else survives was sent, whole.
//! Method: clients write over HTTP; the process is killed while they do, while a snapshot is being
//! written, while the next log file is begun, and while a start reads the folder back; every start
//! is compared with what the clients were told. `cargo xtask kill` runs many more rounds.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rankd_client::Client;
use rankd_e2e::ledger::{Writer, verify_all};
use rankd_e2e::{Server, command, owner, run_ok, serve_command, texts};

const CLIENTS: usize = 4;
/// Rounds, unless `RANKD_KILL_ROUNDS` says otherwise.
const ROUNDS: u64 = 200;
const BOARD: &str = "killed";
/// Log files of a few batches, so that many are begun.
const SMALL: [&str; 2] = ["--segment-bytes", "16KiB"];

/// When the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Aim {
    /// After so many batches were acknowledged.
    Load(u64),
    /// When there is an unfinished snapshot.
    Snapshot,
    /// When there is an unfinished log file.
    Rotation,
    /// When a start has taken the folder's lock.
    Recovery,
}

fn aim(round: u64) -> Aim {
    match round % 5 {
        0 | 1 => Aim::Load(1 + round * 7 % 90),
        2 => Aim::Snapshot,
        3 => Aim::Rotation,
        _ => Aim::Recovery,
    }
}

/// Writes until the server is gone.
async fn write_until_killed(mut writer: Writer, client: Client, done: Arc<AtomicU64>) -> Writer {
    while writer.write(&client).await {
        done.fetch_add(1, Ordering::SeqCst);
    }
    writer
}

/// Has snapshots written until the server is gone.
async fn snapshots_until_killed(client: Client) {
    while client.snapshot().await.is_ok() {}
}

/// Whether the folder has a file whose name ends like this.
fn has(folder: &Path, end: &str) -> bool {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(end))
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// Kills a start as soon as it has the lock: it then reads the folder back.
async fn kill_a_start(folder: &Path) {
    let mut child =
        serve_command("serve", folder, &SMALL).stdout(Stdio::null()).spawn().expect("rankd starts");
    until(|| owner(folder) == Some(child.id())).await;
    child.kill().expect("it still runs");
    let status = child.wait().expect("it is our child");
    assert!(status.code().is_none(), "it ended by itself: {status}");
}

/// Verifies what the round before has left, works, and kills.
async fn killed_round(folder: &Path, aim: Aim, writers: &mut Vec<Writer>) {
    if aim == Aim::Recovery {
        return kill_a_start(folder).await;
    }
    let server = Server::start_with("serve", folder, &SMALL);
    verify_all(writers, &server.client()).await;
    let done = Arc::new(AtomicU64::new(0));
    let writing: Vec<_> = writers
        .drain(..)
        .map(|writer| tokio::spawn(write_until_killed(writer, server.client(), Arc::clone(&done))))
        .collect();
    let snapshots = tokio::spawn(snapshots_until_killed(server.client()));
    match aim {
        Aim::Load(batches) => until(|| done.load(Ordering::SeqCst) >= batches).await,
        Aim::Snapshot => until(|| has(folder, ".rsnap.tmp")).await,
        Aim::Rotation => until(|| has(folder, ".rlog.tmp")).await,
        Aim::Recovery => unreachable!("returned above"),
    }
    server.kill();
    for writer in writing {
        writers.push(writer.await.expect("the writer ended"));
    }
    snapshots.await.expect("the requests ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_batches_survive_kill_9_and_others_are_whole_or_absent() {
    let rounds = std::env::var("RANKD_KILL_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut writers: Vec<_> = (0..CLIENTS).map(Writer::new).collect();
    for round in 0..rounds {
        killed_round(&data, aim(round), &mut writers).await;
    }
    let server = Server::start(&data);
    verify_all(&mut writers, &server.client()).await;
    assert!(server.stop().success());
    let acknowledged: i64 = writers.iter().map(Writer::acknowledged).sum();
    println!("{rounds} kills, {acknowledged} batches acknowledged, none lost");
    assert!(acknowledged > rounds.cast_signed(), "the rounds wrote something");
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
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
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
