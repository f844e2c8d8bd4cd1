//! Random intents over few organisations, users, times and names, so that things meet.
//!
//! What it is not: uniform: most intents are activities. Invariant: the same seed gives the same
//! intents. Cost: that of what is made.

use std::collections::BTreeMap;

use rankd_orgs::{
    ActivityInput, Aggregate, Attributes, Campaign, Condition, GroupId, Licence, Match, OrgId,
    OrgIntent, OrgSpec, PeriodId, PeriodSpec, ScoringRule, TargetGroupSpec, TargetId, TargetSpec,
    UserId,
};

/// 2026-03-16T12:00:00Z.
pub(crate) const NOW: i64 = 1_773_662_400_000;
const HOUR: i64 = 60 * 60 * 1000;

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    pub(crate) fn list<'a>(&mut self, of: [&'a [u8]; 3]) -> &'a [u8] {
        of[self.below(3) as usize]
    }

    pub(crate) fn maybe<T>(&mut self, of: &[T]) -> Option<T>
    where
        T: Clone,
    {
        (!self.one_in(3)).then(|| self.pick(of).clone())
    }

    /// A time within two months, often one that was there before.
    pub(crate) fn time(&mut self) -> i64 {
        if self.one_in(20) {
            return NOW + self.below(5 * 60 * 1000 + 1) as i64;
        }
        let hours = if self.one_in(4) { self.below(1500) } else { 12 * self.below(120) };
        NOW - hours as i64 * HOUR - i64::from(self.one_in(4))
    }

    fn text(&mut self, of: &[&str]) -> Box<str> {
        (*self.pick(of)).into()
    }
}

/// Organisation 1 has 2 and 3 below it, and 4 below 2; 10 is alone.
pub(crate) const ORGS: [(u64, Option<u64>); 5] =
    [(1, None), (2, Some(1)), (3, Some(1)), (4, Some(2)), (10, None)];

pub(crate) fn org(id: u64, parent: Option<u64>) -> OrgIntent {
    let spec = OrgSpec {
        parent: parent.map(OrgId),
        resource_id: format!("org{id}").into(),
        name: format!("Organisation {id}").into(),
        time_zone: "Europe/Oslo".into(),
        leaderboards_enabled: true,
        enrichment_fields: Vec::new(),
        licence: Licence::default(),
    };
    OrgIntent::PutOrg { org: OrgId(id), spec }
}

pub(crate) fn intent(random: &mut Random) -> OrgIntent {
    let org = OrgId(random.pick(&ORGS).0);
    let user = UserId(1 + random.below(6));
    // Mostly the first group of the organisation; sometimes one that another has.
    let owner = if random.one_in(20) { random.pick(&ORGS).0 } else { org.0 };
    let group = GroupId(10 * owner + u64::from(random.one_in(4)));
    let target = TargetId(1 + random.below(3));
    match random.below(100) {
        0..6 => {
            let resource_id = random.one_in(2).then(|| random.text(&["ann", "bob", "cyd"]));
            let name = [("firstName".into(), random.text(&["Ann", "Bob"]))];
            let profile = if random.one_in(3) { BTreeMap::new() } else { name.into() };
            OrgIntent::PutUser { org, user, resource_id, profile }
        }
        6..9 => OrgIntent::DeleteUser { org, user },
        9..12 => {
            let rules = (0..random.below(4)).map(|_| rule(random)).collect();
            OrgIntent::PutRules { org, rules }
        }
        12..16 => OrgIntent::PutGroup { org, group, spec: group_spec(random) },
        16..32 => OrgIntent::Enrol { org, group, target, user, from_ms: random.time() },
        32..38 => OrgIntent::Unenrol { org, group, target, user, until_ms: random.time() },
        _ => OrgIntent::Record(activity(random, org, user)),
    }
}

const ACTIONS: [&str; 9] = [
    "employee_refer",
    "employee_recommend",
    "Reported",
    "CLICKED_LINK",
    "Opened Email",
    "exam passed",
    "no response",
    "steps",
    "swim",
];

