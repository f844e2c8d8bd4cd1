//! A target group with its boards, kept up to date by every activity.
//!
//! What it is: one live board for each (target, period) that anybody is on. What it is not: the
//! rules of taking part (`enrolments.rs`), or the counting of stored activities (`recount.rs`).
//! Whether things are active is for readers: boards are kept either way, so that switching back
//! loses nothing. Invariant: each board is what a recount of the stored activities gives. Cost: one
//! activity costs O(log n) for each board that it counts on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use rankd_activity::{LiveBoard, LiveEntry, Row};

use crate::change::{EnrolmentEvent, EnrolmentStep};
use crate::chunks::Chunks;
use crate::enrolments::{Enrolments, Part};
use crate::ids::{PeriodId, TargetId, UserId};
use crate::kinds::{HasAttributes, KindView, canonical};
use crate::model::{Aggregate, PeriodSpec, TargetGroupSpec, TargetSpec};

const BOUNDED: &str =
    "2^29 activities of at most 10^9 each fit 64 bits, and a board holds 2^32 users";

/// One board.
#[derive(Debug, Default)]
pub(crate) struct PeriodBoard {
    pub(crate) live: LiveBoard,
    /// Users who entered and have no counted activity: the first one sets their time.
    idle: HashSet<UserId, RandomState>,
}

impl PeriodBoard {
    fn add(&mut self, user: UserId, amount: i64, at_ms: i64) {
        if self.idle.remove(&user) {
            self.live.set(user.0, amount, at_ms).expect(BOUNDED);
        } else {
            self.live.add(user.0, amount, at_ms).expect(BOUNDED);
        }
    }

    fn enter(&mut self, user: UserId, entered_ms: i64) {
        if self.live.rank_of(user.0).is_none() {
            self.live.set(user.0, 0, entered_ms).expect(BOUNDED);
            self.idle.insert(user);
        }
    }

    fn remove(&mut self, user: UserId) {
        self.live.remove(user.0);
        self.idle.remove(&user);
    }

    fn bytes(&self) -> u64 {
        (self.live.memory_bytes() + self.idle.capacity() * (size_of::<UserId>() + 1)) as u64
    }
}

/// What one target has.
#[derive(Debug, Default)]
struct Target {
    enrolments: Enrolments,
    /// By the period's position; only boards that somebody is or was on.
    boards: HashMap<usize, PeriodBoard, RandomState>,
}

/// Periods ordered by start, so that those that hold a time are found quickly.
#[derive(Debug, Default)]
struct Calendar {
    /// Start, latest end of this and all before, position.
    by_start: Vec<(i64, i64, usize)>,
}

impl Calendar {
    fn new(periods: &[PeriodSpec]) -> Self {
        let starts =
            periods.iter().enumerate().map(|(at, period)| (period.start_ms, period.end_ms, at));
        let mut by_start: Vec<_> = starts.collect();
        by_start.sort_unstable();
        let mut latest = i64::MIN;
        for entry in &mut by_start {
            latest = latest.max(entry.1);
            entry.1 = latest;
        }
        Self { by_start }
    }

    /// Positions of the periods that hold `at_ms`.
    fn holding<'c>(
        &'c self,
        periods: &'c [PeriodSpec],
        at_ms: i64,
    ) -> impl Iterator<Item = usize> + 'c {
        let begun = self.by_start.partition_point(|(start_ms, ..)| *start_ms <= at_ms);
        let may_hold = self.by_start[..begun].iter().rev();
        let may_hold = may_hold.take_while(move |(_, latest_ms, _)| *latest_ms >= at_ms);
        let positions = may_hold.map(|(.., at)| *at);
        positions.filter(move |at| periods.get(*at).is_some_and(|period| period.end_ms >= at_ms))
    }
}

/// A target group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) spec: Arc<TargetGroupSpec>,
    calendar: Calendar,
    /// As in the specification.
    targets: Vec<Target>,
    /// Positions of targets by the actions that they name.
    by_action: HashMap<Box<str>, Vec<usize>, RandomState>,
    /// Positions of targets that name none.
    of_any_action: Vec<usize>,
}

/// What an activity adds to a target.
pub(crate) fn amount(aggregate: Aggregate, row: &Row) -> i64 {
    match aggregate {
        Aggregate::Count => 1,
        Aggregate::SumPoints => row.points.into(),
        Aggregate::SumValue => row.value.into(),
    }
}

/// Boards of a group that are to be counted anew, as positions of target and period.
pub(crate) type Stale = HashSet<(usize, usize), RandomState>;

