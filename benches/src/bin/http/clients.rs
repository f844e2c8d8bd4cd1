//! The two clients: `rankd bench`, and wrk beside it so that neither is believed alone.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use rankd_benches::servers::{CLIENT_CORE, on_core};
use serde_json::Value;

use crate::cases::{BOARD, Case};

/// Connections of each client.
const CONNECTIONS: &str = "64";

/// What wrk runs: ten thousand requests made up front, so that making them costs nothing later.
const SCRIPT: &str = r#"
local method, path, body, host = "METHOD", "PATH", "BODY", "HOST"
local members, pipeline = MEMBERS, PIPELINE
local requests = {}
local at = 0
function init(args)
  math.randomseed(1)
  for i = 1, 10000 do
    local parts = {}
    for j = 1, pipeline do
      local member = string.format("user:%07d", math.random(0, members - 1))
      local length = body == "" and "" or ("content-length: " .. #body .. "\r\n")
      parts[j] = method .. " " .. path:gsub("{member}", member) .. " HTTP/1.1\r\nhost: " .. host
        .. "\r\n" .. length .. "\r\n" .. body
    end
    requests[i] = table.concat(parts)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"#;

/// What is asked, and where.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) url: String,
    pub(crate) case: Case,
    /// A path instead of rankd's own.
    pub(crate) path: Option<String>,
    pub(crate) pipeline: usize,
}

/// One measurement by `rankd bench`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) requests_per_s: f64,
    pub(crate) cpu_us_per_request: f64,
    pub(crate) p99_us: f64,
}

/// How the clients run.
pub(crate) struct Client {
    pub(crate) rankd: PathBuf,
    pub(crate) script: PathBuf,
    pub(crate) members: u64,
    pub(crate) seconds: u64,
    pub(crate) pinned: bool,
}

impl Client {
    /// A command on the clients' core.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        on_core(self.pinned.then_some(CLIENT_CORE), program)
    }

    pub(crate) fn bench(&self, question: &Question) -> Result<Measured> {
        let mut command = self.command(&self.rankd);
        command.args(["bench", &question.url, "--json", "--warmup", "300ms", "--duration"]);
        command.arg(format!("{}s", self.seconds));
        command.args(["--connections", CONNECTIONS, "--threads", "1", "--board", BOARD]);
        command.args(["--pipeline", &question.pipeline.to_string()]);
        command.args(["--members", &self.members.to_string()]);
        command.args(["--mix", question.case.mix(), "--no-fill"]);
        if let Some(path) = &question.path {
            command.args(["--path", path]);
        }
        let output = command.output().context("cannot run rankd bench")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "rankd bench: {complaint}");
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let report = &report["reports"][0];
        ensure!(report["errors"] == 0, "{} has errors: {report}", question.url);
        let number = |value: &Value| value.as_f64().context("a figure is missing");
        Ok(Measured {
            requests_per_s: number(&report["requests_per_s"])?,
            cpu_us_per_request: number(&report["server"]["cpu_us_per_request"])?,
            p99_us: number(&report["latency"]["p99_us"])?,
        })
    }

    /// Requests a second.
    pub(crate) fn wrk(&self, question: &Question) -> Result<f64> {
        let (method, path, body) = question.case.example();
        let (method, path, body) = match &question.path {
            Some(path) => ("GET", path.clone(), ""),
            None => (method, path.replace("user:0123456", "{member}"), body),
        };
        let script = SCRIPT
            .replace("METHOD", method)
            .replace("PATH", &path)
            .replace("BODY", &body.replace('"', "\\\""))
            .replace("MEMBERS", &self.members.to_string())
            .replace("PIPELINE", &question.pipeline.to_string())
            .replace("HOST", question.url.trim_start_matches("http://"));
        std::fs::write(&self.script, script)?;
        let mut command = self.command("wrk");
        command.args(["-t", "1", "-c", CONNECTIONS, "-d", &format!("{}s", self.seconds), "-s"]);
        command.arg(&self.script).arg(&question.url);
        let output = command.output().context("cannot run wrk; install it: apt-get install wrk")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(!text.contains("Non-2xx"), "{} has errors: {text}", question.url);
        let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        rate.context("wrk tells no rate")?.trim().parse().context("wrk's rate is none")
    }
}
