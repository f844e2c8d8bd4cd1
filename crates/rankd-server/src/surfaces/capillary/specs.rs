//! Look-ups in a target group: what is inactive is as if unknown.
//! Cost: one pass over the group's targets or periods.

use rankd_orgs::{PeriodSpec, TargetGroupSpec, TargetSpec};

/// The active target of this identifier.
pub(super) fn target(spec: &TargetGroupSpec, id: i64) -> Option<&TargetSpec> {
    spec.targets.iter().find(|target| target.active && is(target.id.0, id))
}

/// The active period of this identifier.
pub(super) fn period(spec: &TargetGroupSpec, id: i64) -> Option<&PeriodSpec> {
    spec.periods.iter().find(|period| period.active && is(period.id.0, id))
}

/// The active period that `now` is in: of several the one that started last, then the one with
/// the smallest identifier.
pub(super) fn current_period(spec: &TargetGroupSpec, now_ms: i64) -> Option<&PeriodSpec> {
    let holds =
        |period: &&PeriodSpec| period.active && (period.start_ms..=period.end_ms).contains(&now_ms);
    let current = spec.periods.iter().filter(holds);
    current.max_by_key(|period| (period.start_ms, std::cmp::Reverse(period.id)))
}

fn is(stored: u64, asked: i64) -> bool {
    u64::try_from(asked).is_ok_and(|asked| asked == stored)
}

#[cfg(test)]
mod tests {
    use rankd_orgs::PeriodId;

    use super::*;

    fn group(periods: &[(u64, bool, i64, i64)]) -> TargetGroupSpec {
        let periods = periods.iter().map(|&(id, active, start_ms, end_ms)| PeriodSpec {
            id: PeriodId(id),
            ref_code: format!("p{id}").into(),
            active,
            start_ms,
            end_ms,
        });
        TargetGroupSpec {
            name: "group".into(),
            active: true,
            leaderboard_enabled: true,
            targets: Vec::new(),
            periods: periods.collect(),
        }
    }

    fn current(spec: &TargetGroupSpec, now_ms: i64) -> Option<u64> {
        current_period(spec, now_ms).map(|period| period.id.0)
    }

    #[test]
    fn both_ends_of_a_period_belong_to_it() {
        let spec = group(&[(1, true, 10, 20)]);
        assert_eq!([9, 10, 20, 21].map(|now| current(&spec, now)), [None, Some(1), Some(1), None]);
    }

    #[test]
    fn the_latest_start_counts_then_the_smallest_identifier() {
        let spec = group(&[(9, true, 5, 50), (4, true, 10, 20), (3, true, 10, 20)]);
        assert_eq!(current(&spec, 15), Some(3));
        assert_eq!(current(&spec, 30), Some(9));
        let spec = group(&[(1, true, 0, 50), (2, false, 10, 20)]);
        assert_eq!(current(&spec, 15), Some(1));
    }

    #[test]
    fn inactive_and_impossible_identifiers_are_unknown() {
        let spec = group(&[(1, true, 0, 1), (2, false, 0, 1)]);
        assert_eq!(period(&spec, 1).map(|period| period.id.0), Some(1));
        assert!([2, 0, -1, i64::MIN].iter().all(|&id| period(&spec, id).is_none()));
        assert!(target(&spec, 1).is_none());
    }
}
