//! A reseller and its customers, whose people are tried with simulated attacks and trained.
//!
//! A campaign starts every few days and most of what it leads to happens while it is new. Whether
//! somebody falls for it or reports it depends on who it is: everybody has a vigilance of 0 to 99
//! that never changes, so that there are people at the top and people below zero.

use rankd_orgs::catalogue::Product;
use rankd_orgs::{
    ActivityInput, Attributes, Campaign, Licence, OrgId, OrgIntent, OrgSpec, Profile, Role, UserId,
};

use super::people::{Person, entry};
use super::random::{Draws, Permutation, Purpose, Skew, text_id};
use super::times::{DAY_MS, Stretch};
use super::{Deed, DemoCredential, Model, Order, Secret, User};

const RESELLER: OrgId = OrgId(4_000);
/// Id of the first user.
const USER_FIRST: u64 = 9_001;
/// A campaign starts every so many days.
const CAMPAIGN_DAYS: u32 = 4;
/// Campaigns that people react to at the same time.
const CAMPAIGNS_OPEN: u32 = 8;
/// Users for each customer, roughly.
const USERS_PER_CUSTOMER: u32 = 100;
/// So many activities of a thousand are tests, which count nowhere.
const TESTS_PER_MILLE: u32 = 5;

/// Customers: name, identifier, time zone.
const CUSTOMERS: [(&str, &str, &str); 8] = [
    ("Fjordlight Dental", "fj7orDlight2a", "Europe/Oslo"),
    ("Tamarind Logistics", "tmRind9Log4b", "Asia/Kolkata"),
    ("Quarry Lane Insurance", "qLane3Insu8c", "America/New_York"),
    ("Pebble Coast Schools", "pbCoast6Sc1d", "Europe/London"),
    ("Alpenglow Hotels", "aGlow5Hote7e", "Europe/Vienna"),
    ("Sable Harbour Ferries", "sHarb2Ferr9f", "Atlantic/Reykjavik"),
    ("Juniper Clinic Group", "jClin8Grou3g", "Europe/Madrid"),
    ("Cobalt Bridge Energy", "cBrid4Ener6h", "Europe/Helsinki"),
];

const DEPARTMENTS: [&str; 6] = ["Front desk", "Finance", "Operations", "Sales", "IT", "People"];
const LANGUAGES: [&str; 4] =
    ["English (United Kingdom)", "English (United States)", "German (Germany)", "Spanish (Spain)"];
const LURES: [&str; 10] = [
    "Parcel notice",
    "Shared document",
    "Password expiry",
    "Missed call",
    "Invoice overdue",
    "Parking ticket",
    "Benefits survey",
    "Calendar invitation",
    "Payroll change",
    "Delivery fee",
];

/// What people do: the weight for careless people, the weight for vigilant ones, the action.
type Actions = &'static [(u32, u32, &'static str)];

/// A product, how its campaigns are called, and what people do in them.
struct Scheme {
    /// Of a hundred activities, about so many belong to it.
    weight: u32,
    product: Product,
    kind: &'static str,
    actions: Actions,
}

/// Products with campaigns.
static SCHEMES: [Scheme; 6] = [
    Scheme {
        weight: 45,
        product: Product::PHISHING,
        kind: "Phishing",
        actions: &[
            (30, 30, "Opened Email"),
            (30, 6, "Clicked Link"),
            (14, 2, "Submitted Data"),
            (4, 1, "Submitted MFA Code"),
            (8, 1, "Opened Attachment"),
            (10, 58, "Reported"),
            (4, 2, "No Response"),
        ],
    },
    Scheme {
        weight: 5,
        product: Product::CALLBACK,
        kind: "Callback",
        actions: &[
            (30, 20, "Opened Email"),
            (35, 5, "Called Back"),
            (20, 2, "Entered Digits"),
            (15, 73, "Reported"),
        ],
    },
    Scheme {
        weight: 5,
        product: Product::VISHING,
        kind: "Vishing",
        actions: &[(50, 40, "Answered"), (35, 5, "Vished (Dialed Number)"), (15, 55, "Reported")],
    },
    Scheme {
        weight: 10,
        product: Product::SMISHING,
        kind: "Smishing",
        actions: &[
            (45, 10, "Clicked Link"),
            (25, 4, "Submitted Data"),
            (10, 1, "Submitted MFA Code"),
            (20, 85, "Reported"),
        ],
    },
    Scheme {
        weight: 10,
        product: Product::QUISHING,
        kind: "Quishing",
        actions: &[
            (50, 12, "Scanned QR Link"),
            (20, 3, "Submitted Data"),
            (10, 1, "Submitted MFA Code"),
            (20, 84, "Reported"),
        ],
    },
    Scheme {
        weight: 20,
        product: Product::AWARENESS,
        kind: "Training",
        actions: &[
            (20, 20, "Clicked Training Link"),
            (25, 20, "Joined Training"),
            (15, 25, "Training Completed"),
            (18, 2, "Training Not Completed"),
            (8, 22, "Exam Passed"),
            (10, 3, "Exam Failed"),
            (2, 4, "Downloaded Poster"),
            (2, 4, "Downloaded Infographic"),
        ],
    },
];

