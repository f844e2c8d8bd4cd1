//! The leaderboards of Capillary's InTouch API: the users of a target group's board, and one
//! user's places on many of them.
//!
//! What it is: paths, credentials, scope headers, words and shapes. What it is not: a place where
//! anything is ranked or counted. Invariant: an organisation outside the request's visible set
//! shows in no answer but as "not found". Cost: that of the boards, and of writing the rows.

mod auth;
mod enrichment;
mod entries;
mod envelope;
mod fault;
mod params;
mod scope;
mod specs;
mod times;
mod token;
mod top_ranked;
mod user_ranks;

use hyper::StatusCode;
use percent_encoding::percent_decode_str;

use super::SurfaceCall;
use crate::reply::Reply;

const LEADERBOARDS: &str = "/api_gateway/intouch-api-v3/v3.1/leaderboards/";

/// Answers a request to one of the API's paths.
pub(super) async fn answer(call: &SurfaceCall<'_>) -> Reply {
    let Some(below) = call.path().strip_prefix(LEADERBOARDS) else {
        return token::answer(call).await;
    };
    let (kind, id) = match below.split_once('/') {
        Some((kind, id)) => (kind, Some(percent_decode_str(id).decode_utf8_lossy())),
        None => (below, None),
    };
    let answered = match (kind, id) {
        ("targetGroups", Some(id)) => top_ranked::answer(call, &id).await,
        (_, id) => user_ranks::answer(call, id.as_deref()).await,
    };
    answered.unwrap_or_else(|fault| envelope::fault(&fault))
}

/// The answer to a request that went wrong before it, or outside of it.
pub(super) fn refusal(status: StatusCode, detail: &str) -> Reply {
    envelope::refusal(status, detail)
}
