//! Every limit of organisations, in one place.

/// Largest identifier: it has to survive as a JSON number.
pub const ID_MAX: u64 = (1 << 53) - 1;
/// Most intents in one batch.
pub const BATCH_INTENTS_MAX: usize = 10_000;
/// Largest number of points or value of one activity, either way.
pub const POINTS_MAX: i64 = 1_000_000_000;
/// How far ahead of the clock an activity may lie, in milliseconds (5 minutes).
pub const AHEAD_MS_MAX: i64 = 5 * 60 * 1000;
/// How old an activity may be, in milliseconds (3650 days).
pub const AGE_MS_MAX: i64 = 3650 * 24 * 60 * 60 * 1000;
/// Longest name, identifier text or profile value, in bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 512;
/// Longest activity id or action, in bytes of UTF-8.
pub const ACTIVITY_ID_BYTES_MAX: usize = 128;
/// Most keys of a profile.
pub const PROFILE_KEYS_MAX: usize = 32;
/// Most attributes of an activity beside the known ones.
pub const ATTRIBUTES_MAX: usize = 16;
/// Extra enrichment fields of an organisation.
pub const ENRICHMENT_FIELDS_MAX: usize = 3;
/// Most scoring rules of an organisation.
pub const RULES_MAX: usize = 1_000;
/// Most targets of a group.
pub const TARGETS_MAX: usize = 100;
/// Most periods of a group.
pub const PERIODS_MAX: usize = 1_000;
/// Deepest organisation tree, counting the root.
pub const TREE_DEPTH_MAX: usize = 8;
/// Most organisations.
pub const ORGS_MAX: usize = 1_000_000;
/// Most credentials of one organisation.
pub const CREDENTIALS_MAX: usize = 1_000;
/// Most vacancies that one request may filter by.
pub const TAGS_MAX: usize = 100;
/// Largest piece of a snapshot, in bytes as encoded.
pub const ITEM_BYTES_MAX: usize = 1 << 20;
/// Longest text identifier of an organisation or a vacancy, in bytes.
pub const RESOURCE_ID_BYTES_MAX: usize = 64;
/// Longest reaction that an activity may state, in seconds.
pub const RESPONSE_SECONDS_MAX: i64 = 1_000_000_000;
/// Most target groups of one organisation.
pub const GROUPS_MAX: usize = 1_000;
/// Most actions that one target matches.
pub const MATCH_ACTIONS_MAX: usize = 64;
/// Most tags of a licence.
pub const LICENCE_TAGS_MAX: usize = 32;
/// Most scopes of a token.
pub const SCOPES_MAX: usize = 32;
/// Most times that one user may enter and leave one target.
pub const ENROLMENT_EVENTS_MAX: usize = 64;
/// First millisecond that a period, an enrolment or a licence may name: year 1, UTC.
pub const TIME_MS_MIN: i64 = -62_135_596_800_000;
/// Last millisecond that a period, an enrolment or a licence may name: year 9999, UTC.
pub const TIME_MS_MAX: i64 = 253_402_300_799_999;
/// Most activities of one organisation, ever.
pub const ACTIVITIES_MAX: u64 = 1 << 29;

// Each activity is a row, and may bring a correction, a user and a kind.
const _: () = assert!(2 * ACTIVITIES_MAX < rankd_activity::ROWS_MAX);
const _: () = assert!(ACTIVITIES_MAX < rankd_activity::USERS_MAX as u64);
const _: () = assert!(ACTIVITIES_MAX < rankd_activity::KINDS_MAX as u64);
const _: () = assert!(POINTS_MAX == rankd_activity::AMOUNT_MAX as i64);
