//! Old → new for every field: folds a stream and compares the state before and after each event; never stores anything.

use aggregates::{
    Decider, Event, Recorded, admin::Admin, allowance::Allowance, auditorium::Auditorium, branch::Branch,
    cancellation_policy::CancellationPolicy, claim::Claim, coupon::Coupon, customer::Customer,
    deposit::Deposit, movie::Movie, patron::Patron, price_policy::PricePolicy, reservation::Reservation,
    role::Role, schedule::Schedule, seat::Seat, theme::Theme, time_slot::TimeSlot, waitlist::Waitlist,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::veiled;

/// Larger values are not repeated, only measured.
const VALUE_BYTES_MAX: usize = 600;

/// One field that is different.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Change {
    /// The field, as a JSON pointer into the state.
    pub field: String,
    /// What it was; null if it was not there.
    #[schema(value_type = Value)]
    pub old: Value,
    /// What it is; null if it is gone.
    #[schema(value_type = Value)]
    pub new: Value,
}

/// One stream's states so far.
#[derive(Debug, Default)]
pub struct Story(Option<Folded>);

macro_rules! folded {
    ($($aggregate:ident),+) => {
        #[derive(Debug)]
        enum Folded {
            $($aggregate($aggregate),)+
        }

        impl Story {
            /// What this event, the next of the stream, changed.
            pub fn tell(&mut self, recorded: &Recorded) -> Vec<Change> {
                match &recorded.event {
                    $(Event::$aggregate(_) => {
                        let mut state = match self.0.take() {
                            Some(Folded::$aggregate(state)) => state,
                            Some(_) | None => $aggregate::default(),
                        };
                        let changes = step(&mut state, recorded);
                        self.0 = Some(Folded::$aggregate(state));
                        changes
                    })+
                    Event::Foreign => Vec::new(),
                }
            }
        }
    };
}

folded!(
    Seat,
    TimeSlot,
    Reservation,
    Coupon,
    Schedule,
    Branch,
    Auditorium,
    Movie,
    Theme,
    PricePolicy,
    Claim,
    Role,
    Admin,
    Customer,
    Waitlist,
    Allowance,
    Patron,
    CancellationPolicy,
    Deposit
);

fn step<A: Decider + Serialize>(state: &mut A, recorded: &Recorded) -> Vec<Change> {
    let Some(event) = A::unwrap(&veiled(&recorded.event)).cloned() else {
        return Vec::new();
    };
    let before = facts(state);
    state.apply(event);
    let mut changes = Vec::new();
    compare("", &before, &facts(state), &mut changes);
    changes
}

/// A state as an admin reads it, as one flat object.
#[must_use]
pub fn shown(state: &impl Serialize) -> Value {
    facts(state)
}

/// A state as one flat object: the variant's name as `state`, and the fields of its value beside it.
fn facts(state: &impl Serialize) -> Value {
    let mut facts = Map::new();
    match serde_json::to_value(state) {
        Ok(Value::Object(tagged)) if tagged.len() == 1 => {
            for (name, inner) in tagged {
                facts.insert("state".to_owned(), name.into());
                spread(inner, &mut facts);
            }
        }
        Ok(Value::String(name)) => {
            facts.insert("state".to_owned(), name.into());
        }
        Ok(other) => spread(other, &mut facts),
        Err(_) => {}
    }
    lift_quote(&mut facts);
    Value::Object(facts)
}

/// The price in force stands in one place: that of a hold lies in its choice, that of a placement beside it.
fn lift_quote(facts: &mut Map<String, Value>) {
    let choice = facts.get_mut("choice").and_then(Value::as_object_mut);
    if let Some(quote) = choice.and_then(|choice| choice.remove("quote")) {
        facts.entry("quote").or_insert(quote);
    }
}

