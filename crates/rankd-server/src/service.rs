//! One request's way through the house: found in the table, checked, read, handled, counted,
//! logged. Handlers see only requests that are well-formed as far as HTTP goes.
//!
//! Invariant: whatever happens, exactly one reply leaves, and it is counted once.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use prometheus_client::metrics::gauge::Gauge;
use rankd_engine::{Clock as _, Engine, Health, SystemClock};
use tokio::time::Instant;

use crate::access::{self, Gate};
use crate::body::{self, BodyBudget, HeldBody};
use crate::console::Console;
use crate::docs::Docs;
use crate::handlers::orgs::OrgCall;
use crate::handlers::{self, Call, ops};
use crate::idempotency;
use crate::json::JsonWriter;
use crate::keys::{self, Keys, Permit, Reach};
use crate::lane::Plain;
use crate::limits::{SURFACE_BODY_BYTES_MAX, URI_BYTES_MAX};
use crate::metrics::{Line, Metrics};
use crate::names;
use crate::nodes::{self, Written};
use crate::options::ServerOptions;
use crate::origin;
use crate::problem::{Problem, Slug};
use crate::query::Query;
use crate::rate::Rates;
use crate::reply::{self, Reply};
use crate::request_log::{Answered, RequestLog};
use crate::routes::{Found, Routes};
use crate::slot::EngineSlot;
use crate::surfaces::{self, Surface, SurfaceCall};
use crate::table::{Action, BodySpec, Class, Route};
use crate::tls::Tls;
use crate::tunables::Live;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a plain request asks for.
pub(crate) struct Asked<'a> {
    found: Found<'a, 'a>,
    query: Query<'a>,
    engine: &'a Arc<Engine>,
    permit: Permit,
}

/// The reply to a plain request.
pub(crate) enum PlainReply {
    /// 200 with the JSON that was written.
    Json,
    /// Anything else, and the id that it tells, if it does.
    Other(Reply, Option<u64>),
}

/// What all connections share. Everything in it is fixed, atomic, or locks for itself.
#[derive(Debug)]
pub(crate) struct Service {
    slot: EngineSlot,
    routes: Routes,
    bodies: BodyBudget,
    console: Console,
    docs: Docs,
    rates: Rates,
    pub(crate) metrics: Metrics,
    pub(crate) live: Arc<Live>,
    /// `None`: boards need no key.
    pub(crate) keys: Option<Keys>,
    pub(crate) tls: Option<Tls>,
    log: RequestLog,
    gate: Gate,
    /// Whether only this machine can reach the server.
    loopback: bool,
}

