//! The one table of routes. The router, the metrics' labels, the strict check of query
//! parameters, the caps of bodies and the OpenAPI document all come from it.
//!
//! Invariant: a path and method occur once.

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
    Console,
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

const LIMIT: QueryParam =
    param("limit", "Most entries to return.", r#"{"type":"integer","minimum":1,"maximum":1000}"#);
const NAMES: QueryParam =
    param("names", "Adds each member's display name.", r#"{"type":"boolean","default":false}"#);
const TIMES: QueryParam =
    param("times", "Adds the time of each score.", r#"{"type":"boolean","default":false}"#);
const STYLE: QueryParam = param(
    "style",
    "How equal scores are ranked: 1 2 3 4, 1 2 2 4, or 1 2 2 3.",
    r#"{"enum":["ordinal","competition","dense"],"default":"ordinal"}"#,
);
const SCORE_BOUND: &str = r#"{"type":"string","examples":["100","-inf"]}"#;
const STRING: &str = r#"{"type":"string"}"#;

/// Every route there is.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        action: Action::ListBoards,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/boards",
        summary: "List boards by name",
        query: &[
            param("prefix", "Only boards whose name begins so.", STRING),
            LIMIT,
            param("cursor", "Continues an earlier listing.", STRING),
        ],
        body: None,
        answers: &[json(200, "One page of boards.", "BoardList")],
    },
    Route {
        action: Action::CreateBoard,
        class: Class::Write,
        method: Method::PUT,
        path: "/v1/boards/{board}",
        summary: "Create a board, or find it there with the same definition",
        query: &[],
        body: Some(BodySpec { schema: "Definition", bytes_max: BODY_BYTES_MAX, optional: true }),
        answers: &[json(201, "Created.", "Board"), json(200, "It was there already.", "Board")],
    },
    Route {
        action: Action::ReadBoard,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/boards/{board}",
        summary: "Read a board's definition and size",
        query: &[],
        body: None,
        answers: &[json(200, "The board.", "Board")],
    },
    Route {
        action: Action::DeleteBoard,
        class: Class::Write,
        method: Method::DELETE,
        path: "/v1/boards/{board}",
        summary: "Delete a board and everything in it",
        query: &[],
        body: None,
        answers: &[nothing("Deleted.")],
    },
    Route {
        action: Action::PutScore,
        class: Class::Write,
        method: Method::PUT,
        path: "/v1/boards/{board}/members/{member}",
        summary: "Write one member's score",
        query: &[],
        body: body("ScoreWrite"),
        answers: &[json(200, "Where the member is now and was before.", "Written")],
    },
    Route {
        action: Action::ReadMember,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/boards/{board}/members/{member}",
        summary: "Read one member's rank",
        query: &[STYLE],
        body: None,
        answers: &[json(200, "The member's standing.", "Standing")],
    },
    Route {
        action: Action::RemoveMember,
        class: Class::Write,
        method: Method::DELETE,
        path: "/v1/boards/{board}/members/{member}",
        summary: "Take a member off a board",
        query: &[],
        body: None,
        answers: &[nothing("Removed.")],
    },
    Route {
        action: Action::Around,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/boards/{board}/members/{member}/around",
        summary: "Read a member and its neighbours",
        query: &[
            param(
                "radius",
                "Neighbours on either side.",
                r#"{"type":"integer","minimum":0,"maximum":500,"default":5}"#,
            ),
            NAMES,
            TIMES,
        ],
        body: None,
        answers: &[json(200, "The entries in rank order.", "Page")],
    },
    Route {
        action: Action::PostScores,
        class: Class::Write,
        method: Method::POST,
        path: "/v1/boards/{board}/scores",
        summary: "Write many scores in one durable batch",
        query: &[],
        body: bulk("ScoreWrites"),
        answers: &[json(200, "What became of the rows.", "BatchReport")],
    },
    Route {
        action: Action::ByScore,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/boards/{board}/scores",
        summary: "Read and count the entries of a range of scores",
        query: &[
            param("min", "Lowest score, inclusive.", SCORE_BOUND),
            param("max", "Highest score, inclusive.", SCORE_BOUND),
            LIMIT,
            NAMES,
            TIMES,
        ],
        body: None,
        answers: &[json(200, "The best entries of the range, and its size.", "ScorePage")],
    },
    Route {
        action: Action::Top,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/boards/{board}/top",
        summary: "Read the best entries, page by page",
        query: &[
            LIMIT,
            param("offset", "Ranks to skip.", r#"{"type":"integer","minimum":0,"default":0}"#),
            NAMES,
            TIMES,
        ],
        body: None,
        answers: &[json(200, "The entries in rank order.", "Page")],
    },
    Route {
        action: Action::Ranks,
        class: Class::Read,
        method: Method::POST,
        path: "/v1/boards/{board}/ranks",
        summary: "Read the ranks of many members, such as friends",
        query: &[NAMES, TIMES],
        body: bulk("RanksQuery"),
        answers: &[json(200, "Those on the board in rank order.", "RankList")],
    },
    Route {
        action: Action::PutLabels,
        class: Class::Write,
        method: Method::POST,
        path: "/v1/members",
        summary: "Give many members display names in one durable batch",
        query: &[],
        body: bulk("LabelWrites"),
        answers: &[json(200, "What became of the rows.", "BatchReport")],
    },
    Route {
        action: Action::PutLabel,
        class: Class::Write,
        method: Method::PUT,
        path: "/v1/members/{member}",
        summary: "Give a member a display name",
        query: &[],
        body: body("LabelWrite"),
        answers: &[json(200, "The name.", "Label")],
    },
    Route {
        action: Action::ReadLabel,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/members/{member}",
        summary: "Read a member's display name",
        query: &[],
        body: None,
        answers: &[json(200, "The name.", "Label")],
    },
    Route {
        action: Action::RemoveLabel,
        class: Class::Write,
        method: Method::DELETE,
        path: "/v1/members/{member}",
        summary: "Take a member's display name away",
        query: &[],
        body: None,
        answers: &[nothing("Taken away.")],
    },
    Route {
        action: Action::MemberRanks,
        class: Class::Read,
        method: Method::GET,
        path: "/v1/members/{member}/ranks",
        summary: "Read a member's ranks on several boards",
        query: &[
            QueryParam {
                name: "boards",
                about: "Names of up to 100 boards, separated by commas.",
                schema: STRING,
                required: true,
            },
            STYLE,
        ],
        body: None,
        answers: &[json(200, "One entry a board.", "MemberRanks")],
    },
    Route {
        action: Action::Snapshot,
        class: Class::Command,
        method: Method::POST,
        path: "/v1/snapshots",
        summary: "Write a snapshot now",
        query: &[],
        body: None,
        answers: &[json(200, "The finished snapshot.", "Snapshot")],
    },
    Route {
        action: Action::Health,
        class: Class::Open,
        method: Method::GET,
        path: "/healthz",
        summary: "Whether the process is alive",
        query: &[],
        body: None,
        answers: &[json(200, "It is.", "Alive")],
    },
    Route {
        action: Action::Ready,
        class: Class::Open,
        method: Method::GET,
        path: "/readyz",
        summary: "Whether the store is loaded and takes writes",
        query: &[],
        body: None,
        answers: &[json(200, "It does.", "Readiness"), json(503, "It does not.", "Readiness")],
    },
    Route {
        action: Action::Metrics,
        class: Class::Open,
        method: Method::GET,
        path: "/metrics",
        summary: "Counters for Prometheus, as OpenMetrics text",
        query: &[],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "The metrics.",
            content: Some((crate::metrics::CONTENT_TYPE, "Text")),
        }],
    },
    Route {
        action: Action::OpenApi,
        class: Class::Open,
        method: Method::GET,
        path: "/openapi.json",
        summary: "This document",
        query: &[],
        body: None,
        answers: &[json(200, "An OpenAPI 3.1 document.", "Anything")],
    },
    Route {
        action: Action::Console,
        class: Class::Open,
        method: Method::GET,
        path: "/",
        summary: "The web console",
        query: &[],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "A page for people.",
            content: Some(("text/html; charset=utf-8", "Text")),
        }],
    },
];
