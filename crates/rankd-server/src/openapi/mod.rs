//! The OpenAPI 3.1 document, made from the table of routes; only the schemas are written by hand.
//!
//! A test compares the document with the table, and every reference in it with the schemas.

mod organisations;
mod schemas;

use rankd_engine::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use serde_json::{Map, Value, json};

use crate::keys::{self, Need, Reach};
use crate::problem::Slug;
use crate::table::{Action, Answer, BodySpec, Class, ROUTES, Route};

/// The whole document.
pub(crate) fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES.iter() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rankd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An in-memory rank index: who is at the top, what is my rank, who is \
                around me. Names in paths are percent-encoded; ranks begin at 1.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": { "key": {
                "type": "http", "scheme": "bearer",
                "description": "A board key, an organisation's API key, or the operator's key.",
            } },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if let Some(BodySpec { schema, optional, .. }) = &route.body {
        operation["requestBody"] = json!({
            "required": !optional,
            "content": { "application/json": { "schema": reference(schema) } },
        });
    }
    if route.class.needs_key() {
        operation["security"] = json!([{ "key": [] }]);
    } else if let Some(need) = keys::need(route.action) {
        // A server without a file of board keys asks for none.
        operation["security"] = json!([{ "key": [] }, {}]);
        operation["x-rankd-needs"] = needed(need).into();
    }
    operation
}

/// What a board key has to have, as a sentence without its full stop.
fn needed(need: Need) -> String {
    let boards = match need.reach {
        Reach::Path => "the board",
        Reach::Query => "each of the boards",
        Reach::Visible => "the boards that it shows",
        Reach::Every => "every board",
    };
    format!("Where boards have keys, it needs the scope {} for {boards}", need.scope.name())
}

/// The action's name with a small first letter.
fn operation_id(route: &Route) -> String {
    let name = match route.action {
        Action::Org(action) => format!("{action:?}"),
        action => format!("{action:?}"),
    };
    let (first, rest) = name.split_at(1);
    first.to_ascii_lowercase() + rest
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters: Vec<Value> = path_names(route.path)
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "schema": reference(if route.class.needs_key() { "Id" } else { "Name" }),
            })
        })
        .collect();
    for param in route.query {
        let schema: Value =
            serde_json::from_str(param.schema).expect("the table's schemas are JSON");
        parameters.push(json!({
            "name": param.name, "in": "query", "required": param.required,
            "description": param.about, "schema": schema,
        }));
    }
    if route.class == Class::Write {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key and request again returns the first answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_BYTES_MAX },
        }));
    }
    parameters
}

/// The names in braces.
fn path_names(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    for Answer { status, about, content } in route.answers {
        let mut response = json!({ "description": about });
        if let Some((media_type, schema)) = content {
            response["content"] = json!({ *media_type: { "schema": reference(schema) } });
        }
        responses.insert(status.to_string(), response);
    }
    let problem = json!({ "application/problem+json": { "schema": reference("Problem") } });
    for (status, description) in problems(route) {
        responses
            .entry(status)
            .or_insert_with(|| json!({ "description": description, "content": problem }));
    }
    Value::Object(responses)
}

/// The problems that a route may answer with, beside its own answers.
fn problems(route: &Route) -> Vec<(&'static str, &'static str)> {
    let mut problems = vec![("400", "The request is not well-formed, or a value is not legal.")];
    if route.class.needs_key() || keys::need(route.action).is_some() {
        problems.push(("401", "A key is needed, and there is none or an unknown one."));
    }
    problems.push(("403", "The key does not allow it, or a browser asks for a foreign page."));
    if route.class != Class::Open {
        problems
            .push(("503", "The store is loading or refuses writes, or there is too much to do."));
    }
    problems.push(("default", "A problem; its type says which."));
    problems
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// The schema of a problem document, with every slug.
fn problem_schema() -> Value {
    let slugs: Vec<_> = Slug::ALL.iter().map(|slug| slug.name()).collect();
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "enum": slugs },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn references<'a>(value: &'a Value, found: &mut HashSet<&'a str>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    found.insert(target);
                }
                map.values().for_each(|inner| references(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn the_document_has_exactly_the_routes_of_the_table() {
        let document: Value = serde_json::from_str(&document().to_string()).unwrap();
        let mut documented = HashSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                documented.insert((path.clone(), method.to_ascii_uppercase()));
            }
        }
        let table: HashSet<_> =
            ROUTES.iter().map(|r| (r.path.to_owned(), r.method.to_string())).collect();
        assert_eq!(documented, table);
    }

    #[test]
    fn every_reference_has_a_schema_and_every_schema_a_reference() {
        let document = document();
        let mut found = HashSet::new();
        references(&document, &mut found);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let defined: HashSet<_> =
            schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
        assert_eq!(found.into_iter().map(str::to_owned).collect::<HashSet<_>>(), defined);
    }

    #[test]
    fn keys_and_their_refusals_are_documented() {
        let document = document();
        for route in ROUTES.iter() {
            let method = route.method.as_str().to_ascii_lowercase();
            let operation = &document["paths"][route.path][&method];
            let is_keyed = route.class.needs_key() || keys::need(route.action).is_some();
            let (path, responses) = (route.path, &operation["responses"]);
            assert_eq!(operation["security"].is_array(), is_keyed, "{path}");
            assert_eq!(responses["401"].is_object(), is_keyed, "{path}");
            assert!(responses["403"].is_object() && responses["default"].is_object(), "{path}");
        }
    }

    #[test]
    fn operation_ids_are_unique() {
        let ids: HashSet<_> = ROUTES.iter().map(|route| operation_id(route)).collect();
        assert_eq!(ids.len(), ROUTES.len());
    }

    #[test]
    fn the_reference_names_every_route_and_parameter() {
        let page = include_str!("../../../../docs/http-api.md");
        for route in ROUTES.iter() {
            let line = format!("`{} {}", route.method, route.path);
            assert!(page.contains(&line), "docs/http-api.md lacks {line}");
            for param in route.query {
                assert!(page.contains(&format!("`{}`", param.name)), "{line}: {}", param.name);
            }
        }
    }
}
