//! One version of the data for one answer. An answer has several parts, and each is read under a
//! lock of its own; if a write came between them, they are read again.
//!
//! Invariant: an answer that was found steady has all its parts from one version of the
//! organisations that it names. Only under writes that come faster than a few look-ups take, again
//! and again, is the last of [`TRIES_MAX`] readings taken as it is. Cost: one look-up for each of
//! these organisations.

use rankd_orgs::{OrgView, Orgs};

/// How often the parts of an answer are read.
const TRIES_MAX: u32 = 8;

/// Tells whether what was read belongs together.
pub(super) struct Steady<'a> {
    orgs: &'a Orgs,
    is_last_try: bool,
}

/// Calls `read` until what it gets belongs together; `None` asks for another call.
///
/// # Errors
/// Those of `read`, at once.
pub(super) fn steadily<T, E>(
    orgs: &Orgs,
    mut read: impl FnMut(&Steady<'_>) -> Result<Option<T>, E>,
) -> Result<T, E> {
    let mut tries = 0;
    loop {
        tries += 1;
        let steady = Steady { orgs, is_last_try: tries >= TRIES_MAX };
        if let Some(answer) = read(&steady)? {
            return Ok(answer);
        }
    }
}

impl Steady<'_> {
    /// Whether these organisations, which were looked at before anything else was read, are still
    /// as they were.
    pub(super) fn holds<'v>(&self, looked_at: impl IntoIterator<Item = &'v OrgView>) -> bool {
        let is_same =
            |view: &OrgView| self.orgs.org(view.id).is_some_and(|now| now.version == view.version);
        self.takes(|| looked_at.into_iter().all(is_same))
    }

    /// Whether an answer is taken of which `fits` tells whether its parts belong together.
    pub(super) fn takes(&self, fits: impl FnOnce() -> bool) -> bool {
        self.is_last_try || fits()
    }
}

#[cfg(test)]
mod tests {
    use rankd_orgs::{Licence, OrgId, OrgIntent, OrgOutcome, OrgSpec};

    use super::*;

    const ORG: OrgId = OrgId(7);

    fn write(orgs: &Orgs, name: &str) {
        let spec = OrgSpec {
            parent: None,
            resource_id: "org7".into(),
            name: name.into(),
            time_zone: "UTC".into(),
            leaderboards_enabled: true,
            enrichment_fields: Vec::new(),
            licence: Licence::default(),
        };
        let put = OrgIntent::PutOrg { org: ORG, spec };
        let outcomes = orgs.execute(&[put], 0, &mut |_| {});
        assert!(matches!(outcomes[..], [OrgOutcome::Created | OrgOutcome::Changed]));
    }

    /// Reads with a write between the parts of the first readings: the number of readings.
    fn readings(writes: u32) -> u32 {
        let orgs = Orgs::new();
        write(&orgs, "as it was");
        let mut readings = 0;
        let read = steadily(&orgs, |steady| {
            readings += 1;
            let view = orgs.org(ORG).expect("it was made");
            if readings <= writes {
                write(&orgs, &format!("after {readings} writes"));
            }
            Ok(steady.holds([&view]).then_some(()))
        });
        assert_eq!(read, Ok::<(), &str>(()));
        readings
    }

    #[test]
    fn a_write_between_the_parts_begins_the_answer_again() {
        assert_eq!([0, 1, 2].map(readings), [1, 2, 3]);
    }

    #[test]
    fn writes_without_end_do_not_keep_an_answer_for_ever() {
        assert_eq!([TRIES_MAX - 1, TRIES_MAX, u32::MAX].map(readings), [TRIES_MAX; 3]);
    }

    #[test]
    fn a_fault_is_told_at_once() {
        let read = steadily(&Orgs::new(), |_| Err::<Option<()>, _>("not found"));
        assert_eq!(read, Err("not found"));
    }
}
