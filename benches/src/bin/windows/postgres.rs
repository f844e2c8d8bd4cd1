//! The same questions to PostgreSQL, on the same rows.
//!
//! What it is: a cluster of our own in a temporary folder, on a Unix socket; the schema and the
//! queries that one would write; `psql` as the client. What it is not: the machine's cluster, which
//! is left alone. Invariant: every answer is compared, row for row; a difference ends the run.

use std::io::{BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rankd_activity::{Counts, Ledger, Tally, Window};
use tempfile::TempDir;

use crate::data::{self, NOW_MS, Rng, Rows, START_MS, Shape, VACANCIES};
use crate::sums::{self, PAGE, WINDOW_DAYS, rolling};
use crate::timing::Times;

/// Questions of each sort to PostgreSQL, after one that is not counted.
const ROUNDS: usize = 3;
/// The same to the ledger, which answers sooner.
const OWN_ROUNDS: usize = 15;
const SETTINGS: [&str; 8] = [
    "shared_buffers=2GB",
    "effective_cache_size=6GB",
    "work_mem=512MB",
    "maintenance_work_mem=1GB",
    "random_page_cost=1.1",
    "max_wal_size=8GB",
    "fsync=off",
    "listen_addresses=''",
];

/// What was measured.
pub(crate) struct Findings {
    pub(crate) rows: u64,
    pub(crate) version: String,
    /// What was asked, the ledger's times, and PostgreSQL's.
    pub(crate) questions: Vec<(String, Times, Times)>,
    pub(crate) compared: usize,
}

/// Loads both and asks both.
pub(crate) fn compare(rows: u64, threads: NonZeroUsize) -> Result<Findings> {
    eprintln!("PostgreSQL, {rows} rows");
    let cluster = Cluster::start()?;
    cluster.load(rows)?;
    let (ledger, _) = sums::load(Shape::Referrals, rows);
    let version = cluster.query("SHOW server_version")?.0.trim().to_owned();
    let mut findings = Findings { rows, version, questions: Vec::new(), compared: 0 };
    let mut contest = Contest { cluster, ledger, threads, findings: &mut findings };
    for days in WINDOW_DAYS {
        contest.page(&format!("{days} days, first {PAGE}"), rolling(days, NOW_MS), None)?;
    }
    let mut rng = Rng::new(4);
    for number in 1..=3 {
        let (one, two) = (rng.within(START_MS, NOW_MS), rng.within(START_MS, NOW_MS));
        let window = Window { from_ms: one.min(two), until_ms: one.max(two) };
        contest.page(&format!("random range {number}, first {PAGE}"), window, None)?;
    }
    contest.page(
        &format!("365 days, 3 vacancies, first {PAGE}"),
        rolling(365, NOW_MS),
        Some(&[0, 5, 80]),
    )?;
    contest.rank("365 days, a user's rank", rolling(365, NOW_MS))?;
    contest.rank("3650 days, a user's rank", rolling(3_650, NOW_MS))?;
    Ok(findings)
}

struct Contest<'a> {
    cluster: Cluster,
    ledger: Ledger,
    threads: NonZeroUsize,
    findings: &'a mut Findings,
}

impl Contest<'_> {
    /// The first page of a window.
    fn page(&mut self, what: &str, window: Window, tags: Option<&[u32]>) -> Result<()> {
        let sql = format!("{} ORDER BY 2 DESC, 5, 1 LIMIT {PAGE}", sums_of(window, tags));
        let own = || {
            let view = match tags {
                None => self.ledger.window(sums::measure_of(Shape::Referrals), window),
                Some(tags) => self.ledger.tagged(window, tags),
            };
            view.standings(self.threads).tallies(0, PAGE)
        };
        let (own_times, expected) = timed(own);
        let (times, text) = self.cluster.timed(&sql)?;
        let tallies: Vec<Tally> = text.lines().map(tally).collect::<Result<_>>()?;
        ensure!(tallies == expected, "{what}: {sql}: {tallies:?} instead of {expected:?}");
        self.note(what, own_times, times, tallies.len());
        Ok(())
    }

    /// The rank of a user in the middle.
    fn rank(&mut self, what: &str, window: Window) -> Result<()> {
        let user = data::user_id(data::USERS / 1_000);
        let sql = format!(
            "SELECT place, score FROM (SELECT *, \
             rank() OVER (ORDER BY score DESC, last_ms, user_id) AS place \
             FROM ({}) sums) ranked WHERE user_id = {user}",
            sums_of(window, None)
        );
        let own = || {
            let view = self.ledger.window(sums::measure_of(Shape::Referrals), window);
            view.standings(self.threads).rank_of(user)
        };
        let (own_times, ranked) = timed(own);
        let (rank, tally) = ranked.context("the user is on no board")?;
        let (times, text) = self.cluster.timed(&sql)?;
        let expected = format!("{rank},{}", tally.score);
        ensure!(text.trim() == expected, "{what}: {sql}: {text:?} instead of {expected}");
        self.note(what, own_times, times, 1);
        Ok(())
    }

    fn note(&mut self, what: &str, own: Times, times: Times, compared: usize) {
        self.findings.questions.push((what.to_owned(), own, times));
        self.findings.compared += compared;
    }
}

fn timed<R>(ask: impl Fn() -> R) -> (Times, R) {
    let mut times = Times::new();
    let mut answer = ask();
    for _ in 0..OWN_ROUNDS {
        answer = times.of(&ask);
    }
    (times, answer)
}

