//! Handlers: one file a group of routes. Each turns a [`Call`] into intents or queries, and what
//! the engine says into a reply. None of them knows about connections, headers or logging.

mod batch;
mod boards;
mod labels;
pub(crate) mod ops;
pub(crate) mod orgs;
mod reads;
mod scores;

use std::sync::Arc;

use matchit::Params;
use rankd_engine::{
    Answer, Board, Engine, IdempotencyKey, Intent, KeptOutcomes, Name, Outcome, RankStyle, Receipt,
};
use serde::Deserialize;

use crate::body;
use crate::json::JsonWriter;
use crate::keys::Permit;
use crate::names;
use crate::nodes::Written;
use crate::problem::{Problem, Slug, shown, shown_name};
use crate::query::Query;
use crate::reply::{self, Reply};
use crate::table::Action;

pub(crate) use self::reads::asked_boards;

/// Room for a hot reply, in bytes.
const HOT_BYTES: usize = 256;

/// A request, as far as HTTP goes: found, complete, and with known parameters only.
pub(crate) struct Call<'a> {
    pub(crate) engine: &'a Engine,
    /// Undecoded segments of the path.
    pub(crate) params: &'a Params<'a, 'a>,
    pub(crate) query: &'a Query<'a>,
    /// What the request may do; which boards it names was checked.
    pub(crate) permit: &'a Permit,
    /// Empty if there is none.
    pub(crate) body: &'a [u8],
    pub(crate) idempotency: Option<IdempotencyKey>,
    /// What the handler has written.
    pub(crate) written: Written,
}

/// Calls the handler of a route that needs the engine.
pub(crate) async fn dispatch(action: Action, call: &Call<'_>) -> Result<Reply, Problem> {
    match action {
        Action::ListBoards => boards::list(call),
        Action::CreateBoard => boards::create(call).await,
        Action::ReadBoard => boards::read(call),
        Action::DeleteBoard => boards::delete(call).await,
        Action::PutScore => scores::put(call).await,
        Action::PostScores => scores::post(call).await,
        Action::RemoveMember => scores::remove(call).await,
        Action::ReadMember | Action::Around | Action::Top => {
            let mut json = JsonWriter::with_capacity(HOT_BYTES);
            write_hot(action, call, &mut json)?;
            Ok(reply::json_bytes(json.into_inner()))
        }
        Action::ByScore => reads::by_score(call),
        Action::Ranks => reads::ranks(call),
        Action::MemberRanks => reads::member_ranks(call),
        Action::PutLabel => labels::put(call).await,
        Action::PutLabels => labels::post(call).await,
        Action::ReadLabel => labels::read(call),
        Action::RemoveLabel => labels::remove(call).await,
        Action::Snapshot => ops::snapshot(call.engine).await,
        Action::Health
        | Action::Ready
        | Action::Metrics
        | Action::OpenApi
        | Action::Docs
        | Action::Console
        | Action::Org(_) => Err(Problem::internal(action)),
    }
}

/// Whether [`write_hot`] answers a route.
pub(crate) fn is_hot(action: Action) -> bool {
    matches!(action, Action::ReadMember | Action::Around | Action::Top)
}

/// Writes the body of an answer that is asked for again and again: 200, JSON, and no header of its
/// own.
pub(crate) fn write_hot(
    action: Action,
    call: &Call<'_>,
    json: &mut JsonWriter,
) -> Result<(), Problem> {
    match action {
        Action::ReadMember => reads::member(call, json),
        Action::Around => reads::around(call, json),
        Action::Top => reads::top(call, json),
        _ => Err(Problem::internal(action)),
    }
}

impl Call<'_> {
    /// The decoded name in the path.
    fn name(&self, what: &'static str) -> Result<Name, Problem> {
        names::decode(self.params.get(what).unwrap_or(""), what)
    }

    /// The decoded name in the path, fit to be written.
    fn written_name(&self, what: &'static str) -> Result<Name, Problem> {
        let name = self.name(what)?;
        names::check_utf8(&name, what)?;
        Ok(name)
    }

    /// The board in the path.
    fn board(&self) -> Result<Arc<Board>, Problem> {
        let name = self.name("board")?;
        self.engine.board(&name).ok_or_else(|| unknown_board(&name))
    }

    fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        body::parse(self.body)
    }

    /// How equal scores are to be ranked.
    fn style(&self) -> Result<RankStyle, Problem> {
        match self.query.text("style")?.as_deref() {
            None | Some("ordinal") => Ok(RankStyle::Ordinal),
            Some("competition") => Ok(RankStyle::Competition),
            Some("dense") => Ok(RankStyle::Dense),
            Some(other) => Err(Problem::parameter(
                "style",
                format!("{:?}", shown(other)),
                "ordinal, competition or dense",
            )),
        }
    }

    async fn submit(&self, intents: Vec<Intent>, with_ranks: bool) -> Result<Receipt, Problem> {
        let key = self.idempotency.clone();
        let receipt = self.engine.submit(intents, with_ranks, key).await?;
        self.written.remember(self.engine, receipt.sequence);
        Ok(receipt)
    }

    /// Submits one intent. `answer` words its outcome, which may be that of an earlier request;
    /// what repeats an answer is marked, also if it is a problem.
    async fn submit_one(
        &self,
        intent: Intent,
        with_ranks: bool,
        answer: impl FnOnce(Outcome) -> Result<Reply, Problem>,
    ) -> Result<Reply, Problem> {
        match self.submit(vec![intent], with_ranks).await?.answer {
            Answer::Fresh(outcomes) => match <[Outcome; 1]>::try_from(outcomes) {
                Ok([outcome]) => answer(outcome),
                Err(outcomes) => Err(Problem::internal(outcomes)),
            },
            Answer::Repeated(KeptOutcomes::One(outcome)) => reply::replayed(answer(*outcome), true),
            Answer::Repeated(many) => Err(Problem::internal(many)),
        }
    }
}

fn unknown_board(name: &[u8]) -> Problem {
    Problem::new(Slug::UnknownBoard, format!("there is no board {}", shown_name(name)))
}

fn unknown_member(member: &[u8], board: &[u8]) -> Problem {
    let detail = format!("{} is not on board {}", shown_name(member), shown_name(board));
    Problem::new(Slug::UnknownMember, detail)
}
