//! A process that serves: listen, load, announce, wait for the signal, drain, close.
//!
//! The server listens before the store is loaded, so that `/healthz` tells "starting" from
//! "dead". Invariant: after the first SIGINT or SIGTERM nothing is accepted any more, what was
//! acknowledged is on disk before the process ends, and a second signal ends it at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use rankd_engine::Engine;
use rankd_server::{EngineSlot, Server, ServerError, ServerOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::exit::{Failure, Outcome};
use crate::output::print;
use crate::reload;
use crate::settings::{SettingFlags, Settings};
use crate::store;

/// What this program was built from and with, as `/metrics` tells it.
const BUILD: &[(&str, &str)] = &[
    ("version", env!("CARGO_PKG_VERSION")),
    ("commit", env!("RANKD_BUILD_COMMIT")),
    ("target", env!("RANKD_BUILD_TARGET")),
    ("profile", env!("RANKD_BUILD_PROFILE")),
    ("rustc", env!("RANKD_BUILD_RUSTC")),
];

/// A server that is up, its engine loaded.
pub(crate) struct Ready<'a> {
    pub(crate) engine: &'a Engine,
    /// Where a browser on this machine finds it, with a slash at the end.
    pub(crate) url: String,
}

/// Serves the data in `folder` until a signal comes. `prepare` may fill the engine before anybody
/// else gets at it; `announce` is what is printed then.
pub(crate) fn serve(
    flags: &SettingFlags,
    settings: &Settings,
    folder: &Path,
    prepare: impl AsyncFnOnce(&Engine) -> anyhow::Result<()>,
    announce: impl FnOnce(&Ready<'_>) -> String,
) -> Outcome {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if settings.threads > 0 {
        builder.worker_threads(settings.threads);
    }
    let runtime = builder.enable_all().build().context("cannot start the event loop")?;
    let outcome = runtime.block_on(serve_here(flags, settings, folder, prepare, announce));
    // Loading cannot be interrupted and need not be waited for: it writes nothing that the next
    // start would miss.
    runtime.shutdown_background();
    outcome
}

async fn serve_here(
    flags: &SettingFlags,
    settings: &Settings,
    folder: &Path,
    prepare: impl AsyncFnOnce(&Engine) -> anyhow::Result<()>,
    announce: impl FnOnce(&Ready<'_>) -> String,
) -> Outcome {
    let mut signals = Signals::new().context("cannot wait for signals")?;
    let slot = EngineSlot::empty();
    let server = bind(settings, slot.clone())?;
    let resp = bind_resp(settings)?;
    let address = server.local_addr();
    reload::start(server.reloader(), flags, settings).context("cannot wait for SIGHUP")?;
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        // The sender is dropped if this function fails; then there is nothing left to serve.
        let _ = stopped.await;
    }));
    let loaded = tokio::select! {
        loaded = load(settings, folder, prepare) => loaded,
        name = signals.next() => {
            tracing::info!(signal = name, "stopped while loading");
            return Ok(());
        }
    };
    let engine = loaded?;
    slot.fill(Arc::clone(&engine));
    let mut resp = RespServing::start(resp, &engine);
    if let Err(error) = print(&announce(&Ready { engine: &engine, url: url(settings, address) })) {
        // A server is not there for its standard output.
        tracing::warn!(%error, "ready, and nobody to tell");
    }
    let name = tokio::select! {
        name = signals.next() => name,
        () = resp.asked_to_end() => "SHUTDOWN",
    };
    tracing::info!(signal = name, "finishing running requests; a second signal exits at once");
    tokio::spawn(exit_at_next(signals));
    drop(stop);
    resp.stop().await;
    finish(serving, &engine).await
}

/// Waits for running requests, then closes the store.
async fn finish(serving: JoinHandle<std::io::Result<()>>, engine: &Engine) -> Outcome {
    let served = serving.await.context("the server was cut short");
    engine.close().await.context("cannot close the store")?;
    served?.context("the server stopped")?;
    tracing::info!("closed");
    Ok(())
}

/// Opens the store on a thread of its own and prepares the engine.
async fn load(
    settings: &Settings,
    folder: &Path,
    prepare: impl AsyncFnOnce(&Engine) -> anyhow::Result<()>,
) -> anyhow::Result<Arc<Engine>> {
    let (settings, folder) = (settings.clone(), folder.to_owned());
    let opening = tokio::task::spawn_blocking(move || store::open(&settings, &folder));
    let engine = opening.await.context("loading was cut short")??;
    let prepared = prepare(&engine).await;
    if prepared.is_err() {
        engine.close().await.context("cannot close the store")?;
    }
    prepared.map(|()| engine)
}

