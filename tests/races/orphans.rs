//! Races under the orphan rule (DOMAIN C12): however many choose at once, a seat is left alone only where no other choice
//! of that size would have helped; on two servers.

use std::collections::BTreeSet;

use serde_json::json;

use super::field::{Field, parted};
use crate::support::{
    api::{Answer, Call},
    house::{Sale, label, layout},
    log::{Log, Row},
};

/// One row of so many seats: which are taken.
struct Line(Vec<bool>);

impl Line {
    fn is_free(&self, at: usize) -> bool {
        self.0.get(at) == Some(&false)
    }

    fn is_lone(&self, at: usize) -> bool {
        self.is_free(at) && !self.is_free(at.wrapping_sub(1)) && !self.is_free(at + 1)
    }

    fn lone(&self) -> BTreeSet<usize> {
        (0..self.0.len()).filter(|at| self.is_lone(*at)).collect()
    }

    /// The seats that become lone when these are taken.
    fn left_alone(&self, seats: &BTreeSet<usize>) -> Vec<usize> {
        let after = Self(
            (0..self.0.len())
                .map(|at| self.0[at] || seats.contains(&at))
                .collect(),
        );
        after.lone().difference(&self.lone()).copied().collect()
    }

    /// Whether as many seats side by side leave nobody alone.
    fn has_better(&self, size: usize) -> bool {
        (0..=self.0.len() - size).any(|start| {
            let seats: BTreeSet<usize> = (start..start + size).collect();
            seats.iter().all(|at| self.is_free(*at)) && self.left_alone(&seats).is_empty()
        })
    }
}

/// Replays the log, unit by unit: the seats each hold took in the one row, judged as the row stood then.
fn assert_nobody_is_left_alone(log: &Log, columns: usize) -> usize {
    let seat = |row: &Row| -> usize {
        let (_, label) = row.id.split_once(':').expect("a seat");
        label[1..].parse::<usize>().expect("a column") - 1
    };
    let mut line = Line(vec![false; columns]);
    let mut unavoidable = 0;
    let changes: Vec<&Row> = log.rows.iter().filter(|row| row.kind == "seat").collect();
    for unit in changes.chunk_by(|a, b| a.meta("request_id") == b.meta("request_id")) {
        for row in unit.iter().filter(|row| row.name == "SeatReleased") {
            line.0[seat(row)] = false;
        }
        let held: BTreeSet<usize> = unit
            .iter()
            .filter(|row| row.name == "SeatHeld")
            .map(|row| seat(row))
            .collect();
        if !held.is_empty() && !line.left_alone(&held).is_empty() {
            assert!(
                !line.has_better(held.len()),
                "{held:?} in {:?}: {unit:#?}",
                line.0
            );
            unavoidable += 1;
        }
        for at in held {
            line.0[at] = true;
        }
    }
    unavoidable
}

fn suggested(answer: &Answer) -> Vec<String> {
    let suggestions = answer.json()["suggestions"].clone();
    let suggestions: Vec<Vec<String>> = serde_json::from_value(suggestions).expect("suggestions");
    suggestions.into_iter().next().expect("one at least")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_seats_bought_at_once_leave_no_seat_alone_under_strict() {
    let (field, columns) = (Field::open(2).await, 24_u16);
    let rules = json!({ "orphan_rule": "strict" });
    let slot = field
        .house
        .screening_in(field.api(), layout(1, columns), Sale::Long, rules)
        .await;
    let wishes = (0..240).map(|task| Call::hold(slot, &[label(0, 1 + task * 7 % columns)]));
    let (granted, refused) = parted(field.race(wishes.collect()).await);
    assert!(granted.len() >= 8, "only {} of 24 were sold", granted.len());
    for answer in &refused {
        match answer.slug().as_str() {
            "seat/taken" | "server/contended" => {}
            "seating/orphan" => assert_eq!(suggested(answer).len(), 1, "{answer}"),
            _ => panic!("{answer}"),
        }
    }
    // Whoever follows the suggestions finds a seat as long as there is one.
    let mut sold = granted.len();
    for column in (1..=columns).cycle().take(240) {
        let mut answer = field.api().ask(&Call::hold(slot, &[label(0, column)])).await;
        if answer.status == 409 && answer.slug() == "seating/orphan" {
            answer = field.api().ask(&Call::hold(slot, &suggested(&answer))).await;
        }
        if answer.is_done() {
            sold += 1;
        } else {
            answer.refused(409, "seat/taken");
        }
        if sold == usize::from(columns) {
            break;
        }
    }
    assert_eq!(sold, usize::from(columns), "the row is sold out");
    let log = field.close().await;
    let unavoidable = assert_nobody_is_left_alone(&log, columns.into());
    assert!(unavoidable <= usize::from(columns) / 2, "{unavoidable}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_come_go_and_take_the_best_leave_no_seat_alone() {
    let (field, columns) = (Field::open(2).await, 40_u16);
    let rules = json!({ "orphan_rule": "lenient" });
    let slot = field
        .house
        .screening_in(field.api(), layout(1, columns), Sale::Long, rules)
        .await;
    let mut holds = Vec::new();
    for first in [1, 6, 11, 18, 25, 33] {
        let answer = field
            .api()
            .ask(&Call::hold(slot, &[label(0, first), label(0, first + 1)]))
            .await;
        holds.extend(answer.is_done().then(|| answer.hold()));
    }
    assert!(holds.len() >= 4, "{holds:?}");
    let mut calls: Vec<Call> = holds.iter().map(|hold| Call::step(hold, "release")).collect();
    for task in 0..120_u16 {
        let (size, first) = (1 + task % 3, 1 + task * 11 % (columns - 2));
        let seats: Vec<String> = (first..first + size).map(|column| label(0, column)).collect();
        calls.push(if task % 5 == 0 {
            Call::hold_best(slot, u8::try_from(size).expect("a small group"))
        } else {
            Call::hold(slot, &seats)
        });
    }
    for answer in field.race(calls).await {
        let slug = if answer.is_done() {
            String::new()
        } else {
            answer.slug()
        };
        let known = [
            "",
            "seat/taken",
            "seating/orphan",
            "choice/nothing-adjacent",
            "server/contended",
        ];
        assert!(known.contains(&slug.as_str()), "{answer}");
    }
    assert_nobody_is_left_alone(&field.close().await, columns.into());
}
