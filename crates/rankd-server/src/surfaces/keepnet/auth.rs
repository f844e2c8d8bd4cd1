//! Who asks, and for which company.
//!
//! What it is not: the token endpoint, which is in `token`.
//!
//! Invariant: nothing of a company is looked at before the client may see it; a client that is
//! bound to one company learns nothing of the existence of others.

use std::borrow::Cow;
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderValue};
use jiff::tz::TimeZone;
use rankd_orgs::{Credential, CredentialSpec, OrgId, OrgView, Role};

use super::envelope::Refusal;
use super::limits::COMPANY_ID_CHARS_MAX;
use crate::problem::shown;
use crate::surfaces::SurfaceCall;
use crate::tokens::{self, Purpose};

/// The header, the query parameter, and the other header that name a company; the first that is
/// there counts.
const COMPANY_HEADER: &str = "x-keepnet-company-id";
const COMPANY_PARAMETER: &str = "companyId";
const OTHER_COMPANY_HEADER: &str = "x-ir-company-id";

/// A client whose token is good.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) credential: Arc<Credential>,
    pub(super) role: Role,
}

/// The company that a request is about.
#[derive(Debug, Clone)]
pub(super) struct Company {
    pub(super) id: OrgId,
    pub(super) zone: TimeZone,
}

/// The client behind a request's token.
///
/// # Errors
/// There is no token, it is not good, or its client has asked too often.
pub(super) fn client(call: &SurfaceCall<'_>) -> Result<Client, Refusal> {
    let token = call.bearer().ok_or(Refusal::Unauthorized)?;
    let credential = tokens::verify(call.engine, Purpose::Keepnet, token, call.now_ms)
        .ok_or(Refusal::Unauthorized)?;
    let CredentialSpec::KeepnetClient { role, requests_per_minute, .. } = credential.spec else {
        return Err(Refusal::Unauthorized);
    };
    if let Some(limit) = requests_per_minute {
        let allowance = call.rates.take(credential.id, limit, call.now_ms);
        if !allowance.allowed {
            let retry_after_s = allowance.retry_after_s(call.now_ms);
            return Err(Refusal::TooManyRequests { retry_after_s });
        }
    }
    Ok(Client { credential, role })
}

/// The company whose data is asked for.
///
/// # Errors
/// It is not named where it must be, there is no such company, or it is not the client's.
pub(super) fn company(call: &SurfaceCall<'_>, client: &Client) -> Result<Company, Refusal> {
    let (orgs, own) = (call.engine.orgs(), client.credential.org);
    let named = named_company(call.head.headers(), call.param(COMPANY_PARAMETER))?;
    let org = match client.role {
        Role::CompanyAdmin => {
            let org = orgs.org(own).ok_or(Refusal::Unauthorized)?;
            if named.is_some_and(|named| named != *org.spec.resource_id) {
                return Err(Refusal::Forbidden("the credential is for another company"));
            }
            org
        }
        Role::Reseller => {
            let named = named.ok_or_else(|| {
                Refusal::input("the header X-KEEPNET-Company-Id is required; it names the company")
            })?;
            let org = orgs
                .org_by_resource_id(&named)
                .ok_or_else(|| Refusal::NotFound(format!("there is no company {named}")))?;
            if org.id == own || !orgs.is_within(org.id, own) {
                return Err(Refusal::Forbidden("the company is not one that the reseller manages"));
            }
            org
        }
    };
    Ok(Company { id: org.id, zone: zone(&org) })
}

/// An organisation's time zone.
pub(super) fn zone(org: &OrgView) -> TimeZone {
    // Zones are checked on their way in; a name may still have left the database since.
    TimeZone::get(&org.spec.time_zone).unwrap_or(TimeZone::UTC)
}

/// The company that a request names, if it names one. A header that is given twice is read as if
/// it had both values, which is no company id.
fn named_company<'a>(
    headers: &'a HeaderMap,
    parameter: Option<Cow<'a, str>>,
) -> Result<Option<String>, Refusal> {
    let header = |name| {
        // What is not ASCII is not well-formed, whatever it stands for.
        let text = |value: &'a HeaderValue| String::from_utf8_lossy(value.as_bytes());
        let values: Vec<_> = headers.get_all(name).iter().map(text).collect();
        (!values.is_empty()).then(|| values.join(","))
    };
    let named = header(COMPANY_HEADER)
        .or_else(|| parameter.map(Cow::into_owned))
        .or_else(|| header(OTHER_COMPANY_HEADER));
    match named {
        Some(named) if !is_company_id(&named) => Err(Refusal::input(format!(
            "the company id is {:?}; it must be 1 to {COMPANY_ID_CHARS_MAX} letters and digits",
            shown(&named)
        ))),
        named => Ok(named),
    }
}

fn is_company_id(text: &str) -> bool {
    (1..=COMPANY_ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(
        parameter: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Result<Option<String>, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        named_company(&map, parameter.map(Cow::Borrowed))
    }

    #[test]
    fn the_first_of_three_ways_counts() {
        let both = [(OTHER_COMPANY_HEADER, "c"), (COMPANY_HEADER, "a")];
        let name = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(named(Some("b"), &both), name("a"));
        assert_eq!(named(Some("b"), &both[..1]), name("b"));
        assert_eq!(named(None, &both[..1]), name("c"));
        assert_eq!(named(None, &[]), Ok(None));
    }

    #[test]
    fn malformed_ids_are_refused_wherever_they_stand() {
        let long = "a".repeat(65);
        for bad in ["", "!!", "a b", "a-b", "a,b", "a\u{e4}", &long] {
            for header in [COMPANY_HEADER, OTHER_COMPANY_HEADER] {
                assert!(matches!(named(None, &[(header, bad)]), Err(Refusal::Input(_))), "{bad}");
            }
            assert!(matches!(named(Some(bad), &[]), Err(Refusal::Input(_))), "{bad}");
        }
        let twice = [(COMPANY_HEADER, "a"), (COMPANY_HEADER, "a")];
        assert!(matches!(named(None, &twice), Err(Refusal::Input(_))));
        assert!(named(Some(&long[1..]), &[]).is_ok());
    }
}
