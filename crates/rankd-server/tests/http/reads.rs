//! Reading ranks, against a sorted list.

use serde_json::{Value, json};

use crate::support::{NOW, TestServer};

/// (member, score) of a board with many ties, in rank order by the sort below.
fn ranking() -> Vec<(String, i64)> {
    let mut seed = 7_u64;
    let mut rows: Vec<(String, i64)> = (0..300)
        .map(|n| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (format!("m{n:03}"), i64::try_from(seed >> 59).expect("five bits") - 10)
        })
        .collect();
    // All have the same time, so ties go by the member's bytes.
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    rows
}

async fn filled() -> (TestServer, Vec<(String, i64)>) {
    let server = TestServer::start();
    let ranking = ranking();
    let rows: Vec<_> = ranking.iter().map(|(m, s)| json!({"member": m, "score": s})).collect();
    let body = json!({ "scores": rows }).to_string();
    let report = server.post("/v1/boards/b/scores", &body).await.json(200);
    assert_eq!(report["applied"], 300);
    (server, ranking)
}

fn entries(ranking: &[(String, i64)], from: usize, to: usize) -> Value {
    let rows = ranking.iter().enumerate().skip(from).take(to - from);
    rows.map(|(at, (m, s))| json!({"rank": at + 1, "member": m, "score": s})).collect()
}

