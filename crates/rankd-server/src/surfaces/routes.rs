//! The paths of the published APIs. From here come what is unknown or has another method, and the
//! metrics' labels; what a path means is its surface's business.
//!
//! Cost: a handful of comparisons; the table is short.

use hyper::Method;
use hyper::header::{self, HeaderValue};

use super::Surface;
use crate::problem::{Problem, Slug, shown};

/// One method of one path.
#[derive(Debug)]
pub(crate) struct SurfaceRoute {
    surface: Surface,
    pub(crate) method: &'static str,
    /// Segments in braces stand for any text.
    pub(crate) path: &'static str,
}

const fn get(surface: Surface, path: &'static str) -> SurfaceRoute {
    SurfaceRoute { surface, method: "GET", path }
}

const fn post(surface: Surface, path: &'static str) -> SurfaceRoute {
    SurfaceRoute { surface, method: "POST", path }
}

/// Every route of every surface; a path has one method.
pub(crate) static SURFACE_ROUTES: &[SurfaceRoute] = &[
    get(Surface::Wintro, "/api/v1/leaderboard"),
    post(Surface::KeepnetToken, "/connect/token"),
    post(Surface::Keepnet, "/api/companies/search"),
    post(Surface::Keepnet, "/api/leaderboard/get-top-performers"),
    post(Surface::Keepnet, "/api/leaderboard/get-all"),
    post(Surface::Keepnet, "/api/leaderboard/get-all/export"),
    post(Surface::Keepnet, "/api/leaderboard/user-performance"),
    post(Surface::Keepnet, "/api/leaderboard/get-user-timeline"),
    post(Surface::Keepnet, "/api/leaderboard/get-user-timeline/export"),
    get(Surface::Keepnet, "/api/leaderboard/form-details"),
    post(Surface::Capillary, "/v3/oauth/token/generate"),
    get(Surface::Capillary, "/api_gateway/intouch-api-v3/v3.1/leaderboards/user"),
    get(Surface::Capillary, "/api_gateway/intouch-api-v3/v3.1/leaderboards/user/{userId}"),
    get(
        Surface::Capillary,
        "/api_gateway/intouch-api-v3/v3.1/leaderboards/targetGroups/{targetGroupId}",
    ),
];

/// Finds the place in the table of a method and an undecoded path. `HEAD` is served wherever
/// `GET` is.
pub(crate) fn find(surface: Surface, method: &Method, path: &str) -> Result<usize, Problem> {
    let path = without_slash(path);
    let is_here = |route: &SurfaceRoute| route.surface == surface && fits(route.path, path);
    let Some(index) = SURFACE_ROUTES.iter().position(is_here) else {
        let detail = format!("{:?} is not a path of this API", shown(path));
        return Err(Problem::new(Slug::NotFound, detail));
    };
    let served = SURFACE_ROUTES[index].method;
    let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
    if wanted == served {
        return Ok(index);
    }
    let detail = format!("{} is not a method of {path:?}; it is {served}", shown(method.as_str()));
    let allow = if served == "GET" { "GET, HEAD" } else { served };
    Err(Problem::new(Slug::MethodNotAllowed, detail)
        .with_header(header::ALLOW, HeaderValue::from_static(allow)))
}

/// A path as the table spells it: one slash at the end is ignored.
pub(crate) fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern.split('/').all(|wanted| {
        segments.next().is_some_and(|segment| {
            segment == wanted || (wanted.starts_with('{') && !segment.is_empty())
        })
    }) && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(method: &Method, path: &str) -> Result<&'static str, Slug> {
        let surface = Surface::of(path).unwrap();
        find(surface, method, path)
            .map(|index| SURFACE_ROUTES[index].path)
            .map_err(|problem| problem.slug())
    }

    #[test]
    fn every_route_is_reached_through_its_prefix() {
        for (index, route) in SURFACE_ROUTES.iter().enumerate() {
            let path = route.path.replace("{userId}", "7").replace("{targetGroupId}", "8");
            let method = Method::from_bytes(route.method.as_bytes()).unwrap();
            for path in [path.clone(), format!("{path}/")] {
                assert_eq!(Surface::of(&path), Some(route.surface));
                assert_eq!(find(route.surface, &method, &path).unwrap(), index, "{path}");
            }
        }
    }

    #[test]
    fn misses_are_told_apart() {
        let group = "/api_gateway/intouch-api-v3/v3.1/leaderboards/targetGroups";
        for path in ["/api/v1/", "/api/v1/leaderboards", "/api/v1/leaderboard//", group] {
            assert_eq!(path_of(&Method::GET, path), Err(Slug::NotFound), "{path}");
        }
        let deeper = format!("{group}/1/2");
        assert_eq!(path_of(&Method::GET, &deeper), Err(Slug::NotFound));
        assert!(path_of(&Method::HEAD, "/api/v1/leaderboard").is_ok());
        let refused = path_of(&Method::POST, "/api/v1/leaderboard");
        assert_eq!(refused, Err(Slug::MethodNotAllowed));
        let refused = find(Surface::KeepnetToken, &Method::GET, "/connect/token").unwrap_err();
        assert_eq!(refused.into_reply().headers()[header::ALLOW], "POST");
    }
}
