//! The activities of one organisation.
//!
//! What it is: ids that were seen, kinds, the ledger with its hot boards, and whose activity was
//! the first of a campaign. What it is not: a judge of what an activity is worth. Invariant: the
//! possible points of a (user, campaign) stand at its earliest counted activity (of equal times:
//! the one that came first) and nowhere else: where an earlier one comes late, a correction takes
//! them from where they were. Cost: O(1) an activity.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use rankd_activity::{Counts, KindId, Ledger, Row};

use crate::change::{Kind, Names, Recorded};
use crate::hot::Hot;
use crate::intent::{Attributes, Campaign};
use crate::kinds::Kinds;
use crate::limits::ACTIVITIES_MAX;
use crate::rules::{Facts, Resolved};
use crate::seen::Seen;

pub(crate) const BOUNDED: &str =
    "ACTIVITIES_MAX is below the ledger's limits, and rows are checked";

/// The first activity of a user in a campaign.
#[derive(Debug, Clone, Copy)]
struct First {
    at_ms: i64,
    possible: i32,
    kind: KindId,
}

/// Activities of one organisation.
#[derive(Debug, Default)]
pub(crate) struct Activities {
    pub(crate) seen: Seen,
    pub(crate) kinds: Kinds,
    pub(crate) ledger: Ledger,
    pub(crate) hot: Arc<Hot>,
    /// By the user's slot and the campaign's number.
    firsts: Firsts,
}

type Firsts = HashMap<(u32, u32), First, RandomState>;

/// See [`Activities::loading`].
pub(crate) struct FirstsLoading<'a> {
    firsts: &'a mut Firsts,
    /// By kind.
    campaigns: Vec<Option<u32>>,
}

impl FirstsLoading<'_> {
    /// Notes a row of the user in this slot; rows come in the order of time, then ingest.
    pub(crate) fn note(&mut self, slot: u32, row: &Row) {
        let campaign = self.campaigns.get(row.kind.0 as usize).copied().flatten();
        if let Some(campaign) = campaign.filter(|_| !row.is_correction) {
            let first = First { at_ms: row.at_ms, possible: row.possible, kind: row.kind };
            self.firsts.entry((slot, campaign)).or_insert(first);
        }
    }
}

/// What is new with an activity: the number of its kind, and what has to be logged for it.
pub(crate) struct Namer<'a> {
    pub(crate) kinds: &'a mut Kinds,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) names: &'a mut Names,
}

impl Activities {
    pub(crate) fn is_full(&self) -> bool {
        self.seen.len() >= ACTIVITIES_MAX
    }

