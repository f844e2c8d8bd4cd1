//! Rows as they are shown, and pages of sorted rows against a plain sort.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::surfaces::keepnet::{body, testing};

fn row(rank: u64, score: i64, possible: i64, profile: &[(&str, &str)]) -> BoardRow {
    testing::row(&format!("u{rank}"), rank, score, possible, profile)
}

fn asked(body: &Value) -> Result<Asked, Refusal> {
    let body = body::parse(&hyper::HeaderMap::new(), body.to_string().as_bytes()).unwrap();
    let mut problems = Problems::default();
    let asked = Asked::read(&Fields::new(&body), &mut problems);
    problems.check().map(|()| asked)
}

#[test]
fn a_row_is_shown_as_published() {
    let profile = [
        ("department", "Front desk"),
        ("email", "ines@nw.example"),
        ("firstName", "Ines"),
        ("lastName", "Barto"),
        ("phone", "+47 1"),
        ("shoeSize", "38"),
    ];
    let shown = serde_json::to_string(&Row::new(&row(1, 1150, 1400, &profile), 148)).unwrap();
    assert_eq!(
        shown,
        "{\"rank\":1,\"targetUserResourceId\":\"u1\",\"firstName\":\"Ines\",\
         \"email\":\"ines@nw.example\",\"lastName\":\"Barto\",\"department\":\"Front desk\",\
         \"preferredLanguage\":null,\"phoneNumber\":\"+47 1\",\"points\":1150,\
         \"performance\":82.14,\"totalRowCount\":148}"
    );
}

#[test]
fn the_columns_are_the_fields_in_their_order() {
    let shown = serde_json::to_string(&Row::new(&row(1, 1, 1, &[]), 1)).unwrap();
    let places = ROW_COLUMNS.map(|column| shown.find(&format!("\"{column}\":")).unwrap());
    assert!(places.is_sorted(), "{shown}");
    let fields = serde_json::from_str::<serde_json::Map<_, Value>>(&shown).unwrap();
    assert_eq!(fields.len(), ROW_COLUMNS.len());
}

#[test]
fn points_saturate() {
    let sums = [i64::MIN, -2_147_483_649, -150, 0, 2_147_483_648, i64::MAX];
    assert_eq!(sums.map(points), [i32::MIN, i32::MIN, -150, 0, i32::MAX, i32::MAX]);
}

#[test]
fn pagination_has_its_defaults() {
    let read = |pagination: Value| asked(&json!({ "pagination": pagination }));
    let page = |number, size| Some(Page { number, size });
    let rank = Asked { filter: None, order: Column::Rank, ascending: true, page: page(1, 10) };
    assert_eq!(read(json!(null)), Ok(Asked { page: None, ..rank.clone() }));
    assert_eq!(read(json!({})), Ok(rank.clone()));
    assert_eq!(read(json!({"orderBy": "", "pageNumber": 0, "pageSize": 0})), Ok(rank.clone()));
    let points = Asked { order: Column::Points, ascending: false, page: page(3, 7), ..rank };
    let given = json!({"orderBy": "POINTS", "pageNumber": 3, "pageSize": 7});
    assert_eq!(read(given), Ok(points));
    for bad in [json!([]), json!({"orderBy": "phoneNumber"}), json!({"pageSize": 1001})] {
        assert!(matches!(read(bad), Err(Refusal::Input(lines)) if lines.len() == 1));
    }
}

#[test]
fn equal_keys_fall_back_to_rank_both_ways() {
    let rows = [
        row(1, 5, 10, &[("firstName", "rao")]),
        row(2, 5, 5, &[("firstName", "Ines")]),
        row(3, 4, 8, &[("firstName", "RAO")]),
        row(4, -1, 0, &[]),
    ];
    let sorted = |order: &str, ascending: bool| {
        let pagination = json!({ "orderBy": order, "ascending": ascending });
        let asked = asked(&json!({ "pagination": pagination })).unwrap();
        let page = asked.sorted_page(rows.to_vec(), 0, 10);
        page.iter().map(|row| row.rank).collect::<Vec<_>>()
    };
    assert_eq!(sorted("firstName", true), [4, 2, 1, 3]);
    assert_eq!(sorted("firstName", false), [1, 3, 2, 4]);
    assert_eq!(sorted("points", true), [4, 3, 1, 2]);
    assert_eq!(sorted("performance", false), [2, 1, 3, 4]);
    assert_eq!(sorted("rank", false), [4, 3, 2, 1]);
}

proptest! {
    #[test]
    fn pages_are_those_of_all_rows_sorted(
        names in prop::collection::vec(0_u8..6, 0..60),
        offset in 0_u64..70,
        limit in 1_usize..20,
        ascending in any::<bool>(),
    ) {
        let names: Vec<String> = names.iter().map(|name| format!("name {name}")).collect();
        let rows: Vec<_> = (1..)
            .zip(&names)
            .map(|(rank, name)| row(rank, 0, 0, &[("email", name)]))
            .collect();
        let mut expected: Vec<_> = (1_u64..).zip(&names).collect();
        // The sort is stable, so equal names stay in the order of their ranks.
        expected.sort_by(|(_, a), (_, b)| if ascending { a.cmp(b) } else { b.cmp(a) });
        let offset_rows = usize::try_from(offset).unwrap();
        let expected: Vec<_> =
            expected.iter().skip(offset_rows).take(limit).map(|(rank, _)| *rank).collect();
        let column = Column::Text("email");
        let asked = Asked { filter: None, order: column, ascending, page: None };
        let page = asked.sorted_page(rows, offset, limit);
        prop_assert_eq!(page.iter().map(|row| row.rank).collect::<Vec<_>>(), expected);
    }
}
