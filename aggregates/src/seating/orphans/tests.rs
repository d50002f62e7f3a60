//! What the orphan rule promises, one sentence each, and against a plain search through every choice there is.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::{
    layout::{Layout, RowsAndColumns},
    seating::best_available,
};

/// Rows drawn as texts: `.` is a free seat, `x` a taken one, `C` one that is chosen, a space an aisle.
struct Hall {
    layout: Layout,
    taken: HashSet<SeatLabel>,
    chosen: Vec<SeatLabel>,
}

/// All rows have their aisles where the first has.
fn hall(rows: &[impl AsRef<str>]) -> Hall {
    let rows: Vec<&str> = rows.iter().map(AsRef::as_ref).collect();
    let first = rows[0];
    let before = |at: usize| u16::try_from(first[..at].replace(' ', "").len()).expect("a short row");
    let plain = RowsAndColumns {
        name: "상영관".parse().expect("a name"),
        rows: u16::try_from(rows.len()).expect("few rows"),
        columns: before(first.len()),
        category: "일반".parse().expect("a category"),
        aisles_after: first.match_indices(' ').map(|(at, _)| before(at)).collect(),
    };
    let layout = plain.layout().expect("a layout");
    let drawn: String = rows.concat().replace(' ', "");
    let marked = |mark: char| {
        let seats = layout.seats().zip(drawn.chars());
        let marked = seats.filter(move |(_, drawn)| *drawn == mark);
        marked.map(|(seat, _)| seat.label.clone()).collect::<Vec<_>>()
    };
    let (taken, chosen) = (marked('x').into_iter().collect(), marked('C'));
    Hall {
        layout,
        taken,
        chosen,
    }
}

impl Hall {
    fn is_free(&self, seat: &LayoutSeat) -> bool {
        !self.taken.contains(&seat.label)
    }

    /// The blocks the rule looks at.
    fn around<'a>(&'a self, rule: OrphanRule, chosen: &'a [SeatLabel]) -> Neighbourhood<'a> {
        let mut seen = Neighbourhood::of(chosen);
        for run in self.seen_by(rule, chosen) {
            seen.add(run, |seat| self.is_free(seat));
        }
        seen
    }

    fn seen_by(&self, rule: OrphanRule, chosen: &[SeatLabel]) -> Vec<&[LayoutSeat]> {
        let mut runs = self.layout.runs_around(chosen);
        if rule == OrphanRule::Strict {
            runs.extend(self.layout.runs_elsewhere(chosen));
        }
        runs
    }

    /// Nothing if the choice is accepted; else the lone seats and the suggestions.
    fn judged(&self, rule: OrphanRule) -> Option<(Vec<String>, Vec<Vec<String>>)> {
        let texts = |labels: Vec<SeatLabel>| labels.iter().map(ToString::to_string).collect::<Vec<_>>();
        let seen = self.around(rule, &self.chosen);
        let (lone, others) = (seen.lone(), seen.others());
        let refused = !lone.is_empty() && !others.is_empty();
        refused.then(|| (texts(lone), others.into_iter().map(texts).collect()))
    }

    /// Free seats that are lone after these are taken and were not before, seat by seat.
    fn left_alone(&self, chosen: &[SeatLabel]) -> usize {
        let mut count = 0;
        for run in self.layout.runs() {
            let before = |at: usize| run.get(at).is_some_and(|seat| self.is_free(seat));
            let after = |at: usize| before(at) && !chosen.contains(&run[at].label);
            let lone =
                |is: &dyn Fn(usize) -> bool, at: usize| is(at) && !is(at.wrapping_sub(1)) && !is(at + 1);
            count += (0..run.len())
                .filter(|at| lone(&after, *at) && !lone(&before, *at))
                .count();
        }
        count
    }

    fn groups(&self, chosen: &[SeatLabel]) -> usize {
        let is_chosen = |seat: &LayoutSeat| chosen.contains(&seat.label);
        let starts = |run: &[LayoutSeat]| {
            let first = usize::from(is_chosen(&run[0]));
            first
                + run
                    .windows(2)
                    .filter(|two| !is_chosen(&two[0]) && is_chosen(&two[1]))
                    .count()
        };
        self.layout.runs().map(starts).sum()
    }

