//! Carrying out a batch: check, lock, resolve and apply intent by intent, append once, unlock.

use std::borrow::Cow;
use std::sync::Arc;

use rankd_orgs::OrgOutcome;

use crate::board::{Board, Body};
use crate::change::{Change, KeptOutcomes, KeyMemory};
use crate::definition::Definition;
use crate::ids::{ChangedName, Name};
use crate::intent::{Batch, IdempotencyKey, Intent, OrgBatch, Outcome, Placed, Rejection};
use crate::keys::Claim;
use crate::layout::with_index;
use crate::limits::{
    AT_MS_MAX, AT_MS_MIN, BATCH_INTENTS_MAX, BOARDS_MAX, IDEMPOTENCY_KEY_BYTES_MAX,
    LABEL_BYTES_MAX, NAME_BYTES_MAX,
};
use crate::resolve::{Write, resolve_write};
use crate::score::Score;
use crate::state::{ChangeSink, State};
use crate::storage::{Answer, Receipt, StoreError};
use crate::turn::Turn;

impl State {
    /// Resolves and applies a batch, and hands its changes to `sink`, in one turn.
    ///
    /// If nothing changed, nothing is appended and the receipt names the newest sequence there
    /// is: what the answer reveals may rest on any write up to it. Cost: O(log n) an intent.
    ///
    /// # Errors
    /// Without any effect: a batch or key beyond its limit, a key that belongs to another
    /// request, or too many keys.
    pub fn execute(&self, batch: &Batch, sink: &dyn ChangeSink) -> Result<Receipt, StoreError> {
        check_batch(batch)?;
        let now_ms = batch.now_ms;
        let key = batch.idempotency.as_ref();
        let claim = key.map(|key| self.keys.claim(key, now_ms)).transpose()?;
        let _lane = match claim {
            Some(Claim::Repeated(outcomes)) => {
                let answer = Answer::Repeated(outcomes);
                return Ok(Receipt { sequence: sink.last_sequence(), answer });
            }
            Some(Claim::New(lane)) => Some(lane),
            None => None,
        };
        let _gate = self.gate.read();
        let mut turn = Turn::begin(self, batch);
        let run = Run { batch };
        let outcomes: Vec<_> =
            batch.intents.iter().map(|intent| run.intent(&mut turn, intent)).collect();
        if let Some(key) = key {
            turn.remember(key, now_ms, &outcomes);
        }
        let changes = std::mem::take(&mut turn.changes);
        let sequence = match changes.is_empty() {
            true => sink.last_sequence(),
            false => sink.append(now_ms, changes),
        };
        turn.finish();
        Ok(Receipt { sequence, answer: Answer::Fresh(outcomes) })
    }

    /// The same for a batch about organisations, which resolve and apply it under their own locks.
    ///
    /// # Errors
    /// Without any effect: a batch beyond its limit.
    pub fn execute_orgs(
        &self,
        batch: &OrgBatch,
        sink: &dyn ChangeSink,
    ) -> Result<Receipt<Vec<OrgOutcome>>, StoreError> {
        check_count(batch.intents.len(), rankd_orgs::limits::BATCH_INTENTS_MAX)?;
        let _gate = self.gate.read();
        let mut appended = None;
        let answer = self.orgs.execute(&batch.intents, batch.now_ms, &mut |changes| {
            debug_assert!(appended.is_none(), "one batch is one record");
            debug_assert!(!changes.is_empty(), "a record is never empty");
            let changes = changes.into_iter().map(Change::Orgs).collect();
            appended = Some(sink.append(batch.now_ms, changes));
        });
        // What was read to come to these outcomes was appended before its locks were given back.
        let sequence = appended.unwrap_or_else(|| sink.last_sequence());
        Ok(Receipt { sequence, answer })
    }
}

/// What all intents of a batch share.
struct Run<'b> {
    batch: &'b Batch,
}

