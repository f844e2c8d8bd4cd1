//! A node that loses touch with Redis: it serves what it has, says how old that is, and catches up.

use rankd_engine::{Health, Score, Storage as _, StoreError};
use rustix::process::{Pid, Signal, kill_process};

use crate::node::{Node, QUICK, add, converged, placed, wait_until};
use crate::on_both;
use crate::proxy::Proxy;
use crate::support::{Server, free_port};

fn url(server: &Server) -> String {
    format!("{}?{QUICK}", server.url())
}

pub(crate) fn signal(server: &Server, signal: Signal) {
    let id = i32::try_from(server.id()).expect("a process id");
    kill_process(Pid::from_raw(id).expect("a process id"), signal).expect("signalled");
}

#[test]
fn the_answer_is_lost_and_the_same_key_on_another_node_has_one_effect() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let proxy = Proxy::start(server.socket());
        let (cut, whole) = (Node::open(&proxy.url(QUICK)), Node::open(&url(&server)));
        cut.submit(add("b", "ada", 1, "first")).expect("written");
        proxy.hold_answers();
        let lost = cut.submit(add("b", "ada", 10, "second"));
        assert!(matches!(lost, Err(StoreError::OutcomeUnknown(_))), "{lost:?}");
        let again = whole.submit(add("b", "ada", 10, "second")).expect("answered");
        assert_eq!(placed(&again).0, Score::Integer(11));
        proxy.restore();
        let held = converged(&server, &[&cut, &whole]);
        assert_eq!(held[&b"b"[..]][&b"ada"[..]].0, 11);
    });
}

#[test]
fn a_node_that_is_cut_off_serves_its_past_says_so_and_stops_being_ready() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let proxy = Proxy::start(server.socket());
        let (cut, whole) = (Node::open(&proxy.url(QUICK)), Node::open(&url(&server)));
        cut.write("b", "ada", 1).expect("written");
        assert_eq!(cut.store.staleness_ms(), 0);
        proxy.black_hole();
        let receipt = whole.write("b", "ada", 2).expect("written");
        let token = whole.token(&receipt);
        assert!(matches!(cut.reached(&token), Err(StoreError::Behind(_))));
        assert_eq!(cut.score("b", "ada"), Some(Score::Integer(1)), "the past is served");
        cut.wait_for_health(|health| matches!(health, Health::ReadOnly { .. }));
        assert!(cut.store.staleness_ms() >= 1_000);
        assert!(cut.write("b", "bob", 1).is_err());
        proxy.restore();
        cut.wait_for_health(|health| *health == Health::Ready);
        cut.reached(&token).expect("it has caught up");
        assert_eq!(cut.counter("redis_losses"), 0);
        converged(&server, &[&cut, &whole]);
    });
}

#[test]
fn a_stream_that_was_trimmed_behind_a_node_is_made_up_for_by_a_scan() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let proxy = Proxy::start(server.socket());
        let parameters = format!("{QUICK}&stream_entries=16");
        let cut = Node::open(&proxy.url(&parameters));
        let whole = Node::open(&format!("{}?{parameters}", server.url()));
        for i in 0..10 {
            cut.write("b", &format!("m{i}"), i).expect("written");
        }
        proxy.black_hole();
        for i in 0..400 {
            whole.write("b", &format!("n{}", i % 50), i).expect("written");
        }
        proxy.restore();
        converged(&server, &[&cut, &whole]);
        assert_eq!(cut.counter("redis_gaps"), 1);
        assert_eq!(cut.counter("redis_losses"), 0, "nothing was lost");
    });
}

#[test]
fn a_server_that_stands_still_is_waited_for_and_nothing_counts_twice() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let node = Node::open(&url(&server));
        node.submit(add("b", "ada", 1, "first")).expect("written");
        signal(&server, Signal::STOP);
        let unknown = node.submit(add("b", "ada", 10, "second"));
        assert!(unknown.is_err(), "{unknown:?}");
        assert_eq!(node.score("b", "ada"), Some(Score::Integer(1)), "reads go on");
        node.wait_for_health(|health| matches!(health, Health::ReadOnly { .. }));
        signal(&server, Signal::CONT);
        node.wait_for_health(|health| *health == Health::Ready);
        node.submit(add("b", "ada", 10, "second")).expect("known or written");
        let held = converged(&server, &[&node]);
        assert_eq!(held[&b"b"[..]][&b"ada"[..]].0, 11);
    });
}

