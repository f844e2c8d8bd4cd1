//! Everything as of one moment, in pieces.
//!
//! What it is: shared copies of all that is stored, taken at once, and made into items one by one
//! while writes go on. What it is not: an encoder. Invariant: items come in an order in which they
//! can be loaded, and none exceeds [`ITEM_BYTES_MAX`]. Cost: freezing clones `Arc`s, some for each
//! organisation and one for each 1024 users, ids and names; an item costs what it holds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use rankd_activity::{FrozenLedger, Row};
use serde::Serialize;

use crate::change::{EnrolmentEvent, Names, OrgItem, OrgState, Rows, UserState};
use crate::chunks::Chunks;
use crate::credential::Credential;
use crate::encoded::encoded_bytes;
use crate::frozen_kinds::FrozenKinds;
use crate::ids::{GroupId, OrgId, TargetId};
use crate::limits::ITEM_BYTES_MAX;
use crate::model::{OrgSpec, ScoringRule, TargetGroupSpec};
use crate::orgs::Orgs;
use crate::tree::{Org, Tree, TreeState};
use crate::users::User;

/// An item is ended once it has this many bytes; what is added last is smaller than the rest.
const ITEM_BYTES_TARGET: usize = ITEM_BYTES_MAX / 2;
/// Rows of an item: 36 bytes at most each.
const ITEM_ROWS: usize = 1 << 14;
/// Fingerprints of an item, 16 bytes each.
const ITEM_PRINTS: usize = 1 << 15;

const _: () = assert!(ITEM_ROWS * 36 + 1024 < ITEM_BYTES_MAX);
const _: () = assert!(ITEM_PRINTS * 16 + 1024 < ITEM_BYTES_MAX);

/// Everything as of one moment, read item by item while writes go on.
pub struct OrgsFrozen {
    key: Option<OrgItem>,
    trees: VecDeque<FrozenTree>,
    /// Organisations of the tree in progress.
    orgs: VecDeque<FrozenOrg>,
    /// What the tree or organisation in progress still has, the next part last.
    parts: Vec<Box<dyn Part>>,
    credentials: Option<Chunks<Arc<Credential>>>,
}

/// Something that is made into items, piece by piece.
trait Part: Send + Sync {
    /// The next item; none after the last.
    fn next(&mut self) -> Option<OrgItem>;
}

struct FrozenTree {
    root: OrgId,
    changes: u64,
    /// Parents first.
    orgs: VecDeque<FrozenOrg>,
    users: Chunks<Option<User>>,
}

struct FrozenOrg {
    head: OrgHead,
    rules: Arc<Vec<ScoringRule>>,
    groups: Vec<FrozenGroup>,
    activities: Option<(FrozenKinds, Chunks<u128>, FrozenLedger)>,
}

/// What stands in the organisation's own item.
#[derive(Clone)]
struct OrgHead {
    id: OrgId,
    spec: Arc<OrgSpec>,
    created_ms: i64,
    ingested_ms: i64,
    version: u64,
}

struct FrozenGroup {
    id: GroupId,
    spec: Arc<TargetGroupSpec>,
    enrolments: Vec<(TargetId, Chunks<EnrolmentEvent>)>,
}

impl fmt::Debug for OrgsFrozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrgsFrozen").field("trees_left", &self.trees.len()).finish_non_exhaustive()
    }
}

impl Orgs {
    /// Everything as it is now. The caller makes sure that no `execute` is running. Cheap.
    #[must_use]
    pub fn freeze(&self) -> OrgsFrozen {
        let trees: Vec<Arc<Tree>> = self.directory.read().trees.values().cloned().collect();
        let trees = trees.iter().map(|tree| frozen_tree(tree.root, &tree.state.read()));
        let trees = trees.collect();
        let credentials = self.credentials.read();
        OrgsFrozen {
            key: credentials.signing_key.map(OrgItem::SigningKey),
            trees,
            orgs: VecDeque::new(),
            parts: Vec::new(),
            credentials: Some(credentials.freeze()),
        }
    }
}

fn frozen_tree(root: OrgId, state: &TreeState) -> FrozenTree {
    let mut orgs = VecDeque::with_capacity(state.orgs.len());
    let mut waiting = VecDeque::from([root]);
    while let Some(id) = waiting.pop_front() {
        if let Some(org) = state.orgs.get(&id) {
            waiting.extend(&org.children);
            orgs.push_back(frozen_org(id, org));
        }
    }
    FrozenTree { root, changes: state.changes, orgs, users: state.users.freeze() }
}

