//! Writing scores: one, many, and taking a member off.

use rankd_engine::{Intent, Name, Operator, Outcome, Placed, Rejection, ScoreKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::batch::Batch;
use super::{Call, unknown_board, unknown_member};
use crate::body::Object;
use crate::json::JsonWriter;
use crate::names;
use crate::numbers::{self, Operand};
use crate::problem::{Problem, Slug, shown};
use crate::reply::{self, Reply};
use crate::times;

/// The body of `PUT /v1/boards/{board}/members/{member}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreWrite<'a> {
    #[serde(borrow)]
    score: Option<&'a RawValue>,
    #[serde(borrow)]
    at: Option<&'a RawValue>,
    operator: Option<Operator>,
}

/// The body of `POST /v1/boards/{board}/scores`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreWrites<'a> {
    #[serde(borrow)]
    scores: Vec<Object<ScoreRow<'a>>>,
}

/// One row of it. The values are kept as they are spelled: a wrong one spoils its row only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreRow<'a> {
    #[serde(borrow)]
    member: Option<&'a RawValue>,
    #[serde(borrow)]
    score: Option<&'a RawValue>,
    #[serde(borrow)]
    at: Option<&'a RawValue>,
    #[serde(borrow)]
    operator: Option<&'a RawValue>,
}

/// `PUT /v1/boards/{board}/members/{member}`
pub(super) async fn put(call: &Call<'_>) -> Result<Reply, Problem> {
    let board = call.written_name("board")?;
    let member = call.written_name("member")?;
    let body: ScoreWrite<'_> = call.json()?;
    let invalid_score = |detail| Problem::new(Slug::InvalidScore, detail);
    let operand = operand(body.score, || kind_of(call, &board)).map_err(invalid_score)?;
    let at_ms = time(body.at).map_err(|detail| Problem::new(Slug::InvalidTime, detail))?;
    let intent = Intent::Write {
        board: board.clone(),
        member: member.clone(),
        score: operand.score,
        operator: body.operator,
        at_ms,
    };
    let answer = |outcome| match outcome {
        Outcome::Written { current, previous, changed } => {
            Ok(reply::json_bytes(written(&member, current, previous, changed)))
        }
        Outcome::Rejected(Rejection::UnknownBoard) => Err(unknown_board(&board)),
        Outcome::Rejected(Rejection::Score(error)) => Err(invalid_score(operand.explain(error))),
        Outcome::Rejected(rejection) => Err(rejection.into()),
        other => Err(Problem::internal(other)),
    };
    call.submit_one(intent, true, answer).await
}

fn written(member: &[u8], current: Placed, previous: Option<Placed>, changed: bool) -> Vec<u8> {
    let mut json = JsonWriter::with_capacity(member.len() + 160);
    json.raw("{\"member\":").name(member);
    json.raw(",\"score\":").score(current.score);
    json.raw(",\"rank\":").unsigned(current.rank);
    match previous {
        None => json.raw(",\"previous\":null"),
        Some(Placed { score, rank }) => {
            json.raw(",\"previous\":{\"score\":").score(score);
            json.raw(",\"rank\":").unsigned(rank).raw("}")
        }
    };
    json.finish(if changed { ",\"changed\":true}" } else { ",\"changed\":false}" })
}

/// `POST /v1/boards/{board}/scores`
pub(super) async fn post(call: &Call<'_>) -> Result<Reply, Problem> {
    let board = call.written_name("board")?;
    let body: ScoreWrites<'_> = call.json()?;
    let kind = kind_of(call, &board);
    let mut batch = Batch::of(&body.scores, |Object(row)| row.intent(&board, kind))?;
    let receipt = call.submit(batch.take_intents(), false).await?;
    batch.report(receipt.answer, |index, rejection| {
        let spelled = body.scores.get(index).and_then(|Object(row)| row.score);
        match (rejection, spelled.map(numbers::operand)) {
            (Rejection::Score(error), Some(Ok(operand))) => operand.explain(error),
            (other, _) => other.to_string(),
        }
    })
}

impl ScoreRow<'_> {
    fn intent(&self, board: &Name, kind: ScoreKind) -> Result<Intent, String> {
        Ok(Intent::Write {
            board: board.clone(),
            member: member(self.member)?,
            score: operand(self.score, || kind)?.score,
            operator: operator(self.operator)?,
            at_ms: time(self.at)?,
        })
    }
}

/// `DELETE /v1/boards/{board}/members/{member}`
pub(super) async fn remove(call: &Call<'_>) -> Result<Reply, Problem> {
    let board = call.written_name("board")?;
    let member = call.written_name("member")?;
    let intent = Intent::Remove { board: board.clone(), member: member.clone() };
    let answer = |outcome| match outcome {
        Outcome::Removed => Ok(reply::no_content()),
        Outcome::Rejected(Rejection::UnknownBoard) => Err(unknown_board(&board)),
        Outcome::Rejected(Rejection::UnknownMember) => Err(unknown_member(&member, &board)),
        Outcome::Rejected(rejection) => Err(rejection.into()),
        other => Err(Problem::internal(other)),
    };
    call.submit_one(intent, false, answer).await
}

/// Which scores the board holds; a board that is yet to be created will hold the default kind.
fn kind_of(call: &Call<'_>, board: &[u8]) -> ScoreKind {
    let default = rankd_engine::Definition::default().score;
    call.engine.board(board).map_or(default, |board| board.definition().score)
}

fn operand<'a>(
    raw: Option<&'a RawValue>,
    kind: impl FnOnce() -> ScoreKind,
) -> Result<Operand<'a>, String> {
    let raw = raw.ok_or("score is missing; it must be a number")?;
    let operand = numbers::operand(raw)?;
    // Everything else that may be wrong with it depends on the board, and the engine tells.
    if operand.rounded {
        operand.check(kind())?;
    }
    Ok(operand)
}

fn time(raw: Option<&RawValue>) -> Result<Option<i64>, String> {
    raw.map(times::parse).transpose()
}

fn operator(raw: Option<&RawValue>) -> Result<Option<Operator>, String> {
    let Some(raw) = raw else { return Ok(None) };
    serde_json::from_str(raw.get()).map(Some).map_err(|_| {
        let value = shown(raw.get());
        format!("operator is {value}; it must be \"latest\", \"best\", \"sum\", \"min\" or \"max\"")
    })
}

/// The member of a row.
pub(super) fn member(raw: Option<&RawValue>) -> Result<Name, String> {
    let raw = raw.ok_or("member is missing; it must be a string")?;
    let text: String = serde_json::from_str(raw.get())
        .map_err(|_| format!("member is {}; it must be a string", shown(raw.get())))?;
    let name: Name = text.into_bytes().into();
    names::check_length(&name, "member").map_err(|problem| problem.detail().to_owned())?;
    Ok(name)
}
