//! Reading ranks. All of it is one look at the engine and one pass of writing JSON.

use rankd_engine::{Engine, Entry, Name, RankStyle, Score, Standing};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Call, scores, unknown_member};
use crate::json::JsonWriter;
use crate::limits::{BOARDS_PER_READ_MAX, PAGE_ENTRIES_MAX, RADIUS_MAX, RANKS_MEMBERS_MAX};
use crate::names;
use crate::numbers;
use crate::problem::{Problem, Slug, shown};
use crate::query::{self, Query};
use crate::reply::{self, Reply};

/// Entries of a page that names no limit.
const TOP_DEFAULT: u64 = 10;
/// Entries of a score range that names no limit.
const BY_SCORE_DEFAULT: u64 = 100;
/// Neighbours on either side where the request does not say.
const RADIUS_DEFAULT: u64 = 5;
/// Bytes that an entry takes in JSON, about; buffers start with room for that much.
const ENTRY_BYTES: usize = 96;

/// `GET /v1/boards/{board}/members/{member}`
pub(super) fn member(call: &Call<'_>, json: &mut JsonWriter) -> Result<(), Problem> {
    let style = call.style()?;
    let member = call.name("member")?;
    let board = call.board()?;
    let Some(standing) = board.standing(&member, style) else {
        return Err(unknown_member(&member, &call.name("board")?));
    };
    json.raw("{\"member\":").name(&member);
    write_standing(json, &standing);
    json.raw("}");
    Ok(())
}

/// Everything of a standing but whose it is.
fn write_standing(json: &mut JsonWriter, standing: &Standing) {
    let &Standing { score, rank, total, at_ms } = standing;
    json.raw(",\"score\":").score(score);
    json.raw(",\"rank\":").unsigned(rank);
    json.raw(",\"total\":").unsigned(total);
    json.raw(",\"percentile\":").float(percentile(rank, total));
    json.raw(",\"at\":").time(at_ms);
}

/// How many of the others, in percent, rank below; 100 for somebody who is alone.
fn percentile(rank: u64, total: u64) -> f64 {
    if total <= 1 {
        return 100.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a percentage of members in memory")]
    let share = total.saturating_sub(rank) as f64 / (total - 1) as f64;
    100.0 * share
}

/// `GET /v1/boards/{board}/members/{member}/around`
pub(super) fn around(call: &Call<'_>, json: &mut JsonWriter) -> Result<(), Problem> {
    let radius = call.query.unsigned("radius", 0, RADIUS_MAX as u64, RADIUS_DEFAULT)?;
    let radius = usize::try_from(radius).unwrap_or(RADIUS_MAX);
    let extras = Extras::asked(call)?;
    let member = call.name("member")?;
    let Some(page) = call.board()?.around(&member, radius) else {
        return Err(unknown_member(&member, &call.name("board")?));
    };
    write_page(json, "total", page.total, &page.entries, &extras);
    Ok(())
}

/// `GET /v1/boards/{board}/top`
pub(super) fn top(call: &Call<'_>, json: &mut JsonWriter) -> Result<(), Problem> {
    let limit = limit(call, TOP_DEFAULT)?;
    let offset = call.query.unsigned("offset", 0, u64::MAX, 0)?;
    let extras = Extras::asked(call)?;
    let page = call.board()?.top(offset, limit);
    write_page(json, "total", page.total, &page.entries, &extras);
    Ok(())
}

/// `GET /v1/boards/{board}/scores`
pub(super) fn by_score(call: &Call<'_>) -> Result<Reply, Problem> {
    let limit = limit(call, BY_SCORE_DEFAULT)?;
    let extras = Extras::asked(call)?;
    let board = call.board()?;
    let bound = |name: &str, open: &str| -> Result<Option<Score>, Problem> {
        let Some(text) = call.query.text(name)? else { return Ok(None) };
        numbers::bound(&text, board.definition().score, open)
            .map_err(|must| Problem::parameter(name, format!("{:?}", shown(&text)), must))
    };
    let min = bound("min", "-inf")?;
    let max = bound("max", "inf")?;
    if matches!((&min, &max), (Some(min), Some(max)) if min.compare(max).is_gt()) {
        return Ok(count_reply(0, &[], &extras));
    }
    let page = board.by_score(min, max, limit);
    Ok(count_reply(page.count, &page.entries, &extras))
}

fn limit(call: &Call<'_>, default: u64) -> Result<usize, Problem> {
    let limit = call.query.unsigned("limit", 1, PAGE_ENTRIES_MAX as u64, default)?;
    Ok(usize::try_from(limit).unwrap_or(PAGE_ENTRIES_MAX))
}

fn count_reply(count: u64, entries: &[Entry], extras: &Extras<'_>) -> Reply {
    let mut json = JsonWriter::with_capacity(64 + entries.len() * ENTRY_BYTES);
    write_page(&mut json, "count", count, entries, extras);
    reply::json_bytes(json.into_inner())
}

fn write_page(
    json: &mut JsonWriter,
    counted: &str,
    count: u64,
    entries: &[Entry],
    extras: &Extras<'_>,
) {
    json.raw("{\"").raw(counted).raw("\":").unsigned(count);
    json.raw(",\"entries\":[");
    for (index, entry) in entries.iter().enumerate() {
        json.raw(if index == 0 { "{\"rank\":" } else { ",{\"rank\":" }).unsigned(entry.rank);
        write_entry(json, entry, extras);
    }
    json.raw("]}");
}

/// The rest of an entry, after its rank.
fn write_entry(json: &mut JsonWriter, entry: &Entry, extras: &Extras<'_>) {
    json.raw(",\"member\":").name(&entry.member);
    json.raw(",\"score\":").score(entry.score);
    if let Some(engine) = extras.names {
        json.raw(",\"name\":").optional_string(engine.label(&entry.member).as_deref());
    }
    if extras.times {
        json.raw(",\"at\":").time(entry.at_ms);
    }
    json.raw("}");
}

/// What a request asks for in each entry, beyond rank, member and score.
struct Extras<'a> {
    /// Where display names come from.
    names: Option<&'a Engine>,
    times: bool,
}