/// Wrappers such as `hold` and `placement` would make every field look new when a reservation is placed.
fn spread(value: Value, facts: &mut Map<String, Value>) {
    const WRAPPERS: [&str; 4] = ["hold", "placement", "plan", "premises"];
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if WRAPPERS.contains(&name.as_str()) && inner.is_object() {
                    spread(inner, facts);
                } else {
                    facts.insert(name, inner);
                }
            }
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            facts.insert("value".to_owned(), other);
        }
    }
}

fn compare(place: &str, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        _ if old == new => {}
        // A key that says something by being there, such as a closing day without a reason: the value tells nothing.
        (Value::Object(before), Value::Object(after))
            if !place.is_empty() && silent(before, after) | silent(after, before) =>
        {
            changes.push(Change {
                field: place.to_owned(),
                old: brief(old),
                new: brief(new),
            });
        }
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                compare(
                    &format!("{place}/{name}"),
                    value,
                    new.get(name).unwrap_or(&Value::Null),
                    changes,
                );
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(&format!("{place}/{name}"), &Value::Null, value, changes);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() <= new.len() && new.starts_with(old) => {
            for (index, value) in new.iter().enumerate().skip(old.len()) {
                compare(&format!("{place}/{index}"), &Value::Null, value, changes);
            }
        }
        _ => changes.push(Change {
            field: place.to_owned(),
            old: brief(old),
            new: brief(new),
        }),
    }
}

/// Whether a key without a value is in one and not in the other.
fn silent(having: &Map<String, Value>, lacking: &Map<String, Value>) -> bool {
    having
        .iter()
        .any(|(name, value)| value.is_null() && !lacking.contains_key(name))
}

fn brief(value: &Value) -> Value {
    let length = value.to_string().len();
    if length > VALUE_BYTES_MAX {
        format!("({length} bytes)").into()
    } else {
        value.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(old: &Value, new: &Value) -> Vec<(String, Value, Value)> {
        let mut changes = Vec::new();
        compare("", old, new, &mut changes);
        changes
            .into_iter()
            .map(|change| (change.field, change.old, change.new))
            .collect()
    }

    #[test]
    fn a_day_that_is_closed_or_reopened_without_a_reason_is_a_change() {
        let (open, closed) = (json!({}), json!({ "2026-12-25": null }));
        let states = |days: &Value| json!({ "state": "Open", "closed_on": days });
        let field = || "/closed_on".to_owned();
        assert_eq!(
            changed(&states(&open), &states(&closed)),
            [(field(), open.clone(), closed.clone())]
        );
        assert_eq!(
            changed(&states(&closed), &states(&open)),
            [(field(), closed.clone(), open)]
        );
        let another = json!({ "2026-12-25": null, "2026-12-26": "a wedding" });
        let day = "/closed_on/2026-12-26".to_owned();
        assert_eq!(
            changed(&states(&closed), &states(&another)),
            [(day, Value::Null, json!("a wedding"))]
        );
    }

    #[test]
    fn a_price_that_stays_is_no_change_when_a_hold_is_placed() {
        let quote = |total: i64| json!({ "total": total, "currency": "KRW" });
        let held = json!({ "Held": { "choice": { "seats": ["A1"], "quote": quote(13_000) }, "until": "x" } });
        let placed = |total| {
            json!({ "Placed": { "hold": { "choice": { "seats": ["A1"], "quote": quote(13_000) }, "until": "x" },
                "placement": { "short_code": "ANEDNY", "quote": quote(total) }, "paid": false } })
        };
        let fields = |total| {
            let changes = changed(&facts(&held), &facts(&placed(total)));
            let fields = changes.into_iter().map(|(field, _, _)| field);
            fields.collect::<Vec<String>>()
        };
        assert_eq!(fields(13_000), ["/state", "/paid", "/short_code"]);
        assert_eq!(fields(10_000), ["/quote/total", "/state", "/paid", "/short_code"]);
    }

    #[test]
    fn a_field_that_begins_empty_is_no_change() {
        assert_eq!(changed(&json!({}), &json!({ "hall": null })), []);
    }
}