impl Group {
    /// A group after its specification was given, from what it was before; the boards that are not
    /// what they were have to be counted.
    pub(crate) fn new(spec: Arc<TargetGroupSpec>, old: Option<Self>) -> (Self, Stale) {
        let mut stale = Stale::default();
        let mut old = old;
        let targets = spec.targets.iter().enumerate().map(|(at, target)| {
            let kept = old.as_mut().and_then(|old| old.take(target));
            let (kept_target, kept_periods) = kept.unwrap_or_default();
            kept_target.for_periods(at, &spec.periods, &kept_periods, &mut stale)
        });
        let targets = targets.collect();
        let mut by_action: HashMap<Box<str>, Vec<usize>, RandomState> = HashMap::default();
        let mut of_any_action = Vec::new();
        for (at, target) in spec.targets.iter().enumerate() {
            let mut actions: Vec<&str> =
                target.matches.actions.iter().map(|a| canonical(a)).collect();
            actions.sort_unstable();
            actions.dedup();
            if actions.is_empty() {
                of_any_action.push(at);
            }
            for action in actions {
                by_action.entry(action.into()).or_default().push(at);
            }
        }
        let calendar = Calendar::new(&spec.periods);
        (Self { spec, calendar, targets, by_action, of_any_action }, stale)
    }

    /// Takes what is kept for a target of the new specification: who takes part, and, if the target
    /// counts what it counted, the boards with their periods.
    fn take(&mut self, target: &TargetSpec) -> Option<(Target, Vec<PeriodSpec>)> {
        let at = self.target(target.id)?;
        let mut kept = std::mem::take(self.targets.get_mut(at)?);
        let before = &self.spec.targets[at];
        if before.matches != target.matches || before.aggregate != target.aggregate {
            kept.boards.clear();
            return Some((kept, Vec::new()));
        }
        Some((kept, self.spec.periods.clone()))
    }

    /// Position of a target.
    pub(crate) fn target(&self, id: TargetId) -> Option<usize> {
        self.spec.targets.iter().position(|target| target.id == id)
    }

    fn period(&self, id: PeriodId) -> Option<usize> {
        self.spec.periods.iter().position(|period| period.id == id)
    }

    /// The board of a target and a period; `None` if nobody is on it.
    pub(crate) fn board(&self, target: TargetId, period: PeriodId) -> Option<&LiveBoard> {
        let boards = &self.targets.get(self.target(target)?)?.boards;
        boards.get(&self.period(period)?).map(|board| &board.live)
    }

    /// Positions of the targets that count activities of this kind.
    pub(crate) fn matching(&self, kind: &KindView<'_>) -> impl Iterator<Item = usize> {
        let by_action = self.by_action.get(kind.action()).into_iter().flatten();
        let candidates = by_action.chain(&self.of_any_action).copied();
        candidates.filter(|at| {
            let attributes = &self.spec.targets[*at].matches.attributes;
            attributes.iter().all(|(name, value)| kind.has(name, value))
        })
    }

    /// Boards that count an activity of this target at this time by this user: positions of the
    /// periods.
    pub(crate) fn counting(
        &self,
        target: usize,
        user: UserId,
        at_ms: i64,
    ) -> impl Iterator<Item = usize> {
        let holding = self.calendar.holding(&self.spec.periods, at_ms);
        let enrolments = &self.targets[target].enrolments;
        holding.filter(move |period| {
            match enrolments.part(user, self.spec.periods[*period].end_ms) {
                Part::Left => false,
                Part::Takes { counts_from_ms, .. } => at_ms >= counts_from_ms,
            }
        })
    }

    /// Counts an activity that is new.
    pub(crate) fn feed(&mut self, kind: &KindView<'_>, row: &Row) {
        let matching: Vec<usize> = self.matching(kind).collect();
        for target in matching {
            let user = UserId(row.user);
            let periods: Vec<usize> = self.counting(target, user, row.at_ms).collect();
            let amount = amount(self.spec.targets[target].aggregate, row);
            for period in periods {
                let board = self.targets[target].boards.entry(period).or_default();
                board.add(user, amount, row.at_ms);
            }
        }
    }

    /// Who takes part in a target.
    pub(crate) fn enrolments(&self, target: usize) -> &Enrolments {
        &self.targets[target].enrolments
    }

    /// Only notes the event: boards are counted later.
    pub(crate) fn note(&mut self, target: usize, event: EnrolmentEvent) {
        self.targets[target].enrolments.push(event);
    }

