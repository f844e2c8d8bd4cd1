//! Redis loses what it had acknowledged: that is noticed, counted, told, and all nodes agree again.

use std::time::Duration;

use rankd_engine::{Health, Score, Storage as _, StoreError};
use rankd_redis::{RedisOptions, accept, reseed};

use crate::node::{Node, QUICK, acknowledged, assert_present_or_told, converged, held, wait_until};
use crate::on_both;
use crate::proxy::Proxy;
use crate::support::{Program, Server};

fn url(server: &Server) -> String {
    format!("{}?{QUICK}", server.url())
}

/// How long a loss may stay unnoticed.
const NOTICED: Duration = Duration::from_secs(2);

fn save(server: &Server) {
    redis::cmd("SAVE").exec(&mut server.connection()).expect("saved");
}

#[test]
fn a_lost_tail_is_noticed_by_all_nodes_and_its_tokens_are_told() {
    on_both(|program| {
        let mut server = Server::start(program, &[]);
        let (a, b) = (Node::open(&url(&server)), Node::open(&url(&server)));
        let kept = a.write("b", "ada", 1).expect("written");
        let kept = a.token(&kept);
        save(&server);
        let lost = a.write("b", "ada", 2).expect("written");
        let lost = a.token(&lost);
        b.reached(&lost).expect("b has it");
        server.kill();
        server.restart();
        let noticed = wait_until("both notice", || {
            a.store.health() == Health::Ready
                && b.store.health() == Health::Ready
                && a.score("b", "ada") == Some(Score::Integer(1))
                && b.score("b", "ada") == Some(Score::Integer(1))
        });
        assert!(noticed < NOTICED, "{noticed:?}");
        assert!(a.counter("redis_losses") + b.counter("redis_losses") >= 1);
        for node in [&a, &b] {
            let told = node.reached(&lost);
            assert!(matches!(told, Err(StoreError::WriteLost(_))), "{told:?}");
            node.reached(&kept).expect("it survived");
        }
        a.write("b", "ada", 3).expect("writes go on");
        converged(&server, &[&a, &b]);
    });
}

#[test]
fn a_history_that_was_written_anew_behind_a_nodes_back_is_noticed_by_its_first_entry() {
    on_both(|program| {
        let mut server = Server::start(program, &[]);
        let proxy = Proxy::start(server.socket());
        let a = Node::open(&proxy.url(QUICK));
        a.write("b", "ada", 1).expect("written");
        save(&server);
        let lost = a.write("b", "ada", 2).expect("written");
        let lost = a.token(&lost);
        proxy.black_hole();
        server.kill();
        server.restart();
        // A node that never saw the lost entry writes over it, and beyond.
        let c = Node::open(&url(&server));
        for i in 0..5 {
            c.write("b", "cyd", 10 + i).expect("written");
        }
        proxy.restore();
        let noticed = wait_until("a notices", || a.counter("redis_losses") == 1);
        assert!(noticed < NOTICED, "{noticed:?}");
        converged(&server, &[&a, &c]);
        assert_eq!(a.score("b", "ada"), Some(Score::Integer(1)));
        for node in [&a, &c] {
            let told = node.reached(&lost);
            assert!(matches!(told, Err(StoreError::WriteLost(_))), "{told:?}");
        }
    });
}

#[test]
fn a_failover_behind_a_held_replication_link_is_noticed_and_the_old_primary_is_left() {
    on_both(|program| {
        let (old, new) = (Server::start(program, &[]), Server::start(program, &[]));
        let (replication, front) = (Proxy::start(old.socket()), Proxy::start(old.socket()));
        let mut replica = new.connection();
        let arguments = ["127.0.0.1".to_owned(), replication.port().to_string()];
        redis::cmd("REPLICAOF").arg(&arguments).exec(&mut replica).expect("a replica");
        let (a, b) = (Node::open(&front.url(QUICK)), Node::open(&front.url(QUICK)));
        let mut written = acknowledged(&a, "kept ", 10);
        wait_until("the replica has it", || {
            let info: String = redis::cmd("INFO").arg("replication").query(&mut replica).unwrap();
            let is_up = info.contains("master_link_status:up");
            is_up && held(&mut replica, 0..2).values().any(|board| board.len() == 10)
        });
        replication.black_hole();
        written.extend(acknowledged(&a, "lost ", 10));
        // The replica is promoted; the old primary lives on, and nobody is led to it any more.
        redis::cmd("REPLICAOF").arg(&["NO", "ONE"]).exec(&mut replica).expect("promoted");
        front.lead_to(new.socket());
        let noticed = wait_until("the loss is noticed", || {
            a.counter("redis_losses") + b.counter("redis_losses") >= 1
        });
        assert!(noticed < NOTICED, "{noticed:?}");
        let held = converged(&new, &[&a, &b]);
        assert_eq!(held[&b"b"[..]].len(), 10, "the tail is gone");
        assert_present_or_told(&b, &held, &written);
        written.extend(acknowledged(&b, "new ", 10));
        let held = converged(&new, &[&a, &b]);
        assert_present_or_told(&a, &held, &written);
        assert_eq!(held[&b"b"[..]].len(), 20);
    });
}

