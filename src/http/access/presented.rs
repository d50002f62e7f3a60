//! The token a request presents: from a program as a bearer, from a page as a cookie; never from a URL.
//!
//! A browser adds cookies to requests that other sites make it send. So a cookie counts for a change only if the browser
//! says that our own page asked, or a header is there that no other site can make it send.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};

use super::super::{problem::Problem, problems};

/// The header by which a page of ours shows that it is one; its value is of no importance.
pub const SAME_SITE: HeaderName = HeaderName::from_static("x-jari-csrf");

/// What browsers ask of a cookie whose name begins so: `Secure`, `Path=/`, and no `Domain`.
const HOST_ONLY: &str = "__Host-";

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Where a proxy before us says how the browser reached it.
pub const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The bearer token, if one is sent.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token in one of these: the `Authorization` header, else the cookie of this name, if it may count.
pub fn token<'a>(parts: &'a Parts, name: &str) -> Result<Option<&'a str>, Problem> {
    if let Some(bearer) = bearer(&parts.headers) {
        return Ok(Some(bearer));
    }
    let sent = [&format!("{HOST_ONLY}{name}"), name]
        .iter()
        .any(|name| value(&parts.headers, name).is_some());
    let asks = matches!(parts.method, Method::GET | Method::HEAD);
    if !sent || asks || is_same_site(&parts.headers) {
        Ok(cookie(&parts.headers, name))
    } else {
        Err(Problem::new(
            &problems::CROSS_SITE,
            "a cookie counts for a change only when a page of this server asks",
        ))
    }
}

/// The cookie of this name: the one that only we can have set, over https and for this host alone. One under its plain name
/// may come from any host of our domain, so it counts only where there is no https.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let plain = || value(headers, name).filter(|_| !is_https(headers));
    value(headers, &format!("{HOST_ONLY}{name}")).or_else(plain)
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter();
    let mut pairs = all
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name && !value.is_empty()).then_some(value)
    })
}

/// Whether a page of this server asks, and no other site.
pub fn is_same_site(headers: &HeaderMap) -> bool {
    if headers.contains_key(SAME_SITE) {
        return true;
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(FETCH_SITE), text(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST)
        }
        (None, None) => false,
    }
}

/// The header that lets a browser keep a token: not for scripts, not for other sites; over https only where we are, and
/// then under a name that no other host of our domain can set.
pub fn keep(headers: &HeaderMap, name: &str, token: &str, seconds: u64) -> Option<HeaderValue> {
    let (prefix, secure) = if is_https(headers) {
        (HOST_ONLY, "; Secure")
    } else {
        ("", "")
    };
    let cookie = format!("{prefix}{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// Whether the browser reaches us by https: its page says so, or the proxy before us; or the edge in its place, where the
/// configuration says so.
fn is_https(headers: &HeaderMap) -> bool {
    let is = |name: HeaderName, https: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.starts_with(https))
    };
    is(header::ORIGIN, "https://") || is(FORWARDED_PROTO, "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_our_own_pages_count_as_ours() {
        let host = ("host", "jari.example");
        for ours in [
            headers(&[host, ("sec-fetch-site", "same-origin")]),
            headers(&[host, ("origin", "https://jari.example")]),
            headers(&[host, ("x-jari-csrf", "1")]),
        ] {
            assert!(is_same_site(&ours), "{ours:?}");
        }
        for theirs in [
            headers(&[host]),
            headers(&[host, ("sec-fetch-site", "cross-site")]),
            headers(&[host, ("sec-fetch-site", "same-site")]),
            headers(&[
                host,
                ("sec-fetch-site", "none"),
                ("origin", "https://jari.example"),
            ]),
            headers(&[host, ("origin", "https://evil.example")]),
            headers(&[host, ("origin", "null")]),
        ] {
            assert!(!is_same_site(&theirs), "{theirs:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let sent = headers(&[("cookie", "a=1; jari_admin=adm_x; jari_admin2=y")]);
        assert_eq!(cookie(&sent, "jari_admin"), Some("adm_x"));
        assert_eq!(cookie(&sent, "jari_adm"), None);
        let tossed = headers(&[("cookie", "jari_admin=adm_theirs; __Host-jari_admin=adm_x")]);
        assert_eq!(cookie(&tossed, "jari_admin"), Some("adm_x"), "ours comes first");
    }

    #[test]
    fn over_https_only_the_cookie_counts_that_no_other_host_can_set() {
        let tossed = ("cookie", "jari_admin=adm_theirs");
        for https in [("x-forwarded-proto", "https"), ("origin", "https://jari.example")] {
            assert_eq!(
                cookie(&headers(&[https, tossed]), "jari_admin"),
                None,
                "{https:?}"
            );
            let ours = ("cookie", "__Host-jari_admin=adm_x; jari_admin=adm_theirs");
            assert_eq!(cookie(&headers(&[https, ours]), "jari_admin"), Some("adm_x"));
        }
        let plain = headers(&[("x-forwarded-proto", "http"), tossed]);
        assert_eq!(cookie(&plain, "jari_admin"), Some("adm_theirs"));
    }

    #[test]
    fn a_cookie_is_for_https_only_where_https_is() {
        let kept = |pairs: &[(&'static str, &'static str)]| {
            let kept = keep(&headers(pairs), "jari_admin", "adm_x", 60).expect("a header");
            kept.to_str().expect("a text").to_owned()
        };
        let plain = "jari_admin=adm_x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(kept(&[]), plain);
        assert_eq!(
            kept(&[("origin", "https://jari.example")]),
            format!("__Host-{plain}; Secure")
        );
    }
}
