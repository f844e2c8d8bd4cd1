//! Handlers of organisations and what belongs to them: JSON to intents, outcomes to JSON.
//!
//! Who may do what is decided here and nowhere below: every handler asks [`OrgCall`] for the
//! organisation that it works on, and gets it only if the key covers it. What a key does not cover
//! is answered in the words of what does not exist.

mod activities;
mod credentials;
mod enrolments;
mod groups;
mod org;
mod rows;
mod rules;
mod users;

use matchit::Params;
use rankd_engine::Engine;
use rankd_orgs::limits::ID_MAX;
use rankd_orgs::{OrgId, OrgIntent, OrgOutcome, OrgRejection, OrgView, Orgs};
use serde::Deserialize;

use crate::access::Access;
use crate::body;
use crate::names;
use crate::problem::{Problem, Slug, shown};
use crate::reply::Reply;
use crate::table::OrgAction;

/// A request about organisations: found, complete, and with a key that is known.
pub(crate) struct OrgCall<'a> {
    pub(crate) engine: &'a Engine,
    /// Undecoded segments of the path.
    pub(crate) params: &'a Params<'a, 'a>,
    /// Empty if there is none.
    pub(crate) body: &'a [u8],
    pub(crate) access: Access,
}

/// Calls the handler.
pub(crate) async fn dispatch(action: OrgAction, call: &OrgCall<'_>) -> Result<Reply, Problem> {
    match action {
        OrgAction::PutOrg => org::put(call).await,
        OrgAction::ReadOrg => org::read(call),
        OrgAction::PutUser => users::put(call).await,
        OrgAction::ReadUser => users::read(call),
        OrgAction::DeleteUser => users::delete(call).await,
        OrgAction::PutUsers => users::post(call).await,
        OrgAction::PutScoringRules => rules::put(call).await,
        OrgAction::PutTargetGroup => groups::put(call).await,
        OrgAction::ReadTargetGroup => groups::read(call),
        OrgAction::PostEnrolments => enrolments::post(call).await,
        OrgAction::AddCredential => credentials::add(call).await,
        OrgAction::RevokeCredential => credentials::revoke(call).await,
        OrgAction::PostActivities => activities::post(call).await,
    }
}

impl OrgCall<'_> {
    fn orgs(&self) -> &Orgs {
        self.engine.orgs()
    }

    fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        body::parse(self.body)
    }

    /// An identifier in the path.
    fn id(&self, what: &'static str) -> Result<u64, Problem> {
        let encoded = self.params.get(what).unwrap_or("");
        let bytes = names::percent_decoded(encoded, what, Slug::InvalidParameter)?;
        let text = String::from_utf8_lossy(&bytes);
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(id) if is_plain && (1..=ID_MAX).contains(&id) => Ok(id),
            _ => Err(Problem::parameter(
                what,
                format!("{:?}", shown(&text)),
                format!("a whole number from 1 to {ID_MAX}"),
            )),
        }
    }

    /// The organisation in the path, if the key covers it.
    fn org(&self) -> Result<OrgView, Problem> {
        let id = OrgId(self.id("org")?);
        self.covered(id).ok_or_else(|| unknown("organisation", id.0).into())
    }

    /// The organisation of this id, if the key covers it.
    fn covered(&self, id: OrgId) -> Option<OrgView> {
        let orgs = self.orgs();
        self.access.covers(orgs, id).then(|| orgs.org(id)).flatten()
    }

    /// Submits one intent: its outcome, unless it was rejected.
    async fn submit_one(&self, intent: OrgIntent) -> Result<OrgOutcome, Problem> {
        let outcomes = self.engine.submit_orgs(vec![intent]).await?;
        match <[OrgOutcome; 1]>::try_from(outcomes) {
            Ok([OrgOutcome::Rejected(rejection)]) => Err(rejection.into()),
            Ok([outcome]) => Ok(outcome),
            Err(outcomes) => Err(Problem::internal(outcomes)),
        }
    }
}

/// The rejection of what is not there, or not for this key.
fn unknown(what: &str, id: u64) -> OrgRejection {
    OrgRejection::Unknown { what: what.into(), id: id.to_string().into() }
}

/// The rejection of an identifier that others have.
fn taken(what: &str, id: u64) -> OrgRejection {
    OrgRejection::Taken { what: what.into(), id: id.to_string().into() }
}

/// 201 for what is new, 200 for what was there.
fn status(outcome: &OrgOutcome) -> hyper::StatusCode {
    match outcome {
        OrgOutcome::Created => hyper::StatusCode::CREATED,
        _ => hyper::StatusCode::OK,
    }
}
