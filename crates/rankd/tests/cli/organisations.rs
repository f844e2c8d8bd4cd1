//! Synthetic data on its way through files into a server, bad rows among it, and the demo's
//! organisations on the three published surfaces.

use rustix::process::Signal;
use serde_json::Value;

use super::host::{Server, rankd, run, run_with};
use super::http::{get, request};
use super::import::{Place, text};

/// The program as these tests start it, and as it names itself in commands to go on with.
const RANKD: &str = env!("CARGO_BIN_EXE_rankd");

/// Writes a data set that ends today.
fn generate(kind: &str, place: &Place, extra: &[&str]) -> String {
    let folder = text(&place.path(kind));
    let flags = ["generate", "--kind", kind, "--users", "50", "--days", "300", "--out", &folder];
    run(&[&flags[..], &["--activities", "3000"], extra].concat()).ok();
    folder
}

fn import(server: &Server, flag: &str, file: &str) -> String {
    run(&["import", flag, file, "--server", &server.url]).ok()
}

/// Rows, changed and unchanged of an import.
fn tally(server: &Server, flag: &str, file: &str) -> [u64; 3] {
    let out = run(&["import", flag, file, "--json", "--server", &server.url]).ok();
    let json: Value = serde_json::from_str(&out).expect("JSON");
    ["rows", "changed", "unchanged"].map(|key| json[key].as_u64().expect("a number"))
}

fn sum(server: &Server, orgs: &[u64], key: &str) -> u64 {
    let of = |org| get(&format!("{}/v1/orgs/{org}", server.url))[key].as_u64().expect("a number");
    orgs.iter().map(of).sum()
}

#[test]
fn what_is_generated_is_loaded_once_however_often_it_is_imported() {
    let place = Place::new();
    let server = Server::start("serve", &place.path("data"), &["--durability", "os"]);
    let kinds: [(&str, &[u64]); 3] = [
        ("wintro", &[310]),
        ("keepnet", &[4_000, 4_001]),
        ("capillary", &[60_410, 60_411, 60_412]),
    ];
    for (kind, orgs) in kinds {
        let folder = generate(kind, &place, &["--repeats", "20"]);
        let file = |name: &str| format!("{folder}/{name}.jsonl");
        let lines = std::fs::read_to_string(file("activities")).unwrap().lines().count() as u64;
        let repeats = lines - 3_000;
        assert!((30..100).contains(&repeats), "{repeats}");
        import(&server, "--setup", &file("orgs"));
        assert_eq!(tally(&server, "--users", &file("users")), [50, 50, 0]);
        assert_eq!(tally(&server, "--activities", &file("activities")), [lines, 3_000, repeats]);
        // Once more, all of it.
        import(&server, "--setup", &file("orgs"));
        assert_eq!(tally(&server, "--users", &file("users")), [50, 0, 50]);
        assert_eq!(tally(&server, "--activities", &file("activities")), [lines, 0, lines]);
        assert_eq!(sum(&server, orgs, "users"), 50);
        assert_eq!(sum(&server, orgs, "activities"), 3_000);
    }
    let enrolments = format!("{}/enrolments.jsonl", text(&place.path("capillary")));
    assert_eq!(tally(&server, "--setup", &enrolments), [1, 1, 0]);
}

#[test]
fn generating_twice_gives_the_same_files_and_overwrites_nothing() {
    let places = [Place::new(), Place::new()];
    let until = ["--until", "2026-03-16T12:00:00Z", "--seed", "7"];
    let folders = places.each_ref().map(|place| generate("wintro", place, &until));
    for name in ["orgs.jsonl", "users.jsonl", "activities.jsonl", "README.md"] {
        let [a, b] = folders.each_ref().map(|folder| std::fs::read(format!("{folder}/{name}")));
        assert_eq!(a.unwrap(), b.unwrap(), "{name}");
    }
    let again = ["generate", "--kind", "wintro", "--out", &folders[0]];
    let error = run(&again).fails_with(2);
    assert!(error.contains("the folder is not empty"), "{error}");
}

/// A server with one organisation, whose id is 7.
fn with_organisation(place: &Place) -> Server {
    let server = Server::start("serve", &place.path("data"), &["--durability", "os"]);
    let line = "{\"kind\":\"org\",\"org\":7,\"body\":{\"name\":\"Seven\"}}\n";
    let setup = ["import", "--setup", "--server", &server.url, "-"];
    run_with(&setup, line).ok();
    server
}

fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[test]
fn a_batch_of_activities_with_a_bad_line_is_not_written_and_the_printed_command_goes_on() {
    let place = Place::new();
    let server = with_organisation(&place);
    let (now, url) = (now(), &server.url);
    let good = format!("id,org,user,action,at\na,7,1,x,{now}\nb,7,1,x,{now}\nc,7,2,x,{now}\n");
    let file = place.file("a.csv", good.replace("b,7,1,x", "b,7,I,x"));
    let error = run(&["import", "--activities", &file, "--server", url]).fails_with(1);
    let expected = format!(
        "rankd: {file}: line 3, column `user`: `I` is not an identifier: a number from 1 to \
         9007199254740991\nimported no rows; nothing from line 2 on. Mend it, then go on with:\n  \
         {RANKD} import --activities {file} --server {url} --from-line 2\n\
         Or run the same command again: rows that are in do not count twice.\n\
         Or add --skip-bad to pass over rows that cannot be read.\n"
    );
    assert_eq!(error, expected);
    let skipped = run(&["import", "--activities", &file, "--server", url, "--skip-bad"]);
    assert!(
        skipped.err.starts_with("passed over 1 bad row, the first of them:"),
        "{}",
        skipped.err
    );
    assert!(skipped.ok().ends_with(": 2 new, 0 in already\n"));
    place.file("a.csv", good);
    let command = error.lines().find_map(|line| line.strip_prefix("  ")).unwrap();
    let command = command.strip_prefix(RANKD).unwrap().trim_start();
    let out = run(&command.split(' ').collect::<Vec<_>>()).ok();
    assert!(out.starts_with("imported 3 rows of activities in "), "{out}");
    assert!(out.ends_with(": 1 new, 2 in already\n"), "{out}");
}

#[test]
fn activities_that_the_server_refuses_are_named_by_their_lines() {
    let place = Place::new();
    let server = with_organisation(&place);
    let now = now();
    let rows = format!(
        "{{\"id\":\"a\",\"orgId\":7,\"userId\":1,\"action\":\"x\",\"occurredAt\":\"{now}\"}}\n\n\
         {{\"id\":\"b\",\"orgId\":8,\"userId\":1,\"action\":\"x\",\"occurredAt\":\"{now}\"}}\n\
         {{\"id\":\"c\",\"orgId\":7,\"userId\":1,\"action\":\"x\",\"occurredAt\":1000}}\n"
    );
    let file = place.file("a.jsonl", rows);
    let error = run(&["import", "--activities", &file, "--server", &server.url]).fails_with(1);
    assert!(error.contains("2 rows refused:\n  line 3: there is no organisation 8\n"), "{error}");
    assert!(error.contains("\n  line 4: ") && error.contains("--from-line 5\n"), "{error}");
    assert_eq!(sum(&server, &[7], "activities"), 1);
}

#[test]
fn users_of_csv_go_to_the_home_that_is_named() {
    let place = Place::new();
    let server = with_organisation(&place);
    let file = place.file("u.csv", "id,first_name,birthday\n41,Mina,1990-05-02\n42,,\n");
    let out = run(&["import", "--users", "--org", "7", &file, "--server", &server.url]).ok();
    assert!(out.ends_with(": 2 new or changed, 0 as they were\n"), "{out}");
    let user = get(&format!("{}/v1/orgs/7/users/41", server.url));
    let profile = serde_json::json!({ "firstName": "Mina", "birthday": "1990-05-02" });
    assert_eq!((&user["org"], &user["profile"]), (&Value::from(7), &profile));
}

#[test]
fn a_line_of_a_set_up_that_is_refused_ends_it_there() {
    let place = Place::new();
    let server = with_organisation(&place);
    let org = |id: u64, zone: &str| {
        format!(
            "{{\"kind\":\"org\",\"org\":{id},\"body\":{{\"name\":\"A\",\"timeZone\":\"{zone}\"}}}}"
        )
    };
    let lines = [org(8, "UTC"), org(9, "Mars/Olympus"), org(10, "UTC")].join("\n");
    let file = place.file("s.jsonl", lines);
    let error = run(&["import", "--setup", &file, "--server", &server.url]).fails_with(1);
    assert!(error.contains("Mars/Olympus"), "{error}");
    assert!(error.contains("up to line 1; nothing from line 2 on"), "{error}");
    get(&format!("{}/v1/orgs/8", server.url));
    let (status, _) = request(&format!("{}/v1/orgs/10", server.url), &[], None);
    assert_eq!(status, 404);
}

