//! Every question, asked of both.
//!
//! What it is not: a choice of nice cases; windows and filters are random. Invariant: it panics at
//! the first difference. Cost: a few hundred answers.

use rankd_orgs::{
    BoardRequest, BoardRow, GroupId, Measure, OrgId, Orgs, ProductSum, TimelineOrder,
    TimelineRequest, UserId, Window,
};

use super::generate::{NOW, ORGS, Random};
use super::naive::{Act, Naive, Sums, is_ranked};

const USERS: std::ops::RangeInclusive<u64> = 1..=7;

pub(crate) fn compare(orgs: &Orgs, naive: &Naive, random: &mut Random) {
    for (org, _) in ORGS {
        directory(orgs, naive, org);
        for _ in 0..3 {
            boards(orgs, naive, random, org);
            months(orgs, naive, random, org);
            timeline(orgs, naive, random, org);
        }
        products(orgs, naive, random, org);
        targets(orgs, naive, org);
    }
}

fn window(random: &mut Random) -> Window {
    let (one, two) = (random.time(), random.time());
    Window { from_ms: one.min(two), until_ms: one.max(two) + i64::from(random.one_in(2)) }
}

fn directory(orgs: &Orgs, naive: &Naive, org: u64) {
    let view = orgs.org(OrgId(org)).unwrap();
    let expected = &naive.orgs[&org];
    assert_eq!((*view.spec).clone(), expected.spec);
    assert_eq!(view.root.0, naive.root(org));
    let homed = |user: &&super::naive::User| user.home == org;
    let root = naive.root(org);
    let of_tree = naive.users.iter().filter(|((of, _), _)| *of == root).map(|(_, user)| user);
    assert_eq!(view.users, of_tree.filter(homed).count() as u64);
    assert_eq!(view.activities, naive.ids.iter().filter(|(of, _)| *of == org).count() as u64);
    assert_eq!(orgs.org_by_resource_id(&view.spec.resource_id).unwrap().id, view.id);
    let below = naive.orgs.keys().filter(|id| **id != org && naive.is_within(**id, org));
    assert!(orgs.descendants(view.id).iter().map(|id| &id.0).eq(below));
    for user in USERS {
        let expected = naive.users.get(&(root, user));
        let found = orgs.user(OrgId(org), UserId(user));
        assert_eq!(found.is_some(), expected.is_some());
        if let (Some(found), Some(expected)) = (found, expected) {
            assert_eq!((found.home.0, &*found.profile), (expected.home, &expected.profile));
            if let Some(text) = &expected.resource_id {
                assert_eq!(*found.resource_id, **text);
            }
            let by_text = orgs.user_by_resource_id(OrgId(org), &found.resource_id).unwrap();
            assert_eq!(by_text.id, found.id);
        }
    }
}

fn sums(row: &BoardRow) -> (u64, Sums) {
    let tally = row.tally;
    let counts = (tally.referrals, tally.recommendations);
    (row.user.id.0, (tally.score, tally.possible, counts.0, counts.1, tally.last_ms))
}

fn boards(orgs: &Orgs, naive: &Naive, random: &mut Random, org: u64) {
    let (window, measure) = (window(random), *random.pick(&[Measure::Referrals, Measure::Points]));
    let some = [&[][..], &["v1"], &["v3", "v1", "unknown"], &["unknown"]];
    let vacancies = if random.one_in(2) { some[0] } else { *random.pick(&some) };
    let rolling_kind = random.maybe(&[1, 2]);
    let request = BoardRequest { measure, window, rolling_kind, vacancies, now_ms: NOW };
    let board = orgs.board(OrgId(org), &request).unwrap();
    let expected = naive.board(org, measure, window, vacancies);
    let rows = board.rows(0, 100);
    assert!(rows.iter().map(sums).eq(expected.iter().copied()), "{rows:?}\n{expected:?}");
    assert!((1..).zip(&rows).all(|(rank, row)| row.rank == rank));
    assert_eq!(board.total(), expected.len() as u64);
    let page = board.rows(1, 2);
    assert!(page.iter().map(sums).eq(expected.iter().skip(1).take(2).copied()));
    for user in USERS {
        let found = board.row_of(UserId(user)).map(|row| (row.rank, sums(&row)));
        let place = expected.iter().position(|(of, _)| *of == user);
        assert_eq!(found, place.map(|at| (at as u64 + 1, expected[at])));
    }
}

/// Year and month of a time, by counting days (Hinnant's days from civil, backwards).
fn month_of(at_ms: i64) -> (i32, u8) {
    let days = at_ms.div_euclid(86_400_000) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    ((year + era * 400 + i64::from(month <= 2)) as i32, month as u8)
}

