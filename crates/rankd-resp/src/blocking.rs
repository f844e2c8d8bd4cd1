//! Commands that wait until a key has members: BZPOPMIN, BZPOPMAX, BZMPOP.
//!
//! Who waits longest for a key is served first. Whoever adds members through this protocol wakes
//! them; members that come over HTTP are found by looking every now and then.

use std::time::Duration;

use rankd_engine::Name;
use tokio::time::{Instant, sleep_until};

use crate::commands::zpop::ManyKeys;
use crate::connection::{Closed, Connection};
use crate::failure::Failure;
use crate::limits::BLOCKED_LOOK_MS;
use crate::number::read_double;
use crate::table::Special;
use crate::window::Job;

/// Longest wait, in seconds; what is longer waits that long.
const TIMEOUT_S_MAX: f64 = 1e9;

/// How long to wait; `None`: for ever.
pub(crate) fn timeout(arg: &[u8]) -> Result<Option<Duration>, Failure> {
    const NOT_A_TIME: Failure = Failure::new("ERR timeout is not a float or out of range");
    const NEGATIVE: Failure = Failure::new("ERR timeout is negative");
    const TOO_LONG: Failure = Failure::new("ERR timeout is out of range");
    /// In milliseconds it is no 64-bit number from here on.
    const SECONDS_END: f64 = 9_223_372_036_854_775.0;
    let seconds = read_double(arg).ok_or(NOT_A_TIME)?;
    if seconds >= SECONDS_END {
        return Err(TOO_LONG);
    }
    if seconds < 0.0 {
        return Err(NEGATIVE);
    }
    let is_ever = seconds == 0.0;
    Ok((!is_ever).then(|| Duration::from_secs_f64(seconds.min(TIMEOUT_S_MAX))))
}

/// What BZPOPMIN and BZPOPMAX ask for.
pub(crate) fn keys_and_timeout<'a>(
    args: &'a [&'a [u8]],
) -> Result<(&'a [&'a [u8]], Option<Duration>), Failure> {
    let (last, keys) = args[1..].split_last().ok_or(crate::failure::SYNTAX)?;
    Ok((keys, timeout(last)?))
}

/// The keys that a command waits for, and how long.
fn read(special: Special, args: &[&[u8]]) -> Result<(Vec<Name>, Option<Duration>), Failure> {
    let owned = |keys: &[&[u8]]| keys.iter().map(|key| Name::from(*key)).collect();
    if special == Special::PopMany {
        let wait = timeout(args[1])?;
        return Ok((owned(ManyKeys::read(&args[2..])?.keys), wait));
    }
    let (keys, wait) = keys_and_timeout(args)?;
    Ok((owned(keys), wait))
}

impl Connection {
    /// Carries out a command that waits, which is the next frame.
    pub(crate) async fn pop(&mut self, special: Special) -> Result<(), Closed> {
        let asked = {
            let core = self.core.lock();
            read(special, &core.args())
        };
        let (keys, wait) = match asked {
            Ok(asked) => asked,
            Err(failure) => {
                self.answer_next(Err(failure));
                return Ok(());
            }
        };
        let is_served = self.try_pop(special).await || self.wait(special, &keys, wait).await?;
        if is_served {
            self.shared.hub.fed_all(&keys);
        } else {
            self.core.lock().out.null_array();
        }
        self.core.lock().next += 1;
        Ok(())
    }

    async fn try_pop(&mut self, special: Special) -> bool {
        let bytes = crate::window::log_bytes(&self.core.lock().args());
        self.transact(Job::Pop(special), bytes, 1).await
    }

    /// Tries until there are members or the time is over.
    async fn wait(
        &mut self,
        special: Special,
        keys: &[Name],
        wait: Option<Duration>,
    ) -> Result<bool, Closed> {
        // What was answered so far is not held back.
        self.flush().await?;
        let deadline = wait.map(|wait| Instant::now() + wait);
        let id = self.card.id;
        let notify = self.shared.hub.wait(id, keys);
        let ended = loop {
            let look = Instant::now() + Duration::from_millis(BLOCKED_LOOK_MS);
            let until = deadline.map_or(look, |deadline| deadline.min(look));
            let woken = tokio::select! {
                () = notify.notified() => Ok(()),
                () = sleep_until(until) => Ok(()),
                read = self.read_more() => read,
            };
            if let Err(closed) = woken {
                break Err(closed);
            }
            // Who looks may not take what somebody else was woken for.
            let may_try = self.shared.hub.is_first(id, keys);
            if may_try && self.try_pop(special).await {
                break Ok(true);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                break Ok(false);
            }
        };
        self.shared.hub.stop_waiting(id, keys);
        ended
    }
}
