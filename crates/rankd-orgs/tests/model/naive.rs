//! Organisations once more, as plainly as possible: everything that happened in one list, and every
//! answer by walking over it.
//!
//! What it is not: fast, or made of anything that the crate has but its data types. Invariant: no
//! answer is kept. Cost: O(everything) a question.

use std::collections::{BTreeMap, BTreeSet};

use rankd_orgs::{
    ActivityInput, Aggregate, Campaign, Condition, Match, Measure, OrgIntent, OrgSpec, PeriodSpec,
    Profile, ScoringRule, TargetGroupSpec, TargetSpec, Window,
};

pub(crate) struct Org {
    pub(crate) spec: OrgSpec,
    pub(crate) rules: Vec<ScoringRule>,
}

#[derive(Clone)]
pub(crate) struct User {
    /// Differs for each user that ever was.
    pub(crate) life: u64,
    pub(crate) home: u64,
    pub(crate) resource_id: Option<Box<str>>,
    pub(crate) profile: Profile,
}

/// A counted activity.
pub(crate) struct Act {
    pub(crate) org: u64,
    pub(crate) root: u64,
    pub(crate) user: u64,
    pub(crate) life: u64,
    pub(crate) at: i64,
    pub(crate) action: String,
    pub(crate) product: Option<u8>,
    pub(crate) points: i64,
    pub(crate) own_possible: i64,
    pub(crate) failed: bool,
    pub(crate) rule: Option<(i64, String)>,
    pub(crate) input: ActivityInput,
}

pub(crate) struct Group {
    pub(crate) spec: TargetGroupSpec,
    /// Target, life, entered or left, when.
    pub(crate) events: Vec<(u64, u64, bool, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Created,
    Changed,
    Unchanged,
    Duplicate,
    Rejected,
    /// Anything but a rejection.
    Taken,
}

#[derive(Default)]
pub(crate) struct Naive {
    pub(crate) orgs: BTreeMap<u64, Org>,
    /// By root and id.
    pub(crate) users: BTreeMap<(u64, u64), User>,
    pub(crate) acts: Vec<Act>,
    pub(crate) groups: BTreeMap<(u64, u64), Group>,
    pub(crate) ids: BTreeSet<(u64, String)>,
    lives: u64,
}

/// Score, possible, referrals, recommendations, last time.
pub(crate) type Sums = (i64, i64, u64, u64, i64);

impl Naive {
    pub(crate) fn root(&self, org: u64) -> u64 {
        self.orgs[&org].spec.parent.map_or(org, |parent| self.root(parent.0))
    }

    fn upwards(&self, org: u64) -> Vec<u64> {
        let parent = self.orgs[&org].spec.parent;
        let above = parent.map_or_else(Vec::new, |parent| self.upwards(parent.0));
        std::iter::once(org).chain(above).collect()
    }

    pub(crate) fn is_within(&self, org: u64, ancestor: u64) -> bool {
        self.upwards(org).contains(&ancestor)
    }

    fn new_user(&mut self, org: u64, user: u64) -> u64 {
        let root = self.root(org);
        if let Some(known) = self.users.get(&(root, user)) {
            return known.life;
        }
        self.lives += 1;
        let (life, resource_id, profile) = (self.lives, None, Profile::new());
        self.users.insert((root, user), User { life, home: org, resource_id, profile });
        life
    }

