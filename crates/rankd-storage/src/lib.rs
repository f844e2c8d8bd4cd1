//! The stores that live in one process: the embedded store and the memory store.
//!
//! What it is: [`EmbeddedStore`], which keeps every acknowledged write in a log and takes
//! snapshots of the whole state; [`MemoryStore`], which keeps nothing; [`check`] and [`salvage`]
//! for folders that are not well; [`restore`] for a snapshot that was copied away. The files are
//! described in `docs/storage-format.md`.
//!
//! What it is not: it resolves nothing and ranks nothing (that is the engine's), knows no front
//! end, and reads no clock but the one it is given. All disk access goes through [`Fs`].
//!
//! ```
//! # let folder = tempfile::tempdir().unwrap();
//! use std::sync::Arc;
//! use rankd_engine::{Batch, Intent, Score, State, Storage};
//! use rankd_storage::{EmbeddedOptions, EmbeddedStore, RealFs};
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! runtime.block_on(async {
//!     let state = State::new();
//!     let options = EmbeddedOptions::default();
//!     let (store, report) =
//!         EmbeddedStore::open(folder.path(), options, Arc::new(RealFs), state).unwrap();
//!     assert!(report.is_new);
//!     let write = Intent::Write {
//!         board: b"weekly".as_slice().into(),
//!         member: b"ada".as_slice().into(),
//!         score: Score::Integer(4200),
//!         operator: None,
//!         at_ms: None,
//!     };
//!     // When this returns, the score is on disk.
//!     let receipt = store.submit(Batch::new(vec![write], 1_700_000_000_000)).await.unwrap();
//!     assert_eq!(receipt.sequence, 1);
//!     store.close().await.unwrap();
//! });
//! ```

pub mod limits;

mod admission;
mod body;
mod bytes;
mod check;
mod copy;
mod crew;
mod direct;
mod embedded;
mod error;
mod fs;
mod harvest;
mod head;
mod log;
mod memory;
mod meter;
mod names;
mod options;
mod recovery;
mod replay;
mod restore;
mod salvage;
mod snapshot;
mod source;
mod survivors;
mod turns;
mod worker;

pub use check::{CheckReport, FileReport, FileStatus, Verdict, check};
pub use copy::CopyFolder;
pub use embedded::EmbeddedStore;
pub use error::{Action, Damage, LayoutError, StorageError};
pub use fs::{Fs, FsFile, FsLock, RealFs};
pub use memory::MemoryStore;
pub use meter::Progress;
pub use options::{Durability, EmbeddedOptions};
pub use recovery::{OpenReport, TornTail};
pub use restore::{RestoreReport, restore};
pub use salvage::{SalvageReport, salvage};
