//! Routes of organisations and what belongs to them.

use hyper::Method;

use super::OrgAction::{
    AddCredential, DeleteUser, PostActivities, PostEnrolments, PutOrg, PutScoringRules,
    PutTargetGroup, PutUser, PutUsers, ReadOrg, ReadTargetGroup, ReadUser, RevokeCredential,
};
use super::{Action, Answer, BodySpec, Class, OrgAction, Route};
use super::{body, bulk, json, nothing};
use crate::limits::ACTIVITIES_BODY_BYTES_MAX;

const fn read(
    action: OrgAction,
    path: &'static str,
    summary: &'static str,
    answers: &'static [Answer],
) -> Route {
    let (class, method) = (Class::OrgRead, Method::GET);
    Route {
        action: Action::Org(action),
        class,
        method,
        path,
        summary,
        query: &[],
        body: None,
        answers,
    }
}

const fn write(
    action: OrgAction,
    method: Method,
    path: &'static str,
    summary: &'static str,
    body: Option<BodySpec>,
    answers: &'static [Answer],
) -> Route {
    let class = Class::OrgWrite;
    Route { action: Action::Org(action), class, method, path, summary, query: &[], body, answers }
}

const ORG: &str = "/v1/orgs/{org}";
const USER: &str = "/v1/orgs/{org}/users/{user}";
const GROUP: &str = "/v1/orgs/{org}/target-groups/{group}";
const REPORT: &[Answer] = &[json(200, "What became of the rows.", "BatchReport")];

/// Every route of organisations.
pub(super) static ROUTES: &[Route] = &[
    write(
        PutOrg,
        Method::PUT,
        ORG,
        "Create an organisation, or say anew what it is",
        body("OrgWrite"),
        &[json(201, "Created.", "Org"), json(200, "As it is now.", "Org")],
    ),
    read(ReadOrg, ORG, "Read an organisation", &[json(200, "The organisation.", "Org")]),
    write(
        PutUser,
        Method::PUT,
        USER,
        "Create a user, or replace the profile",
        body("UserWrite"),
        &[json(201, "Created.", "User"), json(200, "As it is now.", "User")],
    ),
    read(ReadUser, USER, "Read a user", &[json(200, "The user.", "User")]),
    write(
        DeleteUser,
        Method::DELETE,
        USER,
        "Delete a user, who leaves all boards",
        None,
        &[nothing("Deleted.")],
    ),
    write(
        PutUsers,
        Method::POST,
        "/v1/orgs/{org}/users",
        "Create or replace many users in one durable batch",
        bulk("UserWrites"),
        REPORT,
    ),
    write(
        PutScoringRules,
        Method::PUT,
        "/v1/orgs/{org}/scoring-rules",
        "Say what activities are worth from now on",
        bulk("ScoringRules"),
        &[json(200, "How many rules there are.", "RuleCount")],
    ),
    write(
        PutTargetGroup,
        Method::PUT,
        GROUP,
        "Create a target group, or say anew what it is",
        bulk("TargetGroupWrite"),
        &[json(201, "Created.", "TargetGroup"), json(200, "As it is now.", "TargetGroup")],
    ),
    read(ReadTargetGroup, GROUP, "Read a target group", &[json(200, "The group.", "TargetGroup")]),
    write(
        PostEnrolments,
        Method::POST,
        "/v1/enrolments",
        "Enrol users in targets, or take them out, in one durable batch",
        bulk("Enrolments"),
        REPORT,
    ),
    write(
        AddCredential,
        Method::POST,
        "/v1/orgs/{org}/credentials",
        "Make a credential; its secret is shown this once",
        body("CredentialWrite"),
        &[json(201, "Made.", "CredentialMade")],
    ),
    write(
        RevokeCredential,
        Method::DELETE,
        "/v1/orgs/{org}/credentials/{credential}",
        "Revoke a credential",
        None,
        &[nothing("Revoked.")],
    ),
    write(
        PostActivities,
        Method::POST,
        "/v1/activities",
        "Report what users did, in one durable batch",
        Some(BodySpec {
            schema: "Activities",
            bytes_max: ACTIVITIES_BODY_BYTES_MAX,
            optional: false,
        }),
        &[json(200, "What became of them.", "ActivitiesReport")],
    ),
];
