//! A node under test, and the oracle: what Redis holds, read and ranked without the store's help.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rankd_engine::{
    Answer, Batch, Health, IdempotencyKey, Intent, KeptOutcomes, Operator, Outcome, Receipt, Score,
    State, Storage as _, StoreError,
};
use rankd_redis::{RedisOptions, RedisStore};

pub(crate) use crate::support::wait_until;
use crate::support::{Server, pause};

/// Parameters that keep tests quick: few partitions, short waits.
pub(crate) const QUICK: &str = "partitions=2&timeout_ms=800&staleness_ms=1200";

pub(crate) struct Node {
    pub(crate) store: RedisStore,
    pub(crate) state: Arc<State>,
    runtime: tokio::runtime::Runtime,
}

impl Node {
    /// A node on this URL, ready.
    pub(crate) fn open(url: &str) -> Self {
        Self::try_open(url).expect("the store opens")
    }

    /// The same, once the servers are ready for it.
    pub(crate) fn open_soon(url: &str) -> Self {
        let begun = Instant::now();
        loop {
            match Self::try_open(url) {
                Ok(node) => return node,
                Err(error) => {
                    assert!(begun.elapsed() < Duration::from_secs(20), "{error}");
                    pause(50);
                }
            }
        }
    }

    pub(crate) fn try_open(url: &str) -> Result<Self, rankd_redis::OpenError> {
        let state = State::new();
        let options = RedisOptions::parse(url).expect("a URL");
        let store = RedisStore::open(options, Arc::clone(&state))?;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().expect("threads");
        Ok(Self { store, state, runtime })
    }

