//! `GET /v1/time-slots/{id}/layout`: where every seat is; immutable, so it is written once and may be kept by caches;
//! never who sits there.

use aggregates::{
    auditorium::Auditorium,
    ids::{AuditoriumId, TimeSlotId},
    layout::LayoutPlan,
    time_slot::Show,
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    super::{
        App,
        params::Id,
        problem::{Problem, ProblemBody},
        problems,
    },
    as_of::AsOf,
    show::find,
};

/// The seat layout of a time slot.
#[utoipa::path(get, path = "/v1/time-slots/{id}/layout", tag = "catalogue", operation_id = "getLayout",
    params(("id" = TimeSlotId, Path),
           ("If-None-Match" = Option<String>, Header, description = "The ETag of what the caller has kept")),
    responses((status = OK, description = "The layout", body = LayoutPlan, headers(("ETag" = String))),
              (status = NOT_MODIFIED, description = "Not modified", headers(("ETag" = String))),
              (status = NOT_FOUND, description = "time-slot/not-found, or an escape-room slot, which has no seats", body = ProblemBody)))]
pub(in super::super) async fn layout(
    State(app): State<App>,
    Id(id): Id<TimeSlotId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let slot = find(&app, id, &AsOf::default()).await?;
    let Show::Movie {
        auditorium,
        layout_version,
        ..
    } = slot.plan.show
    else {
        return Err(Problem::new(
            &problems::NO_SUCH_THING,
            "an escape-room slot has no seats, only its room",
        ));
    };
    let tag = format!("\"{auditorium}.{layout_version}\"");
    let known = is_known(&headers, &tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let bytes = written(&app, auditorium, layout_version).await?;
        ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=86400"),
    );
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Whether `If-None-Match` names this tag, compared weakly (RFC 9110 §13.1.2): a proxy that has compressed an answer
/// names it so.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter();
    let texts = lines.filter_map(|line| line.to_str().ok());
    let mut tags = texts.flat_map(|text| text.split(',').map(str::trim));
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// The layout as JSON text.
async fn written(app: &App, auditorium: AuditoriumId, version: u32) -> Result<Bytes, Problem> {
    if let Some(bytes) = app.0.layouts.get(&(auditorium, version)) {
        return Ok(bytes);
    }
    let state = app.store.read::<Auditorium>(&auditorium).await?;
    let layout = state.layout(version).map_err(|error| Problem::refused(&error))?;
    let bytes = serde_json::to_vec(layout.plan()).map_err(|error| {
        tracing::error!(%error, "a layout could not be written");
        Problem::new(&problems::FAULT, "the layout could not be written")
    })?;
    let bytes = Bytes::from(bytes);
    app.0.layouts.insert((auditorium, version), bytes.clone());
    Ok(bytes)
}
