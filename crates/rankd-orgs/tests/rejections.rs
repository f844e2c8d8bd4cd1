//! Everything that is refused, and that refusing changes nothing.
//!
//! Goal: each limit and each rule of uniqueness has a case that breaks just it. Method: a small
//! store, one bad intent at a time, and the sentence that comes back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "a test may panic, and shares its support"
)]

mod support;

use rankd_orgs::{
    ActivityInput, Aggregate, Campaign, Condition, CredentialId, CredentialSpec, GroupId, Match,
    OrgId, OrgIntent, OrgOutcome, OrgSpec, Orgs, PeriodId, PeriodSpec, Profile, ScoringRule,
    TargetGroupSpec, TargetId, TargetSpec, UserId, limits,
};
use support::{NOW, activity, execute, items, one, put_org, put_user, spec};

/// Organisations 1 > 2 > 3 and 1 > 4, and 10; users 5 (of 2) and 6 (of 4); a group of 2.
fn store() -> Orgs {
    let orgs = Orgs::new();
    let user = |org, user, text: &str| OrgIntent::PutUser {
        org: OrgId(org),
        user: UserId(user),
        resource_id: Some(text.into()),
        profile: Profile::new(),
    };
    let batch = [
        put_org(1, None),
        put_org(2, Some(1)),
        put_org(3, Some(2)),
        put_org(4, Some(1)),
        put_org(10, None),
        user(2, 5, "ann"),
        user(4, 6, "bob"),
        OrgIntent::PutGroup { org: OrgId(2), group: GroupId(7), spec: group() },
        OrgIntent::Record(activity(2, 5, "a-1", "steps")),
        OrgIntent::AddCredential { org: OrgId(2), spec: till("till") },
    ];
    let (outcomes, _) = execute(&orgs, &batch);
    assert!(!outcomes.iter().any(|outcome| matches!(outcome, OrgOutcome::Rejected(_))));
    orgs
}

fn group() -> TargetGroupSpec {
    let target = TargetSpec {
        id: TargetId(1),
        name: "most steps".into(),
        active: true,
        matches: Match::default(),
        aggregate: Aggregate::Count,
    };
    let (id, ref_code) = (PeriodId(1), "cycle".into());
    let period = PeriodSpec { id, ref_code, active: true, start_ms: NOW - 10, end_ms: NOW + 10 };
    TargetGroupSpec {
        name: "Spring".into(),
        active: true,
        leaderboard_enabled: true,
        targets: vec![target],
        periods: vec![period],
    }
}

fn till(username: &str) -> CredentialSpec {
    let password = rankd_orgs::SecretDigest::of([1; 16], b"secret");
    CredentialSpec::CapillaryTill { username: username.into(), password }
}

/// Each intent is refused with a sentence that contains the words, and nothing changes.
fn refused(cases: Vec<(OrgIntent, &str)>) {
    let orgs = store();
    let before = items(&orgs);
    for (intent, words) in cases {
        let shown = format!("{intent:?}");
        let shown: String = shown.chars().take(300).collect();
        let (outcomes, changes) = execute(&orgs, &[intent]);
        assert!(changes.is_empty(), "{shown}");
        match &outcomes[..] {
            [OrgOutcome::Rejected(why)] => {
                assert!(why.to_string().contains(words), "{shown}: {why}");
            }
            other => panic!("{shown}: {other:?}"),
        }
    }
    assert_eq!(items(&orgs), before);
}

fn long(bytes: usize) -> Box<str> {
    "x".repeat(bytes).into()
}

#[test]
fn organisations() {
    let put = |org: u64, change: fn(&mut OrgSpec)| {
        let mut spec = spec("new", None);
        change(&mut spec);
        OrgIntent::PutOrg { org: OrgId(org), spec }
    };
    let mut cases = vec![
        (put(0, |_| ()), "the organisation's id is 0; allowed are 1 to 9007199254740991"),
        (put(limits::ID_MAX + 1, |_| ()), "the organisation's id is 9007199254740992"),
        (put(20, |spec| spec.resource_id = "".into()), "length of resourceId in bytes is 0"),
        (
            put(20, |spec| spec.resource_id = long(65)),
            "resourceId in bytes is 65; allowed are 1 to 64",
        ),
        (put(20, |spec| spec.resource_id = "a-b".into()), "letters and digits only"),
        (put(20, |spec| spec.resource_id = "org2".into()), "resourceId \"org2\" is taken"),
        (put(20, |spec| spec.name = "".into()), "the organisation's name in bytes is 0"),
        (put(20, |spec| spec.name = "a\nb".into()), "control characters"),
        (put(20, |spec| spec.time_zone = "Mars/Base".into()), "\"Mars/Base\", which is no IANA"),
        (
            put(20, |spec| spec.enrichment_fields = (0..4).map(|n| n.to_string().into()).collect()),
            "enrichment fields is 4; allowed are 0 to 3",
        ),
        (put(20, |spec| spec.enrichment_fields = vec!["a".into(), "a".into()]), "there twice"),
        (put(20, |spec| spec.licence.tags = vec![long(1); 33]), "tags is 33"),
        (put(20, |spec| spec.licence.ends_ms = Some(i64::MAX)), "the licence's end"),
        (put(20, |spec| spec.parent = Some(OrgId(99))), "there is no organisation 99"),
        (put(2, |_| ()), "the parent of an organisation cannot be changed"),
    ];
    let specs = [(2, "org4"), (10, "org1")];
    for (org, text) in specs {
        let mut spec = spec(text, (org == 2).then_some(1));
        spec.name = "other".into();
        cases.push((OrgIntent::PutOrg { org: OrgId(org), spec }, "is taken"));
    }
    refused(cases);
}

