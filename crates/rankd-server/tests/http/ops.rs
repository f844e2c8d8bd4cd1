//! Probes, metrics, snapshots, the OpenAPI document, the console; and stores that cannot.

use rankd_engine::{EngineOptions, Health, StoreError};
use serde_json::json;

use crate::support::{Script, TestServer, options, request, send};

#[tokio::test]
async fn until_the_store_is_loaded_only_the_probes_answer() {
    let server = TestServer::start_loading(options(), EngineOptions::default());
    assert_eq!(server.get("/healthz").await.json(200)["status"], "ok");
    let ready = server.get("/readyz").await;
    assert_eq!(
        (ready.json(503)["status"].as_str(), ready.header("retry-after")),
        (Some("loading"), Some("1"))
    );
    assert!(server.get("/metrics").await.text().contains("\nrankd_ready 0\n"));
    for path in ["/v1/boards", "/v1/boards/b/top", "/v1/members/m"] {
        server.get(path).await.problem(503, "loading", &["/readyz"]);
    }
    server.post("/v1/snapshots", "").await.problem(503, "loading", &[]);
    server.put("/v1/boards/b", "").await.problem(503, "loading", &[]);
    assert!(server.slot.fill(server.engine.clone()));
    assert!(!server.slot.fill(server.engine.clone()));
    server.put("/v1/boards/b", "").await.json(201);
    let ready = server.get("/readyz").await.json(200);
    let expected =
        json!({"ready": true, "status": "ready", "reason": null, "ahead_of_disk": false});
    assert_eq!(ready, expected);
}

