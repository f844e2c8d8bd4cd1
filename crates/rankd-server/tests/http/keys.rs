//! Board keys: who may do what, in the lane and behind it, and what those without get to know.

use std::net::SocketAddr;
use std::path::Path;

use rankd_engine::EngineOptions;
use rankd_server::{AdminKey, EngineSlot, NewKey, Scope, Server, ServerOptions};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Answer, TestServer, options, request, send};

const OPERATOR: &str = "the-operator-0123456789";

/// A server whose boards have keys, and the secrets of some.
struct Keyed {
    server: TestServer,
    /// Reads and writes boards that begin with `eu:` or `x`.
    eu: String,
    /// Reads all boards.
    reader: String,
    /// Has all scopes on boards that begin with `us:`.
    us: String,
    /// Has the scope admin on all boards.
    admin: String,
    folder: TempDir,
}

impl Keyed {
    fn start() -> Self {
        use Scope::{Admin, Read, Write};
        let key = |id, scopes: &[Scope], boards: &[&str]| {
            let boards: Vec<_> = boards.iter().map(|board| (*board).to_owned()).collect();
            NewKey::random(Some(id), scopes, &boards).expect("a legal key")
        };
        let keys = [
            key("eu", &[Read, Write], &["eu:", "x"]),
            key("reader", &[Read], &[]),
            key("us", &[Read, Write, Admin], &["us:"]),
            key("admin", &[Admin], &[]),
        ];
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let text: String = keys.iter().map(NewKey::file_lines).collect();
        std::fs::write(&path, text).expect("the folder is ours");
        let server = TestServer::start_with(keyed(&path), EngineOptions::default());
        let [eu, reader, us, admin] = keys.map(|key| key.secret().to_owned());
        Self { server, eu, reader, us, admin, folder }
    }

    /// The same request in the lane and, with a header that the lane does not know, behind it:
    /// the answers are the same.
    async fn ask(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", &*bearer)];
        let plain = send(self.server.address, request(method, path, &headers, body)).await;
        headers.push(("cookie", "a=b"));
        let other = send(self.server.address, request(method, path, &headers, body)).await;
        if method == "GET" && path != "/metrics" {
            assert_eq!((other.status, other.text()), (plain.status, plain.text()), "{path}");
        }
        plain
    }
}

fn keyed(path: &Path) -> ServerOptions {
    let admin_key = Some(AdminKey::new(OPERATOR).expect("it is long enough"));
    ServerOptions { keys: Some(path.to_owned()), admin_key, ..options() }
}

