//! Lists in pages: an opaque cursor and a `Link` to the next page; never an offset.

use axum::{
    http::{HeaderValue, Uri, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use super::{answer::Json, document, params::TEXT_LENGTH_MAX, problem::Problem, problems};

/// Entries on a page unless asked otherwise.
pub(super) const LIMIT_DEFAULT: u16 = 50;
/// Entries on a page at most.
pub const LIMIT_MAX: u16 = 200;

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins, to be sent as `cursor`; none on the last one. The `Link` header says the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How many entries a page shall have.
pub fn limit(asked: Option<u16>) -> Result<i64, Problem> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(i64::from(limit)),
        _ => Err(Problem::new(
            &problems::MALFORMED_QUERY,
            format!("limit must be from 1 to {LIMIT_MAX}"),
        )),
    }
}

/// What a cursor points behind.
pub fn behind<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let malformed = || {
        Problem::new(
            &problems::MALFORMED_QUERY,
            "this cursor was not issued by this server",
        )
    };
    let Some(cursor) = cursor else { return Ok(None) };
    if cursor.len() > TEXT_LENGTH_MAX {
        return Err(malformed());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| malformed())?;
    document::sound(&bytes).map(Some).ok_or_else(malformed)
}

/// The page with these rows, of which one more than `limit` were asked for; `place` names a row's place, `entry` shows it.
pub fn page<R, T: Serialize, P: Serialize>(
    uri: &Uri,
    mut rows: Vec<R>,
    limit: i64,
    place: impl FnOnce(&R) -> P,
    entry: impl FnMut(R) -> Option<T>,
) -> Response {
    let fits = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > fits;
    rows.truncate(fits);
    let last = if more { rows.last().map(place) } else { None };
    let next = last.and_then(cursor);
    let link = next.as_deref().map(|cursor| link(uri, cursor));
    let mut response = Json(Page {
        items: rows.into_iter().filter_map(entry).collect(),
        next,
    })
    .into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// A place as a cursor.
pub(super) fn cursor(place: impl Serialize) -> Option<String> {
    let place = serde_json::to_vec(&place).ok()?;
    Some(URL_SAFE_NO_PAD.encode(place))
}

/// The `Link` to the page that begins at `cursor`.
pub(super) fn link(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> = kept
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="))
        .collect();
    let before = if kept.is_empty() { "" } else { "&" };
    let kept = kept.join("&");
    format!("<{}?{kept}{before}cursor={cursor}>; rel=\"next\"", uri.path())
}

#[cfg(test)]
mod tests {
    use super::{super::params::Moment, *};

    #[test]
    fn a_link_keeps_the_filters_and_moves_the_cursor() {
        let uri: Uri = "/v1/coupons?state=issued&cursor=old&limit=2"
            .parse()
            .expect("an address");
        assert_eq!(
            link(&uri, "new"),
            "</v1/coupons?state=issued&limit=2&cursor=new>; rel=\"next\""
        );
    }

    #[test]
    fn a_cursor_of_someone_else_is_refused() {
        for cursor in ["%%%", "e30", "", &"a".repeat(600)] {
            assert!(behind::<(i64, i64)>(Some(cursor)).is_err(), "{cursor}");
        }
    }

    #[test]
    fn a_cursor_holds_nothing_that_a_column_cannot() {
        for place in [
            r#"["a\u0000", 1]"#,
            r#"["a", 1, 2]"#,
            r#"["a"]"#,
            r#"{"0": "a", "1": 1}"#,
        ] {
            let cursor = URL_SAFE_NO_PAD.encode(place);
            assert!(behind::<(String, i64)>(Some(&cursor)).is_err(), "{place}");
        }
        let far = URL_SAFE_NO_PAD.encode(r#"["-009999-01-02T01:59:59Z", 1]"#);
        assert!(behind::<(Moment, i64)>(Some(&far)).is_err());
    }
}
