//! How large a batch's record can become, before the batch is resolved: the place that it takes
//! in the queue. Never less than what is written. Cost: one pass over the batch.

use rankd_engine::limits::TURN_BULK_BYTES_MAX;
use rankd_engine::{Batch, Intent, OrgBatch, StoreError};

use crate::limits::{INTENT_BYTES_MAX, ORG_INTENT_BYTES_MAX, RECORD_BYTES_MAX};

/// Upper bound of the record's body in bytes.
///
/// # Errors
/// If that is more than [`RECORD_BYTES_MAX`].
pub(crate) fn record_bytes_max(batch: &Batch) -> Result<u32, StoreError> {
    let key_bytes = batch.idempotency.as_ref().map_or(0, |key| key.key.len() as u64);
    let fixed = INTENT_BYTES_MAX * (batch.intents.len() as u64 + 1);
    let variable: u64 = batch.intents.iter().map(intent_bytes).sum();
    within_record(fixed + variable + key_bytes)
}

/// As [`record_bytes_max`], of a batch about organisations.
///
/// # Errors
/// If that is more than [`RECORD_BYTES_MAX`].
pub(crate) fn org_record_bytes_max(batch: &OrgBatch) -> Result<u32, StoreError> {
    let fixed = INTENT_BYTES_MAX + ORG_INTENT_BYTES_MAX * batch.intents.len() as u64;
    let content = batch.intents.iter().map(|intent| intent.change_bytes_max() as u64);
    within_record(fixed + content.sum::<u64>())
}

/// The place of a procedure over keys. What it adds beyond what was sent for it is bounded by the
/// engine and not waited for: only then is it known.
///
/// # Errors
/// If it could become more than [`RECORD_BYTES_MAX`].
pub(crate) fn key_bytes_max(sent_bytes: u64) -> Result<u32, StoreError> {
    let most = INTENT_BYTES_MAX.saturating_add(sent_bytes);
    within_record(most.saturating_add(TURN_BULK_BYTES_MAX))?;
    within_record(most)
}

fn within_record(bytes: u64) -> Result<u32, StoreError> {
    u32::try_from(bytes).ok().filter(|bytes| *bytes <= RECORD_BYTES_MAX).ok_or(
        StoreError::TooLarge {
            what: "the batch's size in bytes",
            value: bytes,
            max: u64::from(RECORD_BYTES_MAX),
        },
    )
}

/// What of an intent can be in its change: names and texts, once each.
fn intent_bytes(intent: &Intent) -> u64 {
    let bytes = match intent {
        Intent::CreateBoard { name, .. } | Intent::DeleteBoard { name } => name.len(),
        Intent::Write { board, member, .. } | Intent::Remove { board, member } => {
            board.len() + member.len()
        }
        Intent::Label { member, label } => {
            member.len() + label.as_ref().map_or(0, |label| label.len())
        }
    };
    bytes as u64
}

#[cfg(test)]
mod org_tests;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;
    use rankd_engine::{Change, ChangeSink, Definition, IdempotencyKey, Operator, Score, State};

    use super::*;
    use crate::body::encode_changes;

    /// Keeps the last changes, as a log would.
    pub(super) struct Kept(pub(super) RefCell<Vec<Change>>);

    impl ChangeSink for Kept {
        fn append(&self, _accepted_ms: i64, changes: Vec<Change>) -> u64 {
            self.0.replace(changes);
            1
        }

        fn last_sequence(&self) -> u64 {
            0
        }
    }

    fn intent() -> impl Strategy<Value = Intent> {
        let name = || prop::collection::vec(any::<u8>(), 0..40).prop_map(Vec::into_boxed_slice);
        let score = prop_oneof![
            prop_oneof![Just(i64::MAX), Just(i64::MIN), any::<i64>()].prop_map(Score::Integer),
            any::<f64>().prop_map(Score::Float),
        ];
        let at_ms = prop::option::of(any::<i64>());
        prop_oneof![
            name().prop_map(|name| Intent::CreateBoard { name, definition: Definition::default() }),
            name().prop_map(|name| Intent::DeleteBoard { name }),
            (0..3_u8, name(), score, at_ms).prop_map(|(board, member, score, at_ms)| {
                let operator = Some(Operator::Sum);
                Intent::Write { board: Box::new([board]), member, score, operator, at_ms }
            }),
            (0..3_u8, name())
                .prop_map(|(board, member)| Intent::Remove { board: Box::new([board]), member }),
            (name(), prop::option::of(".{0,100}")).prop_map(|(member, label)| {
                Intent::Label { member, label: label.map(String::into_boxed_str) }
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_record_is_never_longer_than_its_place(
            batches in prop::collection::vec(prop::collection::vec(intent(), 0..20), 1..5),
        ) {
            let state = State::new();
            let sink = Kept(RefCell::new(Vec::new()));
            for (number, intents) in (0_u8..).zip(batches) {
                let key = IdempotencyKey { key: Box::new([number; 100]), digest: [number; 16] };
                let idempotency = Some(key);
                let batch = Batch { idempotency, with_ranks: true, ..Batch::new(intents, 1) };
                let place = record_bytes_max(&batch).expect("small");
                sink.0.borrow_mut().clear();
                if state.execute(&batch, &sink).is_ok() {
                    let mut body = Vec::new();
                    encode_changes(&sink.0.borrow(), &mut body).expect("within the limit");
                    prop_assert!(body.len() <= place as usize, "{} > {place}", body.len());
                }
            }
        }
    }
}
