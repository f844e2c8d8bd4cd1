//! Goal: two processes on one Redis or Valkey server are one store: what is written over HTTP to
//! one is read from the other, and when the server is gone both serve what they have and say so.
//! Method: the real program, twice, on a server of the test's own; tokens as a client shows them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use rankd_e2e::{Server, command, run, run_ok, texts};

#[expect(dead_code, reason = "the store's own tests use the rest")]
#[path = "../../crates/rankd-redis/tests/support/mod.rs"]
mod support;

use support::{Program, Server as Redis, free_port, pause};

/// Starts a node on the Redis server.
fn node(redis: &Redis, folder: &Path) -> Server {
    let store = format!("{}?partitions=4&timeout_ms=1000&staleness_ms=1000", redis.url());
    Server::start_with("serve", folder, &["--store", &store])
}

/// Status, headers in lower case, and body of an answer.
struct Answer {
    status: u16,
    head: String,
    text: String,
    body: serde_json::Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// One request on a connection of its own.
fn ask(node: &Server, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
    let address = node.url.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).expect("the node listens");
    let token = token.map(|token| format!("Rankd-Token: {token}\r\n")).unwrap_or_default();
    let content = match body {
        "" => String::new(),
        _ => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
    };
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    write!(stream, "{head}{token}{content}\r\n{body}").expect("sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("an answer");
    let (head, body) = said.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer {
        status: status.expect("a status"),
        head: head.to_ascii_lowercase(),
        text: body.to_owned(),
        body: serde_json::from_str(body).unwrap_or_default(),
    }
}

fn write(node: &Server, member: &str, score: i64) -> Answer {
    let body = format!("{{\"score\": {score}}}");
    ask(node, "PUT", &format!("/v1/boards/weekly/members/{member}"), None, &body)
}

fn read(node: &Server, member: &str, token: Option<&str>) -> Answer {
    ask(node, "GET", &format!("/v1/boards/weekly/members/{member}"), token, "")
}

fn two_nodes_are_one_store(program: Program) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut redis = Redis::start(program, &["--appendonly", "yes", "--appendfsync", "always"]);
    let (a, b) = (node(&redis, &folder.path().join("a")), node(&redis, &folder.path().join("b")));
    for (number, score) in [(0, 10), (1, 30), (2, 20)] {
        let (from, to) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let member = format!("m{number}");
        let written = write(from, &member, score);
        assert_eq!(written.status, 200, "{}", written.body);
        let token = written.header("rankd-token").expect("a token");
        let seen = read(to, &member, Some(token));
        assert_eq!((seen.status, &seen.body["score"]), (200, &score.into()), "{}", seen.body);
        assert_eq!(seen.body["rank"], written.body["rank"]);
    }
    // Anybody can read the sorted set.
    let scores: Vec<String> = (0..4)
        .flat_map(|partition| {
            let mut command = redis::cmd("ZRANGE");
            command.arg(format!("{{rankd:{partition:02}}}:z:weekly")).arg(&["0", "-1"]);
            command.query::<Vec<String>>(&mut redis.connection()).expect("an answer")
        })
        .collect();
    assert_eq!(scores, ["m0", "m2", "m1"]);
    assert_eq!(read(&a, "m0", Some("nonsense")).status, 400);

    redis.kill();
    let refused = until(&a, |node| write(node, "m0", 99), |answer| answer.status != 200);
    assert_eq!(refused.status, 503, "{}", refused.body);
    let stale = until(
        &b,
        |node| read(node, "m1", None),
        |answer| answer.header("rankd-stale-ms").is_some(),
    );
    assert_eq!((stale.status, &stale.body["score"]), (200, &30.into()), "the past is served");
    until(&b, |node| ask(node, "GET", "/readyz", None, ""), |answer| answer.status == 503);

    redis.restart();
    let written = until(&a, |node| write(node, "m0", 40), |answer| answer.status == 200);
    let token = written.header("rankd-token").expect("a token");
    let seen = until(&b, |node| read(node, "m0", Some(token)), |answer| answer.status == 200);
    assert_eq!((&seen.body["score"], &seen.body["rank"]), (&40.into(), &1.into()));
    assert!(run_ok(&["redis", "missing", &format!("{}?partitions=4", redis.url())]).contains('0'));
    assert!(a.stop().success() && b.stop().success());
}

/// Asks until the answer is as wanted.
fn until(
    node: &Server,
    question: impl Fn(&Server) -> Answer,
    is_wanted: impl Fn(&Answer) -> bool,
) -> Answer {
    let begun = std::time::Instant::now();
    loop {
        let answer = question(node);
        if is_wanted(&answer) {
            return answer;
        }
        assert!(begun.elapsed().as_secs() < 15, "{}: {}", answer.status, answer.body);
        pause(20);
    }
}

#[test]
fn two_nodes_on_one_redis_are_one_store() {
    two_nodes_are_one_store(Program::Redis);
}

#[test]
fn two_nodes_on_one_valkey_are_one_store() {
    two_nodes_are_one_store(Program::Valkey);
}

