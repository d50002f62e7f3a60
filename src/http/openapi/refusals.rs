//! Which refusals an operation can meet, written into its description: what is refused, with which status, and what the
//! caller can do. Made from the tables of the rules; here stands only whose rules an operation asks. Never words of its
//! own.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::problems::{self, ProblemPage};

/// The member of an operation that lists the types of all problems it may answer with.
pub const MEMBER: &str = "x-jari-problems";

/// Whose rules are asked besides a collection's own.
const ALSO: [(&str, &[&str]); 17] = [
    ("admins", &["claim", "role", "branch"]),
    ("auditoriums", &["claim", "branch"]),
    ("branches", &["cancellation-policy", "claim"]),
    ("cancellation-policies", &["claim"]),
    ("check-ins", &["reservation", "ticket"]),
    ("closing-days", &["branch", "reservation", "time-slot"]),
    ("coupon-batches", &["coupon"]),
    ("coupons", &["branch", "movie", "theme"]),
    ("customers", &["claim"]),
    ("deposits", &["branch", "reservation"]),
    ("movies", &["claim"]),
    ("payments", &["reservation"]),
    ("price-policies", &["branch", "claim"]),
    ("roles", &["admin", "branch", "claim"]),
    ("schedules", PROGRAMME),
    ("themes", &["branch", "claim"]),
    ("time-slots", PROGRAMME),
];

/// Whose rules are asked when a time slot comes onto the programme.
const PROGRAMME: &[&str] = &[
    "auditorium",
    "branch",
    "cancellation-policy",
    "movie",
    "price",
    "price-policy",
    "programme",
    "schedule",
    "seat",
    "theme",
    "time-slot",
];

/// Whose rules are asked when a place is chosen.
const CHOOSING: &[&str] = &[
    "branch",
    "choice",
    "customer",
    "movie",
    "price",
    "price-policy",
    "rating",
    "seat",
    "seating",
    "theme",
    "time-slot",
    "waitlist",
];

/// The steps of a reservation that ask fewer rules than a choice of places.
const STEPS: [(&str, &[&str]); 18] = [
    ("bulk", &["coupon", "seat"]),
    ("calendar.ics", &[]),
    ("cancel", &["coupon", "seat"]),
    ("cancel-quote", &[]),
    ("check-coupon", &["coupon", "time-slot"]),
    ("check-in", &[]),
    ("decline-offer", &[]),
    ("extend", &["branch", "movie", "seat", "theme", "time-slot"]),
    ("lift-bar", &[]),
    ("mark-no-show", &[]),
    ("mark-notified", &[]),
    ("mark-paid", &[]),
    ("refund", &[]),
    ("release", &["seat"]),
    ("search", &["branch"]),
    ("ticket", &[]),
    ("ticket.svg", &[]),
    ("undo-check-in", &[]),
];

/// Questions that rules can refuse, and whose: what is told to a holder only while the reservation is good for it, and what
/// somebody asks about a choice that may make no sense.
const REFUSED_WHEN_ASKED: [(&str, &[&str]); 5] = [
    ("calendar.ics", &["reservation"]),
    ("cancel-quote", &["reservation"]),
    ("prices", &["choice", "price", "price-policy", "time-slot"]),
    ("ticket", &["reservation"]),
    ("ticket.svg", &["reservation"]),
];

/// The steps that place a reservation, by name.
const PLACING: [&str; 3] = ["accept-offer", "place", "reschedule"];

/// Writes into an operation what it refuses; `edge` are the types of what surrounds it.
pub(super) fn add(path: &str, method: &str, operation: &mut Value, edge: &[&'static str]) {
    let pages: Vec<&ProblemPage> = problems::pages()
        .iter()
        .filter(|page| asks(path, method, operation, page))
        .collect();
    let mut slugs: Vec<&str> = pages
        .iter()
        .map(|page| page.slug())
        .chain(edge.iter().copied())
        .collect();
    slugs.sort_unstable();
    slugs.dedup();
    operation[MEMBER] = json!(slugs);
    if pages.is_empty() {
        return;
    }
    let mut told = operation["description"]
        .as_str()
        .map_or_else(String::new, |said| format!("{said}\n\n"));
    told.push_str("Refusals:\n");
    for page in pages {
        // Writing to a string cannot fail.
        let _ = write!(told, "\n- {} `{}`: {}", page.status(), page.slug(), page.help());
    }
    operation["description"] = json!(told);
}

/// Whether an operation can meet this refusal of a rule.
fn asks(path: &str, method: &str, operation: &Value, page: &ProblemPage) -> bool {
    let (subject, reason) = page.slug().split_once('/').unwrap_or_default();
    let is_admins = operation["security"]
        .as_array()
        .is_some_and(|schemes| schemes.iter().any(|scheme| scheme.get("admin").is_some()));
    if subject == "rights" {
        return is_admins;
    }
    let subjects = subjects(path, operation);
    let is_meant = subjects.contains(&subject);
    // A question changes nothing, so no rule refuses it: what it asks for is there or not.
    let verb = path.rsplit('/').next().unwrap_or_default();
    let is_made = REFUSED_WHEN_ASKED
        .iter()
        .any(|(known, refused)| *known == verb && refused.contains(&subject));
    is_meant && (method != "get" || reason == "not-found" || is_made)
}

/// Whose rules an operation asks, by the things in its path and its query.
fn subjects(path: &str, operation: &Value) -> Vec<&'static str> {
    let mut segments = path
        .trim_start_matches("/v1/")
        .trim_start_matches("admin/")
        .split('/');
    let (collection, verb) = (
        segments.next().unwrap_or_default(),
        segments.next_back().unwrap_or_default(),
    );
    let asked = operation["parameters"].as_array().into_iter().flatten();
    let names = asked.filter_map(|parameter| parameter["name"].as_str());
    let things: Vec<&str> = path.split('/').chain(names).collect();
    let mut subjects: Vec<&str> = problems::pages()
        .iter()
        .filter_map(|page| page.slug().split_once('/').map(|(subject, _)| subject))
        .filter(|subject| things.iter().any(|thing| is_of(thing, subject)))
        .collect();
    if collection == "reservations" {
        let step = STEPS.iter().find(|(known, _)| *known == verb);
        subjects.extend(step.map_or(CHOOSING, |(_, also)| also));
        if PLACING.contains(&verb) {
            subjects.extend(["allowance", "cancellation-policy", "coupon"]);
        }
        if verb == "place" || verb.is_empty() {
            subjects.push("patron");
        }
    }
    if collection == "waitlist-entries" && verb != "search" {
        subjects.extend(["reservation", "seat", "waitlist"]);
    }
    if verb == "prices" {
        subjects.push("choice");
    }
    if verb == "waitlist" {
        subjects.extend(CHOOSING.iter().copied().chain(["reservation"]));
    }
    let also = ALSO
        .iter()
        .filter(|(known, _)| is_of(collection, singular(known)));
    subjects.extend(also.flat_map(|(_, also)| also.iter().copied()));
    subjects
}

/// Whether a segment of a path speaks of this subject: `time-slots` of `time-slot`, `branches` of `branch`.
fn is_of(segment: &str, subject: &str) -> bool {
    singular(segment) == subject
}

/// One of a collection.
pub(super) fn singular(segment: &str) -> &str {
    match segment {
        "cancellation-policies" => "cancellation-policy",
        "price-policies" => "price-policy",
        "time_slot" => "time-slot",
        "branches" => "branch",
        "deliveries" => "delivery",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}
