//! Boards: create, read, list, delete.

use hyper::StatusCode;
use rankd_engine::{
    BoardInfo, Definition, Intent, Name, Operator, Order, Outcome, Rejection, ScoreKind, Ties,
};
use serde::{Deserialize, Serialize};

use super::{Call, unknown_board};
use crate::json::{NameJson, TimeJson};
use crate::limits::PAGE_ENTRIES_MAX;
use crate::names;
use crate::problem::{Problem, Slug, shown_name};
use crate::reply::{self, Reply};

/// Boards in a listing that names no limit.
const LISTED_DEFAULT: u64 = 100;

/// What a request may say of a board; what it leaves out has a default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionBody {
    order: Option<Order>,
    score: Option<ScoreKind>,
    operator: Option<Operator>,
    ties: Option<Ties>,
    keep_at: Option<bool>,
}

/// A definition as replies show it.
#[derive(Debug, Serialize)]
struct DefinitionJson {
    order: Order,
    score: ScoreKind,
    operator: Operator,
    ties: Ties,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_at: Option<bool>,
}

/// A board as replies show it.
#[derive(Debug, Serialize)]
struct BoardJson {
    board: NameJson,
    #[serde(flatten)]
    definition: DefinitionJson,
    count: u64,
    created_at: Option<TimeJson>,
    changed_at: Option<TimeJson>,
}

#[derive(Debug, Serialize)]
struct BoardList {
    boards: Vec<BoardJson>,
    cursor: Option<String>,
}

impl DefinitionBody {
    fn resolve(self) -> Result<Definition, Problem> {
        let default = Definition::default();
        let ties = self.ties.unwrap_or(default.ties);
        if self.keep_at.is_some() && ties != Ties::Member {
            let detail = "keep_at is given, but only boards with ties \"member\" have the choice";
            return Err(Problem::new(Slug::InvalidBody, detail));
        }
        let definition = Definition {
            order: self.order.unwrap_or(default.order),
            score: self.score.unwrap_or(default.score),
            operator: self.operator.unwrap_or(default.operator),
            ties,
            keep_at: self.keep_at.unwrap_or(false),
        };
        Ok(definition.normalised())
    }
}

impl From<Definition> for DefinitionJson {
    fn from(definition: Definition) -> Self {
        let Definition { order, score, operator, ties, keep_at } = definition;
        Self { order, score, operator, ties, keep_at: (ties == Ties::Member).then_some(keep_at) }
    }
}

impl From<BoardInfo> for BoardJson {
    fn from(info: BoardInfo) -> Self {
        Self {
            board: NameJson(info.name),
            definition: info.definition.into(),
            count: info.members,
            created_at: Some(TimeJson(info.created_ms)),
            changed_at: Some(TimeJson(info.changed_ms)),
        }
    }
}

/// `PUT /v1/boards/{board}`
pub(super) async fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    let name = call.written_name("board")?;
    let body = if call.body.is_empty() { DefinitionBody::default() } else { call.json()? };
    let definition = body.resolve()?;
    let intent = Intent::CreateBoard { name: name.clone(), definition };
    call.submit_one(intent, false, |outcome| created(call, name, definition, outcome)).await
}

fn created(
    call: &Call<'_>,
    name: Name,
    definition: Definition,
    outcome: Outcome,
) -> Result<Reply, Problem> {
    let status = match outcome {
        Outcome::Created { .. } => StatusCode::CREATED,
        Outcome::Existed { .. } => StatusCode::OK,
        Outcome::Rejected(Rejection::DefinitionDiffers(existing)) => {
            return Err(differs(&name, existing, definition));
        }
        Outcome::Rejected(rejection) => return Err(rejection.into()),
        other => return Err(Problem::internal(other)),
    };
    let board = match call.engine.board(&name) {
        Some(board) => board.info().into(),
        // Deleted since: this is what it was.
        None => BoardJson {
            board: NameJson(name),
            definition: definition.into(),
            count: 0,
            created_at: None,
            changed_at: None,
        },
    };
    Ok(reply::json(status, &board))
}

fn differs(name: &[u8], existing: Definition, asked: Definition) -> Problem {
    let spelled = |definition: Definition| {
        serde_json::to_string(&DefinitionJson::from(definition))
            .expect("a definition is a flat object")
    };
    let detail = format!(
        "board {} exists as {}, and the request defines it as {}",
        shown_name(name),
        spelled(existing),
        spelled(asked)
    );
    Problem::new(Slug::BoardDiffers, detail)
}

/// `GET /v1/boards/{board}`
pub(super) fn read(call: &Call<'_>) -> Result<Reply, Problem> {
    Ok(reply::json(StatusCode::OK, &BoardJson::from(call.board()?.info())))
}

/// `DELETE /v1/boards/{board}`
pub(super) async fn delete(call: &Call<'_>) -> Result<Reply, Problem> {
    let name = call.written_name("board")?;
    let intent = Intent::DeleteBoard { name: name.clone() };
    let answer = |outcome| match outcome {
        Outcome::Deleted => Ok(reply::no_content()),
        Outcome::Rejected(Rejection::UnknownBoard) => Err(unknown_board(&name)),
        Outcome::Rejected(rejection) => Err(rejection.into()),
        other => Err(Problem::internal(other)),
    };
    call.submit_one(intent, false, answer).await
}

/// `GET /v1/boards`
pub(super) fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let prefix = call.query.bytes("prefix")?.unwrap_or_default();
    let limit = call.query.unsigned("limit", 1, PAGE_ENTRIES_MAX as u64, LISTED_DEFAULT)?;
    let limit = usize::try_from(limit).unwrap_or(PAGE_ENTRIES_MAX);
    let after = match call.query.text("cursor")? {
        Some(cursor) => Some(names::after_cursor(&cursor)?),
        None => None,
    };
    let found = visible(call, &prefix, after.as_deref(), limit);
    // A full page may be the last one; looking for one more board tells.
    let cursor = match found.last() {
        Some(last) if found.len() == limit => {
            let more = !visible(call, &prefix, Some(&last.name), 1).is_empty();
            more.then(|| names::cursor_after(&last.name))
        }
        _ => None,
    };
    let boards = found.into_iter().map(BoardJson::from).collect();
    Ok(reply::json(StatusCode::OK, &BoardList { boards, cursor }))
}

/// The next boards in the order of their names, as far as the request's key shows them.
fn visible(call: &Call<'_>, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<BoardInfo> {
    let Some(shown) = call.permit.prefixes() else {
        return call.engine.boards(prefix, after, limit);
    };
    // None of a key's prefixes begins with another, so their boards follow each other as they do.
    let mut found = Vec::new();
    for shown in shown {
        let narrower: &[u8] = if shown.starts_with(prefix) {
            shown
        } else if prefix.starts_with(shown) {
            prefix
        } else {
            continue;
        };
        found.extend(call.engine.boards(narrower, after, limit - found.len()));
        if found.len() == limit {
            break;
        }
    }
    found
}