fn frozen_org(id: OrgId, org: &Org) -> FrozenOrg {
    let Org { created_ms, ingested_ms, version, .. } = *org;
    let spec = Arc::clone(&org.spec);
    let groups = org.groups.iter().map(|(id, group)| FrozenGroup {
        id: *id,
        spec: Arc::clone(&group.spec),
        enrolments: group.frozen_enrolments(),
    });
    let activities = org.activities.as_ref();
    FrozenOrg {
        head: OrgHead { id, spec, created_ms, ingested_ms, version },
        rules: Arc::clone(&org.rules.all),
        groups: groups.collect(),
        activities: activities
            .map(|all| (all.kinds.freeze(), all.seen.freeze(), all.ledger.freeze())),
    }
}

impl OrgsFrozen {
    /// The next item; `None` after the last. Items come in an order in which they can be loaded.
    pub fn next_item(&mut self) -> Option<OrgItem> {
        if let Some(key) = self.key.take() {
            return Some(key);
        }
        loop {
            if let Some(part) = self.parts.last_mut() {
                if let Some(item) = part.next() {
                    return Some(item);
                }
                self.parts.pop();
            } else if let Some(org) = self.orgs.pop_front() {
                self.parts = org.parts();
                self.parts.reverse();
            } else if let Some(tree) = self.trees.pop_front() {
                self.begin(tree);
            } else {
                let all = self.credentials.take()?;
                let credential = |credential: &Arc<Credential>| Some((**credential).clone());
                self.parts.push(pieces(all, credential, OrgItem::Credentials));
            }
        }
    }

    fn begin(&mut self, tree: FrozenTree) {
        let FrozenTree { root, changes, orgs, users } = tree;
        let heads: Vec<OrgHead> = orgs.iter().map(|org| org.head.clone()).collect();
        self.orgs = orgs;
        self.parts.push(pieces(users, user_state, OrgItem::Users));
        self.parts.push(Box::new(Heads(heads.into_iter())));
        self.parts.push(Box::new(Once(Some(OrgItem::Tree { root, changes }))));
    }
}

impl FrozenOrg {
    fn parts(self) -> Vec<Box<dyn Part>> {
        let mut parts = Vec::new();
        let org = self.head.id;
        let rules = Chunks::from_iter(self.rules.iter().cloned());
        parts.push(pieces(rules, keep, move |rules| OrgItem::Rules { org, rules }));
        self.groups.into_iter().for_each(|group| group.parts(org, &mut parts));
        if let Some((kinds, prints, ledger)) = self.activities {
            kinds_parts(org, kinds, &mut parts);
            parts.push(Box::new(Prints { org, prints, at: 0 }));
            parts.push(Box::new(Days { org, ledger, at: 0, waiting: VecDeque::new() }));
        }
        parts
    }
}

/// The organisations' own items.
struct Heads(std::vec::IntoIter<OrgHead>);

impl Part for Heads {
    fn next(&mut self) -> Option<OrgItem> {
        let OrgHead { id, spec, created_ms, ingested_ms, version } = self.0.next()?;
        let spec = (*spec).clone();
        Some(OrgItem::Org(Box::new(OrgState { id, spec, created_ms, ingested_ms, version })))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "others leave some out")]
fn keep<T: Clone>(value: &T) -> Option<T> {
    Some(value.clone())
}

/// A user in a snapshot; none for a hole.
fn user_state(user: &Option<User>) -> Option<UserState> {
    let user = user.as_ref()?;
    Some(UserState {
        id: user.id,
        home: user.home,
        resource_id: user.resource_id.as_deref().map(Into::into),
        profile: user.profile.as_deref().cloned().unwrap_or_default(),
    })
}

/// Values of an array that fill an item each time.
struct Pieces<T, V, S, I> {
    values: Chunks<T>,
    at: usize,
    /// The value as it is stored; none if it is not.
    stored: S,
    item: I,
    _value: std::marker::PhantomData<fn() -> V>,
}

