//! Display names: what people are called, apart from what their member names are. They belong
//! to the member, not to a board.

use hyper::StatusCode;
use rankd_engine::limits::LABEL_BYTES_MAX;
use rankd_engine::{Intent, Outcome, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::batch::Batch;
use super::{Call, scores};
use crate::body::Object;
use crate::json::NameJson;
use crate::problem::{Problem, Slug, shown, shown_name};
use crate::reply::{self, Reply};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelWrite<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelWrites<'a> {
    #[serde(borrow)]
    members: Vec<Object<LabelRow<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelRow<'a> {
    #[serde(borrow)]
    member: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
}

#[derive(Debug, Serialize)]
struct LabelJson {
    member: NameJson,
    name: Box<str>,
}

/// `PUT /v1/members/{member}`
pub(super) async fn put(call: &Call<'_>) -> Result<Reply, Problem> {
    let member = call.written_name("member")?;
    let body: LabelWrite<'_> = call.json()?;
    let name = label(body.name).map_err(|detail| Problem::new(Slug::InvalidName, detail))?;
    let intent = Intent::Label { member: member.clone(), label: Some(name.clone()) };
    let answer = |outcome| match outcome {
        Outcome::Labelled | Outcome::LabelKept => {
            let json = LabelJson { member: NameJson(member), name };
            Ok(reply::json(StatusCode::OK, &json))
        }
        Outcome::Rejected(rejection) => Err(rejection.into()),
        other => Err(Problem::internal(other)),
    };
    call.submit_one(intent, false, answer).await
}

/// `POST /v1/members`
pub(super) async fn post(call: &Call<'_>) -> Result<Reply, Problem> {
    let body: LabelWrites<'_> = call.json()?;
    let mut batch = Batch::of(&body.members, |Object(row)| {
        let member = scores::member(row.member)?;
        Ok(Intent::Label { member, label: Some(label(row.name)?) })
    })?;
    let receipt = call.submit(batch.take_intents(), false).await?;
    batch.report(receipt.answer, |_, rejection| rejection.to_string())
}

/// `GET /v1/members/{member}`
pub(super) fn read(call: &Call<'_>) -> Result<Reply, Problem> {
    let member = call.name("member")?;
    match call.engine.label(&member) {
        Some(name) => {
            let json = LabelJson { member: NameJson(member), name };
            Ok(reply::json(StatusCode::OK, &json))
        }
        None => Err(unnamed(&member)),
    }
}

/// `DELETE /v1/members/{member}`
pub(super) async fn remove(call: &Call<'_>) -> Result<Reply, Problem> {
    let member = call.written_name("member")?;
    let intent = Intent::Label { member: member.clone(), label: None };
    let answer = |outcome| match outcome {
        Outcome::Labelled => Ok(reply::no_content()),
        Outcome::Rejected(Rejection::UnknownMember) => Err(unnamed(&member)),
        Outcome::Rejected(rejection) => Err(rejection.into()),
        other => Err(Problem::internal(other)),
    };
    call.submit_one(intent, false, answer).await
}

fn unnamed(member: &[u8]) -> Problem {
    let detail = format!("{} has no display name", shown_name(member));
    Problem::new(Slug::UnknownMember, detail)
}

fn label(raw: Option<&RawValue>) -> Result<Box<str>, String> {
    let raw = raw.ok_or("name is missing; it must be a string")?;
    let text: Box<str> = serde_json::from_str(raw.get())
        .map_err(|_| format!("name is {}; it must be a string", shown(raw.get())))?;
    if (1..=LABEL_BYTES_MAX).contains(&text.len()) {
        return Ok(text);
    }
    Err(format!(
        "name {:?} has {} bytes; display names have 1 to {LABEL_BYTES_MAX}",
        shown(&text),
        text.len()
    ))
}
