//! The connection itself: PING, ECHO, AUTH, HELLO, SELECT, CLIENT, UNWATCH.

use crate::args::{is, long};
use crate::commands::unknown_subcommand;
use crate::failure::{Done, Failure, SYNTAX};
use crate::limits::CLIENT_NAME_BYTES_MAX;
use crate::reply::Version;
use crate::session::{Card, Replies};
use crate::window::Cx;

const BAD_PASSWORD: Failure =
    Failure::new("WRONGPASS invalid username-password pair or user is disabled.");
const BAD_NAME: Failure =
    Failure::new("ERR Client names cannot contain spaces, newlines or special characters.");

pub(crate) fn ping(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let is_subscriber = cx.session.subscriptions() > 0 && cx.out.version == Version::Resp2;
    match &args[1..] {
        rest if rest.len() > 1 => {
            return Err(Failure::new("ERR wrong number of arguments for 'ping' command"));
        }
        rest if is_subscriber => {
            cx.out.array(2);
            cx.out.bulk(b"pong");
            cx.out.bulk(rest.first().copied().unwrap_or_default());
        }
        [text] => cx.out.bulk(text),
        _ => cx.out.simple("PONG"),
    }
    Ok(())
}

pub(crate) fn echo(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    cx.out.bulk(args[1]);
    Ok(())
}

pub(crate) fn auth(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NO_PASSWORD: Failure = Failure::new(
        "ERR AUTH <password> called without any password configured for the default user. Are you \
         sure your configuration is correct?",
    );
    match &args[1..] {
        [_password] if !cx.shared.has_password() => return Err(NO_PASSWORD),
        [password] => check_password(cx, b"default", password)?,
        [user, password] => check_password(cx, user, password)?,
        _ => return Err(SYNTAX),
    }
    cx.out.ok();
    Ok(())
}

/// There is one user, whom Redis calls `default`; without a password, any is right.
fn check_password(cx: &mut Cx<'_, '_>, user: &[u8], password: &[u8]) -> Done {
    let is_right = !cx.shared.has_password() || cx.shared.is_password(password);
    if user != b"default" || !is_right {
        return Err(BAD_PASSWORD);
    }
    cx.session.is_known = true;
    Ok(())
}

pub(crate) fn hello(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const BAD_VERSION: Failure =
        Failure::new("ERR Protocol version is not an integer or out of range");
    const NO_VERSION: Failure = Failure::new("NOPROTO unsupported protocol version");
    const UNKNOWN_CLIENT: Failure = Failure::new(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
         <proto> AUTH <user> <pass> option can be used to authenticate the client and select the \
         RESP protocol version at the same time",
    );
    let version = match args.get(1) {
        None => None,
        Some(arg) => match long(arg).map_err(|_| BAD_VERSION)? {
            2 => Some(Version::Resp2),
            3 => Some(Version::Resp3),
            _ => return Err(NO_VERSION),
        },
    };
    let (mut name, mut rest) = (None, args.get(2..).unwrap_or_default());
    while let [word, after @ ..] = rest {
        rest = match after {
            [user, password, after @ ..] if is(word, "auth") => {
                check_password(cx, user, password)?;
                after
            }
            [given, after @ ..] if is(word, "setname") => {
                name = Some(client_name(given)?);
                after
            }
            _ => {
                return Err(Failure::about("ERR Syntax error in HELLO option '", word, "'"));
            }
        };
    }
    if !cx.session.is_known {
        return Err(UNKNOWN_CLIENT);
    }
    if let Some(version) = version {
        cx.out.version = version;
        cx.session.card.named.lock().version = if version == Version::Resp3 { 3 } else { 2 };
    }
    if let Some(name) = name {
        cx.session.card.named.lock().name = name;
    }
    greet(cx);
    Ok(())
}

fn greet(cx: &mut Cx<'_, '_>) {
    let version = if cx.out.version == Version::Resp3 { 3 } else { 2 };
    cx.out.map(7);
    cx.out.bulk(b"server");
    cx.out.bulk(b"redis");
    cx.out.bulk(b"version");
    cx.out.bulk(super::server::REDIS_VERSION.as_bytes());
    cx.out.bulk(b"proto");
    cx.out.integer(version);
    cx.out.bulk(b"id");
    cx.out.integer(i64::try_from(cx.session.card.id).unwrap_or(i64::MAX));
    cx.out.bulk(b"mode");
    cx.out.bulk(b"standalone");
    cx.out.bulk(b"role");
    cx.out.bulk(b"master");
    cx.out.bulk(b"modules");
    cx.out.array(0);
}

