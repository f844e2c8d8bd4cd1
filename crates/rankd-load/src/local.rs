//! What the tested server uses of this machine, if it runs on it: read from `/proc`, where the
//! processes that hold the listening socket are found by its port.
//!
//! It is a help, not a promise: a server of another user, in another namespace or on another
//! machine is simply not shown. Cost: a walk over all processes' open files, once a test.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use crate::report::ServerUse;
use crate::target::Target;

/// The state of a listening socket in the system's tables.
const LISTENING: &str = "0A";

/// The processes of the server.
#[derive(Debug)]
pub(crate) struct Local {
    processes: Vec<u32>,
}

/// What they had used at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    cpu_ticks: u64,
    rss_bytes: u64,
}

impl Local {
    /// The processes that listen on the target's port, if it is on this machine's loopback.
    pub(crate) fn of(target: &Target) -> Option<Self> {
        let is_local = target.host == "localhost"
            || target.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !is_local {
            return None;
        }
        let mut inodes = Vec::new();
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            inodes.extend(listeners(&fs::read_to_string(table).unwrap_or_default(), target.port));
        }
        let links: Vec<_> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
        let entries = fs::read_dir("/proc").ok()?;
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let processes: Vec<u32> = numbers.filter(|process| holds(*process, &links)).collect();
        if processes.is_empty() { None } else { Some(Self { processes }) }
    }

    /// What they have used until now; `None` if one of them is gone.
    pub(crate) fn sample(&self) -> Option<Sample> {
        let mut sum = Sample { cpu_ticks: 0, rss_bytes: 0 };
        for process in &self.processes {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            sum.cpu_ticks += cpu_ticks(&stat)?;
            sum.rss_bytes += rss_bytes(&status)?;
        }
        Some(sum)
    }

    /// What they used between two samples, while `requests` were answered.
    pub(crate) fn between(
        &self,
        before: Sample,
        after: Sample,
        requests: u64,
    ) -> Option<ServerUse> {
        let ticks = after.cpu_ticks.checked_sub(before.cpu_ticks)?;
        #[expect(clippy::cast_precision_loss, reason = "times and counts of one test")]
        let (cpu_s, requests) =
            (ticks as f64 / rustix::param::clock_ticks_per_second() as f64, requests.max(1) as f64);
        Some(ServerUse {
            processes: self.processes.len(),
            cpu_s,
            cpu_us_per_request: cpu_s * 1e6 / requests,
            rss_bytes: after.rss_bytes,
        })
    }
}

/// The sockets of a table that listen on `port`.
fn listeners(table: &str, port: u16) -> Vec<String> {
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let on_port = |address: &str| {
        let digits = address.rsplit_once(':').map(|(_, digits)| u16::from_str_radix(digits, 16));
        digits == Some(Ok(port))
    };
    lines
        .filter_map(|fields| match fields[..] {
            [_, local, _, LISTENING, _, _, _, _, _, inode, ..] if on_port(local) => {
                Some(inode.to_owned())
            }
            _ => None,
        })
        .collect()
}

fn holds(process: u32, links: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    files.flatten().any(|file| {
        let link = fs::read_link(file.path());
        link.is_ok_and(|link| links.iter().any(|wanted| link == Path::new(wanted)))
    })
}

/// User and system time; the name of the program, in parentheses, may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn rss_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_of_this_process_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let local = Local::of(&target).unwrap();
        assert_eq!(local.processes, [std::process::id()]);
        let sample = local.sample().unwrap();
        assert!(sample.rss_bytes > 100_000, "{sample:?}");
        drop(listener);
        assert!(Local::of(&target).is_none());
    }

    #[test]
    fn other_machines_are_not_looked_for() {
        assert!(Local::of(&Target::parse("http://192.0.2.1:80").unwrap()).is_none());
    }

    #[test]
    fn names_of_programs_do_not_shift_the_fields() {
        let stat = "7 (a b) 1 (c) S 1 2 3 4 5 6 7 8 9 10 41 1 0 0 20";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(rss_bytes("Name:\tx\nVmRSS:\t     12 kB\n"), Some(12 * 1024));
        assert_eq!(cpu_ticks(""), None);
    }
}
