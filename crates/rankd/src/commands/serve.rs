//! `rankd serve`: the server, until a signal comes.

use std::path::PathBuf;

use crate::exit::{Failure, Outcome};
use crate::host::{self, Ready};
use crate::logging;
use crate::output::counted;
use crate::settings::{SettingFlags, Settings, Store};

/// Where the data is unless the settings say otherwise.
const FOLDER_DEFAULT: &str = "./rankd-data";

pub(crate) fn run(flags: &SettingFlags) -> Outcome {
    let settings = settings(flags)?;
    logging::start(&settings);
    let folder = settings.data.clone().unwrap_or_else(|| PathBuf::from(FOLDER_DEFAULT));
    let place = match &settings.store {
        Store::Redis(_) => "data in Redis".to_owned(),
        Store::Embedded => format!("data in {}", folder.display()),
        Store::Memory => "in memory, nothing survives".to_owned(),
    };
    warn_of_unused_folder(&settings);
    let announce = |ready: &Ready<'_>| {
        let totals = ready.engine.totals();
        format!(
            "rankd is ready: {}  ({place}; {}, {})\n",
            ready.url,
            counted(totals.boards, "board"),
            counted(totals.members, "member"),
        )
    };
    host::serve(flags, &settings, &folder, async |_| Ok(()), announce)
}

/// Says that the folder of the environment or the config file is not used. As a flag beside
/// --store memory it is refused; from elsewhere it may be meant for other runs.
pub(super) fn warn_of_unused_folder(settings: &Settings) {
    if let (Store::Memory | Store::Redis(_), Some(folder)) = (&settings.store, &settings.data) {
        let folder = folder.display();
        tracing::warn!(%folder, "the store is not in a folder; the folder is not used");
    }
}

/// The settings from flags, environment and file.
pub(super) fn settings(flags: &SettingFlags) -> Result<Settings, Failure> {
    Settings::resolve(flags, &|name| std::env::var_os(name)).map_err(Failure::usage)
}