fn months(orgs: &Orgs, naive: &Naive, random: &mut Random, org: u64) {
    let (window, measure) = (window(random), *random.pick(&[Measure::Referrals, Measure::Points]));
    let vacancies: &[&str] = if random.one_in(3) { &["v1", "v2"] } else { &[] };
    let request = BoardRequest { measure, window, rolling_kind: None, vacancies, now_ms: NOW };
    // The board of each month is that of a window of its days.
    let mut expected = Vec::new();
    let day = 86_400_000;
    let mut from = window.from_ms;
    while from < window.until_ms {
        let month = month_of(from);
        let mut until = from;
        while until < window.until_ms && month_of(until) == month {
            until = (until.div_euclid(day) + 1) * day;
        }
        let part = Window { from_ms: from, until_ms: until.min(window.until_ms) };
        let board = naive.board(org, measure, part, vacancies);
        if !board.is_empty() {
            expected.push((month, board));
        }
        from = until;
    }
    expected.reverse();
    let (total, found) = orgs.months(OrgId(org), &request, 1, 2, 3).unwrap();
    assert_eq!(total, expected.len() as u64);
    assert_eq!(found.len(), expected.len().saturating_sub(1).min(2));
    for (found, (month, board)) in found.iter().zip(expected.iter().skip(1)) {
        assert_eq!((found.year, found.month), *month);
        assert!(found.rows.iter().map(sums).eq(board.iter().take(3).copied()));
    }
}

fn products(orgs: &Orgs, naive: &Naive, random: &mut Random, org: u64) {
    let window = window(random);
    for user in USERS {
        let mut expected: Vec<ProductSum> = Vec::new();
        for product in 0..7 {
            let acts = naive.living(org).filter(|act| {
                act.user == user
                    && is_ranked(&act.action)
                    && act.product == Some(product)
                    && (window.from_ms..window.until_ms).contains(&act.at)
            });
            let acts: Vec<&Act> = acts.collect();
            if !acts.is_empty() {
                let points = acts.iter().map(|act| act.points).sum();
                let possible = acts.iter().map(|act| naive.possible(act)).sum();
                expected.push(ProductSum { product, points, possible });
            }
        }
        assert_eq!(orgs.products(OrgId(org), UserId(user), window), expected);
    }
}

fn timeline(orgs: &Orgs, naive: &Naive, random: &mut Random, org: u64) {
    let request = TimelineRequest {
        window: window(random),
        user: random.one_in(2).then(|| UserId(1 + random.below(7))),
        actions: random.list([&[], &[4], &[0, 16]]),
        difficulties: random.list([&[], &[1], &[1, 2]]),
        products: random.list([&[], &[0], &[3, 5]]),
        only_failed: random.one_in(3),
        order: *random.pick(&[TimelineOrder::At, TimelineOrder::Points]),
        ascending: random.one_in(2),
        offset: random.below(3),
        limit: 5,
    };
    let number = |action: &str| match action {
        "Clicked Link" => 0,
        "Reported" => 4,
        "Exam Passed" => 12,
        _ => 16,
    };
    let wanted = |list: &[u8], value: Option<u8>| {
        list.is_empty() || value.is_some_and(|value| list.contains(&value))
    };
    let listed = naive.living(org).filter(|act| {
        is_ranked(&act.action)
            && (request.window.from_ms..request.window.until_ms).contains(&act.at)
            && request.user.is_none_or(|user| user.0 == act.user)
            && wanted(request.actions, Some(number(&act.action)))
            && wanted(request.difficulties, act.input.attributes.difficulty)
            && wanted(request.products, act.product)
            && (act.failed || !request.only_failed)
    });
    let mut expected: Vec<&Act> = listed.collect();
    expected.sort_by_key(|act| {
        let by_time = if request.ascending { act.at } else { -act.at };
        let by_points = if request.ascending { act.points } else { -act.points };
        match request.order {
            TimelineOrder::At => (by_time, 0),
            TimelineOrder::Points => (by_points, act.at),
        }
    });
    let page = orgs.timeline(OrgId(org), &request).unwrap();
    assert_eq!(page.total, expected.len() as u64);
    let expected = expected.iter().skip(request.offset as usize).take(request.limit);
    let expected: Vec<_> = expected
        .map(|act| {
            let given = &act.input.attributes;
            let numbers = (number(&act.action), act.product, given.difficulty);
            ((act.user, act.at, act.points), numbers, act.rule.clone(), given.campaign.clone())
        })
        .collect();
    let found = page.rows.iter().map(|row| {
        let numbers = (row.action, Some(row.product), row.difficulty);
        let rule = row.rule.as_ref().map(|(points, name)| (*points, name.to_string()));
        let campaign = row.campaign.as_deref().cloned();
        ((row.user.0, row.at_ms, row.points), numbers, rule, campaign)
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

fn targets(orgs: &Orgs, naive: &Naive, org: u64) {
    let owned = naive.groups.iter().filter(|((owner, _), _)| *owner == org);
    let views = orgs.groups_of(OrgId(org));
    assert_eq!(views.len(), owned.clone().count());
    for ((_, id), group) in owned {
        let view = orgs.group(OrgId(org), GroupId(*id)).unwrap();
        assert_eq!((*view.spec).clone(), group.spec);
        for target in &group.spec.targets {
            for period in &group.spec.periods {
                let expected = naive.target_board(org, *id, target, period);
                let (total, rows) = orgs.target_page(&view, target.id, period.id, 0, 100);
                let found: Vec<_> =
                    rows.iter().map(|row| (row.user.id.0, row.value, row.last_ms)).collect();
                assert_eq!(found, expected, "{target:?} {period:?}");
                assert_eq!(total, expected.len() as u64);
                for user in USERS {
                    let found = orgs.target_rank(&view, target.id, period.id, UserId(user));
                    let place = expected.iter().position(|(of, ..)| *of == user);
                    let rank = found.map(|(row, total)| (row.rank, total));
                    assert_eq!(rank, place.map(|at| (at as u64 + 1, expected.len() as u64)));
                }
            }
        }
    }
}
