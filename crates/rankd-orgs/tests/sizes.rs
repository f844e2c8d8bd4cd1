//! How large things are when they are encoded as the stores encode them.
//!
//! Goal: no batch's changes exceed the sum of its intents' bounds, no item of a snapshot exceeds
//! its limit, and an activity takes few bytes. Method: bincode itself, over random intents with
//! texts of all lengths, and over a store with everything as large as allowed.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic, and shares its support")]

mod support;

use std::collections::BTreeMap;

use bincode::Options as _;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use rankd_orgs::{
    Aggregate, Campaign, CredentialSpec, GroupId, Match, OrgChange, OrgId, OrgIntent, OrgOutcome,
    Orgs, PeriodId, PeriodSpec, ScoringRule, TargetGroupSpec, TargetId, TargetSpec, UserId, limits,
};
use support::{NOW, activity, execute, items, load, put_org, spec};

fn encoded(value: &impl serde::Serialize) -> usize {
    let options = bincode::DefaultOptions::new().with_fixint_encoding();
    usize::try_from(options.serialized_size(value).unwrap()).unwrap()
}

fn text(max: usize) -> impl Strategy<Value = Box<str>> {
    vec(proptest::char::range('a', 'z'), 1..=max).prop_map(|text| text.iter().collect())
}

fn record() -> impl Strategy<Value = OrgIntent> {
    let action = prop_oneof![
        text(limits::ACTIVITY_ID_BYTES_MAX),
        Just("vished".into()),
        Just("Reported".into())
    ];
    let campaign = (text(60), option::of(text(60)), option::of(text(500)), option::of(0..101_i32));
    let campaign = campaign.prop_map(|(resource_id, name, category, performance)| Campaign {
        resource_id,
        name,
        category,
        performance,
        ..Campaign::default()
    });
    let numbers = (1..3_u64, 1..9_u64, any::<u32>(), option::of(-9..9_i64), any::<bool>());
    let texts = (option::of(text(64)), option::of(campaign), btree_map(text(99), text(99), 0..9));
    (numbers, action, texts).prop_map(|((org, user, id, points, test), action, texts)| {
        let mut input = activity(org, user, &id.to_string(), &action);
        (input.points, input.value, input.attributes.test) = (points, points, test);
        input.attributes.vacancy_id = texts.0;
        input.attributes.campaign = texts.1;
        input.attributes.others = texts.2;
        OrgIntent::Record(input)
    })
}

fn other() -> impl Strategy<Value = OrgIntent> {
    let (org, user) = (1..3_u64, 1..9_u64);
    let profile = btree_map(text(99), text(99), 0..9);
    (org, user, 0..9, option::of(text(99)), profile).prop_map(
        |(org, user, which, text, profile)| {
            let (org, user, resource_id) = (OrgId(org), UserId(user), text.clone());
            let name = text.unwrap_or("x".into());
            let rule = ScoringRule {
                name: name.repeat(5).into(),
                action: "Reported".into(),
                product: None,
                difficulty: None,
                condition: None,
                points: 1,
                possible: Some(1),
                failed: None,
            };
            let (group, target) = (GroupId(1), TargetId(1));
            match which {
                0 => OrgIntent::DeleteUser { org, user },
                1 => OrgIntent::PutRules { org, rules: vec![rule; 3] },
                2 => OrgIntent::PutGroup { org, group, spec: large_group(1, 2, &name) },
                3 => OrgIntent::Enrol { org, group, target, user, from_ms: 0 },
                4 => OrgIntent::Unenrol { org, group, target, user, until_ms: 0 },
                5 => {
                    let (digest, scopes) = (CredentialSpec::bearer_digest(&name), vec![name; 3]);
                    OrgIntent::AddCredential {
                        org,
                        spec: CredentialSpec::WintroToken { digest, scopes },
                    }
                }
                6 => OrgIntent::OfferSigningKey { key: [1; 32] },
                7 => {
                    let mut spec = spec(&format!("new{}", org.0), None);
                    spec.name = name;
                    OrgIntent::PutOrg { org: OrgId(org.0 + 10), spec }
                }
                _ => OrgIntent::PutUser { org, user, resource_id, profile },
            }
        },
    )
}

