//! The settings of `serve` and `demo`, each defined once in [`table::SETTINGS`]: from there come
//! its flag, its environment variable, its config key, its default and its help.
//!
//! Invariant: for every setting, the flag wins over the environment, the environment over the
//! config file, and the file over the default; a bad value is an error that names its source.

mod file;
mod flags;
mod http;
mod table;
mod values;

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use rankd_resp::Password;
use rankd_server::{AdminKey, TlsFiles, Tunables};

pub(crate) use flags::SettingFlags;
pub(crate) use values::{Durability, LogFormat, Store};

use table::{SETTINGS, Setting};

/// The settings, typed. Which values are legal is said in [`table::SETTINGS`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// `None`: the command's own choice.
    pub(crate) data: Option<PathBuf>,
    pub(crate) http: SocketAddr,
    /// `None`: the Redis protocol is not spoken.
    pub(crate) resp: Option<SocketAddr>,
    pub(crate) resp_password: Option<Password>,
    pub(crate) store: Store,
    pub(crate) durability: Durability,
    pub(crate) interval_ms: u64,
    pub(crate) segment_bytes: u64,
    pub(crate) snapshot_log_bytes: u64,
    /// 0: never by the time.
    pub(crate) snapshot_interval_s: u64,
    pub(crate) auto_create: bool,
    pub(crate) allow_anonymous: bool,
    pub(crate) admin_key: Option<AdminKey>,
    /// `None`: boards need no keys.
    pub(crate) keys: Option<PathBuf>,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) tunables: Tunables,
    pub(crate) console: bool,
    /// 0: one a core.
    pub(crate) threads: usize,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: tracing::level_filters::LevelFilter,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Flag { flag: String },
    Environment { variable: String },
    File { path: PathBuf, line: usize, key: String },
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag { flag } => f.write_str(flag),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::File { path, line, key } => {
                write!(f, "{}, line {line}, key `{key}`", path.display())
            }
            Self::Default => f.write_str("default"),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("{origin}: {reason}")]
    Value { origin: Source, reason: String },
    #[error("tls_cert and tls_key belong together, and only one of them is given")]
    HalfOfTls,
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {reason}", path.display())]
    Syntax { path: PathBuf, line: usize, reason: String },
}

/// What the environment has under a name.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Settings {
    /// The settings that follow from the flags, the environment and the config file they name.
    ///
    /// # Errors
    /// [`SettingError`] for the first value that is not legal, wherever it stands.
    pub(crate) fn resolve(
        flags: &SettingFlags,
        environment: Environment<'_>,
    ) -> Result<Self, SettingError> {
        let file = match config_path(flags, environment)? {
            Some(path) => file::read(&path)?,
            None => Vec::new(),
        };
        let mut settings = Self::unset();
        for setting in SETTINGS.iter().filter(|setting| setting.key != table::CONFIG) {
            let (text, origin) = match outside_of_file(setting, flags, environment)? {
                Some(found) => found,
                None => match file.iter().find(|found| found.key == setting.key) {
                    Some(found) => (found.text.clone(), found.source()),
                    None => (setting.default.to_owned(), Source::Default),
                },
            };
            if origin == Source::Default && text.is_empty() {
                continue;
            }
            (setting.set)(&mut settings, &text)
                .map_err(|reason| SettingError::Value { origin, reason })?;
        }
        if settings.store == Store::Memory
            && let Some(folder) = flags.get(table::DATA)
        {
            let reason =
                format!("the store `memory` leaves nothing in `{folder}`; drop one of them");
            return Err(SettingError::Value { origin: table::data().as_flag(), reason });
        }
        if settings.tls_cert.is_some() != settings.tls_key.is_some() {
            return Err(SettingError::HalfOfTls);
        }
        Ok(settings)
    }

    /// The certificate and its key, if TLS is to be spoken.
    pub(crate) fn tls(&self) -> Option<TlsFiles> {
        let (cert, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { cert, key })
    }

    /// Whether nothing differs but what a running server can take over.
    pub(crate) fn differs_only_in_tunables(&self, other: &Self) -> bool {
        let Self { keys, tls_cert, tls_key, tunables, .. } = other.clone();
        *other == Self { keys, tls_cert, tls_key, tunables, ..self.clone() }
    }

    /// A value to be overwritten by the table's defaults.
    fn unset() -> Self {
        Self {
            data: None,
            http: SocketAddr::from(([127, 0, 0, 1], 0)),
            resp: None,
            resp_password: None,
            store: Store::Embedded,
            durability: Durability::Always,
            interval_ms: 0,
            segment_bytes: 0,
            snapshot_log_bytes: 0,
            snapshot_interval_s: 0,
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
        }
    }
}

/// The config file that flag or environment name.
fn config_path(
    flags: &SettingFlags,
    environment: Environment<'_>,
) -> Result<Option<PathBuf>, SettingError> {
    let setting = table::config();
    Ok(outside_of_file(setting, flags, environment)?.map(|(text, _)| PathBuf::from(text)))
}

/// The value from the flag or else from the environment.
fn outside_of_file(
    setting: &Setting,
    flags: &SettingFlags,
    environment: Environment<'_>,
) -> Result<Option<(String, Source)>, SettingError> {
    if let Some(text) = flags.get(setting.key) {
        return Ok(Some((text.to_owned(), setting.as_flag())));
    }
    let variable = setting.variable();
    // Scripts set a variable to nothing where they mean that it is not set.
    let value = environment(&variable).filter(|value| !value.is_empty());
    let Some(value) = value else { return Ok(None) };
    let origin = Source::Environment { variable };
    match value.into_string() {
        Ok(text) => Ok(Some((text, origin))),
        Err(value) => Err(SettingError::Value {
            origin,
            reason: format!("`{}` is not UTF-8", value.to_string_lossy()),
        }),
    }
}

#[cfg(test)]
mod tests;