impl Run<'_> {
    /// Carries out one intent.
    fn intent(&self, turn: &mut Turn<'_>, intent: &Intent) -> Outcome {
        if let Err(rejection) = intent.check_limits(self.batch.now_ms) {
            return Outcome::Rejected(rejection);
        }
        let result = match intent {
            Intent::CreateBoard { name, definition } => self.create(turn, name, definition),
            Intent::DeleteBoard { name } => delete(turn, name),
            Intent::Write { board, member, score, operator, at_ms } => {
                let write = Write {
                    operand: *score,
                    operator: *operator,
                    at_ms: *at_ms,
                    now_ms: self.batch.now_ms,
                };
                self.write(turn, board, member, write)
            }
            Intent::Remove { board, member } => self.remove(turn, board, member),
            Intent::Label { member, label } => set_label(turn, member, label.as_deref()),
        };
        result.unwrap_or_else(Outcome::Rejected)
    }

    fn create(
        &self,
        turn: &mut Turn<'_>,
        name: &Name,
        definition: &Definition,
    ) -> Result<Outcome, Rejection> {
        if let Some(locked) = turn.find(name) {
            let existing = locked.board.definition;
            return if existing == definition.normalised() {
                Ok(Outcome::Existed { board: locked.board.id })
            } else {
                Err(Rejection::DefinitionDiffers(existing))
            };
        }
        check_free(turn, name)?;
        match turn.create(name, *definition, self.batch.now_ms) {
            Some(locked) => Ok(Outcome::Created { board: locked.board.id }),
            None => Err(Rejection::TooManyBoards(BOARDS_MAX as u64)),
        }
    }

    fn write(
        &self,
        turn: &mut Turn<'_>,
        name: &Name,
        member: &Name,
        write: Write,
    ) -> Result<Outcome, Rejection> {
        if turn.find(name).is_none() {
            self.auto_create(turn, name, write)?;
        }
        let state = turn.state;
        let locked = turn.find(name).ok_or(Rejection::UnknownBoard)?;
        let stored = locked.body.index.get(locked.board.codec(), member);
        let resolved = resolve_write(&locked.board.definition, stored, write)?;
        let previous = stored.map(|(score, _)| self.placed(&locked.body, member, score));
        let Some((score, at_ms)) = resolved else {
            let current = previous.expect("only a stored score can be left as it is");
            return Ok(Outcome::Written { current, previous, changed: false });
        };
        if stored.is_none() {
            check_room(&locked.body)?;
        }
        let (board, body) = (&locked.board, &mut *locked.body);
        state.cuts.before_write(board, body);
        body.set(board, member, score, at_ms, self.batch.now_ms)
            .expect("name and room were checked");
        let current = self.placed(body, member, score);
        let board = board.id;
        let member = ChangedName::from_slice(member);
        turn.changes.push(Change::MemberSet { board, member, score, at_ms });
        turn.members_added += u64::from(stored.is_none());
        Ok(Outcome::Written { current, previous, changed: true })
    }

    /// Creates the board of a write, if that is allowed and the write will stand on it.
    fn auto_create(&self, turn: &mut Turn<'_>, name: &Name, write: Write) -> Result<(), Rejection> {
        if !self.batch.auto_create {
            return Err(Rejection::UnknownBoard);
        }
        let definition = Definition::default();
        resolve_write(&definition, None, write)?;
        check_free(turn, name)?;
        match turn.create(name, definition, self.batch.now_ms) {
            Some(_) => Ok(()),
            None => Err(Rejection::TooManyBoards(BOARDS_MAX as u64)),
        }
    }

    fn remove(
        &self,
        turn: &mut Turn<'_>,
        name: &Name,
        member: &Name,
    ) -> Result<Outcome, Rejection> {
        let state = turn.state;
        let locked = turn.find(name).ok_or(Rejection::UnknownBoard)?;
        let (board, body) = (&locked.board, &mut *locked.body);
        if body.index.get(board.codec(), member).is_none() {
            return Err(Rejection::UnknownMember);
        }
        state.remove_member(board, body, member, self.batch.now_ms);
        let board = board.id;
        turn.changes.push(Change::MemberRemoved { board, member: member.clone() });
        turn.members_removed += 1;
        Ok(Outcome::Removed)
    }

    fn placed(&self, body: &Body, member: &[u8], score: Score) -> Placed {
        let wanted = self.batch.with_ranks;
        let rank = wanted.then(|| body.index.rank(member)).flatten().unwrap_or(0);
        Placed { score, rank }
    }
}

impl Intent {
    /// Whether names, display name and time are within their limits. It is the first thing that is
    /// looked at, and does not depend on what is stored.
    ///
    /// # Errors
    /// [`Rejection::OutOfLimits`] for the first that is not.
    pub fn check_limits(&self, now_ms: i64) -> Result<(), Rejection> {
        match self {
            Self::CreateBoard { name, .. } => check_board(name),
            Self::Write { board, member, at_ms, .. } => {
                check_board(board)?;
                check_member(member)?;
                let at_ms = at_ms.unwrap_or(now_ms);
                check("at, in milliseconds since 1970", at_ms, AT_MS_MIN, AT_MS_MAX)
            }
            Self::Label { member, label } => {
                check_member(member)?;
                let Some(label) = label else { return Ok(()) };
                let what = "the length of the display name in bytes";
                check(what, length(label.as_bytes()), 1, length(&[0; LABEL_BYTES_MAX]))
            }
            _ => Ok(()),
        }
    }
}

/// The two ways a member changes; batches, turns over keys and replay all end here.
impl Body {
    /// Puts the member at this score. Returns whether it is new.
    pub(crate) fn set(
        &mut self,
        board: &Board,
        member: &[u8],
        score: Score,
        at_ms: i64,
        now_ms: i64,
    ) -> Result<bool, rank_index::IndexError> {
        let is_new = self.index.set(board.codec(), member, score, at_ms)?;
        self.changed_ms = now_ms;
        self.version += 1;
        Ok(is_new)
    }

    /// Takes the member out. Returns whether it was there.
    fn remove(&mut self, member: &[u8], now_ms: i64) -> bool {
        self.changed_ms = now_ms;
        self.version += 1;
        self.index.remove(member)
    }
}

