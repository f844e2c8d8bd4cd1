//! What is refused, and with which exit code.

use super::host::{Done, rankd, run};

#[test]
fn redis_is_refused_with_2() {
    for url in ["redis://h", "rediss://h", "redis+cluster://h", "redis+sentinel://h/m"] {
        let error = run(&["serve", "--store", url]).fails_with(2);
        assert!(error.starts_with("rankd: --store: this build does not speak redis"), "{error}");
    }
    let error = run(&["serve", "--resp", "127.0.0.1:6380"]).fails_with(2);
    assert!(error.contains("--resp: `127.0.0.1:6380`: this build does not speak"), "{error}");
}

#[test]
fn bad_settings_end_with_2_and_name_their_source() {
    let error = run(&["serve", "--http", "nowhere"]).fails_with(2);
    assert!(error.starts_with("rankd: --http: `nowhere` is not an address"), "{error}");
    let output = rankd(&["demo"]).env("RANKD_DURABILITY", "maybe").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    let start = "rankd: environment variable RANKD_DURABILITY: `maybe`";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn an_unknown_config_key_ends_with_2_and_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rankd.toml");
    std::fs::write(&path, "store = 'memory'\nprot = 80\n").unwrap();
    let error = run(&["serve", "--config", path.to_str().unwrap()]).fails_with(2);
    assert!(error.contains("rankd.toml, line 2: `prot` is not a setting"), "{error}");
}

#[test]
fn a_public_address_is_refused_without_consent() {
    let error = run(&["serve", "--http", "0.0.0.0:0", "--store", "memory"]).fails_with(2);
    assert!(error.contains("allow_anonymous"), "{error}");
}

#[test]
fn unknown_commands_and_flags_end_with_2() {
    run(&["dance"]).fails_with(2);
    run(&["top"]).fails_with(2);
    run(&["top", "b", "-n", "1001"]).fails_with(2);
    run(&["import", "--board", "b", "--from-line", "0", "f.csv"]).fails_with(2);
    run(&["top", &"x".repeat(513)]).fails_with(2);
}

#[test]
fn urls_that_cannot_be_used_end_with_2() {
    let https = run(&["top", "b", "--server", "https://example.com"]).fails_with(2);
    assert!(https.contains("asks for https, which this client does not speak"), "{https}");
    let bare = run(&["top", "b", "--server", "example.com"]).fails_with(2);
    assert!(bare.contains("has no scheme; write http://HOST:PORT"), "{bare}");
}

#[test]
fn a_server_that_is_not_there_ends_with_1_and_a_hint() {
    // Bound and released: nobody listens there now.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = run(&["top", "b", "--server", &url]).fails_with(1);
    let expected = format!(
        "rankd: cannot connect to {url}: Connection refused (os error 111) (is `rankd serve` \
         running there? --server URL names another)\n"
    );
    assert_eq!(error, expected);
}

#[test]
fn help_and_version_succeed() {
    let version = run(&["--version"]).ok();
    assert!(version.starts_with("rankd 0.1.0 (commit "), "{version}");
    let help = run(&["--help"]).ok();
    assert!(help.contains("Exit codes: 0 done; 1 "), "{help}");
    let help = run(&["serve", "--help"]).ok();
    assert!(help.contains("[env: RANKD_HTTP] [default: 127.0.0.1:8080]"), "{help}");
}

#[test]
fn check_tells_healthy_from_damaged_from_wrong_usage() {
    let check = |folder: &std::path::Path| -> Done { run(&["check", folder.to_str().unwrap()]) };
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    check(&folder).fails_with(2);
    std::fs::create_dir(&folder).unwrap();
    let error = check(&folder).fails_with(2);
    assert!(error.contains("holds no data of rankd"), "{error}");
    let data = folder.to_str().unwrap();
    let file = parent.path().join("scores.csv");
    std::fs::write(&file, "member,score\nada,1\nbob,2\n").unwrap();
    run(&["import", "--board", "b", "--data", data, file.to_str().unwrap()]).ok();
    let healthy = check(&folder).ok();
    assert!(healthy.contains("healthy: every file is as it was written"), "{healthy}");
    damage_a_log(&folder);
    let damaged = check(&folder);
    assert!(damaged.out.contains("DAMAGED") || damaged.out.contains("newer"), "{}", damaged.out);
    damaged.fails_with(1);
    let error = run(&["serve", "--data", data, "--http", "127.0.0.1:0"]).fails_with(1);
    assert!(error.contains("log-00000000000000000001.rlog"), "{error}");
}

/// Flips a bit in the head of the first log segment.
fn damage_a_log(folder: &std::path::Path) {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let segment = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "rlog"))
        .expect("a log segment");
    let mut bytes = std::fs::read(&segment).expect("the segment");
    bytes[9] ^= 1;
    std::fs::write(&segment, bytes).expect("room on the disk");
}
