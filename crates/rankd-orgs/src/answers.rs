//! Where the answers to front ends come from, but for boards of windows (`board.rs`).
//!
//! What it is: look-ups under a tree's read lock, and work on views outside of it. What it is not:
//! a cache. Invariant: a lock is held for microseconds and one page of rows at most. Cost: its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rankd_activity::{KindId, LiveEntry, Row, RowOrder, RowQuery};

use crate::board::window_of;
use crate::catalogue::Action;
use crate::credential::{Credential, Presented};
use crate::credential_store::verify;
use crate::frozen_kinds::FrozenKinds;
use crate::ids::{CredentialId, GroupId, OrgId, PeriodId, TargetId, UserId};
use crate::kinds;
use crate::orgs::Orgs;
use crate::read::{
    ActivityRow, GroupView, LiveRow, OrgView, ProductSum, TimelineOrder, TimelinePage,
    TimelineRequest, UserView, Window,
};
use crate::tree::TreeState;
use crate::users::nobody;

impl Orgs {
    /// The active credential that is shown, if it is right.
    #[must_use]
    pub fn authenticate(&self, shown: Presented<'_>) -> Option<Arc<Credential>> {
        let (found, secret) = self.credentials.read().find(shown);
        verify(found, secret)
    }

    /// The active credential of this id.
    #[must_use]
    pub fn credential(&self, id: CredentialId) -> Option<Arc<Credential>> {
        self.credentials.read().active(id).cloned()
    }

    /// The key that access tokens are signed with.
    #[must_use]
    pub fn signing_key(&self) -> Option<[u8; 32]> {
        self.credentials.read().signing_key
    }

    /// Whether there is any active API key.
    #[must_use]
    pub fn has_api_keys(&self) -> bool {
        self.credentials.read().has_api_keys()
    }

    /// Reads the state of the tree that an organisation is in.
    fn with_tree<R>(&self, org: OrgId, read: impl FnOnce(OrgId, &TreeState) -> R) -> Option<R> {
        let tree = self.tree_of(org)?;
        let state = tree.state.read();
        Some(read(tree.root, &state))
    }

    /// The organisation.
    #[must_use]
    pub fn org(&self, org: OrgId) -> Option<OrgView> {
        self.with_tree(org, |root, state| state.org_view(root, org))?
    }

    /// The organisation of this text identifier.
    #[must_use]
    pub fn org_by_resource_id(&self, resource_id: &str) -> Option<OrgView> {
        let org = self.directory.read().resource_ids.get(resource_id).copied()?;
        self.org(org)
    }

    /// Organisations strictly below, in the order of ids.
    #[must_use]
    pub fn descendants(&self, org: OrgId) -> Vec<OrgId> {
        let below = |_, state: &TreeState| {
            let mut found = Vec::new();
            let mut waiting = vec![org];
            while let Some(next) = waiting.pop() {
                let children = state.orgs.get(&next).map(|org| &org.children);
                let children = children.into_iter().flatten().copied();
                let known = found.len();
                found.extend(children);
                waiting.extend_from_slice(&found[known..]);
            }
            found.sort_unstable();
            found
        };
        self.with_tree(org, below).unwrap_or_default()
    }

    /// Whether `org` is `ancestor` or below it.
    #[must_use]
    pub fn is_within(&self, org: OrgId, ancestor: OrgId) -> bool {
        self.with_tree(org, |_, state| state.is_within(org, ancestor)).unwrap_or(false)
    }

    /// A user of the tree that `org` belongs to.
    #[must_use]
    pub fn user(&self, org: OrgId, user: UserId) -> Option<UserView> {
        self.with_tree(org, |_, state| state.users.get(user).map(|user| user.view()))?
    }

    /// A user of the tree that `org` belongs to, by text identifier.
    #[must_use]
    pub fn user_by_resource_id(&self, org: OrgId, resource_id: &str) -> Option<UserView> {
        let find =
            |_, state: &TreeState| state.users.by_resource_id(resource_id).map(|user| user.view());
        self.with_tree(org, find)?
    }

    /// The user's sums by product in a window, by product number. A pass over the user's own
    /// activities there.
    #[must_use]
    pub fn products(&self, org: OrgId, user: UserId, window: Window) -> Vec<ProductSum> {
        let view = |_, state: &TreeState| {
            let activities = state.orgs.get(&org)?.activities.as_ref()?;
            let rows = activities.ledger.rows(window_of(window), Some(user.0));
            Some((rows, activities.kinds.freeze()))
        };
        let Some((rows, kinds)) = self.with_tree(org, view).flatten() else { return Vec::new() };
        sums_by_product(&kinds, &rows.all())
    }

    /// A page of the organisation's timeline.
    #[must_use]
    pub fn timeline(&self, org: OrgId, request: &TimelineRequest<'_>) -> Option<TimelinePage> {
        let view = |_, state: &TreeState| {
            let activities = state.orgs.get(&org)?.activities.as_ref()?;
            let user = request.user.map(|user| user.0);
            let rows = activities.ledger.rows(window_of(request.window), user);
            Some((rows, activities.kinds.freeze()))
        };
        let Some((rows, kinds)) = self.with_tree(org, view)? else {
            return Some(TimelinePage { total: 0, rows: Vec::new() });
        };
        let actions = kinds.actions();
        let listed = |kind: KindId| is_listed(&kinds, &actions, kind, request);
        let order = match (request.order, request.ascending) {
            (TimelineOrder::At, true) => RowOrder::OldestFirst,
            (TimelineOrder::At, false) => RowOrder::NewestFirst,
            (TimelineOrder::Points, true) => RowOrder::FewestPoints,
            (TimelineOrder::Points, false) => RowOrder::MostPoints,
        };
        let offset = usize::try_from(request.offset).unwrap_or(usize::MAX);
        let query = RowQuery { kinds: Some(&listed), order, offset, limit: request.limit };
        let page = rows.page(&query);
        let rows = page.rows.iter().filter_map(|row| activity_row(&kinds, &actions, row));
        Some(TimelinePage { total: page.total, rows: rows.collect() })
    }

