//! Measurements that need a process of their own: this program, started again.
//!
//! Invariant: a child prints its findings, one `name value` a line, and nothing else on its
//! standard output.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::{memory, writes};

/// What a child measures.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Task {
    /// What a layout takes of the memory.
    #[command(hide = true)]
    Memory { layout: String, members: usize },
    /// What boards of ten members take of the memory.
    #[command(hide = true)]
    SmallBoards { boards: usize },
    /// What single writes cost while a board grows, and beside snapshots.
    #[command(hide = true)]
    Writes { members: usize },
}

impl Task {
    fn arguments(&self) -> Vec<String> {
        match self {
            Self::Memory { layout, members } => {
                vec!["memory".into(), layout.clone(), members.to_string()]
            }
            Self::SmallBoards { boards } => vec!["small-boards".into(), boards.to_string()],
            Self::Writes { members } => vec!["writes".into(), members.to_string()],
        }
    }

    /// Measures in this process and prints the findings.
    pub(crate) fn run(&self) -> Result<()> {
        let findings = match self {
            Self::Memory { layout, members } => memory::measure(layout, *members),
            Self::SmallBoards { boards } => memory::measure_small(*boards),
            Self::Writes { members } => writes::measure(*members),
        }?;
        findings.0.iter().for_each(|(name, value)| println!("{name} {value}"));
        Ok(())
    }

    /// Measures in a process of its own.
    pub(crate) fn run_apart(&self) -> Result<Findings> {
        let program = env::current_exe().context("this program's path is not known")?;
        let mut command = Command::new(program);
        command.args(self.arguments()).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().with_context(|| format!("cannot start {self:?}"))?;
        if !output.status.success() {
            bail!("{self:?} failed: {}", output.status);
        }
        let text = String::from_utf8(output.stdout)?;
        text.lines().map(parse).collect::<Result<_>>().map(Findings)
    }
}

fn parse(line: &str) -> Result<(String, usize)> {
    let (name, value) = line.split_once(' ').with_context(|| format!("no value: {line:?}"))?;
    Ok((name.to_owned(), value.parse()?))
}

/// Numbers with names; the names end in units.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings(Vec<(String, usize)>);

impl Findings {
    pub(crate) fn push(&mut self, name: impl Into<String>, value: usize) {
        self.0.push((name.into(), value));
    }

    pub(crate) fn get(&self, name: &str) -> Option<usize> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
    }

    /// # Errors
    /// There is none of this name.
    pub(crate) fn need(&self, name: &str) -> Result<usize> {
        self.get(name).with_context(|| format!("a child found no {name}"))
    }
}
