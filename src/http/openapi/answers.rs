//! What anybody may be answered because of what surrounds the routes: refusals of the edge and the extractors, and the
//! headers that go with every answer. What a route says of itself is kept. Never changes that.

use aggregates::refusal::Kind;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{
        problem,
        problems::{self, Known},
    },
    for_each_operation, parameters, reference, refusals, takes,
};

/// What an operation takes; what it may be answered follows from that.
#[expect(
    clippy::struct_excessive_bools,
    reason = "one yes or no for each thing it can take"
)]
struct Facts {
    path: bool,
    versioned: bool,
    body: bool,
    secured: bool,
    /// Only admins may ask; others are told so, while holders of a reservation are told nothing.
    admin: bool,
    command: bool,
    if_match: bool,
}

/// A refusal many operations share.
struct Common {
    name: &'static str,
    says: &'static str,
    status: StatusCode,
    /// The problems of the edge that are answered so; rules add theirs.
    known: &'static [&'static Known],
    applies: fn(&Facts) -> bool,
}

const COMMON: [Common; 13] = [
    Common {
        name: "Malformed",
        says: "The path, the query, a header or the body cannot be read",
        status: problems::MALFORMED_PATH.status,
        known: &[
            &problems::MALFORMED_PATH,
            &problems::MALFORMED_QUERY,
            &problems::MALFORMED_HEADER,
            &problems::MALFORMED_JSON,
            &problems::NOT_VERIFIED,
        ],
        applies: |facts| facts.versioned || facts.path || facts.secured,
    },
    Common {
        name: "Unauthorized",
        says: "Nobody is signed in, or not who may be here",
        status: problems::UNAUTHORIZED.status,
        known: &[
            &problems::UNAUTHORIZED,
            &problems::WRONG_CREDENTIALS,
            &problems::WRONG_TOKEN,
        ],
        applies: |facts| facts.admin,
    },
    Common {
        name: "Forbidden",
        says: "No role of yours grants it, or not at this branch; or a page of another site asks",
        status: problems::CROSS_SITE.status,
        known: &[&problems::CROSS_SITE, &problems::EMAIL_NOT_VERIFIED],
        applies: |facts| facts.secured || facts.command,
    },
    Common {
        name: "NotFound",
        says: "It is not there, or something it names is not",
        status: problems::NO_SUCH_THING.status,
        known: &[&problems::NO_SUCH_THING, &problems::NOT_OFFERED],
        applies: |facts| facts.path || facts.command,
    },
    Common {
        name: "Conflict",
        says: "A rule refuses it as things stand, or a name is taken",
        status: problem::status(Kind::Conflict),
        known: &[],
        applies: |facts| facts.command,
    },
    Common {
        name: "Gone",
        says: "It was possible once and is not any more",
        status: problem::status(Kind::Gone),
        known: &[],
        applies: |facts| facts.command,
    },
    Common {
        name: "PreconditionFailed",
        says: "It has changed since it was read",
        status: problems::PRECONDITION_FAILED.status,
        known: &[&problems::PRECONDITION_FAILED],
        applies: |facts| facts.if_match,
    },
    Common {
        name: "TooLarge",
        says: "The body is too large",
        status: problems::TOO_LARGE.status,
        known: &[&problems::TOO_LARGE],
        applies: |facts| facts.body,
    },
    Common {
        name: "UnsupportedMedia",
        says: "The body is not said to be JSON",
        status: problems::UNSUPPORTED_MEDIA.status,
        known: &[&problems::UNSUPPORTED_MEDIA],
        applies: |facts| facts.body,
    },
    Common {
        name: "Invalid",
        says: "Fields are wrong, each named in errors; or the key was used for another request",
        status: problems::INVALID_FIELDS.status,
        known: &[&problems::INVALID_FIELDS, &problems::KEY_REUSED],
        applies: |facts| facts.body,
    },
    Common {
        name: "TooMany",
        says: "Too many requests or attempts from this address",
        status: problems::TOO_MANY.status,
        known: &[&problems::TOO_MANY],
        applies: |_| true,
    },
    Common {
        name: "Fault",
        says: "The server failed; the operator can find the request by its id",
        status: problems::FAULT.status,
        known: &[&problems::FAULT],
        applies: |_| true,
    },
    Common {
        name: "Unavailable",
        says: "Not now",
        status: problems::BUSY.status,
        known: &[
            &problems::BUSY,
            &problems::UNAVAILABLE,
            &problems::CONTENDED,
            &problems::BEHIND,
            &problems::TIMED_OUT,
            &problems::PROVIDER_AWAY,
        ],
        applies: |_| true,
    },
];

