//! The shapes of what concerns organisations, as JSON Schema.

use rankd_orgs::limits::{
    ENRICHMENT_FIELDS_MAX, ID_MAX, PERIODS_MAX, POINTS_MAX, RULES_MAX, TARGETS_MAX, TEXT_BYTES_MAX,
};
use serde_json::{Value, json};

use super::reference;
use super::schemas::{count, object};
use crate::limits::{BEARER_BYTES_MIN, ORG_ROWS_MAX, SECRET_BYTES_MAX};

/// Every schema that the routes of organisations refer to.
pub(super) fn all() -> Value {
    let mut all = json!({});
    for part in [values(), orgs(), users(), rules(), groups(), credentials(), activities()] {
        let Value::Object(part) = part else { continue };
        all.as_object_mut().expect("it was made as one").extend(part);
    }
    all
}

fn text() -> Value {
    json!({ "type": "string", "maxLength": TEXT_BYTES_MAX })
}

fn optional(of: &str) -> Value {
    json!({ "type": [of, "null"] })
}

fn rows(item: &Value) -> Value {
    json!({ "type": "array", "maxItems": ORG_ROWS_MAX, "items": item })
}

fn values() -> Value {
    json!({
        "Id": { "type": "integer", "minimum": 1, "maximum": ID_MAX },
        "TimeIn": {
            "description": "RFC 3339, or milliseconds since 1970.",
            "oneOf": [reference("Time"), { "type": "integer" }],
        },
        "Word": {
            "description": "A name of the catalogue, or its number.",
            "type": ["string", "integer"],
        },
        "Profile": {
            "description": "firstName, lastName, email, phone, department, preferredLanguage, \
                profileUrl, profilePicture, and any other key.",
            "type": "object",
            "additionalProperties": text(),
        },
    })
}

fn orgs() -> Value {
    let spec = json!({
        "parent": { "oneOf": [reference("Id"), { "type": "null" }] },
        "resourceId": { "type": "string", "pattern": "^[0-9A-Za-z]{1,64}$" },
        "name": text(),
        "timeZone": { "type": "string", "default": "UTC", "examples": ["Europe/Oslo"] },
        "leaderboardsEnabled": { "type": "boolean", "default": true },
        "enrichmentFields": {
            "type": "array", "maxItems": ENRICHMENT_FIELDS_MAX, "items": text(),
        },
        "licence": reference("Licence"),
    });
    let mut org = spec.clone();
    org["org"] = reference("Id");
    for time in ["createdAt", "ingestedAt"] {
        org[time] = reference("Time");
    }
    for number in ["users", "activities", "version"] {
        org[number] = count();
    }
    let required: Vec<_> = org.as_object().into_iter().flatten().map(|(key, _)| &**key).collect();
    json!({
        "OrgWrite": object(&["name"], &spec),
        "Org": object(&required, &org),
        "Licence": object(&[], &json!({
            "industryName": optional("string"),
            "industryResourceId": optional("string"),
            "typeName": optional("string"),
            "typeResourceId": optional("string"),
            "isUsersLimited": { "type": "boolean" },
            "usersMax": count(),
            "endsAt": { "oneOf": [reference("TimeIn"), { "type": "null" }] },
            "privacyDurationId": { "type": "integer" },
            "deletedUsers": count(),
            "inactiveUsers": count(),
            "tags": { "type": "array", "items": text() },
        })),
    })
}

fn users() -> Value {
    let write = json!({ "resourceId": text(), "profile": reference("Profile") });
    let mut row = write.clone();
    row["user"] = reference("Id");
    let mut user = row.clone();
    user["org"] = reference("Id");
    json!({
        "UserWrite": object(&[], &write),
        "UserWrites": object(&["users"], &json!({ "users": rows(&object(&["user"], &row)) })),
        "User": object(&["user", "org", "resourceId", "profile"], &user),
    })
}

fn rules() -> Value {
    let condition = json!({ "oneOf": [
        object(&["responseSeconds"], &json!({ "responseSeconds": object(&[], &json!({
            "from": count(), "below": count(),
        })) })),
        object(&["confirmed"], &json!({ "confirmed": { "const": true } })),
        object(&["attribute"], &json!({ "attribute": object(&["name", "value"], &json!({
            "name": text(), "value": text(),
        })) })),
    ] });
    let rule = json!({
        "name": text(),
        "action": text(),
        "product": reference("Word"),
        "difficulty": reference("Word"),
        "condition": condition,
        "points": { "type": "integer" },
        "possible": optional("integer"),
        "failed": optional("boolean"),
    });
    json!({
        "ScoringRules": object(&["rules"], &json!({ "rules": {
            "type": "array", "maxItems": RULES_MAX,
            "items": object(&["name", "action", "points"], &rule),
        } })),
        "RuleCount": object(&["rules"], &json!({ "rules": count() })),
    })
}

