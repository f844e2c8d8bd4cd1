//! Which server has which partition now, and connections to it.
//!
//! What it is: the answer to "who is the primary", from a fixed address, Sentinels or a cluster's
//! map of slots. What it is not: it sends no command twice. Whoever gets an error decides whether
//! the command may have been carried out. Cost: a connection is one round trip to the server, and
//! one to a Sentinel or cluster node where the answer is not known yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    ServerErrorKind, Value,
};

use crate::layout::{Layout, PartitionId};
use crate::limits::{BLOCK_MS, SENTINEL_MS_MAX, TOPOLOGY_MS};
use crate::options::{RedisOptions, Servers, at};
use crate::script::answer::{bytes, list};

/// A host and port.
type Address = (String, u16);

/// Where the servers are.
#[derive(Debug)]
pub(crate) struct Topology {
    servers: Servers,
    layout: Layout,
    timeout: Duration,
    /// The newest answer of the Sentinels.
    primary: Mutex<Option<Address>>,
    /// The newest map of a cluster: first and last slot, and who has them.
    slots: Mutex<Vec<(u16, u16, Address)>>,
    /// Which node of a cluster is asked next: one that is cut off from the others answers too.
    next_seed: AtomicUsize,
    /// Grows when a Sentinel names another primary.
    generation: AtomicU64,
}

/// A connection to the primary of one partition.
pub(crate) struct Link {
    pub(crate) connection: MultiplexedConnection,
    generation: u64,
}

impl Topology {
    pub(crate) fn new(options: &RedisOptions) -> Self {
        // Without a choice, the first connection with TLS would panic. An earlier one stays.
        let _kept = rustls::crypto::ring::default_provider().install_default();
        Self {
            servers: options.servers.clone(),
            layout: options.layout.clone(),
            timeout: options.timeout,
            primary: Mutex::default(),
            slots: Mutex::default(),
            next_seed: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
        }
    }

    /// A new connection to the primary of the partition.
    pub(crate) async fn connect(&self, partition: PartitionId) -> RedisResult<Link> {
        let generation = self.generation.load(Ordering::Acquire);
        let info = match &self.servers {
            Servers::One(info) => (**info).clone(),
            Servers::Sentinel { template, .. } => {
                let known = self.primary.lock().clone();
                let (host, port) = match known {
                    Some(known) => known,
                    None => self.ask_sentinels().await?,
                };
                at(template, &host, port)
            }
            Servers::Cluster { seeds } => self.cluster_primary(seeds, partition).await?,
        };
        let mut connection = self.open(info).await?;
        check_role(&mut connection).await?;
        Ok(Link { connection, generation })
    }

