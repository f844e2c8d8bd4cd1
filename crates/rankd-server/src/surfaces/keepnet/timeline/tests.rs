//! Requests for timelines, and activities as they are shown.

use std::sync::Arc;

use rankd_orgs::{Campaign, UserId};
use serde_json::json;

use super::*;
use crate::surfaces::keepnet::{body, export};

fn asked(body: &Value) -> Result<Asked, Vec<String>> {
    let body = body::parse(&hyper::HeaderMap::new(), body.to_string().as_bytes()).unwrap();
    let mut problems = Problems::default();
    let asked = Asked::read(&Fields::new(&body), &mut problems);
    match problems.check() {
        Ok(()) => Ok(asked),
        Err(Refusal::Input(lines)) => Err(lines),
        Err(other) => panic!("{other:?}"),
    }
}

fn default() -> Asked {
    Asked {
        user: None,
        actions: vec![],
        difficulties: vec![],
        products: vec![],
        only_failed: false,
        order: TimelineOrder::At,
        ascending: false,
        page: Page { number: 1, size: 25 },
    }
}

#[test]
fn nothing_restricts_nothing() {
    for body in [
        json!({}),
        json!({"targetUserResourceId": null, "actionTypes": null, "difficultyTypes": [],
            "products": null, "showOnlyFailedEvents": null, "pagination": null}),
        json!({"targetUserResourceId": "", "pagination": {"orderBy": "", "pageNumber": 0}}),
    ] {
        assert_eq!(asked(&body), Ok(default()), "{body}");
    }
}

#[test]
fn lists_take_names_and_numbers_of_the_catalogue() {
    let body = json!({
        "actionTypes": ["clicked_link", "0", "EXAM FAILED", "4"],
        "difficultyTypes": ["hard", "1"],
        "products": ["Awareness Educator", "PHISHING_SIMULATOR"],
        "showOnlyFailedEvents": true,
        "targetUserResourceId": "u1",
        "pagination": {"orderBy": "points", "ascending": true, "pageNumber": 2, "pageSize": 1000},
    });
    let expected = Asked {
        user: Some("u1".to_owned()),
        actions: vec![0, 13, 4],
        difficulties: vec![2, 1],
        products: vec![5, 0],
        only_failed: true,
        order: TimelineOrder::Points,
        ascending: true,
        page: Page { number: 2, size: 1000 },
    };
    assert_eq!(asked(&body), Ok(expected));
}

#[test]
fn what_is_not_in_the_catalogue_is_named() {
    for (body, what) in [
        (json!({"actionTypes": ["No Response"]}), "actionTypes holds \"No Response\""),
        (json!({"actionTypes": ["19"]}), "actionTypes holds \"19\""),
        (json!({"difficultyTypes": [1]}), "difficultyTypes holds 1"),
        (json!({"products": [null]}), "products holds null"),
        (json!({"products": "0"}), "products must be an array"),
        (json!({"showOnlyFailedEvents": "yes"}), "showOnlyFailedEvents must be true or false"),
        (json!({"targetUserResourceId": 7}), "targetUserResourceId must be a string"),
        (json!({"pagination": {"orderBy": "rank"}}), "pagination.orderBy is \"rank\""),
        (json!({"pagination": {"pageSize": 1001}}), "pagination.pageSize must be"),
    ] {
        let lines = asked(&body).unwrap_err();
        assert!(lines.len() == 1 && lines[0].contains(what), "{lines:?} lacks {what:?}");
    }
}

fn activity(points: i64, rule: Option<(i64, &str)>, campaign: Option<Campaign>) -> ActivityRow {
    ActivityRow {
        user: UserId(1),
        at_ms: 1_773_650_460_000, // 2026-03-16T08:41:00Z
        action: Action::REPORTED.number(),
        product: Product::PHISHING.number(),
        difficulty: Some(Difficulty::MEDIUM.number()),
        points,
        rule: rule.map(|(points, name)| (points, Arc::from(name))),
        campaign: campaign.map(Arc::new),
    }
}

fn shown(row: &ActivityRow) -> String {
    serde_json::to_string(&Row::new(row, &TimeZone::get("Europe/Oslo").unwrap())).unwrap()
}

#[test]
fn an_activity_is_shown_as_published() {
    let campaign = Campaign {
        resource_id: "cM4tYq8Nw1Lb".into(),
        name: Some("Parcel notice, spring".into()),
        kind: Some("Phishing".into()),
        performance: Some(100),
        time_zone: Some("Europe/Oslo".into()),
        ..Campaign::default()
    };
    let row = activity(200, Some((200, "Reported within 5 minutes")), Some(campaign));
    assert_eq!(
        shown(&row),
        "{\"resourceId\":\"cM4tYq8Nw1Lb\",\"name\":\"Parcel notice, spring\",\
         \"timeZoneId\":\"Europe/Oslo\",\"campaignPerformance\":100,\
         \"difficultyType\":\"Medium\",\"points\":200,\"ActionTime\":\"16/03/2026 09:41\",\
         \"ActionTimeWithDay\":\"Monday, 16/03/2026\",\"trainingType\":null,\
         \"categoryDescription\":null,\"result\":null,\"campaignType\":\"Phishing\",\
         \"productType\":\"PHISHING SIMULATOR\",\"ActionType\":\"Reported\",\
         \"pointRule\":{\"ruleName\":\"Reported within 5 minutes\",\"earned\":true,\
         \"lostPoints\":0,\"rulePoint\":200,\"lastPoint\":200}}"
    );
}

#[test]
fn points_that_came_with_the_activity_have_no_rule() {
    let shown = shown(&activity(-300, None, None));
    assert!(shown.starts_with("{\"resourceId\":null,\"name\":null,\"timeZoneId\":null,"));
    let rule = "\"pointRule\":{\"ruleName\":null,\"earned\":false,\"lostPoints\":300,\
                \"rulePoint\":null,\"lastPoint\":-300}}";
    assert!(shown.ends_with(rule), "{shown}");
}

#[test]
fn a_file_has_the_same_columns() {
    let picked = TimelinePage { total: 1, rows: vec![activity(0, Some((0, "a, b")), None)] };
    let zone = TimeZone::get("Asia/Kolkata").unwrap();
    let file = String::from_utf8(export::csv(&ROW_COLUMNS, &rows(&picked, &zone))).unwrap();
    let (head, line) = file.split_once('\n').unwrap();
    assert_eq!(head, ROW_COLUMNS.join(","));
    assert_eq!(
        line,
        ",,,,Medium,0,16/03/2026 14:11,\"Monday, 16/03/2026\",,,,,PHISHING SIMULATOR,Reported,\
         \"a, b\",true,0,0,0\n"
    );
}
