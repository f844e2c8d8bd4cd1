//! Kinds of activities: what many activities have in common, each combination kept once.
//!
//! What it is: the dictionaries of an organisation, and what can be asked of a kind. What it is
//! not: a place for rows. Invariant: numbers are dense and for ever; every number in a kind leads
//! to something. Cost: a few hashes for each activity; memory grows with combinations, not with
//! activities, unless attributes hardly repeat.

use std::sync::Arc;

use rankd_activity::{Counts, KindTraits};

use crate::catalogue::{Action, Difficulty, Product, is_no_response};
use crate::change::{Kind, Names};
use crate::frozen_kinds::FrozenKinds;
use crate::intent::Campaign;
use crate::interner::Interner;
use crate::model::Match;

/// The action of the Wintro surface that is worth 3.
pub(crate) const REFER: &str = "employee_refer";
/// The action of the Wintro surface that is worth 1.
pub(crate) const RECOMMEND: &str = "employee_recommend";

/// What an action counts for, and which one of the catalogue it is; `None` for "No Response", which
/// counts nowhere.
pub(crate) fn counts(action: &str) -> Option<(Counts, Option<Action>)> {
    match action {
        REFER => return Some((Counts::Refer, None)),
        RECOMMEND => return Some((Counts::Recommend, None)),
        _ => {}
    }
    match Action::by_name(action) {
        Some(known) => Some((Counts::Points, Some(known))),
        None if is_no_response(action) => None,
        None => Some((Counts::Nothing, None)),
    }
}

/// Whether an action, as it is kept, counts points on the Keepnet surface.
pub(crate) fn is_ranked(action: &str) -> bool {
    counts(action).is_some_and(|(counts, _)| counts == Counts::Points)
}

/// The spelling of an action under which it is kept and compared: the catalogue's if it is there.
pub(crate) fn canonical(action: &str) -> &str {
    match Action::by_name(action) {
        Some(known) => known.name(),
        None => action,
    }
}

/// Whether a text given for an attribute of the catalogue means this number.
fn means(given: &str, number: Option<u8>, parse: impl Fn(&str) -> Option<u8>) -> bool {
    number.is_some() && parse(given) == number
}

/// The attributes of an activity, wherever they are kept.
pub(crate) trait HasAttributes {
    fn vacancy(&self) -> Option<&str>;
    fn product(&self) -> Option<u8>;
    fn difficulty(&self) -> Option<u8>;
    fn campaign(&self) -> Option<&Campaign>;
    fn confirmed(&self) -> bool;
    fn other(&self, name: &str) -> Option<&str>;

    /// Whether the attribute has this value. Beside the free ones there are `vacancyId`, `product`,
    /// `difficulty`, `campaignId` (its resource id), `campaignType` and `confirmed`.
    fn has(&self, name: &str, value: &str) -> bool {
        match name {
            "vacancyId" => self.vacancy() == Some(value),
            "product" => {
                let parse = |text: &str| Product::parse(text).map(Product::number);
                means(value, self.product(), parse)
            }
            "difficulty" => {
                let parse = |text: &str| Difficulty::parse(text).map(Difficulty::number);
                means(value, self.difficulty(), parse)
            }
            "campaignId" => self.campaign().is_some_and(|known| &*known.resource_id == value),
            "campaignType" => {
                self.campaign().is_some_and(|known| known.kind.as_deref() == Some(value))
            }
            "confirmed" => value == if self.confirmed() { "true" } else { "false" },
            _ => self.other(name) == Some(value),
        }
    }
}

/// Dictionaries of one organisation.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    pub(crate) texts: Interner<Arc<str>>,
    pub(crate) vacancies: Interner<Arc<str>>,
    pub(crate) campaigns: Interner<Arc<Campaign>>,
    pub(crate) kinds: Interner<Kind>,
    /// For each campaign the first one with the same identifier.
    same_campaign: Vec<u32>,
    campaign_ids: std::collections::HashMap<Box<str>, u32, foldhash::fast::RandomState>,
}

impl Kinds {
    /// Gives new things the next numbers. Returns the traits of the new kinds.
    ///
    /// # Errors
    /// If a kind has a number that leads nowhere.
    pub(crate) fn define(&mut self, names: &Names) -> Result<Vec<KindTraits>, String> {
        for text in &names.texts {
            self.texts.push(Arc::from(&**text));
        }
        for vacancy in &names.vacancies {
            self.vacancies.push(Arc::from(&**vacancy));
        }
        for campaign in &names.campaigns {
            self.add_campaign(campaign);
        }
        names.kinds.iter().map(|kind| self.add_kind(kind)).collect()
    }

    fn add_campaign(&mut self, campaign: &Campaign) {
        let number = self.campaigns.push(Arc::new(campaign.clone()));
        let first = *self.campaign_ids.entry(campaign.resource_id.clone()).or_insert(number);
        self.same_campaign.push(first);
    }