#[test]
fn trees_have_a_depth() {
    let orgs = Orgs::new();
    let depth = limits::TREE_DEPTH_MAX as u64;
    let batch: Vec<OrgIntent> =
        (1..=depth + 1).map(|org| put_org(org, (org > 1).then(|| org - 1))).collect();
    let (outcomes, _) = execute(&orgs, &batch);
    let created = outcomes.iter().filter(|outcome| **outcome == OrgOutcome::Created).count();
    assert_eq!(created as u64, depth);
    let OrgOutcome::Rejected(why) = &outcomes[outcomes.len() - 1] else { panic!("{outcomes:?}") };
    assert!(why.to_string().contains("depth of the tree of organisations is 9"), "{why}");
}

#[test]
fn users() {
    let put = |org: u64, user: u64, text: Option<&str>, profile: Profile| OrgIntent::PutUser {
        org: OrgId(org),
        user: UserId(user),
        resource_id: text.map(Into::into),
        profile,
    };
    let none = Profile::new;
    let keys = |count: usize| (0..count).map(|n| (n.to_string().into(), "".into())).collect();
    let value = |bytes| Profile::from([("firstName".into(), long(bytes))]);
    refused(vec![
        (put(99, 1, None, none()), "there is no organisation 99"),
        (put(2, 0, None, none()), "userId is 0"),
        (put(2, 1, Some(""), none()), "length of resourceId in bytes is 0"),
        (put(2, 1, Some(&long(513)), none()), "length of resourceId in bytes is 513"),
        (put(4, 1, Some("ann"), none()), "resourceId \"ann\" is taken"),
        (put(2, 1, Some("u00000000009"), none()), "\"u00000000009\" is taken"),
        (put(4, 5, None, none()), "the user \"5\" is taken"),
        (put(3, 5, None, none()), "the user \"5\" is taken"),
        (put(2, 1, None, keys(33)), "profile keys is 33; allowed are 0 to 32"),
        (put(2, 1, None, value(513)), "a profile value in bytes is 513"),
        (OrgIntent::DeleteUser { org: OrgId(2), user: UserId(1) }, "there is no user 1"),
        (OrgIntent::DeleteUser { org: OrgId(4), user: UserId(5) }, "there is no user 5"),
        (OrgIntent::DeleteUser { org: OrgId(10), user: UserId(5) }, "there is no user 5"),
        (OrgIntent::DeleteUser { org: OrgId(99), user: UserId(5) }, "no organisation 99"),
    ]);
}

#[test]
fn rules() {
    let rule = ScoringRule {
        name: "ours".into(),
        action: "Reported".into(),
        product: None,
        difficulty: None,
        condition: None,
        points: 1,
        possible: None,
        failed: None,
    };
    let put = |rules: Vec<ScoringRule>| OrgIntent::PutRules { org: OrgId(2), rules };
    let changed = |change: fn(&mut ScoringRule)| {
        let mut bad = rule.clone();
        change(&mut bad);
        put(vec![rule.clone(), bad])
    };
    let seconds = |from, until| Some(Condition::ResponseSeconds(from, until));
    assert_eq!(seconds(1, None), Some(Condition::ResponseSeconds(1, None)));
    refused(vec![
        (put(vec![rule.clone(); limits::RULES_MAX + 1]), "scoring rules is 1001"),
        (changed(|rule| rule.name = "".into()), "rule 2: the length of name"),
        (changed(|rule| rule.action = long(129)), "rule 2: the length of action in bytes is 129"),
        (changed(|rule| rule.product = Some(7)), "rule 2: the product's number is 7"),
        (changed(|rule| rule.difficulty = Some(3)), "rule 2: the difficulty's number is 3"),
        (changed(|rule| rule.points = i32::MAX), "rule 2: points is 2147483647"),
        (changed(|rule| rule.possible = Some(-1)), "rule 2: possible points is -1"),
        (
            changed(|rule| rule.condition = Some(Condition::ResponseSeconds(9, Some(8)))),
            "rule 2: responseSeconds until is 8; allowed are 9 to",
        ),
        (
            changed(|rule| rule.condition = Some(Condition::Attribute("".into(), "".into()))),
            "rule 2: the length of an attribute's name",
        ),
        (OrgIntent::PutRules { org: OrgId(99), rules: Vec::new() }, "no organisation 99"),
    ]);
}