impl Service {
    pub(crate) fn new(
        options: &ServerOptions,
        keys: Option<Keys>,
        tls: Option<Tls>,
        slot: EngineSlot,
    ) -> Self {
        let live = Arc::new(Live::new(&options.tunables));
        Self {
            routes: Routes::new(options.console),
            bodies: BodyBudget::new(Arc::clone(&live)),
            console: Console::new(),
            docs: Docs::new(),
            rates: Rates::default(),
            metrics: Metrics::new(&slot, options.build),
            gate: Gate::new(options),
            live,
            keys,
            tls,
            log: RequestLog::default(),
            slot,
            loopback: options.http.ip().is_loopback(),
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Reply {
        let started = Instant::now();
        let request_id = self.log.new_id();
        let _in_flight = Counted::new(&self.metrics.in_flight);
        let (head, mut incoming) = request.into_parts();
        let head = Request::from_parts(head, ());
        let surface = Surface::of(head.uri().path());
        let (line, handled) = match surface {
            Some(surface) => self.answer_surface(surface, &head, &mut incoming).await,
            None => self.answer_own(&head, &mut incoming).await,
        };
        let mut reply = match handled {
            Ok(reply) => reply,
            Err(problem) => {
                if problem.slug() != Slug::BodyTimeout {
                    self.bodies.discard(head.headers(), incoming).await;
                }
                self.refuse(surface, problem, request_id)
            }
        };
        if head.method() == Method::HEAD {
            reply = without_body(reply);
        }
        self.tell(
            line,
            &Answered {
                request_id: Some(request_id),
                method: head.method().as_str(),
                path: head.uri().path(),
                route: line.map_or("unknown", Line::route),
                status: reply.status().as_u16(),
                elapsed: started.elapsed(),
            },
        );
        reply
    }

    /// Whether a request may be addressed to `host`.
    pub(crate) fn is_own_host(&self, host: &[u8]) -> bool {
        !self.loopback || origin::is_loopback(host)
    }

    /// What a plain request asks; `None` if it is not to be answered in the lane.
    pub(crate) fn asked<'a>(&'a self, plain: &'a Plain<'_>) -> Option<Asked<'a>> {
        let found = self.routes.find(&plain.method, plain.path).ok()?;
        let route = found.route;
        let fits = match (&route.body, plain.body) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(spec), None) => spec.optional,
            (Some(spec), Some(body)) => body.len() <= spec.bytes_max,
        };
        let is_read = route.class == Class::Read;
        // Nobody shows a credential in the lane.
        if !fits || route.class.needs_key() || !(is_read || route.class == Class::Write) {
            return None;
        }
        let query = Query::parse(plain.query, route.query.iter().map(|param| param.name)).ok()?;
        let engine = self.slot.get()?;
        // These say so in a header.
        if is_read && (is_ahead_of_disk(engine) || engine.staleness_ms() > 0) {
            return None;
        }
        let permit = self.permit(route, || plain.bearer.ok_or_else(|| access::unauthorized("")));
        let permit = permit.ok()?;
        check_boards(&permit, &found, &query).ok()?;
        Some(Asked { found, query, engine, permit })
    }

    /// Answers a plain request, into `json` if it is a hot one and there is nothing to refuse.
    pub(crate) async fn answer_plain(
        &self,
        plain: &Plain<'_>,
        asked: &Asked<'_>,
        json: &mut JsonWriter,
    ) -> PlainReply {
        let _in_flight = Counted::new(&self.metrics.in_flight);
        let Asked { found, query, engine, permit } = asked;
        let body = plain.body.unwrap_or_default();
        let params = &found.params;
        let written = Written::default();
        let call = Call { engine, params, query, permit, body, idempotency: None, written };
        let action = found.route.action;
        let handled = if let Err(overload) = self.check_load() {
            Err(overload)
        } else if handlers::is_hot(action) {
            handlers::write_hot(action, &call, json).map(|()| PlainReply::Json)
        } else {
            handlers::dispatch(action, &call).await.map(|mut reply| {
                call.written.mark(&mut reply);
                PlainReply::Other(reply, None)
            })
        };
        handled.unwrap_or_else(|problem| {
            let request_id = self.log.new_id();
            PlainReply::Other(self.refuse(None, problem, request_id), Some(request_id))
        })
    }

    /// Counts and logs an answered plain request; `told` is its status, and the id that its client
    /// was told.
    pub(crate) fn answered_plain(
        &self,
        plain: &Plain<'_>,
        asked: &Asked<'_>,
        told: (u16, Option<u64>),
        elapsed: Duration,
    ) {
        let (status, request_id) = told;
        let (method, path) = (plain.method.as_str(), plain.path);
        let route = asked.found.route.path;
        let line = Some(Line::Own(asked.found.index));
        self.tell(line, &Answered { request_id, method, path, route, status, elapsed });
    }

    /// Counts and logs an answered request.
    fn tell(&self, line: Option<Line>, request: &Answered<'_>) {
        self.metrics.answered(line, request.status, request.elapsed.as_secs_f64());
        if self.log.answered(&self.live, request) {
            self.metrics.slow.inc();
        }
    }

    /// Refuses a request if too many are being answered; the request itself is counted already.
    fn check_load(&self) -> Result<(), Problem> {
        let max = self.live.requests_max();
        let in_flight = usize::try_from(self.metrics.in_flight.get()).unwrap_or(0);
        if in_flight <= max {
            return Ok(());
        }
        let detail = format!("{max} requests are being answered, which is the limit");
        Err(Problem::new(Slug::Overloaded, detail))
    }

    /// What the key that `shown` finds allows, if the route needs one.
    fn permit<'k>(
        &self,
        route: &Route,
        shown: impl FnOnce() -> Result<&'k str, Problem>,
    ) -> Result<Permit, Problem> {
        let (Some(keys), Some(need)) = (&self.keys, keys::need(route.action)) else {
            return Ok(Permit::All);
        };
        let permit = keys.admit(shown()?)?;
        permit.check_scope(need.scope)?;
        Ok(permit)
    }

    /// A request to this server's own API, and its line of the table.
    async fn answer_own(
        &self,
        head: &Request<()>,
        incoming: &mut Incoming,
    ) -> (Option<Line>, Result<Reply, Problem>) {
        let found = check_target(head.uri())
            .and_then(|()| self.routes.find(head.method(), head.uri().path()));
        match found {
            Ok(found) => {
                let line = Some(Line::Own(found.index));
                (line, self.handle(&found, head, incoming).await)
            }
            Err(problem) => (None, Err(problem)),
        }
    }

    /// A request to a published API, and its line of the table. Such a request carries a
    /// credential that a web page does not have, so neither its `Host` nor its origin matters.
    async fn answer_surface(
        &self,
        surface: Surface,
        head: &Request<()>,
        incoming: &mut Incoming,
    ) -> (Option<Line>, Result<Reply, Problem>) {
        let found = check_target(head.uri())
            .and_then(|()| surfaces::routes::find(surface, head.method(), head.uri().path()));
        match found {
            Ok(index) => {
                let line = Some(Line::Surface(index));
                (line, self.ask_surface(surface, head, incoming).await)
            }
            Err(problem) => (None, Err(problem)),
        }
    }

    async fn ask_surface(
        &self,
        surface: Surface,
        head: &Request<()>,
        incoming: &mut Incoming,
    ) -> Result<Reply, Problem> {
        self.check_load()?;
        let engine = self.engine()?;
        let now_ms = engine.now_ms();
        let body = if incoming.is_end_stream() {
            None
        } else {
            Some(self.bodies.read(incoming, SURFACE_BODY_BYTES_MAX).await?)
        };
        let body = body.as_ref().map_or(&b""[..], |body| &body.bytes);
        let as_get = (head.method() == Method::HEAD).then(|| {
            let mut as_get = head.clone();
            *as_get.method_mut() = Method::GET;
            as_get
        });
        let head = as_get.as_ref().unwrap_or(head);
        let call = SurfaceCall { engine, head, body, now_ms, rates: &self.rates };
        let mut reply = surface.answer(&call).await?;
        mark_ahead_of_disk(engine, &mut reply);
        Ok(reply)
    }

    async fn handle(
        &self,
        found: &Found<'_, '_>,
        head: &Request<()>,
        incoming: &mut Incoming,
    ) -> Result<Reply, Problem> {
        if self.loopback {
            origin::check_host(head)?;
        }
        let route = found.route;
        let permit = self.permit(route, || access::shown_key(head.headers()))?;
        let allowed = route.query.iter().map(|param| param.name);
        // A link to the console that somebody decorated is still a link to the console.
        let asked = head.uri().query().filter(|_| route.action != Action::Console);
        let query = Query::parse(asked.unwrap_or(""), allowed)?;
        check_boards(&permit, found, &query)?;
        if route.class == Class::Open {
            return Ok(self.answer_open(route.action));
        }
        self.check_load()?;
        let engine = self.engine()?;
        if route.method != Method::GET {
            origin::check_site(head)?;
        }
        let access = match route.class {
            Class::OrgRead | Class::OrgWrite => {
                Some(self.gate.admit(engine.orgs(), head.headers())?)
            }
            _ => None,
        };
        if route.class == Class::Read {
            nodes::wait(engine, head.headers()).await?;
        }
        let body = self.read_body(route, head.headers(), incoming).await?;
        let bytes = body.as_ref().map_or(&b""[..], |body| &body.bytes);
        let path = head.uri().path();
        let idempotency = match route.class {
            Class::Write => idempotency::key(head.headers(), head.method(), path, bytes)?,
            Class::OrgWrite => idempotency::none(head.headers())?,
            _ => None,
        };
        let params = &found.params;
        let mut reply = match (route.action, access) {
            (Action::Org(action), Some(access)) => {
                let call = OrgCall { engine, params, body: bytes, access };
                handlers::orgs::dispatch(action, &call).await?
            }
            (action, _) => {
                let (query, permit, written) = (&query, &permit, Written::default());
                let call =
                    Call { engine, params, query, permit, body: bytes, idempotency, written };
                let mut reply = handlers::dispatch(action, &call).await?;
                call.written.mark(&mut reply);
                reply
            }
        };
        if matches!(route.class, Class::Read | Class::OrgRead) {
            mark_ahead_of_disk(engine, &mut reply);
            nodes::mark_stale(engine, &mut reply);
        }
        Ok(reply)
    }

    fn engine(&self) -> Result<&Arc<Engine>, Problem> {
        self.slot.get().ok_or_else(|| {
            Problem::new(Slug::Loading, "the store is being read back; /readyz tells when it is")
        })
    }

    async fn read_body(
        &self,
        route: &Route,
        headers: &HeaderMap,
        incoming: &mut Incoming,
    ) -> Result<Option<HeldBody<'_>>, Problem> {
        let Some(BodySpec { bytes_max, optional, .. }) = route.body else { return Ok(None) };
        if optional && incoming.is_end_stream() {
            return Ok(None);
        }
        body::check_content_type(headers)?;
        self.bodies.read(incoming, bytes_max).await.map(Some)
    }

    /// Routes that need no engine.
    fn answer_open(&self, action: Action) -> Reply {
        match action {
            Action::Ready => ops::ready(&self.slot),
            Action::Metrics => ops::metrics(&self.metrics, self.bodies.held()),
            Action::Docs => self.docs.page(),
            Action::OpenApi => ops::openapi(),
            Action::Console => self.console.page(),
            _ => ops::alive(),
        }
    }

    fn refuse(&self, surface: Option<Surface>, problem: Problem, request_id: u64) -> Reply {
        self.metrics.refused(problem.slug());
        tracing::debug!(request_id, detail = problem.detail(), "problem");
        let mut reply = match surface {
            None => problem.into_reply(),
            Some(surface) => {
                // The engine's clock may not be there yet.
                let engine = self.slot.get();
                let now_ms = engine.map_or_else(|| SystemClock.now_ms(), |e| e.now_ms());
                let mut reply = surface.refuse(problem.status(), problem.detail(), now_ms);
                problem.add_headers(reply.headers_mut());
                reply
            }
        };
        reply.headers_mut().insert(REQUEST_ID, HeaderValue::from(request_id));
        reply
    }
}

