//! Rows of activities, users and set-ups: what they come to as JSON, and every kind of bad one.

use serde_json::{Value, json};

use crate::rows::{
    ActivityRows, Batches, OrgRow, ReadError, RowKind, Rows, SetupRows, Stop, UserRows,
};

/// Rows, and the error that ended the stream.
fn all<K: RowKind>(mut rows: Rows<&[u8], K>) -> (Vec<K::Row>, Option<ReadError>) {
    let mut good = Vec::new();
    while let Some(row) = rows.next_row() {
        match row {
            Ok(row) => good.push(row),
            Err(error) => return (good, Some(error)),
        }
    }
    (good, None)
}

/// The same of CSV, whose header may be bad already.
fn csv<K: RowKind>(text: &str, kind: K) -> (Vec<K::Row>, Option<ReadError>) {
    match Rows::csv(text.as_bytes(), kind) {
        Ok(rows) => all(rows),
        Err(error) => (Vec::new(), Some(error)),
    }
}

fn activity_rows() -> ActivityRows {
    ActivityRows { from_line: 1, delimiter: b',' }
}

fn activities_csv(text: &str) -> (Vec<OrgRow>, Option<ReadError>) {
    csv(text, activity_rows())
}

fn users(org: Option<u64>) -> UserRows {
    UserRows { org, from_line: 1, delimiter: b',' }
}

/// Line, organisation and JSON of good rows.
fn good((rows, error): (Vec<OrgRow>, Option<ReadError>)) -> Vec<(u64, u64, Value)> {
    assert!(error.is_none(), "{}", error.unwrap());
    let json = |row: OrgRow| {
        (row.line, row.org, serde_json::from_str(row.json.get()).expect("it is JSON"))
    };
    rows.into_iter().map(json).collect()
}

fn message<T>((rows, error): (Vec<T>, Option<ReadError>), good_rows: usize) -> String {
    assert_eq!(rows.len(), good_rows);
    error.expect("an error").to_string()
}

#[test]
fn an_activity_of_csv_is_what_the_api_takes() {
    let text = "user,org,id,at,action,points,vacancy_id,product,difficulty,response_seconds,\
                confirmed,test,failed,possible,value,campaign_id,campaign_name,campaign_type,\
                campaign_performance,campaign_time_zone,campaign_category,\
                campaign_training_type,campaign_result,attr.shop\n\
                9,42,a-1,2026-03-16T08:41:00Z,Reported,-5,v-7,PHISHING SIMULATOR,Medium,140,\
                true,no,,100, 3 ,cM4t,\"Parcel, notice\",Phishing,80,Europe/Oslo,C,T,R,north\n\
                10,43,a-2,1773650460000,steps,,,,,,,,,,,,,,,,,,,\n";
    let full = json!({
        "id": "a-1", "orgId": 42, "userId": 9, "action": "Reported",
        "occurredAt": 1_773_650_460_000_i64, "points": -5, "possible": 100, "value": 3,
        "attributes": {
            "vacancyId": "v-7", "product": "PHISHING SIMULATOR", "difficulty": "Medium",
            "responseSeconds": 140, "confirmed": true, "test": false, "shop": "north",
            "campaign": {
                "resourceId": "cM4t", "name": "Parcel, notice", "type": "Phishing",
                "performance": 80, "timeZoneId": "Europe/Oslo", "category": "C",
                "trainingType": "T", "result": "R",
            },
        },
    });
    let bare = json!({
        "id": "a-2", "orgId": 43, "userId": 10, "action": "steps",
        "occurredAt": 1_773_650_460_000_i64,
    });
    assert_eq!(good(activities_csv(text)), [(2, 42, full), (3, 43, bare)]);
}

#[test]
fn an_activity_of_json_lines_stays_what_it_is() {
    let activity = json!({
        "id": "a-1", "orgId": 42, "userId": 9, "action": "Reported",
        "occurredAt": "2026-03-16T08:41:00Z", "value": 7,
        "attributes": { "product": "0", "campaign": { "resourceId": "c" }, "shop": "north" },
    });
    let text = format!("\n{activity}\n");
    let rows = all(Rows::jsonl(text.as_bytes(), activity_rows()));
    assert_eq!(good(rows), [(2, 42, activity)]);
}

