//! Requests that a browser makes for somebody else's page.

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::Request;
use rankd_engine::EngineOptions;
use rankd_server::ServerOptions;

use crate::support::{Answer, TestServer, options, request, send};

async fn with_host(address: SocketAddr, method: &str, path: &str, host: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let body = if method == "PUT" { r#"{"score": 1}"# } else { "" };
    send(address, request.body(Full::from(body)).expect("a legal request")).await
}

const MEMBER: &str = "/v1/boards/b/members/m";

#[tokio::test]
async fn a_foreign_name_that_resolves_to_loopback_is_refused() {
    let server = TestServer::start();
    let port = server.address.port();
    for host in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"] {
        for host in [host.to_owned(), format!("{host}:{port}"), format!("{host}:1")] {
            with_host(server.address, "PUT", MEMBER, Some(&host)).await.json(200);
        }
    }
    with_host(server.address, "PUT", MEMBER, None).await.json(200);
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1"] {
        for (method, path) in [("PUT", MEMBER), ("GET", MEMBER), ("GET", "/"), ("GET", "/metrics")]
        {
            let answer = with_host(server.address, method, path, Some(host)).await;
            answer.problem(403, "unknown-host", &[host, "localhost"]);
        }
    }
}

#[tokio::test]
async fn a_server_that_others_may_reach_has_any_name() {
    let open = SocketAddr::from(([0, 0, 0, 0], 0));
    let options = ServerOptions { http: open, allow_anonymous: true, ..options() };
    let server = TestServer::start_with(options, EngineOptions::default());
    let address = SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    with_host(address, "PUT", MEMBER, Some("ranks.example")).await.json(200);
}

#[tokio::test]
async fn a_foreign_origin_may_not_write() {
    let server = TestServer::start();
    let own = format!("http://localhost:{}", server.address.port());
    for (origin, site, refused) in [
        (&*own, None, false),
        ("http://localhost:3000", Some("same-site"), false),
        ("https://evil.example", None, true),
        ("https://evil.example", Some("none"), true),
        ("http://127.0.0.1:8080", None, true),
        ("null", None, true),
        // A proxy may have rewritten Host; the browser knows better.
        ("https://ranks.example", Some("same-origin"), false),
    ] {
        let mut headers = vec![("origin", origin)];
        headers.extend(site.map(|site| ("sec-fetch-site", site)));
        let put = request("PUT", MEMBER, &headers, r#"{"score": 1}"#);
        let answer = send(server.address, put).await;
        if refused {
            answer.problem(403, "cross-site", &["Origin", origin, "\"localhost\""]);
        } else {
            answer.json(200);
        }
    }
    let headers = [("origin", "https://evil.example")];
    send(server.address, request("GET", "/v1/boards", &headers, "")).await.json(200);
}