/// Refuses a request that names a board which its key does not open.
fn check_boards(permit: &Permit, found: &Found<'_, '_>, query: &Query<'_>) -> Result<(), Problem> {
    let (Permit::Key(_), Some(need)) = (permit, keys::need(found.route.action)) else {
        return Ok(());
    };
    match need.reach {
        Reach::Path => {
            let name = names::decode(found.params.get("board").unwrap_or(""), "board")?;
            permit.check_board(&name)
        }
        Reach::Query => {
            let boards = handlers::asked_boards(query)?;
            boards.iter().try_for_each(|board| permit.check_board(board))
        }
        Reach::Visible => Ok(()),
        Reach::Every => permit.check_every_board(),
    }
}

fn check_target(uri: &Uri) -> Result<(), Problem> {
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target <= URI_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("path and query have {target} bytes; the limit is {URI_BYTES_MAX}");
    Err(Problem::new(Slug::UriTooLong, detail))
}

fn is_ahead_of_disk(engine: &Engine) -> bool {
    matches!(engine.health(), Health::ReadOnly { ahead_of_disk: true, .. })
}

/// Tells a reader if memory may hold writes that the disk does not.
fn mark_ahead_of_disk(engine: &Engine, reply: &mut Reply) {
    if is_ahead_of_disk(engine) {
        reply.headers_mut().insert(reply::AHEAD_OF_DISK, reply::TRUE);
    }
}

/// The reply to `HEAD`: the headers that `GET` would have got.
fn without_body(mut reply: Reply) -> Reply {
    let length = reply.body().size_hint().exact().unwrap_or(0);
    reply.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    reply.map(|_| Full::default())
}

/// Counts something for as long as it lives.
pub(crate) struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    pub(crate) fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
