//! A company whose employees refer and recommend candidates for its vacancies.
//!
//! A vacancy opens every few days and is talked about most while it is new, so that referrals per
//! vacancy are as uneven as referrals per employee.

use rankd_orgs::{ActivityInput, Attributes, Licence, OrgId, OrgIntent, OrgSpec, Profile, UserId};

use super::people::{Person, entry};
use super::random::{Draws, Skew};
use super::times::Stretch;
use super::{Deed, DemoCredential, Model, Order, Secret, User};

const ORG: OrgId = OrgId(310);
/// Id of the first user.
const USER_FIRST: u64 = 7_001;
/// A vacancy opens every so many days.
const VACANCY_DAYS: u32 = 2;
/// Vacancies that are open at the same time.
const VACANCIES_OPEN: u32 = 30;
/// Number of the first vacancy.
const VACANCY_FIRST: u32 = 1_000;
/// So many profiles of a thousand are empty.
const NAMELESS_PER_MILLE: u32 = 30;

/// What employees do, with weights. Sharing a vacancy is worth no points on any surface.
const ACTIONS: [(u32, &str); 3] =
    [(30, "employee_refer"), (65, "employee_recommend"), (5, "employee_share")];

/// The company.
pub(super) struct Company {
    stretch: Stretch,
    vacancies: Skew,
}

impl Company {
    pub(super) fn new(order: &Order) -> Self {
        Self { stretch: order.stretch(), vacancies: Skew::new(VACANCIES_OPEN, 1) }
    }
}

impl Model for Company {
    fn setup(&self) -> Vec<OrgIntent> {
        let spec = OrgSpec {
            parent: None,
            resource_id: "rowanlarch".into(),
            name: "Rowan & Larch".into(),
            time_zone: "Europe/Paris".into(),
            leaderboards_enabled: true,
            enrichment_fields: Vec::new(),
            licence: Licence::default(),
        };
        vec![OrgIntent::PutOrg { org: ORG, spec }]
    }

    fn credentials(&self) -> Vec<DemoCredential> {
        let secret =
            Secret::WintroToken { token: "wintro_demo_rowanlarch", scope: "leaderboard:read" };
        vec![DemoCredential { org: ORG, secret }]
    }

    fn user(&self, draws: &mut Draws, index: u32) -> User {
        let id = UserId(USER_FIRST + u64::from(index));
        let person = Person::draw(draws);
        let slug = person.slug(index);
        let mut profile = Profile::from([
            entry("firstName", person.given),
            entry("lastName", person.family),
            entry("email", format!("{slug}@rowanlarch.example")),
        ]);
        if draws.chance(800) {
            profile.extend([entry("profileUrl", format!("https://people.example/{slug}"))]);
        }
        if draws.chance(600) {
            profile.extend([entry("profilePicture", format!("https://img.example/{}.png", id.0))]);
        }
        if draws.chance(NAMELESS_PER_MILLE) {
            profile.clear();
        }
        User { org: ORG, id, resource_id: None, profile }
    }

    fn activity(&self, draws: &mut Draws, deed: Deed) -> ActivityInput {
        let newest = VACANCY_FIRST + self.stretch.day_of(deed.at_ms) / VACANCY_DAYS;
        let vacancy = newest - self.vacancies.draw(draws);
        let attributes =
            Attributes { vacancy_id: Some(format!("v-{vacancy}").into()), ..Attributes::default() };
        ActivityInput {
            id: format!("w-{:08}", deed.number).into(),
            org: ORG,
            user: UserId(USER_FIRST + u64::from(deed.user)),
            action: draws.weighted(ACTIONS.iter().copied()).into(),
            at_ms: deed.at_ms,
            points: None,
            possible: None,
            value: None,
            attributes,
        }
    }
}
