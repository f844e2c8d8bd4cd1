//! Lines that set organisations up: what is put, and where. JSON Lines alone.

use std::io::BufRead;

use rankd_client::Setup;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::csv::Header;
use super::error::ReadError;
use super::org_rows::parse_object;
use super::records::Records;
use super::{RowData, RowKind};

/// A line.
#[derive(Debug)]
pub(crate) struct SetupRow {
    /// The line, from 1.
    pub(crate) line: u64,
    pub(crate) setup: Setup,
    /// What is sent.
    pub(crate) body: Box<RawValue>,
}

impl RowData for SetupRow {
    /// Later lines build on earlier ones.
    const BATCH_ROWS_MAX: usize = 1;
    const BATCH_WEIGHT_MAX: usize = usize::MAX;

    fn line(&self) -> u64 {
        self.line
    }

    fn weight(&self) -> usize {
        self.body.get().len()
    }
}

/// How a set-up is to be read.
#[derive(Debug, Clone)]
pub(crate) struct SetupRows {
    /// Earlier lines are passed over, unread.
    pub(crate) from_line: u64,
}

/// A line of JSON.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum SetupLine {
    Org { org: u64, body: serde_json::Value },
    ScoringRules { org: u64, body: serde_json::Value },
    TargetGroup { org: u64, group: u64, body: serde_json::Value },
    Credential { org: u64, body: serde_json::Value },
    Enrolments { body: serde_json::Value },
}

impl RowKind for SetupRows {
    type Row = SetupRow;
    type Columns = ();

    fn first_line(&self) -> u64 {
        self.from_line
    }

    fn delimiter(&self) -> u8 {
        b','
    }

    fn columns(&self, header: &Header<'_>) -> Result<(), ReadError> {
        Err(not_csv(header.line))
    }

    fn csv_row<R: BufRead>(&self, (): &(), record: &Records<R>) -> Result<SetupRow, ReadError> {
        Err(not_csv(record.line))
    }

    fn json_row(&self, text: &str, line: u64) -> Result<SetupRow, ReadError> {
        let parsed: SetupLine = parse_object(text, line, "line of a set-up")?;
        let (setup, body) = match parsed {
            SetupLine::Org { org, body } => (Setup::Org(org), body),
            SetupLine::ScoringRules { org, body } => (Setup::ScoringRules(org), body),
            SetupLine::TargetGroup { org, group, body } => (Setup::TargetGroup(org, group), body),
            SetupLine::Credential { org, body } => (Setup::Credential(org), body),
            SetupLine::Enrolments { body } => (Setup::Enrolments, body),
        };
        let body = serde_json::value::to_raw_value(&body).expect("it was read as JSON");
        Ok(SetupRow { line, setup, body })
    }
}

fn not_csv(line: u64) -> ReadError {
    let reason = "a set-up is JSON Lines (--format jsonl)".to_owned();
    ReadError::Item { line, what: "line of a set-up", reason }
}
