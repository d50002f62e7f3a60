//! `/v1/customers`, `/v1/customer`: customers sign up and in, and see and change what is theirs (DOMAIN P1, P3, A5). Whose it is
//! never comes from a path or a body, only from the session.

mod account;
mod google;
mod profile;
mod proof;
mod reservations;
mod sessions;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;

/// What belongs to customers.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(account::sign_up))
        .routes(routes!(account::change_password))
        .routes(routes!(account::change_email))
        .routes(routes!(account::leave))
        .routes(routes!(google::give_nonce))
        .routes(routes!(google::sign_in))
        .routes(routes!(google::link))
        .routes(routes!(profile::show))
        .routes(routes!(profile::describe))
        .routes(routes!(profile::complete))
        .routes(routes!(reservations::list))
        .routes(routes!(sessions::list, sessions::sign_in, sessions::sign_out))
        .routes(routes!(sessions::revoke))
}
