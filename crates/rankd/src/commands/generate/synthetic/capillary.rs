//! A retailer with two brands below it, and customers who chase targets in cycles of four weeks.
//!
//! The present cycle began two weeks before the end of the stretch and has two more to go, and two
//! cycles after it are known, so that there is a present one for some time to come.

use std::collections::BTreeMap;

use rankd_orgs::{
    ActivityInput, Aggregate, Attributes, GroupId, Licence, Match, OrgId, OrgIntent, OrgSpec,
    PeriodId, PeriodSpec, Profile, TargetGroupSpec, TargetId, TargetSpec, UserId,
};

use super::people::{Person, entry};
use super::random::Draws;
use super::times::{DAY_MS, SHOPS, Shape, Stretch};
use super::{Deed, DemoCredential, Enrolment, Model, Order, Secret, User};

/// Id of the first user.
const USER_FIRST: u64 = 52_000_001;
/// Length of a cycle, in days.
const CYCLE_DAYS: i64 = 28;
/// Cycles that have begun, at most; older activities belong to none.
const CYCLES_MAX: i64 = 39;
/// Cycles that have not begun.
const CYCLES_AHEAD: i64 = 2;
/// Id of the first cycle.
const PERIOD_FIRST: i64 = 3_300;
/// One user of so many takes part whatever it does.
const ENROLLED_OF: u32 = 20;

/// The retailer, or a brand of it.
#[derive(Debug)]
struct Brand {
    org: u64,
    group: u64,
    name: &'static str,
    resource_id: &'static str,
    time_zone: &'static str,
    /// So many of a hundred users shop there.
    share: u32,
    /// Name of its till, the password, and its MD5.
    till: (&'static str, &'static str, &'static str),
}

const RETAILER: Brand = Brand {
    org: 60_410,
    group: 871,
    name: "Meridian Stores",
    resource_id: "meridianstores",
    time_zone: "Asia/Kolkata",
    share: 50,
    till: ("till.demo", "demo", "fe01ce2a7fbac8fafaed7c982a04e229"),
};
const FRESH: Brand = Brand {
    org: 60_411,
    group: 872,
    name: "Meridian Fresh",
    resource_id: "meridianfresh",
    time_zone: "Asia/Kolkata",
    share: 30,
    till: ("till.fresh", "demo-fresh", "3d7e5f4c9711f1534256d2c6544f29eb"),
};
const GULF: Brand = Brand {
    org: 60_412,
    group: 873,
    name: "Meridian Gulf",
    resource_id: "meridiangulf",
    time_zone: "Asia/Dubai",
    share: 20,
    till: ("till.gulf", "demo-gulf", "73df95f531b4ec2d9fd9ee4ec171b38b"),
};
/// The retailer comes first, since the others are below it.
static BRANDS: [Brand; 3] = [RETAILER, FRESH, GULF];

/// Targets of every group: distance from the first id, name, action, what of it counts.
const TARGETS: [(u64, &str, &str, Aggregate); 3] = [
    (0, "most steps", "steps", Aggregate::SumValue),
    (1, "most visits", "store_visit", Aggregate::Count),
    (2, "most points", "purchase", Aggregate::SumPoints),
];

/// What customers do, with weights.
const ACTIONS: [(u32, &str); 3] = [(60, "steps"), (25, "store_visit"), (15, "purchase")];

/// The retailer.
pub(super) struct Retailer {
    stretch: Stretch,
}

impl Retailer {
    pub(super) fn new(order: &Order) -> Self {
        Self { stretch: order.stretch() }
    }

    /// The first millisecond of the present cycle.
    fn cycle_ms(&self) -> i64 {
        self.stretch.until_ms - CYCLE_DAYS / 2 * DAY_MS
    }

    fn periods(&self) -> Vec<PeriodSpec> {
        let days = i64::from(self.stretch.days) + CYCLE_DAYS / 2;
        let begun = (days / CYCLE_DAYS + 1).min(CYCLES_MAX);
        let cycles = (1 - begun..=CYCLES_AHEAD).zip(PERIOD_FIRST..);
        cycles.map(|(cycle, id)| self.period(cycle, id)).collect()
    }