/// What the settings say of the HTTP front end.
pub(crate) fn options(settings: &Settings) -> ServerOptions {
    ServerOptions {
        http: settings.http,
        allow_anonymous: settings.allow_anonymous,
        admin_key: settings.admin_key.clone(),
        keys: settings.keys.clone(),
        tls: settings.tls(),
        console: settings.console,
        build: BUILD,
        tunables: settings.tunables,
    }
}

fn bind(settings: &Settings, slot: EngineSlot) -> Result<Server, Failure> {
    if !settings.http.ip().is_loopback() && settings.tls_cert.is_none() {
        tracing::warn!(
            address = %settings.http,
            "others on the network can read what is sent there, keys included: use TLS \
             (tls_cert, tls_key) or a proxy that does"
        );
    }
    Server::bind(options(settings), slot).map_err(|error| match error {
        ServerError::Bind { .. } => {
            Failure::Failed(anyhow!("{error} (--http ADDR chooses another address)"))
        }
        error => Failure::usage(error),
    })
}

/// The Redis front end, if it is asked for. Clients that come while the store is loaded wait.
fn bind_resp(settings: &Settings) -> Result<Option<rankd_resp::Server>, Failure> {
    let Some(address) = settings.resp else { return Ok(None) };
    if settings.keys.is_some() && settings.resp_password.is_none() && !settings.allow_anonymous {
        return Err(Failure::usage(anyhow!(
            "boards have keys, and the Redis protocol at {address} would ask for none: give \
             resp_password, or allow anonymous access explicitly (allow_anonymous)"
        )));
    }
    let options = rankd_resp::Options {
        password: settings.resp_password.clone(),
        allow_anonymous: settings.allow_anonymous,
        ..rankd_resp::Options::new(address)
    };
    let server = rankd_resp::Server::bind(options).map_err(|error| match error {
        rankd_resp::BindError::Bind { .. } => {
            Failure::Failed(anyhow!("{error} (--resp ADDR chooses another address)"))
        }
        error => Failure::usage(error),
    })?;
    tracing::info!(address = %server.local_addr(), "listening for the Redis protocol");
    Ok(Some(server))
}

/// The Redis front end while it serves; without one, nothing.
struct RespServing(Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<bool>>)>);

impl RespServing {
    fn start(server: Option<rankd_resp::Server>, engine: &Arc<Engine>) -> Self {
        Self(server.map(|server| {
            let (stop, stopped) = oneshot::channel::<()>();
            let engine = Arc::clone(engine);
            let serving = tokio::spawn(server.run(engine, async {
                // As above: the sender is dropped if there is nothing left to serve.
                let _ = stopped.await;
            }));
            (stop, serving)
        }))
    }

    /// Returns when a client has asked the process to end.
    async fn asked_to_end(&mut self) {
        if let Some((_, serving)) = &mut self.0 {
            let ended = serving.await;
            self.0 = None;
            if let Ok(Ok(true)) = ended {
                return;
            }
            tracing::error!(?ended, "the Redis protocol is not served any more");
        }
        std::future::pending::<()>().await;
    }

    /// Ends it and waits for that.
    async fn stop(self) {
        let Some((stop, serving)) = self.0 else { return };
        drop(stop);
        match serving.await {
            Ok(Ok(_)) => {}
            ended => tracing::error!(?ended, "the Redis protocol was cut short"),
        }
    }
}

/// The URL of an address, as somebody on this machine would write it.
fn url(settings: &Settings, address: SocketAddr) -> String {
    let scheme = if settings.tls_cert.is_some() { "https" } else { "http" };

    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}/", SocketAddr::new(host, address.port()))
}

/// The signals that ask a process to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next of them and tells its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Ends the process at the next signal, with the exit code that shells expect.
async fn exit_at_next(mut signals: Signals) {
    let code = if signals.next().await == "SIGINT" { 130 } else { 143 };
    std::process::exit(code);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_one_that_a_browser_here_can_open() {
        let settings = Settings::resolve(&SettingFlags::default(), &|_| None).unwrap();
        let cases = [
            ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("0.0.0.0:80", "http://127.0.0.1:80/"),
            ("[::]:8080", "http://[::1]:8080/"),
            ("192.0.2.7:8080", "http://192.0.2.7:8080/"),
        ];
        for (address, expected) in cases {
            assert_eq!(url(&settings, address.parse().unwrap()), expected);
        }
    }
}