    pub(crate) fn execute(&mut self, intent: &OrgIntent) -> Expected {
        match intent {
            OrgIntent::PutOrg { org, spec } => {
                let rules = Vec::new();
                let old = self.orgs.insert(org.0, Org { spec: spec.clone(), rules });
                assert!(old.is_none(), "the test puts each once");
                Expected::Created
            }
            OrgIntent::PutUser { org, user, resource_id, profile } => {
                self.put_user(org.0, user.0, resource_id.as_deref(), profile)
            }
            OrgIntent::DeleteUser { org, user } => {
                let key = (self.root(org.0), user.0);
                let home = self.users.get(&key).map(|user| user.home);
                if !home.is_some_and(|home| self.is_within(home, org.0)) {
                    return Expected::Rejected;
                }
                self.users.remove(&key);
                Expected::Changed
            }
            OrgIntent::PutRules { org, rules } => {
                let known = &mut self.orgs.get_mut(&org.0).unwrap().rules;
                let same = known == rules;
                let had_some = !known.is_empty();
                *known = rules.clone();
                put(same, had_some)
            }
            OrgIntent::PutGroup { org, group, spec } => {
                let elsewhere = self.groups.keys().any(|(owner, id)| {
                    *id == group.0 && *owner != org.0 && self.root(*owner) == self.root(org.0)
                });
                if elsewhere {
                    return Expected::Rejected;
                }
                let key = (org.0, group.0);
                let Some(known) = self.groups.get_mut(&key) else {
                    self.groups.insert(key, Group { spec: spec.clone(), events: Vec::new() });
                    return Expected::Created;
                };
                let same = known.spec == *spec;
                known.spec = spec.clone();
                known.events.retain(|event| spec.targets.iter().any(|t| t.id.0 == event.0));
                put(same, true)
            }
            OrgIntent::Enrol { org, group, target, user, from_ms } => {
                self.enrol(org.0, group.0, target.0, user.0, (true, *from_ms))
            }
            OrgIntent::Unenrol { org, group, target, user, until_ms } => {
                self.enrol(org.0, group.0, target.0, user.0, (false, *until_ms))
            }
            OrgIntent::Record(input) => self.record(input),
            _ => unreachable!("credentials have tests of their own"),
        }
    }

    fn put_user(&mut self, org: u64, user: u64, text: Option<&str>, profile: &Profile) -> Expected {
        let root = self.root(org);
        let known = self.users.get(&(root, user)).cloned();
        if known.as_ref().is_some_and(|known| !self.is_within(known.home, org)) {
            return Expected::Rejected;
        }
        let mut others = self.users.iter().filter(|((of, id), _)| *of == root && *id != user);
        if text.is_some() && others.any(|(_, other)| other.resource_id.as_deref() == text) {
            return Expected::Rejected;
        }
        let life = self.new_user(org, user);
        let (home, resource_id, profile) = (org, text.map(Into::into), profile.clone());
        let new = User { life, home, resource_id, profile };
        let same = known.as_ref().is_some_and(|old| {
            old.home == new.home && old.resource_id == new.resource_id && old.profile == new.profile
        });
        self.users.insert((root, user), new);
        put(same, known.is_some())
    }

    fn enrol(
        &mut self,
        org: u64,
        group: u64,
        target: u64,
        user: u64,
        what: (bool, i64),
    ) -> Expected {
        let life = self.users.get(&(self.root(org), user)).map(|user| user.life);
        let group = self.groups.get_mut(&(org, group));
        let group = group.filter(|group| group.spec.targets.iter().any(|t| t.id.0 == target));
        let (Some(life), Some(group)) = (life, group) else { return Expected::Rejected };
        group.events.push((target, life, what.0, what.1));
        Expected::Taken
    }

    fn record(&mut self, input: &ActivityInput) -> Expected {
        let org = input.org.0;
        if !self.orgs.contains_key(&org) {
            return Expected::Rejected;
        }
        if !self.ids.insert((org, input.id.to_string())) {
            return Expected::Duplicate;
        }
        let action = action_name(&input.action);
        if input.attributes.test || action == "No Response" {
            return Expected::Created;
        }
        let life = self.new_user(org, input.user.0);
        let act = self.worth(input, action, life);
        self.acts.push(act);
        Expected::Created
    }

    fn worth(&self, input: &ActivityInput, action: String, life: u64) -> Act {
        let given = &input.attributes;
        let product = given.product.or(usual_product(&action));
        let chain = self.upwards(input.org.0);
        let rules = chain.iter().flat_map(|org| &self.orgs[org].rules);
        let own = rules.into_iter().find(|rule| applies(rule, input, &action, product));
        let listed = product.and_then(|product| {
            let took = given.response_seconds;
            catalogue(&action, product, given.difficulty, took, given.confirmed)
        });
        let rule = match own {
            Some(rule) => Some((i64::from(rule.points), rule.name.to_string())),
            None => listed.map(|(points, name)| (points, name.to_owned())),
        };
        let default = match action.as_str() {
            "employee_refer" => 3,
            "employee_recommend" => 1,
            _ => 0,
        };
        let points = input.points.or(rule.as_ref().map(|rule| rule.0)).unwrap_or(default);
        let of_campaign = own.and_then(|rule| rule.possible).map_or_else(
            || product.map_or(0, |product| campaign_maximum(product, given.difficulty)),
            i64::from,
        );
        let own_possible = match (is_ranked(&action), &given.campaign) {
            (false, _) => 0,
            (true, None) => input.possible.unwrap_or(points.max(0)),
            (true, Some(_)) => input.possible.unwrap_or(of_campaign),
        };
        let failed = given.failed.or(own.and_then(|rule| rule.failed));
        let failed = failed.unwrap_or(action == "Clicked Link");
        let (org, root, user, at) =
            (input.org.0, self.root(input.org.0), input.user.0, input.at_ms);
        let input = input.clone();
        Act {
            org,
            root,
            user,
            life,
            at,
            action,
            product,
            points,
            own_possible,
            failed,
            rule,
            input,
        }
    }

