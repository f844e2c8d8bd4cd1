//! Names, each with something: the fields of a hash, the elements of a set.
//!
//! Few of them stay in the order in which they came, as clients of Redis know it; many are kept in
//! the order of their hashes, so that a scan can be resumed at a number whatever came and went.
//! Invariant: a name is there once. Cost: O([`SMALL_MAX`]) while small, then O(log n).

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::ops::Bound;

use foldhash::fast::RandomState;

use crate::ids::Name;

/// Entries up to which the order of arrival is kept.
pub const SMALL_MAX: usize = 128;
/// Bits of a hash that a scan's cursor shows: clients keep cursors in doubles.
const CURSOR_BITS: u32 = 48;

/// A name under its hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Hashed {
    hash: u64,
    name: Name,
}

#[derive(Debug, Clone)]
enum Form<V> {
    Small(Vec<(Name, V)>),
    Large { entries: BTreeMap<Hashed, V>, hasher: RandomState },
}

/// Distinct names with values.
#[derive(Debug, Clone)]
pub struct Bag<V> {
    form: Form<V>,
}

impl<V> Default for Bag<V> {
    fn default() -> Self {
        Self { form: Form::Small(Vec::new()) }
    }
}

fn hashed(hasher: &RandomState, name: &[u8]) -> Hashed {
    Hashed { hash: hasher.hash_one(name) >> (u64::BITS - CURSOR_BITS), name: name.into() }
}

impl<V> Bag<V> {
    /// Number of names. O(1).
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Small(entries) => entries.len(),
            Form::Large { entries, .. } => entries.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the order is still that of arrival.
    #[must_use]
    pub fn is_small(&self) -> bool {
        matches!(self.form, Form::Small(_))
    }

    /// What stands with the name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&V> {
        match &self.form {
            Form::Small(entries) => {
                entries.iter().find(|(other, _)| **other == *name).map(|(_, value)| value)
            }
            Form::Large { entries, hasher } => entries.get(&hashed(hasher, name)),
        }
    }

    /// Whether the name is there.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.get(name).is_some()
    }

    /// Puts the value with the name; returns what was there. The name's place stays.
    pub fn insert(&mut self, name: &[u8], value: V) -> Option<V> {
        match &mut self.form {
            Form::Small(entries) => {
                if let Some((_, old)) = entries.iter_mut().find(|(other, _)| **other == *name) {
                    return Some(std::mem::replace(old, value));
                }
                entries.push((name.into(), value));
                if entries.len() > SMALL_MAX {
                    self.grow();
                }
                None
            }
            Form::Large { entries, hasher } => entries.insert(hashed(hasher, name), value),
        }
    }

    fn grow(&mut self) {
        let Form::Small(entries) = &mut self.form else { return };
        let hasher = RandomState::default();
        let entries = std::mem::take(entries)
            .into_iter()
            .map(|(name, value)| (hashed(&hasher, &name), value))
            .collect();
        self.form = Form::Large { entries, hasher };
    }

    /// Takes the name out; returns what stood with it.
    pub fn remove(&mut self, name: &[u8]) -> Option<V> {
        match &mut self.form {
            Form::Small(entries) => {
                let at = entries.iter().position(|(other, _)| **other == *name)?;
                Some(entries.remove(at).1)
            }
            Form::Large { entries, hasher } => entries.remove(&hashed(hasher, name)),
        }
    }

    /// All names with their values; few of them in the order of arrival.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (&[u8], &V)> + '_> {
        match &self.form {
            Form::Small(entries) => Box::new(entries.iter().map(|(name, value)| (&**name, value))),
            Form::Large { entries, .. } => {
                Box::new(entries.iter().map(|(hashed, value)| (&*hashed.name, value)))
            }
        }
    }

    /// Shows about `count` entries from `cursor` on; returns the next cursor, 0 at the end.
    pub fn scan(&self, cursor: u64, count: usize, mut show: impl FnMut(&[u8], &V)) -> u64 {
        let Form::Large { entries, .. } = &self.form else {
            self.iter().for_each(|(name, value)| show(name, value));
            return 0;
        };
        let from = Hashed { hash: cursor, name: Name::default() };
        let mut last = None;
        let from = (Bound::Included(from), Bound::Unbounded);
        for (shown, (key, value)) in entries.range(from).enumerate() {
            // Equal hashes go together: the cursor cannot tell them apart.
            if shown >= count.max(1) && last != Some(key.hash) {
                return key.hash;
            }
            show(&key.name, value);
            last = Some(key.hash);
        }
        0
    }

    /// The entry at a random place; `random` is any number.
    #[must_use]
    pub fn pick(&self, random: u64) -> Option<(&[u8], &V)> {
        match &self.form {
            Form::Small(entries) => {
                let at = usize::try_from(random % (entries.len().max(1) as u64)).ok()?;
                entries.get(at).map(|(name, value)| (&**name, value))
            }
            Form::Large { entries, .. } => {
                let hash = random >> (u64::BITS - CURSOR_BITS);
                let from = Hashed { hash, name: Name::default() };
                let found = entries.range(from..).next().or_else(|| entries.iter().next());
                found.map(|(hashed, value)| (&*hashed.name, value))
            }
        }
    }
}