fn activity(random: &mut Random, org: OrgId, user: UserId) -> ActivityInput {
    let campaign = |random: &mut Random| Campaign {
        resource_id: random.text(&["c1", "c2", "c3"]),
        name: random.maybe(&["Spring", "Parcel"]).map(Into::into),
        ..Campaign::default()
    };
    let others = random.one_in(3).then(|| ("store".into(), random.text(&["north", "south"])));
    let attributes = Attributes {
        vacancy_id: random.maybe(&["v1", "v2", "v3"]).map(Into::into),
        product: random.maybe(&[0, 3, 5, 6]),
        difficulty: random.maybe(&[0, 1, 2]),
        response_seconds: random.maybe(&[0, 299, 300, 600, 86_400]),
        confirmed: random.one_in(3),
        campaign: if random.one_in(3) { None } else { Some(campaign(random)) },
        failed: random.one_in(8).then(|| random.one_in(2)),
        test: random.one_in(20),
        others: others.into_iter().collect(),
    };
    ActivityInput {
        id: format!("a-{}", random.below(5000)).into(),
        org,
        user,
        action: random.text(&ACTIONS),
        at_ms: random.time(),
        points: random.one_in(3).then(|| random.below(7) as i64 * 50 - 150),
        possible: random.one_in(8).then(|| random.below(5) as i64 * 100),
        value: random.one_in(2).then(|| random.below(9) as i64 * 1000 - 2000),
        attributes,
    }
}

fn rule(random: &mut Random) -> ScoringRule {
    let condition = match random.below(6) {
        0 => Some(Condition::Confirmed),
        1 => Some(Condition::ResponseSeconds(0, Some(300))),
        2 => Some(Condition::ResponseSeconds(300, None)),
        3 => Some(Condition::Attribute("store".into(), "north".into())),
        4 => Some(Condition::Attribute("product".into(), "3".into())),
        _ => None,
    };
    ScoringRule {
        name: random.text(&["ours", "special"]),
        action: random.text(&ACTIONS),
        product: random.one_in(3).then(|| *random.pick(&[0, 3, 5])),
        difficulty: random.one_in(4).then(|| *random.pick(&[0, 1, 2])),
        condition,
        points: random.below(9) as i32 * 25 - 50,
        possible: random.one_in(2).then(|| random.below(4) as i32 * 150),
        failed: random.one_in(4).then(|| random.one_in(2)),
    }
}

/// The first group of an organisation.
pub(crate) fn first_group(random: &mut Random, org: u64) -> OrgIntent {
    let spec = group_spec(random);
    OrgIntent::PutGroup { org: OrgId(org), group: GroupId(10 * org), spec }
}

fn group_spec(random: &mut Random) -> TargetGroupSpec {
    let target = |random: &mut Random, id| {
        let some = random.below(4) / 2;
        let actions = (0..some).map(|_| random.text(&ACTIONS)).collect();
        let attributes = match random.below(8) {
            0 => Some(("vacancyId", "v1")),
            1 => Some(("store", "south")),
            2 => Some(("campaignId", "c1")),
            _ => None,
        };
        let attributes = attributes.map(|(name, value)| (name.into(), value.into()));
        TargetSpec {
            id: TargetId(id),
            name: random.text(&["one", "other"]),
            active: true,
            matches: Match { actions, attributes: attributes.into_iter().collect() },
            aggregate: *random.pick(&[Aggregate::Count, Aggregate::SumPoints, Aggregate::SumValue]),
        }
    };
    let period = |random: &mut Random, id| {
        let (one, two) = (random.time(), random.time());
        PeriodSpec {
            id: PeriodId(id),
            ref_code: "code".into(),
            active: !random.one_in(5),
            start_ms: one.min(two),
            end_ms: one.max(two),
        }
    };
    let (targets, periods) = (3 - random.below(8) / 5, 3 - random.below(8) / 5);
    // Few different ones, so that some stay as they are.
    let targets = (1..=targets).map(|id| {
        let seed = id * 10 + random.below(3);
        target(&mut Random(seed), id)
    });
    let targets = targets.collect();
    let name = random.text(&["spring", "autumn"]);
    let periods = (1..=periods).map(|id| {
        let seed = id * 100 + random.below(3);
        period(&mut Random(seed), id)
    });
    TargetGroupSpec {
        name,
        active: true,
        leaderboard_enabled: true,
        targets,
        periods: periods.collect(),
    }
}