#[tokio::test]
async fn reads_say_when_memory_is_ahead_of_the_disk() {
    let server = TestServer::start();
    server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await.json(200);
    let header = "rankd-ahead-of-disk";
    assert_eq!(server.get("/v1/boards/b/top").await.header(header), None);
    let reason = "fsync failed".to_owned();
    server.store.follow(Script {
        failure: Some(StoreError::ReadOnly(reason.clone())),
        health: Some(Health::ReadOnly { reason, ahead_of_disk: true }),
    });
    for path in ["/v1/boards", "/v1/boards/b", "/v1/boards/b/top", "/v1/boards/b/members/m"] {
        let answer = server.get(path).await;
        answer.json(200);
        assert_eq!(answer.header(header), Some("true"), "{path}");
    }
    let ranks = server.post("/v1/boards/b/ranks", r#"{"members": ["m"]}"#).await;
    assert_eq!(ranks.header(header), Some("true"));
    let ready = server.get("/readyz").await.json(503);
    let expected = json!({
        "ready": false, "status": "read-only", "reason": "fsync failed", "ahead_of_disk": true,
    });
    assert_eq!(ready, expected);
    let write = server.put("/v1/boards/b/members/m", r#"{"score": 2}"#).await;
    write.problem(503, "read-only", &["fsync failed"]);
    assert!(server.get("/metrics").await.text().contains("\nrankd_ahead_of_disk 1\n"));
}

#[tokio::test]
async fn the_stores_refusals_keep_their_meaning() {
    let server = TestServer::start();
    for (failure, status, slug, mention) in [
        (StoreError::Closed, 503, "closed", "closed"),
        (StoreError::NotDurable("disk full".into()), 503, "not-durable", "may or may not survive"),
        (StoreError::NotDurable("disk full".into()), 503, "not-durable", "Idempotency-Key"),
        (
            StoreError::TooLarge { what: "record bytes", value: 9, max: 8 },
            413,
            "too-many-items",
            "8",
        ),
    ] {
        server.store.follow(Script { failure: Some(failure), ..Script::default() });
        let write = server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await;
        write.problem(status, slug, &[mention]);
        let rows = r#"{"scores": [{"member": "m", "score": 1}]}"#;
        server.post("/v1/boards/b/scores", rows).await.problem(status, slug, &[mention]);
    }
    let degraded = Health::Degraded { reason: "no more snapshots".into() };
    for (health, status) in [(Health::Closed, "closed"), (degraded, "degraded")] {
        server.store.follow(Script { health: Some(health), ..Script::default() });
        assert_eq!(server.get("/readyz").await.json(503)["status"], status);
    }
}

#[tokio::test]
async fn snapshots_are_reported() {
    let server = TestServer::start();
    let rows = r#"{"scores": [{"member": "m", "score": 1}, {"member": "n", "score": 1}]}"#;
    server.post("/v1/boards/b/scores", rows).await.json(200);
    let report = server.post("/v1/snapshots", "").await.json(200);
    assert_eq!(
        (&report["boards"], &report["members"], &report["sequence"]),
        (&json!(1), &json!(2), &json!(1))
    );
    let failure = Some(StoreError::Snapshot("no space".into()));
    server.store.follow(Script { failure, ..Script::default() });
    server.post("/v1/snapshots", "").await.problem(500, "snapshot-failed", &["no space"]);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_refusals_by_reason() {
    let server = TestServer::start();
    server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await.json(200);
    server.get("/v1/boards/b/members/m").await.json(200);
    server.get("/v1/boards/b/members/m").await.json(200);
    server.get("/v1/boards/no").await.problem(404, "unknown-board", &[]);
    server.get("/nowhere").await.problem(404, "not-found", &[]);
    let page = server.get("/metrics").await;
    assert!(page.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let member = "/v1/boards/{board}/members/{member}";
    for line in [
        format!("rankd_http_requests_total{{method=\"GET\",route=\"{member}\",status=\"200\"}} 2"),
        format!("rankd_http_requests_total{{method=\"PUT\",route=\"{member}\",status=\"200\"}} 1"),
        format!("rankd_http_request_seconds_count{{method=\"GET\",route=\"{member}\"}} 2"),
        "rankd_http_requests_total{method=\"any\",route=\"unknown\",status=\"404\"} 1".to_owned(),
        "rankd_http_refusals_total{reason=\"unknown-board\"} 1".to_owned(),
        "rankd_http_refusals_total{reason=\"not-found\"} 1".to_owned(),
        "rankd_http_connections 1".to_owned(),
        "rankd_http_in_flight 1".to_owned(),
        "rankd_boards 1".to_owned(),
        "rankd_members 1".to_owned(),
        "rankd_ready 1".to_owned(),
        "rankd_store_sequence 1".to_owned(),
        "rankd_store_records_total 1".to_owned(),
        "rankd_store_snapshot_last_failed 0".to_owned(),
        "rankd_store_fsync_seconds_count 0".to_owned(),
        "rankd_store_fsync_seconds_bucket{le=\"+Inf\"} 0".to_owned(),
        "rankd_http_bodies{size=\"large\"} 0".to_owned(),
        "rankd_http_slow_requests_total 0".to_owned(),
        "rankd_reloads_total{result=\"failed\"} 0".to_owned(),
        "rankd_store_snapshot_members_total 0".to_owned(),
        "# EOF".to_owned(),
    ] {
        assert!(page.text().lines().any(|l| l == line), "no line {line} in\n{}", page.text());
    }
    assert!(page.text().contains("rankd_build_info{version="));
    let resident = page.text().lines().find_map(|line| {
        line.strip_prefix("rankd_process_resident_memory_bytes ")?.parse::<u64>().ok()
    });
    // This process: more than a MiB, less than a TiB.
    assert!((1 << 20..1 << 40).contains(&resident.unwrap()), "{resident:?}");
}

#[tokio::test]
async fn the_openapi_document_parses() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").await.json(200);
    assert_eq!(document["openapi"], "3.1.0");
    let put = &document["paths"]["/v1/boards/{board}/members/{member}"]["put"];
    assert_eq!(put["requestBody"]["required"], true);
    let schema = &put["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(schema, "#/components/schemas/ScoreWrite");
}

#[tokio::test]
async fn the_documentation_is_a_page_without_scripts() {
    let server = TestServer::start();
    let page = server.get("/docs").await;
    assert_eq!(page.status.as_u16(), 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(page.text().contains("/v1/boards/{board}/members/{member}/around"));
}

#[tokio::test]
async fn the_console_is_one_page_under_a_strict_policy() {
    let server = TestServer::start();
    let page = server.get("/").await;
    assert_eq!(page.status.as_u16(), 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    // A link that somebody decorated still leads there.
    assert_eq!(server.get("/?x=1").await.text(), page.text());
    let mut without = options();
    without.console = false;
    let server = TestServer::start_with(without, EngineOptions::default());
    server.get("/").await.problem(404, "not-found", &[]);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let server = TestServer::start();
    server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await.json(200);
    for path in ["/", "/healthz", "/v1/boards/b/top", "/v1/boards/no"] {
        let get = server.get(path).await;
        let head = send(server.address, request("HEAD", path, &[], "")).await;
        assert_eq!((head.status, head.text()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()));
    }
}

#[tokio::test]
async fn problems_carry_the_id_that_the_log_has() {
    let server = TestServer::start();
    let first = server.get("/nowhere").await;
    let second = server.get("/nowhere").await;
    assert_ne!(first.header("x-request-id").unwrap(), second.header("x-request-id").unwrap());
}

#[tokio::test]
async fn the_dashboard_asks_for_metrics_that_there_are() {
    const DASHBOARD: &str = include_str!("../../../../docs/operations/grafana-dashboard.json");
    let server = TestServer::start();
    server.get("/v1/boards").await.json(200);
    let page = server.get("/metrics").await;
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut asked = 0;
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let query = target["expr"].as_str().unwrap();
        for name in query.split(|c: char| !c.is_ascii_lowercase() && c != '_') {
            if name.starts_with("rankd_") && !name.ends_with("_bucket") {
                let is_there = page.text().lines().any(|line| {
                    line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                });
                // Refusals have a line once there was one.
                assert!(is_there || name == "rankd_http_refusals_total", "{name} in {query}");
                asked += 1;
            }
        }
    }
    assert!(asked > 20, "{asked}");
}
