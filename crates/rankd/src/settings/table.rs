//! The one table of settings.

use std::path::PathBuf;
use std::sync::LazyLock;

use rankd_resp::Password;
use rankd_server::AdminKey;
use rankd_storage::limits::{SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

use super::http;
use super::values::{
    parse_address, parse_bytes, parse_durability, parse_level, parse_log_format, parse_number,
    parse_store, parse_switch,
};
use super::{Settings, Source};

/// Key of the setting that names the config file itself.
pub(super) const CONFIG: &str = "config";
/// Key of the setting of the data folder.
pub(super) const DATA: &str = "data";
/// Shortest and longest interval between two fsyncs, in milliseconds.
const INTERVAL_MS: std::ops::RangeInclusive<u64> = 1..=60_000;
/// Smallest and largest log file.
const SEGMENT_BYTES: std::ops::RangeInclusive<u64> = SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX;
/// Least and most log bytes between two snapshots.
const SNAPSHOT_LOG_BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 40;
/// Seconds between two snapshots; 0 means that time starts none.
const SNAPSHOT_INTERVAL_S: std::ops::RangeInclusive<u64> = 0..=31 * 24 * 3600;
/// Most threads for sockets; 0 means one a core.
const THREADS: std::ops::RangeInclusive<u64> = 0..=1024;

/// One setting: everything that anybody needs to know of it.
pub(super) struct Setting {
    /// Name in the config file; flag and environment variable derive from it.
    pub(super) key: &'static str,
    /// What stands for the value in the help.
    pub(super) value_name: &'static str,
    /// As it would be written; empty if there is none.
    pub(super) default: &'static str,
    /// One sentence.
    pub(super) help: &'static str,
    /// Whether the bare flag means `true`.
    pub(super) is_switch: bool,
    /// Parses the value and stores it; or says what is wrong with it.
    pub(super) set: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Setting {
    /// `snapshot_log_bytes` to `--snapshot-log-bytes`, as the source of a value.
    pub(super) fn as_flag(&self) -> Source {
        Source::Flag { flag: format!("--{}", self.long()) }
    }

    /// The flag without its dashes.
    pub(super) fn long(&self) -> String {
        self.key.replace('_', "-")
    }

    /// `http` to `RANKD_HTTP`.
    pub(super) fn variable(&self) -> String {
        format!("RANKD_{}", self.key.to_ascii_uppercase())
    }
}

/// The setting of the config file.
pub(super) fn config() -> &'static Setting {
    setting(CONFIG)
}

/// The setting of the data folder.
pub(super) fn data() -> &'static Setting {
    setting(DATA)
}

fn setting(key: &str) -> &'static Setting {
    SETTINGS.iter().copied().find(|setting| setting.key == key).expect("the table has it")
}

/// A setting that takes a value.
pub(super) const fn valued(
    key: &'static str,
    value_name: &'static str,
    default: &'static str,
    help: &'static str,
    set: fn(&mut Settings, &str) -> Result<(), String>,
) -> Setting {
    Setting { key, value_name, default, help, is_switch: false, set }
}

/// A setting that is on or off.
const fn switch(
    key: &'static str,
    default: &'static str,
    help: &'static str,
    set: fn(&mut Settings, &str) -> Result<(), String>,
) -> Setting {
    Setting { key, value_name: "true|false", default, help, is_switch: true, set }
}

/// Every setting, in the order of the help.
pub(super) static SETTINGS: LazyLock<Vec<&'static Setting>> =
    LazyLock::new(|| GENERAL.iter().chain(http::SETTINGS).collect());

