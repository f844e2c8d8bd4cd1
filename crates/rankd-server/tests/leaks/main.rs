//! No request brings back, or changes, what its sender may not see.
//!
//! 100 000 requests, drawn from fixed seeds, with valid credentials of one organisation, are aimed
//! at the identifiers of all others, through all three surfaces and our own API, over kept-alive
//! connections. Everything that there is carries marks; a mark in an answer that the rules do not
//! allow for that request is a leak. Afterwards everything must be as it was.

mod attempts;
mod canary;
mod existence;
#[path = "../org_support/mod.rs"]
mod org_support;
mod tenants;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Barrier;

use crate::attempts::{Attacker, Attempt, Dice, Door};
use crate::canary::{leaks, marks};
use crate::tenants::Tenants;

const REQUESTS: usize = 100_000;
/// Connections, each with a seed of its own.
const LINES: usize = 16;
/// Requests of a line between two steps of the clock: few enough for the surfaces' rates.
const ROUND: usize = 125;
const ROUNDS: usize = REQUESTS / LINES / ROUND;
const _: () = assert!(LINES * ROUND * ROUNDS == REQUESTS);
const SEED: u64 = 0x7261_6e6b_6400;

/// What came of one line's requests.
#[derive(Debug, Default)]
struct Tally {
    /// Answers by door and status.
    answers: BTreeMap<(Door, u16), usize>,
    /// Answers by door in which the caller's own marks were.
    rightful: BTreeMap<Door, usize>,
    leaks: Vec<String>,
}

impl Tally {
    fn note(&mut self, attempt: &Attempt, status: u16, answer: &str) {
        *self.answers.entry((attempt.door, status)).or_default() += 1;
        let found = leaks(&attempt.allowed, &attempt.text(), answer);
        if !found.is_empty() {
            self.leaks.push(format!("{found:?} in {status} {answer:.2000} for {attempt:?}"));
        } else if status == 200 && !marks(answer).is_empty() {
            *self.rightful.entry(attempt.door).or_default() += 1;
        }
    }

    fn add(&mut self, other: Self) {
        for (key, count) in other.answers {
            *self.answers.entry(key).or_default() += count;
        }
        for (door, count) in other.rightful {
            *self.rightful.entry(door).or_default() += count;
        }
        self.leaks.extend(other.leaks);
    }

    fn count(&self, door: Door, status: u16) -> usize {
        self.answers.get(&(door, status)).copied().unwrap_or(0)
    }
}

/// A connection that is kept alive.
struct Line(SendRequest<Full<Bytes>>);

impl Line {
    async fn open(tenants: &Tenants) -> Self {
        let stream = TcpStream::connect(tenants.world.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("an open socket");
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.expect("nothing is exchanged yet");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Status, and headers and body as one text.
    async fn ask(&mut self, attempt: &Attempt) -> (u16, String) {
        let headers: Vec<_> =
            attempt.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = org_support::request(attempt.method, &attempt.path, &headers, &attempt.body);
        self.0.ready().await.expect("the connection is kept alive");
        let response = self.0.send_request(request).await.expect("a response");
        let status = response.status().as_u16();
        let mut text = format!("{:?}\n", response.headers());
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        text.push_str(std::str::from_utf8(&body).expect("UTF-8"));
        (status, text)
    }
}

/// One line's share of the requests.
async fn attack(tenants: Arc<Tenants>, seed: u64, round_over: Arc<Barrier>) -> Tally {
    let mut line = Line::open(&tenants).await;
    let mut attacker = Attacker { tenants: &tenants, dice: Dice::new(seed) };
    let mut tally = Tally::default();
    for _ in 0..ROUNDS {
        for _ in 0..ROUND {
            let attempt = attacker.attempt();
            let (status, answer) = line.ask(&attempt).await;
            tally.note(&attempt, status, &answer);
        }
        if round_over.wait().await.is_leader() {
            // New allowances of requests; the tokens are good for all rounds.
            tenants.world.clock.advance(60_000);
        }
        round_over.wait().await;
    }
    tally
}

/// Everything that the operator can read, to compare.
async fn everything(tenants: &Tenants) -> Vec<String> {
    let mut all = Vec::new();
    for org in &tenants.orgs {
        let base = format!("/v1/orgs/{}", org.id);
        let mut paths = vec![base.clone(), format!("{base}/target-groups/{}", org.group)];
        let users = 1..=tenants::USERS;
        paths.extend(users.map(|u| format!("{base}/users/{}", canary::user_number(org.index, u))));
        if org.parent.is_none() {
            paths.push(format!("{base}/users/{}", tenants::SHARED_USER));
            paths.push(format!("{base}/target-groups/{}", tenants::SHARED_GROUP));
        }
        for path in paths {
            let (status, _, text) = tenants.world.operator("GET", &path, "").await;
            assert_eq!(status, 200, "{path}: {text}");
            all.push(text);
        }
    }
    all
}

/// The boards of every organisation, asked for with its own credentials.
async fn boards(tenants: &Tenants) -> Vec<String> {
    let mut all = Vec::new();
    for org in &tenants.orgs {
        let base = "/api_gateway/intouch-api-v3/v3.1/leaderboards";
        let target = tenants::TARGET;
        let board = format!("{base}/targetGroups/{}?targetId={target}&pageSize=100", org.group);
        let headers = [("authorization", &*org.till)];
        let (status, _, text) = tenants.world.request("GET", &board, &headers, "").await;
        assert_eq!(status, 200, "{text}");
        all.push(text);
        let bearer = format!("Bearer {}", org.api_key);
        let path = format!("/v1/orgs/{}", org.id);
        let (status, ..) =
            tenants.world.request("GET", &path, &[("authorization", &bearer)], "").await;
        assert_eq!(status, 200, "the key of {path} still works");
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_requests_leak_nothing() {
    let tenants = Arc::new(Tenants::start().await);
    let before = (everything(&tenants).await, boards(&tenants).await);
    let round_over = Arc::new(Barrier::new(LINES));
    let lines: Vec<_> = (0..LINES as u64)
        .map(|line| {
            let tenants = Arc::clone(&tenants);
            tokio::spawn(attack(tenants, SEED + line, Arc::clone(&round_over)))
        })
        .collect();
    let mut tally = Tally::default();
    for line in lines {
        tally.add(line.await.expect("a line does not fail"));
    }
    assert!(tally.leaks.is_empty(), "{} leaks; {}", tally.leaks.len(), tally.leaks[0]);
    assert_eq!(tally.answers.values().sum::<usize>(), REQUESTS);
    assert_eq!(before, (everything(&tenants).await, boards(&tenants).await));
    check_that_it_meant_something(&tally);
}

/// A test in which everything is refused at the door would find no leak either.
fn check_that_it_meant_something(tally: &Tally) {
    for door in [Door::Wintro, Door::Keepnet, Door::Capillary, Door::Own] {
        let rightful = tally.rightful.get(&door).copied().unwrap_or(0);
        assert!(rightful > 1_000, "{door:?}: {tally:?}");
        assert!(tally.count(door, 401) > 100, "{door:?}: {tally:?}");
    }
    assert!(tally.count(Door::Keepnet, 403) > 1_000, "{tally:?}");
    assert!(tally.count(Door::Capillary, 400) > 1_000, "{tally:?}");
    assert!(tally.count(Door::Own, 404) > 1_000, "{tally:?}");
    let is_ours = |status: u16| status >= 500 || status == 429;
    let ours = tally.answers.iter().filter(|((_, status), _)| is_ours(*status));
    assert_eq!(ours.count(), 0, "{tally:?}");
}
