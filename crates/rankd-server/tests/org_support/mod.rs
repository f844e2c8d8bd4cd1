//! A real server with organisations on a free port: the real engine over the memory store, a clock
//! that stands still, and everything put in through `/v1` as an operator would.
//!
//! Include it with `#[path = "../org_support/mod.rs"] mod org_support;`. Whatever a builder puts in
//! must be accepted; what a server refuses is asked for with [`World::request`].

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::HeaderMap;
use rankd_engine::{Engine, EngineOptions, ManualClock, State, Storage};
use rankd_server::{AdminKey, Server, ServerOptions};
use rankd_storage::MemoryStore;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[path = "../wire/mod.rs"]
mod wire;

pub(crate) use wire::request;

/// 2026-03-16T12:00:00Z, the contract's "now".
pub(crate) const NOW_MS: i64 = 1_773_662_400_000;
/// The operator's key of every [`World`].
pub(crate) const ADMIN_KEY: &str = "the-operators-key-of-all-tests";

/// A running server, stopped when it is dropped.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) engine: Arc<Engine>,
    _stop: oneshot::Sender<()>,
    _running: JoinHandle<std::io::Result<()>>,
}

/// Status, headers and body of a response.
pub(crate) type Response = (u16, HeaderMap, String);

/// Options for a server that takes any free port and has the operator's key.
pub(crate) fn options() -> ServerOptions {
    ServerOptions {
        http: SocketAddr::from(([127, 0, 0, 1], 0)),
        admin_key: Some(AdminKey::new(ADMIN_KEY).expect("it is long enough")),
        ..ServerOptions::default()
    }
}

impl World {
    /// A server without any organisation, whose clock stands at `now_ms`.
    pub(crate) fn start(now_ms: i64) -> Self {
        Self::start_with(now_ms, options())
    }

    pub(crate) fn start_with(now_ms: i64, options: ServerOptions) -> Self {
        let state = State::new();
        let storage: Arc<dyn Storage> = Arc::new(MemoryStore::new(Arc::clone(&state)));
        let clock = Arc::new(ManualClock::at(now_ms));
        let shown = Arc::<ManualClock>::clone(&clock);
        let engine = Arc::new(Engine::new(state, storage, shown, EngineOptions::default()));
        let server = Server::bind(options, Arc::clone(&engine)).expect("a free loopback port");
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async move {
            let _: Result<(), oneshot::error::RecvError> = stopped.await;
        }));
        Self { address, clock, engine, _stop: stop, _running: running }
    }

    /// `PUT /v1/orgs/{org}`. `name` may be left out of `spec`.
    pub(crate) async fn put_org(&self, org: u64, mut spec: Value) -> Value {
        if spec.get("name").is_none() {
            spec["name"] = json!(format!("Organisation {org}"));
        }
        self.operate("PUT", &format!("/v1/orgs/{org}"), &spec).await
    }

    /// `PUT /v1/orgs/{org}/users/{user}`, with the given profile.
    pub(crate) async fn put_user(&self, org: u64, user: u64, profile: Value) -> Value {
        let body = json!({ "profile": profile });
        self.operate("PUT", &format!("/v1/orgs/{org}/users/{user}"), &body).await
    }

    /// The same for a user with a text identifier of its own.
    pub(crate) async fn put_named_user(
        &self,
        org: u64,
        user: u64,
        resource_id: &str,
        profile: Value,
    ) -> Value {
        let body = json!({ "resourceId": resource_id, "profile": profile });
        self.operate("PUT", &format!("/v1/orgs/{org}/users/{user}"), &body).await
    }

    /// `DELETE /v1/orgs/{org}/users/{user}`
    pub(crate) async fn delete_user(&self, org: u64, user: u64) {
        let path = format!("/v1/orgs/{org}/users/{user}");
        let (status, _, text) = self.operator("DELETE", &path, "").await;
        assert_eq!((status, &*text), (204, ""));
    }

    /// `PUT /v1/orgs/{org}/scoring-rules`, with a list of rules.
    pub(crate) async fn put_rules(&self, org: u64, rules: Value) -> Value {
        let path = format!("/v1/orgs/{org}/scoring-rules");
        self.operate("PUT", &path, &json!({ "rules": rules })).await
    }

    /// `PUT /v1/orgs/{org}/target-groups/{group}`
    pub(crate) async fn put_group(&self, org: u64, group: u64, spec: Value) -> Value {
        self.operate("PUT", &format!("/v1/orgs/{org}/target-groups/{group}"), &spec).await
    }

    /// `POST /v1/enrolments`, with a list of enrolments that must all be accepted.
    pub(crate) async fn enrolments(&self, enrolments: Value) -> Value {
        let body = json!({ "enrolments": enrolments });
        let report = self.operate("POST", "/v1/enrolments", &body).await;
        assert_eq!(report["rejected"], json!([]), "{report}");
        report
    }

    /// `POST /v1/activities`, with a list of activities that must all be accepted or duplicates.
    pub(crate) async fn activities(&self, activities: Value) -> Value {
        let body = json!({ "activities": activities });
        let report = self.operate("POST", "/v1/activities", &body).await;
        assert_eq!(report["rejected"], json!([]), "{report}");
        report
    }

    /// `POST /v1/orgs/{org}/credentials`: the secret.
    pub(crate) async fn credential(&self, org: u64, spec: Value) -> String {
        let made = self.credential_json(org, spec).await;
        made["secret"].as_str().expect("a secret").to_owned()
    }

    /// The same: all of the answer, with the credential's id.
    pub(crate) async fn credential_json(&self, org: u64, spec: Value) -> Value {
        self.operate("POST", &format!("/v1/orgs/{org}/credentials"), &spec).await
    }

    /// Sends one request on a connection of its own. `Host` is localhost unless it is given.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        send(self.address, request(method, path, headers, body)).await
    }

    /// A request with the operator's key.
    pub(crate) async fn operator(&self, method: &str, path: &str, body: &str) -> Response {
        let bearer = format!("Bearer {ADMIN_KEY}");
        self.request(method, path, &[("authorization", &bearer)], body).await
    }

    /// A request of the operator that must succeed with JSON.
    async fn operate(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, _, text) = self.operator(method, path, &body.to_string()).await;
        assert!(matches!(status, 200 | 201), "{method} {path} {body}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// Milliseconds since 1970 of an RFC 3339 time.
pub(crate) fn ms(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).expect("an RFC 3339 time").timestamp_millis()
}

/// An activity's JSON: what every activity has. Add to it what else is wanted.
pub(crate) fn activity(id: &str, org: u64, user: u64, action: &str, at_ms: i64) -> Value {
    json!({ "id": id, "orgId": org, "userId": user, "action": action, "occurredAt": at_ms })
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Response {
    let (head, body) = wire::send(address, request).await.into_parts();
    let text = String::from_utf8(body.to_vec()).expect("UTF-8");
    (head.status.as_u16(), head.headers, text)
}

/// JSON without the blanks between its tokens: what is compared is spelling and order.
pub(crate) fn compact(pretty: &str) -> String {
    let mut compact = String::new();
    let (mut inside, mut escaped) = (false, false);
    for character in pretty.chars() {
        if inside || !character.is_whitespace() {
            compact.push(character);
        }
        inside ^= character == '"' && !escaped;
        escaped = inside && character == '\\' && !escaped;
    }
    compact
}
