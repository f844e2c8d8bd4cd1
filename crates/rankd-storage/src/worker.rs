//! A named thread that can be waited for with and without an executor.

use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::error::StorageError;

/// A running thread and the result that it will have.
pub(crate) struct Worker<T> {
    handle: Option<JoinHandle<()>>,
    ended: Option<oneshot::Receiver<T>>,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts a thread.
    ///
    /// # Errors
    /// If the system does not give one.
    pub(crate) fn spawn(
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self, StorageError> {
        let (sender, ended) = oneshot::channel();
        let run = move || {
            let _nobody_asks = sender.send(work());
        };
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        let handle = handle.map_err(|error| StorageError::System {
            what: "a thread",
            reason: error.to_string(),
        })?;
        Ok(Self { handle: Some(handle), ended: Some(ended) })
    }

    /// Waits for the result; `None`: the thread has panicked, or was asked before. Who stops
    /// waiting may begin again.
    pub(crate) async fn end(&mut self) -> Option<T> {
        let result = self.ended.as_mut()?.await.ok();
        self.ended = None;
        // It has nothing left to do: this is the time it takes a thread to go away.
        self.join();
        result
    }

    /// Blocks until the thread has ended.
    pub(crate) fn join(&mut self) {
        let _panicked = self.handle.take().map(JoinHandle::join);
    }
}
