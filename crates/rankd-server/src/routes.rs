//! From a method and an undecoded path to a line of the table.
//!
//! Cost: one walk over the path's bytes, no allocation but the parameters'.

use hyper::Method;
use hyper::header::{self, HeaderValue};
use matchit::{Params, Router};

use crate::problem::{Problem, Slug, shown};
use crate::table::{Action, ROUTES, Route};

/// The routes of one path, and what `Allow` says there.
#[derive(Debug)]
struct PathRoutes {
    routes: Vec<(usize, &'static Route)>,
    allow: HeaderValue,
}

/// Finds the route of a request.
#[derive(Debug)]
pub(crate) struct Routes {
    router: Router<PathRoutes>,
}

/// A route, its place in the table, and the undecoded segments of the path.
#[derive(Debug)]
pub(crate) struct Found<'r, 'p> {
    pub(crate) index: usize,
    pub(crate) route: &'static Route,
    pub(crate) params: Params<'r, 'p>,
}

impl Routes {
    /// The routes that are served; the console only if `console`.
    pub(crate) fn new(console: bool) -> Self {
        let mut router = Router::new();
        let mut paths: Vec<&'static str> = Vec::new();
        for route in ROUTES.iter() {
            if !paths.contains(&route.path) && (console || route.action != Action::Console) {
                paths.push(route.path);
            }
        }
        for path in paths {
            let at_path = |(_, route): &(usize, &'static Route)| route.path == path;
            let routes: Vec<_> = ROUTES.iter().copied().enumerate().filter(at_path).collect();
            let allow = allowed(&routes);
            router
                .insert(path, PathRoutes { routes, allow })
                .expect("the table's paths do not conflict");
        }
        Self { router }
    }

    /// The route for a method and an undecoded path. `HEAD` is served wherever `GET` is.
    pub(crate) fn find<'r, 'p>(
        &'r self,
        method: &Method,
        path: &'p str,
    ) -> Result<Found<'r, 'p>, Problem> {
        let Ok(matched) = self.router.at(path) else {
            let detail = format!("{:?} is not a path of this server", shown(path));
            return Err(Problem::new(Slug::NotFound, detail));
        };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let at_path = matched.value;
        match at_path.routes.iter().find(|(_, route)| route.method == *wanted) {
            Some(&(index, route)) => Ok(Found { index, route, params: matched.params }),
            None => Err(not_allowed(method, path, &at_path.allow)),
        }
    }
}

fn allowed(routes: &[(usize, &'static Route)]) -> HeaderValue {
    let mut methods: Vec<_> = routes.iter().map(|(_, route)| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    HeaderValue::from_str(&methods.join(", ")).expect("methods are header text")
}

fn not_allowed(method: &Method, path: &str, allow: &HeaderValue) -> Problem {
    let detail = format!(
        "{} is not a method of {:?}; allowed are {}",
        shown(method.as_str()),
        shown(path),
        String::from_utf8_lossy(allow.as_bytes())
    );
    Problem::new(Slug::MethodNotAllowed, detail).with_header(header::ALLOW, allow.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_method_of_a_path_once() {
        let mut seen = std::collections::HashSet::new();
        for route in ROUTES.iter() {
            assert!(seen.insert((route.path, route.method.clone())), "{}", route.path);
        }
    }

    #[test]
    fn segments_stay_undecoded() {
        let routes = Routes::new(true);
        let found = routes.find(&Method::GET, "/v1/boards/a%2Fb/members/..%2F%3F/around").unwrap();
        assert_eq!(found.route.action, Action::Around);
        assert_eq!(found.params.get("board"), Some("a%2Fb"));
        assert_eq!(found.params.get("member"), Some("..%2F%3F"));
        let dots = routes.find(&Method::GET, "/v1/boards/../members/.").unwrap();
        assert_eq!(dots.params.get("board"), Some(".."));
        let braces = routes.find(&Method::GET, "/v1/members/{member}").unwrap();
        assert_eq!(braces.params.get("member"), Some("{member}"));
    }

    #[test]
    fn misses_are_told_apart() {
        let routes = Routes::new(false);
        for path in ["/", "/v1", "/v1/boards/", "/v1/boards/a/", "/v1/boards/a/members/", "/x"] {
            let problem = routes.find(&Method::GET, path).unwrap_err();
            assert_eq!(problem.slug(), Slug::NotFound, "{path}");
        }
        let problem = routes.find(&Method::PATCH, "/v1/boards/a").unwrap_err();
        assert_eq!(problem.slug(), Slug::MethodNotAllowed);
        let reply = problem.into_reply();
        assert_eq!(reply.headers()[header::ALLOW], "PUT, GET, DELETE, HEAD");
    }
}