/// The value of a counter on the metrics page.
fn counter(node: &Server, name: &str) -> u64 {
    let text = ask(node, "GET", "/metrics", None, "").text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).expect("a counter")
}

#[test]
fn a_node_that_starts_again_goes_on_where_its_copy_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut redis = Redis::start(Program::Redis, &[]);
    let (a_folder, b_folder) = (folder.path().join("a"), folder.path().join("b"));
    let (a, b) = (node(&redis, &a_folder), node(&redis, &b_folder));
    assert_eq!(counter(&a, "rankd_redis_scans_total"), 4);
    for number in 0..50 {
        assert_eq!(write(&a, &format!("m{number}"), number).status, 200);
    }
    assert!(a.stop().success());
    // What goes on meanwhile is not in the copy.
    assert_eq!(write(&b, "m7", 1_000).status, 200);
    let deleted = ask(&b, "DELETE", "/v1/boards/weekly/members/m8", None, "");
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    let a = node(&redis, &a_folder);
    assert_eq!(counter(&a, "rankd_redis_scans_total"), 0, "nothing is read as a whole");
    assert_eq!(counter(&a, "rankd_redis_resumes_total"), 4);
    let seen = read(&a, "m7", None).body;
    assert_eq!((&seen["score"], &seen["rank"]), (&1_000.into(), &1.into()));
    assert_eq!(read(&a, "m8", None).status, 404);
    let top = |node: &Server| ask(node, "GET", "/v1/boards/weekly/top?limit=100", None, "").body;
    assert_eq!(top(&a), top(&b));
    assert!(a.stop().success());

    // A copy of what Redis has lost is no reason to begin anew while others still have it.
    redis.kill();
    redis.restart();
    let store = format!("{}?partitions=4", redis.url());
    let data = a_folder.display().to_string();
    let refused = run(&["serve", "--data", &data, "--http", "127.0.0.1:0", "--store", &store]);
    let (_, err) = texts(&refused);
    assert_eq!(refused.status.code(), Some(1), "{err}");
    assert!(err.contains("Redis has no store"), "{err}");
    until(&b, |node| ask(node, "GET", "/readyz", None, ""), |answer| answer.status == 503);
    let _ = run_ok(&["redis", "reseed", &store]);
    until(&b, |node| ask(node, "GET", "/readyz", None, ""), |answer| answer.status == 200);
    let a = node(&redis, &a_folder);
    assert_eq!(top(&a), top(&b));
    assert_eq!(read(&a, "m7", None).body["score"], 1_000);
}

/// Runs `openssl` in a folder.
fn openssl(folder: &Path, arguments: &str) {
    let mut openssl = Command::new("openssl");
    let output = openssl.current_dir(folder).args(arguments.split(' ')).output();
    let output = output.expect("openssl is there (Debian: apt-get install openssl)");
    let (_, err) = texts(&output);
    assert!(output.status.success(), "{arguments}: {err}");
}

/// An authority in `ca.pem`, and a server's key and certificate that it signed.
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca"));
    openssl(folder, &format!("req {key} -keyout key.pem -out request.pem -subj /CN=localhost"));
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost").expect("a file");
    let signed = "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2";
    openssl(folder, &format!("{signed} -extfile names -out cert.pem"));
}

#[test]
fn a_node_speaks_tls_as_a_user_with_no_more_rights_than_it_needs() {
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (port, cert, key, ca) = (free_port(), file("cert.pem"), file("key.pem"), file("ca.pem"));
    let rights = "+@read +@write +@scripting +@connection +info +role +wait";
    let mut arguments = vec!["--tls-port".to_owned(), port.to_string()];
    for (flag, value) in [("cert", &cert), ("key", &key), ("ca-cert", &ca)] {
        arguments.extend([format!("--tls-{flag}-file"), value.clone()]);
    }
    arguments
        .extend(["--tls-auth-clients", "no", "--user", "ann", "on", ">secret"].map(Into::into));
    arguments.push("~{rankd:*".to_owned());
    arguments.extend(rights.split(' ').map(Into::into));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let redis = Redis::start(Program::Redis, &arguments);
    let store = format!("rediss://ann:secret@localhost:{port}?partitions=4");
    let served = |ca: Option<&str>, store: &str| {
        let data = folder.path().join("data").display().to_string();
        let mut serve = command(&["serve", "--data", &data, "--http", "127.0.0.1:0"]);
        serve.env("RANKD_STORE", store);
        if let Some(ca) = ca {
            serve.env("SSL_CERT_FILE", ca);
        }
        serve
    };
    let node = Server::from_command(served(Some(&ca), &store));
    assert_eq!(write(&node, "ada", 7).status, 200);
    assert_eq!(read(&node, "ada", None).body["score"], 7);
    // Without the authority, and with another password, it does not start, and tells no secret.
    let wrong = store.replace("secret", "other");
    for (ca, store) in [(None, &store), (Some(&*ca), &wrong)] {
        let output = served(ca, store).output().expect("rankd can be started");
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        assert!(!err.contains("secret") && !err.contains("other"), "{err}");
    }
    drop(redis);
}
