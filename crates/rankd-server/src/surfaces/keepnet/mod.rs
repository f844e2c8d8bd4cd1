//! The Keepnet reseller gamification API: a company's target users by security-behaviour points.
//!
//! What it is: paths, bodies and envelopes of that API, and dates in the company's time. What it
//! is not: a ranking; every order, sum and total comes from `rankd-orgs`.
//!
//! Invariant: whatever goes wrong comes in this API's envelope, and all of an answer is computed
//! from one reading of the clock. Checks go from the client to the company to the body.

mod auth;
mod board;
mod body;
mod companies;
mod dates;
mod envelope;
mod export;
mod filter;
mod forms;
mod limits;
mod page;
mod percent;
mod performance;
#[cfg(test)]
mod testing;
mod timeline;
mod token;
mod window;

use hyper::StatusCode;
use rankd_orgs::Role;

use self::auth::{Client, Company};
use self::body::Fields;
use self::envelope::{Problems, Refusal, success};
use super::{SurfaceCall, compute};
use crate::reply::Reply;

/// Answers a request.
pub(super) async fn answer(call: &SurfaceCall<'_>) -> Reply {
    if call.path() == "/connect/token" {
        return token::answer(call).await;
    }
    answered(call).await.unwrap_or_else(Refusal::into_reply)
}

/// Words what was refused before this API was asked.
pub(super) fn refusal(status: StatusCode, detail: &str) -> Reply {
    envelope::refusal(status, detail).into_reply()
}

/// Words what was refused before a token request was looked at.
pub(super) fn token_refusal(status: StatusCode) -> Reply {
    token::refusal(status, token::code(status))
}

async fn answered(call: &SurfaceCall<'_>) -> Result<Reply, Refusal> {
    let client = auth::client(call)?;
    if call.path() == "/api/companies/search" {
        return companies(call, &client).await;
    }
    let company = auth::company(call, &client)?;
    match call.path().strip_prefix("/api/leaderboard/").unwrap_or_default() {
        "get-top-performers" => top_performers(call, company).await,
        "get-all" => get_all(call, company).await,
        "get-all/export" => get_all_export(call, company).await,
        "user-performance" => user_performance(call, company).await,
        "get-user-timeline" => timeline(call, company).await,
        "get-user-timeline/export" => timeline_export(call, company).await,
        "form-details" => Ok(success(forms::details())),
        _ => Err(Refusal::NotFound("there is nothing at this path".to_owned())),
    }
}

/// Reads a body; the error names all of its problems.
fn read<T>(
    call: &SurfaceCall<'_>,
    read: impl FnOnce(&Fields<'_>, &mut Problems) -> T,
) -> Result<T, Refusal> {
    let body = body::parse(call.head.headers(), call.body)?;
    let mut problems = Problems::default();
    let read = read(&Fields::new(&body), &mut problems);
    problems.check().map(|()| read)
}

/// Reads a body that has a window.
fn read_windowed<T>(
    call: &SurfaceCall<'_>,
    company: &Company,
    rest: impl FnOnce(&Fields<'_>, &mut Problems) -> T,
) -> Result<(window::Asked, T), Refusal> {
    let (window, rest) = read(call, |fields, problems| {
        let window = window::read(fields, &company.zone, call.now_ms, problems);
        (window, rest(fields, problems))
    })?;
    Ok((window.expect("what is no window is a problem"), rest))
}

async fn companies(call: &SurfaceCall<'_>, client: &Client) -> Result<Reply, Refusal> {
    if client.role != Role::Reseller {
        return Err(Refusal::Forbidden("the list of companies is for resellers"));
    }
    let asked = read(call, companies::Asked::read)?.expect("what is missing is a problem");
    let (reseller, now_ms) = (client.credential.org, call.now_ms);
    let search = move |orgs: &_| success(companies::search(orgs, reseller, &asked, now_ms));
    Ok(compute(call.engine, search).await)
}

async fn top_performers(call: &SurfaceCall<'_>, company: Company) -> Result<Reply, Refusal> {
    let (window, ()) = read_windowed(call, &company, |_, _| ())?;
    let now_ms = call.now_ms;
    compute(call.engine, move |orgs| {
        let (total, rows) = board::top(&board::of(orgs, company.id, window, now_ms)?);
        Ok(success(board::top_page(total, &rows)))
    })
    .await
}

async fn get_all(call: &SurfaceCall<'_>, company: Company) -> Result<Reply, Refusal> {
    let (window, asked) = read_windowed(call, &company, board::Asked::read)?;
    let (turn, now_ms) = (asked.turn().await, call.now_ms);
    compute(call.engine, move |orgs| {
        let _turn = turn;
        let picked = asked.pick(board::of(orgs, company.id, window, now_ms)?);
        Ok(success(picked.page(&asked)))
    })
    .await
}

async fn get_all_export(call: &SurfaceCall<'_>, company: Company) -> Result<Reply, Refusal> {
    let (window, (export, asked)) = read_windowed(call, &company, |fields, problems| {
        (export::Asked::read(fields, problems), board::Asked::read(fields, problems))
    })?;
    let asked = if export.all_pages { asked.all_pages() } else { asked };
    let (turn, now_ms) = (asked.turn().await, call.now_ms);
    compute(call.engine, move |orgs| {
        let _turn = turn;
        let picked = asked.pick(board::of(orgs, company.id, window, now_ms)?);
        let file = export::csv(&board::ROW_COLUMNS, &picked.shown());
        Ok(export::reply(file, "attachment; filename=\"leaderboard.csv\""))
    })
    .await
}

async fn user_performance(call: &SurfaceCall<'_>, company: Company) -> Result<Reply, Refusal> {
    let (window, user) = read_windowed(call, &company, |fields, problems| {
        fields.text("targetUserResourceId", problems).unwrap_or_default().to_owned()
    })?;
    if user.is_empty() {
        return Ok(success([(); 0]));
    }
    let now_ms = call.now_ms;
    compute(call.engine, move |orgs| {
        performance::of(orgs, &company, &user, window, now_ms).map(success)
    })
    .await
}

async fn timeline(call: &SurfaceCall<'_>, company: Company) -> Result<Reply, Refusal> {
    let (window, asked) = read_windowed(call, &company, timeline::Asked::read)?;
    compute(call.engine, move |orgs| {
        let picked = asked.pick(orgs, &company, window)?;
        Ok(success(asked.page(&picked, &company.zone)))
    })
    .await
}

async fn timeline_export(call: &SurfaceCall<'_>, company: Company) -> Result<Reply, Refusal> {
    let (window, (export, asked)) = read_windowed(call, &company, |fields, problems| {
        (export::Asked::read(fields, problems), timeline::Asked::read(fields, problems))
    })?;
    let asked = if export.all_pages { asked.all_pages() } else { asked };
    let turn = if export.all_pages { board::whole_board_turn().await } else { None };
    compute(call.engine, move |orgs| {
        let _turn = turn;
        let picked = asked.pick(orgs, &company, window)?;
        let file = export::csv(&timeline::ROW_COLUMNS, &timeline::rows(&picked, &company.zone));
        Ok(export::reply(file, "attachment; filename=\"timeline.csv\""))
    })
    .await
}
