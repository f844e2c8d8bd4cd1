//! The settings as flags of a command: made from the table, so that the help cannot drift from it.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::table::{SETTINGS, Setting};

/// The settings that were given as flags, as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct SettingFlags(Vec<(&'static str, String)>);

impl SettingFlags {
    /// The value of a flag that was given.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| *given == key).map(|(_, text)| text.as_str())
    }

    /// Flags as if they had been given.
    #[cfg(test)]
    pub(super) fn of(flags: &[(&'static str, &str)]) -> Self {
        Self(flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect())
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let mut help = format!("{} [env: {}]", setting.help, setting.variable());
    if !setting.default.is_empty() {
        help.push_str(&format!(" [default: {}]", setting.default));
    }
    let argument = Arg::new(setting.key)
        .long(setting.long())
        .value_name(setting.value_name)
        .action(ArgAction::Set)
        .help(help);
    if setting.is_switch {
        argument.num_args(0..=1).require_equals(true).default_missing_value("true")
    } else {
        argument
    }
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        command.args(SETTINGS.iter().copied().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = SETTINGS.iter().filter_map(|setting| {
            Some((setting.key, matches.get_one::<String>(setting.key)?.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