    fn lives(&self, act: &Act) -> bool {
        self.users.get(&(act.root, act.user)).is_some_and(|user| user.life == act.life)
    }

    pub(crate) fn living(&self, org: u64) -> impl Iterator<Item = &Act> {
        self.acts.iter().filter(move |act| act.org == org && self.lives(act))
    }

    /// What the activity adds to possible points, all others being known.
    pub(crate) fn possible(&self, act: &Act) -> i64 {
        let Some(campaign) = &act.input.attributes.campaign else { return act.own_possible };
        let same = |other: &&Act| {
            let theirs = other.input.attributes.campaign.as_ref();
            other.life == act.life
                && is_ranked(&other.action)
                && theirs.is_some_and(|theirs| theirs.resource_id == campaign.resource_id)
        };
        // The first one of equal times is kept, and the list is in the order of ingest.
        let first = self.living(act.org).filter(same).min_by_key(|other| other.at).unwrap();
        if std::ptr::eq(first, act) { act.own_possible } else { 0 }
    }

    /// Users and sums of a board, best first.
    pub(crate) fn board(
        &self,
        org: u64,
        measure: Measure,
        window: Window,
        vacancies: &[&str],
    ) -> Vec<(u64, Sums)> {
        let mut sums: BTreeMap<u64, Sums> = BTreeMap::new();
        for act in self.living(org) {
            let inside = window.from_ms <= act.at && act.at < window.until_ms;
            let vacancy = act.input.attributes.vacancy_id.as_deref();
            let wanted = vacancies.is_empty() || vacancy.is_some_and(|v| vacancies.contains(&v));
            let (refer, recommend) =
                (act.action == "employee_refer", act.action == "employee_recommend");
            let counts = match measure {
                Measure::Referrals => refer || recommend,
                // Only referrals have vacancies.
                Measure::Points => is_ranked(&act.action) && vacancies.is_empty(),
            };
            if !(inside && wanted && counts) {
                continue;
            }
            let sum = sums.entry(act.user).or_insert((0, 0, 0, 0, i64::MIN));
            sum.2 += u64::from(refer);
            sum.3 += u64::from(recommend);
            match measure {
                Measure::Referrals => sum.0 += if refer { 3 } else { 1 },
                Measure::Points => {
                    sum.0 += act.points;
                    sum.1 += self.possible(act);
                }
            }
            sum.4 = sum.4.max(act.at);
        }
        let mut board: Vec<(u64, Sums)> = sums.into_iter().collect();
        board.sort_by_key(|(user, sum)| (-sum.0, sum.4, *user));
        board
    }