#[test]
fn groups() {
    let put = |org: u64, change: fn(&mut TargetGroupSpec)| {
        let mut spec = group();
        change(&mut spec);
        OrgIntent::PutGroup { org: OrgId(org), group: GroupId(7), spec }
    };
    fn repeat<T: Clone>(list: &mut Vec<T>, count: usize) {
        *list = vec![list[0].clone(); count];
    }
    refused(vec![
        (put(4, |_| ()), "the target group \"7\" is taken"),
        (put(99, |_| ()), "no organisation 99"),
        (put(2, |spec| repeat(&mut spec.targets, 101)), "targets is 101; allowed are 0 to 100"),
        (put(2, |spec| repeat(&mut spec.periods, 1001)), "periods is 1001"),
        (put(2, |spec| repeat(&mut spec.targets, 2)), "the target 1 is there twice"),
        (put(2, |spec| repeat(&mut spec.periods, 2)), "the period 1 is there twice"),
        (put(2, |spec| spec.targets[0].id = TargetId(0)), "the target's id is 0"),
        (put(2, |spec| spec.periods[0].id = PeriodId(0)), "the period's id is 0"),
        (put(2, |spec| spec.periods[0].end_ms = 0), "the period's end in milliseconds is 0"),
        (put(2, |spec| spec.periods[0].start_ms = i64::MIN), "the period's start"),
        (
            put(2, |spec| spec.targets[0].matches.actions = vec![long(1); 65]),
            "actions of a target is 65",
        ),
        (
            OrgIntent::PutGroup { org: OrgId(2), group: GroupId(0), spec: group() },
            "the target group's id is 0",
        ),
    ]);
}

#[test]
fn enrolments() {
    let enrol = |org: u64, group: u64, target: u64, user: u64, from_ms: i64| OrgIntent::Enrol {
        org: OrgId(org),
        group: GroupId(group),
        target: TargetId(target),
        user: UserId(user),
        from_ms,
    };
    refused(vec![
        (enrol(99, 7, 1, 5, NOW), "no organisation 99"),
        (enrol(1, 7, 1, 5, NOW), "there is no target group 7"),
        (enrol(10, 7, 1, 5, NOW), "there is no target group 7"),
        (enrol(2, 8, 1, 5, NOW), "there is no target group 8"),
        (enrol(2, 7, 2, 5, NOW), "there is no target 2"),
        (enrol(2, 7, 1, 99, NOW), "there is no user 99"),
        (enrol(2, 7, 1, 5, i64::MAX), "the enrolment's time"),
    ]);
    let orgs = store();
    let most = i64::try_from(limits::ENROLMENT_EVENTS_MAX).unwrap();
    for at_ms in 0..most {
        let (org, group, target, user) = (OrgId(2), GroupId(7), TargetId(1), UserId(5));
        let intent = match at_ms % 2 {
            0 => OrgIntent::Enrol { org, group, target, user, from_ms: at_ms },
            _ => OrgIntent::Unenrol { org, group, target, user, until_ms: at_ms },
        };
        assert!(!matches!(one(&orgs, intent), OrgOutcome::Rejected(_)));
    }
    let OrgOutcome::Rejected(why) = one(&orgs, enrol(2, 7, 1, 5, most)) else { panic!("one more") };
    assert!(why.to_string().contains("64 times at most"));
}