#[test]
fn paused_clients_and_a_slow_link_delay_writes_without_losing_or_doubling_them() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let proxy = Proxy::start(server.socket());
        let node = Node::open(&proxy.url(QUICK));
        proxy.delay(20);
        for i in 0..10 {
            node.submit(add("b", "ada", 1, &format!("slow {i}"))).expect("written");
        }
        proxy.delay(0);
        let mut admin = server.connection();
        redis::cmd("CLIENT").arg(&["PAUSE", "300", "ALL"]).exec(&mut admin).expect("paused");
        node.submit(add("b", "ada", 1, "paused")).expect("written after the pause");
        let held = converged(&server, &[&node]);
        assert_eq!(held[&b"b"[..]][&b"ada"[..]].0, 11);
    });
}

#[test]
fn a_server_that_is_killed_and_comes_back_with_its_log_is_gone_on_with() {
    on_both(|program| {
        let arguments = ["--appendonly", "yes", "--appendfsync", "always"];
        let mut server = Server::start(program, &arguments);
        let node = Node::open(&url(&server));
        for i in 0..20 {
            node.submit(add("b", "ada", 1, &format!("{i}"))).expect("written");
        }
        server.kill();
        wait_until("a write is refused", || node.submit(add("b", "ada", 1, "down")).is_err());
        assert_eq!(node.score("b", "ada"), Some(Score::Integer(20)), "reads go on");
        server.restart();
        node.wait_for_health(|health| *health == Health::Ready);
        node.submit(add("b", "ada", 1, "down")).expect("written");
        let held = converged(&server, &[&node]);
        assert_eq!(held[&b"b"[..]][&b"ada"[..]].0, 21);
        assert_eq!(node.counter("redis_losses"), 0);
    });
}

#[test]
fn a_write_that_came_back_too_late_has_a_token_all_the_same() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let (a, b) = (Node::open(&url(&server)), Node::open(&url(&server)));
        a.write("b", "ada", 1).expect("written");
        // Every read of the stream is refused, and the script is not.
        let mut admin = server.connection();
        let rules = ["SETUSER", "default", "-xread"];
        redis::cmd("ACL").arg(&rules).exec(&mut admin).expect("set");
        // The reads that wait already are answered; the next ones are refused.
        a.write("b", "bob", 1).expect("written");
        let receipt = a.write("b", "ada", 2).expect("Redis has it");
        let token = a.token(&receipt);
        assert!(matches!(b.reached(&token), Err(StoreError::Behind(_))));
        redis::cmd("ACL").arg(&["SETUSER", "default", "+xread"]).exec(&mut admin).expect("set");
        converged(&server, &[&a, &b]);
        b.reached(&token).expect("it has it now");
        assert_eq!(b.score("b", "ada"), Some(Score::Integer(2)));
    });
}

#[test]
fn without_the_replicas_that_were_asked_for_the_outcome_is_unknown_and_the_key_holds() {
    on_both(|program| {
        let port = free_port().to_string();
        let server = Server::start(program, &["--port", &port]);
        let node = Node::open(&format!("{}&wait=1", url(&server)));
        let alone = node.submit(add("b", "ada", 1, "first"));
        assert!(matches!(alone, Err(StoreError::OutcomeUnknown(_))), "{alone:?}");
        let arguments = ["--replicaof", "127.0.0.1", &port];
        let replica = Server::start(program, &arguments);
        wait_until("the replica has it", || {
            let mut connection = replica.connection();
            let info: String =
                redis::cmd("INFO").arg("replication").query(&mut connection).unwrap();
            info.contains("master_link_status:up")
        });
        let again = node.submit(add("b", "ada", 1, "first")).expect("the replica has it");
        assert_eq!(placed(&again).0, Score::Integer(1));
        let held = converged(&replica, &[&node]);
        assert_eq!(held[&b"b"[..]][&b"ada"[..]].0, 1);
    });
}
