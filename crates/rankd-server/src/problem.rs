//! Everything that can go wrong with a request, as RFC 9457 problem documents.
//!
//! Invariant: a slug is stable, and it alone decides title and status; the detail is for humans
//! and names the parameter, its value and its limit. Details quote at most [`SHOWN_CHARS_MAX`]
//! characters of what a client sent.

use std::borrow::Cow;
use std::fmt;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use rankd_engine::{Rejection, StoreError};
use rankd_orgs::OrgRejection;
use serde_json::json;

use crate::reply::{self, Reply};

/// Most characters of a client's value that a detail repeats.
const SHOWN_CHARS_MAX: usize = 80;

/// What to do after a write of which nobody knows whether it will last.
const REPEAT_ADVICE: &str = "; repeat the request only if it had an Idempotency-Key, and with the \
     same one: without it, a sum may count twice";

macro_rules! slugs {
    ($($variant:ident, $slug:literal, $status:literal, $title:literal;)*) => {
        /// The kind of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Slug { $($variant),* }

        impl Slug {
            /// Every kind, for the documents.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable name, the `type` of the problem document.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $slug),* }
            }

            /// The HTTP status, always the same for one slug.
            pub(crate) fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// A short sentence, always the same for one slug.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }
        }
    };
}

slugs! {
    MalformedJson, "malformed-json", 400, "The body is not JSON";
    InvalidBody, "invalid-body", 400, "The body does not have the expected shape";
    InvalidParameter, "invalid-parameter", 400, "A parameter is outside its limits";
    UnknownParameter, "unknown-parameter", 400, "There is no such parameter";
    InvalidName, "invalid-name", 400, "A name is outside its limits";
    InvalidScore, "invalid-score", 400, "The score does not fit the board";
    InvalidTime, "invalid-time", 400, "The time is malformed or outside its limits";
    InvalidValue, "invalid-value", 400, "A value is outside its limits";
    Unauthorized, "unauthorized", 401, "A key is needed";
    Forbidden, "forbidden", 403, "The key does not allow this";
    UnknownHost, "unknown-host", 403, "The request is addressed to another host";
    CrossSite, "cross-site", 403, "Writes from other web sites are refused";
    NotFound, "not-found", 404, "There is nothing at this path";
    UnknownBoard, "unknown-board", 404, "There is no such board";
    UnknownMember, "unknown-member", 404, "There is no such member";
    UnknownOrg, "unknown-organisation", 404, "There is no such organisation";
    UnknownUser, "unknown-user", 404, "There is no such user";
    UnknownGroup, "unknown-target-group", 404, "There is no such target group";
    UnknownCredential, "unknown-credential", 404, "There is no such credential";
    MethodNotAllowed, "method-not-allowed", 405, "This path has other methods";
    BodyTimeout, "body-timeout", 408, "The body took too long";
    BoardDiffers, "board-differs", 409, "The board exists with another definition";
    Taken, "taken", 409, "The identifier belongs to another";
    WriteLost, "write-lost", 409, "The store lost the write";
    BodyTooLarge, "body-too-large", 413, "The body is too large";
    TooManyItems, "too-many-items", 413, "The request has too many items";
    UriTooLong, "uri-too-long", 414, "The request target is too long";
    UnsupportedMediaType, "unsupported-media-type", 415, "The body must be application/json";
    KeyReused, "idempotency-key-reused", 422, "The idempotency key belongs to another request";
    CrossPartition, "cross-partition", 422, "The boards of the batch are not kept together";
    TooManyKeys, "too-many-idempotency-keys", 429, "Too many idempotency keys are remembered";
    Internal, "internal", 500, "The server made a mistake";
    SnapshotFailed, "snapshot-failed", 500, "The snapshot could not be written";
    Unsupported, "unsupported", 501, "This store cannot do that";
    Loading, "loading", 503, "The store is still being loaded";
    Busy, "busy", 503, "Too many large requests at a time";
    Overloaded, "overloaded", 503, "Too many requests at a time";
    TooManyConnections, "too-many-connections", 503, "Too many connections";
    ReadOnly, "read-only", 503, "Writes are refused at present";
    NotDurable, "not-durable", 503, "The write may or may not survive a restart";
    OutcomeUnknown, "outcome-unknown", 503, "The write may or may not have been carried out";
    Behind, "behind", 503, "This node does not have the write yet";
    Closed, "closed", 503, "The store is shutting down";
    TooManyBoards, "too-many-boards", 507, "The store holds as many boards as it may";
}

impl Slug {
    /// Seconds after which trying again makes sense, if it does at all.
    pub(crate) fn retry_after_s(self) -> Option<u32> {
        match self.status() {
            429 => Some(60),
            503 => Some(1),
            _ => None,
        }
    }
}

/// One problem on its way to a client.
#[derive(Debug)]
pub(crate) struct Problem {
    slug: Slug,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(slug: Slug, detail: impl Into<String>) -> Self {
        Self { slug, detail: detail.into(), header: None }
    }

