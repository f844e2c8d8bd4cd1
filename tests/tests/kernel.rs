//! Goal: the promises hold on the real kernel, since a model of it can be wrong. Method:
//! `strace` makes the exact n-th write, fsync, rename and so on of a thread fail, or kills the
//! process there; a small tmpfs runs full. What clients were told is compared with what a
//! start finds afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rankd_client::Client;
use rankd_e2e::Server;
use rankd_e2e::ledger::{Writer, verify_all};
use tempfile::TempDir;

/// Log files of a few batches, so that many are begun.
const SMALL: [&str; 2] = ["--segment-bytes", "4KiB"];
/// How often a write is tried again before the disk counts as not well any more.
const TRIES_MAX: usize = 100_000;

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// Sends a batch until one is acknowledged.
async fn write_until_acknowledged(writer: &mut Writer, client: &Client) {
    for _try in 0..TRIES_MAX {
        if writer.write(client).await {
            return;
        }
    }
    let readiness = client.readiness().await;
    unreachable!("writes do not resume: {readiness:?}");
}

/// Starts on `folder` under strace, and writes ten batches. `Err`: no start. `Ok`: how many of them
/// failed, after reads were seen to go on.
async fn write_ten(folder: &Path, inject: &str, writer: &mut Writer) -> Option<(Server, usize)> {
    let call = inject.split(':').next().expect("a call");
    let (trace, inject) = (format!("trace={call}"), format!("inject={inject}"));
    let output = folder.with_extension("strace");
    let output = output.to_str().expect("UTF-8");
    let options = ["-o", output, "-e", &trace, "-e", &inject];
    let server = Server::start_traced(folder, &options, &SMALL)?;
    let client = server.client();
    let mut failed = 0;
    for _batch in 0..10 {
        if !writer.write(&client).await {
            failed += 1;
            assert!(client.health().await.is_ok(), "{inject}");
        }
    }
    Some((server, failed))
}

#[tokio::test]
async fn an_io_error_of_the_nth_write_is_reported_and_waited_out() {
    let mut reported = 0;
    for nth in 1..=8 {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::new(0);
        let inject = format!("pwrite64:error=EIO:when={nth}");
        if let Some((server, failed)) = write_ten(&data(&folder), &inject, &mut writer).await {
            reported += usize::from(failed > 0);
            let client = server.client();
            write_until_acknowledged(&mut writer, &client).await;
            writer.verify(&client).await;
            assert!(client.readiness().await.expect("an answer").ready);
            server.kill();
        }
        let server = Server::start(&data(&folder));
        writer.verify(&server.client()).await;
    }
    assert!(reported >= 5, "{reported} runs met their error while they wrote");
}

#[tokio::test]
async fn a_failed_fsync_makes_the_store_read_only_until_a_restart() {
    let mut read_only = 0;
    for (call, nth) in [("fdatasync", 1), ("fdatasync", 2), ("fdatasync", 5), ("fsync", 2)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::new(0);
        let inject = format!("{call}:error=EIO:when={nth}");
        if let Some((server, failed)) = write_ten(&data(&folder), &inject, &mut writer).await
            && failed > 0
        {
            read_only += 1;
            let client = server.client();
            let readiness = client.readiness().await.expect("an answer");
            assert_eq!((readiness.ready, &*readiness.status), (false, "read-only"), "{inject}");
            assert!(readiness.ahead_of_disk && !writer.write(&client).await, "{inject}");
            server.kill();
        }
        let server = Server::start(&data(&folder));
        let client = server.client();
        writer.verify(&client).await;
        assert!(client.readiness().await.expect("an answer").ready && writer.write(&client).await);
    }
    assert!(read_only >= 2, "{read_only} runs met their error while they wrote");
}

/// A tail that a start has to copy aside and cut off.
fn tear(folder: &Path) {
    let entries = fs::read_dir(folder).expect("the folder is there").flatten();
    let logs =
        entries.map(|entry| entry.path()).filter(|path| path.extension() == Some("rlog".as_ref()));
    let last = logs.max().expect("a log");
    let mut bytes = fs::read(&last).expect("it can be read");
    bytes.extend([0xa5; 700]);
    fs::write(&last, bytes).expect("it can be written");
}