/// Refusals of requests that no operation takes.
const ELSEWHERE: [(&str, &Known); 2] = [
    ("NoSuchRoute", &problems::NO_SUCH_ROUTE),
    ("MethodNotAllowed", &problems::METHOD_NOT_ALLOWED),
];

/// The headers of answers that callers may rely on: name, whether it is there wherever it is named, and what it says.
const HEADERS: [(&str, bool, &str); 10] = [
    (
        "Content-Language",
        true,
        "The language of its texts: that of Accept-Language, as far as they exist in it",
    ),
    (
        "ETag",
        true,
        "Which state this is, to be sent back as If-Match or If-None-Match",
    ),
    (
        "Link",
        false,
        "Where the next page is, if there is one: rel=\"next\"",
    ),
    ("Location", true, "The path of what was made"),
    (
        "Retry-After",
        true,
        "Seconds after which trying again makes sense",
    ),
    ("WWW-Authenticate", true, "Bearer"),
    ("Vary", true, "Accept-Language"),
    (
        "X-Jari-Position",
        true,
        "The log position this is as of, for min_position",
    ),
    (
        "X-Jari-Repeated",
        false,
        "true if an earlier request with the same Idempotency-Key had done it",
    ),
    (
        "X-Request-Id",
        true,
        "The id of this request, as in the instance of problems",
    ),
];

pub(super) fn complete(document: &mut Value) {
    for common in &COMMON {
        let known = common.known.iter();
        let description = known.fold(common.says.to_owned(), |said, known| {
            format!("{said}\n\n- `{}`: {}", known.slug, known.help)
        });
        let mut answer = json!({ "description": description });
        complete_answer(common.status.as_u16(), &mut answer, &[]);
        document["components"]["responses"][common.name] = answer;
    }
    for (name, required, says) in HEADERS {
        let kind = if matches!(name, "Retry-After" | "X-Jari-Position") {
            "integer"
        } else {
            "string"
        };
        document["components"]["headers"][name] =
            json!({ "description": says, "required": required, "schema": { "type": kind } });
    }
    document["components"]["headers"]["ETagOfNow"] = json!({ "required": false, "schema": { "type": "string" },
        "description": "Which state this is, to be sent back as If-Match; none of the past, which cannot be changed" });
    // What no operation answers: the request is for none.
    let elsewhere: Vec<&str> = ELSEWHERE.iter().map(|(_, known)| known.slug).collect();
    document[refusals::MEMBER] = json!(elsewhere);
    for (name, known) in ELSEWHERE {
        let mut answer = json!({ "description": format!("`{}`: {}", known.slug, known.help) });
        complete_answer(known.status.as_u16(), &mut answer, &[]);
        document["components"]["responses"][name] = answer;
    }
    let tagged = changeable(document);
    for_each_operation(document, |path, method, operation| {
        let facts = Facts::of(path, operation);
        let headers = headers_of(path, method, operation, &tagged);
        let said = &operation["responses"];
        let common = COMMON
            .iter()
            .filter(|common| (common.applies)(&facts) || said.get(common.status.as_str()).is_some());
        let edge: Vec<&str> = common
            .flat_map(|common| common.known.iter().map(|known| known.slug))
            .collect();
        refusals::add(path, method, operation, &edge);
        for common in COMMON.iter().filter(|common| (common.applies)(&facts)) {
            let answer = &mut operation["responses"][common.status.as_str()];
            if answer.is_null() {
                *answer = reference("responses", common.name);
            }
        }
        let answers = operation["responses"].as_object_mut();
        for (status, answer) in answers.into_iter().flatten() {
            if answer.get("$ref").is_none() {
                complete_answer(status.parse().unwrap_or_default(), answer, &headers);
            }
        }
    });
}