/// Sums by user of a window.
fn sums_of(window: Window, tags: Option<&[u32]>) -> String {
    let filter = tags.map_or_else(String::new, |tags| {
        let tags: Vec<String> = tags.iter().map(u32::to_string).collect();
        format!(" AND vacancy_id IN ({})", tags.join(", "))
    });
    format!(
        "SELECT user_id, \
         3 * count(*) FILTER (WHERE action = 1) + count(*) FILTER (WHERE action = 2) AS score, \
         count(*) FILTER (WHERE action = 1) AS refer, \
         count(*) FILTER (WHERE action = 2) AS recommend, max(occurred_at) AS last_ms \
         FROM activities WHERE org_id = 1 AND occurred_at >= {} AND occurred_at < {}{filter} \
         GROUP BY user_id",
        window.from_ms, window.until_ms
    )
}

/// A row of a page, from CSV.
fn tally(line: &str) -> Result<Tally> {
    let fields: Vec<&str> = line.split(',').collect();
    let [user, score, refer, recommend, last_ms] = fields.as_slice() else {
        bail!("not a row of sums: {line:?}")
    };
    Ok(Tally {
        user: user.parse()?,
        score: score.parse()?,
        possible: 0,
        refer: refer.parse()?,
        recommend: recommend.parse()?,
        last_ms: last_ms.parse()?,
    })
}

/// A PostgreSQL cluster that ends with its owner.
struct Cluster {
    folder: TempDir,
    programs: String,
}

impl Cluster {
    fn start() -> Result<Self> {
        let output = Command::new("pg_config").arg("--bindir").output();
        let output = output.context("pg_config is not on PATH")?;
        // Debian keeps the server beside, not on, the path; the client's folder has all of it.
        let programs = String::from_utf8(output.stdout)?.trim().to_owned();
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        if rustix::process::getuid().is_root() {
            let mut chown = Command::new("chown");
            run(chown.arg("postgres").arg(folder.path()))?;
        }
        let cluster = Self { folder, programs };
        run(cluster.program("initdb").args(["-D", "data", "-A", "trust", "-U", "bench"]))?;
        let settings: Vec<String> =
            SETTINGS.iter().map(|setting| format!("-c {setting}")).collect();
        let options = format!("{} -k {}", settings.join(" "), cluster.folder.path().display());
        let mut start = cluster.program("pg_ctl");
        run(start.args(["-D", "data", "-w", "-l", "log", "-o", &options, "start"]))?;
        Ok(cluster)
    }

    /// A program of PostgreSQL's, which refuses to be run by root.
    fn program(&self, name: &str) -> Command {
        let path = format!("{}/{name}", self.programs);
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", &path]);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn client(&self) -> Command {
        let mut client = self.program("psql");
        client.args(["-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-U", "bench"]);
        client.args(["-d", "postgres", "-h"]).arg(self.folder.path());
        client
    }

    /// What a query answers as CSV, and what `psql` says of its time.
    fn query(&self, sql: &str) -> Result<(String, Duration)> {
        let mut client = self.client();
        let output =
            client.args(["-c", "\\timing on", "-c", sql]).stdout(Stdio::piped()).output()?;
        ensure!(output.status.success(), "psql failed: {sql}");
        let text = String::from_utf8(output.stdout)?;
        let at = text.rfind("Time: ").with_context(|| format!("no time in {text:?}"))?;
        let (answer, time) = text.split_at(at);
        let ms = time.split_whitespace().nth(1).and_then(|ms| ms.parse::<f64>().ok());
        let ms = ms.with_context(|| format!("no milliseconds in {time:?}"))?;
        let answer = answer.trim_start_matches("Timing is on.\n").to_owned();
        Ok((answer, Duration::from_secs_f64(ms / 1e3)))
    }

    /// Asks several times.
    fn timed(&self, sql: &str) -> Result<(Times, String)> {
        let (answer, _) = self.query(sql)?;
        let mut times = Times::new();
        for _ in 0..ROUNDS {
            let (again, time) = self.query(sql)?;
            ensure!(again == answer, "two answers to {sql}");
            times.add(time);
        }
        Ok((times, answer))
    }

    fn load(&self, rows: u64) -> Result<()> {
        self.query(
            "CREATE TABLE activities (org_id bigint NOT NULL, user_id bigint NOT NULL, \
             occurred_at bigint NOT NULL, action smallint NOT NULL, vacancy_id int NOT NULL)",
        )?;
        let copy = "COPY activities FROM STDIN (FORMAT csv)";
        let mut client = self.client().args(["-c", copy]).stdin(Stdio::piped()).spawn()?;
        let mut to = BufWriter::new(client.stdin.take().context("it is piped")?);
        for row in Rows::new(Shape::Referrals, rows) {
            let (vacancy, action) = (row.kind.0 / 2, row.kind.0 % 2 + 1);
            debug_assert!(vacancy < VACANCIES);
            writeln!(to, "1,{},{},{action},{vacancy}", row.user, row.at_ms)?;
        }
        drop(to);
        ensure!(client.wait()?.success(), "psql failed: {copy}");
        for sql in [
            "CREATE INDEX ON activities (org_id, occurred_at)",
            "CREATE INDEX ON activities (org_id, user_id, occurred_at)",
            "VACUUM ANALYZE activities",
        ] {
            self.query(sql)?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.program("pg_ctl").args(["-D", "data", "-m", "immediate", "stop"]).status();
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

// The kinds of the data set alternate between the two actions.
const _: () = assert!(Counts::Refer as u8 == 1 && Counts::Recommend as u8 == 2);
