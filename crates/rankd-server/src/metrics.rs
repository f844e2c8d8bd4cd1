//! What `/metrics` shows: requests by route and status, their durations, connections, refusals
//! by reason, and the engine's and the store's own counters, read when they are asked for.
//!
//! Labels come from the table of routes and from slugs, never from what clients send, so the
//! number of series is bounded. Cost of a request: an atomic addition, a lock held for some
//! nanoseconds, and a look-up unless it succeeded.

use std::fmt;
use std::sync::OnceLock;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use rankd_engine::{Clock as _, Health, SyncTimes, SystemClock};

use crate::problem::Slug;
use crate::slot::EngineSlot;
use crate::surfaces::routes::SURFACE_ROUTES;
use crate::table::{ROUTES, Route};

/// What may become of a reload.
const RESULTS: [&str; 2] = ["ok", "failed"];

/// The format of the page.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SizeLabels {
    size: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

/// The line of a table that a request belongs to; its labels come from there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Line {
    /// By its place in [`ROUTES`].
    Own(usize),
    /// By its place in [`SURFACE_ROUTES`].
    Surface(usize),
}

impl Line {
    fn labels(self) -> RouteLabels {
        match self {
            Self::Own(index) => own_labels(ROUTES[index]),
            Self::Surface(index) => {
                let route = &SURFACE_ROUTES[index];
                RouteLabels { method: route.method, route: route.path }
            }
        }
    }

    /// Its path, with names of parameters in braces.
    pub(crate) fn route(self) -> &'static str {
        self.labels().route
    }

    /// Its place in the list of both tables' durations.
    fn place(self) -> usize {
        match self {
            Self::Own(index) => index,
            Self::Surface(index) => ROUTES.len() + index,
        }
    }
}

/// The counters of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    /// The counters of status 200, in the order of the durations.
    requests_ok: Vec<OnceLock<Counter>>,
    durations: Vec<Histogram>,
    refusals: Family<ReasonLabels, Counter>,
    bodies: Family<SizeLabels, Gauge>,
    reloads: Family<ResultLabels, Counter>,
    /// TLS handshakes that came to nothing.
    pub(crate) handshakes_failed: Counter,
    /// Requests that took longer than is liked.
    pub(crate) slow: Counter,
    /// Connections that are open.
    pub(crate) connections: Gauge,
    /// Requests that are being answered.
    pub(crate) in_flight: Gauge,
}

impl Metrics {
    pub(crate) fn new(slot: &EngineSlot, build: &'static [(&str, &str)]) -> Self {
        let mut registry = Registry::with_prefix("rankd");
        let (durations, requests) = (register_durations(&mut registry), Family::default());
        let metrics = Self {
            requests_ok: durations.iter().map(|_| OnceLock::new()).collect(),
            durations,
            requests,
            refusals: Family::default(),
            bodies: Family::default(),
            reloads: Family::default(),
            handshakes_failed: Counter::default(),
            slow: Counter::default(),
            connections: Gauge::default(),
            in_flight: Gauge::default(),
            registry: Registry::default(),
        };
        metrics.register(&mut registry);
        registry.register("build", "The version that runs", Info::new(build.to_vec()));
        registry.register_collector(Box::new(EngineCollector(slot.clone())));
        registry.register_collector(Box::new(ProcessCollector));
        // There from the first page on, so that a rate is not missed.
        for result in RESULTS {
            metrics.reloads.get_or_create_owned(&ResultLabels { result });
        }
        Self { registry, ..metrics }
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Requests and connections refused, by the problem's type";
        registry.register("http_refusals", help, self.refusals.clone());
        let help = "Requests that took longer than slow_ms";
        registry.register("http_slow_requests", help, self.slow.clone());
        registry.register("http_connections", "Open connections", self.connections.clone());
        registry.register("http_in_flight", "Requests being answered", self.in_flight.clone());
        let help = "Request bodies in memory; those over 64 KiB are large";
        registry.register("http_bodies", help, self.bodies.clone());
        let help = "TLS handshakes that failed or took too long";
        registry.register("http_tls_handshakes_failed", help, self.handshakes_failed.clone());
        let help = "Reloads of keys, certificate and limits, by what became of them";
        registry.register("reloads", help, self.reloads.clone());
    }

