//! The one table of routes. The router, the metrics' labels, the strict check of query
//! parameters, the caps of bodies and the OpenAPI document all come from it.
//!
//! Invariant: a path and method occur once.

mod boards;
mod orgs;

use std::sync::LazyLock;

use hyper::Method;

use crate::limits::{BODY_BYTES_MAX, BULK_BODY_BYTES_MAX};

/// What a route does; [`crate::handlers::dispatch`] has one arm for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    ListBoards,
    CreateBoard,
    ReadBoard,
    DeleteBoard,
    PutScore,
    ReadMember,
    RemoveMember,
    PostScores,
    Around,
    Top,
    ByScore,
    Ranks,
    PutLabels,
    PutLabel,
    ReadLabel,
    RemoveLabel,
    MemberRanks,
    Snapshot,
    Health,
    Ready,
    Metrics,
    OpenApi,
    Docs,
    Console,
    Org(OrgAction),
}

/// What a route of organisations does; [`crate::handlers::orgs::dispatch`] has one arm for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrgAction {
    PutOrg,
    ReadOrg,
    PutUser,
    ReadUser,
    DeleteUser,
    PutUsers,
    PutScoringRules,
    PutTargetGroup,
    ReadTargetGroup,
    PostEnrolments,
    AddCredential,
    RevokeCredential,
    PostActivities,
}

/// What a route needs and how its replies are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Needs the engine, changes nothing; tells when memory is ahead of the disk.
    Read,
    /// Needs the engine, changes boards or names; takes an idempotency key.
    Write,
    /// Needs the engine, changes no data.
    Command,
    /// Answers without an engine.
    Open,
    /// As `Read`, but of organisations: it needs a key, and sees what the key may see.
    OrgRead,
    /// Changes organisations: it needs a key. Repeating one is harmless by itself, so it takes no
    /// idempotency key.
    OrgWrite,
}

impl Class {
    /// Whether who asks has to show a key.
    pub(crate) fn needs_key(self) -> bool {
        matches!(self, Self::OrgRead | Self::OrgWrite)
    }
}

/// A parameter of a query string.
#[derive(Debug)]
pub(crate) struct QueryParam {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// JSON Schema of its value.
    pub(crate) schema: &'static str,
    pub(crate) required: bool,
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct BodySpec {
    /// Name of its schema in the OpenAPI document.
    pub(crate) schema: &'static str,
    pub(crate) bytes_max: usize,
    /// Whether no body at all means `{}`.
    pub(crate) optional: bool,
}

/// A reply that is not a problem.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    /// Media type and schema, if there is a body.
    pub(crate) content: Option<(&'static str, &'static str)>,
}

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) action: Action,
    pub(crate) class: Class,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [QueryParam],
    pub(crate) body: Option<BodySpec>,
    pub(crate) answers: &'static [Answer],
}

const fn param(name: &'static str, about: &'static str, schema: &'static str) -> QueryParam {
    QueryParam { name, about, schema, required: false }
}

const fn bulk(schema: &'static str) -> Option<BodySpec> {
    Some(BodySpec { schema, bytes_max: BULK_BODY_BYTES_MAX, optional: false })
}

const fn body(schema: &'static str) -> Option<BodySpec> {
    Some(BodySpec { schema, bytes_max: BODY_BYTES_MAX, optional: false })
}

const fn json(status: u16, about: &'static str, schema: &'static str) -> Answer {
    Answer { status, about, content: Some(("application/json", schema)) }
}

const fn nothing(about: &'static str) -> Answer {
    Answer { status: 204, about, content: None }
}

/// Every route there is.
pub(crate) static ROUTES: LazyLock<Vec<&'static Route>> =
    LazyLock::new(|| boards::ROUTES.iter().chain(orgs::ROUTES).collect());
