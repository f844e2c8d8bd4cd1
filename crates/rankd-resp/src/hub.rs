//! Who is to be told what: subscribers of channels, and clients that wait until a key has members.
//!
//! Invariant: telling never waits. A subscriber that is too far behind is let go, because it would
//! miss messages without knowing. Cost: O(subscribers of the channel + all patterns) a message.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use rankd_engine::Name;
use tokio::sync::{Notify, mpsc};

use crate::glob;
use crate::reply::Reply;
use crate::session::{Card, Session};

/// Something that was published.
#[derive(Debug)]
pub(crate) struct Message {
    /// The pattern that matched, where it was one.
    pub(crate) pattern: Option<Name>,
    pub(crate) channel: Name,
    pub(crate) payload: Name,
}

impl Message {
    pub(crate) fn write(&self, out: &mut Reply) {
        match &self.pattern {
            None => {
                out.push(3);
                out.bulk(b"message");
            }
            Some(pattern) => {
                out.push(4);
                out.bulk(b"pmessage");
                out.bulk(pattern);
            }
        }
        out.bulk(&self.channel);
        out.bulk(&self.payload);
    }
}

/// How a subscriber is reached.
#[derive(Debug, Clone)]
struct Subscriber {
    card: Arc<Card>,
    inbox: mpsc::Sender<Arc<Message>>,
}

impl Subscriber {
    fn tell(&self, message: &Arc<Message>) {
        if self.inbox.try_send(Arc::clone(message)).is_err() {
            self.card.kill();
        }
    }
}

/// Who waits for a key, longest first.
type Line = VecDeque<(u64, Arc<Notify>)>;
type Subscribers = HashMap<Name, HashMap<u64, Subscriber, RandomState>, RandomState>;

#[derive(Debug, Default)]
struct Maps {
    channels: Subscribers,
    patterns: Subscribers,
}

/// Subscribers and waiters.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    maps: Mutex<Maps>,
    waiting: Mutex<HashMap<Name, Line, RandomState>>,
    waiting_count: AtomicUsize,
}

impl Hub {
    /// Adds a subscription.
    pub(crate) fn subscribe(&self, session: &Session, name: &Name, is_pattern: bool) {
        let card = Arc::clone(&session.card);
        let subscriber = Subscriber { card, inbox: session.inbox.clone() };
        let mut maps = self.maps.lock();
        let map = if is_pattern { &mut maps.patterns } else { &mut maps.channels };
        map.entry(name.clone()).or_default().insert(session.card.id, subscriber);
    }

    /// Takes a subscription away.
    pub(crate) fn unsubscribe(&self, session: &Session, name: &Name, is_pattern: bool) {
        let mut maps = self.maps.lock();
        let map = if is_pattern { &mut maps.patterns } else { &mut maps.channels };
        if let Some(subscribers) = map.get_mut(name) {
            subscribers.remove(&session.card.id);
            if subscribers.is_empty() {
                map.remove(name);
            }
        }
    }

    /// Tells everybody who subscribed to the channel; how many they are.
    pub(crate) fn publish(&self, channel: &[u8], payload: &[u8]) -> usize {
        let maps = self.maps.lock();
        let message = |pattern: Option<&Name>| {
            let pattern = pattern.cloned();
            Arc::new(Message { pattern, channel: channel.into(), payload: payload.into() })
        };
        let mut told = 0;
        if let Some(subscribers) = maps.channels.get(channel) {
            let message = message(None);
            subscribers.values().for_each(|subscriber| subscriber.tell(&message));
            told += subscribers.len();
        }
        for (pattern, subscribers) in &maps.patterns {
            if glob::matches(pattern, channel) {
                let message = message(Some(pattern));
                subscribers.values().for_each(|subscriber| subscriber.tell(&message));
                told += subscribers.len();
            }
        }
        told
    }

    /// Channels with subscribers, each with how many.
    pub(crate) fn channels(&self) -> Vec<(Name, usize)> {
        let maps = self.maps.lock();
        maps.channels.iter().map(|(name, all)| (name.clone(), all.len())).collect()
    }

    /// Number of subscribers of one channel.
    pub(crate) fn subscribers(&self, channel: &[u8]) -> usize {
        self.maps.lock().channels.get(channel).map_or(0, HashMap::len)
    }

    /// Number of patterns with subscribers.
    pub(crate) fn patterns(&self) -> usize {
        self.maps.lock().patterns.len()
    }

    /// Enters somebody who waits for one of these keys, behind those who do already.
    pub(crate) fn wait(&self, id: u64, keys: &[Name]) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        let mut waiting = self.waiting.lock();
        for key in keys {
            waiting.entry(key.clone()).or_default().push_back((id, Arc::clone(&notify)));
        }
        self.waiting_count.fetch_add(1, Ordering::AcqRel);
        notify
    }

    /// Whether nobody waits longer for one of these keys.
    pub(crate) fn is_first(&self, id: u64, keys: &[Name]) -> bool {
        let waiting = self.waiting.lock();
        let is_first = |queue: &Line| queue.front().is_some_and(|(first, _)| *first == id);
        keys.iter().any(|key| waiting.get(key).is_some_and(is_first))
    }

    /// Takes the waiter out; whoever is next may try.
    pub(crate) fn stop_waiting(&self, id: u64, keys: &[Name]) {
        let mut waiting = self.waiting.lock();
        for key in keys {
            if let Some(queue) = waiting.get_mut(key) {
                queue.retain(|(other, _)| *other != id);
                if let Some((_, next)) = queue.front() {
                    next.notify_one();
                } else {
                    waiting.remove(key);
                }
            }
        }
        self.waiting_count.fetch_sub(1, Ordering::AcqRel);
    }

    /// Number of clients that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting_count.load(Ordering::Acquire)
    }

    /// The key has members now: whoever waits longest may try.
    pub(crate) fn fed(&self, key: &[u8]) {
        if let Some((_, notify)) = self.waiting.lock().get(key).and_then(VecDeque::front) {
            notify.notify_one();
        }
    }

    /// The same for several keys.
    pub(crate) fn fed_all(&self, keys: &[Name]) {
        if self.waiting() > 0 {
            keys.iter().for_each(|key| self.fed(key));
        }
    }
}
