//! Identifiers. Numbers shown to clients are 1 to [`crate::limits::ID_MAX`].

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$about:meta])* $name:ident;)*) => {
        $(
            $(#[$about])*
            #[derive(
                Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            )]
            #[serde(transparent)]
            pub struct $name(pub u64);
        )*
    };
}

ids! {
    /// An organisation; unique in the store.
    OrgId;
    /// A user; unique in its tree of organisations.
    UserId;
    /// A target group; unique in its tree of organisations.
    GroupId;
    /// A target, which Capillary also calls target rule; unique in its group.
    TargetId;
    /// A period; unique in its group.
    PeriodId;
    /// A credential; unique in the store.
    CredentialId;
}
