//! Goal: bad input gets an error that names the place, and nothing accepted before it is lost.
//! Method: the real program on real files and requests; what is on the board is counted after.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use rankd_client::ClientError;
use rankd_e2e::{Server, command, run, run_ok, texts};

/// A file of 100 000 rows after a header, in which line 90 417 has this score.
fn csv_with(folder: &Path, score: &str) -> String {
    let mut text = String::from("member,score\n");
    for line in 2..=100_001 {
        let row = if line == 90_417 { score.to_owned() } else { line.to_string() };
        writeln!(text, "m{line},{row}").expect("a string grows");
    }
    let path = folder.join("rows.csv");
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

async fn count(server: &Server, board: &str) -> u64 {
    server.client().board(board).await.map_or(0, |board| board.count)
}

#[tokio::test]
async fn an_import_stops_at_a_bad_number_in_line_90417_and_goes_on_from_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    let csv = csv_with(folder.path(), "9o417");
    let import = ["import", "--board", "b", "--server", &server.url, &csv];
    let output = run(&import);
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    for part in
        ["line 90417", "`score`", "9o417", "90 000 rows, up to line 90001", "--from-line 90002\n"]
    {
        assert!(err.contains(part), "{part} is not in: {err}");
    }
    assert_eq!(count(&server, "b").await, 90_000);

    csv_with(folder.path(), "90417");
    let _ = run_ok(&[&import[..], &["--from-line", "90002"]].concat());
    assert_eq!(count(&server, "b").await, 100_000);
    let mended = server.client().standing("b", "m90417", Default::default()).await;
    assert_eq!(mended.expect("imported").score.to_string(), "90417");
}

#[tokio::test]
async fn a_file_mended_in_place_and_imported_again_by_the_same_command_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    let csv = csv_with(folder.path(), "9o417");
    let import = ["import", "--board", "b", "--operator", "sum", "--server", &server.url, &csv];
    assert_eq!(run(&import).status.code(), Some(1));
    csv_with(folder.path(), "90417");
    let _ = run_ok(&import);
    let (client, mut rank) = (server.client(), 0_u64);
    while rank < 100_000 {
        let page = client.top("b", rank, 1000, Default::default()).await.expect("the board");
        for entry in page.entries {
            let line = 100_001 - rank;
            let (member, score) = (entry.member.to_string(), entry.score.to_string());
            assert_eq!((member, score), (format!("m{line}"), line.to_string()));
            rank += 1;
        }
    }
    assert_eq!(count(&server, "b").await, rank);
}

#[tokio::test]
async fn unreadable_files_say_where_and_leave_the_board_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    let cases: [(&[u8], &[&str]); 4] = [
        (b"player,score\na,1\n", &["`member`", "player"]),
        (b"member,score\na,1\n\"b,2\nc,3\n", &["line 3", "quote"]),
        (b"member,score\na,1\nJos\xE9,2\n", &["line 3", "UTF-8"]),
        (b"member,score\na,1\nb,99999999999999999999\n", &["line 3", "99999999999999999999"]),
    ];
    for (number, (bytes, parts)) in cases.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.csv"));
        std::fs::write(&path, bytes).expect("a file");
        let board = format!("b{number}");
        let output = command(&["import", "--board", &board, "--server", &server.url])
            .arg(&path)
            .output()
            .expect("rankd can be started");
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(parts.iter().all(|part| err.contains(part)), "{parts:?} are not in: {err}");
        assert_eq!(count(&server, &board).await, 0, "{err}");
    }
}

/// Sends bytes, and returns the status line and the body of what comes back.
fn raw(server: &Server, request: &str) -> String {
    let address = server.url.strip_prefix("http://").expect("an http URL");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn put(body: &str) -> String {
    format!(
        "PUT /v1/boards/b/members/m HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn bad_scores_over_a_bare_socket_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let bodies = [
        ("{\"score\": NaN}", "column"),
        ("{\"score\": 1", "column"),
        ("{\"score\": \"7\"}", "score"),
        ("{\"score\": \"inf\"}", "score"),
        ("{\"score\": 1e999}", "score"),
        ("{\"score\": 1.5}", "1.5"),
        ("{\"score\": 9223372036854775808}", "9223372036854775808"),
        ("{\"score\": null}", "score"),
        ("{}", "score"),
        ("[]", "column"),
    ];
    for (body, part) in bodies {
        let answer = raw(&server, &put(body));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{body}: {answer}");
        assert!(answer.contains("application/problem+json"), "{body}: {answer}");
        assert!(answer.contains(part), "{body}: {part} is not in: {answer}");
    }
    assert_eq!(count(&server, "b").await, 0, "nothing was written");
    assert!(raw(&server, &put("{\"score\": -9223372036854775808}")).starts_with("HTTP/1.1 200 "));
    let client = server.client();
    let unknown = client.top("nowhere", 0, 1, Default::default()).await;
    assert!(unknown.as_ref().is_err_and(ClientError::is_unknown), "{unknown:?}");
}

#[test]
fn a_folder_that_another_process_serves_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let path = folder.path().to_str().expect("UTF-8");
    let second = run(&["serve", "--data", path, "--http", "127.0.0.1:0"]);
    let (_, err) = texts(&second);
    assert!(!second.status.success() && err.contains(path), "{err}");
    assert!(err.contains("in use"), "{err}");
    let (_, err) = texts(&run(&["export", "--board", "b", "--data", path]));
    assert!(err.contains("in use") && err.contains("--server"), "{err}");
    assert!(server.stop().success());
}
