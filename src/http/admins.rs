//! `/v1/admin/sessions`, `/v1/admins`, `/v1/roles`: how admins sign in and out, and who they are; commands to them go the way
//! of all admin commands. Never says which of login and password was wrong.

mod directory;
mod passwords;
mod sessions;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;

/// What belongs to admins, besides their commands.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sessions::list, sessions::sign_in, sessions::sign_out))
        .routes(routes!(sessions::revoke))
        .routes(routes!(passwords::change))
        .routes(routes!(passwords::give))
        .routes(routes!(directory::admins))
        .routes(routes!(directory::export))
        .routes(routes!(directory::roles))
}
