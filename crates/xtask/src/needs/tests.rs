//! Needs are found or missed along an explicit `PATH`; nothing is installed here.

use super::*;

const PRESENT: Need = Need { command: "Cargo.toml", package: "cargo-toml" };
const ABSENT: Need = Need { command: "no-such-command", package: "no-such-package" };
const OTHER: Need = Need { command: "nor-this-one", package: "nor-that-one" };

/// A `PATH` whose second folder holds a file called `Cargo.toml`.
fn path() -> std::ffi::OsString {
    let folders = [Path::new("no-such-folder"), Path::new(env!("CARGO_MANIFEST_DIR"))];
    env::join_paths(folders).unwrap()
}

#[test]
fn only_what_no_folder_holds_is_missing() {
    let needs = [PRESENT, ABSENT];
    let found: Vec<_> = missing(&needs, &path()).iter().map(|need| need.command).collect();
    assert_eq!(found, ["no-such-command"]);
}

#[test]
fn a_folder_is_not_a_command() {
    assert!(!is_on_path("src", &path()));
}

#[test]
fn the_advice_names_every_command_and_package() {
    assert_eq!(
        advice(&[&ABSENT, &OTHER]),
        "the tests need no-such-command, nor-this-one, not found on PATH \
         (on Debian: apt-get install no-such-package nor-that-one)"
    );
}
