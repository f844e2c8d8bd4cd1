//! The binary as a command, and as a server that is waited for by what it prints.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The binary, with nothing of this environment that could be a setting.
pub(crate) fn rankd(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rankd"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RANKD_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Done {
    Done::of(rankd(arguments).output().expect("the binary runs"))
}

/// Runs the binary with this standard input.
pub(crate) fn run_with(arguments: &[&str], input: &str) -> Done {
    let mut command = rankd(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("the binary reads");
    drop(stdin);
    Done::of(child.wait_with_output().expect("the binary ends"))
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Standard output of a run that succeeded.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// Standard error of a run that ended with `code`, and that no panic ended.
    pub(crate) fn fails_with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}

/// A server on a free port; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it has printed so far.
    pub(crate) printed: String,
    /// Without a slash at the end.
    pub(crate) url: String,
}

impl Server {
    /// Starts `rankd COMMAND --data FOLDER` and waits until it says that it is ready.
    pub(crate) fn start(command: &str, folder: &Path, flags: &[&str]) -> Self {
        let folder = folder.to_str().expect("UTF-8");
        let mut arguments = vec![command, "--http", "127.0.0.1:0", "--data", folder];
        arguments.extend_from_slice(flags);
        let mut child = rankd(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut printed = String::new();
        while !printed.contains("rankd is ready: ") {
            let read = stdout.read_line(&mut printed).expect("the binary prints");
            assert!(read > 0, "it ended before it was ready: {printed}");
        }
        let (_, rest) = printed.split_once("rankd is ready: ").expect("checked above");
        let url = rest.split_whitespace().next().expect("a URL").trim_end_matches('/').to_owned();
        Self { child, stdout, printed, url }
    }

    /// Everything that is printed up to the line with this text.
    pub(crate) fn printed_up_to(&mut self, text: &str) -> &str {
        while !self.printed.contains(text) {
            let read = self.stdout.read_line(&mut self.printed).expect("the binary prints");
            assert!(read > 0, "it ended before it printed `{text}`: {}", self.printed);
        }
        &self.printed
    }

    /// Sends a signal and waits for the end; the exit code.
    pub(crate) fn stop(mut self, signal: rustix::process::Signal) -> Option<i32> {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.expect("a process id"), signal).expect("it runs");
        let mut rest = String::new();
        while self.stdout.read_line(&mut rest).is_ok_and(|read| read > 0) {}
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