    /// Whether any choice of this size in no more groups leaves nobody alone, by trying all of them.
    fn could_be_helped(&self, rule: OrphanRule) -> bool {
        let runs = self.seen_by(rule, &self.chosen).into_iter();
        let free: Vec<&SeatLabel> = runs
            .flatten()
            .filter(|seat| self.is_free(seat))
            .map(|seat| &seat.label)
            .collect();
        let (size, groups) = (self.chosen.len(), self.groups(&self.chosen));
        (0_u32..1 << free.len())
            .filter(|set| set.count_ones() as usize == size)
            .any(|set| {
                let picked = free.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
                let choice: Vec<SeatLabel> = picked.map(|(_, label)| (*label).clone()).collect();
                self.groups(&choice) <= groups && self.left_alone(&choice) == 0
            })
    }
}

#[test]
fn a_seat_left_between_two_that_are_taken_is_named_and_others_are_suggested() {
    assert_eq!(hall(&["xC....x"]).judged(OrphanRule::Strict), None);
    let (lone, suggestions) = hall(&["x.C...x"]).judged(OrphanRule::Strict).expect("a refusal");
    assert_eq!(lone, ["A2"]);
    assert_eq!(suggestions, [["A2"], ["A4"], ["A6"]]);
}

#[test]
fn an_aisle_and_a_wall_are_no_neighbours() {
    for drawn in [".C..", ".C.. ....", "x... .C..", "xx.CC.."] {
        assert!(hall(&[drawn]).judged(OrphanRule::Lenient).is_some(), "{drawn}");
    }
    for drawn in ["C...", "..C. ....", "CC.. .x..", "xxCC..."] {
        let refused = hall(&[drawn]).judged(OrphanRule::Lenient);
        assert_eq!(
            refused.is_some(),
            drawn.starts_with("..C."),
            "{drawn}: {refused:?}"
        );
    }
}

#[test]
fn a_seat_that_was_alone_before_may_be_bought_or_left() {
    assert_eq!(hall(&["x.xC..."]).judged(OrphanRule::Strict), None);
    assert_eq!(hall(&["xCx...."]).judged(OrphanRule::Strict), None);
}

#[test]
fn several_at_once_are_judged_together() {
    assert_eq!(
        hall(&["x.CC.x"]).judged(OrphanRule::Strict).expect("a refusal").0,
        ["A2", "A5"]
    );
    assert_eq!(
        hall(&["C.C...."])
            .judged(OrphanRule::Strict)
            .expect("a refusal")
            .0,
        ["A2"]
    );
    assert_eq!(hall(&["C..C..."]).judged(OrphanRule::Strict), None);
}

#[test]
fn what_cannot_be_helped_is_accepted() {
    for rule in [OrphanRule::Lenient, OrphanRule::Strict] {
        assert_eq!(hall(&["xC.x"]).judged(rule), None);
        assert_eq!(hall(&["xCC.x"]).judged(rule), None);
        assert_eq!(hall(&["C.C"]).judged(rule), None);
    }
}

#[test]
fn lenient_looks_beside_the_choice_and_strict_through_the_hall() {
    let two_of_three = hall(&["xCC.x", "....."]);
    assert_eq!(two_of_three.judged(OrphanRule::Lenient), None);
    let (lone, suggestions) = two_of_three.judged(OrphanRule::Strict).expect("a refusal");
    assert_eq!(lone, ["A4"]);
    assert_eq!(suggestions, [["B1", "B2"], ["B4", "B5"]]);
}