    pub(crate) fn submit(&self, batch: Batch) -> Result<Receipt, StoreError> {
        self.runtime.block_on(self.store.submit(batch))
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Writes one score; the rank comes back with it.
    pub(crate) fn write(
        &self,
        board: &str,
        member: &str,
        score: i64,
    ) -> Result<Receipt, StoreError> {
        self.submit(batch(vec![write(board, member, score)]))
    }

    pub(crate) fn reached(&self, token: &str) -> Result<(), StoreError> {
        self.runtime.block_on(self.store.reached(token))
    }

    pub(crate) fn token(&self, receipt: &Receipt) -> String {
        self.store.token(receipt.sequence).expect("a token")
    }

    pub(crate) fn score(&self, board: &str, member: &str) -> Option<Score> {
        let board = self.state.board(board.as_bytes())?;
        let standing = board.standing(member.as_bytes(), rankd_engine::RankStyle::Ordinal)?;
        Some(standing.score)
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        let counters = self.store.counters();
        counters.iter().find(|(n, _, _)| *n == name).expect("a counter").2
    }

    /// Whether the node is ready and holds exactly this.
    pub(crate) fn agrees(&self, held: &Held) -> bool {
        self.store.health() == Health::Ready && agrees(&self.state, held)
    }

    /// Waits until the store's health is as wanted.
    pub(crate) fn wait_for_health(&self, wanted: impl Fn(&Health) -> bool) {
        wait_until("the health changes", || wanted(&self.store.health()));
    }
}

/// A batch that asks for ranks.
pub(crate) fn batch(intents: Vec<Intent>) -> Batch {
    let mut batch = Batch::new(intents, 1_700_000_000_000);
    batch.with_ranks = true;
    batch
}

/// One score under the board's own operator.
pub(crate) fn write(board: &str, member: &str, score: i64) -> Intent {
    Intent::Write {
        board: board.as_bytes().into(),
        member: member.as_bytes().into(),
        score: Score::Integer(score),
        operator: None,
        at_ms: None,
    }
}

/// An increment under an idempotency key.
pub(crate) fn add(board: &str, member: &str, score: i64, key: &str) -> Batch {
    let Intent::Write { board, member, score, at_ms, .. } = write(board, member, score) else {
        unreachable!("a write")
    };
    let operator = Some(Operator::Sum);
    let mut batch = batch(vec![Intent::Write { board, member, score, operator, at_ms }]);
    batch.idempotency = Some(IdempotencyKey { key: key.as_bytes().into(), digest: [7; 16] });
    batch
}

/// Score and rank of the only outcome of a write.
pub(crate) fn placed(receipt: &Receipt) -> (Score, u64) {
    let outcome = match &receipt.answer {
        Answer::Fresh(outcomes) => outcomes.first().expect("an outcome"),
        Answer::Repeated(KeptOutcomes::One(outcome)) => outcome,
        Answer::Repeated(other) => panic!("{other:?}"),
    };
    let Outcome::Written { current, .. } = outcome else { panic!("{outcome:?}") };
    (current.score, current.rank)
}

/// Writes members `<prefix>0` to `<prefix>9` and so on until `count` of them are acknowledged.
/// Returns them with their tokens.
pub(crate) fn acknowledged(
    node: &Node,
    prefix: &str,
    count: usize,
) -> Vec<(String, Option<String>)> {
    let begun = Instant::now();
    let mut written = Vec::new();
    for number in 0.. {
        let member = format!("{prefix}{number}");
        if let Ok(receipt) = node.write("b", &member, number) {
            let token = node.store.token(receipt.sequence);
            written.push((member, token));
        }
        if written.len() >= count {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "writes are refused for too long");
    }
    written
}

/// Every write that was acknowledged is there, or its token is answered as lost.
pub(crate) fn assert_present_or_told(
    node: &Node,
    held: &Held,
    written: &[(String, Option<String>)],
) {
    for (member, token) in written {
        let is_there = held.get(&b"b"[..]).is_some_and(|b| b.contains_key(member.as_bytes()));
        if !is_there {
            let token = token.as_deref().expect("a token, or the write itself");
            let told = node.reached(token);
            assert!(matches!(told, Err(StoreError::WriteLost(_))), "{member}: {told:?}");
        }
    }
}

/// Board to member to score and time, as Redis holds them. Default definitions only.
pub(crate) type Held = BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, (i64, i64)>>;

/// What is in Redis, read key by key.
pub(crate) fn held(connection: &mut redis::Connection, partitions: Range<u16>) -> Held {
    let mut held = Held::new();
    for partition in partitions {
        let tag = format!("{{rankd:{partition:02}}}");
        let boards: BTreeMap<Vec<u8>, String> =
            redis::cmd("HGETALL").arg(format!("{tag}:b")).query(connection).expect("boards");
        for (name, definition) in boards {
            assert!(definition.contains(" dile1 "), "{definition}");
            let key = |what: &str| [tag.as_bytes(), what.as_bytes(), &name].concat();
            let rows: BTreeMap<Vec<u8>, String> =
                redis::cmd("HGETALL").arg(key(":h:")).query(connection).expect("a hash");
            let scores: Vec<(Vec<u8>, f64)> = redis::cmd("ZRANGE")
                .arg(key(":z:"))
                .arg(&["0", "-1", "WITHSCORES"])
                .query(connection)
                .expect("a sorted set");
            assert_eq!(scores.len(), rows.len());
            let members = rows.into_iter().map(|(member, row)| {
                let (score, at) = row.split_once(' ').expect("score and time");
                (member, (score.parse().expect("a score"), at.parse().expect("a time")))
            });
            let members: BTreeMap<Vec<u8>, (i64, i64)> = members.collect();
            for (member, near) in scores {
                #[expect(clippy::cast_precision_loss, reason = "what a sorted set does")]
                let expected = members[&member].0 as f64;
                assert_eq!(near, expected);
            }
            held.insert(name, members);
        }
    }
    held
}

/// Whether the state holds exactly this, in the order that a plain sort gives.
fn agrees(state: &State, held: &Held) -> bool {
    let boards = state.boards(b"", None, 10_000);
    boards.len() == held.len()
        && boards.iter().all(|board| {
            let name = board.info().name;
            let Some(members) = held.get(&*name) else { return false };
            let mut expected: Vec<_> = members.iter().collect();
            // The higher score first, then who had it first, then the member's bytes.
            expected
                .sort_by_key(|(member, (score, at))| (-i128::from(*score), *at, (*member).clone()));
            let page = board.top(0, 100_000);
            page.entries.len() == expected.len()
                && page.entries.iter().zip(expected).all(|(entry, (member, (score, at)))| {
                    *entry.member == **member
                        && entry.score == Score::Integer(*score)
                        && entry.at_ms == Some(*at)
                })
        })
}

/// Waits until every node holds what Redis holds, and returns that.
pub(crate) fn converged(server: &Server, nodes: &[&Node]) -> Held {
    let mut connection = server.connection();
    let mut last = Held::new();
    wait_until("all nodes hold what Redis holds", || {
        last = held(&mut connection, 0..2);
        nodes.iter().all(|node| node.agrees(&last))
    });
    last
}
