//! Measures the Redis store on servers of its own: `cargo xtask bench redis`. Its arguments are the
//! number of partitions, and `writes` or `cluster` if only one of the two parts is wanted.
//!
//! Three nodes in this process. On one server, over TCP: writes a second by one node with many
//! writes under way, each for itself and in batches of 256, beside one `ZADD` round trip after the
//! other, with the processor time of the server and of this process. On a cluster of six servers:
//! 5 000 writes a second over the three nodes, and how long another node takes to have each of
//! them; then reads a second of one thread a node, on one, two and three nodes, and what Redis has
//! to do for them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rankd_engine::{Batch, Intent, RankStyle, Score, State, Storage as _};
use rankd_redis::{RedisOptions, RedisStore};

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;

use support::cluster::Cluster;

/// Writes in each of the first two runs.
const WRITES: usize = 200_000;
/// Writes under way at one time in the first run.
const UNDER_WAY: usize = 2_000;
/// Writes a second in the third run, and for how long.
const RATE: u64 = 5_000;
const SECONDS: u64 = 10;
/// How long each number of nodes is read from.
const READ_SECONDS: u64 = 3;
/// Boards and members of the second part.
const BOARDS: usize = 500;

/// A node, and what it reads from.
struct Node {
    store: Arc<RedisStore>,
    state: Arc<State>,
}

fn node(url: &str) -> Node {
    let options = RedisOptions::parse(url).expect("a URL");
    let state = State::new();
    let store = Arc::new(RedisStore::open(options, Arc::clone(&state)).expect("the store opens"));
    Node { store, state }
}

fn write(number: usize, board: String) -> Batch {
    let member = format!("member {}", number % 100_000).into_bytes().into();
    let score = Score::Integer(i64::try_from(number).expect("small"));
    let board = board.into_bytes().into();
    let write = Intent::Write { board, member, score, operator: None, at_ms: None };
    Batch::new(vec![write], 1_700_000_000_000)
}

fn zadd_round_trips(url: &str) -> f64 {
    let client = redis::Client::open(url).expect("a URL");
    let mut connection = client.get_connection().expect("a connection");
    let begun = Instant::now();
    for number in 0..WRITES {
        let mut command = redis::cmd("ZADD");
        command.arg("plain").arg(number).arg(format!("member {}", number % 100_000));
        command.exec(&mut connection).expect("added");
    }
    rate(begun)
}