#[test]
fn who_sits_apart_may_be_told_to_sit_apart_otherwise() {
    // Four together there are none; three and one leave nobody alone.
    let (_, suggestions) = hall(&["CC.xxCC."])
        .judged(OrphanRule::Lenient)
        .expect("a refusal");
    assert_eq!(suggestions.len(), 1);
    let seats = &suggestions[0];
    let whole = |row: &[&str]| row.iter().all(|seat| seats.iter().any(|label| label == seat));
    assert!(
        whole(&["A1", "A2", "A3"]) || whole(&["A6", "A7", "A8"]),
        "{seats:?}"
    );
}

#[test]
fn what_is_no_free_seat_of_the_rows_stays_in_a_suggestion() {
    let hall = hall(&["x.C...x"]);
    let couple: SeatLabel = "Z1".parse().expect("a label");
    let chosen = [hall.chosen.clone(), vec![couple.clone()]].concat();
    let others = hall.around(OrphanRule::Lenient, &chosen).others();
    assert!(
        others
            .iter()
            .all(|other| other.len() == 2 && other.contains(&couple))
    );
}

#[test]
fn a_word_of_the_rule_reads_as_it_is_written() {
    for (word, rule) in OrphanRule::ALL {
        assert_eq!((word.parse(), rule.as_str()), (Ok(rule), word));
        assert_eq!(serde_json::to_value(rule).expect("a word"), word);
    }
    assert!("on".parse::<OrphanRule>().is_err());
}

/// One or two rows of up to two blocks, some seats taken, one to four free ones chosen.
fn choices() -> impl Strategy<Value = Vec<String>> {
    let row = || prop::collection::vec(prop::sample::select(vec!['x', '.', '.', '.', 'C']), 8);
    (row(), prop::option::of(row()), 3_usize..9, 1_usize..12).prop_filter_map(
        "one to four are chosen",
        |(first, second, columns, aisle)| {
            let drawn = |row: Vec<char>| {
                let mut text: String = row[..columns].iter().collect();
                if aisle < columns {
                    text.insert(aisle, ' ');
                }
                text
            };
            let rows: Vec<String> = [Some(first), second].into_iter().flatten().map(drawn).collect();
            let chosen = rows.concat().matches('C').count();
            (1..=4).contains(&chosen).then_some(rows)
        },
    )
}

proptest! {
    #[test]
    fn a_lone_seat_is_left_only_where_no_choice_of_that_size_could_help_it(rows in choices()) {
        let hall = hall(&rows);
        for rule in [OrphanRule::Lenient, OrphanRule::Strict] {
            let expected = hall.left_alone(&hall.chosen) > 0 && hall.could_be_helped(rule);
            let refused = hall.judged(rule);
            prop_assert_eq!(refused.is_some(), expected, "{:?}: {:?}", rule, refused);
        }
    }

    #[test]
    fn every_suggestion_is_free_of_the_same_size_and_would_be_accepted(rows in choices()) {
        let hall = hall(&rows);
        for rule in [OrphanRule::Lenient, OrphanRule::Strict] {
            let others = hall.around(rule, &hall.chosen).others();
            prop_assert!(others.len() <= SUGGESTIONS_MAX);
            for other in others {
                let distinct: HashSet<&SeatLabel> = other.iter().collect();
                prop_assert_eq!((other.len(), distinct.len()), (hall.chosen.len(), hall.chosen.len()));
                prop_assert!(other.iter().all(|seat| !hall.taken.contains(seat)));
                prop_assert_eq!(hall.left_alone(&other), 0);
                prop_assert!(hall.around(rule, &other).lone().is_empty());
            }
        }
    }

    #[test]
    fn the_best_available_are_free_and_never_refused(rows in choices(), seats in 1_usize..5) {
        let hall = hall(&rows);
        let wish = crate::seating::Wish::of(seats, false);
        if let Some(best) = best_available(&hall.layout, wish, |seat| hall.taken.contains(seat)) {
            prop_assert!(best.iter().all(|seat| !hall.taken.contains(seat)));
            for rule in [OrphanRule::Lenient, OrphanRule::Strict] {
                let seen = hall.around(rule, &best);
                prop_assert!(seen.lone().is_empty() || seen.others().is_empty());
            }
        }
    }
}
