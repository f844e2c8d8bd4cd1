//! Data that looks like a year of real use and is about nobody: organisations, people and what
//! they did, for each of the three published surfaces.
//!
//! What it is: an order, and iterators over what `rankd-orgs` takes. What it is not: random; the
//! same order yields the same data on every machine. Invariant: an activity's number decides its
//! id, activities come in the order in which they were reported, and none is later than the end of
//! the stretch. Memory: one hour's times, whatever the number of activities.

mod capillary;
mod keepnet;
mod people;
mod random;
mod secret;
mod times;
mod wintro;

use std::collections::VecDeque;

use rankd_orgs::{ActivityInput, GroupId, OrgId, OrgIntent, Profile, TargetId, UserId};

use random::{Draws, Permutation, Purpose, Skew};
use times::{HOUR_MS, Stretch, Times};

pub(crate) use secret::{DemoCredential, Secret};

/// Most users of a data set.
pub(crate) const USERS_MAX: u32 = 5_000_000;
/// Most activities of a data set.
pub(crate) const ACTIVITIES_MAX: u64 = 1_000_000_000;
/// Most days of a data set: some less than a server takes, so that there is time to load it.
pub(crate) const DAYS_MAX: u32 = 3_640;
/// So many activities of a thousand are reported late.
const LATE_PER_MILLE: u32 = 10;
/// How late they may be, in hours.
const LATE_HOURS_MAX: i64 = 72;
/// The first step of the users' skew has 8 of them.
const USERS_HEAD_BITS: u32 = 3;
/// An activity that is sent twice comes again after so many others.
const REPEAT_DISTANCE: u32 = 100;

/// The surface that data is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// One company whose employees refer and recommend candidates (Wintro)
    Wintro,
    /// A reseller and its customers' security awareness (Keepnet)
    Keepnet,
    /// A retailer, its brands, and customers who chase targets (Capillary)
    Capillary,
}

/// What is to be generated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    /// 1 to [`USERS_MAX`].
    pub(crate) users: u32,
    /// At most [`ACTIVITIES_MAX`].
    pub(crate) activities: u64,
    /// 1 to [`DAYS_MAX`].
    pub(crate) days: u32,
    pub(crate) seed: u64,
    /// The end, in milliseconds since 1970, UTC.
    pub(crate) until_ms: i64,
    /// So many activities of a thousand come once more.
    pub(crate) repeats_per_mille: u32,
}

/// A user and its home.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct User {
    pub(crate) org: OrgId,
    pub(crate) id: UserId,
    /// Made from the id if absent.
    pub(crate) resource_id: Option<Box<str>>,
    pub(crate) profile: Profile,
}

/// A user who takes part in a target, whether there is any activity or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enrolment {
    pub(crate) org: OrgId,
    pub(crate) group: GroupId,
    pub(crate) target: TargetId,
    pub(crate) user: UserId,
    pub(crate) from_ms: i64,
}

/// What one surface's data consists of. Users are counted from 0.
trait Model: Send {
    /// Organisations and target groups, in an order in which they can be put.
    fn setup(&self) -> Vec<OrgIntent>;
    fn credentials(&self) -> Vec<DemoCredential>;
    fn user(&self, draws: &mut Draws, index: u32) -> User;
    /// What a user did.
    fn activity(&self, draws: &mut Draws, deed: Deed) -> ActivityInput;
    fn enrolment(&self, _index: u32) -> Option<Enrolment> {
        None
    }
    fn shape(&self) -> &'static times::Shape {
        &times::OFFICE
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, Copy)]
struct Deed {
    number: u64,
    user: u32,
    at_ms: i64,
}

impl Order {
    fn model(&self) -> Box<dyn Model> {
        match self.kind {
            Kind::Wintro => Box::new(wintro::Company::new(self)),
            Kind::Keepnet => Box::new(keepnet::Reseller::new(self)),
            Kind::Capillary => Box::new(capillary::Retailer::new(self)),
        }
    }

    fn stretch(&self) -> Stretch {
        Stretch { days: self.days, until_ms: self.until_ms }
    }

    /// Organisations and target groups, in an order in which they can be put.
    pub(crate) fn setup(&self) -> Vec<OrgIntent> {
        self.model().setup()
    }

    /// Well-known credentials: as good as none.
    pub(crate) fn credentials(&self) -> Vec<DemoCredential> {
        self.model().credentials()
    }

    /// Every user, by id.
    pub(crate) fn users(&self) -> impl Iterator<Item = User> + use<> {
        let (model, mut draws) = (self.model(), Draws::new(self.seed, Purpose::Users));
        (0..self.users).map(move |index| model.user(&mut draws, index))
    }

    /// The users who take part whatever they do.
    pub(crate) fn enrolments(&self) -> impl Iterator<Item = Enrolment> + use<> {
        let model = self.model();
        (0..self.users).filter_map(move |index| model.enrolment(index))
    }

    /// What the users did, in the order in which it was reported.
    pub(crate) fn activities(&self) -> Activities {
        let model = self.model();
        Activities {
            times: Times::new(self.seed, self.activities, self.stretch(), model.shape()),
            model,
            draws: Draws::new(self.seed, Purpose::Activities),
            skew: Skew::new(self.users, USERS_HEAD_BITS),
            order_of_users: Permutation::new(self.users),
            start_ms: self.stretch().start_ms(),
            repeats_per_mille: self.repeats_per_mille,
            number: 0,
            repeats: VecDeque::new(),
        }
    }
}

/// Activities in the order in which they were reported.
pub(crate) struct Activities {
    model: Box<dyn Model>,
    times: Times,
    draws: Draws,
    skew: Skew,
    order_of_users: Permutation,
    start_ms: i64,
    repeats_per_mille: u32,
    number: u64,
    /// What comes once more, and after which number: at most [`REPEAT_DISTANCE`] and one.
    repeats: VecDeque<(u64, ActivityInput)>,
}

impl Activities {
    fn fresh(&mut self) -> Option<ActivityInput> {
        let mut at_ms = self.times.next()?;
        if self.draws.chance(LATE_PER_MILLE) {
            at_ms -= self.draws.between(HOUR_MS, LATE_HOURS_MAX * HOUR_MS);
        }
        self.number += 1;
        let deed = Deed {
            number: self.number,
            user: self.order_of_users.at(self.skew.draw(&mut self.draws)),
            at_ms: at_ms.max(self.start_ms),
        };
        Some(self.model.activity(&mut self.draws, deed))
    }
}

impl Iterator for Activities {
    type Item = ActivityInput;

    fn next(&mut self) -> Option<ActivityInput> {
        if self.repeats.front().is_some_and(|(after, _)| *after <= self.number) {
            return self.repeats.pop_front().map(|(_, again)| again);
        }
        let Some(activity) = self.fresh() else {
            return self.repeats.pop_front().map(|(_, again)| again);
        };
        if self.draws.chance(self.repeats_per_mille) {
            self.repeats.push_back((self.number + u64::from(REPEAT_DISTANCE), activity.clone()));
        }
        Some(activity)
    }
}

#[cfg(test)]
mod tests;
