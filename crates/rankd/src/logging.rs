//! Log lines on standard error: text for people, JSON for collectors.

use std::io::IsTerminal as _;

use crate::settings::{LogFormat, Settings};

/// Starts the log of this process; called once.
pub(crate) fn start(settings: &Settings) {
    let builder =
        tracing_subscriber::fmt().with_max_level(settings.log_level).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
    }
}
