//! Goal: a batch about organisations never makes a longer record than the place that it took.
//! Method: batches of all intents, in small domains so that most of them have an effect; and the
//! longest intents that there are.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use rankd_engine::State;
use rankd_orgs::limits::{
    ACTIVITY_ID_BYTES_MAX, ATTRIBUTES_MAX, ENRICHMENT_FIELDS_MAX, PROFILE_KEYS_MAX, TEXT_BYTES_MAX,
};
use rankd_orgs::{
    ActivityInput, Aggregate, Attributes, Campaign, Condition, CredentialId, CredentialSpec,
    GroupId, Licence, Match, OrgId, OrgIntent, OrgSpec, PeriodId, PeriodSpec, Profile, Role,
    ScoringRule, SecretDigest, TargetGroupSpec, TargetId, TargetSpec, UserId,
};

use super::tests::Kept;
use super::*;
use crate::body::encode_changes;

const NOW_MS: i64 = 1_700_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// Bytes of the record that the batch makes, and of its place.
fn carry_out(state: &State, intents: Vec<OrgIntent>) -> (usize, usize) {
    let sink = Kept(RefCell::new(Vec::new()));
    let batch = OrgBatch { intents, now_ms: NOW_MS };
    let place = org_record_bytes_max(&batch).expect("small");
    state.execute_orgs(&batch, &sink).expect("not too many");
    let mut body = Vec::new();
    encode_changes(&sink.0.borrow(), &mut body).expect("within the limit");
    (body.len(), usize::try_from(place).expect("32 bits"))
}

fn org(id: u64, parent: Option<u64>, text: &str) -> OrgIntent {
    let spec = OrgSpec {
        parent: parent.map(OrgId),
        resource_id: format!("org{id}").into(),
        name: text.into(),
        time_zone: "Europe/Berlin".into(),
        leaderboards_enabled: true,
        enrichment_fields: vec![text.into(); ENRICHMENT_FIELDS_MAX],
        licence: Licence { industry_name: Some(text.into()), ..Licence::default() },
    };
    OrgIntent::PutOrg { org: OrgId(id), spec }
}

fn rule(action: &str, text: &str) -> ScoringRule {
    ScoringRule {
        name: text.into(),
        action: action.into(),
        product: None,
        difficulty: None,
        condition: None,
        points: 7,
        possible: Some(9),
        failed: Some(true),
    }
}

fn group(targets: usize, action: &str, text: &str) -> TargetGroupSpec {
    let target = |id: usize| TargetSpec {
        id: TargetId(id as u64),
        name: text.into(),
        active: true,
        matches: Match { actions: vec![action.into()], attributes: BTreeMap::new() },
        aggregate: Aggregate::Count,
    };
    let period = |id: i64| PeriodSpec {
        id: PeriodId(id.unsigned_abs()),
        ref_code: text.into(),
        active: true,
        start_ms: NOW_MS - id * DAY_MS,
        end_ms: NOW_MS,
    };
    TargetGroupSpec {
        name: text.into(),
        active: true,
        leaderboard_enabled: true,
        targets: (1..=targets).map(target).collect(),
        periods: (1..=3).map(period).collect(),
    }
}

fn activity(id: &str, user: u64, action: &str, attributes: Attributes) -> OrgIntent {
    OrgIntent::Record(ActivityInput {
        id: id.into(),
        org: OrgId(1),
        user: UserId(user),
        action: action.into(),
        at_ms: NOW_MS - DAY_MS / 2,
        points: None,
        possible: None,
        value: Some(3),
        attributes,
    })
}

/// One of each intent that has content, with as much of it as may be.
fn all_of_the_longest(number: u64) -> Vec<OrgIntent> {
    let text = |start: &str| format!("{start}{number:0>width$}", width = TEXT_BYTES_MAX - 10);
    let map = |count: usize| -> Profile {
        (0..count).map(|key| (text(&format!("k{key}")).into(), text("v").into())).collect()
    };
    let (org, id) = (OrgId(1), format!("{number:x>ACTIVITY_ID_BYTES_MAX$}"));
    let longest = || Some(text("c").into());
    let campaign = Campaign {
        resource_id: text("r").into(),
        name: longest(),
        kind: longest(),
        performance: Some(1),
        time_zone: Some("Europe/Berlin".into()),
        category: longest(),
        training_type: longest(),
        result: longest(),
    };
    let attributes = Attributes {
        vacancy_id: Some(format!("{number:v>64}").into()),
        campaign: Some(campaign),
        others: map(ATTRIBUTES_MAX),
        ..Attributes::default()
    };
    let secret = SecretDigest { salt: [1; 16], digest: [2; 32] };
    let client_id = text("client").into();
    let spec = CredentialSpec::KeepnetClient {
        client_id,
        secret,
        role: Role::Reseller,
        requests_per_minute: Some(1),
    };
    let (user, group_id) = (UserId(number + 10), GroupId(number + 1));
    vec![
        self::org(number + 10, Some(1), &text("o")),
        OrgIntent::PutUser { org, user, resource_id: longest(), profile: map(PROFILE_KEYS_MAX) },
        OrgIntent::PutRules { org, rules: vec![rule(&id, &text("rule")); 10] },
        OrgIntent::PutGroup { org, group: group_id, spec: group(100, &id, &text("group")) },
        OrgIntent::AddCredential { org, spec },
        activity(&id, number + 100, &id, attributes),
    ]
}

fn text() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        "[a-z]{1,8}".prop_map(String::into_boxed_str),
        ".{0,60}".prop_map(String::into_boxed_str),
        Just("x".repeat(TEXT_BYTES_MAX).into_boxed_str()),
    ]
}

