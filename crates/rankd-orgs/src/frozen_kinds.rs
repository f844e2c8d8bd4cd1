//! The dictionaries of an organisation as they were at one moment.
//!
//! What it is: what a reader needs of kinds without a lock, and what a snapshot writes. What it is
//! not: a way from texts to numbers. Invariant: it never changes. Cost: one `Arc` for 1024 values.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalogue::Action;
use crate::change::Kind;
use crate::chunks::Chunks;
use crate::intent::Campaign;

/// Values by number.
#[derive(Debug, Clone)]
pub(crate) struct FrozenKinds {
    pub(crate) texts: Chunks<Arc<str>>,
    pub(crate) vacancies: Chunks<Arc<str>>,
    pub(crate) campaigns: Chunks<Arc<Campaign>>,
    pub(crate) kinds: Chunks<Kind>,
}

impl FrozenKinds {
    pub(crate) fn kind(&self, number: u32) -> Option<&Kind> {
        self.kinds.get(number as usize)
    }

    pub(crate) fn text(&self, number: u32) -> Option<Arc<str>> {
        self.texts.get(number as usize).cloned()
    }

    pub(crate) fn campaign(&self, number: u32) -> Option<Arc<Campaign>> {
        self.campaigns.get(number as usize).cloned()
    }

    /// The catalogue's actions among those of the kinds, by the numbers of their texts.
    pub(crate) fn actions(&self) -> HashMap<u32, Action> {
        let mut known: HashMap<u32, Option<Action>> = HashMap::new();
        for kind in self.kinds.iter() {
            let name = || self.text(kind.action).and_then(|text| Action::by_name(&text));
            known.entry(kind.action).or_insert_with(name);
        }
        known.into_iter().filter_map(|(text, action)| Some((text, action?))).collect()
    }
}
