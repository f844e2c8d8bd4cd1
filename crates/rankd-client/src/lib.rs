//! Async client of the rankd HTTP API: one typed method a route, one typed error.
//!
//! It is not a cache, and it never repeats a request on its own: whether a write may be sent
//! again is the caller's knowledge (see [`ClientError::may_take_effect`] and the idempotency keys
//! of [`WriteOptions`]).
//!
//! Invariant: names are percent-encoded byte by byte, so that any name the server knows can be
//! asked for. Cost: one connection is kept open and used again; an answer is read whole, at most
//! [`RESPONSE_BYTES_MAX`] bytes of it.
//!
//! ```no_run
//! # async fn run() -> Result<(), rankd_client::ClientError> {
//! let client = rankd_client::Client::new("http://127.0.0.1:8080")?;
//! client.put_score("daily", "ada", &4200.into(), &Default::default()).await?;
//! println!("rank {}", client.standing("daily", "ada", Default::default()).await?.rank);
//! # Ok(())
//! # }
//! ```

mod boards;
mod error;
mod labels;
mod name;
mod ops;
mod organisations;
mod path;
mod reads;
mod score;
mod scores;
mod tls;
mod transport;
mod types;

pub use error::{BoxError, ClientError, Problem};
pub use name::Name;
pub use organisations::{Accepted, Activity, ActivityAttributes, ActivityCampaign, Setup, User};
pub use path::encode;
pub use reads::Extras;
pub use score::Score;
pub use transport::{CONNECT_TIMEOUT_MS, Client, REQUEST_TIMEOUT_MS, RESPONSE_BYTES_MAX};
pub use types::*;

#[cfg(test)]
mod tests;