    /// Gives new names and kinds the next numbers.
    ///
    /// # Errors
    /// If a kind has a part that is not there.
    pub(crate) fn define(&mut self, names: &Names) -> Result<(), String> {
        for traits in self.kinds.define(names)? {
            self.ledger.define_kind(traits).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// The number of an activity's kind; what is new is defined, and noted in `names`.
    pub(crate) fn kind_of(
        &mut self,
        facts: &Facts<'_>,
        resolved: &Resolved,
        names: &mut Names,
    ) -> u32 {
        let (kinds, ledger) = (&mut self.kinds, &mut self.ledger);
        Namer { kinds, ledger, names }.kind(facts, resolved)
    }

    /// Adds a row of the user in this slot. `possible` is what it brings if it is the first of its
    /// campaign. Returns the row as it was stored.
    pub(crate) fn add(&mut self, slot: u32, mut row: Row) -> Row {
        if let Some(campaign) = self.campaign_counted(row.kind) {
            row.possible = self.first_of(slot, campaign, &row);
        }
        self.ledger.append(row).expect(BOUNDED);
        row
    }

    /// The campaign of a kind that counts points.
    fn campaign_counted(&self, kind: KindId) -> Option<u32> {
        let counts = self.ledger.kind(kind).is_some_and(|kind| kind.counts == Counts::Points);
        if counts { self.kinds.campaign_of(kind.0) } else { None }
    }

    /// What the row has in possible points, after they are taken from the row that had them.
    fn first_of(&mut self, slot: u32, campaign: u32, row: &Row) -> i32 {
        let first = First { at_ms: row.at_ms, possible: row.possible, kind: row.kind };
        let Some(known) = self.firsts.get_mut(&(slot, campaign)) else {
            self.firsts.insert((slot, campaign), first);
            return row.possible;
        };
        if known.at_ms <= row.at_ms {
            return 0;
        }
        let old = std::mem::replace(known, first);
        if old.possible != 0 {
            let moved = self.ledger.append_correction(row.user, old.at_ms, old.kind, -old.possible);
            moved.expect(BOUNDED);
        }
        row.possible
    }

    /// The ledger, and beside it what notes first activities of campaigns, for rows that were
    /// stored before.
    pub(crate) fn loading(&mut self) -> (&mut Ledger, FirstsLoading<'_>) {
        let kinds = u32::try_from(self.kinds.kinds.len()).expect(BOUNDED);
        let campaigns = (0..kinds).map(|kind| self.campaign_counted(KindId(kind))).collect();
        (&mut self.ledger, FirstsLoading { firsts: &mut self.firsts, campaigns })
    }

    pub(crate) fn firsts_bytes(&self) -> u64 {
        (self.firsts.capacity() * (size_of::<((u32, u32), First)>() + 1)) as u64
    }
}

impl Namer<'_> {
    fn kind(&mut self, facts: &Facts<'_>, resolved: &Resolved) -> u32 {
        let Attributes { vacancy_id, campaign, others, difficulty, confirmed, .. } =
            &facts.input.attributes;
        let kind = Kind {
            action: self.text(facts.action),
            vacancy: vacancy_id.as_ref().map(|vacancy| self.vacancy(vacancy)),
            campaign: campaign.as_ref().map(|campaign| self.campaign(campaign)),
            rule: resolved.rule.as_ref().map(|(name, points)| (self.text(name), *points)),
            product: facts.product,
            difficulty: *difficulty,
            failed: resolved.failed,
            confirmed: *confirmed,
            others: others
                .iter()
                .map(|(name, value)| (self.text(name), self.text(value)))
                .collect(),
        };
        if let Some(known) = self.kinds.kinds.find(&kind) {
            return known;
        }
        let number = u32::try_from(self.kinds.kinds.len()).expect(BOUNDED);
        self.define(Names { kinds: vec![kind], ..Names::default() });
        number
    }

    /// Defines one new thing, and notes it.
    fn define(&mut self, new: Names) {
        let traits = self.kinds.define(&new).expect("its parts were defined before");
        for traits in traits {
            self.ledger.define_kind(traits).expect(BOUNDED);
        }
        self.names.texts.extend(new.texts);
        self.names.vacancies.extend(new.vacancies);
        self.names.campaigns.extend(new.campaigns);
        self.names.kinds.extend(new.kinds);
    }

    fn text(&mut self, text: &str) -> u32 {
        self.kinds.texts.find(text).unwrap_or_else(|| {
            self.define(Names { texts: vec![text.into()], ..Names::default() });
            last(self.kinds.texts.len())
        })
    }

    fn vacancy(&mut self, vacancy: &str) -> u32 {
        self.kinds.vacancies.find(vacancy).unwrap_or_else(|| {
            self.define(Names { vacancies: vec![vacancy.into()], ..Names::default() });
            last(self.kinds.vacancies.len())
        })
    }

    fn campaign(&mut self, campaign: &Campaign) -> u32 {
        self.kinds.campaigns.find(campaign).unwrap_or_else(|| {
            self.define(Names { campaigns: vec![campaign.clone()], ..Names::default() });
            last(self.kinds.campaigns.len())
        })
    }
}

fn last(len: usize) -> u32 {
    u32::try_from(len - 1).expect(BOUNDED)
}

impl Recorded {
    /// Notes a row that was added.
    pub(crate) fn push(&mut self, row: &Row, print: u128) {
        self.rows.push(row);
        self.prints.push(print);
    }
}
