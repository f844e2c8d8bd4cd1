//! Reading ranks: of a member, of the top, around a member, by score, of a list, on many boards.

use hyper::Method;
use serde::Serialize;

use crate::boards::board_path;
use crate::error::ClientError;
use crate::name::Name;
use crate::path::{Query, encode};
use crate::score::Score;
use crate::scores::member_path;
use crate::transport::{Call, Client};
use crate::types::{MemberRanks, Page, RankList, RankStyle, ScorePage, Standing};

/// What every read of entries may ask for beyond ranks, members and scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// The display names of those who have one.
    pub names: bool,
    /// Since when each member has its score, where the board keeps that.
    pub times: bool,
}

impl Extras {
    /// Ranks, members and scores alone.
    pub const NONE: Self = Self { names: false, times: false };
    /// Display names as well.
    pub const NAMES: Self = Self { names: true, times: false };
    /// Times as well.
    pub const TIMES: Self = Self { names: false, times: true };

    fn on(self, query: Query) -> Query {
        let query = if self.names { query.with("names", "true") } else { query };
        if self.times { query.with("times", "true") } else { query }
    }
}

#[derive(Serialize)]
struct MembersBody<'a> {
    members: &'a [Name],
}

impl Client {
    /// Where a member stands.
    ///
    /// # Errors
    /// A 404 [`ClientError::Problem`] if board or member is unknown; any transport error.
    pub async fn standing(
        &self,
        board: impl AsRef<[u8]>,
        member: impl AsRef<[u8]>,
        style: RankStyle,
    ) -> Result<Standing, ClientError> {
        let query = match style {
            RankStyle::Ordinal => Query::default(),
            other => Query::default().with("style", other.as_str()),
        };
        self.json(Call::get(format!("{}{query}", member_path(board, member)))).await
    }

    /// `limit` entries (1 to 1000) from rank `offset + 1` on.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] for a bad limit or an unknown board; any transport error.
    pub async fn top(
        &self,
        board: impl AsRef<[u8]>,
        offset: u64,
        limit: usize,
        extras: Extras,
    ) -> Result<Page, ClientError> {
        let query = Query::default().with_some("limit", Some(limit));
        let query = query.with_some("offset", (offset > 0).then_some(offset));
        let path = format!("{}/top{}", board_path(board), extras.on(query));
        self.json(Call::get(path)).await
    }

    /// A member with up to `radius` neighbours on either side.
    ///
    /// # Errors
    /// A 404 [`ClientError::Problem`] if board or member is unknown; any transport error.
    pub async fn around(
        &self,
        board: impl AsRef<[u8]>,
        member: impl AsRef<[u8]>,
        radius: usize,
        extras: Extras,
    ) -> Result<Page, ClientError> {
        let query = extras.on(Query::default().with_some("radius", Some(radius)));
        self.json(Call::get(format!("{}/around{query}", member_path(board, member)))).await
    }

    /// The members whose scores are within the bounds, both included.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] for bad bounds or an unknown board; any transport error.
    pub async fn by_score(
        &self,
        board: impl AsRef<[u8]>,
        min: Option<Score>,
        max: Option<Score>,
        limit: Option<usize>,
        extras: Extras,
    ) -> Result<ScorePage, ClientError> {
        let query = Query::default().with_some("min", min).with_some("max", max);
        let query = extras.on(query.with_some("limit", limit));
        self.json(Call::get(format!("{}/scores{query}", board_path(board)))).await
    }

    /// The ranks of at most 10 000 members in one call.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] for too many members or an unknown board; any transport error.
    pub async fn ranks(
        &self,
        board: impl AsRef<[u8]>,
        members: &[Name],
        extras: Extras,
    ) -> Result<RankList, ClientError> {
        let path = format!("{}/ranks{}", board_path(board), extras.on(Query::default()));
        self.json_with(Call::new(Method::POST, path), &MembersBody { members }).await
    }

    /// A member's ranks on several boards.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] for too many boards; any transport error.
    pub async fn member_ranks(
        &self,
        member: impl AsRef<[u8]>,
        boards: &[impl AsRef<[u8]>],
    ) -> Result<MemberRanks, ClientError> {
        let query = Query::default().with_list("boards", boards);
        let member = encode(member.as_ref());
        self.json(Call::get(format!("/v1/members/{member}/ranks{query}"))).await
    }
}