#[tokio::test]
async fn standings_follow_the_style() {
    let (server, ranking) = filled().await;
    for (position, (member, score)) in ranking.iter().enumerate().step_by(17) {
        let better = ranking.iter().filter(|(_, s)| s > score);
        let mut scores: Vec<_> = better.clone().map(|(_, s)| s).collect();
        scores.dedup();
        for (style, before) in [
            ("", position),
            ("?style=ordinal", position),
            ("?style=competition", better.count()),
            ("?style=dense", scores.len()),
        ]
        .map(|(style, before)| (style, u32::try_from(before).unwrap()))
        {
            let path = format!("/v1/boards/b/members/{member}{style}");
            let percentile = 100.0 * (f64::from(299 - before) / 299.0);
            let expected = json!({
                "member": member, "score": score, "rank": before + 1, "total": 300,
                "at": NOW,
            });
            let answer = server.get(&path).await;
            // As text: the JSON reader of the tests may be off in a double's last bit.
            let spelled = format!("\"percentile\":{percentile:?},");
            assert!(answer.text().contains(&spelled), "{path}: {}", answer.text());
            let mut standing = answer.json(200);
            standing.as_object_mut().unwrap().remove("percentile");
            assert_eq!(standing, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn somebody_alone_is_at_100_percent() {
    let server = TestServer::start();
    server.put("/v1/boards/b/members/m", r#"{"score": 1}"#).await.json(200);
    let standing = server.get("/v1/boards/b/members/m").await;
    let expected = format!(
        "{{\"member\":\"m\",\"score\":1,\"rank\":1,\"total\":1,\"percentile\":100.0,\
         \"at\":\"{NOW}\"}}"
    );
    assert_eq!(standing.text(), expected);
}

#[tokio::test]
async fn pages_of_the_top() {
    let (server, ranking) = filled().await;
    for (query, from, to) in [
        ("", 0, 10),
        ("?limit=1", 0, 1),
        ("?limit=1000", 0, 300),
        ("?limit=25&offset=290", 290, 300),
        ("?offset=300", 300, 300),
        ("?offset=18446744073709551615", 300, 300),
    ] {
        let page = server.get(&format!("/v1/boards/b/top{query}")).await.json(200);
        let expected = json!({"total": 300, "entries": entries(&ranking, from, to)});
        assert_eq!(page, expected, "{query}");
    }
}

#[tokio::test]
async fn neighbours_stop_at_the_ends() {
    let (server, ranking) = filled().await;
    for (position, radius) in [(0, 3), (2, 5), (150, 0), (150, 500), (298, 4), (299, 2)] {
        let member = &ranking[position].0;
        let path = format!("/v1/boards/b/members/{member}/around?radius={radius}");
        let (from, to) = (position.saturating_sub(radius), (position + radius + 1).min(300));
        let expected = json!({"total": 300, "entries": entries(&ranking, from, to)});
        assert_eq!(server.get(&path).await.json(200), expected, "{path}");
    }
    let path = format!("/v1/boards/b/members/{}/around", ranking[100].0);
    let default = server.get(&path).await.json(200);
    assert_eq!(default["entries"], entries(&ranking, 95, 106));
}

#[tokio::test]
async fn ranges_of_scores_are_inclusive() {
    let (server, ranking) = filled().await;
    for (query, min, max) in [
        ("limit=1000", i64::MIN, i64::MAX),
        ("limit=1000&min=3", 3, i64::MAX),
        ("limit=1000&max=-2", i64::MIN, -2),
        ("limit=1000&min=-1&max=1", -1, 1),
        ("limit=1000&min=5&max=5", 5, 5),
        ("limit=1000&min=-inf&max=inf", i64::MIN, i64::MAX),
        ("limit=1000&min=9&max=2", 9, 2),
        ("limit=1000&min=1000", 1000, i64::MAX),
    ] {
        let path = format!("/v1/boards/b/scores?{query}");
        let in_range: Vec<Value> = entries(&ranking, 0, 300)
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["score"].as_i64().unwrap() >= min && e["score"].as_i64().unwrap() <= max)
            .cloned()
            .collect();
        let expected = json!({"count": in_range.len(), "entries": in_range});
        assert_eq!(server.get(&path).await.json(200), expected, "{path}");
    }
    let page = server.get("/v1/boards/b/scores").await.json(200);
    assert_eq!(
        (page["count"].as_u64(), page["entries"].as_array().unwrap().len()),
        (Some(300), 100)
    );
}

#[tokio::test]
async fn ranges_of_float_scores_may_end_in_infinities() {
    let server = TestServer::start();
    server.put("/v1/boards/f", r#"{"score": "float", "order": "ascending"}"#).await.json(201);
    let body = json!({"scores": [
        {"member": "low", "score": "-inf"}, {"member": "mid", "score": 0.5},
        {"member": "high", "score": "inf"},
    ]});
    server.post("/v1/boards/f/scores", &body.to_string()).await.json(200);
    for (query, members) in [
        ("", &["low", "mid", "high"][..]),
        ("min=-inf&max=inf", &["low", "mid", "high"]),
        ("min=inf", &["high"]),
        ("max=-inf", &["low"]),
        ("min=0.5&max=0.5", &["mid"]),
        ("min=0", &["mid", "high"]),
    ] {
        let page = server.get(&format!("/v1/boards/f/scores?{query}")).await.json(200);
        let found: Vec<_> =
            page["entries"].as_array().unwrap().iter().map(|e| e["member"].clone()).collect();
        assert_eq!(found, members, "{query}");
    }
}

#[tokio::test]
async fn ranks_of_a_list_are_in_rank_order() {
    let (server, ranking) = filled().await;
    let asked = [250, 3, 77, 3, 299, 0];
    let mut members: Vec<&str> = asked.iter().map(|&at| ranking[at].0.as_str()).collect();
    members.insert(2, "nobody");
    members.push("none");
    members.push("nobody");
    let body = json!({ "members": members }).to_string();
    let list = server.post("/v1/boards/b/ranks", &body).await.json(200);
    let expected: Vec<_> = [0, 3, 77, 250, 299]
        .iter()
        .zip(1..)
        .map(|(&at, position)| {
            let (member, score) = &ranking[at];
            json!({"rank": at + 1, "position": position, "member": member, "score": score})
        })
        .collect();
    let expected = json!({"total": 300, "entries": expected, "missing": ["nobody", "none"]});
    assert_eq!(list, expected);
    let empty = server.post("/v1/boards/b/ranks", r#"{"members": []}"#).await.json(200);
    assert_eq!(empty, json!({"total": 300, "entries": [], "missing": []}));
}

#[tokio::test]
async fn one_member_on_many_boards() {
    let server = TestServer::start();
    for (board, score) in [("a%2Cb", 5), ("c", 6), ("d%20+", 7)] {
        let path = format!("/v1/boards/{board}/members/m");
        server.put(&path, &json!({ "score": score }).to_string()).await.json(200);
    }
    server.put("/v1/boards/c/members/other", r#"{"score": 60}"#).await.json(200);
    server.put("/v1/boards/e", "").await.json(201);
    let path = "/v1/members/m/ranks?boards=c,a%2Cb,x,e,d%20%2B,c";
    let standing = |board: &str, score: i64, rank: u64, total: u64, percentile: f64| {
        json!({"board": board, "score": score, "rank": rank, "total": total,
            "percentile": percentile, "at": NOW})
    };
    let expected = json!({
        "member": "m",
        "entries": [
            standing("c", 6, 2, 2, 0.0),
            standing("a,b", 5, 1, 1, 100.0),
            standing("d +", 7, 1, 1, 100.0),
        ],
        "missing": ["x", "e"],
    });
    assert_eq!(server.get(path).await.json(200), expected);
    let hundred = vec!["c"; 100].join(",");
    let answer = server.get(&format!("/v1/members/m/ranks?boards={hundred}&style=dense")).await;
    assert_eq!(answer.json(200)["entries"].as_array().unwrap().len(), 1);
    let more = server.get(&format!("/v1/members/m/ranks?boards={hundred},c")).await;
    more.problem(400, "invalid-parameter", &["boards", "101", "100"]);
    server.get("/v1/members/m/ranks").await.problem(400, "invalid-parameter", &["boards"]);
    let empty = server.get("/v1/members/m/ranks?boards=a,,b").await;
    empty.problem(400, "invalid-name", &["boards", "0 bytes", "512"]);
}

#[tokio::test]
async fn times_are_shown_where_asked_for_and_null_where_the_board_keeps_none() {
    let server = TestServer::start();
    server.put("/v1/boards/timeless", r#"{"ties": "member"}"#).await.json(201);
    for board in ["timed", "timeless"] {
        let path = format!("/v1/boards/{board}/members/a");
        server.put(&path, r#"{"score": 1, "at": "2001-02-03T04:05:06.789Z"}"#).await.json(200);
    }
    for (board, at) in [("timed", json!("2001-02-03T04:05:06.789Z")), ("timeless", Value::Null)] {
        for path in ["top", "scores", "members/a/around"] {
            let page = server.get(&format!("/v1/boards/{board}/{path}?times=true")).await.json(200);
            assert_eq!(page["entries"], json!([{"rank": 1, "member": "a", "score": 1, "at": at}]));
        }
        let plain = server.get(&format!("/v1/boards/{board}/top")).await.json(200);
        assert!(plain["entries"][0].get("at").is_none());
    }
}