    /// Counts a reload.
    pub(crate) fn reloaded(&self, is_ok: bool) {
        let [ok, failed] = RESULTS;
        let result = if is_ok { ok } else { failed };
        self.reloads.get_or_create(&ResultLabels { result }).inc();
    }

    /// Counts an answered request; `line` is `None` if its path or method is unknown.
    pub(crate) fn answered(&self, line: Option<Line>, status: u16, seconds: f64) {
        let labels = || {
            let unknown = RouteLabels { method: "any", route: "unknown" };
            let RouteLabels { method, route } = line.map_or(unknown, Line::labels);
            RequestLabels { method, route, status: status.into() }
        };
        // Nearly all are like those before, whose counter need not be looked up.
        let ok = line.filter(|_| status == 200).and_then(|l| self.requests_ok.get(l.place()));
        match ok {
            Some(ok) => {
                ok.get_or_init(|| self.requests.get_or_create_owned(&labels())).inc();
            }
            None => {
                self.requests.get_or_create(&labels()).inc();
            }
        }
        if let Some(histogram) = line.and_then(|line| self.durations.get(line.place())) {
            histogram.observe(seconds);
        }
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, slug: Slug) {
        self.refusals.get_or_create(&ReasonLabels { reason: slug.name() }).inc();
    }

    /// The page; `bodies` are those in memory, small ones and large ones.
    pub(crate) fn page(&self, bodies: (usize, usize)) -> String {
        for (size, count) in [("small", bodies.0), ("large", bodies.1)] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.bodies.get_or_create(&SizeLabels { size }).set(count);
        }
        let mut page = String::with_capacity(16 * 1024);
        text::encode(&mut page, &self.registry).expect("writing to a string cannot fail");
        page
    }
}

fn own_labels(route: &Route) -> RouteLabels {
    // The table is made of constants, but a Method lends its name only for its own lifetime.
    let method = match route.method.as_str() {
        "GET" => "GET",
        "PUT" => "PUT",
        "POST" => "POST",
        _ => "DELETE",
    };
    RouteLabels { method, route: route.path }
}

/// One histogram a route, made up front so that requests find theirs by position.
fn register_durations(registry: &mut Registry) -> Vec<Histogram> {
    // 50 us to 6.5 s in factors of two: a read in memory, a write behind a slow disk.
    let new = || Histogram::new(exponential_buckets(50e-6, 2.0, 18));
    let family = Family::<RouteLabels, Histogram, _>::new_with_constructor(new as fn() -> _);
    let own = (0..ROUTES.len()).map(Line::Own);
    let durations = own
        .chain((0..SURFACE_ROUTES.len()).map(Line::Surface))
        .map(|line| family.get_or_create_owned(&line.labels()))
        .collect();
    registry.register("http_request_seconds", "Time to answer a request", family);
    durations
}

/// Reads the engine's counters when the page is asked for.
#[derive(Debug)]
struct EngineCollector(EngineSlot);

impl Collector for EngineCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let engine = self.0.get();
        let health = engine.map(|engine| engine.health());
        let ready = matches!(health, Some(Health::Ready));
        gauge(&mut encoder, "ready", "1 if the store is loaded and takes writes", ready.into())?;
        let ahead = matches!(health, Some(Health::ReadOnly { ahead_of_disk: true, .. }));
        let help = "1 if memory may hold writes that the disk does not";
        gauge(&mut encoder, "ahead_of_disk", help, ahead.into())?;
        let Some(engine) = engine else { return Ok(()) };
        let totals = engine.totals();
        gauge(&mut encoder, "boards", "Boards", totals.boards)?;
        gauge(&mut encoder, "members", "Members of all boards", totals.members)?;
        gauge(&mut encoder, "labels", "Members with a display name", totals.labels)?;
        gauge(&mut encoder, "idempotency_keys", "Remembered idempotency keys", totals.keys)?;
        gauge(&mut encoder, "orgs", "Organisations", totals.orgs)?;
        gauge(&mut encoder, "users", "Users of all organisations", totals.users)?;
        gauge(&mut encoder, "activities", "Activities stored", totals.activities)?;
        store(&mut encoder, &engine.stats())?;
        let help = "Age of what this node knows, in milliseconds; 0 while it is up to date";
        gauge(&mut encoder, "staleness_ms", help, engine.staleness_ms())?;
        for (name, help, value) in engine.store_counters() {
            counter(&mut encoder, name, help, value)?;
        }
        Ok(())
    }
}

