//! What each route asks of a board key.
//!
//! Invariant: every route that shows or changes anything of boards has a need; what has none shows
//! nothing but that the server runs, or belongs to organisations, which have keys of their own.

use super::Scope;
use crate::table::Action;

/// What a request needs a key for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) scope: Scope,
    pub(crate) reach: Reach,
}

/// Which boards a request concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The one in the path.
    Path,
    /// Those in the query.
    Query,
    /// Those that the key opens; the others are as if they did not exist.
    Visible,
    /// All of them, or what they share, such as members' display names.
    Every,
}

/// What a route needs; `None`: nothing.
pub(crate) fn need(action: Action) -> Option<Need> {
    use Action::{
        Around, ByScore, Console, CreateBoard, DeleteBoard, Docs, Health, ListBoards, MemberRanks,
        Metrics, OpenApi, Org, PostScores, PutLabel, PutLabels, PutScore, Ranks, ReadBoard,
        ReadLabel, ReadMember, Ready, RemoveLabel, RemoveMember, Snapshot, Top,
    };
    let (scope, reach) = match action {
        ListBoards => (Scope::Read, Reach::Visible),
        MemberRanks => (Scope::Read, Reach::Query),
        ReadBoard | ReadMember | Around | Top | ByScore | Ranks => (Scope::Read, Reach::Path),
        CreateBoard | PutScore | PostScores | RemoveMember => (Scope::Write, Reach::Path),
        DeleteBoard => (Scope::Admin, Reach::Path),
        ReadLabel => (Scope::Read, Reach::Every),
        PutLabel | PutLabels | RemoveLabel => (Scope::Write, Reach::Every),
        Snapshot | Metrics => (Scope::Admin, Reach::Every),
        Health | Ready | OpenApi | Docs | Console | Org(_) => return None,
    };
    Some(Need { scope, reach })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Class, ROUTES};

    #[test]
    fn needs_fit_the_routes() {
        for route in ROUTES.iter() {
            let need = need(route.action);
            let (path, has_board) = (route.path, route.path.contains("{board}"));
            assert_eq!(has_board, need.is_some_and(|need| need.reach == Reach::Path), "{path}");
            let scope = need.map(|need| need.scope);
            match route.class {
                Class::Read => assert_eq!(scope, Some(Scope::Read), "{path}"),
                Class::Write => {
                    assert!(matches!(scope, Some(Scope::Write | Scope::Admin)), "{path}");
                }
                Class::Command => assert_eq!(scope, Some(Scope::Admin), "{path}"),
                Class::Open => assert!(matches!(scope, None | Some(Scope::Admin)), "{path}"),
                Class::OrgRead | Class::OrgWrite => assert_eq!(scope, None, "{path}"),
            }
        }
    }
}