impl<'a> Extras<'a> {
    fn asked(call: &Call<'a>) -> Result<Self, Problem> {
        let names = call.query.flag("names")?.then_some(call.engine);
        Ok(Self { names, times: call.query.flag("times")? })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RanksQuery<'a> {
    #[serde(borrow)]
    members: Vec<&'a RawValue>,
}

/// `POST /v1/boards/{board}/ranks`
pub(super) fn ranks(call: &Call<'_>) -> Result<Reply, Problem> {
    let extras = Extras::asked(call)?;
    let members = listed_members(&call.json::<RanksQuery<'_>>()?.members)?;
    let list = call.board()?.ranks(&members);
    let mut json = JsonWriter::with_capacity(64 + members.len() * ENTRY_BYTES);
    json.raw("{\"total\":").unsigned(list.total).raw(",\"entries\":[");
    for (position, entry) in (1..).zip(&list.entries) {
        json.raw(if position == 1 { "{\"rank\":" } else { ",{\"rank\":" }).unsigned(entry.rank);
        json.raw(",\"position\":").unsigned(position);
        write_entry(&mut json, entry, &extras);
    }
    json.raw("]");
    write_missing(&mut json, &list.missing);
    Ok(reply::json_bytes(json.finish("}")))
}

/// The members of a list; the engine answers for each of them once.
fn listed_members(rows: &[&RawValue]) -> Result<Vec<Name>, Problem> {
    if rows.len() > RANKS_MEMBERS_MAX {
        let detail = format!("members has {} items; the limit is {RANKS_MEMBERS_MAX}", rows.len());
        return Err(Problem::new(Slug::TooManyItems, detail));
    }
    let numbered = rows.iter().enumerate();
    let members = numbered.map(|(index, row)| {
        scores::member(Some(row)).map_err(|detail| {
            Problem::new(Slug::InvalidName, format!("item {index} of members: {detail}"))
        })
    });
    members.collect()
}

fn write_missing(json: &mut JsonWriter, missing: &[Name]) {
    json.raw(",\"missing\":[");
    for (index, name) in missing.iter().enumerate() {
        json.raw(if index == 0 { "" } else { "," }).name(name);
    }
    json.raw("]");
}

/// `GET /v1/members/{member}/ranks`
pub(super) fn member_ranks(call: &Call<'_>) -> Result<Reply, Problem> {
    let style = call.style()?;
    let member = call.name("member")?;
    let boards = asked_boards(call.query)?;
    let mut json = JsonWriter::with_capacity(64 + boards.len() * 2 * ENTRY_BYTES);
    json.raw("{\"member\":").name(&member).raw(",\"entries\":[");
    let mut missing = Vec::new();
    let mut first = true;
    for board in boards {
        match standing(call, &board, &member, style) {
            Some(standing) => {
                json.raw(if first { "{\"board\":" } else { ",{\"board\":" }).name(&board);
                write_standing(&mut json, &standing);
                json.raw("}");
                first = false;
            }
            None => missing.push(board),
        }
    }
    json.raw("]");
    write_missing(&mut json, &missing);
    Ok(reply::json_bytes(json.finish("}")))
}

fn standing(call: &Call<'_>, board: &[u8], member: &[u8], style: RankStyle) -> Option<Standing> {
    call.engine.board(board)?.standing(member, style)
}

/// The boards of a comma-separated list, each once. Commas within names are percent-encoded.
pub(crate) fn asked_boards(query: &Query<'_>) -> Result<Vec<Name>, Problem> {
    let Some(raw) = query.raw("boards").filter(|raw| !raw.is_empty()) else {
        let must = format!("1 to {BOARDS_PER_READ_MAX} names of boards, separated by commas");
        return Err(Problem::parameter("boards", "missing or empty", must));
    };
    let count = raw.split(',').count();
    if count > BOARDS_PER_READ_MAX {
        let detail = format!("boards has {count} names; the limit is {BOARDS_PER_READ_MAX}");
        return Err(Problem::new(Slug::InvalidParameter, detail));
    }
    let mut boards: Vec<Name> = Vec::with_capacity(count);
    for part in raw.split(',') {
        let board: Name = query::decoded(part, "boards")?.into();
        names::check_length(&board, "boards")?;
        if !boards.contains(&board) {
            boards.push(board);
        }
    }
    Ok(boards)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn the_first_is_at_100_percent_and_the_last_at_0() {
        assert_eq!(percentile(1, 1), 100.0);
        assert_eq!(percentile(1, 5), 100.0);
        assert_eq!(percentile(3, 5), 50.0);
        assert_eq!(percentile(5, 5), 0.0);
    }
}
