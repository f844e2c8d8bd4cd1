//! Precedence, sources in messages, and that the table says what the code does.

use std::collections::HashMap;
use std::ffi::OsString;

use super::*;

/// The settings from flags and variables.
fn resolve(
    flags: &[(&'static str, &str)],
    variables: &[(&str, &str)],
) -> Result<Settings, SettingError> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Settings::resolve(&SettingFlags::of(flags), &|name| {
        variables.get(name).map(|text| OsString::from(*text))
    })
}

/// A config file with this content, and its path.
fn config(content: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rankd.toml");
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// The message for a config file with this content, without the folder.
fn config_error(content: &str) -> String {
    let (folder, path) = config(content);
    let message = resolve(&[("config", &path)], &[]).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

fn port(settings: &Settings) -> u16 {
    settings.http.port()
}

#[test]
fn the_defaults_are_those_of_the_table() {
    let settings = resolve(&[], &[]).unwrap();
    let expected = Settings {
        data: None,
        http: "127.0.0.1:8080".parse().unwrap(),
        resp: None,
        resp_password: None,
        store: Store::Embedded,
        durability: Durability::Always,
        interval_ms: 100,
        segment_bytes: rankd_storage::limits::SEGMENT_BYTES_DEFAULT,
        snapshot_log_bytes: rankd_storage::limits::SNAPSHOT_LOG_BYTES_DEFAULT,
        snapshot_interval_s: rankd_storage::limits::SNAPSHOT_INTERVAL_MS_DEFAULT / 1_000,
        auto_create: true,
        allow_anonymous: false,
        admin_key: None,
        keys: None,
        tls_cert: None,
        tls_key: None,
        tunables: Tunables::default(),
        console: true,
        threads: 0,
        log_format: LogFormat::Text,
        log_level: tracing::level_filters::LevelFilter::INFO,
    };
    assert_eq!(settings, expected);
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let (_folder, path) = config("http = \"127.0.0.1:3\"\n");
    let flag = ("http", "127.0.0.1:1");
    let variable = ("RANKD_HTTP", "127.0.0.1:2");
    let file = ("config", path.as_str());
    assert_eq!(port(&resolve(&[flag, file], &[variable]).unwrap()), 1);
    assert_eq!(port(&resolve(&[file], &[variable]).unwrap()), 2);
    assert_eq!(port(&resolve(&[file], &[]).unwrap()), 3);
    assert_eq!(port(&resolve(&[], &[]).unwrap()), 8080);
}

#[test]
fn the_file_itself_may_be_named_by_the_environment() {
    let (_folder, path) = config("threads = 0x10\nauto_create = false\nstore = 'memory'\n");
    let settings = resolve(&[], &[("RANKD_CONFIG", &path)]).unwrap();
    assert_eq!((settings.threads, settings.auto_create), (16, false));
    assert_eq!(settings.store, Store::Memory);
}

#[test]
fn every_setting_has_three_names_and_a_default_that_it_takes() {
    for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
        let content = if setting.is_switch {
            format!("{} = {}\n", setting.key, setting.default)
        } else {
            format!("{} = \"{}\"\n", setting.key, setting.default)
        };
        let (_folder, path) = config(&content);
        let expected = resolve(&[], &[]).unwrap();
        let by_flag = resolve(&[(setting.key, setting.default)], &[]).unwrap();
        let by_variable = resolve(&[], &[(&setting.variable(), setting.default)]).unwrap();
        let by_file = resolve(&[("config", &path)], &[]).unwrap();
        assert_eq!([&by_flag, &by_variable, &by_file], [&expected; 3], "{}", setting.key);
    }
}

#[test]
fn bad_values_name_their_source() {
    let reason = "`x` is not a whole number from 0 to 1024";
    let message = resolve(&[("threads", "x")], &[]).unwrap_err().to_string();
    assert_eq!(message, format!("--threads: {reason}"));
    let message = resolve(&[], &[("RANKD_THREADS", "x")]).unwrap_err().to_string();
    assert_eq!(message, format!("environment variable RANKD_THREADS: {reason}"));
    let message = config_error("# threads\n\nthreads = 'x'\n");
    assert_eq!(message, format!("rankd.toml, line 3, key `threads`: {reason}"));
}

#[test]
fn the_operators_key_is_taken_from_anywhere_and_never_repeated() {
    let key = "0123456789abcdef";
    let expected = Some(AdminKey::new(key).unwrap());
    let by_variable = resolve(&[], &[("RANKD_ADMIN_KEY", key)]).unwrap();
    assert_eq!(by_variable.admin_key, expected);
    assert_eq!(resolve(&[("admin_key", key)], &[]).unwrap().admin_key, expected);
    assert_ne!(resolve(&[("admin_key", "0123456789abcdeF")], &[]).unwrap().admin_key, expected);
    assert!(!format!("{by_variable:?}").contains(key));
    for bad in ["0123456789abcde", "0123456789 abcdef", "0123456789abcde\u{e4}"] {
        let message = resolve(&[], &[("RANKD_ADMIN_KEY", bad)]).unwrap_err().to_string();
        assert!(message.starts_with("environment variable RANKD_ADMIN_KEY: "), "{message}");
        assert!(message.contains("16 to 512") && !message.contains(bad), "{message}");
    }
}

#[test]
fn unknown_keys_name_themselves_and_their_line() {
    let message = config_error("http = '127.0.0.1:1'\nhtpp = '127.0.0.1:2'\n");
    let start = "rankd.toml, line 2: `htpp` is not a setting; the settings are data, http, ";
    assert!(message.starts_with(start), "{message}");
    let message = config_error("config = 'other.toml'\n");
    assert!(message.starts_with("rankd.toml, line 1: `config` is not a setting"), "{message}");
    let message = config_error("[server]\nhttp = '127.0.0.1:1'\n");
    assert!(message.starts_with("rankd.toml, line 1: `server` is not a setting"), "{message}");
}

#[test]
fn bad_files_name_line_and_reason() {
    let message = config_error("http = '127.0.0.1:1'\nstore = \n");
    assert!(message.starts_with("rankd.toml, line 2: "), "{message}");
    let message = config_error("\nhttp = ['127.0.0.1:1']\n");
    let expected =
        "rankd.toml, line 2: the value of `http` must be text, a number or true or false";
    assert_eq!(message, expected);
    let message = resolve(&[("config", "no/such/file.toml")], &[]).unwrap_err().to_string();
    assert!(message.starts_with("no/such/file.toml: No such file"), "{message}");
}

#[test]
fn values_have_limits_and_forms() {
    let message = |key, text| resolve(&[(key, text)], &[]).unwrap_err().to_string();
    let cases = [
        ("interval_ms", "0", "`0` is not a whole number from 1 to 60000"),
        ("http", "8080", "`8080` is not an address with a port, such as 127.0.0.1:8080"),
        ("durability", "never", "`never` is not a durability; use always, interval or os"),
        ("auto_create", "yes", "`yes` is neither true nor false"),
        ("log_format", "xml", "`xml` is not a log format; use text or json"),
        ("connections_max", "0", "`0` is not a whole number from 1 to 100000"),
        ("head_read_ms", "600001", "`600001` is not a whole number from 1 to 600000"),
        ("drain_ms", "10001", "`10001` is not a whole number from 0 to 10000"),
        ("access_log", "1.5", "`1.5` is not a number from 0 to 1"),
        ("access_log", "NaN", "`NaN` is not a number from 0 to 1"),
        ("keys", "", "the file has no name"),
        ("log_level", "loud", "`loud` is not a level"),
        ("snapshot_log_bytes", "1KiB", "`1KiB` is not a size from 1048576 to"),
        ("store", "disk", "`disk` is not a store; use embedded, memory or redis://..."),
        ("data", "", "the folder has no name"),
    ];
    for (key, text, reason) in cases {
        let message = message(key, text);
        let start = format!("--{}: {reason}", key.replace('_', "-"));
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn half_of_tls_is_refused() {
    for half in ["tls_cert", "tls_key"] {
        let message = resolve(&[(half, "a.pem")], &[]).unwrap_err().to_string();
        assert_eq!(message, "tls_cert and tls_key belong together, and only one of them is given");
    }
    let both = resolve(&[("tls_cert", "a.pem")], &[("RANKD_TLS_KEY", "b.pem")]).unwrap();
    assert_eq!(both.tls().unwrap().key, PathBuf::from("b.pem"));
}

#[test]
fn a_share_may_be_a_number_of_the_file() {
    let (_folder, path) = config("access_log = 0.25\nslow_ms = 5\n");
    let settings = resolve(&[("config", &path)], &[]).unwrap();
    assert_eq!((settings.tunables.access_log, settings.tunables.slow_ms), (0.25, 5));
    assert!(settings.differs_only_in_tunables(&resolve(&[], &[]).unwrap()));
    let other = resolve(&[("threads", "2")], &[]).unwrap();
    assert!(!settings.differs_only_in_tunables(&other));
}

#[test]
fn sizes_take_units_and_addresses_take_localhost() {
    let settings = resolve(&[("snapshot_log_bytes", "3GiB"), ("http", "localhost:7")], &[]);
    let settings = settings.unwrap();
    assert_eq!(settings.snapshot_log_bytes, 3 << 30);
    assert_eq!(settings.http, "127.0.0.1:7".parse().unwrap());
}

#[test]
fn a_variable_that_is_empty_counts_as_not_set() {
    let (_folder, path) = config("threads = 3\n");
    let empty = [("RANKD_HTTP", ""), ("RANKD_DATA", ""), ("RANKD_THREADS", "")];
    let settings = resolve(&[("config", &path)], &empty).unwrap();
    assert_eq!((port(&settings), settings.data, settings.threads), (8080, None, 3));
    assert_eq!(resolve(&[], &[("RANKD_CONFIG", "")]).unwrap(), resolve(&[], &[]).unwrap());
}

#[test]
fn a_folder_that_the_memory_store_would_not_use_is_refused_as_a_flag() {
    let message = resolve(&[("store", "memory"), ("data", "d")], &[]).unwrap_err().to_string();
    assert_eq!(message, "--data: the store `memory` leaves nothing in `d`; drop one of them");
    let settings = resolve(&[("store", "memory")], &[("RANKD_DATA", "d")]).unwrap();
    assert_eq!(settings.store, Store::Memory);
}

#[test]
fn a_redis_url_is_taken_or_refused_without_repeating_its_password() {
    for scheme in ["redis", "rediss", "redis+cluster"] {
        let url = format!("{scheme}://user:secret@host");
        let settings = resolve(&[("store", &url)], &[]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
        assert_eq!(settings.store, Store::Redis(url.clone()));
        let url = format!("{url}?partitions=0");
        let message = resolve(&[("store", &url)], &[]).unwrap_err().to_string();
        assert!(message.contains("partitions must be") && !message.contains("secret"), "{message}");
    }
    let message = resolve(&[], &[("RANKD_RESP", "nowhere")]).unwrap_err().to_string();
    assert!(message.starts_with("environment variable RANKD_RESP: `nowhere`"), "{message}");
}
