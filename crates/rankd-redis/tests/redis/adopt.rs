//! Sorted sets that were there before rankd become boards.

use rankd_engine::Score;
use rankd_redis::{Adopted, RedisOptions, adopt};

use crate::node::{Node, QUICK};
use crate::once_on_both;
use crate::support::Server;

#[test]
fn sorted_sets_become_boards_in_the_same_order_and_stay_as_they_are() {
    once_on_both(|program| {
        let (old, new) = (Server::start(program, &[]), Server::start(program, &[]));
        let mut connection = old.connection();
        for i in 0..2_500 {
            let mut zadd = redis::cmd("ZADD");
            zadd.arg("lb:a").arg(f64::from(i % 97) / 4.0).arg(format!("m{i}"));
            zadd.exec(&mut connection).expect("added");
        }
        redis::cmd("ZADD").arg(&["lb:b", "inf", "top"]).exec(&mut connection).expect("added");
        redis::cmd("ZADD").arg(&["other", "1", "x"]).exec(&mut connection).expect("added");
        redis::cmd("SET").arg(&["lb:c", "text"]).exec(&mut connection).expect("set");
        let node = Node::open(&format!("{}?{QUICK}", new.url()));
        let source = RedisOptions::parse(&old.url()).expect("a URL");
        let take = || node.block_on(adopt(&source, "lb:*", &node.store, 5)).expect("taken over");
        assert_eq!(take(), Adopted { boards: 2, members: 2_501, changed: 2_501 });
        assert_eq!(take(), Adopted { boards: 2, members: 2_501, changed: 0 });
        assert!(node.state.board(b"other").is_none());
        assert_eq!(node.score("lb:b", "top"), Some(Score::Float(f64::INFINITY)));
        let expected: Vec<String> = redis::cmd("ZRANGE")
            .arg(&["lb:a", "0", "-1"])
            .query(&mut connection)
            .expect("still there");
        let board = node.state.board(b"lb:a").expect("a board");
        let entries = board.top(0, 10_000).entries.into_iter();
        let got: Vec<String> =
            entries.map(|entry| String::from_utf8_lossy(&entry.member).into_owned()).collect();
        assert_eq!(got, expected);
    });
}
