//! Goal: a backup that is taken of a running server as the manual says is one: everything that
//! was acknowledged before it was asked for is in it, of what came later nothing but a whole
//! prefix, and it is served after a restore. Method: clients write numbered members in order
//! while backups are made and copied; each is restored and served.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rankd_client::{Client, Extras, ScoreRow};
use rankd_e2e::{Server, run, run_ok, texts};
use tokio::sync::watch;

const CLIENTS: usize = 3;
const BACKUPS: usize = 4;
/// Acknowledged writes of each client between two backups, at least.
const WRITES: usize = 50;

/// What one client has sent, and what it has been told.
struct Progress {
    sent: AtomicUsize,
    acknowledged: watch::Sender<usize>,
}

impl Progress {
    fn new() -> Arc<Self> {
        Arc::new(Self { sent: AtomicUsize::new(0), acknowledged: watch::Sender::new(0) })
    }
}

fn board(client: usize) -> String {
    format!("client-{client}")
}

/// Writes members 0, 1, 2... until it is told to stop.
async fn write_on(client: Client, number: usize, progress: Arc<Progress>, stop: Arc<AtomicBool>) {
    for write in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let member = format!("m{write}");
        let score = i64::try_from(write).expect("small").into();
        let row = ScoreRow { member: &member, score, at: None, operator: None };
        progress.sent.store(write + 1, Ordering::SeqCst);
        client.post_scores(&board(number), &[row], None).await.expect("the server runs");
        progress.acknowledged.send_replace(write + 1);
    }
}

/// Returns when every client has been told of `more` more writes.
async fn wait_for(all: &[Arc<Progress>], more: usize) {
    for progress in all {
        let mut acknowledged = progress.acknowledged.subscribe();
        let enough = *acknowledged.borrow() + more;
        acknowledged.wait_for(|count| *count >= enough).await.expect("it is still written");
    }
}

/// Has a snapshot made as the manual says, and copies it. Returns the copy's name.
fn back_up(server: &Server, data: &Path, away: &Path, number: usize) -> String {
    let said = run_ok(&["snapshot", "--json", "--server", &server.url]);
    let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let file = report["file"].as_str().expect("a name");
    let copy = away.join(format!("backup-{number}"));
    std::fs::copy(data.join(file), &copy).expect("a copy");
    copy.to_str().expect("UTF-8").to_owned()
}

/// How many members a board has, which have to be the first ones that were written.
async fn prefix(client: &Client, board: &str) -> usize {
    let (mut count, mut offset) = (0_usize, 0);
    loop {
        let page = client.top(board, offset, 1000, Extras::NONE).await.expect("the board");
        if page.entries.is_empty() {
            return count;
        }
        offset += page.entries.len() as u64;
        for entry in page.entries {
            // The highest score first: the last one that was written.
            let expected = usize::try_from(page.total).expect("few") - 1 - count;
            assert_eq!(entry.score.to_string(), expected.to_string());
            count += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_server_is_complete() {
    let (data, away) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    let server = Server::start(data.path());
    let stop = Arc::new(AtomicBool::new(false));
    let all: Vec<Arc<Progress>> = (0..CLIENTS).map(|_| Progress::new()).collect();
    let writers: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(number, progress)| {
            let (progress, stop) = (Arc::clone(progress), Arc::clone(&stop));
            tokio::spawn(write_on(server.client(), number, progress, stop))
        })
        .collect();
    let mut backups = Vec::new();
    for number in 0..BACKUPS {
        wait_for(&all, WRITES).await;
        let told = |progress: &Arc<Progress>| *progress.acknowledged.borrow();
        let least: Vec<_> = all.iter().map(told).collect();
        let copy = back_up(&server, data.path(), away.path(), number);
        let sent = |progress: &Arc<Progress>| progress.sent.load(Ordering::SeqCst);
        backups.push((copy, least, all.iter().map(sent).collect::<Vec<_>>()));
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.expect("it does not panic");
    }
    server.kill();
    for (copy, least, most) in backups {
        let folder = format!("{copy}-restored");
        let said = run_ok(&["restore", &copy, "--data", &folder]);
        assert!(said.contains("restored into"), "{said}");
        let restored = Server::start(Path::new(&folder));
        for (number, (least, most)) in least.into_iter().zip(most).enumerate() {
            let found = prefix(&restored.client(), &board(number)).await;
            assert!((least..=most).contains(&found), "{found} of {least} to {most}: {copy}");
        }
        assert!(restored.stop().success());
    }
}

#[test]
fn what_cannot_be_restored_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let (copy, out) = (folder.path().join("copy"), folder.path().join("out"));
    std::fs::write(&copy, "no snapshot").expect("written");
    let (copy, out) = (copy.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    let refused = run(&["restore", copy, "--data", out]);
    let (_, said) = texts(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("copy") && said.contains("are left"), "{said}");
    let missing = run(&["restore", &format!("{copy}-missing"), "--data", out]);
    assert_eq!(missing.status.code(), Some(2), "{}", texts(&missing).1);
    assert!(!Path::new(out).exists(), "nothing was made");
}