async fn batched(node: &Node) -> f64 {
    let begun = Instant::now();
    let mut tasks = Vec::with_capacity(UNDER_WAY);
    for task in 0..UNDER_WAY {
        let node = Arc::clone(&node.store);
        tasks.push(tokio::spawn(async move {
            for number in (task..WRITES).step_by(UNDER_WAY) {
                node.submit(write(number, "one board".to_owned())).await.expect("written");
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    rate(begun)
}

/// Batches of as many writes as one call takes, a few under way.
async fn in_batches(node: &Node) -> f64 {
    const EACH: usize = 256;
    const TOGETHER: usize = 8;
    let begun = Instant::now();
    let mut tasks = Vec::with_capacity(TOGETHER);
    for task in 0..TOGETHER {
        let node = Arc::clone(&node.store);
        tasks.push(tokio::spawn(async move {
            for first in (task * EACH..WRITES).step_by(TOGETHER * EACH) {
                let end = WRITES.min(first + EACH);
                let each = (first..end).map(|number| write(number, "one board".to_owned()));
                let intents = each.flat_map(|batch| batch.intents).collect();
                node.submit(Batch::new(intents, 1_700_000_000_000)).await.expect("written");
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    rate(begun)
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn rate(begun: Instant) -> f64 {
    WRITES as f64 / begun.elapsed().as_secs_f64()
}

/// Times of the write, and from its answer until another node has it.
async fn steady(nodes: &[Node]) -> (Vec<Duration>, Vec<Duration>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let mut tasks = Vec::new();
    for number in 0..usize::try_from(RATE * SECONDS).expect("small") {
        if number % usize::try_from(RATE / 1_000).expect("small") == 0 {
            ticks.tick().await;
        }
        let writer = Arc::clone(&nodes[number % nodes.len()].store);
        let reader = Arc::clone(&nodes[(number + 1) % nodes.len()].store);
        tasks.push(tokio::spawn(async move {
            let begun = Instant::now();
            let board = format!("board {}", number % BOARDS);
            let receipt = writer.submit(write(number, board)).await.expect("written");
            let written = begun.elapsed();
            let token = writer.token(receipt.sequence).expect("a token");
            let answered = Instant::now();
            reader.reached(&token).await.expect("the other node has it");
            (written, answered.elapsed())
        }));
    }
    let mut times = (Vec::new(), Vec::new());
    for task in tasks {
        let (written, reached) = task.await.expect("no panic");
        times.0.push(written);
        times.1.push(reached);
    }
    times
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1_000];
    println!("{what}: p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
}

/// Ranks of members that were written, read by one thread a node.
fn reads(nodes: &[Node]) -> f64 {
    let until = Instant::now() + Duration::from_secs(READ_SECONDS);
    let counts = std::thread::scope(|scope| {
        let threads: Vec<_> = nodes
            .iter()
            .map(|node| {
                scope.spawn(move || {
                    let mut count = 0_usize;
                    while Instant::now() < until {
                        for _ in 0..100 {
                            let number = count * 7_919 % 50_000;
                            let name = format!("board {}", number % BOARDS);
                            let board = node.state.board(name.as_bytes()).expect("a board");
                            let member = format!("member {number}");
                            black_box(board.standing(member.as_bytes(), RankStyle::Ordinal));
                            count += 1;
                        }
                    }
                    count
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum::<usize>()
    });
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = counts as f64 / Duration::from_secs(READ_SECONDS).as_secs_f64();
    rate
}

/// Commands that all servers have carried out.
fn commands(cluster: &Cluster) -> u64 {
    let each = cluster.servers.iter().map(|server| {
        let info: String =
            redis::cmd("INFO").arg("stats").query(&mut server.connection()).expect("an answer");
        let mut lines = info.lines();
        let count = lines.find_map(|line| line.strip_prefix("total_commands_processed:"));
        count.and_then(|count| count.parse::<u64>().ok()).expect("a count")
    });
    each.sum()
}

/// Processor time of the server, in seconds.
fn server_seconds(server: &support::Server) -> f64 {
    let info: String =
        redis::cmd("INFO").arg("cpu").query(&mut server.connection()).expect("an answer");
    let of = |name: &str| {
        let value = info.lines().find_map(|line| line.strip_prefix(name));
        value.and_then(|value| value.trim().parse::<f64>().ok()).expect("a time")
    };
    of("used_cpu_user:") + of("used_cpu_sys:")
}

/// Processor time of this process, in seconds; 0 where there is no `/proc`.
fn own_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; user and system time are 11 fields behind it.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_A_SECOND
}

/// Carries out `WRITES` writes and tells how fast, and what each took of the processors.
fn timed(what: &str, server: &support::Server, writes: impl FnOnce() -> f64) -> f64 {
    let before = (server_seconds(server), own_seconds());
    let rate = writes();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = |seconds: f64| seconds * 1e6 / WRITES as f64;
    let (of_server, own) = (server_seconds(server) - before.0, own_seconds() - before.1);
    println!(
        "{what}: {rate:.0}/s; processor time a write: server {:.1} us, here {:.1} us",
        each(of_server),
        each(own)
    );
    rate
}

fn one_server(runtime: &tokio::runtime::Runtime, parameters: &str) {
    let port = support::free_port().to_string();
    let server = support::Server::start(support::Program::Redis, &["--port", &port]);
    let url = format!("redis://127.0.0.1:{port}");
    let one = node(&format!("{url}?{parameters}"));
    for _ in 0..3 {
        let plain = timed("ZADD round trips", &server, || zadd_round_trips(&url));
        let single = timed("writes", &server, || runtime.block_on(batched(&one)));
        let together =
            timed("writes in batches of 256", &server, || runtime.block_on(in_batches(&one)));
        println!("{:.1} and {:.1} times the round trips", single / plain, together / plain);
    }
}

fn main() {
    let partitions = std::env::args().nth(1).unwrap_or_else(|| "64".to_owned());
    let part = std::env::args().nth(2);
    let is_wanted = |name| part.as_deref().is_none_or(|part| part == name);
    let parameters = format!("partitions={partitions}&timeout_ms=10000");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    println!("{partitions} partitions, all nodes and servers on one machine");
    if is_wanted("writes") {
        one_server(&runtime, &parameters);
    }
    if is_wanted("cluster") {
        on_cluster(&runtime, &parameters);
    }
}

fn on_cluster(runtime: &tokio::runtime::Runtime, parameters: &str) {
    let cluster = Cluster::start(support::Program::Redis);
    let url = cluster.url(parameters);
    let nodes = [node(&url), node(&url), node(&url)];
    let (mut written, mut reached) = runtime.block_on(steady(&nodes));
    let mut both: Vec<_> = written.iter().zip(&reached).map(|(a, b)| *a + *b).collect();
    println!("a cluster of six servers, three nodes, {RATE} writes/s for {SECONDS} s");
    print("until the write is answered", &mut written);
    print("from then until another node has it", &mut reached);
    print("from sending it until another node has it", &mut both);
    for count in 1..=nodes.len() {
        let before = commands(&cluster);
        let rate = reads(&nodes[..count]);
        let asked = commands(&cluster) - before;
        println!("{count} nodes: {rate:.0} reads/s; Redis carried out {asked} commands meanwhile");
    }
}