/// Reports of real attacks, which belong to no campaign.
static INCIDENTS: Scheme = Scheme {
    weight: 5,
    product: Product::INCIDENT,
    kind: "Incident",
    actions: &[(1, 1, "Reported")],
};

/// A customer and its people, who are numbered one after the other.
struct Customer {
    org: OrgId,
    user_first: u32,
    about: (&'static str, &'static str, &'static str),
}

/// What is known of a campaign.
struct Plan {
    scheme: &'static Scheme,
    difficulty: u8,
    campaign: Campaign,
}

/// The reseller.
pub(super) struct Reseller {
    stretch: Stretch,
    customers: Vec<Customer>,
    plans: Vec<Plan>,
    open: Skew,
    vigilance: Permutation,
}

impl Reseller {
    pub(super) fn new(order: &Order) -> Self {
        let mut draws = Draws::new(order.seed, Purpose::Campaigns);
        let campaigns = order.days / CAMPAIGN_DAYS + CAMPAIGNS_OPEN + 1;
        Self {
            stretch: order.stretch(),
            customers: customers(order.users),
            plans: (0..campaigns).map(|n| Plan::draw(&mut draws, n)).collect(),
            open: Skew::new(CAMPAIGNS_OPEN, 1),
            vigilance: Permutation::new(100),
        }
    }

    fn customer_of(&self, user: u32) -> &Customer {
        let found = self.customers.iter().rfind(|customer| customer.user_first <= user);
        found.expect("the first customer has the first user")
    }
}

/// The customers of so many users: the first ones are the largest.
fn customers(users: u32) -> Vec<Customer> {
    let count = (users / USERS_PER_CUSTOMER).clamp(1, 8);
    let weights = (0..count).map(|place| 1000 / (place + 2));
    let total: u32 = weights.clone().sum();
    let mut so_far = 0;
    let firsts = weights.map(|weight| {
        let first = u64::from(users) * u64::from(so_far) / u64::from(total);
        so_far += weight;
        u32::try_from(first).expect("a share of a 32-bit number")
    });
    (1..)
        .zip(firsts)
        .zip(CUSTOMERS)
        .map(|((number, user_first), about)| Customer {
            org: OrgId(RESELLER.0 + number),
            user_first,
            about,
        })
        .collect()
}

impl Plan {
    fn draw(draws: &mut Draws, number: u32) -> Self {
        let scheme = draws.weighted(SCHEMES.iter().map(|scheme| (scheme.weight, scheme)));
        let is_training = scheme.product == Product::AWARENESS;
        let campaign = Campaign {
            resource_id: text_id('c', number.into()),
            name: Some(format!("{} {number}", draws.pick(&LURES)).into()),
            kind: Some(scheme.kind.into()),
            performance: Some(i32::try_from(draws.between(20, 95)).expect("below 100")),
            category: is_training.then(|| "Security basics".into()),
            training_type: is_training.then(|| "Video".into()),
            ..Campaign::default()
        };
        let difficulty = draws.weighted([(40, 0), (40, 1), (20, 2)].into_iter());
        Self { scheme, difficulty, campaign }
    }
}

impl Model for Reseller {
    fn setup(&self) -> Vec<OrgIntent> {
        let spec = |about: (&str, &str, &str), parent, licence| OrgSpec {
            parent,
            resource_id: about.1.into(),
            name: about.0.into(),
            time_zone: about.2.into(),
            leaderboards_enabled: true,
            enrichment_fields: Vec::new(),
            licence,
        };
        let reseller = ("Lighthouse Resale", "lHouse1Resa5", "Europe/London");
        let reseller =
            OrgIntent::PutOrg { org: RESELLER, spec: spec(reseller, None, Licence::default()) };
        let customers = self.customers.iter().map(|customer| {
            let licence = Licence {
                type_name: Some("Standard".into()),
                is_users_limited: true,
                users_max: 250,
                ends_ms: Some(self.stretch.until_ms + 400 * DAY_MS),
                inactive_users: 4,
                ..Licence::default()
            };
            let spec = spec(customer.about, Some(RESELLER), licence);
            OrgIntent::PutOrg { org: customer.org, spec }
        });
        std::iter::once(reseller).chain(customers).collect()
    }

