//! `GET /docs`: the API for people, made from the same document that machines get.
//!
//! One page without scripts that refers to nothing outside of it. Invariant: every text is escaped.
//! Cost: made once, when the server starts.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::openapi;
use crate::reply::{self, Reply};

const STYLE: &str = "
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem;
  color: #1d2733; background: #fff; }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .3rem; border-top: 1px solid #d9dfe6; padding-top: 1rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: #f4f6f8; padding: .7rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #e6eaee; padding: .25rem .8rem .25rem 0; vertical-align: top; }
b.method { display: inline-block; min-width: 4.2rem; color: #0b5cad; }
nav li { list-style: none; }
@media (prefers-color-scheme: dark) {
  body { color: #dfe6ee; background: #12171d; } pre { background: #1b222b; }
  h2, td { border-color: #2c3642; } a, b.method { color: #7db8f5; }
}
";

/// The page and its policy.
#[derive(Debug)]
pub(crate) struct Docs {
    page: Bytes,
    policy: HeaderValue,
}

impl Docs {
    pub(crate) fn new() -> Self {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        let policy = HeaderValue::try_from(policy).expect("base64 is header text");
        Self { page: page(&openapi::document()).into(), policy }
    }

    /// `GET /docs`
    pub(crate) fn page(&self) -> Reply {
        let mut reply = reply::of_type("text/html; charset=utf-8", self.page.clone());
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        reply
    }
}

/// The document as a page.
fn page(document: &Value) -> String {
    let title =
        format!("{} {}", text(&document["info"]["title"]), text(&document["info"]["version"]));
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body>\
         <h1>{title}</h1><p>{}</p><p>The same for machines: <a href=\"openapi.json\">openapi.json\
         </a></p>",
        text(&document["info"]["description"])
    );
    let (mut contents, mut sections) = (String::new(), String::new());
    for (path, methods) in entries(&document["paths"]) {
        for (method, operation) in entries(methods) {
            let (id, method) = (text(&operation["operationId"]), method.to_ascii_uppercase());
            let call = format!("<b class=\"method\">{method}</b> <code>{}</code>", escaped(path));
            put(&mut contents, &format!("<li><a href=\"#{id}\">{call}</a></li>"));
            put(&mut sections, &format!("<h2 id=\"{id}\">{call}</h2>"));
            section(&mut sections, operation);
        }
    }
    put(&mut html, &format!("<nav><ul>{contents}</ul></nav>{sections}"));
    put(&mut html, "<h2 id=\"shapes\">Shapes</h2><p>As JSON Schema.</p>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let shape = serde_json::to_string_pretty(schema).expect("a schema is JSON");
        let (name, shape) = (escaped(name), escaped(&shape));
        put(&mut html, &format!("<h3 id=\"{name}\">{name}</h3><pre>{shape}</pre>"));
    }
    put(&mut html, "</body></html>\n");
    html
}

/// One method of one path.
fn section(html: &mut String, operation: &Value) {
    put(html, &format!("<p>{}.", text(&operation["summary"])));
    if let Some(need) = operation["x-rankd-needs"].as_str() {
        put(html, &format!(" {}.", escaped(need)));
    }
    put(html, "</p><table>");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let required = if parameter["required"] == true { ", required" } else { "" };
        row(
            html,
            &format!("<code>{}</code>", text(&parameter["name"])),
            &format!("{}{required}", text(&parameter["in"])),
            &format!("{} {}", text(&parameter["description"]), shape(&parameter["schema"])),
        );
    }
    for (_, content) in entries(&operation["requestBody"]["content"]) {
        row(html, "body", "", &shape(&content["schema"]));
    }
    for (status, response) in entries(&operation["responses"]) {
        let shapes: Vec<_> =
            entries(&response["content"]).map(|(_, content)| shape(&content["schema"])).collect();
        let about = format!("{} {}", text(&response["description"]), shapes.join(" "));
        row(html, &format!("<b>{}</b>", escaped(status)), "", &about);
    }
    put(html, "</table>");
}

/// A link to a schema that has a name, or the schema itself.
fn shape(schema: &Value) -> String {
    match schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        Some(name) => format!("<a href=\"#{0}\">{0}</a>", escaped(name)),
        None => format!("<code>{}</code>", escaped(&schema.to_string())),
    }
}

fn row(html: &mut String, name: &str, kind: &str, about: &str) {
    put(html, &format!("<tr><td>{name}</td><td>{kind}</td><td>{about}</td></tr>"));
}

fn put(html: &mut String, text: &str) {
    html.write_str(text).expect("writing to a string cannot fail");
}

/// The members of an object; none if it is something else.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// A string, escaped; nothing if it is something else.
fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ROUTES;

    #[test]
    fn the_page_has_every_route_and_needs_nothing_from_outside() {
        let html = page(&openapi::document());
        for route in ROUTES.iter() {
            let call =
                format!("<b class=\"method\">{}</b> <code>{}</code>", route.method, route.path);
            assert_eq!(html.matches(&call).count(), 2, "{call}");
        }
        for needle in ["http://", "https://", "src=", "@import", "<script", "style=", "onclick"] {
            assert!(!html.contains(needle), "the page has {needle}");
        }
        for link in html.split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