/// The message for a second row whose fields are these.
fn bad_activity(fields: &str) -> String {
    let text = format!(
        "id,org,user,action,at,points,test,campaign_id,campaign_name\n\
         a,1,1,x,1000,,,,\n{fields}\n"
    );
    message(activities_csv(&text), 1)
}

#[test]
fn bad_fields_of_an_activity_are_named_with_line_and_column() {
    let cases = [
        (",1,1,x,1000,,,,", "line 3, column `id`: the field is empty"),
        ("b,,1,x,1000,,,,", "line 3, column `org`: `` is not an identifier"),
        ("b,0,1,x,1000,,,,", "line 3, column `org`: `0` is not an identifier: a number from 1"),
        ("b,1,9007199254740992,x,1000,,,,", "line 3, column `user`: `9007199254740992` is not"),
        ("b,1,1,x,,,,,", "line 3, column `at`: the time is empty"),
        ("b,1,1,x,soon,,,,", "line 3, column `at`: `soon` is not a time"),
        ("b,1,1,x,1000,1.5,,,", "line 3, column `points`: `1.5` is not a whole number"),
        ("b,1,1,x,1000,,maybe,,", "line 3, column `test`: `maybe` is neither true nor false"),
        ("b,1,1,x,1000,,,,Name", "line 3, column `campaign_id`: the field is empty, and there is"),
        ("b,1,1,x,1000", "line 3 has 5 fields, but the header has 9"),
    ];
    for (fields, expected) in cases {
        let message = bad_activity(fields);
        assert!(message.starts_with(expected), "{fields}: {message}");
    }
}

#[test]
fn columns_that_are_missing_or_mean_nothing_are_refused() {
    let missing = message(activities_csv("id,org,user,at\n"), 0);
    assert_eq!(
        missing,
        "the header (line 1) has no column `action`; it has: `id`, `org`, `user`, `at`"
    );
    for column in ["vacancyId", "", "attr."] {
        let unknown = message(activities_csv(&format!("id,org,user,action,at,{column}\n")), 0);
        let start = format!("the header (line 1) has the column `{column}`, which means nothing");
        assert!(unknown.starts_with(&start), "{unknown}");
        assert!(unknown.contains("`vacancy_id`") && unknown.contains("`attr.NAME`"), "{unknown}");
    }
    let twice = message(activities_csv("id,org,user,action,at,attr.a,attr.a\n"), 0);
    assert_eq!(twice, "the header (line 1) names the column `attr.a` twice");
}

#[test]
fn bad_lines_of_activities_are_named_with_what_is_wrong() {
    let bad = |text: &str| message(all(Rows::jsonl(text.as_bytes(), activity_rows())), 0);
    let activity = "\"id\":\"a\",\"orgId\":1,\"userId\":1,\"action\":\"x\",\"occurredAt\":";
    let cases = [
        ("[]".to_owned(), "line 1 is not a JSON object: it is `[]`"),
        ("{\"id\":\"a\"}".to_owned(), "line 1 is no activity: missing field `orgId`"),
        (format!("{{{activity}\"soon\"}}"), "line 1, column `occurredAt`: `soon` is not a time"),
        (format!("{{{activity}1,\"pionts\":2}}"), "line 1 is no activity: unknown field `pionts`"),
        (
            format!("{{{activity}1,\"points\":\"2\"}}"),
            "line 1 is no activity: invalid type: string",
        ),
        (format!("{{{activity}1"), "line 1 is not a JSON object: EOF while parsing an object"),
        (format!("{{{activity}1,\"id\":\"b\"}}"), "line 1 is no activity: duplicate field `id`"),
    ];
    for (text, expected) in cases {
        let message = bad(&text);
        assert!(message.starts_with(expected), "{text}: {message}");
    }
}