    fn credentials(&self) -> Vec<DemoCredential> {
        let client = |org, client_id, secret, role| DemoCredential {
            org,
            secret: Secret::KeepnetClient { client_id, secret, role },
        };
        let first = self.customers.first().expect("there is one at least").org;
        vec![
            client(RESELLER, "demo-reseller", "demo-reseller-secret", Role::Reseller),
            client(first, "demo-company", "demo-company-secret", Role::CompanyAdmin),
        ]
    }

    fn user(&self, draws: &mut Draws, index: u32) -> User {
        let person = Person::draw(draws);
        let slug = person.slug(index);
        let customer = self.customer_of(index);
        let domain = customer.about.0.split(' ').next().unwrap_or_default().to_lowercase();
        let mut profile = Profile::from([
            entry("firstName", person.given),
            entry("lastName", person.family),
            entry("email", format!("{slug}@{domain}.example")),
        ]);
        if draws.chance(850) {
            profile.extend([entry("department", draws.pick(&DEPARTMENTS))]);
        }
        if draws.chance(700) {
            profile.extend([entry("preferredLanguage", draws.pick(&LANGUAGES))]);
        }
        User {
            org: customer.org,
            id: UserId(USER_FIRST + u64::from(index)),
            resource_id: Some(text_id('u', index.into())),
            profile,
        }
    }

    fn activity(&self, draws: &mut Draws, deed: Deed) -> ActivityInput {
        let newest = self.stretch.day_of(deed.at_ms) / CAMPAIGN_DAYS + CAMPAIGNS_OPEN;
        let plan = self.plans.get((newest - self.open.draw(draws)) as usize);
        let plan = plan.expect("there are plans up to the last day, and the ones open then");
        let is_incident = draws.chance(INCIDENTS.weight * 10);
        let Scheme { product, actions, .. } = if is_incident { &INCIDENTS } else { plan.scheme };
        let vigilance = self.vigilance.at(deed.user % 100);
        let weights = actions.iter().map(|(careless, vigilant, action)| {
            (careless * (100 - vigilance) + vigilant * vigilance, *action)
        });
        let action = draws.weighted(weights);
        let response_seconds = match action {
            "Reported" => Some(draws.between(20, 1_500)),
            "Joined Training" => Some(draws.between(600, 6 * 86_400)),
            _ => None,
        };
        let attributes = Attributes {
            product: Some(product.number()),
            difficulty: product.is_simulation().then_some(plan.difficulty),
            response_seconds,
            confirmed: is_incident && draws.chance(400),
            campaign: (!is_incident).then(|| plan.campaign.clone()),
            test: draws.chance(TESTS_PER_MILLE),
            ..Attributes::default()
        };
        ActivityInput {
            id: format!("k-{:08}", deed.number).into(),
            org: self.customer_of(deed.user).org,
            user: UserId(USER_FIRST + u64::from(deed.user)),
            action: action.into(),
            at_ms: deed.at_ms,
            points: None,
            possible: None,
            value: None,
            attributes,
        }
    }
}
