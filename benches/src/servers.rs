//! Servers as processes of their own: built, started on a free port, and ended with the program
//! that started them.
//!
//! What it is not: a supervisor; a server that ends early is noticed by whoever asks it next.
//! Invariant: a server that does not come up is an error that names its command. Cost: that of
//! starting a process.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// The core of pinned servers.
pub const SERVER_CORE: usize = 0;
/// The core of pinned clients.
pub const CLIENT_CORE: usize = 1;

/// A process that ends when it is dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Takes a process over.
    #[must_use]
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if it has ended already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command that runs on one core only, or on any.
pub fn on_core(core: Option<usize>, program: impl AsRef<OsStr>) -> Command {
    let Some(core) = core else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

/// Builds the rankd that is measured.
///
/// # Errors
/// It cannot be built.
pub fn build_rankd() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--release", "--package", "rankd"]).status();
    ensure!(built.context("cannot run cargo")?.success(), "rankd cannot be built");
    let own = std::env::current_exe().context("this program has no path")?;
    Ok(own.with_file_name("rankd"))
}

/// Starts `rankd serve` with its data below `folder` and `durability = interval`; tells its port.
///
/// # Errors
/// It does not come up.
pub fn start_rankd(
    program: &Path,
    folder: &Path,
    core: Option<usize>,
    settings: &[&str],
) -> Result<(Process, u16)> {
    let mut command = on_core(core, program);
    command.args(["serve", "--http", "127.0.0.1:0", "--durability", "interval", "--data"]);
    command.arg(folder.join("rankd")).args(settings).stderr(Stdio::null());
    announced(command, "rankd is ready: http://127.0.0.1:")
}

/// Starts a server that prints where it listens: a port follows `before`.
///
/// # Errors
/// It ends without having done so.
pub fn announced(mut command: Command, before: &str) -> Result<(Process, u16)> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start a server")?;
    let stdout = child.stdout.take().context("its output is piped")?;
    let process = Process(child);
    let mut lines = BufReader::new(stdout);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        if let Some((_, rest)) = line.split_once(before) {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            return Ok((process, digits.parse().context("a port")?));
        }
        line.clear();
    }
    bail!("{command:?} ended before it was ready")
}