/// A name that can be listed: visible ASCII.
fn client_name(text: &[u8]) -> Result<String, Failure> {
    let is_good = text.len() <= CLIENT_NAME_BYTES_MAX && text.iter().all(u8::is_ascii_graphic);
    if !is_good {
        return Err(BAD_NAME);
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}

pub(crate) fn select(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NO_DB: Failure = Failure::new("ERR DB index is out of range");
    if long(args[1])? != 0 {
        return Err(NO_DB);
    }
    cx.out.ok();
    Ok(())
}

pub(crate) fn unwatch(cx: &mut Cx<'_, '_>, _args: &[&[u8]]) -> Done {
    cx.session.watched.clear();
    cx.out.ok();
    Ok(())
}

pub(crate) fn client(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match (args[1], &args[2..]) {
        (word, []) if is(word, "id") => {
            cx.out.integer(i64::try_from(cx.session.card.id).unwrap_or(i64::MAX));
        }
        (word, []) if is(word, "getname") => {
            let name = cx.session.card.named.lock().name.clone();
            if name.is_empty() { cx.out.null() } else { cx.out.bulk(name.as_bytes()) }
        }
        (word, [name]) if is(word, "setname") => {
            cx.session.card.named.lock().name = client_name(name)?;
            cx.out.ok();
        }
        (word, [what, value]) if is(word, "setinfo") => set_info(cx, what, value)?,
        (word, []) if is(word, "info") => {
            let line = line(cx, &cx.session.card);
            cx.out.verbatim(&line);
        }
        (word, _) if is(word, "list") => {
            let mut cards: Vec<_> = cx.shared.cards.lock().values().cloned().collect();
            cards.sort_by_key(|card| card.id);
            let lines: String = cards.iter().map(|card| line(cx, card)).collect();
            cx.out.verbatim(&lines);
        }
        (word, rest) if is(word, "kill") => kill(cx, rest)?,
        (word, [mode]) if is(word, "reply") => reply_mode(cx, mode)?,
        (word, [mode])
            if (is(word, "no-evict") || is(word, "no-touch"))
                && (is(mode, "on") || is(mode, "off")) =>
        {
            cx.out.ok();
        }
        (word, []) if is(word, "unpause") => cx.out.ok(),
        (word, []) if is(word, "getredir") => cx.out.integer(-1),
        (word, ..) => return Err(unknown_subcommand("CLIENT", word)),
    }
    Ok(())
}

fn set_info(cx: &mut Cx<'_, '_>, what: &[u8], value: &[u8]) -> Done {
    let value = client_name(value).map_err(|_| {
        Failure::about("ERR ", what, " cannot contain spaces, newlines or special characters.")
    })?;
    let mut named = cx.session.card.named.lock();
    if is(what, "lib-name") {
        named.library = value;
    } else if is(what, "lib-ver") {
        named.library_version = value;
    } else {
        return Err(Failure::about("ERR Unrecognized option '", what, "'"));
    }
    drop(named);
    cx.out.ok();
    Ok(())
}

fn line(cx: &Cx<'_, '_>, card: &Card) -> String {
    let named = card.named.lock().clone();
    let age_s = (cx.shared.engine.now_ms() - card.connected_ms) / 1000;
    format!(
        "id={} addr={} laddr={} fd=0 name={} age={age_s} idle=0 flags=N db=0 sub=0 psub=0 ssub=0 \
         multi=-1 watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 \
         omem=0 tot-mem=0 events=r cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={}\n",
        card.id,
        card.address,
        card.local,
        named.name,
        named.command,
        named.version,
        named.library,
        named.library_version,
    )
}

/// `CLIENT KILL address`, or with filters.
fn kill(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NO_CLIENT: Failure = Failure::new("ERR No such client");
    const BAD_ID: Failure = Failure::new("ERR client-id should be greater than 0");
    let own = cx.session.card.id;
    if let [address] = args {
        let cards = cx.shared.cards.lock();
        let found = cards.values().find(|card| card.address.as_bytes() == *address);
        found.ok_or(NO_CLIENT)?.kill();
        drop(cards);
        cx.out.ok();
        return Ok(());
    }
    if args.is_empty() || !args.len().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    let (mut id, mut address, mut skips_own) = (None, None, true);
    for filter in args.chunks_exact(2) {
        match filter[0] {
            word if is(word, "id") => {
                id = Some(long(filter[1]).ok().filter(|id| *id > 0).ok_or(BAD_ID)?);
            }
            word if is(word, "addr") => address = Some(filter[1]),
            word if is(word, "skipme") => skips_own = is(filter[1], "yes"),
            word if is(word, "type") || is(word, "user") || is(word, "laddr") => {}
            _ => return Err(SYNTAX),
        }
    }
    let mut killed = 0;
    for card in cx.shared.cards.lock().values() {
        let is_meant = id.is_none_or(|id| i64::try_from(card.id) == Ok(id))
            && address.is_none_or(|address| card.address.as_bytes() == address)
            && !(skips_own && card.id == own);
        if is_meant {
            card.kill();
            killed += 1;
        }
    }
    cx.out.integer(killed);
    Ok(())
}

fn reply_mode(cx: &mut Cx<'_, '_>, mode: &[u8]) -> Done {
    cx.session.replies = match mode {
        mode if is(mode, "on") => {
            cx.out.ok();
            Replies::On
        }
        mode if is(mode, "off") => Replies::Off,
        mode if is(mode, "skip") => Replies::Skip(true),
        _ => return Err(SYNTAX),
    };
    Ok(())
}

/// What RESET does to a session, beside the reply.
pub(crate) fn reset(cx_out: &mut crate::reply::Reply, session: &mut crate::session::Session) {
    cx_out.version = Version::Resp2;
    session.queue = None;
    session.watched.clear();
    session.replies = Replies::On;
    let mut named = session.card.named.lock();
    named.name.clear();
    named.version = 2;
}

/// Number of connections.
pub(crate) fn connected(cx: &Cx<'_, '_>) -> usize {
    cx.shared.cards.lock().len()
}
