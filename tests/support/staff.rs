//! Admins as tests need them: enlisted and given a password over HTTP by the token of the configuration, then signed in.

use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{Answer, Api, Call};

/// A password that is fine.
pub const PASSWORD: &str = "correct horse battery";

/// An admin who can sign in.
#[derive(Clone, Debug)]
pub struct Colleague {
    pub id: Uuid,
    pub login: String,
}

impl Colleague {
    /// Enlists somebody with this role at these branches.
    pub async fn enlist(api: &Api, login: &str, role: &str, branches: &[Uuid]) -> Self {
        let id = Uuid::now_v7();
        api.done(&enlisting(id, login, role, branches)).await;
        let password = json!({ "password": PASSWORD });
        let given = api
            .ask(&Call::admin(format!("/v1/admins/{id}/give-password"), password))
            .await;
        assert_eq!(given.status, 204, "{given}");
        Self {
            id,
            login: login.to_owned(),
        }
    }

    /// The token of a new session.
    pub async fn sign_in(&self, api: &Api) -> String {
        let answer = sign_in(api, &self.login, PASSWORD).await;
        assert_eq!(answer.status, 201, "{answer}");
        let begun: Value = answer.json();
        begun["token"].as_str().expect("a token").to_owned()
    }
}

/// What enlists somebody.
pub fn enlisting(id: Uuid, login: &str, role: &str, branches: &[Uuid]) -> Call {
    let body = json!({ "login": login, "name": "김민서", "phone": "010-2222-3333", "roles": [role], "branches": branches });
    Call::admin(format!("/v1/admins/{id}/enlist"), body)
}

/// An attempt to sign in.
pub async fn sign_in(api: &Api, login: &str, password: &str) -> Answer {
    api.ask(&Call::post(
        "/v1/admin/sessions",
        json!({ "login": login, "password": password }),
    ))
    .await
}