    /// The cycle so many after the present one.
    fn period(&self, cycle: i64, id: i64) -> PeriodSpec {
        let start_ms = self.cycle_ms() + cycle * CYCLE_DAYS * DAY_MS;
        PeriodSpec {
            id: PeriodId(id.unsigned_abs()),
            ref_code: format!("cycle_{}", id - PERIOD_FIRST + 1).into(),
            active: true,
            start_ms,
            end_ms: start_ms + CYCLE_DAYS * DAY_MS - 1,
        }
    }
}

/// The first target of a group.
fn target_first(group: u64) -> u64 {
    5_000 + group % 100 * 10
}

/// The brand that a user shops at.
fn brand_of(user: u32) -> &'static Brand {
    let mut left = user % 100;
    for brand in &BRANDS {
        match left.checked_sub(brand.share) {
            Some(rest) => left = rest,
            None => return brand,
        }
    }
    &GULF
}

fn target(
    (distance, name, action, aggregate): (u64, &str, &str, Aggregate),
    group: u64,
) -> TargetSpec {
    TargetSpec {
        id: TargetId(target_first(group) + distance),
        name: name.into(),
        active: true,
        matches: Match { actions: vec![action.into()], attributes: BTreeMap::new() },
        aggregate,
    }
}

impl Model for Retailer {
    fn setup(&self) -> Vec<OrgIntent> {
        let orgs = BRANDS.iter().map(|brand| {
            let spec = OrgSpec {
                parent: (brand.org != RETAILER.org).then_some(OrgId(RETAILER.org)),
                resource_id: brand.resource_id.into(),
                name: brand.name.into(),
                time_zone: brand.time_zone.into(),
                leaderboards_enabled: true,
                enrichment_fields: ["birthday", "gender", "anniversary"].map(Into::into).to_vec(),
                licence: Licence::default(),
            };
            OrgIntent::PutOrg { org: OrgId(brand.org), spec }
        });
        let groups = BRANDS.iter().map(|brand| {
            let spec = TargetGroupSpec {
                name: format!("{} challenge", brand.name).into(),
                active: true,
                leaderboard_enabled: true,
                targets: TARGETS.map(|about| target(about, brand.group)).to_vec(),
                periods: self.periods(),
            };
            OrgIntent::PutGroup { org: OrgId(brand.org), group: GroupId(brand.group), spec }
        });
        orgs.chain(groups).collect()
    }

    fn credentials(&self) -> Vec<DemoCredential> {
        let till = |brand: &Brand| {
            let (username, password, password_md5) = brand.till;
            let secret = Secret::CapillaryTill { username, password, password_md5 };
            DemoCredential { org: OrgId(brand.org), secret }
        };
        BRANDS.iter().map(till).collect()
    }

    fn user(&self, draws: &mut Draws, index: u32) -> User {
        let person = Person::draw(draws);
        let mut profile = Profile::from([
            entry("firstName", person.given),
            entry("phone", format!("9100{index:08}")),
        ]);
        if draws.chance(900) {
            profile.extend([entry("lastName", person.family)]);
        }
        if draws.chance(700) {
            profile.extend([entry("email", format!("{}@mail.example", person.slug(index)))]);
        }
        if draws.chance(500) {
            let (year, month, day) =
                (draws.between(1950, 2006), draws.between(1, 12), draws.between(1, 28));
            profile.extend([entry("birthday", format!("{year}-{month:02}-{day:02}"))]);
        }
        if draws.chance(600) {
            profile.extend([entry("gender", draws.pick(&["Female", "Male", "Other"]))]);
        }
        User {
            org: OrgId(brand_of(index).org),
            id: UserId(USER_FIRST + u64::from(index)),
            resource_id: None,
            profile,
        }
    }

    fn activity(&self, draws: &mut Draws, deed: Deed) -> ActivityInput {
        let action = draws.weighted(ACTIONS.iter().copied());
        let (points, value) = match action {
            // Counted in hundreds, so that there are ties to break.
            "steps" => (None, Some(draws.between(5, 150) * 100)),
            "purchase" => {
                let value = draws.between(50, 5_000);
                (Some(value / 10), Some(value))
            }
            _ => (None, None),
        };
        ActivityInput {
            id: format!("c-{:08}", deed.number).into(),
            org: OrgId(brand_of(deed.user).org),
            user: UserId(USER_FIRST + u64::from(deed.user)),
            action: action.into(),
            at_ms: deed.at_ms,
            points,
            possible: None,
            value,
            attributes: Attributes::default(),
        }
    }

    fn enrolment(&self, index: u32) -> Option<Enrolment> {
        let brand = brand_of(index);
        index.is_multiple_of(ENROLLED_OF).then(|| Enrolment {
            org: OrgId(brand.org),
            group: GroupId(brand.group),
            target: TargetId(target_first(brand.group)),
            user: UserId(USER_FIRST + u64::from(index)),
            from_ms: self.cycle_ms(),
        })
    }

    fn shape(&self) -> &'static Shape {
        &SHOPS
    }
}
