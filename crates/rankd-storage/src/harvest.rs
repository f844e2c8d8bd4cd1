//! Decides which of the records that survived in a damaged log a salvage takes, and what it says
//! of the others.
//!
//! Invariant: the records taken follow each other and the snapshot without a gap, and the checksum
//! of each was seen to be good. Damage is
//! harmless if what is taken goes on behind it. Cost: O(1) a record; a bounded list of findings.

use rankd_engine::Record;

use crate::limits::SALVAGE_LINES_MAX;
use crate::replay::Apply;
use crate::salvage::SalvageReport;
use crate::survivors::Find;

/// A record that could not be applied, and may have been applied in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    sequence: u64,
    why: String,
}

/// What was taken so far.
pub(crate) struct Harvest {
    /// Everything up to this sequence was taken.
    sequence: u64,
    records: u64,
    unfit: Option<Unfit>,
    /// Records behind a gap: the first one's sequence, and how many.
    unused: Option<(u64, u64)>,
    /// Damage behind which nothing was found yet.
    open: Vec<String>,
    lost: Vec<String>,
    harmless: Vec<String>,
}

impl Harvest {
    /// Begins behind a snapshot of record `base`; `unfit`: what an earlier attempt could not apply.
    pub(crate) fn new(base: u64, unfit: Option<Unfit>) -> Self {
        Self {
            sequence: base,
            records: 0,
            unfit,
            unused: None,
            open: Vec::new(),
            lost: Vec::new(),
            harmless: Vec::new(),
        }
    }

    /// Takes what can be taken.
    pub(crate) fn add(&mut self, find: Find<'_>, apply: &mut Apply<'_>) {
        match find {
            Find::Damage(error) => list(&mut self.open, error.one_line()),
            Find::Record { record, is_checked } => self.add_record(record, is_checked, apply),
        }
    }

    fn add_record(&mut self, record: &Record, is_checked: bool, apply: &mut Apply<'_>) {
        let next = self.sequence + 1;
        self.settle(record.sequence < next || (record.sequence == next && is_checked));
        let unfit = self.unfit.as_ref().map(|unfit| unfit.sequence);
        if record.sequence < next || unfit == Some(record.sequence) {
            return;
        }
        if record.sequence > next {
            let (_, count) = self.unused.get_or_insert((record.sequence, 0));
            *count += 1;
            return;
        }
        if !is_checked {
            // Applying it could bring back something that nobody ever wrote.
            list(&mut self.lost, unchecked(record.sequence));
            return;
        }
        match apply(record) {
            Ok(()) => {
                self.sequence = record.sequence;
                self.records += 1;
            }
            Err(why) => self.unfit = Some(Unfit { sequence: record.sequence, why }),
        }
    }

    /// What became of the damage met so far.
    fn settle(&mut self, is_harmless: bool) {
        for line in self.open.drain(..) {
            if is_harmless {
                list(&mut self.harmless, line);
            } else {
                list(&mut self.lost, line);
            }
        }
    }

    /// After the last record. `skipped`: damaged snapshots and how.
    pub(crate) fn end(&mut self, skipped: &[(u64, String)], has_log: bool) {
        self.settle(false);
        if let Some(Unfit { sequence, why }) = &self.unfit {
            let line = format!("record {sequence} does not fit what is before it: {why}");
            list(&mut self.lost, line);
        }
        for (sequence, line) in skipped {
            let is_made_up_for = *sequence <= self.sequence;
            let lines = if is_made_up_for { &mut self.harmless } else { &mut self.lost };
            lines.insert(0, line.clone());
        }
        if !has_log {
            self.lost.push(format!(
                "the log: there is no segment, so nobody can tell whether there were records \
                 after {}",
                self.sequence
            ));
        }
        if let Some((first, count)) = self.unused {
            let next = self.sequence + 1;
            self.lost.push(format!(
                "{count} undamaged records from record {first} on: they cannot be used, because \
                 record {next} is missing or cannot be used"
            ));
        }
    }

    /// The record that could not be applied.
    pub(crate) fn unfit(&self) -> Option<&Unfit> {
        self.unfit.as_ref()
    }

    pub(crate) fn into_report(self, snapshot: Option<String>) -> SalvageReport {
        SalvageReport {
            snapshot,
            records: self.records,
            sequence: self.sequence,
            lost: self.lost,
            harmless: self.harmless,
            ..SalvageReport::default()
        }
    }
}

fn unchecked(sequence: u64) -> String {
    format!(
        "record {sequence}: its head is good, but the record before it, whose checksum its own \
         continues, is destroyed, so nobody can tell whether its body is as it was written"
    )
}

/// Adds a line to a bounded list.
fn list(lines: &mut Vec<String>, line: String) {
    match lines.len() {
        SALVAGE_LINES_MAX => lines.push("further findings are not listed".to_owned()),
        count if count > SALVAGE_LINES_MAX => {}
        _ => lines.push(line),
    }
}
