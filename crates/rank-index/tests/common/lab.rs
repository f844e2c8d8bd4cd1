//! Goal: an index and its model do the same steps and never differ.
//! Method: each random step is a write to both, then questions of every kind to both.

use std::cmp::Ordering;
use std::ops::Bound;

use rank_index::{Entry, RankIndex, Restructures, SNAPSHOTS_LIVE_MAX, Snapshot, SnapshotView};

use super::{BoardKey, Model, Op, Policy, Row, Shape, score};

/// An index and its model, with snapshots of both.
pub(crate) struct Lab<K: BoardKey, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    pub(crate) index: RankIndex<K, LEAF, INNER, UPPER>,
    pub(crate) model: Model,
    snapshots: Vec<(Snapshot<K, LEAF>, Model)>,
}

impl<K: BoardKey, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Lab<K, LEAF, INNER, UPPER>
{
    pub(crate) fn new(policy: Policy) -> Self {
        let model = Model { policy, rows: Vec::new() };
        Self { index: RankIndex::with_seed(7), model, snapshots: Vec::new() }
    }

    /// Does all steps and returns what they restructured.
    pub(crate) fn run(&mut self, shape: Shape, ops: &[Op]) -> Restructures {
        let mut restructures = Restructures::default();
        for (step, op) in ops.iter().enumerate() {
            let growing = (step / shape.phase).is_multiple_of(2);
            self.write(op, growing);
            if step.is_multiple_of(shape.query_every) {
                self.query(op);
            }
            if step.is_multiple_of(shape.check_every) {
                self.index.check_invariants().unwrap();
                self.compare_all();
            }
            let height = self.index.restructures().height.max(restructures.height);
            restructures = Restructures { height, ..self.index.restructures() };
        }
        self.index.check_invariants().unwrap();
        self.compare_all();
        restructures
    }

    fn write(&mut self, op: &Op, growing: bool) {
        match (op.kind, growing) {
            (0..=1, _) => self.take_snapshot(),
            (2..=3, _) => self.drop_snapshot(usize::from(op.one)),
            (4..=7, _) => self.pop(op.kind.is_multiple_of(2)),
            (8..=27, true) | (8..=160, false) => self.remove_some(op),
            (28..=110, true) | (161..=200, false) => self.update_some(op),
            _ => {
                let at_ms = i64::from(op.at);
                let member = K::member(op.member);
                self.upsert(Row { score: score(self.model.policy, op.score), at_ms, member });
            }
        }
    }

    pub(crate) fn upsert(&mut self, row: Row) {
        let policy = self.model.policy;
        let key = row.key(policy);
        let old = match row.at_ms % 3 {
            0 => self.index.update(&row.member, |stored| {
                let known = self.model.rows.iter().find(|known| known.member == row.member);
                assert_eq!(stored, known.map(|known| known.key(policy)));
                Some(key)
            }),
            _ => self.index.upsert(&row.member, key),
        };
        let old = old.unwrap();
        assert_eq!(self.index.update(&row.member, |_| None), Ok(Some(key)));
        let expected = self.model.upsert(row).map(|row| row.key(policy));
        assert_eq!(old, expected);
    }

    /// Gives a member that is there another score.
    fn update_some(&mut self, op: &Op) {
        if self.model.rows.is_empty() {
            return;
        }
        let row = &self.model.rows[usize::from(op.one) % self.model.rows.len()];
        let score = score(self.model.policy, op.score);
        self.upsert(Row { score, at_ms: i64::from(op.at), member: row.member.clone() });
    }

    /// Removes a member that is there, or (now and then) one that may not be.
    fn remove_some(&mut self, op: &Op) {
        let member = match self.model.rows.len() {
            0 => K::needle(op.member),
            len if !op.two.is_multiple_of(8) => {
                self.model.rows[usize::from(op.one) % len].member.clone()
            }
            _ => K::needle(op.member),
        };
        let removed = self.index.remove(&member);
        let expected = self.model.remove(&member).map(|row| row.key(self.model.policy));
        assert_eq!(removed, expected);
    }

    fn pop(&mut self, first: bool) {
        let popped = if first { self.index.pop_first() } else { self.index.pop_last() };
        let rows = &mut self.model.rows;
        let row = if rows.is_empty() {
            None
        } else if first {
            Some(rows.remove(0))
        } else {
            rows.pop()
        };
        let expected = row.map(|row| (row.key(self.model.policy), row.member.into_boxed_slice()));
        assert_eq!(popped, expected);
    }