    async fn open(&self, info: ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout + Duration::from_millis(BLOCK_MS)));
        Client::open(info)?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Whether the link leads to a server that is not the primary any more.
    pub(crate) fn is_outdated(&self, link: &Link) -> bool {
        link.generation != self.generation.load(Ordering::Acquire)
    }

    /// To be told every error: what it says about the topology is remembered or forgotten.
    pub(crate) fn learn(&self, error: &RedisError) {
        // A slot is on its way: until it has arrived, its owner is who it was.
        let moves = [ServerErrorKind::Ask, ServerErrorKind::TryAgain].map(ErrorKind::Server);
        if moves.contains(&error.kind()) {
            return;
        }
        if error.kind() == ErrorKind::Server(ServerErrorKind::Moved)
            && let Some((address, slot)) = error.redirect_node()
            && let Some((host, port)) = address.rsplit_once(':')
            && let Ok(port) = port.parse()
            && !host.is_empty()
        {
            let mut slots = self.slots.lock();
            slots.retain(|(first, last, _)| (*first, *last) != (slot, slot));
            slots.insert(0, (slot, slot, (host.to_owned(), port)));
            return;
        }
        self.slots.lock().clear();
        self.next_seed.fetch_add(1, Ordering::Relaxed);
        *self.primary.lock() = None;
    }

    /// Asks the Sentinels now and then, for ever; ends at once where there are none.
    pub(crate) async fn watch(&self) {
        if !matches!(self.servers, Servers::Sentinel { .. }) {
            return;
        }
        loop {
            if let Err(error) = self.ask_sentinels().await {
                tracing::debug!(%error, "no Sentinel answers");
            }
            tokio::time::sleep(Duration::from_millis(TOPOLOGY_MS)).await;
        }
    }

    async fn ask_sentinels(&self) -> RedisResult<Address> {
        let Servers::Sentinel { sentinels, name, .. } = &self.servers else {
            return Err(client_error("there are no Sentinels"));
        };
        let mut last = client_error("no Sentinel is named");
        let mut newest: Option<(u64, Address)> = None;
        let patience = self.timeout.min(Duration::from_millis(SENTINEL_MS_MAX));
        for sentinel in sentinels {
            let asked = tokio::time::timeout(patience, self.ask_sentinel(sentinel, name)).await;
            match asked.unwrap_or_else(|_| Err(client_error("a Sentinel does not answer"))) {
                Ok(answer) if newest.as_ref().is_none_or(|newest| newest.0 < answer.0) => {
                    newest = Some(answer);
                }
                Ok(_) => {}
                Err(error) => last = error,
            }
        }
        let (_, address) = newest.ok_or(last)?;
        self.set_primary(&address);
        Ok(address)
    }

    /// Which failover the Sentinel knows, and the primary that it led to. One that is cut off
    /// from the others still names the primary before.
    async fn ask_sentinel(
        &self,
        sentinel: &ConnectionInfo,
        name: &str,
    ) -> RedisResult<(u64, Address)> {
        let mut connection = self.open(sentinel.clone()).await?;
        let mut command = redis::cmd("SENTINEL");
        let fields: HashMap<String, String> =
            command.arg("MASTER").arg(name).query_async(&mut connection).await?;
        let number = |field| fields.get(field).and_then(|text: &String| text.parse::<u64>().ok());
        let port = number("port").and_then(|port| u16::try_from(port).ok());
        match (number("config-epoch"), fields.get("ip"), port) {
            (Some(epoch), Some(host), Some(port)) => Ok((epoch, (host.clone(), port))),
            _ => Err(malformed("a Sentinel's")),
        }
    }

    fn set_primary(&self, address: &Address) {
        let mut primary = self.primary.lock();
        let previous = primary.replace(address.clone());
        if previous.as_ref() != Some(address) {
            self.generation.fetch_add(1, Ordering::AcqRel);
            tracing::info!(host = address.0, port = address.1, "the Sentinels name a primary");
        }
    }

    async fn cluster_primary(
        &self,
        seeds: &[ConnectionInfo],
        partition: PartitionId,
    ) -> RedisResult<ConnectionInfo> {
        let slot = self.layout.slot_of(partition);
        if self.owner(slot).is_none() {
            self.read_slots(seeds).await?;
        }
        let (host, port) = self.owner(slot).ok_or_else(|| client_error("no node has the slot"))?;
        let template = seeds.first().ok_or_else(|| client_error("no node is named"))?;
        Ok(at(template, &host, port))
    }

    fn owner(&self, slot: u16) -> Option<Address> {
        let slots = self.slots.lock();
        let range = slots.iter().find(|(first, last, _)| (*first..=*last).contains(&slot))?;
        Some(range.2.clone())
    }

    /// Reads the map from the first node that answers and sees a whole cluster. Every failure lets
    /// the search begin at another node.
    async fn read_slots(&self, seeds: &[ConnectionInfo]) -> RedisResult<()> {
        let mut last = client_error("no node is named");
        let first = self.next_seed.load(Ordering::Relaxed) % seeds.len().max(1);
        for seed in seeds.iter().cycle().skip(first).take(seeds.len()) {
            match self.slots_from(seed).await {
                Ok(slots) => {
                    *self.slots.lock() = slots;
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn slots_from(&self, seed: &ConnectionInfo) -> RedisResult<Vec<(u16, u16, Address)>> {
        let mut connection = self.open(seed.clone()).await?;
        let cluster = |what| redis::cmd("CLUSTER").arg(what).to_owned();
        let info: String = cluster("INFO").query_async(&mut connection).await?;
        if !info.contains("cluster_state:ok") {
            return Err(client_error("the cluster is not whole as the node sees it"));
        }
        let answer: Value = cluster("SLOTS").query_async(&mut connection).await?;
        let asked = seed.addr().to_string();
        let asked = asked.rsplit_once(':').map_or(asked.as_str(), |(host, _)| host);
        let ranges = list(answer).map_err(malformed)?;
        ranges.into_iter().map(|range| slot_range(range, asked)).collect()
    }

    /// Every primary that is known, to be asked about itself.
    pub(crate) async fn primaries(&self) -> RedisResult<Vec<MultiplexedConnection>> {
        let mut by_address: HashMap<String, MultiplexedConnection> = HashMap::new();
        for partition in 0..self.layout.partitions {
            let slot = self.layout.slot_of(partition);
            let address =
                self.owner(slot).map_or_else(String::new, |(host, port)| format!("{host}:{port}"));
            if !by_address.contains_key(&address) {
                let link = self.connect(partition).await?;
                let owner = self.owner(slot);
                let address = owner.map_or(address, |(host, port)| format!("{host}:{port}"));
                by_address.insert(address, link.connection);
            }
        }
        Ok(by_address.into_values().collect())
    }
}

/// First slot, last slot and primary of one line of the map. A node that does not know its own
/// address leaves it out: then it is the one that was asked.
fn slot_range(range: Value, asked: &str) -> RedisResult<(u16, u16, Address)> {
    let (first, last, node): (u16, u16, Vec<Value>) = {
        let mut parts = list(range).map_err(malformed)?.into_iter();
        let mut next = || parts.next().unwrap_or_default();
        let (first, last) = (next(), next());
        (
            redis::from_redis_value(first)?,
            redis::from_redis_value(last)?,
            list(next()).map_err(malformed)?,
        )
    };
    let mut node = node.into_iter();
    let host = match node.next().unwrap_or_default() {
        Value::Nil => Vec::new(),
        host => bytes(host).map_err(malformed)?,
    };
    let host = String::from_utf8_lossy(&host).into_owned();
    let port = redis::from_redis_value(node.next().unwrap_or_default())?;
    let is_unknown = host.is_empty() || host == "?";
    Ok((first, last, (if is_unknown { asked.to_owned() } else { host }, port)))
}

/// A replica would answer reads with the past.
async fn check_role(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let role: Value = redis::cmd("ROLE").query_async(connection).await?;
    let name = list(role).ok().and_then(|parts| bytes(parts.into_iter().next()?).ok());
    if name.as_deref() == Some(b"master") {
        return Ok(());
    }
    Err(client_error("the server is a replica"))
}

pub(crate) fn client_error(what: &'static str) -> RedisError {
    (ErrorKind::Client, what).into()
}

pub(crate) fn malformed(error: impl std::fmt::Display) -> RedisError {
    (ErrorKind::Parse, "an answer is malformed", error.to_string()).into()
}
