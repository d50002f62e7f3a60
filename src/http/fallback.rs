//! Answers to requests that no route takes: an unknown path, or a method a path does not have; never does anything.

use axum::http::{Method, Uri};

use super::{problem::Problem, problems};

pub(super) async fn no_such_route(uri: Uri) -> Problem {
    let path: String = uri.path().chars().filter(|c| !c.is_control()).take(200).collect();
    Problem::new(&problems::NO_SUCH_ROUTE, format!("there is nothing at {path}"))
}

pub(super) async fn method_not_allowed(method: Method) -> Problem {
    let method: String = method.as_str().chars().take(20).collect();
    Problem::new(
        &problems::METHOD_NOT_ALLOWED,
        format!("{method} is not allowed here"),
    )
}