#[test]
fn a_row_that_is_too_long_for_a_request_is_refused_alone() {
    let text = format!(
        "id,org,user,action,at,attr.note\na,1,1,x,1,{}\nb,1,1,x,1,short\n",
        "n".repeat(70_000)
    );
    let mut batches = Batches::new(Rows::csv(text.as_bytes(), activity_rows()).unwrap(), true);
    let batch = batches.next_batch().expect("one row is left");
    assert_eq!(batch.rows.len(), 1);
    assert!(batches.next_batch().is_none());
    let Stop::End { bad, .. } = batches.finish() else { panic!("it was read to its end") };
    assert_eq!(bad.count, 1);
    assert!(bad.shown[0].starts_with("line 2 comes to 70"), "{}", bad.shown[0]);
}

#[test]
fn users_of_csv_have_their_other_columns_as_a_profile() {
    let text = "id,first_name,email,birthday,resource_id,org\n7,Mina,,1990-05-02,u7,310\n8,,,,,\n";
    let rows = good(csv(text, users(Some(5))));
    let mina = json!({
        "user": 7, "resourceId": "u7",
        "profile": { "firstName": "Mina", "birthday": "1990-05-02" },
    });
    let bare = json!({ "user": 8, "profile": {} });
    assert_eq!(rows, [(2, 310, mina), (3, 5, bare)]);
}

#[test]
fn users_of_json_lines_have_their_home_or_the_one_that_was_named() {
    let text = "{\"user\":7,\"org\":310,\"profile\":{\"firstName\":\"Mina\"}}\n{\"user\":8}\n";
    let rows = good(all(Rows::jsonl(text.as_bytes(), users(Some(5)))));
    let mina = json!({ "user": 7, "profile": { "firstName": "Mina" } });
    assert_eq!(rows, [(1, 310, mina), (2, 5, json!({ "user": 8, "profile": {} }))]);
}

#[test]
fn users_without_a_home_are_refused() {
    let without = message(csv("id,email\n7,a@b\n", users(None)), 0);
    assert!(without.contains("has no column `org`"), "{without}");
    let empty = message(csv("id,org\n7,\n", users(None)), 0);
    assert!(empty.starts_with("line 2, column `org`: `` is not an identifier"), "{empty}");
    let json = message(all(Rows::jsonl(b"{\"user\":7}".as_slice(), users(None))), 0);
    assert!(json.starts_with("line 1, column `org`: there is no such value; --org"), "{json}");
}

#[test]
fn lines_of_a_set_up_come_one_by_one() {
    let text = "{\"kind\":\"org\",\"org\":3,\"body\":{\"name\":\"A\"}}\n\
                {\"kind\":\"enrolments\",\"body\":{\"enrolments\":[]}}\n";
    let rows = Rows::jsonl(text.as_bytes(), SetupRows { from_line: 1 });
    let mut batches = Batches::new(rows, false);
    let mut seen = Vec::new();
    while let Some(batch) = batches.next_batch() {
        let shown = |row: &crate::rows::SetupRow| {
            format!("{} {:?} {}", row.line, row.setup, row.body.get())
        };
        seen.push(batch.rows.iter().map(shown).collect::<Vec<_>>());
    }
    let expected = ["1 Org(3) {\"name\":\"A\"}", "2 Enrolments {\"enrolments\":[]}"];
    assert_eq!(seen, expected.map(|line| vec![line.to_owned()]));
}

#[test]
fn bad_lines_of_a_set_up_are_named() {
    let bad =
        |text: &str| message(all(Rows::jsonl(text.as_bytes(), SetupRows { from_line: 1 })), 0);
    let unknown = bad("{\"kind\":\"orgs\",\"body\":{}}");
    assert!(unknown.starts_with("line 1 is no line of a set-up: unknown variant"), "{unknown}");
    let missing = bad("{\"kind\":\"org\",\"body\":{}}");
    assert!(missing.contains("missing field `org`"), "{missing}");
    let not_json = message(csv("kind,id\n", SetupRows { from_line: 1 }), 0);
    assert!(not_json.contains("a set-up is JSON Lines"), "{not_json}");
}
