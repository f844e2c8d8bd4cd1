//! The harness of the end-to-end tests: the real program in a process of its own.
//!
//! A server listens on a free loopback port and tells it in its first line; waiting for that line
//! is the only synchronisation. Every process is ended when its handle is dropped.

pub mod ledger;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use rankd_client::Client;
use rustix::process::{Pid, Signal, kill_process};

/// What every server of a test logs to standard error, so that a failed test shows it.
const LOG_LEVEL: &str = "warn";

/// The program under test: the one that was built together with this test.
///
/// # Panics
/// If it was not built.
#[must_use]
pub fn rankd() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test.parent().and_then(Path::parent).expect("tests are in PROFILE/deps");
    let rankd = profile.join("rankd");
    assert!(rankd.is_file(), "{} is missing: cargo build -p rankd", rankd.display());
    rankd
}

/// The top folder of the project.
#[must_use]
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

/// A command of the program, free of settings from outside.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(rankd());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RANKD_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("rankd can be started")
}

/// Standard output of a run that must succeed.
///
/// # Panics
/// If it fails; with everything that it said.
#[must_use]
pub fn run_ok(arguments: &[&str]) -> String {
    let output = run(arguments);
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{arguments:?}: {}\n{out}\n{err}", output.status);
    out
}

/// What a run said, on standard output and on standard error.
#[must_use]
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// The program itself, or the tracer that runs it.
    child: Child,
    /// Of the program.
    pid: u32,
    /// `http://127.0.0.1:PORT`, or with `https`, without a slash at the end.
    pub url: String,
    /// Kept open, or the server would meet a closed pipe.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Serves the data in `folder`.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        Self::start_with("serve", folder, &[])
    }

    /// Runs `verb` (`serve` or `demo`) with more arguments, until it says that it is ready.
    ///
    /// # Panics
    /// If it ends before that.
    #[must_use]
    pub fn start_with(verb: &str, folder: &Path, more: &[&str]) -> Self {
        Self::from_command(serve_command(verb, folder, more))
    }

    /// Runs a command that serves, until it says that it is ready.
    ///
    /// # Panics
    /// If it ends before that.
    #[must_use]
    pub fn from_command(mut served: Command) -> Self {
        let child = served.stdout(Stdio::piped()).spawn();
        let child = child.expect("rankd can be started");
        let pid = child.id();
        let ready = Self::until_ready(child, |_| pid);
        let ready = ready.map_err(|said| format!("it ended before it was ready and said: {said}"));
        ready.expect("rankd can be started")
    }

    /// Serves the data in `folder` under `strace` with these options. `None`: it ended before it
    /// was ready.
    ///
    /// # Panics
    /// If `strace` cannot be started.
    #[must_use]
    pub fn start_traced(folder: &Path, options: &[&str], more: &[&str]) -> Option<Self> {
        let served = serve_command("serve", folder, more);
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq"]).args(options).arg("--");
        traced.arg(served.get_program()).args(served.get_args());
        for (name, value) in served.get_envs() {
            match value {
                Some(value) => traced.env(name, value),
                None => traced.env_remove(name),
            };
        }
        traced.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = traced.spawn().expect("strace is there (Debian: apt-get install strace)");
        Self::until_ready(child, |_| owner(folder).expect("a ready server has the lock")).ok()
    }

    /// Waits for the line with the server's address. `Err`: what it said instead.
    fn until_ready(mut child: Child, pid: impl FnOnce(&Child) -> u32) -> Result<Self, String> {
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let length = stdout.read_line(&mut line).expect("the server speaks UTF-8");
            if length == 0 {
                child.wait().expect("it is our child");
                return Err(said);
            }
            said.push_str(&line);
            if let Some(url) = url_in(&line) {
                let pid = pid(&child);
                return Ok(Self { child, pid, url, _stdout: stdout });
            }
        }
    }

    /// A client of this server.
    ///
    /// # Panics
    /// Never: the server's own URL is a good one.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url).expect("the server's own URL")
    }

    /// Ends the process as a power cut would: at once, without a word (`kill -9`).
    ///
    /// # Panics
    /// If it had ended by itself before.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        let status = self.child.wait().expect("it is our child");
        // A tracer ends as what it traces does.
        assert!(status.code().is_none(), "it ended by itself before: {status}");
    }

    /// Asks the process to end, and waits until it has.
    ///
    /// # Panics
    /// If it is gone already.
    #[must_use]
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.wait().expect("it is our child")
    }

    fn signal(&self, signal: Signal) {
        kill_process(process(self.pid), signal).expect("the server still runs");
    }

    /// Waits until the process has ended by itself, or by what a tracer does to it.
    ///
    /// # Panics
    /// Never: it is a child of this process.
    pub fn wait(mut self) {
        self.child.wait().expect("it is our child");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // All fail if the process has ended, which is what is wanted. A tracer that is killed would
        // leave what it traces alone, and ends by itself after it.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = kill_process(process(self.pid), Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// The command that serves `folder`.
#[must_use]
pub fn serve_command(verb: &str, folder: &Path, more: &[&str]) -> Command {
    let folder = folder.to_str().expect("a test's folder is UTF-8");
    let mut arguments = vec![verb, "--data", folder, "--http", "127.0.0.1:0"];
    arguments.extend(["--log-level", LOG_LEVEL]);
    arguments.extend(more);
    command(&arguments)
}

/// The process that holds a data folder's lock, or held it last.
#[must_use]
pub fn owner(folder: &Path) -> Option<u32> {
    std::fs::read_to_string(folder.join("LOCK")).ok()?.parse().ok()
}

fn process(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id")
}

/// The server's address in a line of its output, if it has one.
fn url_in(line: &str) -> Option<String> {
    let start = line.find("http://127.0.0.1:").or_else(|| line.find("https://127.0.0.1:"))?;
    let url = line[start..].split_whitespace().next()?;
    Some(url.trim_end_matches('/').to_owned())
}
