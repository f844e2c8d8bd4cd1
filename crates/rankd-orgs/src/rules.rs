//! What an activity is worth if it does not say so itself.
//!
//! What it is: the look-up in an organisation's own rules, then in those of the organisations above
//! it, nearest first, then in the catalogue. A rule of a reseller or parent so holds for everything
//! below that has no rule of its own for the case. What it is not: a second look: what is found is
//! stored with the activity, and later rules change nothing. Invariant: the first rule that matches
//! counts, in the order in which rules were given. Cost: one hash for each organisation upwards,
//! and the rules of that action.

use std::collections::HashMap;
use std::sync::Arc;

use rankd_activity::Counts;

use crate::catalogue::{self, Action, Difficulty, Product, Worth};
use crate::intent::{ActivityInput, Campaign};
use crate::kinds::{self, HasAttributes};
use crate::model::{Condition, ScoringRule};

/// Rules of one organisation, by action.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) all: Arc<Vec<ScoringRule>>,
    by_action: HashMap<Box<str>, Vec<u32>>,
}

impl Rules {
    pub(crate) fn new(all: Vec<ScoringRule>) -> Self {
        let mut by_action: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for (at, rule) in (0..).zip(&all) {
            by_action.entry(kinds::canonical(&rule.action).into()).or_default().push(at);
        }
        Self { all: Arc::new(all), by_action }
    }

    fn find(&self, facts: &Facts<'_>) -> Option<&ScoringRule> {
        let candidates = self.by_action.get(facts.action)?;
        let mut rules = candidates.iter().filter_map(|at| self.all.get(*at as usize));
        rules.find(|rule| facts.are_matched_by(rule))
    }
}

/// An activity as rules see it.
pub(crate) struct Facts<'a> {
    pub(crate) input: &'a ActivityInput,
    /// As [`kinds::canonical`] spells it.
    pub(crate) action: &'a str,
    pub(crate) counts: Counts,
    /// In the catalogue.
    known: Option<Action>,
    /// Given, or the action's usual one if it is in the catalogue.
    pub(crate) product: Option<u8>,
}

impl<'a> Facts<'a> {
    /// `None` if the activity counts nowhere.
    pub(crate) fn of(input: &'a ActivityInput) -> Option<Self> {
        let (counts, known) = kinds::counts(&input.action).filter(|_| !input.attributes.test)?;
        let usual = || known.map(|action| action.usual_product().number());
        let product = input.attributes.product.or_else(usual);
        let action = match known {
            Some(known) => known.name(),
            None => &input.action,
        };
        Some(Self { input, action, counts, known, product })
    }

    fn are_matched_by(&self, rule: &ScoringRule) -> bool {
        let attributes = &self.input.attributes;
        let condition = match &rule.condition {
            None => true,
            Some(Condition::Confirmed) => attributes.confirmed,
            Some(Condition::ResponseSeconds(from, until)) => {
                let fits = |took: i64| took >= *from && until.is_none_or(|until| took < until);
                attributes.response_seconds.is_some_and(fits)
            }
            Some(Condition::Attribute(name, value)) => self.has(name, value),
        };
        condition
            && rule.product.is_none_or(|product| self.product == Some(product))
            && rule.difficulty.is_none_or(|difficulty| attributes.difficulty == Some(difficulty))
    }

    /// Points and possible points of the catalogue.
    fn catalogued(&self) -> (Option<Worth>, i32) {
        let action = self.known;
        let product = self.product.and_then(Product::from_number);
        let (Some(action), Some(product)) = (action, product) else { return (None, 0) };
        let given = &self.input.attributes;
        let difficulty = given.difficulty.and_then(Difficulty::from_number);
        let (took, confirmed) = (given.response_seconds, given.confirmed);
        let worth = catalogue::worth(action, product, difficulty, took, confirmed);
        (worth, catalogue::possible(product, difficulty))
    }
}

impl HasAttributes for Facts<'_> {
    fn vacancy(&self) -> Option<&str> {
        self.input.attributes.vacancy_id.as_deref()
    }
    fn product(&self) -> Option<u8> {
        self.product
    }
    fn difficulty(&self) -> Option<u8> {
        self.input.attributes.difficulty
    }
    fn campaign(&self) -> Option<&Campaign> {
        self.input.attributes.campaign.as_ref()
    }
    fn confirmed(&self) -> bool {
        self.input.attributes.confirmed
    }
    fn other(&self, name: &str) -> Option<&str> {
        self.input.attributes.others.get(name).map(|value| &**value)
    }
}

/// What an activity is worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) points: i64,
    /// What its campaign brings if this is the user's first activity in it; without a campaign,
    /// what it brings itself.
    pub(crate) possible: i64,
    pub(crate) failed: bool,
    /// Name and points of the rule.
    pub(crate) rule: Option<(Box<str>, i32)>,
}

/// Looks everything up that the activity does not say itself; `rules` are the organisation's own
/// and those above, nearest first. A rule is found, and named in timelines, even where the activity
/// brings its own points.
pub(crate) fn resolve<'r>(
    facts: &Facts<'_>,
    rules: impl IntoIterator<Item = &'r Rules>,
) -> Resolved {
    let given = facts.input;
    let own = rules.into_iter().find_map(|rules| rules.find(facts));
    let (worth, campaign) = facts.catalogued();
    let rule: Option<(Box<str>, i32)> = match own {
        Some(rule) => Some((rule.name.clone(), rule.points)),
        None => worth.map(|worth| (worth.name.into(), worth.points)),
    };
    let surface = match facts.counts {
        Counts::Refer => 3,
        Counts::Recommend => 1,
        Counts::Nothing | Counts::Points => 0,
    };
    let points = given.points.or(rule.as_ref().map(|rule| rule.1.into())).unwrap_or(surface);
    let possible = match (facts.counts, &given.attributes.campaign) {
        (Counts::Points, Some(_)) => own.and_then(|rule| rule.possible).unwrap_or(campaign).into(),
        (Counts::Points, None) => points.max(0),
        _ => 0,
    };
    let possible = given.possible.filter(|_| facts.counts == Counts::Points).unwrap_or(possible);
    let failed = given.attributes.failed.or(own.and_then(|rule| rule.failed));
    let failed = failed.unwrap_or_else(|| facts.known.is_some_and(Action::failed));
    Resolved { points, possible, failed, rule }
}