#[test]
fn credentials() {
    let add = |org: u64, spec| OrgIntent::AddCredential { org: OrgId(org), spec };
    let revoke = |org: u64, id| OrgIntent::RevokeCredential {
        org: OrgId(org),
        credential: CredentialId(id),
    };
    let scopes = vec![long(1); 33];
    refused(vec![
        (add(99, till("new")), "no organisation 99"),
        (add(4, till("till")), "the user name \"till\" is taken"),
        (add(2, till("")), "the user name in bytes is 0"),
        (add(2, CredentialSpec::WintroToken { digest: [0; 32], scopes }), "scopes is 33"),
        (revoke(2, 2), "there is no credential 2"),
        (revoke(2, 0), "there is no credential 0"),
        (revoke(4, 1), "there is no credential 1"),
    ]);
    let orgs = store();
    let token = |number: u64| {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        add(4, CredentialSpec::ApiKey { digest })
    };
    let most = limits::CREDENTIALS_MAX as u64;
    let (outcomes, _) = execute(&orgs, &(0..most).map(token).collect::<Vec<_>>());
    assert_eq!(outcomes.last(), Some(&OrgOutcome::CredentialAdded(CredentialId(most + 1))));
    let OrgOutcome::Rejected(why) = one(&orgs, token(most)) else { panic!("one more") };
    assert!(why.to_string().contains("credentials is 1001"));
    assert_eq!(one(&orgs, revoke(4, 2)), OrgOutcome::Changed);
    assert_eq!(one(&orgs, revoke(4, 2)), OrgOutcome::Unchanged);
    let next = OrgOutcome::CredentialAdded(CredentialId(most + 2));
    assert_eq!(one(&orgs, token(most)), next, "there is room again");
}

#[test]
fn activities() {
    let with = |change: fn(&mut ActivityInput)| {
        let mut input = activity(2, 5, "a-2", "Reported");
        change(&mut input);
        OrgIntent::Record(input)
    };
    refused(vec![
        (with(|input| input.org = OrgId(99)), "there is no organisation 99"),
        (with(|input| input.id = "".into()), "the activity's id in bytes is 0"),
        (with(|input| input.id = long(129)), "the activity's id in bytes is 129"),
        (with(|input| input.action = "".into()), "the action in bytes is 0"),
        (with(|input| input.action = long(129)), "the action in bytes is 129"),
        (with(|input| input.action = "\u{7}".into()), "the action has control characters"),
        (with(|input| input.user = UserId(0)), "userId is 0"),
        (with(|input| input.user = UserId(limits::ID_MAX + 1)), "userId is 9007199254740992"),
        (with(|input| input.at_ms = NOW + limits::AHEAD_MS_MAX + 1), "occurredAt"),
        (with(|input| input.at_ms = NOW - limits::AGE_MS_MAX - 1), "occurredAt"),
        (with(|input| input.points = Some(1_000_000_001)), "points is 1000000001"),
        (with(|input| input.points = Some(i64::MIN)), "points is -9223372036854775808"),
        (with(|input| input.possible = Some(-1)), "possible points is -1"),
        (with(|input| input.value = Some(-1_000_000_001)), "value is -1000000001"),
        (with(|input| input.attributes.vacancy_id = Some("".into())), "vacancyId in bytes is 0"),
        (with(|input| input.attributes.vacancy_id = Some(long(65))), "vacancyId in bytes is 65"),
        (with(|input| input.attributes.vacancy_id = Some("v 1".into())), "vacancyId may have"),
        (with(|input| input.attributes.product = Some(7)), "the product's number is 7"),
        (with(|input| input.attributes.difficulty = Some(3)), "the difficulty's number is 3"),
        (with(|input| input.attributes.response_seconds = Some(-1)), "responseSeconds is -1"),
        (
            with(|input| input.attributes.campaign = Some(Campaign::default())),
            "the campaign's resourceId in bytes is 0",
        ),
        (
            with(|input| {
                let others = (0..17).map(|n| (n.to_string().into(), "".into()));
                input.attributes.others = others.collect();
            }),
            "attributes is 17; allowed are 0 to 16",
        ),
    ]);
}

#[test]
fn the_edges_are_allowed() {
    let orgs = store();
    let edges: [fn(&mut ActivityInput); 4] = [
        |input| input.at_ms = NOW + limits::AHEAD_MS_MAX,
        |input| input.at_ms = NOW - limits::AGE_MS_MAX,
        |input| input.points = Some(-limits::POINTS_MAX),
        |input| input.user = UserId(limits::ID_MAX),
    ];
    for (number, edge) in edges.iter().enumerate() {
        let mut input = activity(2, 5, &format!("edge-{number}"), "Reported");
        edge(&mut input);
        assert_eq!(one(&orgs, OrgIntent::Record(input)), OrgOutcome::Created);
    }
    assert_eq!(one(&orgs, put_user(2, limits::ID_MAX)), OrgOutcome::Unchanged);
    let fetched = one(&orgs, put_user(1, 5));
    assert_eq!(fetched, OrgOutcome::Changed, "an organisation above may fetch a user");
}
