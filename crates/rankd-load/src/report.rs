//! What a test found, in numbers.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::mix::Operation;
use crate::plan::{Pace, Plan};
use crate::recorder::Tally;
use crate::target::Target;

/// What a test found. Times are in the unit that their names end in.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The server's URL, without credentials.
    pub target: String,
    /// `closed`, or `open` with a rate.
    pub pace: String,
    /// The mix of operations, or the path that was read.
    pub workload: String,
    /// How members were picked.
    pub access: String,
    /// Members of the board.
    pub members: u64,
    /// Connections.
    pub connections: usize,
    /// Most requests on their way on one of them.
    pub pipeline: usize,
    /// Seconds that were counted.
    pub duration_s: f64,
    /// Requests answered in that time.
    pub requests: u64,
    /// The same, a second.
    pub requests_per_s: f64,
    /// Refusals, and connections that broke.
    pub errors: u64,
    /// What the first of them said.
    pub first_error: Option<String>,
    /// Requests that were due and got no answer before the end.
    pub unanswered: u64,
    /// Connections that had to be made again.
    pub reconnects: u64,
    /// Latencies of all operations, in an open loop from the intended start.
    pub latency: Latency,
    /// The same by operation.
    pub operations: Vec<OperationReport>,
    /// The curve of all operations' latencies.
    pub percentiles: Vec<Percentile>,
    /// What happened when.
    pub intervals: Vec<Interval>,
    /// What the server used, where it runs on this machine.
    pub server: Option<ServerUse>,
}

/// Latencies, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Latency {
    pub count: u64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub p9999_us: f64,
    pub max_us: f64,
}

/// The latencies of one operation.
#[derive(Debug, Clone, Serialize)]
pub struct OperationReport {
    /// Which one.
    pub operation: Operation,
    /// Its latencies.
    pub latency: Latency,
}

/// A point of the curve: this share of the requests took at most this long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentile {
    /// 0 to 100.
    pub percentile: f64,
    /// Microseconds.
    pub latency_us: f64,
}

/// A stretch of the test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Its end, in seconds since counting began.
    pub at_s: f64,
    /// Answers a second.
    pub requests_per_s: f64,
    /// Refusals, and connections that broke.
    pub errors: u64,
    /// Latencies of the requests that were answered in it.
    pub p50_us: f64,
    /// See `p50_us`.
    pub p99_us: f64,
    /// See `p50_us`.
    pub max_us: f64,
}

/// What a server on this machine used while the test was counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ServerUse {
    /// Processes that listen on its port.
    pub processes: usize,
    /// Processor time of all of them, in seconds.
    pub cpu_s: f64,
    /// Processor time for one answered request, in microseconds.
    pub cpu_us_per_request: f64,
    /// Resident memory at the end, in bytes.
    pub rss_bytes: u64,
}

impl Report {
    pub(crate) fn new(
        target: &Target,
        plan: &Plan,
        tally: &Tally,
        intervals: Vec<Interval>,
        server: Option<ServerUse>,
    ) -> Self {
        let all = tally.all();
        let operations = Operation::ALL.into_iter().filter_map(|operation| {
            let latency = Latency::of(tally.of(operation)?);
            Some(OperationReport { operation, latency })
        });
        let pace = match plan.pace {
            Pace::Closed => "closed loop".to_owned(),
            Pace::Open { rate_per_s } => format!("open loop, {rate_per_s} requests/s"),
        };
        let workload = match &plan.path {
            Some(path) => format!("GET {path}"),
            None => plan.mix.to_string(),
        };
        Self {
            target: target.url(),
            pace,
            workload,
            access: plan.access.to_string(),
            members: plan.members,
            connections: plan.connections,
            pipeline: plan.pipeline,
            duration_s: plan.duration.as_secs_f64(),
            requests: tally.answered,
            requests_per_s: per_s(tally.answered, plan.duration),
            errors: tally.errors,
            first_error: tally.first_error.clone(),
            unanswered: tally.unanswered,
            reconnects: tally.reconnects,
            latency: Latency::of(&all),
            operations: operations.collect(),
            percentiles: curve(&all),
            intervals,
            server,
        }
    }
}

impl Interval {
    pub(crate) fn new(at: Duration, length: Duration, tally: &Tally) -> Self {
        let all = tally.all();
        Self {
            at_s: at.as_secs_f64(),
            requests_per_s: per_s(tally.answered, length),
            errors: tally.errors,
            p50_us: us(all.value_at_quantile(0.5)),
            p99_us: us(all.value_at_quantile(0.99)),
            max_us: us(all.max()),
        }
    }
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| us(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            mean_us: histogram.mean() / 1e3,
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            p9999_us: at(0.9999),
            max_us: us(histogram.max()),
        }
    }
}

/// The curve at steps that halve what is left, four of them a halving.
fn curve(histogram: &Histogram<u64>) -> Vec<Percentile> {
    /// Beyond it the curve is its last value.
    const PERCENTILE_MAX: f64 = 99.9999;
    let mut points: Vec<Percentile> = Vec::new();
    for value in histogram.iter_quantiles(4) {
        let percentile = 100.0 * value.quantile();
        let latency_us = us(value.value_iterated_to());
        points.push(Percentile { percentile, latency_us });
        if percentile > PERCENTILE_MAX {
            break;
        }
    }
    points
}

#[expect(clippy::cast_precision_loss, reason = "an hour has far fewer than 2^53 nanoseconds")]
fn us(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a test has far fewer than 2^53 requests")]
fn per_s(count: u64, length: Duration) -> f64 {
    count as f64 / length.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let mut tally = Tally::default();
        // 1 ms to 10 000 ms: the q-th is 10 000 q ms, sorted by hand.
        for ms in 1..=10_000_u64 {
            tally.latency(Operation::Rank, Duration::from_millis(ms));
        }
        let latency = Latency::of(&tally.all());
        for (found, exact_ms) in [
            (latency.p50_us, 5_000.0),
            (latency.p90_us, 9_000.0),
            (latency.p99_us, 9_900.0),
            (latency.p999_us, 9_990.0),
            (latency.p9999_us, 9_999.0),
            (latency.max_us, 10_000.0),
            (latency.mean_us, 5_000.5),
        ] {
            assert!((found / 1e3 / exact_ms - 1.0).abs() < 0.002, "{found} {exact_ms}");
        }
        let curve = curve(&tally.all());
        assert!(curve.len() > 10);
        assert!(curve.windows(2).all(|pair| pair[0].latency_us <= pair[1].latency_us));
        let middle = curve.iter().find(|point| point.percentile >= 50.0).unwrap();
        assert!((middle.latency_us / 5e6 - 1.0).abs() < 0.002, "{middle:?}");
    }

    #[test]
    fn a_report_is_json_without_credentials() {
        let target = Target::parse("redis://:secret@localhost").unwrap();
        let plan = Plan { token: Some("hidden".to_owned()), ..Plan::default() };
        let report = Report::new(&target, &plan, &Tally::default(), Vec::new(), None);
        let json = serde_json::to_string(&report).unwrap();
        assert!(!json.contains("secret") && !json.contains("hidden"), "{json}");
        assert!(json.contains("\"requests\":0"), "{json}");
    }
}
