//! Customers who never stop booking, whatever answers them; each remembers what it does not know the outcome of.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    api::{Answer, Api, Call, Hold},
    house::label,
    journal::Journal,
    waiting::eventually,
};

/// Rows of the screening they book.
pub const ROWS: u16 = 20;
/// Seats in each row.
pub const COLUMNS: u16 = 26;

/// Customers at work.
pub struct Load {
    state: Arc<State>,
    journal: Arc<Journal>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    /// Requests whose connection was cut, or that were told to come back.
    open: Mutex<Vec<Call>>,
    /// Answers that said 503.
    turned_away: AtomicUsize,
}

impl Load {
    /// So many customers of these servers, in turn.
    pub fn start(apis: &[Api], slot: Uuid, coupons: &[String], customers: usize) -> Self {
        let (state, mut tasks) = (Arc::new(State::default()), JoinSet::new());
        for customer in 0..customers {
            let (api, state) = (apis[customer % apis.len()].clone(), Arc::clone(&state));
            let coupons = coupons.to_vec();
            tasks.spawn(async move { state.customer(&api, slot, &coupons).await });
        }
        Self {
            state,
            journal: Arc::clone(&apis[0].journal),
            tasks,
        }
    }

    /// Waits until so many more commands are acknowledged.
    pub async fn achieves(&self, more: usize) {
        let goal = self.journal.len() + more;
        eventually("the customers get their answers", || async {
            (self.journal.len() >= goal).then_some(())
        })
        .await;
    }

    /// Waits until somebody was told to come back later.
    pub async fn is_turned_away(&self) {
        let before = self.state.turned_away.load(Ordering::Relaxed);
        eventually("somebody is told to come back", || async {
            (self.state.turned_away.load(Ordering::Relaxed) > before).then_some(())
        })
        .await;
    }

    /// Everyone finishes the request at hand; gives back those whose outcome nobody knows.
    pub async fn stop(self) -> Vec<Call> {
        self.state.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        std::mem::take(&mut *self.state.open.lock().expect("nobody panicked"))
    }
}

impl State {
    async fn customer(&self, api: &Api, slot: Uuid, coupons: &[String]) {
        while !self.stop.load(Ordering::Relaxed) {
            let (row, first) = (rand::random_range(0..ROWS), rand::random_range(1..COLUMNS - 1));
            let seats: Vec<_> = (first..=first + rand::random_range(0..3))
                .map(|seat| label(row, seat))
                .collect();
            let seats = &seats[..seats.len().min(usize::from(COLUMNS - first + 1))];
            let Some(answer) = self.ask(api, Call::hold(slot, seats)).await else {
                continue;
            };
            if answer.is_done() {
                self.go_on(api, &answer.hold(), coupons).await;
            }
        }
    }

    /// What a customer does with a hold: most place it, some give it back, some walk away.
    async fn go_on(&self, api: &Api, hold: &Hold, coupons: &[String]) {
        match rand::random_range(0..10) {
            0 => {}
            1..=3 => drop(self.ask(api, Call::step(hold, "release")).await),
            choice => {
                let coupon = &coupons[rand::random_range(0..coupons.len())];
                let coupon = (choice > 6).then_some(coupon.as_str());
                let placed = self.ask(api, Call::place(hold, coupon)).await;
                if placed.is_some_and(|placed| placed.is_done()) && choice > 4 {
                    self.ask(api, Call::step(hold, "cancel")).await;
                }
            }
        }
    }

    /// The answer, asked for under the same key until there is one, or until the customers stop.
    async fn ask(&self, api: &Api, call: Call) -> Option<Answer> {
        let call = call.keyed();
        let answer = eventually("an answer", || async {
            let answer = self.attempt(api, &call).await;
            if answer.is_some() || self.stop.load(Ordering::Relaxed) {
                Some(answer)
            } else {
                None
            }
        })
        .await;
        if answer.is_none() {
            self.open.lock().expect("nobody panicked").push(call);
        }
        answer
    }

    /// The answer, unless the connection was cut or the server is busy.
    async fn attempt(&self, api: &Api, call: &Call) -> Option<Answer> {
        let answer = api.send(call).await.ok()?;
        if answer.status == 503 {
            assert!(answer.retry_after.is_some(), "come back when? {answer}");
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        assert!(
            answer.is_done() || matches!(answer.status, 409 | 410),
            "{call:?}: {answer}"
        );
        Some(answer)
    }
}

/// Sends everything again whose outcome nobody knows: it was done or not, and says so.
pub async fn settle(api: &Api, open: Vec<Call>) {
    for call in open {
        let answer = api.ask(&call).await;
        // A hold may be gone by now that a later step was about.
        assert!(
            answer.is_done() || matches!(answer.status, 409 | 410),
            "{call:?}: {answer}"
        );
        let again = api.ask(&call).await;
        if answer.is_done() {
            assert_eq!(
                answer.body, again.body,
                "a repeat is answered otherwise: {call:?}"
            );
        }
    }
}
