//! How large the change of an intent can be, before it is resolved.
//!
//! What it is: an upper bound for who has to reserve room in a log. What it is not: the size.
//! Invariant: the changes of a batch take at most the sum of these, encoded with fixed-width
//! integers. Cost: a walk over the intent.

use crate::encoded::encoded_bytes;
use crate::intent::{ActivityInput, OrgIntent};
use crate::limits::TEXT_BYTES_MAX;

/// What stands before each change of a tree, with the variants of both enumerations.
const HEAD: usize = 4 + 8 + 8 + 4;
/// A length before a text or a list.
const LEN: usize = 8;
/// Activities of an organisation without any: its id and the lengths of four lists of names, six
/// columns and two lists of fingerprints.
const RECORDED: usize = HEAD + 8 + 12 * LEN;
/// An activity's columns and fingerprint.
const ROW: usize = 8 + 8 + 4 + 3 * 4 + 16;
/// A kind without attributes.
const KIND: usize = 4 + 5 + 5 + 9 + 2 + 2 + 1 + 1 + LEN;
/// A list with one user who is new with the activity.
const NEW_USER: usize = HEAD + LEN + 16;
/// Longest name in the catalogue, which an action may be changed to.
const CATALOGUED: usize = 32;

impl OrgIntent {
    /// The most bytes that what this intent changes can take when encoded with fixed-width
    /// integers, as part of any batch.
    #[must_use]
    pub fn change_bytes_max(&self) -> usize {
        match self {
            Self::PutOrg { spec, .. } => HEAD + 8 + encoded_bytes(spec),
            Self::PutUser { resource_id, profile, .. } => {
                HEAD + 16 + encoded_bytes(resource_id) + encoded_bytes(profile)
            }
            Self::DeleteUser { .. } => HEAD + 8,
            Self::PutRules { rules, .. } => HEAD + 8 + encoded_bytes(rules),
            Self::PutGroup { spec, .. } => HEAD + 16 + encoded_bytes(spec),
            Self::Enrol { .. } | Self::Unenrol { .. } => HEAD + 24 + 8 + 4 + 8,
            Self::AddCredential { spec, .. } => HEAD + 16 + encoded_bytes(spec),
            Self::RevokeCredential { .. } => HEAD + 16,
            Self::OfferSigningKey { .. } => 4 + 32,
            Self::Record(input) => record(input),
        }
    }
}

/// An activity that is the only one of its organisation, and with which everything is new.
fn record(input: &ActivityInput) -> usize {
    let attributes = &input.attributes;
    let action = LEN + input.action.len().max(CATALOGUED);
    let rule = LEN + TEXT_BYTES_MAX;
    let vacancy = attributes.vacancy_id.as_ref().map_or(0, encoded_bytes);
    let campaign = attributes.campaign.as_ref().map_or(0, encoded_bytes);
    let others = attributes.others.iter();
    let others: usize = others.map(|(name, value)| 8 + 2 * LEN + name.len() + value.len()).sum();
    RECORDED + ROW + KIND + NEW_USER + action + rule + vacancy + campaign + others
}