async fn write_until_gone(mut writer: Writer, client: Client) -> Writer {
    while writer.write(&client).await {}
    writer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_the_nth_call_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = data(&folder);
    let mut writers: Vec<_> = (0..4).map(Writer::new).collect();
    assert!(Server::start(&data).stop().success());
    let (mut in_starts, mut at_work) = (0, 0);
    let calls: [(&str, &[u32]); 6] = [
        ("pwrite64", &[2, 3, 4, 5, 9, 30]),
        ("fdatasync", &[1, 2, 3, 4, 9, 30]),
        ("rename", &[1, 2, 3, 4]),
        ("fsync", &[2, 3, 4, 5]),
        ("ftruncate", &[2]),
        ("unlink", &[1, 2, 3]),
    ];
    let cases = calls.iter().flat_map(|(call, nths)| nths.iter().map(move |nth| (call, nth)));
    for (call, nth) in cases {
        tear(&data);
        let output = folder.path().join("strace");
        let (trace, inject) =
            (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
        let options = ["-o", output.to_str().expect("UTF-8"), "-e", &trace, "-e", &inject];
        let Some(server) = Server::start_traced(&data, &options, &SMALL) else {
            in_starts += 1;
            continue;
        };
        verify_all(&mut writers, &server.client()).await;
        let working: Vec<_> = writers
            .drain(..)
            .map(|writer| tokio::spawn(write_until_gone(writer, server.client())))
            .collect();
        let client = server.client();
        while client.snapshot().await.is_ok() {}
        for writer in working {
            writers.push(writer.await.expect("the writer ended"));
        }
        server.wait();
        at_work += 1;
    }
    let server = Server::start(&data);
    verify_all(&mut writers, &server.client()).await;
    println!("{in_starts} kills in starts, {at_work} at work");
    assert!(in_starts >= 5 && at_work >= 5, "{in_starts} kills in starts, {at_work} at work");
}

/// A tmpfs, unmounted at the end.
struct Tmpfs(TempDir);

impl Tmpfs {
    fn new(size: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .status()
            .expect("mount is there (Debian: apt-get install mount)");
        assert!(mounted.success(), "this test mounts a tmpfs, which only root may");
        Self(folder)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.path().display());
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_reported_and_waited_out() {
    let disk = Tmpfs::new("4m");
    let (data, filler) = (disk.0.path().join("data"), disk.0.path().join("filler"));
    fs::write(&filler, vec![1; 3 << 20]).expect("there is room");
    let mut writer = Writer::new(0);
    let server = Server::start_with("serve", &data, &SMALL);
    let client = server.client();
    let mut written = 0;
    while writer.write(&client).await {
        written += 1;
    }
    assert!(written > 10, "{written} batches of about 2 kB in 1 MiB");
    let readiness = client.readiness().await.expect("an answer");
    assert_eq!((readiness.ready, &*readiness.status), (false, "read-only"));
    assert!(readiness.reason.expect("a reason").contains("os error 28"));
    let refused = client.snapshot().await.expect_err("there is no room");
    assert!(refused.problem().is_some(), "{refused}");
    // Reads go on: what was not acknowledged may show, nothing else.
    writer.clone().verify(&client).await;
    fs::remove_file(&filler).expect("it is there");
    write_until_acknowledged(&mut writer, &client).await;
    writer.verify(&client).await;
    server.kill();
    let server = Server::start(&data);
    writer.verify(&server.client()).await;
    assert!(server.stop().success());
}

/// Paths that a trace of `mkdir` and `fsync` shows, with the call.
fn calls(trace: &str) -> Vec<(bool, PathBuf)> {
    let call = |line: &str| {
        let (_, made) = line.split_once("mkdir(\"").unzip();
        let (_, synced) = line.split_once("fsync(").unzip();
        let path = made.and_then(|rest| rest.split('"').next());
        let of_fd = synced.and_then(|rest| rest.split(['<', '>']).nth(1));
        let path = path.or(of_fd)?;
        Some((made.is_some(), PathBuf::from(path)))
    };
    trace.lines().filter_map(call).collect()
}

/// The name of a data folder that a killed process has made was never made durable.
#[tokio::test]
async fn a_data_folders_name_is_made_durable_by_every_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (parent, trace) = (folder.path().join("a"), folder.path().join("trace"));
    let data = parent.join("b");
    let options = ["-y", "-o", trace.to_str().expect("UTF-8"), "-e", "trace=mkdir,fsync"];
    for start in ["a new folder", "one that is there"] {
        let server = Server::start_traced(&data, &options, &[]).expect("it starts");
        server.kill();
        let calls = calls(&fs::read_to_string(&trace).expect("strace wrote it"));
        let (made, synced): (Vec<_>, Vec<_>) = calls.into_iter().partition(|(is_made, _)| *is_made);
        assert_eq!(made.len(), if start == "a new folder" { 2 } else { 0 }, "{start}: {made:?}");
        let is_synced = |path: &Path| synced.iter().any(|(_, synced)| synced == path);
        assert!(is_synced(&parent) && is_synced(&data), "{start}: {synced:?}");
    }
}