    /// A parameter whose value is not what it must be; `must` completes "it must be ...".
    pub(crate) fn parameter(name: &str, value: impl fmt::Display, must: impl fmt::Display) -> Self {
        Self::new(Slug::InvalidParameter, format!("{name} is {value}; it must be {must}"))
    }

    /// Something that our own code excludes.
    pub(crate) fn internal(what: impl fmt::Debug) -> Self {
        tracing::error!(?what, "an outcome that this request cannot have");
        Self::new(Slug::Internal, "the outcome of the request could not be told")
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(crate) fn slug(&self) -> Slug {
        self.slug
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.slug.status())
            .expect("the table of slugs has legal statuses only")
    }

    /// The problem document.
    pub(crate) fn to_json(&self) -> String {
        json!({
            "type": self.slug.name(),
            "title": self.slug.title(),
            "status": self.slug.status(),
            "detail": self.detail,
        })
        .to_string()
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut response = Response::new(reply::full(self.to_json()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.add_headers(headers);
        response
    }

    /// What the headers of the reply say of the problem, whatever its body looks like.
    pub(crate) fn add_headers(self, headers: &mut HeaderMap) {
        if let Some(seconds) = self.slug.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let slug = match error {
            StoreError::TooLarge { .. } => Slug::TooManyItems,
            StoreError::KeyReused => Slug::KeyReused,
            StoreError::TooManyKeys(..) => Slug::TooManyKeys,
            StoreError::ReadOnly(_) => Slug::ReadOnly,
            StoreError::NotDurable(_) => Slug::NotDurable,
            StoreError::OutcomeUnknown(_) => Slug::OutcomeUnknown,
            StoreError::CrossPartition => Slug::CrossPartition,
            StoreError::WriteLost(_) => Slug::WriteLost,
            StoreError::Behind(_) => Slug::Behind,
            StoreError::BadToken(_) => Slug::InvalidParameter,
            StoreError::Unsupported(_) => Slug::Unsupported,
            StoreError::Closed => Slug::Closed,
            StoreError::Snapshot(_) => Slug::SnapshotFailed,
            _ => Slug::Internal,
        };
        let is_open = matches!(slug, Slug::NotDurable | Slug::OutcomeUnknown);
        let advice = if is_open { REPEAT_ADVICE } else { "" };
        Self::new(slug, format!("{error}{advice}"))
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let slug = match rejection {
            Rejection::UnknownBoard => Slug::UnknownBoard,
            Rejection::UnknownMember => Slug::UnknownMember,
            Rejection::DefinitionDiffers(_) | Rejection::NameTaken => Slug::BoardDiffers,
            Rejection::Score(_) => Slug::InvalidScore,
            Rejection::OutOfLimits { .. } => Slug::InvalidParameter,
            Rejection::TooManyBoards(_) => Slug::TooManyBoards,
            _ => Slug::Internal,
        };
        Self::new(slug, rejection.to_string())
    }
}

impl From<OrgRejection> for Problem {
    fn from(rejection: OrgRejection) -> Self {
        let slug = match &rejection {
            OrgRejection::Unknown { what, .. } => match &**what {
                "organisation" => Slug::UnknownOrg,
                "user" => Slug::UnknownUser,
                "target group" => Slug::UnknownGroup,
                "credential" => Slug::UnknownCredential,
                _ => Slug::InvalidValue,
            },
            OrgRejection::Taken { .. } => Slug::Taken,
            OrgRejection::OutOfLimits { .. } | OrgRejection::Invalid(_) => Slug::InvalidValue,
            _ => Slug::Internal,
        };
        Self::new(slug, rejection.to_string())
    }
}

/// `text` as a detail shows it: whole if it is short, else its beginning and its length.
pub(crate) fn shown(text: &str) -> String {
    clipped(text, SHOWN_CHARS_MAX).into_owned()
}

/// `text` if it has at most `chars_max` characters, else that many of them and its length.
pub(crate) fn clipped(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}... ({} bytes)", &text[..end], text.len())),
    }
}

/// A name as a detail shows it.
pub(crate) fn shown_name(name: &[u8]) -> String {
    format!("{:?}", shown(&String::from_utf8_lossy(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_distinct_and_have_error_statuses() {
        let names: std::collections::HashSet<_> = Slug::ALL.iter().map(|s| s.name()).collect();
        assert_eq!(names.len(), Slug::ALL.len());
        assert!(Slug::ALL.iter().all(|s| (400..600).contains(&s.status())));
    }

    #[test]
    fn the_reference_lists_every_slug_with_its_status() {
        let page = include_str!("../../../docs/http-api.md");
        for slug in Slug::ALL {
            let row = format!("| `{}` | {} |", slug.name(), slug.status());
            assert!(page.contains(&row), "docs/http-api.md lacks {row}");
        }
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let long = "\u{e4}".repeat(100);
        assert_eq!(shown(&long), format!("{}... (200 bytes)", "\u{e4}".repeat(80)));
        assert_eq!(shown("short"), "short");
    }
}
