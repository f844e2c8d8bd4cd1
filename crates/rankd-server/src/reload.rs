//! Changing a running server: keys, certificate, limits.
//!
//! Invariant: all of it changes or nothing does. A broken file leaves what was in force.

use std::sync::Arc;

use crate::options::{ServerError, ServerOptions};
use crate::service::Service;
use crate::{keys, tls};

/// Changes a running server; clones change the same one.
#[derive(Debug, Clone)]
pub struct Reloader(Arc<Service>);

impl Reloader {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self(service)
    }

    /// Reads the files that `options` name, and puts them and its tunables into force. The rest of
    /// the options is not looked at. Connections that are open keep their TLS session and their
    /// deadlines; keys count from the next request on.
    ///
    /// # Errors
    /// A file or a value is not legal, or keys or TLS would be switched on or off. Nothing has
    /// changed then.
    pub fn reload(&self, options: &ServerOptions) -> Result<(), ServerError> {
        let reloaded = self.try_reload(options);
        self.0.metrics.reloaded(reloaded.is_ok());
        reloaded
    }

    /// Counts a reload that failed before there were options.
    pub fn count_failed(&self) {
        self.0.metrics.reloaded(false);
    }

    fn try_reload(&self, options: &ServerOptions) -> Result<(), ServerError> {
        options.tunables.check()?;
        let keys = match (&self.0.keys, &options.keys) {
            (Some(keys), Some(path)) => Some((keys, keys::load(path)?)),
            (None, None) => None,
            _ => return Err(ServerError::Fixed("keys")),
        };
        let tls = match (&self.0.tls, &options.tls) {
            (Some(tls), Some(files)) => Some((tls, tls::load(files)?)),
            (None, None) => None,
            _ => return Err(ServerError::Fixed("tls")),
        };
        // Nothing fails from here on.
        if let Some((keys, ring)) = keys {
            keys.replace(ring);
        }
        if let Some((tls, config)) = tls {
            tls.replace(config);
        }
        self.0.live.set(&options.tunables);
        Ok(())
    }
}
