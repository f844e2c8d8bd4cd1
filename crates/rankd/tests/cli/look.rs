//! Looking things up on a server: top, rank, snapshot.

use super::host::{Server, run, run_with};

#[test]
fn top_and_rank_print_lines_for_scripts_and_json_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &[]);
    let url = server.url.as_str();
    let rows = "member,score\nada,30\nbob,20\ncyd,10\n";
    run_with(&["import", "--board", "b", "--server", url, "-"], rows).ok();
    let top = run(&["top", "b", "-n", "2", "--server", url]).ok();
    assert_eq!(top, "rank\tmember\tscore\n1\tada\t30\n2\tbob\t20\n");
    let rank = run(&["rank", "b", "bob", "--radius", "1", "--server", url]).ok();
    assert_eq!(rank, "rank\tmember\tscore\tmark\n1\tada\t30\t\n2\tbob\t20\t<\n3\tcyd\t10\t\n");
    let json = run(&["top", "b", "-n", "1", "--json", "--server", url]).ok();
    let expected = "{\"total\":3,\"entries\":[{\"rank\":1,\"member\":\"ada\",\"score\":30}]}\n";
    assert_eq!(json, expected);
    let json = run(&["rank", "b", "cyd", "--json", "--radius", "0", "--server", url]).ok();
    assert!(json.starts_with("{\"member\":\"cyd\",\"score\":10,\"rank\":3,\"total\":3,"), "{json}");
}

#[test]
fn rank_numbers_equal_scores_in_the_style_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &[]);
    let rows = "member,score\na,30\nb,20\nc,20\nd,20\ne,10\nf,10\ng,5\n";
    run_with(&["import", "--board", "b", "--server", &server.url, "-"], rows).ok();
    let cases = [("ordinal", "3 4 5 6 7"), ("competition", "2 2 5 5 7"), ("dense", "2 2 3 3 4")];
    for (style, expected) in cases {
        let rank = ["rank", "b", "e", "--radius", "2", "--style", style, "--server", &server.url];
        let lines = run(&rank).ok();
        let ranks: Vec<_> =
            lines.lines().skip(1).map(|line| line.split('\t').next().unwrap()).collect();
        assert_eq!(ranks.join(" "), expected, "{style}");
        let marked: Vec<_> = lines.lines().filter(|line| line.ends_with("\t<")).collect();
        let own = expected.split(' ').nth(2).unwrap();
        assert_eq!(marked, [format!("{own}\te\t10\t<")], "{style}");
    }
}

#[test]
fn unknown_boards_and_members_end_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &[]);
    let error = run(&["top", "nosuch", "--server", &server.url]).fails_with(1);
    assert!(error.starts_with("rankd: ") && error.contains("unknown-board"), "{error}");
    run_with(&["import", "--board", "b", "--server", &server.url, "-"], "member,score\na,1\n").ok();
    let error = run(&["rank", "b", "zoe", "--server", &server.url]).fails_with(1);
    assert!(error.contains("unknown-member"), "{error}");
}

#[test]
fn snapshot_names_the_file_that_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("serve", folder.path(), &[]);
    run_with(&["import", "--board", "b", "--server", &server.url, "-"], "member,score\na,1\n").ok();
    let out = run(&["snapshot", "--server", &server.url]).ok();
    let file = out.split(':').next().unwrap();
    assert!(folder.path().join(file).is_file(), "{out}");
    assert!(out.contains(": 1 member on 1 board up to record 2, "), "{out}");
}
