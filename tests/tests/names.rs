//! Goal: any UTF-8 name and any `i64` go in and come out as they are.
//! Method: random names under proptest beside a list of troublesome ones, over a real server;
//! the expected ranks come from sorting here.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rankd_client::{Client, Extras, Name, Order, Score};
use rankd_e2e::Server;

const TROUBLE: [&str; 16] = [
    "/",
    "..",
    ".",
    "a/b//c",
    "%2F",
    "%",
    "a b+c",
    "?x=1#y",
    "\u{0}",
    "\n",
    "\"\\",
    "\u{202e}abc",
    "e\u{301}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{10ffff}",
    "members",
];

fn random_names(runner: &mut TestRunner, count: usize) -> Vec<String> {
    let strategy = proptest::collection::vec(any::<char>(), 1..40)
        .prop_map(|chars| chars.into_iter().collect::<String>());
    (0..count).map(|_| strategy.new_tree(runner).expect("a name").current()).collect()
}

async fn put_and_check(client: &Client, board: &str, rows: &[(String, i64)], order: Order) {
    for (member, score) in rows {
        let written = client
            .put_score(board, member, &Score::from(*score), &Default::default())
            .await
            .expect(member);
        assert_eq!((&written.member, &written.score), (&Name::from(&**member), &(*score).into()));
        assert_eq!(written.previous, None, "{member:?} is new");
    }
    let mut expected: Vec<_> = rows.iter().enumerate().collect();
    expected.sort_by_key(|(written, (_, score))| {
        // Widened, so that the lowest score can be negated.
        let score = i128::from(*score);
        (if order == Order::Descending { -score } else { score }, *written)
    });
    for (rank, (_, (member, score))) in (1_u64..).zip(&expected) {
        let standing = client.standing(board, member, Default::default()).await;
        let standing = standing.expect(member);
        assert_eq!((standing.rank, &standing.score), (rank, &Score::from(*score)), "{member:?}");
        let around = client.around(board, member, 1, Extras::NONE).await.expect("neighbours");
        assert!(around.entries.iter().any(|entry| entry.member == Name::from(&**member)));
    }
}

#[tokio::test]
async fn any_name_and_any_score_can_be_written_and_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let mut runner = TestRunner::deterministic();
    let mut names: Vec<String> = TROUBLE.iter().map(|name| (*name).to_owned()).collect();
    names.push("x".repeat(512));
    names.extend(random_names(&mut runner, 300));
    names.sort();
    names.dedup();
    let scores = [i64::MIN, i64::MAX, -1, 0, 1, i64::MIN + 1, i64::MAX - 1, -1, 0, 1 << 53, 7, 7];
    let rows: Vec<_> = names.into_iter().zip(scores.into_iter().cycle()).collect();
    let client = server.client();
    for board in ["plain", "a board/with \u{1f3c6}?&#%41"] {
        put_and_check(&client, board, &rows, Order::Descending).await;
    }
    assert!(server.stop().success());

    let server = Server::start(folder.path());
    let board = server.client().board("a board/with \u{1f3c6}?&#%41").await.expect("kept");
    assert_eq!(board.count, rows.len() as u64);
}

#[tokio::test]
async fn names_over_512_bytes_are_refused_with_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let client = server.client();
    let long = "n".repeat(513);
    for (board, member) in [("b", &*long), (&*long, "m")] {
        let refused = client.put_score(board, member, &1.into(), &Default::default()).await;
        let problem = refused.expect_err("too long");
        let problem = problem.problem().expect("the server said why").clone();
        assert_eq!(problem.status, 400, "{problem:?}");
        assert!(problem.detail.contains("513") && problem.detail.contains("512"), "{problem:?}");
    }
}
