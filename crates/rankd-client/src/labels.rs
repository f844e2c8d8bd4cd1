//! Display names of members.

use hyper::Method;
use serde::Serialize;

use crate::error::ClientError;
use crate::path::encode;
use crate::transport::{Call, Client};
use crate::types::{Applied, Label};

fn label_path(member: impl AsRef<[u8]>) -> String {
    format!("/v1/members/{}", encode(member.as_ref()))
}

#[derive(Serialize)]
struct NameBody<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct LabelsBody<'a> {
    members: &'a [Label],
}

impl Client {
    /// Gives a member a display name.
    ///
    /// # Errors
    /// A 400 [`ClientError::Problem`] if the name is empty or too long; any transport error.
    pub async fn put_label(
        &self,
        member: impl AsRef<[u8]>,
        name: &str,
    ) -> Result<Label, ClientError> {
        let call = Call::new(Method::PUT, label_path(member));
        self.json_with(call, &NameBody { name }).await
    }

    /// A member's display name.
    ///
    /// # Errors
    /// A 404 [`ClientError::Problem`] if it has none; any transport error.
    pub async fn label(&self, member: impl AsRef<[u8]>) -> Result<Label, ClientError> {
        self.json(Call::get(label_path(member))).await
    }

    /// Takes a member's display name away.
    ///
    /// # Errors
    /// Any transport error.
    pub async fn delete_label(&self, member: impl AsRef<[u8]>) -> Result<(), ClientError> {
        self.send(Call::new(Method::DELETE, label_path(member))).await.map(drop)
    }

    /// Gives at most 10 000 members their display names as one record.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] if the batch as a whole is refused; any transport error.
    pub async fn post_labels(
        &self,
        labels: &[Label],
        idempotency_key: Option<&str>,
    ) -> Result<Applied, ClientError> {
        let call = Call::new(Method::POST, "/v1/members".to_owned()).keyed(idempotency_key);
        self.batch(call, &LabelsBody { members: labels }).await
    }
}
