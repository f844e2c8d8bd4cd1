//! Before a test: the board and its members, made if there are none.
//!
//! Invariant: a board that has other members than the test would use is left alone.

use crate::connection::{ask, open};
use crate::error::LoadError;
use crate::plan::Plan;
use crate::source::Source;
use crate::target::Target;
use crate::wire::Wire;

/// Members of one request.
const BATCH_MEMBERS: u64 = 1000;

/// What had to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// The members were there already, or a path of one's own is read.
    Ready,
    /// This many were written.
    Filled(u64),
}

/// Fills the board with the plan's members if it is empty or missing. `progress` is told how many
/// are written.
///
/// # Errors
/// The plan is outside its limits, the target cannot be reached or refuses, or the board has
/// another number of members.
pub async fn prepare(
    target: &Target,
    plan: &Plan,
    mut progress: impl FnMut(u64),
) -> Result<Prepared, LoadError> {
    plan.check()?;
    let wire = Wire::new(target, plan);
    let mut stream = open(target, &wire).await?;
    if plan.path.is_some() {
        return Ok(Prepared::Ready);
    }
    let mut out = Vec::new();
    wire.encode_count(&mut out);
    let found = ask(target, &wire, &mut stream, &out, "tell the board's size").await?;
    match found {
        None => Err(LoadError::Protocol {
            address: target.address(),
            reason: "its answer does not tell the board's size".to_owned(),
        }),
        Some(found) if found == plan.members => Ok(Prepared::Ready),
        Some(0) => {
            let mut source = Source::new(plan, u64::MAX);
            let mut first = 0;
            while first < plan.members {
                let count = BATCH_MEMBERS.min(plan.members - first);
                out.clear();
                wire.encode_fill(first, count, &mut source, &mut out);
                ask(target, &wire, &mut stream, &out, "write members").await?;
                first += count;
                progress(first);
            }
            Ok(Prepared::Filled(plan.members))
        }
        Some(found) => Err(LoadError::OtherMembers {
            address: target.address(),
            board: plan.board.clone(),
            found,
            wanted: plan.members,
        }),
    }
}
