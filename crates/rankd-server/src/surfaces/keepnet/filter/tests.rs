//! The filter language: what passes, what is refused, and where its limits are.

use rankd_orgs::BoardRow;
use serde_json::{Value, json};

use super::*;
use crate::surfaces::keepnet::envelope::Refusal;
use crate::surfaces::keepnet::{body, testing};

fn parsed(filter: &Value) -> Result<Option<Filter>, Vec<String>> {
    let text = json!({ "Filter": filter }).to_string();
    let body = body::parse(&hyper::HeaderMap::new(), text.as_bytes()).unwrap();
    let mut problems = Problems::default();
    let filter = read(&Fields::new(&body), &mut problems);
    match problems.check() {
        Ok(()) => Ok(filter),
        Err(Refusal::Input(lines)) => Err(lines),
        Err(other) => panic!("{other:?}"),
    }
}

fn row(rank: u64, score: i64, possible: i64, profile: &[(&str, &str)]) -> BoardRow {
    testing::row(&format!("u7Rk{rank}"), rank, score, possible, profile)
}

/// The ranks of the rows that pass.
fn passing(filter: &Value) -> Vec<u64> {
    let rows = [
        row(1, 1150, 1400, &[("firstName", "Ines"), ("lastName", "Barto"), ("department", "Lab")]),
        row(2, 900, 1400, &[("firstName", "Rao"), ("email", "rao@nw.example")]),
        row(3, 900, 1000, &[("lastName", "\u{c4}nes"), ("department", "Front desk")]),
        row(4, -150, 0, &[]),
    ];
    let filter = parsed(filter).unwrap();
    let passes = |row: &&BoardRow| filter.as_ref().is_none_or(|filter| filter.accepts(row));
    rows.iter().filter(passes).map(|row| row.rank).collect()
}

fn item(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({ "fieldName": field, "operator": operator, "value": value.into() })
}

fn items(condition: &str, items: &[Value]) -> Value {
    json!({ "filterGroups": [{ "condition": condition, "filterItems": items }] })
}

#[test]
fn what_says_nothing_is_no_filter() {
    for nothing in [
        json!(null),
        json!({}),
        json!({"Condition": "AND", "SearchInputTextValue": ""}),
        json!({"condition": null, "searchInputTextValue": null, "filterGroups": null}),
        json!({"filterGroups": []}),
        json!({"condition": "or", "filterGroups": [null, {}, {"condition": "OR",
            "filterItems": [null], "filterGroups": [{"filterItems": null}]}]}),
    ] {
        assert_eq!(parsed(&nothing), Ok(None), "{nothing}");
    }
}

#[test]
fn free_text_is_looked_for_in_names_mail_and_department() {
    for (text, ranks) in [
        ("INES", vec![1]),
        ("nes", vec![1, 3]),
        ("ines barto", vec![1]),
        ("\u{e4}nes", vec![3]),
        ("NW.example", vec![2]),
        ("desk", vec![3]),
        ("u7rk", vec![]),
        ("barto ines", vec![]),
    ] {
        assert_eq!(passing(&json!({ "searchInputTextValue": text })), ranks, "{text}");
    }
}

#[test]
fn items_compare_columns() {
    for (one, ranks) in [
        (item("FIRSTNAME", "equals", "ines"), vec![1]),
        (item("firstName", "Equal", "ine"), vec![]),
        (item("lastName", "Contains", "NES"), vec![3]),
        (item("department", "Equals", ""), vec![2, 4]),
        (item("targetUserResourceId", "Equals", "U7RK2"), vec![2]),
        (item("points", "Equals", 900), vec![2, 3]),
        (item("points", "Equals", "-150"), vec![4]),
        (item("performance", "Equals", 82.14), vec![1]),
        (item("performance", "Equals", "90"), vec![3]),
        (item("performance", "Equals", "-0"), vec![4]),
        (item("rank", "Equal", "3"), vec![3]),
        (item("rank", "Equals", 3.5), vec![]),
    ] {
        assert_eq!(passing(&items("AND", std::slice::from_ref(&one))), ranks, "{one}");
    }
}

#[test]
fn conditions_join_items_groups_and_text() {
    let nine_hundred = item("points", "Equals", 900);
    let desk = item("department", "Contains", "desk");
    let first = item("rank", "Equals", 1);
    assert_eq!(passing(&items("AND", &[nine_hundred.clone(), desk.clone()])), [3]);
    assert_eq!(passing(&items("or", &[first.clone(), desk.clone()])), [1, 3]);
    let group = |one: &Value| json!({ "filterItems": [one] });
    let both = [group(&nine_hundred), group(&first)];
    let groups = |condition: &str| json!({ "condition": condition, "filterGroups": both });
    assert_eq!(passing(&groups("AND")), [0_u64; 0]);
    assert_eq!(passing(&groups("OR")), [1, 2, 3]);
    let nested = json!({ "filterGroups": [{ "condition": "OR", "filterItems": [first],
        "filterGroups": [{ "filterItems": [nine_hundred, desk] }] }] });
    assert_eq!(passing(&nested), [1, 3]);
    let mut with_text = groups("OR");
    with_text["searchInputTextValue"] = "rao".into();
    assert_eq!(passing(&with_text), [2]);
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (filter, what) in [
        (json!([]), "filter must be an object"),
        (json!({"condition": "XOR"}), "filter.condition is \"XOR\""),
        (json!({"searchInputTextValue": 1}), "filter.searchInputTextValue must be a string"),
        (json!({"filterGroups": {}}), "filter.filterGroups must be an array"),
        (json!({"filterGroups": [1]}), "filter.filterGroups must be objects"),
        (items("NOT", &[]), "filter.filterGroups.condition is \"NOT\""),
        (items("AND", &[json!(1)]), "filterItems must be objects"),
        (items("AND", &[item("phone", "Equals", "1")]), "fieldName is \"phone\""),
        (items("AND", &[item("email", "StartsWith", "a")]), "operator is \"startswith\""),
        (items("AND", &[item("points", "Contains", 1)]), "operator for points must be Equals"),
        (items("AND", &[item("points", "Equals", "many")]), "value is \"many\""),
        (items("AND", &[item("points", "Equals", "inf")]), "value is \"inf\""),
        (items("AND", &[item("email", "Equals", json!([]))]), "value must be a string or"),
        (items("AND", &[item("email", "Equals", json!(null))]), "filterItems.value is required"),
        (items("AND", &[json!({"operator": "Equals", "value": 1})]), "fieldName is required"),
    ] {
        let lines = parsed(&filter).unwrap_err();
        assert!(lines.len() == 1 && lines[0].contains(what), "{lines:?} lacks {what:?}");
    }
}

#[test]
fn items_and_depth_are_bounded() {
    let many = |count| items("OR", &vec![item("rank", "Equals", 1); count]);
    assert_eq!(passing(&many(FILTER_ITEMS_MAX)), [1]);
    assert!(parsed(&many(FILTER_ITEMS_MAX + 1)).unwrap_err()[0].contains("more than 50 items"));
    let nested = |depth| {
        let innermost = json!({ "filterItems": [item("rank", "Equals", 1)] });
        let groups = (1..depth).fold(innermost, |inner, _| json!({ "filterGroups": [inner] }));
        json!({ "filterGroups": [groups] })
    };
    assert_eq!(passing(&nested(FILTER_DEPTH_MAX)), [1]);
    assert!(parsed(&nested(FILTER_DEPTH_MAX + 1)).unwrap_err()[0].contains("3 deep"));
}