    pub(crate) fn take_snapshot(&mut self) {
        if self.snapshots.len() == SNAPSHOTS_LIVE_MAX {
            assert!(self.index.snapshot().is_err());
        } else {
            self.snapshots.push((self.index.snapshot().unwrap(), self.model.clone()));
        }
    }

    fn drop_snapshot(&mut self, number: usize) {
        if !self.snapshots.is_empty() {
            self.snapshots.swap_remove(number % self.snapshots.len());
        }
    }

    /// The whole content, in both directions, here and in all snapshots.
    pub(crate) fn compare_all(&self) {
        compare_content(&self.model, self.index.iter(), self.index.iter().rev());
        for (snapshot, model) in &self.snapshots {
            let view = snapshot.view(&self.index);
            assert_eq!(view.len(), model.rows.len());
            assert_eq!(view.is_empty(), model.rows.is_empty());
            compare_content(model, view.range(..), view.range(..).rev());
        }
        let members: Vec<&[u8]> = self.model.rows.iter().map(|row| &row.member[..]).collect();
        let expected: Vec<_> = (0..members.len()).map(Some).collect();
        assert_eq!(self.index.ranks(&members), expected);
    }

    /// One question of each kind, chosen by the step's numbers.
    fn query(&self, op: &Op) {
        let len = self.model.rows.len();
        assert_eq!((self.index.len(), self.index.is_empty()), (len, len == 0));
        self.query_member(&K::needle(op.member));
        let one = usize::from(op.one) % (len + 1);
        let two = usize::from(op.two) % (len + 2);
        if one < len {
            self.query_member(&self.model.rows[one].member);
        }
        self.query_positions(one, two);
        self.query_bounds(op);
        if !self.snapshots.is_empty() {
            let (snapshot, model) = &self.snapshots[usize::from(op.two) % self.snapshots.len()];
            query_view(&snapshot.view(&self.index), model, op);
        }
    }

    fn query_member(&self, member: &[u8]) {
        let model = &self.model;
        let position = model.position(member);
        let key = position.map(|position| model.rows[position].key(model.policy));
        assert_eq!(self.index.get(member), key);
        assert_eq!(self.index.contains(member), position.is_some());
        assert_eq!(self.index.rank(member), position);
        let competition = position.map(|position| model.competition(position));
        assert_eq!(self.index.competition_rank(member), competition);
        let dense = position.map(|position| model.dense(position));
        assert_eq!(self.index.dense_rank(member), dense);
        let around = self.index.around(member, 3);
        let around = around.map(|(start, entries)| (start, entries.len()));
        let expected = position.map(|position| {
            let start = position.saturating_sub(3);
            (start, (position + 4).min(model.rows.len()) - start)
        });
        assert_eq!(around, expected);
    }

    fn query_positions(&self, one: usize, two: usize) {
        let rows = &self.model.rows;
        let entry = self.index.entry_at(one).map(|entry| entry.member);
        assert_eq!(entry, rows.get(one).map(|row| &row.member[..]));
        let end = two.min(rows.len());
        let expected = if one <= end { &rows[one..end] } else { &[] };
        let members = expected.iter().map(|row| &row.member[..]);
        assert!(self.index.range(one..two).map(|entry| entry.member).eq(members.clone()));
        assert!(self.index.range(one..two).rev().map(|entry| entry.member).eq(members.rev()));
        let mut both = self.index.range(one..two);
        let mut left = expected;
        while let [first, rest @ ..] = left {
            assert_eq!(both.len(), left.len());
            assert_eq!(both.next().unwrap().member, first.member);
            left = rest;
            if let [rest @ .., last] = left {
                assert_eq!(both.next_back().unwrap().member, last.member);
                left = rest;
            }
        }
        assert!(both.next().is_none() && both.next_back().is_none());
    }

