//! The Capillary surface over real HTTP: the contract's cases, the documents' own samples, and
//! what hostile or careless clients send.

mod bad_input;
mod cases;
mod errors;
mod golden;
#[path = "../org_support/mod.rs"]
mod org_support;
mod scopes;
mod steady;
mod user_cases;
mod world;
