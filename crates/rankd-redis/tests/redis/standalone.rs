//! One server that works: nodes agree, tokens and keys hold, limits are kept.

use rankd_engine::{
    Answer, Definition, Health, Intent, Outcome, Rejection, Score, Storage as _, StoreError,
};

use crate::node::{Node, QUICK, add, batch, converged, placed, write};
use crate::on_both;
use crate::support::{Program, Server};

fn url(server: &Server) -> String {
    format!("{}?{QUICK}", server.url())
}

#[test]
fn a_write_on_one_node_is_read_on_another() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let (a, b) = (Node::open(&url(&server)), Node::open(&url(&server)));
        for (member, score, rank) in [("ada", 10, 1), ("bob", 30, 1), ("cyd", 20, 2)] {
            let receipt = a.write("weekly", member, score).expect("written");
            assert_eq!(placed(&receipt), (Score::Integer(score), rank));
            b.reached(&a.token(&receipt)).expect("b has it");
            assert_eq!(b.score("weekly", member), Some(Score::Integer(score)));
        }
        let receipt = b.write("weekly", "ada", 40).expect("written");
        let Answer::Fresh(outcomes) = &receipt.answer else { panic!("{receipt:?}") };
        let Some(Outcome::Written { current, previous: Some(previous), .. }) = outcomes.first()
        else {
            panic!("{outcomes:?}")
        };
        assert_eq!((current.rank, previous.rank), (1, 3));
        converged(&server, &[&a, &b]);
        // A node that comes later scans what is there.
        let c = Node::open(&url(&server));
        converged(&server, &[&a, &b, &c]);
    });
}

#[test]
fn increments_from_three_nodes_at_once_are_each_counted_once() {
    const EACH: i64 = 150;
    on_both(|program| {
        let server = Server::start(program, &[]);
        let nodes: Vec<_> = (0..3).map(|_| Node::open(&url(&server))).collect();
        std::thread::scope(|scope| {
            for (number, node) in nodes.iter().enumerate() {
                scope.spawn(move || {
                    for i in 0..EACH {
                        let key = format!("{number} {i}");
                        let receipt = node.submit(add("sums", "ada", 1, &key)).expect("written");
                        // Every second one is repeated, at once.
                        if i % 2 == 0 {
                            let again = node.submit(add("sums", "ada", 1, &key)).expect("known");
                            assert!(matches!(again.answer, Answer::Repeated(_)));
                            assert_eq!(placed(&again).0, placed(&receipt).0);
                        }
                    }
                });
            }
        });
        let all: Vec<&Node> = nodes.iter().collect();
        let held = converged(&server, &all);
        assert_eq!(held[&b"sums"[..]][&b"ada"[..]].0, 3 * EACH);
    });
}

#[test]
fn boards_are_made_and_deleted_on_all_nodes() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let (a, b) = (Node::open(&url(&server)), Node::open(&url(&server)));
        let name: Box<[u8]> = b"season".as_slice().into();
        let create = Intent::CreateBoard { name: name.clone(), definition: Definition::default() };
        a.submit(batch(vec![create.clone()])).expect("created");
        a.write("season", "ada", 1).expect("written");
        let receipt = a.submit(batch(vec![Intent::DeleteBoard { name: name.clone() }]));
        b.reached(&a.token(&receipt.expect("deleted"))).expect("b has it");
        assert!(b.state.board(&name).is_none());
        let receipt = b.submit(batch(vec![create])).expect("created");
        a.reached(&b.token(&receipt)).expect("a has it");
        assert_eq!(a.score("season", "ada"), None);
        converged(&server, &[&a, &b]);
    });
}

#[test]
fn a_batch_over_two_partitions_is_refused_and_braces_keep_boards_together() {
    let server = Server::start(Program::Redis, &[]);
    let node = Node::open(&url(&server));
    let names: Vec<String> = (0..20).map(|i| format!("board {i}")).collect();
    let apart = names.iter().map(|name| write(name, "ada", 1)).collect();
    assert_eq!(node.submit(batch(apart)), Err(StoreError::CrossPartition));
    assert_eq!(node.state.totals().boards, 0);
    let together = names.iter().map(|name| write(&format!("{{x}}{name}"), "ada", 1)).collect();
    node.submit(batch(together)).expect("one partition");
    assert_eq!(node.state.totals().boards, 20);
    converged(&server, &[&node]);
}

#[test]
fn what_is_refused_has_no_effect_and_says_why() {
    let server = Server::start(Program::Redis, &[]);
    let node = Node::open(&url(&server));
    node.write("b", "ada", i64::MAX).expect("written");
    let receipt = node.submit(add("b", "ada", 1, "k")).expect("answered");
    let Answer::Fresh(outcomes) = &receipt.answer else { panic!("{receipt:?}") };
    assert!(
        matches!(outcomes.as_slice(), [Outcome::Rejected(Rejection::Score(_))]),
        "{outcomes:?}"
    );
    let again = node.submit(add("b", "ada", 1, "k")).expect("answered");
    assert!(matches!(again.answer, Answer::Repeated(_)));
    assert_eq!(node.score("b", "ada"), Some(Score::Integer(i64::MAX)));
    let mut reused = add("b", "ada", 2, "k");
    reused.idempotency.as_mut().expect("a key").digest = [8; 16];
    assert_eq!(node.submit(reused), Err(StoreError::KeyReused));
    assert!(matches!(node.reached("nonsense"), Err(StoreError::BadToken(_))));
    converged(&server, &[&node]);
}

#[test]
fn a_server_that_would_throw_data_away_is_refused() {
    let arguments = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let server = Server::start(Program::Redis, &arguments);
    let error = Node::try_open(&url(&server)).err().expect("refused").to_string();
    assert!(error.contains("allkeys-lru") && error.contains("noeviction"), "{error}");
}

#[test]
fn another_number_of_partitions_is_refused() {
    let server = Server::start(Program::Redis, &[]);
    drop(Node::open(&url(&server)));
    let error = Node::try_open(&format!("{}?partitions=3", server.url())).err().expect("refused");
    assert_eq!(error.to_string(), "the store has 2 partitions, and the URL says 3");
}

#[test]
fn a_full_server_refuses_writes_whole_and_takes_them_again_when_there_is_room() {
    on_both(|program| {
        let server = Server::start(program, &[]);
        let node = Node::open(&url(&server));
        for i in 0..50 {
            node.write("b", &format!("m{i}"), i).expect("written");
        }
        let mut admin = server.connection();
        let mut set = |value: &str| {
            let arguments = ["SET", "maxmemory", value];
            redis::cmd("CONFIG").arg(&arguments).exec(&mut admin).expect("set");
        };
        set("1");
        let before = converged(&server, &[&node]);
        let many = (0..200).map(|i| write("b", &format!("n{i}"), i)).collect();
        let refused = node.submit(batch(many));
        assert!(
            matches!(&refused, Err(StoreError::ReadOnly(why)) if why.contains("OOM")),
            "{refused:?}"
        );
        assert!(matches!(node.submit(add("b", "m1", 5, "k")), Err(StoreError::ReadOnly(_))));
        assert_eq!(converged(&server, &[&node]), before);
        set("0");
        node.submit(add("b", "m1", 5, "k")).expect("there is room");
        assert_eq!(node.score("b", "m1"), Some(Score::Integer(6)));
        assert_eq!(node.store.health(), Health::Ready);
    });
}
