//! Channels: SUBSCRIBE and its kin, PUBLISH, PUBSUB.

use rankd_engine::Name;

use crate::args::is;
use crate::commands::unknown_subcommand;
use crate::failure::{Done, Failure};
use crate::glob;
use crate::limits::SUBSCRIPTIONS_MAX;
use crate::session::Session;
use crate::shared::Shared;
use crate::window::Cx;

pub(crate) fn publish(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let told = cx.shared.hub.publish(args[1], args[2]);
    cx.out.count(told);
    Ok(())
}

pub(crate) fn subscribe(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    add(cx, &args[1..], false)
}

pub(crate) fn psubscribe(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    add(cx, &args[1..], true)
}

pub(crate) fn unsubscribe(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    remove(cx, &args[1..], false)
}

pub(crate) fn punsubscribe(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    remove(cx, &args[1..], true)
}

fn add(cx: &mut Cx<'_, '_>, names: &[&[u8]], is_pattern: bool) -> Done {
    const TOO_MANY: Failure = Failure::new("ERR too many subscriptions");
    if cx.session.subscriptions() + names.len() > SUBSCRIPTIONS_MAX {
        return Err(TOO_MANY);
    }
    for name in names {
        let name: Name = (*name).into();
        let own = if is_pattern { &mut cx.session.patterns } else { &mut cx.session.channels };
        if own.insert(name.clone()) {
            cx.shared.hub.subscribe(cx.session, &name, is_pattern);
        }
        let word: &[u8] = if is_pattern { b"psubscribe" } else { b"subscribe" };
        confirm(cx, word, Some(&name));
    }
    Ok(())
}

fn confirm(cx: &mut Cx<'_, '_>, word: &[u8], name: Option<&[u8]>) {
    cx.out.push(3);
    cx.out.bulk(word);
    match name {
        Some(name) => cx.out.bulk(name),
        None => cx.out.null(),
    }
    cx.out.count(cx.session.subscriptions());
}

fn remove(cx: &mut Cx<'_, '_>, names: &[&[u8]], is_pattern: bool) -> Done {
    let word: &[u8] = if is_pattern { b"punsubscribe" } else { b"unsubscribe" };
    let own = if is_pattern { &cx.session.patterns } else { &cx.session.channels };
    let names: Vec<Name> = match names {
        [] => own.iter().cloned().collect(),
        names => names.iter().map(|name| Name::from(*name)).collect(),
    };
    if names.is_empty() {
        confirm(cx, word, None);
    }
    for name in names {
        let own = if is_pattern { &mut cx.session.patterns } else { &mut cx.session.channels };
        if own.remove(&name) {
            cx.shared.hub.unsubscribe(cx.session, &name, is_pattern);
        }
        confirm(cx, word, Some(&name));
    }
    Ok(())
}

/// Ends all subscriptions of a connection, silently.
pub(crate) fn leave(session: &mut Session, shared: &Shared) {
    for name in std::mem::take(&mut session.channels) {
        shared.hub.unsubscribe(session, &name, false);
    }
    for name in std::mem::take(&mut session.patterns) {
        shared.hub.unsubscribe(session, &name, true);
    }
}

pub(crate) fn pubsub(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match (args[1], &args[2..]) {
        (word, rest) if is(word, "channels") && rest.len() <= 1 => {
            let mut channels = cx.shared.hub.channels();
            channels.retain(|(name, _)| rest.iter().all(|p| glob::matches(p, name)));
            cx.out.array(channels.len());
            channels.iter().for_each(|(name, _)| cx.out.bulk(name));
        }
        (word, channels) if is(word, "numsub") => {
            cx.out.map(channels.len());
            for channel in channels {
                cx.out.bulk(channel);
                cx.out.count(cx.shared.hub.subscribers(channel));
            }
        }
        (word, []) if is(word, "numpat") => cx.out.count(cx.shared.hub.patterns()),
        (word, _) => return Err(unknown_subcommand("PUBSUB", word)),
    }
    Ok(())
}