fn store(e: &mut DescriptorEncoder<'_>, s: &rankd_engine::StoreStats) -> Result<(), fmt::Error> {
    gauge(e, "store_sequence", "Highest sequence given out", s.sequence)?;
    gauge(e, "store_durable_sequence", "Highest durable sequence", s.durable_sequence)?;
    counter(e, "store_records", "Records written to the log", s.records)?;
    counter(e, "store_log_bytes", "Bytes written to the log", s.log_bytes)?;
    counter(e, "store_syncs", "Calls of fsync on the log", s.syncs)?;
    #[expect(clippy::cast_precision_loss, reason = "2^53 us of fsync are 285 years")]
    let sync_seconds = ConstCounter::new(s.sync_times.sum_us as f64 / 1e6);
    metric(e, "store_sync_seconds", "Time spent in fsync", &sync_seconds)?;
    metric(e, "store_fsync_seconds", "Time of a call of fsync", &SyncHistogram(s.sync_times))?;
    gauge(e, "store_queued", "Records waiting to be written", s.queued)?;
    counter(e, "store_snapshots", "Snapshots finished", s.snapshots)?;
    counter(e, "store_snapshots_failed", "Snapshots that failed", s.snapshots_failed)?;
    gauge(e, "store_snapshot_sequence", "Sequence of the newest snapshot", s.snapshot_sequence)?;
    let at_s = u64::try_from(s.snapshot_at_ms / 1000).unwrap_or(0);
    let help = "When the newest snapshot was finished, in seconds since 1970; 0 if there is none";
    gauge(e, "store_snapshot_timestamp_seconds", help, at_s)?;
    if at_s > 0 {
        let age_ms = SystemClock.now_ms().saturating_sub(s.snapshot_at_ms);
        let age_s = u64::try_from(age_ms / 1000).unwrap_or(0);
        gauge(e, "store_snapshot_age_seconds", "Age of the newest snapshot", age_s)?;
    }
    let last_failed = u64::from(s.snapshot_last_failed);
    gauge(e, "store_snapshot_last_failed", "1 if the last snapshot failed", last_failed)?;
    gauge(e, "store_snapshot_bytes", "Size of the last snapshot", s.snapshot_bytes)?;
    #[expect(clippy::cast_precision_loss, reason = "2^53 ms are 285,000 years")]
    let seconds = ConstGauge::new(s.snapshot_ms as f64 / 1e3);
    metric(e, "store_snapshot_seconds", "How long the last snapshot took", &seconds)?;
    let help = "Members in the snapshot that is being written";
    gauge(e, "store_snapshot_members_done", help, s.snapshot_members_done)?;
    let help = "Members that it will have, roughly; 0 if none is being written";
    gauge(e, "store_snapshot_members_total", help, s.snapshot_members_total)?;
    gauge(e, "store_segments", "Log segments on disk", s.segments)
}

/// The store's histogram as the page has it.
#[derive(Debug)]
struct SyncHistogram(SyncTimes);

impl EncodeMetric for SyncHistogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        #[expect(clippy::cast_precision_loss, reason = "2^53 us are 285 years")]
        let seconds = |us: u64| us as f64 / 1e6;
        let bounds = SyncTimes::BOUNDS_US.map(seconds).into_iter().chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(self.0.counts).collect();
        let count = self.0.counts.iter().sum();
        encoder.encode_histogram::<NoLabelSet>(seconds(self.0.sum_us), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Asks the system about this process when the page is asked for.
#[derive(Debug)]
struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(bytes) = resident_bytes() else { return Ok(()) };
        let help = "Memory of the process that is in RAM";
        gauge(&mut encoder, "process_resident_memory_bytes", help, bytes)
    }
}

/// Memory of this process that is in RAM, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> Result<(), fmt::Error> {
    metric(encoder, name, help, &ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> Result<(), fmt::Error> {
    metric(encoder, name, help, &ConstCounter::new(value))
}

fn metric(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
