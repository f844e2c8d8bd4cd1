//! The data scope headers: which organisations a request may see.
//!
//! Invariant: the visible set never leaves the caller's tree of organisations. In a tree of more
//! than two levels, "children" are all organisations below and "the parent" is the next one above.
//! Cost: one look-up for each listed organisation.

use hyper::header::{HeaderMap, HeaderName};
use rankd_orgs::{OrgId, OrgView, Orgs};

use super::fault::Fault;
use super::params;
use crate::problem::shown;

const DATA_SCOPE: HeaderName = HeaderName::from_static("data-scope");
/// The documents use both spellings.
const DATA_SCOPE_ORG: [HeaderName; 2] =
    [HeaderName::from_static("data-scope-org"), HeaderName::from_static("data-scope-orgs")];
/// Most organisations that `OTHER` may list.
const OTHER_ORGS_MAX: usize = 2;

/// What the headers ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// The caller alone.
    Own,
    /// Those that are listed.
    Other(Vec<i64>),
    /// The caller, its parent and its children; the list is only checked.
    All(Vec<i64>),
}

/// The organisations that a request may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Visible {
    /// These, by id.
    Listed(Vec<OrgId>),
    /// One with all below it, and the one above it if there is any.
    Family { own: OrgId, parent: Option<OrgId> },
}

impl Scope {
    /// Reads the headers.
    pub(super) fn parse(headers: &HeaderMap) -> Result<Self, Fault> {
        let word = headers.get_all(DATA_SCOPE).iter().next_back();
        let word = word.map_or(&b""[..], |value| value.as_bytes().trim_ascii());
        if word.is_empty() || word.eq_ignore_ascii_case(b"SELF") {
            Ok(Self::Own)
        } else if word.eq_ignore_ascii_case(b"ALL") {
            Ok(Self::All(listed(headers)?))
        } else if word.eq_ignore_ascii_case(b"OTHER") {
            let orgs = listed(headers)?;
            if orgs.is_empty() {
                return Err(Fault::Input("DATA-SCOPE-ORG is mandatory for OTHER".to_owned()));
            }
            if orgs.len() > OTHER_ORGS_MAX {
                let detail = format!("DATA-SCOPE-ORG lists more than {OTHER_ORGS_MAX} orgs");
                return Err(Fault::Input(detail));
            }
            Ok(Self::Other(orgs))
        } else {
            let word = shown(&String::from_utf8_lossy(word));
            Err(Fault::Input(format!("DATA-SCOPE is {word:?}, not SELF, OTHER or ALL")))
        }
    }

    /// The organisations that the headers list.
    pub(super) fn listed(&self) -> &[i64] {
        match self {
            Self::Own => &[],
            Self::Other(orgs) | Self::All(orgs) => orgs,
        }
    }

    /// The visible set; listed organisations outside the caller's tree are simply not in it.
    pub(super) fn visible(&self, orgs: &Orgs, caller: &OrgView) -> Visible {
        let own = caller.id;
        let parent = caller.spec.parent;
        match self {
            Self::Own => Visible::Listed(vec![own]),
            Self::All(_) => Visible::Family { own, parent },
            Self::Other(listed) => {
                let is_seen = |&org: &OrgId| match org == own {
                    true => parent.is_some(),
                    false => orgs.is_within(org, own),
                };
                let mut seen: Vec<_> = listed.iter().filter_map(|&id| org_id(id)).collect();
                seen.retain(is_seen);
                seen.sort_unstable();
                Visible::Listed(seen)
            }
        }
    }
}

impl Visible {
    /// Whether the request may see this organisation.
    pub(super) fn holds(&self, orgs: &Orgs, org: OrgId) -> bool {
        match self {
            Self::Listed(listed) => listed.contains(&org),
            Self::Family { own, parent } => *parent == Some(org) || orgs.is_within(org, *own),
        }
    }

