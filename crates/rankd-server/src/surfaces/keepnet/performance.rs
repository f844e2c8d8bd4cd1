//! `POST /api/leaderboard/user-performance`: one user's figures, product by product.
//!
//! Invariant: rank and totals of all elements are those of the whole board. Cost: the user's own
//! activities of the window, and the board for the rank.

use rankd_orgs::catalogue::Product;
use rankd_orgs::{BoardRow, Orgs, ProductSum, UserView};
use serde::Serialize;

use super::auth::Company;
use super::board::{self, points};
use super::envelope::Refusal;
use super::percent::Percent;
use super::window;
use crate::surfaces::steady::steadily;

/// A product as it is shown.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element {
    rank: u64,
    phishing_type_id: u8,
    phishing_type: &'static str,
    performance: Percent,
    total_performance: Percent,
    total_points: i32,
}

/// A user of the company by text identifier.
///
/// # Errors
/// There is none; users of other companies are as if unknown.
pub(super) fn user(orgs: &Orgs, company: &Company, id: &str) -> Result<UserView, Refusal> {
    let user = orgs.user_by_resource_id(company.id, id).filter(|user| user.home == company.id);
    user.ok_or_else(|| {
        let id = crate::problem::shown(id);
        Refusal::NotFound(format!("there is no target user {id:?} in this company"))
    })
}

/// The elements of one user, by product.
///
/// # Errors
/// The user or the company is unknown.
pub(super) fn of(
    orgs: &Orgs,
    company: &Company,
    id: &str,
    asked: window::Asked,
    now_ms: i64,
) -> Result<Vec<Element>, Refusal> {
    let user = user(orgs, company, id)?;
    let (row, products) = steadily(orgs, |steady| {
        let row = board::of(orgs, company.id, asked, now_ms)?.row_of(user.id);
        let products = orgs.products(company.id, user.id, asked.window);
        Ok(steady.takes(|| agree(row.as_ref(), &products)).then_some((row, products)))
    })?;
    let Some(row) = row else { return Ok(Vec::new()) };
    Ok(products.iter().filter_map(|sum| Element::new(&row, sum)).collect())
}

/// Whether a user's place and the sums by product are of one moment, as far as can be seen: the
/// sums add up to what the board says.
fn agree(row: Option<&BoardRow>, products: &[ProductSum]) -> bool {
    let Some(BoardRow { tally, .. }) = row else { return products.is_empty() };
    let points: i64 = products.iter().map(|sum| sum.points).sum();
    let possible: i64 = products.iter().map(|sum| sum.possible).sum();
    points == tally.score && possible == tally.possible
}

impl Element {
    /// `None` for a product that the catalogue does not have.
    fn new(row: &BoardRow, sum: &ProductSum) -> Option<Self> {
        let product = Product::from_number(sum.product)?;
        Some(Self {
            rank: row.rank,
            phishing_type_id: product.number(),
            phishing_type: product.name(),
            performance: Percent::of(sum.points, sum.possible),
            total_performance: Percent::of(row.tally.score, row.tally.possible),
            total_points: points(row.tally.score),
        })
    }
}