/// The settings but those of the HTTP front end alone.
static GENERAL: &[Setting] = &[
    valued(CONFIG, "FILE", "", "TOML file with any of these settings under their keys", |_, _| {
        Err("the config file cannot name another config file".to_owned())
    }),
    valued(DATA, "DIR", "", "Folder of the embedded store; created if missing", |s, text| {
        if text.is_empty() {
            return Err("the folder has no name".to_owned());
        }
        s.data = Some(PathBuf::from(text));
        Ok(())
    }),
    valued(
        "http",
        "ADDR",
        "127.0.0.1:8080",
        "Address of the HTTP API and the console",
        |s, text| {
            s.http = parse_address(text)?;
            Ok(())
        },
    ),
    valued(
        "resp",
        "ADDR",
        "",
        "Address of the Redis protocol, such as 127.0.0.1:6379; without one it is not spoken",
        |s, text| {
            s.resp = Some(parse_address(text)?);
            Ok(())
        },
    ),
    valued(
        "resp_password",
        "PASSWORD",
        "",
        "What clients of the Redis protocol have to AUTH with; other users of the machine can \
         read a flag, so rather use the environment or the config file",
        |s, text| {
            s.resp_password = Some(Password::new(text.as_bytes()));
            Ok(())
        },
    ),
    valued(
        "store",
        "STORE",
        "embedded",
        "embedded, memory (nothing survives), or the URL of a Redis store: redis://, rediss://, \
         redis+unix://, redis+sentinel:// or redis+cluster://",
        |s, text| {
            s.store = parse_store(text)?;
            Ok(())
        },
    ),
    valued(
        "durability",
        "MODE",
        "always",
        "When a write is acknowledged: always (after fsync: survives power loss), interval (fsync \
         every interval_ms: survives kill -9, power loss costs up to an interval) or os (survives \
         kill -9; the system decides when it is on disk)",
        |s, text| {
            s.durability = parse_durability(text)?;
            Ok(())
        },
    ),
    valued("interval_ms", "MS", "100", "Milliseconds between fsyncs with durability interval", {
        |s, text| {
            s.interval_ms = parse_number(text, INTERVAL_MS)?;
            Ok(())
        }
    }),
    valued("segment_bytes", "BYTES", "64MiB", "Size at which the next log file is begun", {
        |s, text| {
            s.segment_bytes = parse_bytes(text, SEGMENT_BYTES)?;
            Ok(())
        }
    }),
    valued(
        "snapshot_log_bytes",
        "BYTES",
        "512MiB",
        "Log written since the last snapshot that makes the next one start",
        |s, text| {
            s.snapshot_log_bytes = parse_bytes(text, SNAPSHOT_LOG_BYTES)?;
            Ok(())
        },
    ),
    valued(
        "snapshot_interval_s",
        "SECONDS",
        "3600",
        "Seconds after which the next snapshot starts if anything is new; 0: however long",
        |s, text| {
            s.snapshot_interval_s = parse_number(text, SNAPSHOT_INTERVAL_S)?;
            Ok(())
        },
    ),
    switch("auto_create", "true", "Let a write create the board that it names", |s, text| {
        s.auto_create = parse_switch(text)?;
        Ok(())
    }),
    switch(
        "allow_anonymous",
        "false",
        "Let the server listen beyond this machine although it asks nobody for credentials",
        |s, text| {
            s.allow_anonymous = parse_switch(text)?;
            Ok(())
        },
    ),
    valued(
        "admin_key",
        "KEY",
        "",
        "The operator's key to organisations, 16 characters or more; other users of the machine \
         can read a flag, so rather use the environment or the config file",
        |s, text| {
            s.admin_key = Some(AdminKey::new(text).map_err(|error| error.to_string())?);
            Ok(())
        },
    ),
    switch("console", "true", "Serve the web console at /", |s, text| {
        s.console = parse_switch(text)?;
        Ok(())
    }),
    valued("threads", "N", "0", "Threads that serve sockets; 0 is one a core", |s, text| {
        let threads = parse_number(text, THREADS)?;
        s.threads = usize::try_from(threads).expect("at most 1024");
        Ok(())
    }),
    valued("log_format", "FORMAT", "text", "Log as text or json, one line an event", |s, text| {
        s.log_format = parse_log_format(text)?;
        Ok(())
    }),
    valued("log_level", "LEVEL", "info", "Least of: error, warn, info, debug, trace", |s, text| {
        s.log_level = parse_level(text)?;
        Ok(())
    }),
];
