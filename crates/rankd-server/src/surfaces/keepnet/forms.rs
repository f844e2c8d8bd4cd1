//! `GET /api/leaderboard/form-details`: the catalogue, for a form's lists of choices.

use rankd_orgs::catalogue::{Action, Difficulty, Product};
use serde::Serialize;

/// The lists.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    gamification_action_types: Vec<Choice>,
    gamification_product_types: Vec<Choice>,
    gamification_scenario_difficulty_types: Vec<Choice>,
    gamification_training_categories: [Choice; 0],
}

/// One line of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Choice {
    text: &'static str,
    /// The number as text, which is how timelines take it.
    value: String,
    extra_datas: Option<()>,
}

impl Choice {
    fn new(text: &'static str, number: u8) -> Self {
        Self { text, value: number.to_string(), extra_datas: None }
    }
}

/// Everything in the catalogue.
pub(super) fn details() -> Details {
    let actions = Action::ALL.iter().map(|action| Choice::new(action.name(), action.number()));
    let products = Product::ALL.iter().map(|product| Choice::new(product.name(), product.number()));
    let difficulties = Difficulty::ALL
        .iter()
        .map(|difficulty| Choice::new(difficulty.name(), difficulty.number()));
    Details {
        gamification_action_types: actions.collect(),
        gamification_product_types: products.collect(),
        gamification_scenario_difficulty_types: difficulties.collect(),
        gamification_training_categories: [],
    }
}
