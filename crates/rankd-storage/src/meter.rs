//! How far a long reading is. Cost: one comparison a piece; a call for each MiB.

/// Bytes between two calls.
const STEP_BYTES: u64 = 1 << 20;

/// How far the opening of a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read so far.
    pub done_bytes: u64,
    /// Bytes to be read in all.
    pub total_bytes: u64,
}

/// Counts bytes and tells a callback now and then, and at the end.
pub(crate) struct Meter<'a> {
    tell: &'a mut dyn FnMut(Progress),
    progress: Progress,
    told: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(total_bytes: u64, tell: &'a mut dyn FnMut(Progress)) -> Self {
        Self { tell, progress: Progress { done_bytes: 0, total_bytes }, told: 0 }
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.progress.done_bytes += bytes;
        if self.progress.done_bytes - self.told >= STEP_BYTES {
            self.told = self.progress.done_bytes;
            (self.tell)(self.progress);
        }
    }

    /// Everything was read.
    pub(crate) fn finish(mut self) {
        self.progress.done_bytes = self.progress.total_bytes;
        (self.tell)(self.progress);
    }
}
