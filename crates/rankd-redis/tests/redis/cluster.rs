//! A cluster of three primaries and three replicas: keys move, primaries die, nodes agree.

use crate::node::{Held, Node, acknowledged, assert_present_or_told, held, wait_until};
use crate::repeatedly;
use crate::support::Program;
use crate::support::cluster::{Cluster, id, run};

/// Few partitions, short waits.
const QUICK: &str = "partitions=8&timeout_ms=800&staleness_ms=2000";

impl Cluster {
    /// What all primaries hold together.
    fn held(&self, running: &[usize]) -> Held {
        let mut all = Held::new();
        for number in running {
            let mut connection = self.servers[*number].connection();
            let role: Vec<redis::Value> =
                redis::cmd("ROLE").query(&mut connection).expect("a role");
            if role.first() != Some(&redis::Value::BulkString(b"master".to_vec())) {
                continue;
            }
            for partition in 0..8 {
                // A key that another primary has is answered with its address.
                let key = format!("{{rankd:{partition:02}}}:b");
                if redis::cmd("EXISTS").arg(key).query::<i64>(&mut connection).is_ok() {
                    all.append(&mut held(&mut connection, partition..partition + 1));
                }
            }
        }
        all
    }
}

/// Boards whose names fall into different partitions.
fn write_everywhere(node: &Node, round: usize) {
    for number in 0..40 {
        let board = format!("board {number}");
        node.write(&board, &format!("m{round}"), 1).expect("written");
    }
}

#[test]
fn three_nodes_on_a_cluster_agree_and_outlive_a_primary() {
    repeatedly(|| {
        let mut cluster = Cluster::start(Program::Redis);
        let nodes: Vec<Node> = (0..3).map(|_| Node::open_soon(&cluster.url(QUICK))).collect();
        for (round, node) in nodes.iter().enumerate() {
            write_everywhere(node, round);
        }
        let everywhere = [0, 1, 2, 3, 4, 5];
        wait_until("all nodes agree", || {
            let held = cluster.held(&everywhere);
            held.len() == 40 && nodes.iter().all(|node| node.agrees(&held))
        });
        // The primary of the board that is written dies; its replica takes over.
        let mut written = acknowledged(&nodes[0], "before ", 20);
        let owner = cluster.owner_of("b");
        cluster.servers[owner].kill();
        written.extend(acknowledged(&nodes[1], "after ", 20));
        let running: Vec<usize> = everywhere.into_iter().filter(|n| *n != owner).collect();
        let mut last = Held::new();
        wait_until("all nodes agree", || {
            last = cluster.held(&running);
            last.len() == 41 && nodes.iter().all(|node| node.agrees(&last))
        });
        assert_present_or_told(&nodes[2], &last, &written);
    });
}

#[test]
fn a_partition_that_moves_to_another_primary_under_load_is_followed() {
    repeatedly(|| {
        let cluster = Cluster::start(Program::Redis);
        let node = Node::open_soon(&cluster.url(QUICK));
        let reader = Node::open_soon(&cluster.url(QUICK));
        let mut written = acknowledged(&node, "before ", 20);
        let from = cluster.owner_of("b");
        let to = (from + 1) % 3;
        std::thread::scope(|scope| {
            let writes = scope.spawn(|| acknowledged(&node, "during ", 300));
            cluster.move_slot(cluster.slot_of("b"), from, to);
            written.extend(writes.join().expect("the writer ends"));
        });
        assert_eq!(cluster.owner_of("b"), to);
        written.extend(acknowledged(&reader, "after ", 20));
        let mut last = Held::new();
        wait_until("both nodes agree", || {
            last = cluster.held(&[0, 1, 2, 3, 4, 5]);
            node.agrees(&last) && reader.agrees(&last)
        });
        assert_present_or_told(&reader, &last, &written);
        assert_eq!(node.counter("redis_losses"), 0);
    });
}

impl Cluster {
    /// The slot of the partition that has this board, as the cluster itself computes it.
    fn slot_of(&self, board: &str) -> u16 {
        let mut connection = self.servers[0].connection();
        let mut slot = |key: &str| -> u16 {
            let mut command = redis::cmd("CLUSTER");
            command.arg("KEYSLOT").arg(key).query(&mut connection).expect("a slot")
        };
        // Partitions are numbered by the same checksum; 8 divides the number of slots.
        let partition = slot(board) % 8;
        slot(&format!("{{rankd:{partition:02}}}"))
    }

    /// Which of the servers is the slot's primary.
    fn owner_of(&self, board: &str) -> usize {
        let slot = self.slot_of(board);
        let running = self.servers.iter().enumerate();
        let owner = running.filter(|(_, server)| server.is_running()).find(|(_, server)| {
            let mut connection = server.connection();
            let nodes: String = redis::cmd("CLUSTER").arg("NODES").query(&mut connection).unwrap();
            let me = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default();
            me.split(' ').skip(8).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let bound = |text: &str| text.parse::<u16>().unwrap_or(u16::MAX);
                bound(first) <= slot && slot <= bound(last)
            })
        });
        owner.expect("a primary has it").0
    }

    /// Moves a slot with its keys, as an operator's tool does.
    fn move_slot(&self, slot: u16, from: usize, to: usize) {
        let (mut source, mut target) =
            (self.servers[from].connection(), self.servers[to].connection());
        let (source_id, target_id) = (id(&mut source), id(&mut target));
        let slot = slot.to_string();
        run(&mut target, &["SETSLOT", &slot, "IMPORTING", &source_id]);
        run(&mut source, &["SETSLOT", &slot, "MIGRATING", &target_id]);
        loop {
            let mut command = redis::cmd("CLUSTER");
            let keys: Vec<Vec<u8>> =
                command.arg(&["GETKEYSINSLOT", &slot, "10"]).query(&mut source).expect("keys");
            if keys.is_empty() {
                break;
            }
            for key in keys {
                let mut migrate = redis::cmd("MIGRATE");
                migrate.arg("127.0.0.1").arg(self.ports[to]).arg(key).arg(0).arg(5_000);
                migrate.exec(&mut source).expect("migrated");
            }
        }
        for server in self.servers.iter().take(3) {
            run(&mut server.connection(), &["SETSLOT", &slot, "NODE", &target_id]);
        }
    }
}
