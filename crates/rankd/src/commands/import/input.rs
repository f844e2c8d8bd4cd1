//! The file or standard input, and how its format is chosen.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;

use crate::rows::{ReadError, RowKind, Rows};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// What rows are read from.
pub(super) enum Input {
    File { file: File, bytes: u64 },
    Stdin,
}

impl Input {
    /// Opens the file, or takes standard input for `-`.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdin);
        }
        let context = || format!("cannot open {}", path.display());
        let file = File::open(path).with_context(context)?;
        let metadata = file.metadata().with_context(context)?;
        anyhow::ensure!(!metadata.is_dir(), "{} is a folder, not a file", path.display());
        Ok(Self::File { file, bytes: metadata.len() })
    }

    /// Size, where it is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        match self {
            // Pipes and devices have files of no size.
            Self::File { bytes, .. } => Some(*bytes).filter(|bytes| *bytes > 0),
            Self::Stdin => None,
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.read(buffer),
            Self::Stdin => io::stdin().lock().read(buffer),
        }
    }
}

/// Format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated values with a header line
    Csv,
    /// One JSON object a line
    Jsonl,
}

impl Format {
    /// The format that the name of a file suggests.
    pub(crate) fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" | "json" => Self::Jsonl,
            _ => Self::Csv,
        }
    }

    /// The rows of `input` in this format.
    pub(super) fn rows<K: RowKind>(
        self,
        input: Input,
        kind: K,
    ) -> Result<Rows<BufReader<Input>, K>, ReadError> {
        let input = BufReader::with_capacity(BUFFER_BYTES, input);
        match self {
            Self::Csv => Rows::csv(input, kind),
            Self::Jsonl => Ok(Rows::jsonl(input, kind)),
        }
    }
}
