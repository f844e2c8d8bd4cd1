//! The activities that are measured on.
//!
//! What it is: users who are active more or less often (Zipf's law with exponent 0.6), and times
//! spread evenly over ten years, in ascending order. Invariant: the same seed gives the same rows,
//! whatever their number. Cost: some ten nanoseconds a row.

use rankd_activity::{Counts, KindId, KindTraits, Ledger, Row};
use rankd_benches::data::Sequence;

pub(crate) const USERS: u64 = 1_000_000;
pub(crate) const DAYS: i64 = 3_650;
pub(crate) const DAY_MS: i64 = 86_400_000;
/// 2016-03-18T12:00:00Z: ten years before [`NOW_MS`].
pub(crate) const START_MS: i64 = NOW_MS - DAYS * DAY_MS;
/// 2026-03-16T12:00:00Z.
pub(crate) const NOW_MS: i64 = 1_773_662_400_000;
/// Tags of referrals: vacancy 0 has most rows, and each next one fewer.
pub(crate) const VACANCIES: u32 = 500;
/// Kinds of points: as many campaigns, each with reports and clicks of three difficulties.
const CAMPAIGNS: u32 = 1_000;
/// One less the exponent of Zipf's law.
const ZIPF: f64 = 0.4;

/// Which measure the rows are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Referrals and recommendations, each with a vacancy.
    Referrals,
    /// Points, possible points, and many kinds.
    Points,
}

/// Numbers that are the same in every run.
pub(crate) struct Rng(Sequence);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Sequence::new(seed))
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(end);
        u64::try_from(wide >> 64).expect("it is below `end`")
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = (self.0.next_u64() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    pub(crate) fn within(&mut self, from: i64, until: i64) -> i64 {
        let span = u64::try_from(until - from).expect("the range is not empty");
        from + i64::try_from(self.below(span)).expect("it is below the span")
    }

    /// A rank from 0 on, below `end`: small ones are more frequent.
    fn zipf(&mut self, end: u64) -> u64 {
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let last = (end as f64).powf(ZIPF);
        let rank = ((last - 1.0) * self.fraction() + 1.0).powf(1.0 / ZIPF);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let rank = rank as u64;
        (rank - 1).min(end - 1)
    }
}

/// The id of the user at this rank of activity: neighbours are far apart.
pub(crate) fn user_id(rank: u64) -> u64 {
    (rank + 1).wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
}

/// A generator of rows in ascending order of times.
pub(crate) struct Rows {
    shape: Shape,
    rng: Rng,
    next: u64,
    count: u64,
}

impl Rows {
    pub(crate) fn new(shape: Shape, count: u64) -> Self {
        Self { shape, rng: Rng::new(1), next: 0, count }
    }

    /// A row at this time.
    pub(crate) fn row_at(&mut self, at_ms: i64) -> Row {
        let user = user_id(self.rng.zipf(USERS));
        let base = Row {
            user,
            at_ms,
            kind: KindId(0),
            points: 0,
            possible: 0,
            value: 0,
            is_correction: false,
        };
        match self.shape {
            Shape::Referrals => {
                let vacancy = self.rng.zipf(u64::from(VACANCIES));
                let is_recommendation = self.rng.below(3) > 0;
                let kind = vacancy * 2 + u64::from(is_recommendation);
                Row { kind: kind_id(kind), ..base }
            }
            Shape::Points => {
                let kind = self.rng.zipf(u64::from(CAMPAIGNS)) * 6 + self.rng.below(6);
                let difficulty = i32::try_from(kind % 3).expect("it is small");
                let points = if kind % 6 < 3 { 100 << difficulty } else { -200 >> difficulty };
                // Every other activity is the first one in its campaign.
                let is_first = self.rng.below(2) == 0;
                let possible = if is_first { 100 << difficulty } else { 0 };
                Row { kind: kind_id(kind), points, possible, ..base }
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.next == self.count {
            return None;
        }
        let span = i128::from(DAYS * DAY_MS);
        let edge = |row: u64| span * i128::from(row) / i128::from(self.count);
        let into = |ms: i128| i64::try_from(ms).expect("ten years fit");
        let (from, until) = (into(edge(self.next)), into(edge(self.next + 1)));
        self.next += 1;
        let at_ms = START_MS + if from == until { from } else { self.rng.within(from, until) };
        Some(self.row_at(at_ms))
    }
}

fn kind_id(kind: u64) -> KindId {
    KindId(u32::try_from(kind).expect("there are few kinds"))
}

/// A ledger that knows the kinds of a shape.
pub(crate) fn ledger(shape: Shape) -> Ledger {
    let mut ledger = Ledger::new();
    let kinds: Vec<KindTraits> = match shape {
        Shape::Referrals => (0..VACANCIES)
            .flat_map(|vacancy| {
                let kind = |counts| KindTraits { counts, tag: Some(vacancy) };
                [kind(Counts::Refer), kind(Counts::Recommend)]
            })
            .collect(),
        Shape::Points => {
            (0..CAMPAIGNS * 6).map(|_| KindTraits { counts: Counts::Points, tag: None }).collect()
        }
    };
    for kind in kinds {
        ledger.define_kind(kind).expect("there are few kinds");
    }
    ledger
}
