//! Synthetic data is the same every time, within the limits of the domain, and as uneven as it is
//! meant to be.

use std::collections::{BTreeMap, BTreeSet};

use rankd_orgs::limits::{ACTIVITY_ID_BYTES_MAX, ID_MAX, POINTS_MAX, PROFILE_KEYS_MAX};

use super::times::DAY_MS;
use super::*;

/// 2026-03-16T12:00:00Z.
const UNTIL_MS: i64 = 1_773_662_400_000;
const KINDS: [Kind; 3] = [Kind::Wintro, Kind::Keepnet, Kind::Capillary];

fn order(kind: Kind) -> Order {
    Order {
        kind,
        users: 300,
        activities: 20_000,
        days: 500,
        seed: 1,
        until_ms: UNTIL_MS,
        repeats_per_mille: 0,
    }
}

fn activities(order: &Order) -> Vec<ActivityInput> {
    order.activities().collect()
}

#[test]
fn ids_are_unique_and_times_are_within_the_stretch() {
    for kind in KINDS {
        let order = order(kind);
        let activities = activities(&order);
        let ids: BTreeSet<_> = activities.iter().map(|activity| &activity.id).collect();
        assert_eq!((activities.len(), ids.len()), (20_000, 20_000));
        let from_ms = UNTIL_MS - 500 * DAY_MS;
        let users: BTreeSet<_> = order.users().map(|user| user.id).collect();
        for activity in &activities {
            assert!((from_ms..UNTIL_MS).contains(&activity.at_ms));
            assert!(users.contains(&activity.user));
            assert!((1..=ACTIVITY_ID_BYTES_MAX).contains(&activity.id.len()));
            assert!((1..=ACTIVITY_ID_BYTES_MAX).contains(&activity.action.len()));
            let numbers = [activity.points, activity.possible, activity.value];
            assert!(numbers.iter().flatten().all(|number| number.abs() <= POINTS_MAX));
        }
    }
}

#[test]
fn users_are_unique_and_their_homes_exist() {
    for kind in KINDS {
        let order = order(kind);
        let orgs: BTreeSet<_> = order
            .setup()
            .iter()
            .filter_map(|intent| match intent {
                OrgIntent::PutOrg { org, .. } => Some(*org),
                _ => None,
            })
            .collect();
        let users: Vec<_> = order.users().collect();
        let ids: BTreeSet<_> = users.iter().map(|user| user.id).collect();
        let texts: BTreeSet<_> =
            users.iter().filter_map(|user| user.resource_id.as_ref()).collect();
        assert_eq!(ids.len(), 300);
        assert!(texts.is_empty() || texts.len() == 300);
        for user in &users {
            assert!(orgs.contains(&user.org) && (1..=ID_MAX).contains(&user.id.0));
            assert!(user.profile.len() <= PROFILE_KEYS_MAX);
        }
        let activities = activities(&order);
        assert!(activities.iter().all(|activity| orgs.contains(&activity.org)));
    }
}

#[test]
fn few_users_do_much_and_nearly_all_do_something() {
    for kind in KINDS {
        let mut by_user = BTreeMap::<_, usize>::new();
        for activity in activities(&order(kind)) {
            *by_user.entry(activity.user).or_default() += 1;
        }
        let mut counts: Vec<_> = by_user.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        assert!(counts.len() > 280, "{kind:?}: {}", counts.len());
        let top: usize = counts.iter().take(30).sum();
        assert!((7_500..10_000).contains(&top), "{kind:?}: a tenth of the users has {top}");
    }
}

#[test]
fn a_hundredth_comes_late_and_the_rest_in_order() {
    let activities = activities(&order(Kind::Wintro));
    let mut newest_ms = i64::MIN;
    let mut late = 0;
    for activity in &activities {
        late += usize::from(activity.at_ms < newest_ms);
        newest_ms = newest_ms.max(activity.at_ms);
    }
    assert!((140..260).contains(&late), "{late}");
}

#[test]
fn what_comes_twice_is_the_same_and_comes_soon_after() {
    let order = Order { repeats_per_mille: 5, ..order(Kind::Capillary) };
    let activities = activities(&order);
    let mut first = BTreeMap::new();
    let mut repeats = 0_u64;
    for (place, activity) in activities.iter().enumerate() {
        if let Some(before) = first.insert(&activity.id, place) {
            assert_eq!(&activities[before], activity);
            // The others of the distance may be repeats themselves.
            assert!(place - before <= 2 * (REPEAT_DISTANCE as usize) + 1);
            repeats += 1;
        }
    }
    assert_eq!(activities.len() as u64, 20_000 + repeats);
    assert!((60..140).contains(&repeats), "{repeats}");
}

#[test]
fn every_action_of_a_surface_occurs() {
    let actions = |kind| -> BTreeSet<Box<str>> {
        order(kind).activities().map(|activity| activity.action).collect()
    };
    assert_eq!(actions(Kind::Wintro).len(), 3);
    assert_eq!(actions(Kind::Keepnet).len(), 20);
    assert_eq!(actions(Kind::Capillary).len(), 3);
}

#[test]
fn a_cycle_is_under_way_for_two_months_and_cycles_leave_no_gap() {
    let setup = order(Kind::Capillary).setup();
    let groups = setup.iter().filter_map(|intent| match intent {
        OrgIntent::PutGroup { spec, .. } => Some(spec),
        _ => None,
    });
    let mut count = 0;
    for spec in groups {
        for day in 0..60 {
            let at_ms = UNTIL_MS + day * DAY_MS;
            let current = |period: &&rankd_orgs::PeriodSpec| {
                (period.start_ms..=period.end_ms).contains(&at_ms)
            };
            assert_eq!(spec.periods.iter().filter(current).count(), 1);
        }
        assert!(spec.periods.windows(2).all(|two| two[0].end_ms + 1 == two[1].start_ms));
        let first = spec.periods.first().expect("there are cycles");
        assert!(first.start_ms <= UNTIL_MS - 500 * DAY_MS);
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn the_smallest_order_works() {
    for kind in KINDS {
        let order = Order { users: 1, activities: 1, days: 1, ..order(kind) };
        assert_eq!(order.users().count(), 1);
        assert_eq!(order.activities().count(), 1);
        let none = Order { activities: 0, ..order };
        assert_eq!(none.activities().count(), 0);
    }
}