    /// User, value and time of a target's board, best first.
    pub(crate) fn target_board(
        &self,
        org: u64,
        group: u64,
        target: &TargetSpec,
        period: &PeriodSpec,
    ) -> Vec<(u64, i64, i64)> {
        let root = self.root(org);
        let events = &self.groups[&(org, group)].events;
        let mut board = Vec::new();
        for ((_, id), user) in self.users.iter().filter(|((of, _), _)| *of == root) {
            let (mut left, mut from, mut entered) = (false, i64::MIN, None);
            for (of, life, enters, at) in events {
                if *of != target.id.0 || *life != user.life || *at > period.end_ms {
                    continue;
                }
                match (*enters, left) {
                    (true, true) => (left, from, entered) = (false, *at, Some(*at)),
                    (true, false) => entered = entered.or(Some(*at)),
                    (false, _) => (left, entered) = (true, None),
                }
            }
            let counted = self.living(org).filter(|act| {
                act.user == *id
                    && matches(&target.matches, act)
                    && (period.start_ms..=period.end_ms).contains(&act.at)
                    && act.at >= from
            });
            let counted: Vec<&Act> = counted.collect();
            let amount = |act: &&Act| match target.aggregate {
                Aggregate::Count => 1,
                Aggregate::SumPoints => act.points,
                Aggregate::SumValue => act.input.value.unwrap_or(0),
            };
            let last = counted.iter().map(|act| act.at).max().or(entered);
            if let Some(last) = last.filter(|_| !left) {
                board.push((*id, counted.iter().map(amount).sum::<i64>(), last));
            }
        }
        board.sort_by_key(|(user, value, last)| (-value, *last, *user));
        board
    }
}

fn put(same: bool, existed: bool) -> Expected {
    match (same, existed) {
        (true, _) => Expected::Unchanged,
        (false, true) => Expected::Changed,
        (false, false) => Expected::Created,
    }
}

/// The names that the test uses, in the catalogue's spelling.
fn action_name(given: &str) -> String {
    for name in ["Reported", "Clicked Link", "Opened Email", "Exam Passed", "No Response"] {
        let plain = |text: &str| text.to_lowercase().replace([' ', '_'], "");
        if plain(name) == plain(given) {
            return name.to_owned();
        }
    }
    given.to_owned()
}

pub(crate) fn is_ranked(action: &str) -> bool {
    ["Reported", "Clicked Link", "Opened Email", "Exam Passed"].contains(&action)
}

fn usual_product(action: &str) -> Option<u8> {
    match action {
        "Exam Passed" => Some(5),
        _ => is_ranked(action).then_some(0),
    }
}

/// Points and name for the products 0 (phishing), 3 (smishing), 5 (awareness) and 6 (incidents).
fn catalogue(
    action: &str,
    product: u8,
    difficulty: Option<u8>,
    took: Option<i64>,
    confirmed: bool,
) -> Option<(i64, &'static str)> {
    let by = |easy: i64, medium: i64, hard: i64| match difficulty {
        Some(0) => easy,
        Some(2) => hard,
        _ => medium,
    };
    match (action, product) {
        ("Clicked Link", 0 | 3) => Some((by(-200, -100, -50), "Clicked Link")),
        ("Reported", 0 | 3) => Some(match took {
            Some(0..300) => (by(100, 200, 400), "Reported within 5 minutes"),
            Some(300..600) => (by(75, 150, 300), "Reported within 10 minutes"),
            _ => (by(50, 100, 200), "Reported after 10 minutes"),
        }),
        ("Reported", 6) if confirmed => Some((500, "Reported a confirmed threat")),
        ("Opened Email", 0 | 3) => Some((0, "Opened Email")),
        ("Opened Email", 5) => Some((-100, "Opened Email, not clicked")),
        ("Exam Passed", 5) => Some((200, "Exam Passed")),
        _ => None,
    }
}

fn campaign_maximum(product: u8, difficulty: Option<u8>) -> i64 {
    match (product, difficulty) {
        (5, _) => 450,
        (6, _) => 500,
        (_, Some(0)) => 100,
        (_, Some(2)) => 400,
        _ => 200,
    }
}

fn applies(rule: &ScoringRule, input: &ActivityInput, action: &str, product: Option<u8>) -> bool {
    let given = &input.attributes;
    let condition = match &rule.condition {
        None => true,
        Some(Condition::Confirmed) => given.confirmed,
        Some(Condition::ResponseSeconds(from, until)) => given
            .response_seconds
            .is_some_and(|took| *from <= took && until.is_none_or(|until| took < until)),
        Some(Condition::Attribute(name, value)) => {
            attribute(input, product, name).as_deref() == Some(&**value)
        }
    };
    action_name(&rule.action) == action
        && (rule.product.is_none() || rule.product == product)
        && (rule.difficulty.is_none() || rule.difficulty == given.difficulty)
        && condition
}

/// The attributes that the test uses.
fn attribute(input: &ActivityInput, product: Option<u8>, name: &str) -> Option<String> {
    let given = &input.attributes;
    match name {
        "vacancyId" => given.vacancy_id.as_deref().map(str::to_owned),
        "product" => product.map(|number| number.to_string()),
        "campaignId" => given.campaign.as_ref().map(|c: &Campaign| c.resource_id.to_string()),
        "confirmed" => Some(given.confirmed.to_string()),
        _ => given.others.get(name).map(|value| value.to_string()),
    }
}

fn matches(matches: &Match, act: &Act) -> bool {
    let actions = &matches.actions;
    let action = actions.is_empty() || actions.iter().any(|a| action_name(a) == act.action);
    action
        && matches.attributes.iter().all(|(name, value)| {
            attribute(&act.input, act.product, name).as_deref() == Some(&**value)
        })
}
