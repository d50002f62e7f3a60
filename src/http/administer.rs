//! The one route of all admin commands, `POST /v1/{collection}/{id}/{verb}`, and what an admin reads before: the
//! aggregate itself with its sequence as `ETag`. Rules, names and references stand beside the commands, not here. Never
//! asks which aggregate it is.

use std::{fmt::Debug, str::FromStr};

use aggregates::{
    StreamId, admin::Admin, auditorium::Auditorium, branch::Branch, cancellation_policy::CancellationPolicy,
    coupon::Coupon, movie::Movie, price_policy::PricePolicy, role::Role, theme::Theme, time_slot::TimeSlot,
};
use axum::{
    body::Body,
    extract::{FromRequestParts as _, Request, State},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use super::{
    App, access,
    answer::{Done, Json, etag, sequence_after},
    body,
    caller::Caller,
    idempotency::Key,
    params::{Id, PathTexts},
    problem::Problem,
    problems,
};
use crate::{
    admin_commands::{self, Administrable, NotDone, for_each_administered},
    audit::shown,
    rights,
};

/// The admin routes; what they mean is documented by [`super::openapi`], command by command.
pub(super) fn routes() -> OpenApiRouter<App> {
    let mut router = OpenApiRouter::new();
    macro_rules! route {
        ($($aggregate:ident),+) => {
            $(router = router.merge(routes_of::<$aggregate>());)+
        };
    }
    for_each_administered!(route);
    router
}

fn routes_of<A: Administrable + Serialize>() -> OpenApiRouter<App>
where
    A::Id: FromStr<Err: std::fmt::Display>,
    A::Command: Sync,
{
    let collection = <A as aggregates::administered::Administered>::COLLECTION;
    OpenApiRouter::new()
        .route(
            &format!("/v1/{collection}/{{id}}/{{verb}}"),
            post(administer::<A>),
        )
        .route(&format!("/v1/admin/{collection}/{{id}}"), get(show::<A>))
}

/// An aggregate as an admin reads it before changing it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AdministeredView {
    /// Which one.
    pub id: String,
    /// How many events its stream has; the `ETag` says the same. To be sent back as `If-Match`.
    pub sequence: i64,
    /// Its whole state.
    #[schema(value_type = Value)]
    pub state: Value,
}

async fn show<A: Administrable + Serialize>(State(app): State<App>, parts: Parts) -> Result<Response, Problem>
where
    A::Id: FromStr<Err: std::fmt::Display>,
{
    let mut parts = parts;
    let admin = access::Admin::authenticate(&mut parts, &app).await?;
    let permission = rights::to_see::<A>();
    admin.may(permission)?;
    let Id(id) = Id::<A::Id>::from_request_parts(&mut parts, &app).await?;
    let (state, sequence) = app.store.read_with_sequence::<A>(&id).await?;
    if sequence == 0 {
        return Err(Problem::new(
            &problems::NO_SUCH_THING,
            format!("there is no {} {id}", A::TYPE),
        ));
    }
    // What belongs to no branch is seen by everyone who sees such things at all; nothing of another branch is.
    if let Some(branch) = state.branch(&id) {
        admin.may_at(permission, Some(branch))?;
    }
    let mut response = Json(AdministeredView {
        id: id.to_string(),
        sequence,
        state: shown(&*state),
    })
    .into_response();
    response.headers_mut().insert(header::ETAG, etag(sequence));
    Ok(response)
}

async fn administer<A: Administrable + Serialize>(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem>
where
    A::Id: FromStr<Err: std::fmt::Display>,
    A::Command: Sync,
{
    let (mut parts, sent) = request.into_parts();
    let path = PathTexts::from_request_parts(&mut parts, &app).await?;
    let verb = path.text("verb")?;
    let known = A::EXAMPLES.iter().find(|(known, _)| *known == verb);
    let Some((verb, example)) = known else {
        let verbs: Vec<&str> = A::EXAMPLES.iter().map(|(verb, _)| *verb).collect();
        let detail = format!(
            "there is no command {verb}; the commands are {}",
            verbs.join(", ")
        );
        return Err(Problem::new(&problems::NO_SUCH_ROUTE, detail));
    };
    let admin = access::Admin::authenticate(&mut parts, &app).await?;
    admin.may(rights::of_verb::<A>(verb))?;
    let id: A::Id = path.get("id")?;
    let caller = Caller::from_request_parts(&mut parts, &app).await?;
    let key = Key::from_request_parts(&mut parts, &app).await?;
    let command = command::<A>(&parts.headers, sent, verb, example).await?;
    let key = key.bind(
        app.store.vault(),
        admin.scope(),
        &(A::TYPE, id.to_string(), &command),
    )?;
    let name = rights::command_of::<A>(verb);
    let request = caller.request(admin.actor(), name, key);
    let committed = admin_commands::send::<A>(&app.store, &request, admin.authority(), &id, &command).await?;
    let begun = committed
        .events
        .iter()
        .any(|e| e.sequence == 1 && e.stream == StreamId::of::<A>(&id));
    let (state, sequence) = match (committed.state::<A>(&id), sequence_after::<A>(&committed, &id)) {
        (Some(state), Some(sequence)) => (state, sequence),
        (Some(_) | None, Some(_) | None) => app.store.read_until::<A>(&id, committed.position).await?,
    };
    let body = AdministeredView {
        id: id.to_string(),
        sequence,
        state: shown(&*state),
    };
    let location = format!("/v1/admin/{}/{id}", A::COLLECTION);
    let done = if begun {
        Done::created(&committed, location, body)
    } else {
        Done::ok(&committed, body)
    };
    let mut response = done.into_response();
    response.headers_mut().insert(header::ETAG, etag(sequence));
    Ok(response)
}

async fn command<A: Administrable>(
    headers: &HeaderMap,
    sent: Body,
    verb: &str,
    example: &str,
) -> Result<A::Command, Problem> {
    let bytes = body::bytes(headers, sent, body::ADMIN_BYTES_MAX).await?;
    body::read_command(verb, &bytes, example, A::plainly)
}

impl From<NotDone> for Problem {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Denied(denied) => denied.into(),
            NotDone::ChangedSince(since) => since.into(),
        }
    }
}