    fn query_bounds(&self, op: &Op) {
        let (model, policy) = (&self.model, self.model.policy);
        let row = |number: u8, at: u16| Row {
            score: score(policy, number),
            at_ms: i64::from(at % 4),
            member: K::needle(op.member),
        };
        let (low, high) = (row(op.score, op.one), row(op.kind % 40, op.two));
        let (low_key, high_key) = (low.key::<K>(policy), high.key::<K>(policy));
        let before = |row: &Row, order: Ordering| {
            model.rows.iter().filter(|other| other.key_order(row, policy) <= order).count()
        };
        let (less, equal) = (Ordering::Less, Ordering::Equal);
        let expected = before(&low, less)..before(&high, equal);
        let expected = expected.start..expected.end.max(expected.start);
        let bounds = (Bound::Included(&low_key), Bound::Included(&high_key));
        assert_eq!(self.index.positions_between(bounds.0, bounds.1), expected);
        assert_eq!(self.index.range_between(bounds.0, bounds.1).len(), expected.len());
        let above = self.index.count_between(Bound::Excluded(&low_key), Bound::Unbounded);
        assert_eq!(above, model.rows.len() - before(&low, equal));
        let below = self.index.count_between(Bound::Unbounded, Bound::Excluded(&low_key));
        assert_eq!(below, before(&low, less));
        self.query_lex(&low, op.kind);
        let found = self.index.partition_point(|key, member| {
            key.order(&low_key).then_with(|| member.cmp(&low.member)).is_lt()
        });
        let expected = model.rows.iter().filter(|other| other.order(&low, policy).is_lt());
        assert_eq!(found, expected.count());
    }

    fn query_lex(&self, row: &Row, kind: u8) {
        let policy = self.model.policy;
        let (low, high) = (&row.member[..], K::needle(u16::from(kind)));
        let bound = |number: u8, member| match number % 3 {
            0 => Bound::Included(member),
            1 => Bound::Excluded(member),
            _ => Bound::Unbounded,
        };
        let bounds = (bound(kind, low), bound(kind / 3, &high[..]));
        let expected: Vec<&[u8]> = self
            .model
            .rows
            .iter()
            .filter(|other| other.key_order(row, policy).is_eq())
            .map(|other| &other.member[..])
            .filter(|other| match bounds.0 {
                Bound::Included(low) => *other >= low,
                Bound::Excluded(low) => *other > low,
                Bound::Unbounded => true,
            })
            .filter(|other| match bounds.1 {
                Bound::Included(high) => *other <= high,
                Bound::Excluded(high) => *other < high,
                Bound::Unbounded => true,
            })
            .collect();
        let key = row.key::<K>(policy);
        assert_eq!(self.index.lex_count(&key, bounds.0, bounds.1), expected.len());
        let found = self.index.lex_range(&key, bounds.0, bounds.1);
        assert!(found.map(|entry| entry.member).eq(expected));
    }
}

fn query_view<K: BoardKey, const LEAF: usize, const INNER: usize, const UPPER: usize>(
    view: &SnapshotView<'_, K, LEAF, INNER, UPPER>,
    model: &Model,
    op: &Op,
) {
    let rows = &model.rows;
    let position = usize::from(op.one) % (rows.len() + 1);
    let entry = view.entry_at(position).map(|entry| entry.member);
    assert_eq!(entry, rows.get(position).map(|row| &row.member[..]));
    if let Some(standing) = view.standing_at(position) {
        assert_eq!(standing.position, position);
        assert_eq!(standing.competition(), model.competition(position));
        assert_eq!(standing.dense(), model.dense(position));
    }
    let end = (position + usize::from(op.two) % 20).min(rows.len());
    let members = rows[position..end].iter().map(|row| &row.member[..]);
    assert!(view.range(position..end).map(|entry| entry.member).eq(members.clone()));
    assert!(view.range(position..end).rev().map(|entry| entry.member).eq(members.rev()));
    let policy = model.policy;
    let at_ms = i64::from(op.at);
    let row = Row { score: score(policy, op.score), at_ms, member: K::needle(op.member) };
    let expected = rows.iter().filter(|other| other.order(&row, policy).is_lt()).count();
    let key = row.key::<K>(policy);
    assert_eq!(view.rank(&key, &row.member), expected);
    let found = view.partition_point(|other, member| {
        other.order(&key).then_with(|| member.cmp(&row.member)).is_lt()
    });
    assert_eq!(found, expected);
}

fn compare_content<'a, K: BoardKey>(
    model: &Model,
    forwards: impl ExactSizeIterator<Item = Entry<'a, K>>,
    backwards: impl Iterator<Item = Entry<'a, K>>,
) {
    assert_eq!(forwards.len(), model.rows.len());
    for (entry, row) in forwards.zip(&model.rows) {
        assert_eq!((entry.key, entry.member), (row.key(model.policy), &row.member[..]));
    }
    let members = model.rows.iter().rev().map(|row| &row.member[..]);
    assert!(backwards.map(|entry| entry.member).eq(members));
}
