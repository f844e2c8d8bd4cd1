//! What is refused, and with which exit code.

use super::host::{Done, rankd, run};

#[test]
fn a_bad_url_of_a_redis_store_ends_with_2_without_its_password() {
    for scheme in ["redis", "rediss", "redis+cluster"] {
        let url = format!("{scheme}://user:secret@h?partitions=0");
        let error = run(&["serve", "--store", &url]).fails_with(2);
        assert!(error.contains("partitions must be") && !error.contains("secret"), "{error}");
    }
}

#[test]
fn the_redis_protocol_beyond_this_machine_without_a_password_ends_with_2() {
    let error = run(&["serve", "--store", "memory", "--resp", "0.0.0.0:0"]).fails_with(2);
    assert!(error.contains("--resp-password"), "{error}");
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
    let nobody = "/nowhere/authorities.pem";
    let https = rankd(&["top", "b", "--server", "https://example.com"])
        .envs([("SSL_CERT_FILE", nobody), ("SSL_CERT_DIR", "/nowhere")])
        .output()
        .unwrap();
    let said = String::from_utf8(https.stderr).unwrap();
    assert_eq!(https.status.code(), Some(2), "{said}");
    assert!(said.contains("asks for https, but this machine has no certificate auth"), "{said}");
    assert!(said.contains(nobody), "{said}");
    let bare = run(&["top", "b", "--server", "example.com"]).fails_with(2);
    assert!(bare.contains("has no scheme; write http://HOST:PORT"), "{bare}");
}

#[test]
fn a_server_beside_a_folder_ends_with_2_unless_only_the_environment_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let import = ["import", "--board", "b", "--data", data.to_str().unwrap(), "-"];
    let error = run(&[&import[..], &["--server", "http://127.0.0.1:1"]].concat()).fails_with(2);
    assert!(error.contains("cannot be used with"), "{error}");
    assert!(!data.exists());
    let file = folder.path().join("s.csv");
    std::fs::write(&file, "member,score\nada,1\n").unwrap();
    let import = [&import[..4], &[data.to_str().unwrap(), file.to_str().unwrap()]].concat();
    let done = rankd(&import).env("RANKD_SERVER", "http://127.0.0.1:1").output().unwrap();
    assert_eq!((done.status.code(), done.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_bad_server_of_the_environment_is_named_and_an_empty_one_is_not_used() {
    let top = |url: &str| {
        let output = rankd(&["top", "b"]).env("RANKD_SERVER", url).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, error) = top("example.com");
    assert_eq!(code, Some(2));
    assert!(error.starts_with("rankd: environment variable RANKD_SERVER: "), "{error}");
    // Whether anybody listens at the default address or not: it is what was asked.
    assert_ne!(top("").0, Some(2));
}

#[test]
fn usage_does_not_demand_the_server_that_the_environment_names() {
    let output = rankd(&["top"]).env("RANKD_SERVER", "http://127.0.0.1:1").output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("Usage: ") && !error.contains("--server"), "{error}");
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
fn help_is_a_command_as_well() {
    assert!(run(&["help"]).ok().contains("Commands:"));
    let help = run(&["help", "import"]).ok();
    assert!(help.contains("running the same command again is safe"), "{help}");
    assert!(help.contains("[env: RANKD_SERVER] [default: http://127.0.0.1:8080]"), "{help}");
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