    /// A target group of the tree that `org` belongs to, active or not.
    #[must_use]
    pub fn group(&self, org: OrgId, group: GroupId) -> Option<GroupView> {
        self.with_tree(org, |_, state| state.group_view(group))?
    }

    /// Target groups owned by this organisation, by id.
    #[must_use]
    pub fn groups_of(&self, org: OrgId) -> Vec<GroupView> {
        let views = |_, state: &TreeState| {
            let groups = state.orgs.get(&org).into_iter().flat_map(|org| &org.groups);
            let view = |(id, group): (&GroupId, &crate::group::Group)| GroupView {
                id: *id,
                org,
                spec: Arc::clone(&group.spec),
            };
            groups.map(view).collect()
        };
        self.with_tree(org, views).unwrap_or_default()
    }

    /// Entries of a target's board: `(total, rows from `offset` on)`.
    #[must_use]
    pub fn target_page(
        &self,
        group: &GroupView,
        target: TargetId,
        period: PeriodId,
        offset: u64,
        limit: usize,
    ) -> (u64, Vec<LiveRow>) {
        let org = group.org;
        let page = |_, state: &TreeState| {
            let board = state.orgs.get(&org)?.groups.get(&group.id)?.board(target, period)?;
            let at = usize::try_from(offset).unwrap_or(usize::MAX);
            let entries = (offset.saturating_add(1)..).zip(board.page(at, limit));
            let rows = entries.map(|(rank, entry)| live_row(state, org, rank, &entry));
            Some((board.total(), rows.collect()))
        };
        self.with_tree(org, page).flatten().unwrap_or_default()
    }

    /// A user's place on a target's board, with the number of entries; `None` if not enrolled.
    #[must_use]
    pub fn target_rank(
        &self,
        group: &GroupView,
        target: TargetId,
        period: PeriodId,
        user: UserId,
    ) -> Option<(LiveRow, u64)> {
        let org = group.org;
        let place = |_, state: &TreeState| {
            let board = state.orgs.get(&org)?.groups.get(&group.id)?.board(target, period)?;
            let (rank, entry) = board.rank_of(user.0)?;
            Some((live_row(state, org, rank, &entry), board.total()))
        };
        self.with_tree(org, place)?
    }
}

fn live_row(state: &TreeState, org: OrgId, rank: u64, entry: &LiveEntry) -> LiveRow {
    let id = UserId(entry.user);
    let user = state.users.get(id).map_or_else(|| nobody(id, org), |user| user.view());
    LiveRow { rank, user, value: entry.value, last_ms: entry.last_ms }
}

/// Sums of one user's rows and corrections.
fn sums_by_product(kinds: &FrozenKinds, rows: &[Row]) -> Vec<ProductSum> {
    let mut ranked: HashMap<u32, bool> = HashMap::new();
    let mut is_ranked = |text: u32| {
        let action = || kinds.text(text).is_some_and(|action| kinds::is_ranked(&action));
        *ranked.entry(text).or_insert_with(action)
    };
    let mut sums: BTreeMap<u8, ProductSum> = BTreeMap::new();
    for row in rows {
        let Some(kind) = kinds.kind(row.kind.0) else { continue };
        let Some(product) = kind.product.filter(|_| is_ranked(kind.action)) else { continue };
        // A correction has the time and kind of a row, so that it never stands alone.
        let empty = ProductSum { product, points: 0, possible: 0 };
        let sum = sums.entry(product).or_insert(empty);
        sum.points += i64::from(row.points);
        sum.possible += i64::from(row.possible);
    }
    sums.into_values().collect()
}

/// Whether a timeline lists activities of this kind.
fn is_listed(
    kinds: &FrozenKinds,
    actions: &HashMap<u32, Action>,
    kind: KindId,
    request: &TimelineRequest<'_>,
) -> bool {
    let Some(kind) = kinds.kind(kind.0) else { return false };
    let Some(action) = actions.get(&kind.action) else { return false };
    let one_of = |wanted: &[u8], number: Option<u8>| {
        wanted.is_empty() || number.is_some_and(|number| wanted.contains(&number))
    };
    one_of(request.actions, Some(action.number()))
        && one_of(request.difficulties, kind.difficulty)
        && one_of(request.products, kind.product)
        && (kind.failed || !request.only_failed)
}

fn activity_row(
    kinds: &FrozenKinds,
    actions: &HashMap<u32, Action>,
    row: &Row,
) -> Option<ActivityRow> {
    let kind = kinds.kind(row.kind.0)?;
    Some(ActivityRow {
        user: UserId(row.user),
        at_ms: row.at_ms,
        action: actions.get(&kind.action)?.number(),
        product: kind.product?,
        difficulty: kind.difficulty,
        points: row.points.into(),
        rule: kind.rule.and_then(|(name, points)| Some((points.into(), kinds.text(name)?))),
        campaign: kind.campaign.and_then(|number| kinds.campaign(number)),
    })
}
