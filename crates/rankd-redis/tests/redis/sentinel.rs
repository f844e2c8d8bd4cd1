//! A primary, a replica and three Sentinels: the primary dies or is cut off, and the nodes go where
//! they are led.

use rustix::process::Signal;

use crate::cut::signal;
use crate::node::{Node, acknowledged, assert_present_or_told, converged, wait_until};
use crate::on_both;
use crate::support::{Program, Server, free_port};

/// What three Sentinels watch.
struct Watched {
    primary: Server,
    replica: Server,
    _sentinels: Vec<Server>,
    url: String,
}

impl Watched {
    fn start(program: Program) -> Self {
        let ports: Vec<u16> = (0..5).map(|_| free_port()).collect();
        let [first, second, watchers @ ..] = ports.as_slice() else { panic!("five ports") };
        let (first_text, second_text) = (first.to_string(), second.to_string());
        let primary = Server::start(program, &["--port", &first_text]);
        let replicates = ["--port", &second_text, "--replicaof", "127.0.0.1", &first_text];
        let replica = Server::start(program, &replicates);
        let sentinels: Vec<_> =
            watchers.iter().map(|port| Server::sentinel(program, *port, *first)).collect();
        wait_for_sentinels(&sentinels);
        let hosts: Vec<_> = watchers.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let url = format!(
            "redis+sentinel://{}/main?partitions=2&timeout_ms=500&staleness_ms=1200",
            hosts.join(",")
        );
        Self { primary, replica, _sentinels: sentinels, url }
    }
}

/// Until all of them know the replica and each other, they would not agree on anything.
fn wait_for_sentinels(sentinels: &[Server]) {
    for sentinel in sentinels {
        let mut connection = sentinel.connection();
        wait_until("a Sentinel knows all", || {
            let info: String =
                redis::cmd("INFO").arg("sentinel").query(&mut connection).expect("an answer");
            info.contains("slaves=1,sentinels=3")
        });
    }
}

#[test]
fn after_a_failover_every_acknowledged_write_is_there_or_was_told_lost() {
    on_both(|program| {
        let mut watched = Watched::start(program);
        let url = &watched.url;
        let (a, b) = (Node::open_soon(url), Node::open_soon(url));
        let mut written = acknowledged(&a, "before ", 30);
        watched.primary.kill();
        written.extend(acknowledged(&a, "after ", 30));
        written.extend(acknowledged(&b, "other ", 10));
        let held = converged(&watched.replica, &[&a, &b]);
        assert_present_or_told(&b, &held, &written);
    });
}

#[test]
fn an_old_primary_that_was_cut_off_and_comes_back_is_left() {
    on_both(|program| {
        let watched = Watched::start(program);
        let (a, b) = (Node::open_soon(&watched.url), Node::open_soon(&watched.url));
        let mut written = acknowledged(&a, "before ", 20);
        signal(&watched.primary, Signal::STOP);
        written.extend(acknowledged(&a, "after ", 20));
        // It takes itself for the primary until the Sentinels tell it otherwise, seconds later.
        signal(&watched.primary, Signal::CONT);
        written.extend(acknowledged(&b, "later ", 20));
        let held = converged(&watched.replica, &[&a, &b]);
        assert_present_or_told(&b, &held, &written);
    });
}
