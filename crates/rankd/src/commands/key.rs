//! `rankd key`: makes a board key. It asks no server: the operator adds the lines to the key file
//! and has the server read it again.

use std::io::Write as _;

use rankd_server::{NewKey, Scope};

use super::one_of;
use crate::exit::{Failure, Outcome};
use crate::output::print;

/// The flags of `rankd key`.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// What the key is good for, separated by commas; none includes another
    #[arg(long, value_name = "SCOPES", required = true, value_delimiter = ',')]
    #[arg(value_parser = one_of(&Scope::ALL, Scope::name))]
    scopes: Vec<Scope>,
    /// Beginnings of the names of the boards that it opens, separated by commas; without, all
    #[arg(long, value_name = "PREFIXES", value_delimiter = ',')]
    boards: Vec<String>,
    /// What the file and refusals call it; without, something random
    #[arg(long)]
    id: Option<String>,
}

pub(crate) fn run(args: &KeyArgs) -> Outcome {
    let key = NewKey::random(args.id.as_deref(), &args.scopes, &args.boards);
    let key = key.map_err(Failure::usage)?;
    print(key.file_lines())?;
    // The lines can go to the file while somebody sees the secret.
    let secret = key.secret();
    writeln!(
        std::io::stderr(),
        "The secret, which is shown this once (Authorization: Bearer ..., RANKD_API_KEY):\n{secret}"
    )?;
    Ok(())
}
