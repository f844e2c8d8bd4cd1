//! A cluster of six servers, joined without an operator's tool.

use redis::Connection;

use super::{Program, Server, free_port, wait_until};

/// Three primaries, each with a replica.
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
    pub(crate) ports: Vec<u16>,
}

/// Slots of a cluster.
const SLOTS: u16 = 16_384;

impl Cluster {
    /// Starts it and waits until it is whole.
    ///
    /// # Panics
    /// If it does not come to that.
    #[must_use]
    pub(crate) fn start(program: Program) -> Self {
        let ports: Vec<u16> = (0..6).map(|_| free_port()).collect();
        let servers: Vec<Server> = ports
            .iter()
            .map(|port| {
                let port = port.to_string();
                let arguments =
                    ["--port", &port, "--cluster-enabled", "yes", "--cluster-node-timeout", "800"];
                Server::start(program, &arguments)
            })
            .collect();
        let cluster = Self { servers, ports };
        cluster.join();
        cluster
    }

    fn join(&self) {
        let mut first = self.servers[0].connection();
        for (number, (server, port)) in self.servers.iter().zip(&self.ports).enumerate() {
            let mut connection = server.connection();
            run(&mut connection, &["SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            if let Ok(third @ 0..3) = u16::try_from(number) {
                let (begin, end) = (SLOTS / 3 * third, SLOTS / 3 * (third + 1) - 1);
                let end = if third == 2 { SLOTS - 1 } else { end };
                run(&mut connection, &["ADDSLOTSRANGE", &begin.to_string(), &end.to_string()]);
            }
            if number > 0 {
                run(&mut first, &["MEET", "127.0.0.1", &port.to_string()]);
            }
        }
        let ids: Vec<String> =
            self.servers.iter().map(|server| id(&mut server.connection())).collect();
        for (number, server) in self.servers.iter().enumerate().skip(3) {
            let mut connection = server.connection();
            wait_until("a replica knows its primary", || {
                let mut command = redis::cmd("CLUSTER");
                command.arg("REPLICATE").arg(&ids[number - 3]).exec(&mut connection).is_ok()
            });
        }
        for server in &self.servers {
            let mut connection = server.connection();
            wait_until("the cluster is whole", || {
                let info: String =
                    redis::cmd("CLUSTER").arg("INFO").query(&mut connection).expect("an answer");
                let nodes: String =
                    redis::cmd("CLUSTER").arg("NODES").query(&mut connection).expect("an answer");
                info.contains("cluster_state:ok") && nodes.matches("slave ").count() == 3
            });
        }
    }

    /// URL of the store on it.
    #[must_use]
    pub(crate) fn url(&self, parameters: &str) -> String {
        let hosts: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+cluster://{}?{parameters}", hosts.join(","))
    }
}

/// One subcommand of `CLUSTER`.
///
/// # Panics
/// If it fails.
pub(crate) fn run(connection: &mut Connection, arguments: &[&str]) {
    redis::cmd("CLUSTER").arg(arguments).exec(connection).expect("done");
}

/// The id of the server.
///
/// # Panics
/// If it does not tell.
#[must_use]
pub(crate) fn id(connection: &mut Connection) -> String {
    redis::cmd("CLUSTER").arg("MYID").query(connection).expect("an id")
}
