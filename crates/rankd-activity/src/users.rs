//! Which number stands for which user.
//!
//! What it is: users' ids by their numbers, which are dense and never reused; the way back is a
//! hash table that only the writer has. What it is not: profiles. Invariant: an id has at most one
//! living number; a user that was removed keeps a dead one, and its rows count nowhere. A view is
//! three words and never changes. Cost: 8 bytes a user in the list and about 30 in the table.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// Users whose ids are copied at once when a new one comes and a view still looks at them.
const CHUNK_USERS: usize = 4096;

/// The dead: as bits, and in the order in which they died.
#[derive(Clone, Debug, Default)]
struct Dead {
    bits: Vec<u64>,
    log: Vec<u32>,
}

/// The ids and the dead, as they were at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsersView {
    ids: Arc<Vec<Arc<Vec<u64>>>>,
    len: usize,
    dead: Arc<Dead>,
}

impl UsersView {
    /// Numbers given so far, to the dead as well.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn id(&self, user: u32) -> u64 {
        let at = user as usize;
        self.ids[at / CHUNK_USERS][at % CHUNK_USERS]
    }

    /// The living number of `id`. O(users), but at the speed of memory.
    pub(crate) fn find(&self, id: u64) -> Option<u32> {
        let mut after = self.len;
        for chunk in self.ids.iter().rev() {
            // The last chunk may have users that are newer than this view.
            let first = (after - 1) / CHUNK_USERS * CHUNK_USERS;
            let known = &chunk[..after - first];
            let found = known.iter().enumerate().filter(|&(_, &other)| other == id);
            let mut numbers = found.map(|(at, _)| number(first + at));
            if let Some(user) = numbers.find(|&user| !self.is_dead(user)) {
                return Some(user);
            }
            after = first;
        }
        None
    }

    pub(crate) fn is_dead(&self, user: u32) -> bool {
        let word = self.dead.bits.get(user as usize / 64);
        word.is_some_and(|word| word >> (user % 64) & 1 == 1)
    }

    pub(crate) fn has_dead(&self) -> bool {
        !self.dead.log.is_empty()
    }

    /// The numbers that died, oldest first.
    pub(crate) fn dead(&self) -> &[u32] {
        &self.dead.log
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Users {
    numbers: HashMap<u64, u32, RandomState>,
    view: UsersView,
}

impl Users {
    pub(crate) fn view(&self) -> &UsersView {
        &self.view
    }

    pub(crate) fn get(&self, id: u64) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    /// The number of `id`, which gets one if it has none.
    pub(crate) fn number(&mut self, id: u64) -> u32 {
        let view = &mut self.view;
        *self.numbers.entry(id).or_insert_with(|| {
            let user = number(view.len);
            let chunks = Arc::make_mut(&mut view.ids);
            if view.len.is_multiple_of(CHUNK_USERS) {
                chunks.push(Arc::default());
            }
            let chunk = chunks.last_mut().expect("one was added at the latest above");
            Arc::make_mut(chunk).push(id);
            view.len += 1;
            user
        })
    }

    /// Ends the life of `id`'s number; whether it had one.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let Some(user) = self.numbers.remove(&id) else { return false };
        let dead = Arc::make_mut(&mut self.view.dead);
        let word = user as usize / 64;
        if dead.bits.len() <= word {
            dead.bits.resize(word + 1, 0);
        }
        dead.bits[word] |= 1 << (user % 64);
        dead.log.push(user);
        true
    }

    pub(crate) fn bytes(&self) -> usize {
        // A control byte beside each place of the table.
        let table = self.numbers.capacity() * 8 / 7 * (size_of::<(u64, u32)>() + 1);
        let dead = self.view.dead.bits.len() * 8 + self.view.dead.log.len() * 4;
        table + self.view.ids.len() * CHUNK_USERS * 8 + dead
    }
}

/// A count of users, which is below [`USERS_MAX`](crate::USERS_MAX), as a user's number.
fn number(users: usize) -> u32 {
    u32::try_from(users).expect("fewer than USERS_MAX users are let in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_who_comes_back_is_another() {
        let mut users = Users::default();
        assert_eq!([users.number(70), users.number(50), users.number(70)], [0, 1, 0]);
        let before = users.view().clone();
        assert!(users.remove(70));
        assert!(!users.remove(70));
        let between = users.view().clone();
        assert_eq!(users.number(70), 2);

        assert_eq!([before.find(70), before.find(50)], [Some(0), Some(1)]);
        assert_eq!([between.find(70), between.find(50)], [None, Some(1)]);
        assert_eq!(users.view().find(70), Some(2));
        assert_eq!(users.view().dead(), [0]);
        assert!(!before.is_dead(0) && between.is_dead(0) && !between.is_dead(1));
    }

    #[test]
    fn ids_are_found_across_chunks() {
        let mut users = Users::default();
        for id in 0..10_000 {
            users.number(id * 3);
        }
        let view = users.view().clone();
        users.number(1);
        assert_eq!(view.len(), 10_000);
        for user in [0, 4_095, 4_096, 8_192, 9_999] {
            assert_eq!(view.find(view.id(user)), Some(user));
        }
        assert_eq!(view.find(1), None);
        assert_eq!(UsersView::default().find(0), None);
    }
}
