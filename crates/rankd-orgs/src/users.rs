//! The users of a tree of organisations.
//!
//! What it is: profiles by dense *slots*, and the ways to a slot by id and by text identifier. What
//! it is not: aware of boards. Invariant: an id has at most one living slot, and a text identifier
//! one living user; slots are never used again while the process lives, so that a deleted user's
//! leftovers cannot meet a later user of the same id. Cost: O(1); 40 bytes a user and the profile.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock};

use foldhash::fast::RandomState;

use crate::chunks::Chunks;
use crate::ids::{OrgId, UserId};
use crate::limits::ID_MAX;
use crate::model::Profile;
use crate::positions::Positions;
use crate::read::UserView;

/// Digits of the number in a text identifier that is made from an id.
const MADE_DIGITS: usize = 11;

static EMPTY: LazyLock<Arc<Profile>> = LazyLock::new(Arc::default);

/// The text identifier of a user that was given none: `u` and the id as eleven digits of base 36.
pub(crate) fn made_resource_id(user: UserId) -> String {
    let mut digits = [b'0'; MADE_DIGITS];
    let mut rest = user.0;
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
        rest /= 36;
    }
    let digits = digits.iter().map(|digit| char::from(*digit));
    std::iter::once('u').chain(digits).collect()
}

/// The user whose text identifier this is if it was given none.
pub(crate) fn user_of_made(text: &str) -> Option<UserId> {
    let digits = text.strip_prefix('u').filter(|digits| digits.len() == MADE_DIGITS)?;
    if digits.bytes().any(|byte| !byte.is_ascii_digit() && !byte.is_ascii_lowercase()) {
        return None;
    }
    let id = u64::from_str_radix(digits, 36).ok()?;
    (1..=ID_MAX).contains(&id).then_some(UserId(id))
}

/// A user.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) home: OrgId,
    /// None if it is made from the id.
    pub(crate) resource_id: Option<Arc<str>>,
    /// None if it is empty.
    pub(crate) profile: Option<Arc<Profile>>,
}

impl User {
    pub(crate) fn view(&self) -> UserView {
        let resource_id = self.resource_id.clone();
        UserView {
            id: self.id,
            resource_id: resource_id.unwrap_or_else(|| made_resource_id(self.id).into()),
            home: self.home,
            profile: self.profile.clone().unwrap_or_else(|| Arc::clone(&EMPTY)),
        }
    }
}

/// A user who was deleted between an answer's numbers and its names.
pub(crate) fn nobody(user: UserId, home: OrgId) -> UserView {
    User { id: user, home, resource_id: None, profile: None }.view()
}

/// Users of a tree.
#[derive(Debug, Default)]
pub(crate) struct Users {
    slots: Chunks<Option<User>>,
    by_id: Positions,
    by_text: HashMap<Arc<str>, u32, RandomState>,
    hasher: RandomState,
    living: u64,
}

impl Users {
    pub(crate) fn len(&self) -> u64 {
        self.living
    }

    pub(crate) fn slot(&self, user: UserId) -> Option<u32> {
        self.by_id.find(self.hasher.hash_one(user), |slot| self.id_at(slot) == Some(user))
    }

    fn id_at(&self, slot: u32) -> Option<UserId> {
        self.at(slot).map(|user| user.id)
    }

    fn at(&self, slot: u32) -> Option<&User> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get(&self, user: UserId) -> Option<&User> {
        self.at(self.slot(user)?)
    }

    pub(crate) fn by_resource_id(&self, text: &str) -> Option<&User> {
        if let Some(made) = user_of_made(text) {
            return self.get(made).filter(|user| user.resource_id.is_none());
        }
        self.at(*self.by_text.get(text)?)
    }

    /// Sets a user, new or not; returns its slot and where its home was.
    pub(crate) fn put(&mut self, user: User) -> (u32, Option<OrgId>) {
        let Some(slot) = self.slot(user.id) else { return (self.add(user), None) };
        let old = self.slots.get_mut(slot as usize).and_then(Option::take);
        if let Some(text) = old.as_ref().and_then(|old| old.resource_id.as_ref()) {
            self.by_text.remove(text);
        }
        self.set(slot, user);
        (slot, old.map(|old| old.home))
    }

    fn add(&mut self, user: User) -> u32 {
        let id = user.id;
        let slot = u32::try_from(self.slots.push(None)).expect("fewer users than 2^32");
        self.living += 1;
        self.set(slot, user);
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.by_id.insert(hasher.hash_one(id), slot, |slot| {
            let user = slots.get(slot as usize).and_then(Option::as_ref);
            hasher.hash_one(user.expect("slots in the table are of living users").id)
        });
        slot
    }

    fn set(&mut self, slot: u32, user: User) {
        if let Some(text) = &user.resource_id {
            self.by_text.insert(Arc::clone(text), slot);
        }
        *self.slots.get_mut(slot as usize).expect("the slot was given") = Some(user);
    }

    pub(crate) fn remove(&mut self, user: UserId) -> Option<User> {
        let slots = &self.slots;
        let is = |slot: u32| {
            slots.get(slot as usize).and_then(Option::as_ref).is_some_and(|known| known.id == user)
        };
        let slot = self.by_id.remove(self.hasher.hash_one(user), is)?;
        let removed = self.slots.get_mut(slot as usize)?.take();
        self.living -= 1;
        if let Some(text) = removed.as_ref().and_then(|removed| removed.resource_id.as_ref()) {
            self.by_text.remove(text);
        }
        removed
    }

    /// Users as they are now; holes are users that were deleted.
    pub(crate) fn freeze(&self) -> Chunks<Option<User>> {
        self.slots.clone()
    }

    /// Bytes of the arrays and tables, without profiles.
    pub(crate) fn bytes(&self) -> u64 {
        let texts = self.by_text.capacity() * (size_of::<(Arc<str>, u32)>() + 1);
        self.slots.bytes() + self.by_id.bytes() + texts as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64, text: Option<&str>) -> User {
        let resource_id = text.map(Into::into);
        User { id: UserId(id), home: OrgId(1), resource_id, profile: None }
    }

    #[test]
    fn made_identifiers_lead_back_and_are_twelve_characters() {
        for id in [1, 35, 36, 7041, ID_MAX] {
            let text = made_resource_id(UserId(id));
            assert_eq!((text.len(), user_of_made(&text)), (12, Some(UserId(id))));
        }
        assert_eq!(made_resource_id(UserId(36 * 36 + 35)), "u0000000010z");
        let not_made = ["", "u", "u0000000010Z", "u+000000010z", "u00000000000", "uzzzzzzzzzzz"];
        assert!(not_made.iter().all(|text| user_of_made(text).is_none()));
    }

    #[test]
    fn users_come_and_go_under_their_ids_and_texts() {
        let mut users = Users::default();
        assert_eq!(users.put(user(7, Some("kay"))), (0, None));
        assert_eq!(users.put(user(8, None)), (1, None));
        let made = made_resource_id(UserId(7));
        assert!(users.by_resource_id(&made).is_none(), "it was given another");
        assert_eq!(users.by_resource_id("kay").map(|user| user.id), Some(UserId(7)));
        assert_eq!(users.put(user(7, None)), (0, Some(OrgId(1))));
        assert!(users.by_resource_id("kay").is_none());
        assert_eq!(users.by_resource_id(&made).map(|user| user.id), Some(UserId(7)));
        assert!(users.remove(UserId(7)).is_some());
        assert!(users.remove(UserId(7)).is_none());
        assert!(users.by_resource_id(&made).is_none());
        assert_eq!(users.put(user(7, None)).0, 2, "a slot of its own");
    }
}
