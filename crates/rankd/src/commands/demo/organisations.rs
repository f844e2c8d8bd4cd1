//! One synthetic organisation for each published surface, up to the moment when the demo was first
//! started: loaded once, whatever happens in between.
//!
//! That moment is written down as the display name of a reserved member before anything else, and
//! with it how many batches are in. A batch of organisations and its mark are two records; a batch
//! that is repeated because the mark was lost changes nothing, since every activity has an id and
//! everything else says what something is to be.

use anyhow::{Context as _, bail};
use rankd_engine::{Clock as _, Engine, Intent, SystemClock};
use rankd_orgs::limits::BATCH_INTENTS_MAX;
use rankd_orgs::{OrgIntent, OrgOutcome};

use crate::commands::generate::synthetic::{Kind, Order};

/// The member whose display name says how far the loading is. It is on no board.
const MARK: &str = "rankd-demo/organisations";
/// Which data this is.
const VERSION: &str = "synthetic 1";
const KINDS: [Kind; 3] = [Kind::Wintro, Kind::Keepnet, Kind::Capillary];
const USERS: u32 = 200;
const ACTIVITIES: u64 = 20_000;
/// More than the year that the Wintro surface looks back.
const DAYS: u32 = 400;

/// How far the loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    /// The end of the data, in milliseconds since 1970, UTC.
    until_ms: i64,
    batches: usize,
}

/// Loads what is not there yet.
pub(super) async fn load(engine: &Engine) -> anyhow::Result<()> {
    let mut progress = match read(engine)? {
        Some(progress) => progress,
        None => Progress { until_ms: SystemClock.now_ms(), batches: 0 },
    };
    write(engine, progress).await?;
    let batches = KINDS.into_iter().flat_map(|kind| batches(order(kind, progress.until_ms)));
    for batch in batches.skip(progress.batches) {
        submit(engine, batch).await?;
        progress.batches += 1;
        write(engine, progress).await?;
    }
    Ok(())
}

fn order(kind: Kind, until_ms: i64) -> Order {
    Order {
        kind,
        users: USERS,
        activities: ACTIVITIES,
        days: DAYS,
        seed: 1,
        until_ms,
        repeats_per_mille: 0,
    }
}

/// Everything of one organisation, in an order in which it can be put.
fn batches(order: Order) -> impl Iterator<Item = Vec<OrgIntent>> {
    let credentials = order.credentials().into_iter().map(|credential| OrgIntent::AddCredential {
        org: credential.org,
        spec: credential.secret.spec(),
    });
    let users = order.users().map(|user| OrgIntent::PutUser {
        org: user.org,
        user: user.id,
        resource_id: user.resource_id,
        profile: user.profile,
    });
    let enrolments = order.enrolments().map(|enrolment| OrgIntent::Enrol {
        org: enrolment.org,
        group: enrolment.group,
        target: enrolment.target,
        user: enrolment.user,
        from_ms: enrolment.from_ms,
    });
    let mut rest = order
        .setup()
        .into_iter()
        .chain(credentials)
        .chain(users)
        .chain(enrolments)
        .chain(order.activities().map(OrgIntent::Record));
    std::iter::from_fn(move || {
        let batch: Vec<_> = rest.by_ref().take(BATCH_INTENTS_MAX).collect();
        (!batch.is_empty()).then_some(batch)
    })
}

/// Carries out one batch; any refusal ends the demo, but that of a credential which is there.
async fn submit(engine: &Engine, batch: Vec<OrgIntent>) -> anyhow::Result<()> {
    let is_credential: Vec<_> =
        batch.iter().map(|intent| matches!(intent, OrgIntent::AddCredential { .. })).collect();
    let outcomes = engine.submit_orgs(batch).await.context("cannot load the organisations")?;
    for (is_credential, outcome) in is_credential.into_iter().zip(outcomes) {
        match outcome {
            OrgOutcome::Rejected(rankd_orgs::OrgRejection::Taken { .. }) if is_credential => {}
            OrgOutcome::Rejected(reason) => bail!("cannot load the organisations: {reason}"),
            _ => {}
        }
    }
    Ok(())
}

/// How far an earlier start came.
fn read(engine: &Engine) -> anyhow::Result<Option<Progress>> {
    let Some(mark) = engine.label(MARK.as_bytes()) else { return Ok(None) };
    let progress = parse(&mark).with_context(|| {
        format!("this folder holds other demo data (`{mark}`); choose another with --data DIR")
    })?;
    Ok(Some(progress))
}

fn parse(mark: &str) -> Option<Progress> {
    let (until_ms, batches) = mark.strip_prefix(VERSION)?.trim().split_once(' ')?;
    Some(Progress { until_ms: until_ms.parse().ok()?, batches: batches.parse().ok()? })
}

async fn write(engine: &Engine, progress: Progress) -> anyhow::Result<()> {
    let Progress { until_ms, batches } = progress;
    let label = Some(format!("{VERSION} {until_ms} {batches}").into());
    let mark = Intent::Label { member: MARK.as_bytes().into(), label };
    engine.submit(vec![mark], false, None).await.context("cannot load the demo")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_small_enough_and_the_same_every_time() {
        for kind in KINDS {
            let order = order(kind, 1_773_662_400_000);
            let all: Vec<_> = batches(order).collect();
            assert_eq!(all, batches(order).collect::<Vec<_>>());
            assert!(all.iter().all(|batch| batch.len() <= BATCH_INTENTS_MAX));
            let intents = all.iter().flatten();
            let activities = intents.filter(|intent| matches!(intent, OrgIntent::Record(_)));
            assert_eq!(activities.count() as u64, ACTIVITIES);
        }
    }

    #[test]
    fn a_mark_is_read_back_and_others_are_refused() {
        let progress = Progress { until_ms: 1_773_662_400_000, batches: 7 };
        assert_eq!(parse("synthetic 1 1773662400000 7"), Some(progress));
        for other in ["", "synthetic 1", "synthetic 1 x 7", "synthetic 2 1773662400000 7"] {
            assert_eq!(parse(other), None);
        }
    }
}