fn large_group(targets: u64, periods: u64, text: &str) -> TargetGroupSpec {
    let actions = (0..limits::MATCH_ACTIONS_MAX).map(|n| format!("{n}{text}").into());
    let attributes =
        (0..limits::ATTRIBUTES_MAX).map(|n| (format!("{n}{text}").into(), text.into()));
    let actions =
        actions.map(|action: Box<str>| action.chars().take(100).collect::<String>().into());
    let matches = Match { actions: actions.collect(), attributes: attributes.collect() };
    let target = |id| TargetSpec {
        id: TargetId(id),
        name: text.into(),
        active: true,
        matches: matches.clone(),
        aggregate: Aggregate::Count,
    };
    let period = |id| PeriodSpec {
        id: PeriodId(id),
        ref_code: text.into(),
        active: true,
        start_ms: 0,
        end_ms: NOW,
    };
    TargetGroupSpec {
        name: text.into(),
        active: true,
        leaderboard_enabled: true,
        targets: (1..=targets).map(target).collect(),
        periods: (1..=periods).map(period).collect(),
    }
}

proptest! {
    #[test]
    fn changes_take_at_most_what_their_intents_may(
        batches in vec(vec(prop_oneof![3 => record(), 1 => other()], 1..20), 1..6),
    ) {
        let orgs = Orgs::new();
        execute(&orgs, &[put_org(1, None), put_org(2, Some(1))]);
        for batch in batches {
            let (_, changes) = execute(&orgs, &batch);
            let bound: usize = batch.iter().map(OrgIntent::change_bytes_max).sum();
            let bytes: usize = changes.iter().map(encoded).sum();
            prop_assert!(bytes <= bound, "{bytes} > {bound}");
        }
    }
}

#[test]
fn an_activity_takes_fewer_than_sixty_bytes_in_the_log() {
    let orgs = Orgs::new();
    execute(&orgs, &[put_org(1, None)]);
    let batch = |from: u64, users: u64| -> Vec<OrgIntent> {
        let one = |number: u64| {
            let mut input = activity(1, 1 + number % users, &format!("a-{number}"), "Reported");
            input.attributes.difficulty = Some(1);
            input.attributes.product = Some(u8::try_from(number % 5).unwrap());
            OrgIntent::Record(input)
        };
        (from..from + 10_000).map(one).collect()
    };
    for (from, users) in [(0, 2000), (10_000, 2000)] {
        let (outcomes, changes) = execute(&orgs, &batch(from, users));
        assert!(outcomes.iter().all(|outcome| *outcome == OrgOutcome::Created));
        let bytes: usize = changes.iter().map(|change: &OrgChange| encoded(change)).sum();
        assert!(bytes < 60 * 10_000, "{bytes}");
    }
}

#[test]
fn items_keep_to_their_limit_with_everything_as_large_as_allowed() {
    let orgs = Orgs::new();
    let long: Box<str> = "x".repeat(limits::TEXT_BYTES_MAX - 4).into();
    let rule = ScoringRule {
        name: long.clone(),
        action: "Reported".into(),
        product: None,
        difficulty: None,
        condition: Some(rankd_orgs::Condition::Attribute(long.clone(), long.clone())),
        points: 1,
        possible: None,
        failed: None,
    };
    let profile: BTreeMap<Box<str>, Box<str>> = (0..limits::PROFILE_KEYS_MAX)
        .map(|number| (format!("{number}{long}").into(), long.clone()))
        .collect();
    let group = large_group(limits::TARGETS_MAX as u64, limits::PERIODS_MAX as u64, &long);
    let (org, rules) = (OrgId(1), vec![rule; limits::RULES_MAX]);
    let mut batch = vec![
        put_org(1, None),
        OrgIntent::PutRules { org, rules },
        OrgIntent::PutGroup { org, group: GroupId(1), spec: group },
    ];
    for number in 1..200_u64 {
        let (user, profile) = (UserId(number), profile.clone());
        batch.push(OrgIntent::PutUser { org, user, resource_id: None, profile });
        let (digest, scope) = ([u8::try_from(number).unwrap(); 32], long.clone());
        let scopes = vec![scope; limits::SCOPES_MAX];
        let spec = CredentialSpec::WintroToken { digest, scopes };
        batch.push(OrgIntent::AddCredential { org, spec });
        let mut input = activity(1, number, &number.to_string(), "Reported");
        let others = (0..limits::ATTRIBUTES_MAX).map(|n| (format!("{n}{number}{long}"), &long));
        let others = others.map(|(name, value)| (name[..510].into(), value.clone()));
        input.attributes.others = others.collect();
        batch.push(OrgIntent::Record(input));
    }
    let (outcomes, _) = execute(&orgs, &batch);
    assert!(!outcomes.iter().any(|outcome| matches!(outcome, OrgOutcome::Rejected(_))));
    let all = items(&orgs);
    let sizes: Vec<usize> = all.iter().map(encoded).collect();
    let largest = sizes.iter().max().copied().unwrap_or(0);
    assert!(largest > limits::ITEM_BYTES_MAX / 2, "something was divided: {largest}");
    assert!(largest <= limits::ITEM_BYTES_MAX, "{largest}");
    assert_eq!(items(&load(all.clone())), all);
}
