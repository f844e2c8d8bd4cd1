//! Members that leave their board at a time: ZEXPIRE and its family, shaped as HEXPIRE is for the
//! fields of a hash since Redis 7.4.

use rankd_engine::WrongKind;

use crate::args::{is, long};
use crate::commands::keys::{Conditions, When, invalid_time};
use crate::failure::{Done, Failure};
use crate::window::Cx;

/// What is said of a member that is not there, has no end, or whose end is as it was.
const NO_MEMBER: i64 = -2;
const NO_END: i64 = -1;
const NOT_SET: i64 = 0;
const SET: i64 = 1;
const REMOVED: i64 = 2;

/// The members behind `MEMBERS count`, which has to be all that is left.
fn members<'a>(args: &'a [&'a [u8]]) -> Result<&'a [&'a [u8]], Failure> {
    const NO_WORD: Failure =
        Failure::new("ERR Mandatory keyword MEMBERS is missing or not at the right position");
    const NO_COUNT: Failure = Failure::new("ERR Number of members must be a positive integer");
    const OTHER_COUNT: Failure =
        Failure::new("ERR The `nummembers` parameter must match the number of arguments");
    let [word, count, members @ ..] = args else { return Err(NO_WORD) };
    if !is(word, "members") {
        return Err(NO_WORD);
    }
    let count = long(count).ok().filter(|count| *count > 0).ok_or(NO_COUNT)?;
    match usize::try_from(count) {
        Ok(count) if count == members.len() => Ok(members),
        _ => Err(OTHER_COUNT),
    }
}

/// `ZEXPIRE key seconds [NX|XX|GT|LT] MEMBERS count member [member ...]`
pub(crate) fn zexpire(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_ends(cx, args, When::Seconds, "zexpire")
}

/// As [`zexpire`], in milliseconds.
pub(crate) fn zpexpire(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_ends(cx, args, When::Milliseconds, "zpexpire")
}

/// As [`zexpire`], at a time in seconds since 1970.
pub(crate) fn zexpireat(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_ends(cx, args, When::AtSeconds, "zexpireat")
}

/// As [`zexpire`], at a time in milliseconds since 1970.
pub(crate) fn zpexpireat(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_ends(cx, args, When::AtMilliseconds, "zpexpireat")
}

fn set_ends(cx: &mut Cx<'_, '_>, args: &[&[u8]], when: When, name: &str) -> Done {
    let key = args[1];
    let end_ms = long(args[2])?;
    let end_ms = (end_ms >= 0).then(|| when.at_ms(end_ms, cx.turn.now_ms())).flatten();
    let end_ms = end_ms.ok_or_else(|| invalid_time(name))?;
    let words = args[3..].iter().take_while(|word| !is(word, "members")).count();
    let conditions = Conditions::read(&args[3..3 + words])?;
    let members = members(&args[3 + words..])?;
    let is_over = end_ms <= cx.turn.now_ms();
    let mut done = Vec::with_capacity(members.len());
    for member in members {
        done.push(match cx.turn.end_of_member(key, member)? {
            None => NO_MEMBER,
            Some(old_ms) if !conditions.allow(old_ms, end_ms) => NOT_SET,
            Some(_) => {
                cx.turn.set_end_of_member(key, member, Some(end_ms))?;
                if is_over { REMOVED } else { SET }
            }
        });
    }
    let count = |what| done.iter().filter(|done| **done == what).count();
    cx.removed('z', "zrem", key, count(REMOVED));
    if count(SET) > 0 {
        cx.event('z', "zexpire", key);
    }
    answer(cx, &done)
}

/// `ZPERSIST key MEMBERS count member [member ...]`
pub(crate) fn zpersist(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let key = args[1];
    let mut done = Vec::new();
    for member in members(&args[2..])? {
        done.push(match cx.turn.end_of_member(key, member)? {
            None => NO_MEMBER,
            Some(None) => NO_END,
            Some(Some(_)) => {
                cx.turn.set_end_of_member(key, member, None)?;
                SET
            }
        });
    }
    if done.contains(&SET) {
        cx.event('z', "zpersist", key);
    }
    answer(cx, &done)
}

/// `ZTTL key MEMBERS count member [member ...]`: seconds that are left.
pub(crate) fn zttl(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_ends(cx, args, |end_ms, now_ms| (end_ms - now_ms + 999) / 1000)
}

/// As [`zttl`], in milliseconds.
pub(crate) fn zpttl(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_ends(cx, args, |end_ms, now_ms| end_ms - now_ms)
}

/// As [`zttl`], the time itself in seconds since 1970.
pub(crate) fn zexpiretime(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_ends(cx, args, |end_ms, _| (end_ms + 999) / 1000)
}

/// As [`zttl`], the time itself in milliseconds since 1970.
pub(crate) fn zpexpiretime(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_ends(cx, args, |end_ms, _| end_ms)
}

fn show_ends(cx: &mut Cx<'_, '_>, args: &[&[u8]], show: impl Fn(i64, i64) -> i64) -> Done {
    let now_ms = cx.turn.now_ms();
    let number = |end: Option<Option<i64>>| match end {
        None => NO_MEMBER,
        Some(None) => NO_END,
        Some(Some(end_ms)) => show(end_ms, now_ms),
    };
    let ends = members(&args[2..])?.iter().map(|member| cx.turn.end_of_member(args[1], member));
    let numbers = ends.map(|end| end.map(number)).collect::<Result<Vec<_>, WrongKind>>()?;
    answer(cx, &numbers)
}

fn answer(cx: &mut Cx<'_, '_>, numbers: &[i64]) -> Done {
    cx.out.array(numbers.len());
    numbers.iter().for_each(|number| cx.out.integer(*number));
    Ok(())
}
