//! Three times what the server can do.
//!
//! Two ways to ask for it. `users`: as many connections as there are impatient users, each with one
//! request on its way. `pipelines`: requests that cost the server far more than the clients (the
//! ranks of 100 members), sent without waiting, so that the clients really send three times of what
//! is answered as long as the system takes it. Invariant: both loops of a way ask the same kind of
//! request. Cost: two measurements a way.

use anyhow::Result;
use rankd_load::Plan;

use crate::load::{self, Loaded};
use crate::server::Server;

/// How many times of the peak are asked for.
const TIMES: f64 = 3.0;

/// A way to ask for more than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Users,
    Pipelines,
}

impl Way {
    pub(crate) const ALL: [Self; 2] = [Self::Users, Self::Pipelines];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Users => "one rank at a time, 64, then 2000 connections",
            Self::Pipelines => "100 ranks a request, 16, then 1024 pipelined",
        }
    }

    fn peak(self, plan: Plan) -> Plan {
        match self {
            Self::Users => plan,
            Self::Pipelines => Plan { pipeline: 16, ..plan },
        }
    }

    fn overload(self, plan: Plan, rate_per_s: f64) -> Plan {
        let plan = Plan { pace: load::open(rate_per_s), ..plan };
        match self {
            Self::Users => Plan { connections: 2000, ..plan },
            Self::Pipelines => Plan { pipeline: 1024, ..plan },
        }
    }
}

/// One way, one round.
#[derive(Debug, Clone)]
pub(crate) struct Overloaded {
    pub(crate) way: Way,
    pub(crate) peak: Loaded,
    pub(crate) offered_per_s: f64,
    pub(crate) overload: Loaded,
}

pub(crate) type Round = Vec<Overloaded>;

pub(crate) fn run(server: &Server, seconds: u64) -> Result<Round> {
    Way::ALL.into_iter().map(|way| one(server, seconds, way)).collect()
}

fn one(server: &Server, seconds: u64, way: Way) -> Result<Overloaded> {
    let mix = if way == Way::Users { "rank" } else { "bulk" };
    let plan = load::plan(server, mix, seconds)?;
    let peak = load::run(server, &way.peak(plan.clone()), |_| ())?;
    let offered_per_s = TIMES * peak.report.requests_per_s;
    let overload = load::run(server, &way.overload(plan, offered_per_s), |_| ())?;
    Ok(Overloaded { way, peak, offered_per_s, overload })
}
