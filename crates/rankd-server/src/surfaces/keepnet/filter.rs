//! The filter of a leaderboard: free text, and groups of conditions on columns.
//!
//! What it is not: an order, or a rank; rows keep the rank of the whole board.
//!
//! Invariant: a filter has at most [`FILTER_ITEMS_MAX`] items in groups nested at most
//! [`FILTER_DEPTH_MAX`] deep. What is there and not understood is refused, never passed over.
//! Cost: one pass over the filter a row; texts are compared in lower case.

use rankd_orgs::{BoardRow, Profile};
use serde_json::{Map, Value};

use super::board::{points, profile_text};
use super::body::Fields;
use super::envelope::Problems;
use super::limits::{FILTER_DEPTH_MAX, FILTER_ITEMS_MAX};
use super::percent::Percent;
use crate::problem::shown;

/// What a row must be to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter {
    /// In lower case; empty if there is none.
    search: String,
    groups: Joined,
}

/// Tests, all or any of which must hold; none at all hold always.
#[derive(Debug, Clone, PartialEq)]
struct Joined {
    any: bool,
    tests: Vec<Test>,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Group(Joined),
    /// A text column, in lower case, is this or contains it.
    Text {
        column: TextColumn,
        contains: bool,
        value: String,
    },
    Number {
        column: NumberColumn,
        value: f64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextColumn {
    /// A key of the profile.
    Profile(&'static str),
    UserId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberColumn {
    Rank,
    Points,
    Performance,
}

/// The columns that free text is looked for in, beside both names as one.
const SEARCHED: [&str; 4] = ["firstName", "lastName", "email", "department"];

/// Reads the filter of a request; `None` if it lets every row through.
pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Option<Filter> {
    let object = fields.object("filter", problems)?;
    let filter = Fields::below(object, "filter.");
    let search = filter.text("searchInputTextValue", problems).unwrap_or_default().to_lowercase();
    let any = condition(&filter, problems);
    let mut reader = Reader { items: 0, problems };
    let tests = reader.groups(&filter, 1);
    if reader.items > FILTER_ITEMS_MAX {
        problems.add(format!("filter has more than {FILTER_ITEMS_MAX} items"));
    }
    let filter = Filter { search, groups: Joined { any, tests } };
    (!filter.search.is_empty() || !filter.groups.tests.is_empty()).then_some(filter)
}

/// Whether any test suffices (`OR`) instead of all (`AND`, the default).
fn condition(fields: &Fields<'_>, problems: &mut Problems) -> bool {
    match fields.text("condition", problems) {
        Some(text) if text.eq_ignore_ascii_case("or") => true,
        Some(text) if !text.eq_ignore_ascii_case("and") => {
            let name = fields.name("condition");
            problems.add(format!("{name} is {:?}; it must be AND or OR", shown(text)));
            false
        }
        _ => false,
    }
}

/// Reads groups and their items, and counts the items.
struct Reader<'p> {
    items: usize,
    problems: &'p mut Problems,
}

impl Reader<'_> {
    /// The groups of a filter or a group. Empty ones are as if absent.
    fn groups(&mut self, fields: &Fields<'_>, depth: usize) -> Vec<Test> {
        let mut tests = Vec::new();
        for object in self.objects(fields, "filterGroups") {
            if depth > FILTER_DEPTH_MAX {
                let problem = format!("filter.filterGroups are more than {FILTER_DEPTH_MAX} deep");
                self.problems.add(problem);
                break;
            }
            let group = Fields::below(object, "filter.filterGroups.");
            let any = condition(&group, self.problems);
            let mut inner = self.items(&group);
            inner.extend(self.groups(&group, depth + 1));
            if !inner.is_empty() {
                tests.push(Test::Group(Joined { any, tests: inner }));
            }
        }
        tests
    }

    fn items(&mut self, group: &Fields<'_>) -> Vec<Test> {
        let mut tests = Vec::new();
        for object in self.objects(group, "filterItems") {
            self.items += 1;
            if self.items > FILTER_ITEMS_MAX {
                break;
            }
            let item = Fields::below(object, "filter.filterGroups.filterItems.");
            tests.extend(self.item(&item));
        }
        tests
    }

    fn item(&mut self, item: &Fields<'_>) -> Option<Test> {
        let field =
            item.required("fieldName", |item, of| item.text("fieldName", of), self.problems);
        let operator =
            item.required("operator", |item, of| item.text("operator", of), self.problems);
        let value = item.required("value", |item, _| item.value("value"), self.problems);
        let (field, operator, value) = (field?, operator?, value?);
        let operator = operator.to_ascii_lowercase();
        let contains = operator == "contains";
        if !contains && !matches!(&*operator, "equals" | "equal") {
            let name = item.name("operator");
            let problem =
                format!("{name} is {:?}; it must be Equals or Contains", shown(&operator));
            self.problems.add(problem);
            return None;
        }
        let test = test(field, contains, value);
        test.map_err(|problem| self.problems.add(format!("{}{problem}", item.name("")))).ok()
    }

    /// The objects of a list; `null` counts as absent.
    fn objects<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Vec<&'a Map<String, Value>> {
        let list = fields.list(name, self.problems).unwrap_or_default();
        let objects: Option<Vec<_>> =
            list.iter().filter(|item| !item.is_null()).map(Value::as_object).collect();
        if objects.is_none() {
            self.problems.add(format!("{} must be objects", fields.name(name)));
        }
        objects.unwrap_or_default()
    }
}

/// The test of one item; the error begins with the name of the property that is wrong.
fn test(field: &str, contains: bool, value: &Value) -> Result<Test, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err("value must be a string or a number".to_owned()),
    };
    if let Some(column) = TextColumn::parse(field) {
        return Ok(Test::Text { column, contains, value: text.to_lowercase() });
    }
    let Some(column) = NumberColumn::parse(field) else {
        return Err(format!(
            "fieldName is {:?}; it must be one of firstName, lastName, email, department, \
             targetUserResourceId, points, performance, rank",
            shown(field)
        ));
    };
    if contains {
        return Err(format!("operator for {} must be Equals", shown(field)));
    }
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Test::Number { column, value }),
        _ => Err(format!("value is {:?}; for {field} it must be a number", shown(&text))),
    }
}

