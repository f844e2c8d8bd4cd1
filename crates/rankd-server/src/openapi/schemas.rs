//! The shapes of bodies and replies, as JSON Schema.

use rankd_engine::limits::{IDEMPOTENCY_HORIZON_MS, LABEL_BYTES_MAX};
use serde_json::{Value, json};

use super::{organisations, problem_schema, reference};
use crate::limits::{BATCH_ROWS_MAX, NAME_BYTES_MAX, RANKS_MEMBERS_MAX};

/// Every schema that the document refers to.
pub(super) fn all() -> Value {
    let mut all = json!({});
    for part in
        [values(), boards(), writes(), reads(), labels(), operations(), organisations::all()]
    {
        let Value::Object(part) = part else { continue };
        all.as_object_mut().expect("it was made as one").extend(part);
    }
    all
}

pub(super) fn object(required: &[&str], properties: &Value) -> Value {
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn list(item: &str) -> Value {
    json!({ "type": "array", "items": reference(item) })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn rank() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn values() -> Value {
    json!({
        "Name": {
            "type": "string", "minLength": 1, "maxLength": NAME_BYTES_MAX,
            "description": "1 to 512 bytes of UTF-8.",
        },
        "AnyName": {
            "description": "A name; one that is not UTF-8 as base64.",
            "oneOf": [
                { "type": "string" },
                object(&["base64"], &json!({ "base64": { "type": "string" } })),
            ],
        },
        "Score": {
            "description": "Exact 64-bit integers on integer boards; doubles on float boards.",
            "oneOf": [{ "type": "number" }, { "enum": ["inf", "-inf"] }],
        },
        "Time": { "type": "string", "format": "date-time" },
        "Operator": { "enum": ["latest", "best", "sum", "min", "max"] },
        "Problem": problem_schema(),
        "Text": { "type": "string" },
        "Anything": true,
    })
}

fn definition() -> Value {
    json!({
        "order": { "enum": ["descending", "ascending"], "default": "descending" },
        "score": { "enum": ["integer", "float"], "default": "integer" },
        "operator": reference("Operator"),
        "ties": { "enum": ["earliest", "latest", "member"], "default": "earliest" },
        "keep_at": {
            "type": "boolean", "default": false,
            "description": "Keep the times of scores; with ties \"member\" only.",
        },
    })
}

fn boards() -> Value {
    let mut board = definition();
    board["board"] = reference("AnyName");
    board["count"] = count();
    for time in ["created_at", "changed_at"] {
        board[time] = json!({ "oneOf": [reference("Time"), { "type": "null" }] });
    }
    let required =
        ["board", "order", "score", "operator", "ties", "count", "created_at", "changed_at"];
    json!({
        "Definition": object(&[], &definition()),
        "Board": object(&required, &board),
        "BoardList": object(&["boards", "cursor"], &json!({
            "boards": list("Board"),
            "cursor": {
                "type": ["string", "null"],
                "description": "For the next page; null on the last one.",
            },
        })),
    })
}

fn writes() -> Value {
    let at = json!({
        "oneOf": [reference("Time"), { "type": "integer" }],
        "description": "Time of the event: RFC 3339, or milliseconds since 1970.",
    });
    let write = json!({
        "score": reference("Score"), "at": at, "operator": reference("Operator"),
    });
    let mut row = write.clone();
    row["member"] = reference("Name");
    let placed = json!({ "score": reference("Score"), "rank": rank() });
    let mut now = placed.clone();
    now["member"] = reference("AnyName");
    now["previous"] = json!({ "oneOf": [object(&["score", "rank"], &placed), { "type": "null" }] });
    now["changed"] = json!({ "type": "boolean" });
    let horizon_h = IDEMPOTENCY_HORIZON_MS / 3_600_000;
    json!({
        "ScoreWrite": object(&["score"], &write),
        "ScoreWrites": object(&["scores"], &json!({ "scores": {
            "type": "array", "maxItems": BATCH_ROWS_MAX,
            "items": object(&["member", "score"], &row),
        }})),
        "Written": object(&["member", "score", "rank", "previous", "changed"], &now),
        "BatchReport": {
            "type": "object",
            "description": format!("With a key, the same for {horizon_h} hours."),
            "required": ["applied", "unchanged", "rejected"],
            "properties": {
                "applied": count(),
                "unchanged": count(),
                "rejected": { "type": "array", "items": object(&["index", "detail"], &json!({
                    "index": count(), "detail": { "type": "string" },
                })) },
            },
        },
    })
}

fn reads() -> Value {
    let standing = json!({
        "score": reference("Score"),
        "rank": rank(),
        "total": count(),
        "percentile": { "type": "number", "minimum": 0, "maximum": 100 },
        "at": { "oneOf": [reference("Time"), { "type": "null" }] },
    });
    let mut of_member = standing.clone();
    of_member["member"] = reference("AnyName");
    let mut on_board = standing;
    on_board["board"] = reference("AnyName");
    let entry = json!({
        "rank": rank(),
        "member": reference("AnyName"),
        "score": reference("Score"),
        "name": { "type": ["string", "null"], "description": "With names=true only." },
        "at": {
            "oneOf": [reference("Time"), { "type": "null" }],
            "description": "With times=true only.",
        },
    });
    let mut placed = entry.clone();
    placed["position"] = rank();
    let standing_required = ["score", "rank", "total", "percentile", "at"];
    let entries = list("Entry");
    json!({
        "Standing": object(&[&["member"], &standing_required[..]].concat(), &of_member),
        "Entry": object(&["rank", "member", "score"], &entry),
        "Page": object(&["total", "entries"], &json!({ "total": count(), "entries": entries })),
        "ScorePage": object(&["count", "entries"], &json!({
            "count": count(), "entries": list("Entry"),
        })),
        "RanksQuery": object(&["members"], &json!({ "members": {
            "type": "array", "maxItems": RANKS_MEMBERS_MAX, "items": reference("Name"),
        }})),
        "RankList": object(&["total", "entries", "missing"], &json!({
            "total": count(),
            "entries": {
                "type": "array",
                "items": object(&["rank", "position", "member", "score"], &placed),
            },
            "missing": list("AnyName"),
        })),
        "MemberRanks": object(&["member", "entries", "missing"], &json!({
            "member": reference("AnyName"),
            "entries": {
                "type": "array",
                "items": object(&[&["board"], &standing_required[..]].concat(), &on_board),
            },
            "missing": list("AnyName"),
        })),
    })
}

fn labels() -> Value {
    let name = &json!({ "type": "string", "minLength": 1, "maxLength": LABEL_BYTES_MAX });
    json!({
        "LabelWrite": object(&["name"], &json!({ "name": name })),
        "LabelWrites": object(&["members"], &json!({ "members": {
            "type": "array", "maxItems": BATCH_ROWS_MAX,
            "items": object(&["member", "name"], &json!({
                "member": reference("Name"), "name": name,
            })),
        }})),
        "Label": object(&["member", "name"], &json!({
            "member": reference("AnyName"), "name": name,
        })),
    })
}

fn operations() -> Value {
    json!({
        "Alive": object(&["status", "version"], &json!({
            "status": { "const": "ok" }, "version": { "type": "string" },
        })),
        "Readiness": object(&["ready", "status", "reason", "ahead_of_disk"], &json!({
            "ready": { "type": "boolean" },
            "status": { "enum": ["ready", "loading", "degraded", "read-only", "closed"] },
            "reason": { "type": ["string", "null"] },
            "ahead_of_disk": { "type": "boolean" },
        })),
        "Snapshot": object(
            &["sequence", "boards", "members", "bytes", "duration_ms", "file"],
            &json!({
                "sequence": count(),
                "boards": count(),
                "members": count(),
                "bytes": count(),
                "duration_ms": count(),
                "file": { "type": "string" },
            }),
        ),
    })
}
