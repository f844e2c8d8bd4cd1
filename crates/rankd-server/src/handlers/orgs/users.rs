//! Users: one by one under `/v1/orgs/{org}/users/{user}`, or many at once.
//!
//! A user belongs to the whole tree of organisations and has its home in one of them. A key sees
//! users by their home. It cannot take one over from a part of the tree that it does not cover:
//! `rankd-orgs` moves a user upwards only.

use hyper::StatusCode;
use rankd_orgs::{OrgIntent, OrgOutcome, OrgRejection, Profile, UserId, UserView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::rows::{self, Report};
use super::{OrgCall, status, unknown};
use crate::problem::Problem;
use crate::reply::{self, Reply};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UserWrite {
    resource_id: Option<Box<str>>,
    #[serde(default)]
    profile: Profile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UserRow {
    user: u64,
    resource_id: Option<Box<str>>,
    #[serde(default)]
    profile: Profile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserWrites<'a> {
    #[serde(borrow)]
    users: Vec<&'a RawValue>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserJson<'a> {
    user: u64,
    org: u64,
    resource_id: &'a str,
    profile: &'a Profile,
}

/// `PUT /v1/orgs/{org}/users/{user}`
pub(super) async fn put(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = call.org()?.id;
    let user = UserId(call.id("user")?);
    let UserWrite { resource_id, profile } = call.json()?;
    let intent = OrgIntent::PutUser { org, user, resource_id, profile };
    let outcome = call.submit_one(intent).await?;
    let view = call.orgs().user(org, user).ok_or_else(|| Problem::from(gone(user)))?;
    Ok(show(status(&outcome), &view))
}

/// `POST /v1/orgs/{org}/users`
pub(super) async fn post(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = call.org()?.id;
    let body: UserWrites<'_> = call.json()?;
    let intent = |raw: &RawValue| {
        let UserRow { user, resource_id, profile } = rows::row(raw)?;
        Ok(OrgIntent::PutUser { org, user: UserId(user), resource_id, profile })
    };
    let tally = rows::submit(call, body.users.iter().map(|raw| intent(raw))).await?;
    Ok(reply::json(StatusCode::OK, &Report::from(tally)))
}

/// `GET /v1/orgs/{org}/users/{user}`
pub(super) fn read(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    Ok(show(StatusCode::OK, &found(call)?))
}

/// `DELETE /v1/orgs/{org}/users/{user}`
pub(super) async fn delete(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let view = found(call)?;
    let intent = OrgIntent::DeleteUser { org: view.home, user: view.id };
    match call.submit_one(intent).await? {
        OrgOutcome::Unchanged => Err(gone(view.id).into()),
        _ => Ok(reply::no_content()),
    }
}

/// The user in the path, whose home is the organisation in the path or below it.
fn found(call: &OrgCall<'_>) -> Result<UserView, Problem> {
    let org = call.org()?.id;
    let user = UserId(call.id("user")?);
    let orgs = call.orgs();
    let view = orgs.user(org, user).filter(|view| orgs.is_within(view.home, org));
    view.ok_or_else(|| gone(user).into())
}

fn gone(user: UserId) -> OrgRejection {
    unknown("user", user.0)
}

fn show(status: StatusCode, view: &UserView) -> Reply {
    let UserView { id, resource_id, home, profile } = view;
    let json = UserJson { user: id.0, org: home.0, resource_id, profile };
    reply::json(status, &json)
}