    /// All of them, by id.
    pub(super) fn ids(&self, orgs: &Orgs) -> Vec<OrgId> {
        match self {
            Self::Listed(listed) => listed.clone(),
            Self::Family { own, parent } => {
                let mut family = orgs.descendants(*own);
                family.push(*own);
                family.extend(parent);
                family.sort_unstable();
                family
            }
        }
    }

    /// The fault to report if leaderboards are off in all of them; an empty set has none off.
    pub(super) fn without_leaderboards(&self, orgs: &Orgs) -> Option<Fault> {
        let ids = self.ids(orgs);
        let is_off = |&id: &OrgId| orgs.org(id).is_some_and(|org| !org.spec.leaderboards_enabled);
        let all_off = !ids.is_empty() && ids.iter().all(is_off);
        all_off.then(|| Fault::LeaderboardsOff(ids.iter().map(|id| id.0).collect()))
    }
}

/// Checks that all of `listed` are in the caller's tree. One that does not exist is outside of it
/// like any other; the fault names each once, as they came.
pub(super) fn all_inside_hierarchy(
    orgs: &Orgs,
    caller: &OrgView,
    listed: impl Iterator<Item = i64>,
) -> Result<(), Fault> {
    let is_inside = |id| {
        let org = org_id(id).and_then(|org| orgs.org(org));
        org.is_some_and(|org| org.root == caller.root)
    };
    let outside = distinct(listed.filter(|&id| !is_inside(id)));
    if outside.is_empty() { Ok(()) } else { Err(Fault::OutsideHierarchy(outside)) }
}

/// The identifier of an organisation; no negative number is one.
pub(super) fn org_id(id: i64) -> Option<OrgId> {
    u64::try_from(id).ok().map(OrgId)
}

/// Each number once, in the order in which they came.
fn distinct(ids: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

fn listed(headers: &HeaderMap) -> Result<Vec<i64>, Fault> {
    let mut ids = Vec::new();
    for value in DATA_SCOPE_ORG.iter().flat_map(|name| headers.get_all(name)) {
        let text = String::from_utf8_lossy(value.as_bytes());
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            ids.push(params::whole("DATA-SCOPE-ORG", item)?);
        }
    }
    Ok(distinct(ids.into_iter()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn parsed(headers: &[(&'static str, &'static str)]) -> Result<Scope, Fault> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        Scope::parse(&map)
    }

    #[test]
    fn self_is_the_default_and_ignores_the_list() {
        assert_eq!(parsed(&[]), Ok(Scope::Own));
        assert_eq!(parsed(&[("data-scope", "self"), ("data-scope-org", "x,,!")]), Ok(Scope::Own));
        assert_eq!(parsed(&[("data-scope-org", "1,2,3")]), Ok(Scope::Own));
    }

    #[test]
    fn lists_have_two_spellings_and_repeated_ids_count_once() {
        let list = [("data-scope", "Other"), ("data-scope-orgs", " 5 ,6,5,")];
        assert_eq!(parsed(&list), Ok(Scope::Other(vec![5, 6])));
        let both = [("data-scope", "ALL"), ("data-scope-org", "5,7"), ("data-scope-orgs", "6")];
        assert_eq!(parsed(&both), Ok(Scope::All(vec![5, 7, 6])));
        assert_eq!(parsed(&[("data-scope", "all")]), Ok(Scope::All(vec![])));
    }

    #[test]
    fn bad_headers_are_bad_input() {
        let bad: [&[(&str, &str)]; 6] = [
            &[("data-scope", "MINE")],
            &[("data-scope", "SELF,ALL")],
            &[("data-scope", "OTHER")],
            &[("data-scope", "OTHER"), ("data-scope-org", " , ")],
            &[("data-scope", "OTHER"), ("data-scope-org", "1,2,3")],
            &[("data-scope", "ALL"), ("data-scope-org", "1;2")],
        ];
        for headers in bad {
            assert!(matches!(parsed(headers), Err(Fault::Input(_))), "{headers:?}");
        }
    }
}
