//! Imports into a folder and into a server: what goes in, what is said, and how to go on.

use std::path::{Path, PathBuf};

use super::host::{Server, run, run_with};

/// A folder with a data folder and files in it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("room on the disk");
        text(&path)
    }

    pub(crate) fn data(&self) -> String {
        text(&self.path("data"))
    }

    /// The board in the data folder, as CSV without times.
    fn board(&self, board: &str) -> Vec<String> {
        let csv = run(&["export", "--board", board, "--data", &self.data()]).ok();
        without_times(&csv)
    }
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// The program as these tests start it, and as it names itself in commands to go on with.
const RANKD: &str = env!("CARGO_BIN_EXE_rankd");

fn without_times(csv: &str) -> Vec<String> {
    let without = |line: &str| line.rsplit_once(',').map(|(row, _time)| row.to_owned());
    csv.lines().skip(1).filter_map(without).collect()
}

#[test]
fn a_batch_with_a_bad_line_is_not_written_and_the_printed_command_goes_on() {
    let place = Place::new();
    let data = place.data();
    let file = place.file("s.csv", "member,score\nada,3\nbob,x\ncyd,1\n");
    let import = ["import", "--board", "b", "--operator", "sum", "--data", &data, &file];
    let error = run(&import).fails_with(1);
    let expected = format!(
        "rankd: {file}: line 3, column `score`: `x` is not a number\n\
         imported no rows; nothing from line 2 on. Mend it, then go on with:\n  \
         {RANKD} import --board b --operator sum --data {data} {file} --from-line 2\n\
         Or run the same command again: rows that are in do not count twice within 24 hours.\n\
         Or add --skip-bad to pass over rows that cannot be read.\n"
    );
    assert_eq!(error, expected);
    assert!(place.board("b").is_empty());
    place.file("s.csv", "member,score\nada,3\nbob,2\ncyd,1\n");
    let command = error.lines().find_map(|line| line.strip_prefix("  ")).unwrap();
    let command = command.strip_prefix(RANKD).unwrap().trim_start();
    run(&command.split(' ').collect::<Vec<_>>()).ok();
    assert_eq!(place.board("b"), ["1,ada,3", "2,bob,2", "3,cyd,1"]);
}

#[test]
fn bad_rows_are_passed_over_on_request_and_listed() {
    let place = Place::new();
    let file = place.file("s.csv", b"member,score\nada,1\n\xE9,2\nbob\ncyd,3\n");
    let done = run(&["import", "--board", "b", "--data", &place.data(), "--skip-bad", &file]);
    assert!(done.err.contains("passed over 2 bad rows"), "{}", done.err);
    assert!(done.err.contains("line 4 has 1 field, but the header has 2"), "{}", done.err);
    assert!(done.ok().starts_with("imported 2 rows onto `b` in "));
    assert_eq!(place.board("b"), ["1,cyd,3", "2,ada,1"]);
}

#[test]
fn a_bad_header_creates_no_board() {
    let place = Place::new();
    let file = place.file("s.csv", "name,points\nada,1\n");
    let error = run(&["import", "--board", "b", "--data", &place.data(), &file]).fails_with(1);
    assert!(error.contains("has no column `member`; it has: `name`, `points`"), "{error}");
    let error = run(&["export", "--board", "b", "--data", &place.data()]).fails_with(1);
    assert_eq!(error, "rankd: there is no board `b`\n");
}

#[test]
fn the_same_file_counts_once_unless_asked_again() {
    let place = Place::new();
    let data = place.data();
    let file = place.file("s.csv", "member,score\nada,5\nbob,2\n");
    let import = ["import", "--board", "b", "--operator", "sum", "--data", &data, &file];
    run(&import).ok();
    let repeated = run(&import);
    assert!(repeated.err.contains("2 rows had been imported within"), "{}", repeated.err);
    repeated.ok();
    assert_eq!(place.board("b"), ["1,ada,5", "2,bob,2"]);
    run(&[&import[..], &["--again"]].concat()).ok();
    assert_eq!(place.board("b"), ["1,ada,10", "2,bob,4"]);
}

#[test]
fn a_file_mended_in_place_and_imported_again_by_the_same_command_counts_once() {
    let place = Place::new();
    let data = place.data();
    let mut rows = "member,score\n".to_owned();
    (0..10_003).for_each(|number| rows.push_str(&format!("m{},1\n", number % 3)));
    let file = place.file("s.csv", format!("{rows}m0,l\nm1,1\n"));
    let import = ["import", "--board", "b", "--operator", "sum", "--data", &data, &file];
    let error = run(&import).fails_with(1);
    let so_far = "imported 10 000 rows, up to line 10001; nothing from line 10002 on.";
    assert!(error.contains(so_far) && error.contains("--from-line 10002\n"), "{error}");
    place.file("s.csv", format!("{rows}m0,1\nm1,1\n"));
    let again = run(&import);
    assert!(again.err.contains("10 000 rows had been imported within"), "{}", again.err);
    let out = again.ok();
    assert!(out.starts_with("imported 5 rows onto `b` in "), "{out}");
    assert!(out.ends_with(": 5 changed it, 0 did not; 10 000 more had been imported before\n"));
    assert_eq!(place.board("b"), ["1,m0,3336", "2,m1,3335", "3,m2,3334"]);
}

