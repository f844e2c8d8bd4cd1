//! Who takes part in a target, and from when to when.
//!
//! What it is: what users did to one target, and what that means for a period. What it is not: a
//! board. Cost: the events of one user, most often one.
//!
//! The rules. Whoever has a counted activity takes part; entering is only needed to be on the board
//! before. An event at `t` concerns all periods that end at or after `t`, earlier ones stay as they
//! are. Having left, a user is on none of those boards, and no activity counts there, until the
//! user enters again; then activities count that happened since that entering.
//!
//! Invariant: the answers follow from the log of events alone, in its order.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::change::{EnrolmentEvent, EnrolmentStep};
use crate::chunks::Chunks;
use crate::ids::UserId;
use crate::limits::ENROLMENT_EVENTS_MAX;

/// What a user is in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Out, whatever the activities are.
    Left,
    /// Activities from `counts_from_ms` on count; on the board without any if there is an
    /// `entered_ms`.
    Takes { counts_from_ms: i64, entered_ms: Option<i64> },
}

impl Part {
    /// What everybody is who did nothing to the target.
    const OPEN: Self = Self::Takes { counts_from_ms: i64::MIN, entered_ms: None };

    fn after(self, step: EnrolmentStep, at_ms: i64) -> Self {
        match (self, step) {
            (Self::Left, EnrolmentStep::Entered) => {
                Self::Takes { counts_from_ms: at_ms, entered_ms: Some(at_ms) }
            }
            (Self::Takes { counts_from_ms, entered_ms: None }, EnrolmentStep::Entered) => {
                Self::Takes { counts_from_ms, entered_ms: Some(at_ms) }
            }
            (Self::Takes { .. }, EnrolmentStep::Entered) => self,
            (_, EnrolmentStep::Left) => Self::Left,
            (_, EnrolmentStep::Deleted) => Self::OPEN,
        }
    }
}

/// What users did to one target.
#[derive(Debug, Clone, Default)]
pub(crate) struct Enrolments {
    log: Chunks<EnrolmentEvent>,
    by_user: HashMap<UserId, Vec<(EnrolmentStep, i64)>, RandomState>,
}

impl Enrolments {
    /// What the user is in a period with this end.
    pub(crate) fn part(&self, user: UserId, period_end_ms: i64) -> Part {
        let Some(events) = self.by_user.get(&user) else { return Part::OPEN };
        let concern = events.iter().filter(|(_, at_ms)| *at_ms <= period_end_ms);
        concern.fold(Part::OPEN, |part, (step, at_ms)| part.after(*step, *at_ms))
    }

    /// Whether the event would change nothing for any period.
    pub(crate) fn is_idle(&self, event: &EnrolmentEvent) -> bool {
        let last = self.by_user.get(&event.user).and_then(|events| events.last());
        last.is_some_and(|(step, at_ms)| *step == event.step && *at_ms <= event.at_ms)
    }

    /// Whether the user has done anything to the target yet.
    pub(crate) fn knows(&self, user: UserId) -> bool {
        self.by_user.contains_key(&user)
    }

    /// Whether the user has come and gone too often.
    pub(crate) fn is_full(&self, user: UserId) -> bool {
        self.by_user.get(&user).is_some_and(|events| events.len() >= ENROLMENT_EVENTS_MAX)
    }

    pub(crate) fn push(&mut self, event: EnrolmentEvent) {
        let EnrolmentEvent { user, step, at_ms } = event;
        if step == EnrolmentStep::Deleted {
            if self.by_user.remove(&user).is_some() {
                self.log.push(event);
            }
            return;
        }
        self.log.push(event);
        let events = self.by_user.entry(user).or_default();
        if step == EnrolmentStep::Left {
            // For periods that end later than this, nothing before matters any more.
            events.retain(|(_, earlier_ms)| *earlier_ms < at_ms);
        }
        events.push((step, at_ms));
    }

    /// Users that are on the board of a period with this end without having done anything, with
    /// the time of their entering.
    pub(crate) fn entered(&self, period_end_ms: i64) -> impl Iterator<Item = (UserId, i64)> {
        self.by_user.keys().filter_map(move |user| match self.part(*user, period_end_ms) {
            Part::Takes { entered_ms: Some(entered_ms), .. } => Some((*user, entered_ms)),
            Part::Takes { .. } | Part::Left => None,
        })
    }

    pub(crate) fn freeze(&self) -> Chunks<EnrolmentEvent> {
        self.log.clone()
    }

    pub(crate) fn bytes(&self) -> u64 {
        let entry = size_of::<(UserId, Vec<(EnrolmentStep, i64)>)>() + 1;
        let events: usize = self.by_user.values().map(|events| events.capacity() * 16).sum();
        self.log.bytes() + (self.by_user.capacity() * entry + events) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EnrolmentStep::{Deleted, Entered, Left};

    const USER: UserId = UserId(7);

    fn after(events: &[(EnrolmentStep, i64)]) -> Enrolments {
        let mut enrolments = Enrolments::default();
        for (step, at_ms) in events {
            enrolments.push(EnrolmentEvent { user: USER, step: *step, at_ms: *at_ms });
        }
        enrolments
    }

    fn takes(counts_from_ms: i64, entered_ms: Option<i64>) -> Part {
        Part::Takes { counts_from_ms, entered_ms }
    }

    #[test]
    fn events_concern_the_periods_that_end_later() {
        let enrolments = after(&[(Entered, 100), (Left, 200), (Entered, 300)]);
        for (end_ms, expected) in [
            (99, takes(i64::MIN, None)),
            (100, takes(i64::MIN, Some(100))),
            (199, takes(i64::MIN, Some(100))),
            (200, Part::Left),
            (299, Part::Left),
            (300, takes(300, Some(300))),
            (i64::MAX, takes(300, Some(300))),
        ] {
            assert_eq!(enrolments.part(USER, end_ms), expected, "{end_ms}");
        }
        assert_eq!(enrolments.part(UserId(8), 300), takes(i64::MIN, None));
        assert_eq!(enrolments.entered(150).collect::<Vec<_>>(), [(USER, 100)]);
        assert_eq!(enrolments.entered(250).count(), 0);
    }

    #[test]
    fn leaving_earlier_makes_later_events_void() {
        let enrolments = after(&[(Entered, 100), (Left, 300), (Left, 50)]);
        assert_eq!(enrolments.part(USER, 99), Part::Left);
        assert_eq!(enrolments.part(USER, 400), Part::Left);
        assert_eq!(enrolments.part(USER, 49), takes(i64::MIN, None));
    }

    #[test]
    fn what_changes_nothing_is_known_before() {
        let enrolments = after(&[(Entered, 100)]);
        let event = |step, at_ms| EnrolmentEvent { user: USER, step, at_ms };
        assert!(
            enrolments.is_idle(&event(Entered, 100)) && enrolments.is_idle(&event(Entered, 150))
        );
        assert!(!enrolments.is_idle(&event(Entered, 99)) && !enrolments.is_idle(&event(Left, 150)));
        assert!(!after(&[]).is_idle(&event(Left, 1)), "an implicit part can be left");
    }

    #[test]
    fn the_deleted_begin_anew() {
        let enrolments = after(&[(Left, 100), (Deleted, 0)]);
        assert_eq!(enrolments.part(USER, 200), takes(i64::MIN, None));
        assert!(!enrolments.knows(USER));
        let log = enrolments.freeze();
        assert_eq!(log.len(), 2);
        assert_eq!(after(&[(Deleted, 0)]).freeze().len(), 0);
    }
}