impl State {
    /// Takes the member out of a locked board, and forgets when it would have left. Returns whether
    /// it was there.
    pub(crate) fn remove_member(
        &self,
        board: &Arc<Board>,
        body: &mut Body,
        member: &[u8],
        now_ms: i64,
    ) -> bool {
        self.cuts.before_write(board, body);
        self.keyspace.member_ends.set(board.id, member, None);
        body.remove(member, now_ms)
    }

    /// Marks a locked board as deleted, and forgets when its members would have left.
    pub(crate) fn retire_board(&self, board: &Arc<Board>, body: &mut Body) {
        self.cuts.before_write(board, body);
        body.deleted = true;
        let ends = &self.keyspace.member_ends;
        if ends.has_some(board.id) {
            with_index!(&body.index, index => {
                index.iter().for_each(|entry| ends.set(board.id, entry.member, None));
            });
        }
    }
}

impl Turn<'_> {
    /// Records the key with the outcomes, in the same log record as the batch's effects.
    fn remember(&mut self, key: &IdempotencyKey, accepted_ms: i64, outcomes: &[Outcome]) {
        let outcomes = kept(outcomes);
        let memory = KeyMemory { digest: key.digest, accepted_ms, outcomes };
        self.state.keys.remember(&key.key, memory.clone());
        self.changes.push(Change::KeyRemembered { key: key.key.clone(), memory });
    }
}

/// Refuses a board where a string, a hash or a set is.
fn check_free(turn: &Turn<'_>, name: &[u8]) -> Result<(), Rejection> {
    turn.state.keyspace.get(name).map_or(Ok(()), |_value| Err(Rejection::NameTaken))
}

fn delete(turn: &mut Turn<'_>, name: &[u8]) -> Result<Outcome, Rejection> {
    turn.delete(name).then_some(Outcome::Deleted).ok_or(Rejection::UnknownBoard)
}

fn set_label(
    turn: &mut Turn<'_>,
    member: &Name,
    label: Option<&str>,
) -> Result<Outcome, Rejection> {
    if turn.state.labels.get(member).as_deref() == label {
        return if label.is_some() {
            Ok(Outcome::LabelKept)
        } else {
            Err(Rejection::UnknownMember)
        };
    }
    let label: Option<Box<str>> = label.map(Into::into);
    turn.state.labels.set(member, label.clone());
    turn.changes.push(Change::MemberLabelled { member: member.clone(), label });
    Ok(Outcome::Labelled)
}

/// The outcomes as compactly as the answer allows.
fn kept(outcomes: &[Outcome]) -> KeptOutcomes {
    if let [only] = outcomes {
        return KeptOutcomes::One(Box::new(only.clone()));
    }
    let (mut applied, mut unchanged, mut rejected) = (0, 0, Vec::new());
    for (position, outcome) in (0_u32..).zip(outcomes) {
        match outcome {
            Outcome::Rejected(reason) => rejected.push((position, reason.clone())),
            Outcome::Existed { .. }
            | Outcome::Written { changed: false, .. }
            | Outcome::LabelKept => unchanged += 1,
            _ => applied += 1,
        }
    }
    KeptOutcomes::Many { applied, unchanged, rejected }
}

fn check_batch(batch: &Batch) -> Result<(), StoreError> {
    check_count(batch.intents.len(), BATCH_INTENTS_MAX)?;
    let key_bytes = batch.idempotency.as_ref().map_or(0, |key| key.key.len());
    let what = "the length of the idempotency key in bytes";
    check_size(what, key_bytes, IDEMPOTENCY_KEY_BYTES_MAX)
}

fn check_count(intents: usize, intents_max: usize) -> Result<(), StoreError> {
    check_size("the number of intents", intents, intents_max)
}

fn check_size(what: &'static str, value: usize, max: usize) -> Result<(), StoreError> {
    if value <= max {
        return Ok(());
    }
    Err(StoreError::TooLarge { what, value: value as u64, max: max as u64 })
}

fn check(what: &'static str, value: i64, min: i64, max: i64) -> Result<(), Rejection> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Rejection::OutOfLimits { what: Cow::Borrowed(what), value, min, max })
}

fn check_name(what: &'static str, name: &[u8]) -> Result<(), Rejection> {
    check(what, length(name), 0, i64::try_from(NAME_BYTES_MAX).unwrap_or(i64::MAX))
}

fn check_board(name: &[u8]) -> Result<(), Rejection> {
    check_name("the length of the board's name in bytes", name)
}

fn check_member(name: &[u8]) -> Result<(), Rejection> {
    check_name("the length of the member's name in bytes", name)
}

fn check_room(body: &Body) -> Result<(), Rejection> {
    let members_max = i64::try_from(rank_index::MEMBERS_MAX).unwrap_or(i64::MAX);
    let after = i64::try_from(body.index.len()).unwrap_or(i64::MAX).saturating_add(1);
    check("the number of members of the board", after, 0, members_max)
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}