    fn add_kind(&mut self, kind: &Kind) -> Result<KindTraits, String> {
        let texts = [Some(kind.action), kind.rule.map(|(name, _)| name)];
        let others = kind.others.iter().flat_map(|(name, value)| [*name, *value]);
        let known = |number: Option<u32>, len: usize| number.is_none_or(|at| (at as usize) < len);
        let fits = texts.into_iter().all(|number| known(number, self.texts.len()))
            && others.into_iter().all(|number| known(Some(number), self.texts.len()))
            && known(kind.vacancy, self.vacancies.len())
            && known(kind.campaign, self.campaigns.len())
            && kind.product.is_none_or(|number| Product::from_number(number).is_some())
            && kind.difficulty.is_none_or(|number| Difficulty::from_number(number).is_some());
        if !fits {
            return Err(format!("kind {} has parts that are not there", self.kinds.len()));
        }
        self.kinds.push(kind.clone());
        let (counts, _) = counts(self.text(kind.action)).unwrap_or_default();
        Ok(KindTraits { counts, tag: kind.vacancy })
    }

    /// A text by its number.
    pub(crate) fn text(&self, number: u32) -> &Arc<str> {
        self.texts.get(number).expect("numbers in kinds are checked")
    }

    /// The number that stands for the campaign itself, whatever else is said of it.
    pub(crate) fn campaign_of(&self, kind: u32) -> Option<u32> {
        let number = self.kinds.get(kind)?.campaign?;
        self.same_campaign.get(number as usize).copied()
    }

    /// The kind with all its parts.
    pub(crate) fn view(&self, kind: u32) -> Option<KindView<'_>> {
        Some(KindView { kinds: self, kind: self.kinds.get(kind)? })
    }

    /// Numbers of the vacancies that are known.
    pub(crate) fn tags(&self, vacancies: &[&str]) -> Vec<u32> {
        let known = vacancies.iter().filter_map(|vacancy| self.vacancies.find(*vacancy));
        let mut tags: Vec<u32> = known.collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// The dictionaries as they are now.
    pub(crate) fn freeze(&self) -> FrozenKinds {
        FrozenKinds {
            texts: self.texts.freeze(),
            vacancies: self.vacancies.freeze(),
            campaigns: self.campaigns.freeze(),
            kinds: self.kinds.freeze(),
        }
    }

    /// Bytes of the dictionaries with their texts.
    pub(crate) fn bytes(&self) -> u64 {
        let texts = self.texts.iter().chain(self.vacancies.iter()).map(|text| text.len() + 16);
        let campaigns = self.campaigns.iter().map(|campaign| campaign_bytes(campaign));
        let others = self.kinds.iter().map(|kind| size_of_val(&*kind.others));
        let held: usize = texts.chain(campaigns).chain(others).sum();
        let tables = self.texts.bytes() + self.vacancies.bytes() + self.campaigns.bytes();
        held as u64 + tables + self.kinds.bytes()
    }
}

fn campaign_bytes(campaign: &Campaign) -> usize {
    let Campaign { name, kind, time_zone, category, training_type, result, .. } = campaign;
    let texts = [name, kind, time_zone, category, training_type, result];
    let texts = texts.into_iter().flatten().map(|text| text.len()).sum::<usize>();
    size_of::<Campaign>() + 16 + 2 * campaign.resource_id.len() + texts
}

/// A kind with what its numbers lead to.
#[derive(Clone, Copy)]
pub(crate) struct KindView<'k> {
    kinds: &'k Kinds,
    pub(crate) kind: &'k Kind,
}

impl<'k> KindView<'k> {
    pub(crate) fn action(&self) -> &'k str {
        self.kinds.text(self.kind.action)
    }

    /// Whether a target that matches so counts activities of this kind.
    pub(crate) fn is_matched_by(&self, matches: &Match) -> bool {
        let action = self.action();
        let by_action = matches.actions.is_empty()
            || matches.actions.iter().any(|wanted| canonical(wanted) == action);
        by_action && matches.attributes.iter().all(|(name, value)| self.has(name, value))
    }
}

impl HasAttributes for KindView<'_> {
    fn vacancy(&self) -> Option<&str> {
        self.kinds.vacancies.get(self.kind.vacancy?).map(|text| &**text)
    }
    fn product(&self) -> Option<u8> {
        self.kind.product
    }
    fn difficulty(&self) -> Option<u8> {
        self.kind.difficulty
    }
    fn campaign(&self) -> Option<&Campaign> {
        self.kinds.campaigns.get(self.kind.campaign?).map(|campaign| &**campaign)
    }
    fn confirmed(&self) -> bool {
        self.kind.confirmed
    }
    fn other(&self, name: &str) -> Option<&str> {
        let mut others = self.kind.others.iter();
        let found = others.find(|(known, _)| &**self.kinds.text(*known) == name)?;
        Some(self.kinds.text(found.1))
    }
}