/// Every route about boards, and the scope it needs; `eu:` is the board where one is named.
const ROUTES: &[(&str, &str, &str, &str)] = &[
    ("GET", "/v1/boards", "", "read"),
    ("PUT", "/v1/boards/eu:b", "", "write"),
    ("PUT", "/v1/boards/eu:b/members/m", r#"{"score": 1}"#, "write"),
    ("POST", "/v1/boards/eu:b/scores", r#"{"scores": []}"#, "write"),
    ("GET", "/v1/boards/eu:b", "", "read"),
    ("GET", "/v1/boards/eu:b/members/m", "", "read"),
    ("GET", "/v1/boards/eu:b/members/m/around", "", "read"),
    ("GET", "/v1/boards/eu:b/top", "", "read"),
    ("GET", "/v1/boards/eu:b/scores", "", "read"),
    ("POST", "/v1/boards/eu:b/ranks", r#"{"members": []}"#, "read"),
    ("GET", "/v1/members/m/ranks?boards=eu:b", "", "read"),
    ("DELETE", "/v1/boards/eu:b/members/m", "", "write"),
    ("DELETE", "/v1/boards/eu:b", "", "admin"),
];
/// The same, of what belongs to no board or to all.
const SHARED: &[(&str, &str, &str, &str)] = &[
    ("GET", "/v1/members/m", "", "read"),
    ("PUT", "/v1/members/m", r#"{"name": "M"}"#, "write"),
    ("POST", "/v1/members", r#"{"members": []}"#, "write"),
    ("DELETE", "/v1/members/m", "", "write"),
    ("POST", "/v1/snapshots", "", "admin"),
    ("GET", "/metrics", "", "admin"),
];

#[tokio::test]
async fn nothing_about_boards_is_told_without_a_key() {
    let keyed = Keyed::start();
    for &(method, path, body, _) in ROUTES.iter().chain(SHARED) {
        let answer = send(keyed.server.address, request(method, path, &[], body)).await;
        answer.problem(401, "unauthorized", &["Authorization is missing"]);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        for wrong in ["rkey_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "x", &keyed.eu[1..]] {
            let answer = keyed.ask(wrong, method, path, body).await;
            answer.problem(401, "unauthorized", &["unknown"]);
        }
        for wrong in ["Basic eDp5", "Bearer", "Bearer  "] {
            let asked = request(method, path, &[("authorization", wrong)], body);
            send(keyed.server.address, asked).await.problem(401, "unauthorized", &["Bearer"]);
        }
        let twice = format!("Bearer {}", keyed.reader);
        let twice = [("authorization", &*twice), ("authorization", &*twice)];
        let answer = send(keyed.server.address, request(method, path, &twice, body)).await;
        answer.problem(401, "unauthorized", &["once"]);
    }
    assert_eq!(keyed.server.engine.totals().boards, 0);
    for open in ["/healthz", "/readyz", "/openapi.json", "/docs", "/"] {
        assert_eq!(keyed.server.get(open).await.status.as_u16(), 200, "{open}");
    }
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say() {
    let keyed = Keyed::start();
    for &(method, path, body, scope) in ROUTES {
        for (key, id, scopes) in [
            (&keyed.eu, "eu", &["read", "write"][..]),
            (&keyed.reader, "reader", &["read"]),
            (&keyed.admin, "admin", &["admin"]),
        ] {
            let answer = keyed.ask(key, method, path, body).await;
            let context = format!("{id}: {method} {path}: {}", answer.text());
            if scopes.contains(&scope) {
                assert!(![401, 403, 500].contains(&answer.status.as_u16()), "{context}");
            } else {
                let wanted = format!("this needs the scope {scope}; key \"{id}\" has the scopes");
                answer.problem(403, "forbidden", &[&wanted, &scopes.join(", ")]);
            }
        }
    }
}

#[tokio::test]
async fn a_key_opens_its_own_boards_only() {
    let keyed = Keyed::start();
    keyed.ask(OPERATOR, "PUT", "/v1/boards/eu:b/members/m", r#"{"score": 1}"#).await.json(200);
    for &(method, path, body, _) in ROUTES.iter().filter(|route| route.1 != "/v1/boards") {
        let answer = keyed.ask(&keyed.us, method, path, body).await;
        let has = "key \"us\" has the scopes read, write, admin for boards \"us:\"";
        answer.problem(403, "forbidden", &["this needs board \"eu:b\"", has]);
    }
    // A board that is not there is no different.
    let missing = keyed.ask(&keyed.us, "GET", "/v1/boards/eu:none/top", "").await;
    missing.problem(403, "forbidden", &["eu:none"]);
    keyed.ask(&keyed.us, "GET", "/v1/boards/us:none/top", "").await.problem(
        404,
        "unknown-board",
        &[],
    );
    for other in ["e", "us", "US:b", "%65x"] {
        let path = format!("/v1/boards/{other}/members/m");
        let put = keyed.ask(&keyed.us, "PUT", &path, r#"{"score": 1}"#).await;
        put.problem(403, "forbidden", &["this needs board"]);
    }
    // The prefix is one of the name, however the path spells it.
    keyed.ask(&keyed.eu, "GET", "/v1/boards/%65u%3Ab/top", "").await.json(200);
    for &(method, path, body, _) in SHARED {
        let answer = keyed.ask(&keyed.us, method, path, body).await;
        answer.problem(403, "forbidden", &["this needs every board"]);
    }
}

#[tokio::test]
async fn every_board_of_a_request_is_checked() {
    let keyed = Keyed::start();
    for board in ["eu:1", "eu:2", "us:1"] {
        let path = format!("/v1/boards/{board}/members/m");
        keyed.ask(OPERATOR, "PUT", &path, r#"{"score": 1}"#).await.json(200);
    }
    let ranks = |boards: &str| format!("/v1/members/m/ranks?boards={boards}");
    let own = keyed.ask(&keyed.eu, "GET", &ranks("eu:1,eu:2,x"), "").await.json(200);
    assert_eq!(own["entries"].as_array().unwrap().len(), 2);
    for boards in ["us:1", "eu:1,us:1", "eu:1,eu:2,us%3A1", "none"] {
        let answer = keyed.ask(&keyed.eu, "GET", &ranks(boards), "").await;
        answer.problem(403, "forbidden", &["this needs board"]);
    }
}

#[tokio::test]
async fn a_list_shows_the_boards_of_the_key() {
    let keyed = Keyed::start();
    for board in ["a", "eu", "eu:1", "eu:2", "eu:3", "us:1", "w", "x", "xy", "y"] {
        let path = format!("/v1/boards/{board}");
        keyed.ask(OPERATOR, "PUT", &path, "").await;
    }
    let names = |answer: &Answer| -> Vec<String> {
        let boards = &answer.json(200)["boards"];
        let boards = boards.as_array().expect("a list").iter();
        boards.map(|board| board["board"].as_str().expect("a name").to_owned()).collect()
    };
    for (query, expected) in [
        ("", &["eu:1", "eu:2", "eu:3", "x", "xy"][..]),
        ("?prefix=eu:", &["eu:1", "eu:2", "eu:3"]),
        ("?prefix=e", &["eu:1", "eu:2", "eu:3"]),
        ("?prefix=eu:2", &["eu:2"]),
        ("?prefix=xy", &["xy"]),
        ("?prefix=us", &[]),
        ("?prefix=w", &[]),
        ("?limit=4", &["eu:1", "eu:2", "eu:3", "x"]),
    ] {
        let answer = keyed.ask(&keyed.eu, "GET", &format!("/v1/boards{query}"), "").await;
        assert_eq!(names(&answer), expected, "{query}");
    }
    // Page by page, without a word of the others in between.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = keyed.ask(&keyed.eu, "GET", &format!("/v1/boards?limit=1{cursor}"), "").await;
        paged.extend(names(&answer));
        match answer.json(200)["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, ["eu:1", "eu:2", "eu:3", "x", "xy"]);
    assert_eq!(names(&keyed.ask(&keyed.reader, "GET", "/v1/boards", "").await).len(), 10);
}

#[tokio::test]
async fn the_operators_key_opens_everything() {
    let keyed = Keyed::start();
    for &(method, path, body, _) in ROUTES.iter().chain(SHARED) {
        let answer = keyed.ask(OPERATOR, method, path, body).await;
        assert!(![401, 403].contains(&answer.status.as_u16()), "{method} {path}");
    }
}

#[tokio::test]
async fn a_broken_key_file_changes_nothing_and_a_good_one_counts_at_once() {
    let world = Keyed::start();
    let path = world.folder.path().join("keys.toml");
    let options = keyed(&path);
    let list = "/v1/boards";
    let good = std::fs::read_to_string(&path).unwrap();
    for broken in ["[[key]", "[[key]]\nid = \"a\"\n", &format!("{good}{good}")] {
        std::fs::write(&path, broken).unwrap();
        let message = world.server.reloader.reload(&options).unwrap_err().to_string();
        assert!(message.contains("keys.toml: "), "{message}");
        world.ask(&world.reader, "GET", list, "").await.json(200);
    }
    std::fs::remove_file(&path).unwrap();
    let message = world.server.reloader.reload(&options).unwrap_err().to_string();
    assert!(message.starts_with("cannot read the keys in "), "{message}");
    let other = NewKey::random(None, &[Scope::Read], &[]).unwrap();
    std::fs::write(&path, other.file_lines()).unwrap();
    world.server.reloader.reload(&options).unwrap();
    world.ask(&world.reader, "GET", list, "").await.problem(401, "unauthorized", &[]);
    world.ask(other.secret(), "GET", list, "").await.json(200);
    let page = world.ask(OPERATOR, "GET", "/metrics", "").await;
    for line in ["rankd_reloads_total{result=\"ok\"} 1", "rankd_reloads_total{result=\"failed\"} 4"]
    {
        assert!(page.text().lines().any(|l| l == line), "{line}");
    }
    let without = ServerOptions { keys: None, ..options };
    let message = world.server.reloader.reload(&without).unwrap_err().to_string();
    assert_eq!(message, "keys cannot be switched on or off while the server runs; restart it");
}

#[tokio::test]
async fn with_keys_the_server_may_be_reached_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let open = ServerOptions { http: SocketAddr::from(([0, 0, 0, 0], 0)), ..keyed(&path) };
    let message = Server::bind(open.clone(), EngineSlot::empty()).unwrap_err().to_string();
    assert!(message.starts_with("cannot read the keys in "), "{message}");
    std::fs::write(&path, "").unwrap();
    assert!(Server::bind(open.clone(), EngineSlot::empty()).is_ok());
    let without = ServerOptions { keys: None, ..open };
    let message = Server::bind(without, EngineSlot::empty()).unwrap_err().to_string();
    assert!(message.contains("file of board keys"), "{message}");
}

#[tokio::test]
async fn where_boards_have_keys_organisations_are_not_open_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    std::fs::write(&path, "").unwrap();
    let options = ServerOptions { keys: Some(path), ..options() };
    let server = TestServer::start_with(options, EngineOptions::default());
    server.get("/v1/orgs/1").await.problem(401, "unauthorized", &[]);
}

#[tokio::test]
async fn a_server_without_a_key_file_ignores_keys_of_boards() {
    let server = TestServer::start();
    let headers = [("authorization", "Bearer whatever")];
    let put = request("PUT", "/v1/boards/b/members/m", &headers, r#"{"score": 1}"#);
    send(server.address, put).await.json(200);
    let standing = send(server.address, request("GET", "/v1/boards/b/members/m", &headers, ""));
    assert_eq!(standing.await.json(200)["rank"], json!(1));
}