impl Facts {
    fn of(path: &str, operation: &Value) -> Self {
        let schemes: Vec<&str> = operation["security"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|scheme| {
                scheme
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str())
            })
            .collect();
        Self {
            path: parameters(operation).any(|parameter| parameter["in"] == "path"),
            versioned: path.starts_with("/v1/"),
            body: operation.get("requestBody").is_some(),
            secured: !schemes.is_empty(),
            admin: !schemes.is_empty() && !schemes.contains(&"reservation"),
            command: takes(operation, "Idempotency-Key"),
            if_match: takes(operation, "If-Match"),
        }
    }
}

/// The paths of what can be changed on condition: whoever reads it there gets the tag to send back.
fn changeable(document: &mut Value) -> Vec<String> {
    let mut found = Vec::new();
    for_each_operation(document, |path, _, operation| {
        if takes(operation, "If-Match")
            && let Some((thing, _verb)) = path.rsplit_once('/')
        {
            found.push(thing.to_owned());
        }
    });
    found
}

/// The headers of what is answered when all went well.
fn headers_of(
    path: &str,
    method: &str,
    operation: &Value,
    tagged: &[String],
) -> Vec<(&'static str, &'static str)> {
    let mut headers = Vec::new();
    let read = method == "get" && tagged.contains(&path.replace("/v1/admin/", "/v1/"));
    if read && parameters(operation).any(|parameter| parameter["name"] == "at") {
        headers.push(("ETag", "ETagOfNow"));
    } else if read || takes(operation, "If-Match") {
        headers.push(("ETag", "ETag"));
    }
    if takes(operation, "Idempotency-Key") {
        headers.extend([
            ("X-Jari-Position", "X-Jari-Position"),
            ("X-Jari-Repeated", "X-Jari-Repeated"),
        ]);
    }
    if parameters(operation).any(|parameter| parameter["name"] == "cursor") {
        headers.push(("Link", "Link"));
    }
    headers
}

/// Says of one answer what goes with its status: the headers, and that refusals are problems.
fn complete_answer(status: u16, answer: &mut Value, headers: &[(&str, &str)]) {
    if let Some(said) = answer["headers"].as_object_mut() {
        for (name, header) in said {
            *header = reference("headers", name);
        }
    } else {
        answer["headers"] = json!({});
    }
    let mut add = |name: &str, component: &str| answer["headers"][name] = reference("headers", component);
    add("X-Request-Id", "X-Request-Id");
    match status {
        200..300 => headers.iter().for_each(|(name, component)| add(name, component)),
        401 => add("WWW-Authenticate", "WWW-Authenticate"),
        429 | 503 => add("Retry-After", "Retry-After"),
        _ => {}
    }
    if status < 400 {
        return;
    }
    add("Content-Language", "Content-Language");
    add("Vary", "Vary");
    let problem = reference("schemas", "ProblemBody");
    let said = answer["content"].as_object_mut();
    if let Some(said) = said {
        said.retain(|_, content| content["schema"] != problem);
    } else {
        answer["content"] = json!({});
    }
    answer["content"]["application/problem+json"] = json!({ "schema": problem });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_the_edge_is_said_where_it_can_be_met() {
        let elsewhere = ELSEWHERE.map(|(_, known)| known.slug);
        for known in problems::EDGE
            .iter()
            .filter(|known| !elsewhere.contains(&known.slug))
        {
            let common = COMMON
                .iter()
                .find(|common| common.known.iter().any(|other| other.slug == known.slug));
            let status = common.map(|common| common.status);
            assert_eq!(status, Some(known.status), "{}", known.slug);
        }
    }
}