fn groups() -> Value {
    let spec = json!({
        "name": text(),
        "active": { "type": "boolean", "default": true },
        "leaderboardEnabled": { "type": "boolean", "default": true },
        "targets": { "type": "array", "maxItems": TARGETS_MAX, "items": reference("Target") },
        "periods": { "type": "array", "maxItems": PERIODS_MAX, "items": reference("Period") },
    });
    let mut group = spec.clone();
    group["targetGroup"] = reference("Id");
    group["org"] = reference("Id");
    let required: Vec<_> = group.as_object().into_iter().flatten().map(|(key, _)| &**key).collect();
    json!({
        "TargetGroupWrite": object(&["name"], &spec),
        "TargetGroup": object(&required, &group),
        "Target": object(&["id", "name", "aggregate"], &json!({
            "id": reference("Id"),
            "name": text(),
            "active": { "type": "boolean", "default": true },
            "match": object(&[], &json!({
                "actions": { "type": "array", "items": text() },
                "attributes": { "type": "object", "additionalProperties": text() },
            })),
            "aggregate": { "enum": ["count", "sumPoints", "sumValue"] },
        })),
        "Period": object(&["id", "refCode", "start", "end"], &json!({
            "id": reference("Id"),
            "refCode": text(),
            "active": { "type": "boolean", "default": true },
            "start": reference("TimeIn"),
            "end": reference("TimeIn"),
        })),
        "Enrolments": object(&["enrolments"], &json!({ "enrolments": rows(&object(
            &["orgId", "targetGroupId", "targetId", "userId"],
            &json!({
                "orgId": reference("Id"),
                "targetGroupId": reference("Id"),
                "targetId": reference("Id"),
                "userId": reference("Id"),
                "enrolled": { "type": "boolean", "default": true },
                "at": reference("TimeIn"),
            }),
        )) })),
    })
}

fn credentials() -> Value {
    let kinds = ["wintroToken", "keepnetClient", "capillaryTill", "capillaryClient", "apiKey"];
    let secret = json!({ "type": "string", "minLength": 1, "maxLength": SECRET_BYTES_MAX });
    let of = |kind: &str, required: &[&str], mut fields: Value| {
        fields["kind"] = json!({ "const": kind });
        fields["secret"] = secret.clone();
        if matches!(kind, "wintroToken" | "apiKey") {
            fields["secret"]["minLength"] = json!(BEARER_BYTES_MIN);
        }
        object(&[&["kind"], required].concat(), &fields)
    };
    json!({
        "CredentialWrite": { "oneOf": [
            of("wintroToken", &[], json!({ "scopes": { "type": "array", "items": text() } })),
            of("keepnetClient", &["role"], json!({
                "role": { "enum": ["reseller", "companyAdmin"] },
                "clientId": text(),
                "requestsPerMinute": count(),
            })),
            of("capillaryTill", &["username"], json!({ "username": text() })),
            of("capillaryClient", &[], json!({ "key": text(), "ttlSeconds": count() })),
            of("apiKey", &[], json!({})),
        ] },
        "CredentialMade": object(&["credential", "org", "kind", "secret"], &json!({
            "credential": reference("Id"),
            "org": reference("Id"),
            "kind": { "enum": kinds },
            "clientId": text(),
            "username": text(),
            "key": text(),
            "secret": secret,
        })),
    })
}

fn activities() -> Value {
    let amount = json!({ "type": "integer", "minimum": -POINTS_MAX, "maximum": POINTS_MAX });
    let attributes = json!({
        "type": "object",
        "description": "Any others are texts that targets may match.",
        "properties": {
            "vacancyId": { "type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$" },
            "product": reference("Word"),
            "difficulty": reference("Word"),
            "responseSeconds": count(),
            "confirmed": { "type": "boolean" },
            "campaign": object(&["resourceId"], &json!({
                "resourceId": text(),
                "name": text(),
                "type": text(),
                "performance": { "type": "integer" },
                "timeZoneId": text(),
                "category": text(),
                "trainingType": text(),
                "result": text(),
            })),
            "failed": { "type": "boolean" },
            "test": { "type": "boolean" },
        },
    });
    let mut items = rows(&object(
        &["id", "orgId", "userId", "action", "occurredAt"],
        &json!({
            "id": text(),
            "orgId": reference("Id"),
            "userId": reference("Id"),
            "action": text(),
            "occurredAt": reference("TimeIn"),
            "points": amount,
            "possible": amount,
            "value": amount,
            "attributes": attributes,
        }),
    ));
    items["minItems"] = json!(1);
    json!({
        "Activities": object(&["activities"], &json!({ "activities": items })),
        "ActivitiesReport": object(&["accepted", "duplicates", "rejected", "version"], &json!({
            "accepted": count(),
            "duplicates": count(),
            "rejected": { "type": "array", "items": object(&["index", "detail"], &json!({
                "index": count(), "detail": { "type": "string" },
            })) },
            "version": count(),
        })),
    })
}
