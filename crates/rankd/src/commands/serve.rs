//! `rankd serve`: the server, until a signal comes.

use std::path::PathBuf;

use crate::exit::{Failure, Outcome};
use crate::host::{self, Ready};
use crate::logging;
use crate::output::grouped;
use crate::settings::{SettingFlags, Settings, Store};

/// Where the data is unless the settings say otherwise.
const FOLDER_DEFAULT: &str = "./rankd-data";

pub(crate) fn run(flags: &SettingFlags) -> Outcome {
    let settings = settings(flags)?;
    logging::start(&settings);
    let folder = settings.data.clone().unwrap_or_else(|| PathBuf::from(FOLDER_DEFAULT));
    let place = match settings.store {
        Store::Embedded => format!("data in {}", folder.display()),
        Store::Memory => "in memory, nothing survives".to_owned(),
    };
    let announce = |ready: &Ready<'_>| {
        let totals = ready.engine.totals();
        format!(
            "rankd is ready: {}  ({place}; {} boards, {} members)\n",
            ready.url,
            grouped(totals.boards),
            grouped(totals.members),
        )
    };
    host::serve(&settings, &folder, async |_| Ok(()), announce)
}

/// The settings from flags, environment and file.
pub(super) fn settings(flags: &SettingFlags) -> Result<Settings, Failure> {
    Settings::resolve(flags, &|name| std::env::var_os(name)).map_err(Failure::usage)
}
