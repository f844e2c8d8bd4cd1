//! What the folder of a data set says about itself, and how to load it.

use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum as _;

use super::synthetic::{Kind, Order, Secret};
use super::wire::time_text;
use crate::output::program;

pub(super) const SETUP: &str = "orgs.jsonl";
pub(super) const USERS: &str = "users.jsonl";
pub(super) const ACTIVITIES: &str = "activities.jsonl";
pub(super) const ENROLMENTS: &str = "enrolments.jsonl";

/// The commands that load the data set in `folder`, in their order.
fn commands(order: &Order, folder: &str) -> Vec<String> {
    let import = |flag: &str, file: &str| format!("import {flag} {folder}{file}");
    let mut commands = vec![
        import("--setup", SETUP),
        import("--users", USERS),
        import("--activities", ACTIVITIES),
    ];
    if order.kind == Kind::Capillary {
        commands.push(import("--setup", ENROLMENTS));
    }
    commands
}

/// What to do with the data set that was written.
pub(super) fn next_steps(order: &Order, folder: &Path) -> String {
    let mut text = "\nLoad it into a running server:\n".to_owned();
    let folder = format!("{}/", folder.display());
    for command in commands(order, &folder) {
        let _ = writeln!(text, "  {} {command}", program());
    }
    text.push_str("\nCredentials, known to everybody:\n");
    for credential in order.credentials() {
        let _ = writeln!(text, "  {}", shown(&credential.secret));
    }
    text
}

fn shown(secret: &Secret) -> String {
    match *secret {
        Secret::WintroToken { token, scope } => format!("Wintro token {token} ({scope})"),
        Secret::KeepnetClient { client_id, secret, role } => {
            format!("Keepnet client {client_id}, secret {secret} ({role:?})")
        }
        Secret::CapillaryTill { username, password, password_md5 } => {
            format!("Capillary till {username}, password {password} (MD5 {password_md5})")
        }
    }
}

/// The README of the folder.
pub(super) fn text(order: &Order) -> anyhow::Result<String> {
    let kind = order.kind.to_possible_value().expect("no kind is hidden");
    let kind = kind.get_name();
    let until = time_text(order.until_ms)?;
    let mut text = format!(
        "# Synthetic data for the {kind} surface\n\n\
         About nobody: names, organisations and everything they did were made up by `rankd \
         generate`. The same command makes the same bytes again:\n\n```\n\
         rankd generate --kind {kind} --users {} --activities {} --days {} --seed {} \
         --until {until} --repeats {}\n```\n\n\
         With `rankd serve` running, load it from within this folder, in this order. All of it may \
         be repeated; nothing counts twice.\n\n```\n",
        order.users, order.activities, order.days, order.seed, order.repeats_per_mille,
    );
    for command in commands(order, "") {
        let _ = writeln!(text, "rankd {command}");
    }
    text.push_str(
        "```\n\nA server takes activities of the last 3650 days.\n\nCredentials, known to \
         everybody, so for trials alone:\n\n",
    );
    for credential in order.credentials() {
        let _ = writeln!(text, "* {}", shown(&credential.secret));
    }
    Ok(text)
}
