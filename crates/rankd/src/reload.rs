//! SIGHUP: the settings are read again, and what a running server can change is changed.
//!
//! Invariant: settings or files that are not legal change nothing; the log says what is wrong.

use rankd_server::Reloader;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::host;
use crate::settings::{SettingFlags, Settings};

/// Reloads at every SIGHUP from now on, until the runtime ends.
///
/// # Errors
/// The signal cannot be waited for.
pub(crate) fn start(
    reloader: Reloader,
    flags: &SettingFlags,
    settings: &Settings,
) -> std::io::Result<()> {
    let hangups = signal(SignalKind::hangup())?;
    tokio::spawn(follow(hangups, reloader, flags.clone(), settings.clone()));
    Ok(())
}

async fn follow(
    mut hangups: Signal,
    reloader: Reloader,
    flags: SettingFlags,
    started_with: Settings,
) {
    while hangups.recv().await.is_some() {
        reload(&reloader, &flags, &started_with);
    }
}

fn reload(reloader: &Reloader, flags: &SettingFlags, started_with: &Settings) {
    let settings = match Settings::resolve(flags, &|name| std::env::var_os(name)) {
        Ok(settings) => settings,
        Err(error) => {
            reloader.count_failed();
            tracing::error!(%error, "not reloaded: the settings are not legal");
            return;
        }
    };
    if let Err(error) = reloader.reload(&host::options(&settings)) {
        tracing::error!(%error, "not reloaded: everything stays as it was");
        return;
    }
    tracing::info!("reloaded: keys, certificate and limits");
    if !settings.differs_only_in_tunables(started_with) {
        tracing::warn!("other settings have changed too; they wait for the next start");
    }
}
