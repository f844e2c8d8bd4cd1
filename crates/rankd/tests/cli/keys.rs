//! Board keys from the command line to the running server, and what SIGHUP changes.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::host::{Done, rankd, run};

/// A server in memory whose log is read.
struct Logged {
    child: Child,
    log: BufReader<ChildStderr>,
    url: String,
}

impl Logged {
    fn start(flags: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--store", "memory", "--http", "127.0.0.1:0"];
        arguments.extend_from_slice(flags);
        let mut command = rankd(&arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("UTF-8");
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        let url = line.split_whitespace().find(|word| word.starts_with("http")).expect("a URL");
        Self { child, log, url: url.trim_end_matches('/').to_owned() }
    }

    /// Sends SIGHUP and returns the next line of the log that speaks of reloading.
    fn reload(&mut self) -> String {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), Signal::HUP).expect("it runs");
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).expect("UTF-8") > 0, "it ended");
            if line.contains("reloaded") {
                return line;
            }
        }
    }

    fn top(&self, key: &str) -> Done {
        let mut top = rankd(&["top", "eu:b", "--server", &self.url]);
        if !key.is_empty() {
            top.env("RANKD_API_KEY", key);
        }
        Done::of(top.output().expect("the binary runs"))
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        // Fails if it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key: the lines for the file, and the secret.
fn key(flags: &[&str]) -> (String, String) {
    let mut arguments = vec!["key"];
    arguments.extend_from_slice(flags);
    let done = run(&arguments);
    let secret = done.err.lines().find(|line| line.starts_with("rkey_")).expect("a secret");
    let secret = secret.to_owned();
    let lines = done.ok();
    assert!(!lines.contains(&secret) && lines.starts_with("[[key]]\n"), "{lines}");
    (lines, secret)
}

#[test]
fn a_key_opens_its_boards_until_the_file_lacks_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let (lines, secret) = key(&["--id", "eu", "--scopes", "read,write", "--boards", "eu:"]);
    assert!(lines.contains("id = \"eu\"\n") && lines.contains("boards = [\"eu:\"]\n"), "{lines}");
    std::fs::write(&path, &lines).unwrap();
    let mut server = Logged::start(&["--keys", path.to_str().unwrap()]);
    let missing = server.top(&secret).fails_with(1);
    assert!(missing.contains("there is no board \"eu:b\""), "{missing}");
    let keyless = server.top("").fails_with(1);
    assert!(keyless.contains("Authorization is missing"), "{keyless}");

    std::fs::write(&path, "[[key]]\n").unwrap();
    let line = server.reload();
    assert!(line.contains("not reloaded") && line.contains("missing field"), "{line}");
    assert!(server.top(&secret).fails_with(1).contains("there is no board"));

    let (other, other_secret) = key(&["--scopes", "read"]);
    std::fs::write(&path, other).unwrap();
    let line = server.reload();
    assert!(line.contains("reloaded: keys, certificate and limits"), "{line}");
    assert!(server.top(&secret).fails_with(1).contains("unknown"));
    assert!(server.top(&other_secret).fails_with(1).contains("there is no board"));
}

#[test]
fn limits_of_the_config_file_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rankd.toml");
    std::fs::write(&path, "slow_ms = 5\n").unwrap();
    let mut server = Logged::start(&["--config", path.to_str().unwrap()]);
    std::fs::write(&path, "slow_ms = 'soon'\n").unwrap();
    let line = server.reload();
    assert!(line.contains("not reloaded") && line.contains("key `slow_ms`"), "{line}");
    std::fs::write(&path, "connections_max = 7\n").unwrap();
    assert!(server.reload().contains("reloaded: keys"));
}

#[test]
fn what_cannot_be_a_key_ends_with_2() {
    assert!(run(&["key"]).fails_with(2).contains("--scopes"));
    assert!(run(&["key", "--scopes", "root"]).fails_with(2).contains("root"));
    let long = "x".repeat(513);
    let error = run(&["key", "--scopes", "read", "--boards", &long]).fails_with(2);
    assert!(error.contains("a prefix has 1 to 512 bytes"), "{error}");
    let error = run(&["key", "--scopes", "read", "--id", ""]).fails_with(2);
    assert!(error.contains("an id has 1 to 64"), "{error}");
}

#[test]
fn files_that_cannot_be_used_end_with_2_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    let error = run(&["serve", "--store", "memory", "--keys", missing]).fails_with(2);
    assert!(error.contains(&format!("cannot read the keys in {missing}")), "{error}");
    let tls = ["serve", "--store", "memory", "--tls-cert", missing, "--tls-key", missing];
    let error = run(&tls).fails_with(2);
    assert!(error.contains(&format!("the TLS file {missing}: No such file")), "{error}");
    let error = run(&["serve", "--store", "memory", "--tls-cert", missing]).fails_with(2);
    assert!(error.contains("belong together"), "{error}");
}

#[test]
fn the_redis_protocol_is_no_way_around_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    std::fs::write(&path, "").unwrap();
    let keys = path.to_str().unwrap();
    let serve = ["serve", "--store", "memory", "--http", "127.0.0.1:0", "--keys", keys];
    let error = run(&[&serve[..], &["--resp", "127.0.0.1:0"]].concat()).fails_with(2);
    assert!(error.contains("resp_password"), "{error}");
}