fn action() -> impl Strategy<Value = Box<str>> {
    const ACTIONS: [&str; 4] = ["employee_refer", "Reported Email", "Clicked Link", "walked"];
    prop::sample::select(&ACTIONS).prop_map(Into::into)
}

fn texts() -> impl Strategy<Value = BTreeMap<Box<str>, Box<str>>> {
    btree_map(text(), text(), 0..4)
}

fn condition() -> impl Strategy<Value = Option<Condition>> {
    let attribute = (text(), text()).prop_map(|(key, value)| Condition::Attribute(key, value));
    option::of(prop_oneof![Just(Condition::Confirmed), attribute])
}

fn campaign() -> impl Strategy<Value = Campaign> {
    let texts = (option::of(text()), option::of(text()), option::of(text()));
    (text(), texts).prop_map(|(resource_id, (name, kind, result))| Campaign {
        resource_id,
        name,
        kind,
        result,
        ..Campaign::default()
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let flags = (any::<bool>(), prop::bool::weighted(0.1));
    let numbers = (option::of(0..5_u8), option::of(0..4_u8), option::of(0..900_i64));
    (option::of("[A-Za-z0-9_-]{1,64}"), option::of(campaign()), texts(), numbers, flags).prop_map(
        |(vacancy, campaign, others, (product, difficulty, response_seconds), flags)| Attributes {
            vacancy_id: vacancy.map(String::into_boxed_str),
            product,
            difficulty,
            response_seconds,
            confirmed: flags.0,
            campaign,
            failed: None,
            test: flags.1,
            others,
        },
    )
}

fn credential() -> impl Strategy<Value = CredentialSpec> {
    let secret = || SecretDigest { salt: [3; 16], digest: [4; 32] };
    prop_oneof![
        (any::<[u8; 32]>(), vec(text(), 0..4))
            .prop_map(|(digest, scopes)| CredentialSpec::WintroToken { digest, scopes }),
        text().prop_map(move |username| CredentialSpec::CapillaryTill {
            username,
            password: secret(),
        }),
        text().prop_map(move |key| CredentialSpec::CapillaryClient {
            key,
            secret: secret(),
            ttl_s: 60,
        }),
        any::<[u8; 32]>().prop_map(|digest| CredentialSpec::ApiKey { digest }),
    ]
}

fn org_intent() -> impl Strategy<Value = OrgIntent> {
    let activities = (0..40_u8, 1..6_u64, action(), attributes());
    let activities = activities.prop_map(|(id, user, action, attributes)| {
        activity(&format!("activity-{id}"), user, &action, attributes)
    });
    prop_oneof![2 => structure(), 1 => activities]
}

/// Everything but activities.
fn structure() -> impl Strategy<Value = OrgIntent> {
    let org = || (1..4_u64).prop_map(OrgId);
    let user = || (1..6_u64).prop_map(UserId);
    let place = || (org(), (1..3_u64).prop_map(GroupId), (1..4_u64).prop_map(TargetId), user());
    let rules = vec((action(), text(), condition()), 0..4).prop_map(|rules| {
        let rules = rules.into_iter();
        rules.map(|(action, text, condition)| ScoringRule { condition, ..rule(&action, &text) })
    });
    prop_oneof![
        (1..4_u64, text()).prop_map(|(id, text)| self::org(id, (id > 1).then_some(1), &text)),
        (org(), user(), option::of(text()), texts()).prop_map(
            |(org, user, resource_id, profile)| {
                OrgIntent::PutUser { org, user, resource_id, profile }
            }
        ),
        (org(), user()).prop_map(|(org, user)| OrgIntent::DeleteUser { org, user }),
        (org(), rules).prop_map(|(org, rules)| OrgIntent::PutRules { org, rules: rules.collect() }),
        (org(), 1..3_u64, 0..9_usize, action(), text()).prop_map(
            |(org, id, targets, action, text)| {
                let spec = group(targets, &action, &text);
                OrgIntent::PutGroup { org, group: GroupId(id), spec }
            }
        ),
        (place(), 0..3_i64).prop_map(|((org, group, target, user), days)| {
            OrgIntent::Enrol { org, group, target, user, from_ms: NOW_MS - days * DAY_MS }
        }),
        place().prop_map(|(org, group, target, user)| OrgIntent::Unenrol {
            org,
            group,
            target,
            user,
            until_ms: NOW_MS,
        }),
        (org(), credential()).prop_map(|(org, spec)| OrgIntent::AddCredential { org, spec }),
        (org(), 1..9_u64).prop_map(|(org, id)| OrgIntent::RevokeCredential {
            org,
            credential: CredentialId(id),
        }),
        any::<[u8; 32]>().prop_map(|key| OrgIntent::OfferSigningKey { key }),
    ]
}

#[test]
fn the_longest_of_all_intents_about_organisations_fit_their_place() {
    let state = State::new();
    carry_out(&state, vec![org(1, None, "root")]);
    for numbers in [0..1, 1..50] {
        let (length, place) = carry_out(&state, numbers.flat_map(all_of_the_longest).collect());
        assert!(length <= place, "{length} > {place}");
    }
}

proptest! {
    #[test]
    fn an_org_record_is_never_longer_than_its_place(
        batches in vec(vec(org_intent(), 0..20), 1..8),
    ) {
        let state = State::new();
        carry_out(&state, vec![org(1, None, "root"), org(2, Some(1), "below")]);
        for intents in batches {
            let (length, place) = carry_out(&state, intents);
            prop_assert!(length <= place, "{length} > {place}");
        }
    }
}
