//! The web console: one page that lives in the binary and talks to this API alone.
//!
//! Its content security policy names the page's own script and style by their hashes, so that
//! nothing else runs there, whatever names boards and members have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{self, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::reply::{self, Reply};

static PAGE: &str = include_str!("console.html");

/// The page and its policy.
#[derive(Debug)]
pub(crate) struct Console {
    policy: HeaderValue,
}

impl Console {
    pub(crate) fn new() -> Self {
        let policy = format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash_of("script"),
            hash_of("style")
        );
        let policy = HeaderValue::try_from(policy).expect("base64 is header text");
        Self { policy }
    }

    /// `GET /`
    pub(crate) fn page(&self) -> Reply {
        let mut reply = reply::of_type("text/html; charset=utf-8", PAGE);
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        reply
    }
}

/// What a policy calls the page's only `element`.
fn hash_of(element: &str) -> String {
    let content = PAGE
        .split_once(&format!("<{element}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{element}>")))
        .map(|(content, _)| content)
        .expect("the page has the element once, without attributes");
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_self_contained_and_escapes_by_construction() {
        for needle in [
            "http://",
            "https://",
            "src=",
            "@import",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "style=",
            "onclick",
        ] {
            assert!(!PAGE.contains(needle), "the console has {needle}");
        }
        assert_eq!(PAGE.matches("<script>").count(), 1);
        assert_eq!(PAGE.matches("<style>").count(), 1);
        let page = Console::new().page();
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert_eq!(policy.matches("sha256-").count(), 2);
    }
}