#[test]
fn the_key_comes_from_the_environment() {
    let place = Place::new();
    let key = "an-operators-key-for-tests";
    let server = Server::start("serve", &place.path("data"), &["--admin-key", key]);
    let file = place.file("s.jsonl", "{\"kind\":\"org\",\"org\":7,\"body\":{\"name\":\"A\"}}\n");
    let flags = ["import", "--setup", &file, "--server", &server.url];
    let error = run(&flags).fails_with(1);
    assert!(error.contains("(HTTP 401"), "{error}");
    let with_key = |key: &str| {
        let output = rankd(&flags).env("RANKD_API_KEY", key).output().expect("the binary runs");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    assert_eq!(with_key(key), (Some(0), String::new()));
    let (code, error) = with_key("no key");
    assert_eq!(code, Some(2));
    assert!(error.starts_with("rankd: environment variable RANKD_API_KEY: "), "{error}");
    assert!(!error.contains("no key"), "{error}");
}

#[test]
fn flags_that_do_not_belong_together_end_with_2() {
    for flags in [
        &["import", "f.csv"][..],
        &["import", "--activities", "--users", "f.csv"],
        &["import", "--activities", "--board", "b", "f.csv"],
        &["import", "--activities", "--again", "f.csv"],
        &["import", "--activities", "--score-column", "s", "f.csv"],
        &["import", "--activities", "--org", "7", "f.csv"],
        &["import", "--users", "--org", "0", "f.csv"],
        &["generate", "--kind", "wintro", "--days", "3641"],
        &["generate", "--kind", "other"],
        &["generate", "--kind", "wintro", "--until", "tomorrow"],
    ] {
        run(flags).fails_with(2);
    }
    let error = run(&["import", "--activities", "--data", "d", "f.csv"]).fails_with(2);
    assert!(error.contains("imported into a running server"), "{error}");
}

/// What stands in `text` between `before` and the next `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    assert!(text.contains(before), "no {before} in {text}");
    let (_, rest) = text.split_once(before).expect("checked above");
    rest.split(after).next().unwrap_or_default()
}

/// The three best by each surface, asked as the printed commands ask.
fn tops(printed: &str) -> [Vec<String>; 3] {
    let wintro = between(printed, "Wintro:", "Keepnet");
    let header = between(wintro, "-H 'Authorization: ", "'");
    let (status, board) =
        request(between(wintro, "curl '", "'"), &[("Authorization", header)], None);
    assert_eq!(status, 200, "{board}");
    assert!(board["meta"]["pagination"]["totalItems"].as_u64() > Some(150), "{board}");
    let wintro = rows(&board["data"], "totalPoints");

    let keepnet = between(printed, "Keepnet,", "Capillary:");
    let form = [between(keepnet, "-d 'grant", "'"), between(keepnet, "-d 'client", "'")];
    let form = format!("grant{}&client{}", form[0], form[1]);
    let url = between(keepnet, "$(curl -s", "' -d").trim_start_matches([' ', '\\', '\n', '\'']);
    let form_type = [("Content-Type", "application/x-www-form-urlencoded")];
    let (status, token) = request(url, &form_type, Some(&form));
    assert_eq!(status, 200, "{token}");
    let bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
    let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
    let body = between(keepnet, "-d '", "'");
    let (status, board) = request(between(keepnet, "curl '", "'"), &headers, Some(body));
    assert_eq!(status, 200, "{board}");
    let keepnet = rows(&board["data"]["results"], "points");

    let capillary = between(printed, "Capillary:", "Ctrl-C");
    // What curl makes of `-u till.demo:fe01...`.
    assert!(capillary.contains("-u till.demo:fe01ce2a7fbac8fafaed7c982a04e229 "));
    let basic = "Basic dGlsbC5kZW1vOmZlMDFjZTJhN2ZiYWM4ZmFmYWVkN2M5ODJhMDRlMjI5";
    let url = format!("http{}", between(capillary, "'http", "'"));
    let (status, board) = request(&url, &[("Authorization", basic)], None);
    assert_eq!(status, 200, "{board}");
    assert_eq!(
        (&board["errors"], &board["warnings"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    [wintro, keepnet, rows(&board["data"]["rankings"], "achievedValue")]
}

/// Three rows, best first.
fn rows(list: &Value, score: &str) -> Vec<String> {
    let rows = list.as_array().expect("a list");
    let scores: Vec<_> = rows.iter().map(|row| row[score].as_i64().expect("a number")).collect();
    assert_eq!(scores.len(), 3);
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores[2] > 0, "{scores:?}");
    rows.iter().map(Value::to_string).collect()
}

#[test]
fn the_demo_answers_on_every_surface_as_printed_and_has_the_same_data_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut periods = Vec::new();
    for signal in [Signal::KILL, Signal::INT] {
        let mut server = Server::start("demo", folder.path(), &["--durability", "os"]);
        let [_, _, capillary] = tops(server.printed_up_to("Ctrl-C"));
        // A period does not move with the clock, so its board is the same on any start.
        periods.push(capillary);
        let orgs = [310, 4_001, 4_002, 60_410, 60_411, 60_412];
        assert_eq!(sum(&server, &orgs, "users"), 600);
        assert_eq!(sum(&server, &orgs, "activities"), 60_000);
        server.stop(signal);
    }
    assert_eq!(periods[0], periods[1]);
}