impl TextColumn {
    fn parse(field: &str) -> Option<Self> {
        if field.eq_ignore_ascii_case("targetUserResourceId") {
            return Some(Self::UserId);
        }
        SEARCHED.into_iter().find(|key| key.eq_ignore_ascii_case(field)).map(Self::Profile)
    }
}

impl NumberColumn {
    fn parse(field: &str) -> Option<Self> {
        let columns =
            [("rank", Self::Rank), ("points", Self::Points), ("performance", Self::Performance)];
        let known = columns.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
        known.map(|(_, column)| column)
    }
}

impl Filter {
    /// Whether a row is shown.
    pub(super) fn accepts(&self, row: &BoardRow) -> bool {
        (self.search.is_empty() || found(&self.search, &row.user.profile))
            && self.groups.accepts(row)
    }
}

impl Joined {
    fn accepts(&self, row: &BoardRow) -> bool {
        let mut tests = self.tests.iter();
        match self.any && !self.tests.is_empty() {
            true => tests.any(|test| test.accepts(row)),
            false => tests.all(|test| test.accepts(row)),
        }
    }
}

impl Test {
    fn accepts(&self, row: &BoardRow) -> bool {
        match self {
            Self::Group(group) => group.accepts(row),
            Self::Text { column, contains, value } => {
                let text = match column {
                    TextColumn::UserId => &row.user.resource_id,
                    TextColumn::Profile(key) => profile_text(&row.user.profile, key).unwrap_or(""),
                };
                let text = text.to_lowercase();
                if *contains { text.contains(value) } else { text == *value }
            }
            Self::Number { column, value } => {
                // Every rank, and every other number that is shown, is exact as a double.
                #[expect(clippy::cast_precision_loss, reason = "ranks are far below 2^53")]
                let number = match column {
                    NumberColumn::Rank => row.rank as f64,
                    NumberColumn::Points => f64::from(points(row.tally.score)),
                    NumberColumn::Performance => {
                        Percent::of(row.tally.score, row.tally.possible).value()
                    }
                };
                number.total_cmp(value).is_eq() || number == 0.0 && *value == 0.0
            }
        }
    }
}

/// Whether free text, in lower case, is in one of the searched columns or in both names as one.
fn found(search: &str, profile: &Profile) -> bool {
    let text = |key| profile_text(profile, key).unwrap_or("").to_lowercase();
    let [first, last, email, department] = SEARCHED.map(text);
    let names = format!("{first} {last}");
    [first, last, names, email, department].iter().any(|text| text.contains(search))
}

#[cfg(test)]
mod tests;
