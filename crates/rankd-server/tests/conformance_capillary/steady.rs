//! Every part of one answer is of one version of the data, also while writes go on.
//!
//! Method: each batch of a writer adds 1 to one user's value, a second after the batch before. So
//! the time of the newest batch and the value belong together, and every answer must show both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use crate::world::{Loyalty, PARENT, STEPS, TARGET, json_of, steps};

const BATCHES: i64 = 200;
const USER: u64 = 5_000;
/// Local time of the parent when the world begins.
const BEGIN: &str = "2026-03-16T17:30:00.000IST";

fn seconds(text: &Value) -> i64 {
    let local = |text: &str| {
        let (time, zone) = text.split_at(text.len() - 3);
        assert_eq!(zone, "IST");
        NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S%.3f").expect("a time").and_utc()
    };
    (local(text.as_str().expect("a text")) - local(BEGIN)).num_seconds()
}

async fn write(loyalty: &Loyalty) {
    for batch in 1..=BATCHES {
        loyalty.world.clock.advance(1_000);
        let mut step = steps(PARENT, USER, "2026-03-01T00:00:00Z", 1);
        step["id"] = json!(format!("batch{batch}"));
        loyalty.world.activities(json!([step])).await;
    }
}

/// Asks until the writer is done: how many different versions were seen.
async fn read(loyalty: &Loyalty, is_done: &AtomicBool, below: &str, list: &str) -> usize {
    let (mut versions, mut last) = (0, -1);
    while !is_done.load(Ordering::SeqCst) {
        let answer = json_of(200, &loyalty.get(PARENT, below, &[], "").await);
        let rows = answer["data"][list].as_array().expect("rows");
        let is_user = |row: &&Value| row.get("userId").is_none_or(|user| *user == json!(USER));
        let row = rows.iter().find(is_user).expect("the user is on the board");
        let version = seconds(&answer["data"]["lastSyncTime"]);
        assert_eq!(row["achievedValue"], json!(version), "{answer}");
        versions += usize::from(version != last);
        last = version;
    }
    versions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_part_of_an_answer_is_of_one_version() {
    let loyalty = Arc::new(Loyalty::start().await);
    let first = json!({ "orgId": PARENT, "targetGroupId": STEPS, "targetId": TARGET,
                        "userId": USER, "at": "2026-02-01T00:00:00Z" });
    loyalty.world.put_user(PARENT, USER, json!({})).await;
    loyalty.world.enrolments(json!([first])).await;
    let is_done = Arc::new(AtomicBool::new(false));
    let readers = [
        (format!("/targetGroups/{STEPS}?targetId={TARGET}"), "rankings"),
        (format!("/user/{USER}"), "userRanks"),
    ];
    let readers = readers.map(|(below, list)| {
        let (loyalty, is_done) = (Arc::clone(&loyalty), Arc::clone(&is_done));
        tokio::spawn(async move { read(&loyalty, &is_done, &below, list).await })
    });
    write(&loyalty).await;
    is_done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.expect("a reader does not fail") > 1, "it read while writes went on");
    }
}