#[test]
fn rows_of_an_earlier_run_are_not_counted_as_changes_of_this_one() {
    let place = Place::new();
    let (data, file) = (place.data(), place.file("s.csv", "member,score\nada,5\n"));
    let import = ["import", "--board", "b", "--json", "--data", &data, &file];
    let first = run(&import).ok();
    assert!(first.contains("\"changed\":1,") && first.contains("\"replayed\":0,"), "{first}");
    let again = run(&import).ok();
    for part in ["\"rows\":0,", "\"changed\":0,", "\"unchanged\":0", "\"replayed\":1,"] {
        assert!(again.contains(part), "{part} is not in {again}");
    }
}

#[test]
fn a_line_beyond_the_end_is_warned_of_with_the_last_line() {
    let place = Place::new();
    let (data, file) = (place.data(), place.file("s.csv", "member,score\nada,5\nbob,6\n"));
    let done = run(&["import", "--board", "b", "--data", &data, "--from-line", "50", &file]);
    assert_eq!(done.err, "warning: --from-line 50: the input ends with line 3\n");
    assert!(done.ok().starts_with("imported 0 rows onto `b` in "));
}

#[test]
fn rows_that_the_board_refuses_are_named_and_the_others_of_their_batch_are_in() {
    let place = Place::new();
    let data = place.data();
    let file = place.file("s.csv", format!("member,score\na,{}\na,1\nb,7\n", i64::MAX));
    let import = ["import", "--board", "b", "--operator", "sum", "--data", &data, &file];
    let error = run(&import).fails_with(1);
    assert!(error.contains("1 row refused:\n  line 3: "), "{error}");
    assert!(error.contains("--from-line 5\n"), "{error}");
    assert_eq!(place.board("b"), [format!("1,a,{}", i64::MAX), "2,b,7".to_owned()]);
}

#[test]
fn a_board_is_created_as_asked_and_must_be_as_asked() {
    let place = Place::new();
    let data = place.data();
    let file = place
        .file("s.jsonl", "{\"member\":\"a\",\"score\":1.5}\n{\"member\":\"b\",\"score\":-2}\n");
    let target = ["import", "--board", "b", "--data", &data, &file];
    run(&[&target[..], &["--score", "float", "--order", "ascending"]].concat()).ok();
    assert_eq!(place.board("b"), ["1,b,-2", "2,a,1.5"]);
    let error = run(&[&target[..], &["--order", "descending"]].concat()).fails_with(2);
    let expected =
        "rankd: --order descending: the board `b` exists with order ascending\n".to_owned();
    assert_eq!(error, expected);
}

#[test]
fn a_folder_in_use_is_refused_with_the_way_out() {
    let place = Place::new();
    let file = place.file("s.csv", "member,score\nada,1\n");
    let _server = Server::start("serve", &place.path("data"), &[]);
    let error = run(&["import", "--board", "b", "--data", &place.data(), &file]).fails_with(1);
    assert!(error.contains("is in use by process"), "{error}");
    assert!(error.contains("work on the server with --server URL"), "{error}");
}

#[test]
fn what_a_server_exports_another_place_imports_with_ties_and_times() {
    let place = Place::new();
    let server = Server::start("serve", &place.path("served"), &[]);
    let rows = "member,score,at\nzoe,7,1000\nada,7,2000\n\"a,\"\"b\n\",9,\nRen\u{e9},7,1500\n";
    let to_server = ["import", "--board", "b/1", "--server", &server.url, "-"];
    run_with(&to_server, rows).ok();
    for format in ["csv", "jsonl"] {
        let file = text(&place.path(&format!("out.{format}")));
        run(&["export", "--board", "b/1", "--server", &server.url, "-o", &file]).ok();
        run(&["import", "--board", format, "--data", &place.data(), &file]).ok();
        let csv = run(&["export", "--board", format, "--data", &place.data()]).ok();
        let ranking = csv.replace("\"a,\"\"b\n\"", "QUOTED");
        let lines: Vec<_> = ranking.lines().skip(2).collect();
        assert!(ranking.contains("\n1,QUOTED,9,2"), "{ranking}");
        let expected = [
            "2,zoe,7,1970-01-01T00:00:01Z",
            "3,Ren\u{e9},7,1970-01-01T00:00:01.500Z",
            "4,ada,7,1970-01-01T00:00:02Z",
        ];
        assert_eq!(lines, expected);
    }
}

#[test]
fn many_rows_go_in_batch_by_batch_and_each_once() {
    let place = Place::new();
    let server = Server::start("serve", &place.path("served"), &["--durability", "os"]);
    let mut rows = "member,score\n".to_owned();
    (0..25_000).for_each(|number| rows.push_str(&format!("m{},1\n", number % 5_000)));
    let import = ["import", "--board", "b", "--operator", "sum", "--server", &server.url, "-"];
    let out = run_with(&import, &rows).ok();
    assert!(out.starts_with("imported 25 000 rows onto `b` in "), "{out}");
    let top = run(&["top", "b", "-n", "1000", "--offset", "4000", "--server", &server.url]).ok();
    let scores: Vec<_> =
        top.lines().skip(1).map(|line| line.rsplit('\t').next().unwrap()).collect();
    assert_eq!(scores, vec!["5"; 1000]);
}