    /// Lets a user enter or leave. `recount` sums the user's stored activities for the target from
    /// one time to another, both included: value and last time, or `None` if there are none.
    pub(crate) fn enrol(
        &mut self,
        target: usize,
        event: EnrolmentEvent,
        recount: impl Fn(&TargetSpec, i64, i64) -> Option<(i64, i64)>,
    ) {
        let user = event.user;
        let state = &mut self.targets[target];
        let part =
            |enrolments: &Enrolments, period: &PeriodSpec| enrolments.part(user, period.end_ms);
        let periods = self.spec.periods.iter().enumerate();
        let concerned = periods.filter(|(_, period)| period.end_ms >= event.at_ms);
        let before: Vec<(usize, &PeriodSpec, Part)> =
            concerned.map(|(at, period)| (at, period, part(&state.enrolments, period))).collect();
        state.enrolments.push(event);
        for (at, period, before) in before {
            let Part::Takes { counts_from_ms, entered_ms } = part(&state.enrolments, period) else {
                if let Some(board) = state.boards.get_mut(&at) {
                    board.remove(user);
                }
                continue;
            };
            let board = state.boards.entry(at).or_default();
            if before == Part::Left {
                let from_ms = period.start_ms.max(counts_from_ms);
                let sum = recount(&self.spec.targets[target], from_ms, period.end_ms);
                if let Some((value, last_ms)) = sum {
                    board.live.set(user.0, value, last_ms).expect(BOUNDED);
                }
            }
            if let Some(entered_ms) = entered_ms {
                board.enter(user, entered_ms);
            }
        }
    }

    /// A user is gone from everything.
    pub(crate) fn delete_user(&mut self, user: UserId) {
        for target in &mut self.targets {
            let step = EnrolmentStep::Deleted;
            target.enrolments.push(EnrolmentEvent { user, step, at_ms: 0 });
            target.boards.values_mut().for_each(|board| board.remove(user));
        }
    }

    /// Replaces a board by what was counted, and lets those who entered onto it.
    pub(crate) fn set_board(
        &mut self,
        (target, period): (usize, usize),
        sums: impl IntoIterator<Item = LiveEntry>,
    ) {
        let mut board = PeriodBoard::default();
        for LiveEntry { user, value, last_ms } in sums {
            board.live.set(user, value, last_ms).expect(BOUNDED);
        }
        let end_ms = self.spec.periods[period].end_ms;
        for (user, entered_ms) in self.targets[target].enrolments.entered(end_ms) {
            board.enter(user, entered_ms);
        }
        if board.live.total() > 0 {
            self.targets[target].boards.insert(period, board);
        } else {
            self.targets[target].boards.remove(&period);
        }
    }

    /// Who entered and left each target, as it is now.
    pub(crate) fn frozen_enrolments(&self) -> Vec<(TargetId, Chunks<EnrolmentEvent>)> {
        let targets = self.spec.targets.iter().zip(&self.targets);
        targets.map(|(spec, target)| (spec.id, target.enrolments.freeze())).collect()
    }

    /// Every board, for a group that was loaded.
    pub(crate) fn all_boards(&self) -> Stale {
        let targets = 0..self.spec.targets.len();
        targets
            .flat_map(|at| (0..self.spec.periods.len()).map(move |period| (at, period)))
            .collect()
    }

    /// Bytes of boards and enrolments.
    pub(crate) fn bytes(&self) -> u64 {
        let of = |target: &Target| {
            let boards = target.boards.values().map(PeriodBoard::bytes).sum::<u64>();
            target.enrolments.bytes() + boards
        };
        self.targets.iter().map(of).sum()
    }
}

impl Target {
    /// The same target under other periods: boards of periods that stay, stay.
    fn for_periods(
        mut self,
        target: usize,
        periods: &[PeriodSpec],
        old: &[PeriodSpec],
        stale: &mut Stale,
    ) -> Self {
        let at_old: HashMap<PeriodId, usize> =
            old.iter().enumerate().map(|(at, period)| (period.id, at)).collect();
        let span = |period: &PeriodSpec| (period.start_ms, period.end_ms);
        let mut boards = HashMap::default();
        for (at, period) in periods.iter().enumerate() {
            let same = at_old.get(&period.id).filter(|was| span(&old[**was]) == span(period));
            match same {
                Some(was) => boards.extend(self.boards.remove(was).map(|board| (at, board))),
                None => {
                    stale.insert((target, at));
                }
            }
        }
        Self { enrolments: self.enrolments, boards }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_finds_all_periods_that_hold_a_time() {
        let spans = [(0, 9), (5, 30), (10, 19), (10, 10), (40, 50), (-20, -1)];
        let period = |(id, (start_ms, end_ms))| PeriodSpec {
            id: PeriodId(id),
            ref_code: "".into(),
            active: true,
            start_ms,
            end_ms,
        };
        let periods: Vec<PeriodSpec> = (1..).zip(spans).map(period).collect();
        let calendar = Calendar::new(&periods);
        for at_ms in -25..60 {
            let mut found: Vec<usize> = calendar.holding(&periods, at_ms).collect();
            found.sort_unstable();
            let holds = |(_, (start, end)): &(usize, &(i64, i64))| (*start..=*end).contains(&at_ms);
            let naive: Vec<usize> =
                spans.iter().enumerate().filter(holds).map(|(at, _)| at).collect();
            assert_eq!(found, naive, "{at_ms}");
        }
    }
}