#[test]
fn an_emptied_server_takes_no_writes_until_an_operator_accepts_the_loss() {
    on_both(|program| {
        let mut server = Server::start(program, &[]);
        let (a, b) = (Node::open(&url(&server)), Node::open(&url(&server)));
        let lost = a.write("b", "ada", 1).expect("written");
        let lost = a.token(&lost);
        b.reached(&lost).expect("b has it");
        server.kill();
        server.restart();
        for node in [&a, &b] {
            node.wait_for_health(|health| matches!(health, Health::ReadOnly { .. }));
            // The first one may meet a connection to the server that is gone.
            wait_until("writes are refused", || {
                let refused = node.write("b", "bob", 1).expect_err("nothing may be written");
                matches!(refused, StoreError::ReadOnly(_))
            });
            assert_eq!(node.score("b", "ada"), Some(Score::Integer(1)), "the past is served");
        }
        let keys: i64 = redis::cmd("DBSIZE").query(&mut server.connection()).expect("a size");
        assert_eq!(keys, 0, "nothing was written");
        let options = RedisOptions::parse(&url(&server)).expect("a URL");
        assert_eq!(accept(options).expect("accepted"), 2);
        let held = converged(&server, &[&a, &b]);
        assert!(held.is_empty());
        for node in [&a, &b] {
            let told = node.reached(&lost);
            assert!(matches!(told, Err(StoreError::WriteLost(_))), "{told:?}");
            assert!(node.counter("redis_losses") >= 1);
        }
        a.write("b", "ada", 5).expect("writes go on");
        converged(&server, &[&a, &b]);
    });
}

#[test]
fn an_emptied_server_is_filled_again_from_a_nodes_memory() {
    on_both(|program| {
        let mut server = Server::start(program, &[]);
        let (a, b) = (Node::open(&url(&server)), Node::open(&url(&server)));
        for i in 0..30 {
            let board = format!("b{}", i % 5);
            a.write(&board, &format!("m{i}"), i64::MAX - i).expect("written");
        }
        let before = converged(&server, &[&a, &b]);
        server.kill();
        server.restart();
        for node in [&a, &b] {
            node.wait_for_health(|health| matches!(health, Health::ReadOnly { .. }));
        }
        let options = RedisOptions::parse(&url(&server)).expect("a URL");
        assert_eq!(reseed(options).expect("asked for"), 2);
        assert_eq!(converged(&server, &[&a, &b]), before);
        b.write("b1", "m1", 7).expect("writes go on");
        converged(&server, &[&a, &b]);
    });
}

#[test]
fn ids_that_a_loss_gave_out_again_lead_to_other_boards_on_every_node() {
    on_both(|program| {
        let mut server = Server::start(program, &[]);
        let proxy = Proxy::start(server.socket());
        let (a, b) = (Node::open(&proxy.url(QUICK)), Node::open(&url(&server)));
        a.write("{x}kept", "ada", 1).expect("written");
        save(&server);
        let lost = a.write("{x}lost", "bob", 2).expect("written");
        let lost = a.token(&lost);
        b.reached(&lost).expect("b has it");
        proxy.black_hole();
        server.kill();
        server.restart();
        // The number of the lost board goes to another one, before `a` looks again.
        wait_until("b has noticed", || b.counter("redis_losses") == 1);
        b.wait_for_health(|health| *health == Health::Ready);
        b.write("{x}other", "cyd", 3).expect("written");
        proxy.restore();
        let held = converged(&server, &[&a, &b]);
        let names: Vec<_> = held.keys().map(|name| String::from_utf8_lossy(name)).collect();
        assert_eq!(names, ["{x}kept", "{x}other"]);
        assert_eq!(a.score("{x}lost", "bob"), None);
        assert_eq!(a.score("{x}other", "cyd"), Some(Score::Integer(3)));
    });
}

#[test]
fn a_token_of_a_lost_write_is_told_by_a_node_that_never_saw_it() {
    let mut server = Server::start(Program::Redis, &[]);
    let a = Node::open(&url(&server));
    let kept = a.token(&a.write("b", "ada", 1).expect("written"));
    save(&server);
    let lost = a.token(&a.write("b", "ada", 2).expect("written"));
    // The only node that knew ends with the server.
    drop(a);
    server.kill();
    server.restart();
    let c = Node::open(&url(&server));
    c.reached(&kept).expect("it survived");
    assert!(matches!(c.reached(&lost), Err(StoreError::Behind(_))), "nothing is known of it yet");
    c.write("b", "cyd", 3).expect("written");
    // In the same incarnation: nobody could notice.
    let d = Node::open(&url(&server));
    for node in [&c, &d] {
        let told = node.reached(&lost);
        assert!(matches!(told, Err(StoreError::WriteLost(_))), "{told:?}");
        node.reached(&kept).expect("it survived");
    }
}

#[test]
fn a_node_that_must_not_make_a_store_does_not_start_on_an_empty_server() {
    let server = Server::start(Program::Redis, &[]);
    let found_only = format!("{}&create=no", url(&server));
    let error = Node::try_open(&found_only).err().expect("refused").to_string();
    assert!(error.contains("create=no"), "{error}");
    let keys: i64 = redis::cmd("DBSIZE").query(&mut server.connection()).expect("a size");
    assert_eq!(keys, 0, "nothing was written");
    drop(Node::open(&url(&server)));
    drop(Node::open(&found_only));
}