fn pieces<T, V, S, I>(values: Chunks<T>, stored: S, item: I) -> Box<dyn Part>
where
    T: Send + Sync + 'static,
    V: Serialize + 'static,
    S: Fn(&T) -> Option<V> + Send + Sync + 'static,
    I: Fn(Vec<V>) -> OrgItem + Send + Sync + 'static,
{
    Box::new(Pieces { values, at: 0, stored, item, _value: std::marker::PhantomData })
}

impl<T, V, S, I> Part for Pieces<T, V, S, I>
where
    T: Send + Sync,
    V: Serialize,
    S: Fn(&T) -> Option<V> + Send + Sync,
    I: Fn(Vec<V>) -> OrgItem + Send + Sync,
{
    fn next(&mut self) -> Option<OrgItem> {
        let (mut piece, mut bytes) = (Vec::new(), 0);
        for value in self.values.iter_from(self.at) {
            self.at += 1;
            if let Some(value) = (self.stored)(value) {
                bytes += encoded_bytes(&value);
                piece.push(value);
            }
            if bytes >= ITEM_BYTES_TARGET {
                break;
            }
        }
        (!piece.is_empty()).then(|| (self.item)(piece))
    }
}

/// One item that is there already.
struct Once(Option<OrgItem>);

impl Part for Once {
    fn next(&mut self) -> Option<OrgItem> {
        self.0.take()
    }
}

impl FrozenGroup {
    fn parts(self, org: OrgId, parts: &mut Vec<Box<dyn Part>>) {
        let Self { id: group, spec, enrolments } = self;
        let TargetGroupSpec { name, active, leaderboard_enabled, targets, periods } =
            (*spec).clone();
        let head = OrgItem::Group { org, group, name, active, leaderboard_enabled };
        parts.push(Box::new(Once(Some(head))));
        let item = move |targets| OrgItem::Targets { group, targets };
        parts.push(pieces(Chunks::from_iter(targets), keep, item));
        let item = move |periods| OrgItem::Periods { group, periods };
        parts.push(pieces(Chunks::from_iter(periods), keep, item));
        for (target, events) in enrolments {
            let item = move |events| OrgItem::Enrolments { group, target, events };
            parts.push(pieces(events, keep, item));
        }
    }
}

fn kinds_parts(org: OrgId, kinds: FrozenKinds, parts: &mut Vec<Box<dyn Part>>) {
    let FrozenKinds { texts, vacancies, campaigns, kinds } = kinds;
    let text = |text: &Arc<str>| Some(Box::from(&**text));
    let item = move |names| OrgItem::Names { org, names };
    parts.push(pieces(texts, text, move |texts| item(Names { texts, ..Names::default() })));
    let named = move |vacancies| item(Names { vacancies, ..Names::default() });
    parts.push(pieces(vacancies, text, named));
    let campaign = |campaign: &Arc<crate::intent::Campaign>| Some((**campaign).clone());
    let named = move |campaigns| item(Names { campaigns, ..Names::default() });
    parts.push(pieces(campaigns, campaign, named));
    parts.push(pieces(kinds, keep, move |kinds| item(Names { kinds, ..Names::default() })));
}

/// Fingerprints, by thousands.
struct Prints {
    org: OrgId,
    prints: Chunks<u128>,
    at: usize,
}

impl Part for Prints {
    fn next(&mut self) -> Option<OrgItem> {
        let piece: Vec<u128> = self.prints.iter_from(self.at).take(ITEM_PRINTS).copied().collect();
        self.at += piece.len();
        (!piece.is_empty()).then_some(OrgItem::Prints { org: self.org, prints: piece })
    }
}

/// Rows, day by day.
struct Days {
    org: OrgId,
    ledger: FrozenLedger,
    /// The next day.
    at: usize,
    /// Rows of earlier days.
    waiting: VecDeque<Row>,
}

impl Part for Days {
    fn next(&mut self) -> Option<OrgItem> {
        while self.waiting.len() < ITEM_ROWS {
            let Some(day) = self.ledger.day(self.at) else { break };
            self.at += 1;
            self.waiting.extend(day);
        }
        if self.waiting.is_empty() {
            return None;
        }
        let (mut rows, mut corrections) = (Rows::default(), Vec::new());
        let count = self.waiting.len().min(ITEM_ROWS);
        for (at, row) in (0..).zip(self.waiting.drain(..count)) {
            rows.push(&row);
            if row.is_correction {
                corrections.push(at);
            }
        }
        Some(OrgItem::Rows { org: self.org, rows, corrections })
    }
}
