//! `cargo xtask openapi`: a property-based client against the real program.
//!
//! What it is: a server in memory, and schemathesis, which makes requests from the server's own
//! OpenAPI document, legal ones and others, and holds the answers against it. What it is not: a
//! part of `cargo xtask test`, which compares document and routes in both directions. Invariant: an
//! answer 5xx (but 501 and 503, which the document has), an undocumented status, media type or
//! shape, or too few requests fail the task. Cost: a build, and some minutes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::command;

/// The client, at the version whose flags these are.
const PACKAGE: &str = "schemathesis==4.32.5";
/// What is checked of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// The operator's key of that server, so that every call is let in.
const OPERATOR: &str = "the-operator-of-this-test";

/// A server that is ended with this.
struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended already, which the requests have found out.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has schemathesis make `examples` requests an operation and more; at least `requests` of them
/// must have been answered in the end.
///
/// # Errors
/// The program does not build or serve, the client is missing and cannot be installed, an answer is
/// not what the document says, or there were too few.
pub(crate) fn run(root: &Path, examples: u32, requests: u64) -> Result<()> {
    install()?;
    command::run(&mut command::cargo(root, &["build", "--package", "rankd"]))?;
    let server = Server::start(&program(root)?)?;
    let url = format!("http://{}", server.address);
    let mut client = Command::new("schemathesis");
    client.args(["run", &format!("{url}/openapi.json"), "--url", &url]);
    client.args(["--checks", CHECKS, "--max-examples", &examples.to_string()]);
    client.args(["--header", &format!("Authorization: Bearer {OPERATOR}")]);
    client.args(["--mode", "all", "--seed", "1", "--continue-on-failure", "--no-color"]);
    let found = command::run(&mut client);
    let answered = server.answered()?;
    println!("openapi: {answered} requests answered");
    found?;
    if answered < requests {
        bail!("openapi: {answered} requests are fewer than {requests}");
    }
    Ok(())
}

fn install() -> Result<()> {
    let mut look = Command::new("python3");
    if command::output(look.args(["-c", "import schemathesis"])).is_ok() {
        return Ok(());
    }
    let mut install = Command::new("python3");
    install.args(["-m", "pip", "install", "--quiet", "--break-system-packages", PACKAGE]);
    command::run(&mut install).with_context(|| format!("this needs the Python package {PACKAGE}"))
}

/// The program that was built.
fn program(root: &Path) -> Result<PathBuf> {
    let metadata = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata = command::output(&mut command::cargo(root, &metadata))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).context("cargo metadata is not JSON")?;
    let folder = metadata["target_directory"].as_str().context("cargo names no target folder")?;
    Ok(Path::new(folder).join("debug/rankd"))
}

impl Server {
    fn start(program: &Path) -> Result<Self> {
        let mut serve = Command::new(program);
        serve.args(["serve", "--store", "memory", "--http", "127.0.0.1:0", "--log-level", "error"]);
        let mut child = serve
            .env("RANKD_ADMIN_KEY", OPERATOR)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("it is piped")?;
        let mut server = Self { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("the server speaks UTF-8")?;
        let (_, rest) =
            line.split_once("http://").context("the server ended before it was ready")?;
        server.address = rest.split('/').next().unwrap_or_default().to_owned();
        Ok(server)
    }

    /// How many requests it has answered, by its own count.
    fn answered(&self) -> Result<u64> {
        let mut stream = TcpStream::connect(&self.address).context("the server is gone")?;
        write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").context("the server is gone")?;
        let mut page = String::new();
        stream.read_to_string(&mut page).context("the server is gone")?;
        Ok(sum(&page, "rankd_http_requests_total"))
    }
}

/// The sum over all labels of a counter.
fn sum(page: &str, counter: &str) -> u64 {
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(counter)?.strip_prefix('{')?;
        rest.rsplit(' ').next()?.parse::<u64>().ok()
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn counters_are_summed_over_their_labels() {
        let page = "# TYPE a counter\na_total{x=\"{y} z\"} 3\na_total{x=\"q\"} 4\na_total_b{} 9\n";
        assert_eq!(sum(page, "a_total"), 7);
        assert_eq!(sum("", "a_total"), 0);
    }
}
