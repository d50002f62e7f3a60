//! Asks the real business what a sequence asks for, each request with a key of its own. Never decides whether an answer is
//! right.

use aggregates::{
    Decider,
    coupon::{Coupon, CouponCommand},
    ids::{ReservationId, SeatId, TimeSlotId},
    pricing::{Party, Persons},
    ratings::Statement,
    reservation::{Agreements, Canceller, Pay, PaymentChoice, Reservation, ReservationCommand},
    rights::Authority,
    seat::{Seat, SeatCommand},
    time_slot::{TimeSlot, TimeSlotCommand},
    values::{CouponCode, Currency, CustomerName, Money, PhoneNumber, SeatLabel},
};
use jari::{
    admin_commands::Administrable,
    administration::Denied,
    booking::{Nearby, Places, Placing, Refused, Wanted, Wish},
    store::{Committed, IdempotencyKey, Request, Stop},
};
use jiff::{SignedDuration, ToSpan as _};
use serde_json::json;
use uuid::Uuid;

use super::{
    ask::{Ask, COUPONS, SEATS, SEATS_MAX, Seats, Slot},
    business::{Business, Outcome, Place},
    reservation::Stage,
};
use crate::support::shop::{Shop, guest, phone};

/// One sequence being played in a shop that others are played in too.
pub struct Player<'a> {
    shop: &'a Shop,
    screening: TimeSlotId,
    session: TimeSlotId,
    coupons: Vec<CouponCode>,
    begun: Vec<ReservationId>,
    /// What was accepted, with the number it was asked under, and what it did.
    accepted: Vec<(Ask, ReservationId, Vec<i64>)>,
    scope: String,
}

/// What an answer can be compared by.
pub struct Answered {
    pub outcome: Outcome,
    pub events: Vec<i64>,
    pub repeated: bool,
}

impl<'a> Player<'a> {
    /// With two slots of its own that start in so many minutes.
    pub async fn enter(shop: &'a Shop, starts_in: i64) -> Self {
        let now = shop.store.now();
        let starts = now + starts_in.minutes();
        let rules = json!({ "starts_at": starts, "ends_at": starts + 2.hours(), "sales_open_at": now - 1.hour(),
            "sales_close_at": starts, "seats_per_customer_max": SEATS_MAX });
        let terms = json!({ "discount": { "rate": { "percent": 20 } }, "scope": {}, "valid_from": now - 1.hour(),
            "valid_until": now + 10_000.hours() });
        let mut coupons = Vec::new();
        for _ in 0..COUPONS {
            let code = shop.next_code();
            shop.admin::<Coupon>(&code, "issue", json!({ "terms": terms }))
                .await;
            coupons.push(code);
        }
        coupons.push(shop.next_code());
        Self {
            shop,
            screening: shop.screening_under(&rules).await,
            session: shop.session_under(&rules).await,
            coupons,
            begun: Vec::new(),
            accepted: Vec::new(),
            scope: Uuid::now_v7().to_string(),
        }
    }

    /// Asks, and tells what was answered; what is asked again is answered as before or the sequence fails.
    pub async fn ask(&mut self, ask: &Ask) -> Outcome {
        if let Ask::Pass(minutes) = ask {
            self.shop.store.let_pass(SignedDuration::from_mins(*minutes));
            return Ok(());
        }
        if let Ask::Again(back) = ask {
            if let Some(index) = self.accepted.len().checked_sub(back + 1) {
                let (ask, id, events) = self.accepted[index].clone();
                let again = self.send(&ask, id, index).await;
                assert_eq!(
                    (again.outcome, again.events),
                    (Ok(()), events),
                    "asked again: {ask:?}"
                );
                assert!(again.repeated, "asked again: {ask:?}");
            }
            return Ok(());
        }
        let id = self.shop.bookings.next_number();
        let answered = self.send(ask, id, self.accepted.len()).await;
        if answered.outcome.is_ok() {
            if matches!(ask, Ask::Hold { .. } | Ask::HoldRoom { .. }) {
                self.begun.push(id);
            }
            self.accepted.push((ask.clone(), id, answered.events));
        }
        answered.outcome
    }

    /// Asks under a key that is its own as long as nothing is accepted under it.
    #[expect(clippy::too_many_lines, reason = "one table: what is asked, and how")]
    async fn send(&self, ask: &Ask, new: ReservationId, index: usize) -> Answered {
        let keyed = |request: Request| Request {
            key: Some(IdempotencyKey {
                scope: self.scope.clone(),
                key: format!("{index}"),
                fingerprint: [7; 32],
            }),
            ..request
        };
        let which = |which: usize| self.begun.get(which).copied().unwrap_or(ReservationId::new(1));
        let by_guest = |id, command| keyed(guest(id, command));
        let by_staff = |command| keyed(Request::system("test", command));
        let bookings = &self.shop.bookings;
        let record = async |id: usize, command: ReservationCommand| {
            answered(bookings.record(&by_staff("Record"), which(id), command).await)
        };
        match ask {
            Ask::Hold { seats } => {
                let wish = Wish {
                    time_slot: self.screening,
                    places: Places::Seats(self.labels(*seats)),
                    party: adults(*seats),
                    accessible: false,
                    said: Statement::default(),
                };
                answered(bookings.hold(&by_guest(new, "Hold"), new, &wish).await)
            }
            Ask::HoldRoom { size } => {
                let wish = Wish {
                    time_slot: self.session,
                    places: Places::Room,
                    party: Party::Group { size: *size },
                    accessible: false,
                    said: Statement::default(),
                };
                answered(bookings.hold(&by_guest(new, "Hold"), new, &wish).await)
            }
            Ask::Extend(id) => {
                let id = which(*id);
                answered(bookings.extend(&by_guest(id, "Extend"), id).await)
            }
            Ask::Change { which: id, seats } => {
                let id = which(*id);
                let places = Places::Seats(self.labels(*seats));
                let request = by_guest(id, "Change");
                answered(
                    bookings
                        .change(&request, id, &places, &adults(*seats), false)
                        .await,
                )
            }
            Ask::Release(id) => {
                let id = which(*id);
                answered(bookings.release(&by_guest(id, "Release"), id).await)
            }
            Ask::Revive(id) => {
                let id = which(*id);
                answered(bookings.revive(&by_guest(id, "Revive"), id).await)
            }
            Ask::Place {
                which: id,
                coupon,
                on_site,
            } => {
                let id = which(*id);
                let placing = self.placing(id, *coupon, *on_site);
                answered(bookings.place(&by_guest(id, "Place"), id, &placing).await)
            }
            Ask::MarkPaid { which: id, wrong } => {
                let amount = wrong.then(|| Money {
                    amount: 1,
                    currency: "KRW".parse::<Currency>().expect("a currency"),
                });
                let pay = Pay {
                    amount,
                    ..Pay::default()
                };
                let id = which(*id);
                answered(
                    bookings
                        .pay(&by_staff("MarkPaid"), id, &pay, &Nearby::new())
                        .await,
                )
            }
            Ask::MarkNotified(id) => record(*id, ReservationCommand::MarkNotified { note: None }).await,
            Ask::CheckIn(id) => record(*id, ReservationCommand::CheckIn).await,
            Ask::MarkNoShow(id) => answered(bookings.mark_no_show(&by_staff("MarkNoShow"), which(*id)).await),
            Ask::Cancel { which: id, staff } => {
                let id = which(*id);
                let by = if *staff {
                    Canceller::Staff
                } else {
                    Canceller::Customer
                };
                answered(bookings.cancel(&by_guest(id, "Cancel"), id, by, None).await)
            }
            Ask::Reschedule {
                which: id,
                seats,
                staff,
            } => {
                let id = which(*id);
                let by = if *staff {
                    Canceller::Staff
                } else {
                    Canceller::Customer
                };
                let wanted = Wanted {
                    time_slot: self.screening,
                    places: Some(Places::Seats(self.labels(*seats))),
                    party: Some(adults(*seats)),
                    accessible: false,
                };
                let request = by_guest(id, "Reschedule");
                answered(bookings.reschedule(&request, id, by, &wanted).await)
            }
            Ask::EndDue(id) => answered(bookings.end_due(&by_staff("EndDue"), which(*id)).await),
            Ask::Block(seat) => {
                self.seat(&by_staff("Block"), *seat, SeatCommand::Block { reason: None })
                    .await
            }
            Ask::Unblock(seat) => self.seat(&by_staff("Unblock"), *seat, SeatCommand::Unblock).await,
            Ask::Close(slot) => {
                let close = TimeSlotCommand::Close { reason: None };
                self.administer::<TimeSlot>(&by_staff("Close"), self.slot(*slot), close)
                    .await
            }
            Ask::Reopen(slot) => {
                let reopen = TimeSlotCommand::Reopen {};
                self.administer::<TimeSlot>(&by_staff("Reopen"), self.slot(*slot), reopen)
                    .await
            }
            Ask::Withdraw(slot) => {
                let withdraw = TimeSlotCommand::Withdraw { reason: None };
                self.administer::<TimeSlot>(&by_staff("Withdraw"), self.slot(*slot), withdraw)
                    .await
            }
            Ask::Revoke(coupon) => {
                let revoke = CouponCommand::Revoke { reason: None };
                self.administer::<Coupon>(&by_staff("Revoke"), &self.coupons[*coupon], revoke)
                    .await
            }
            Ask::Again(_) | Ask::Pass(_) => unreachable!("not sent to anybody"),
        }
    }

    async fn seat(&self, request: &Request, seat: usize, command: SeatCommand) -> Answered {
        let seat = self.seat_id(seat);
        answered(self.shop.bookings.work_on_seat(request, &seat, command).await)
    }

    async fn administer<A: Administrable>(
        &self,
        request: &Request,
        id: &A::Id,
        command: A::Command,
    ) -> Answered {
        let done: Result<Committed, Stop<Denied>> = self
            .shop
            .store
            .run(request, |mut work| {
                let command = command.clone();
                async move {
                    work.load::<A>(id).await?;
                    A::carry_out(&mut work, id, command, &Authority::whole()).await
                }
            })
            .await;
        seen(done, |denied| denied.refusal().slug())
    }

    fn slot(&self, slot: Slot) -> &TimeSlotId {
        match slot {
            Slot::Screening => &self.screening,
            Slot::Session => &self.session,
        }
    }

    fn seat_id(&self, seat: usize) -> SeatId {
        SeatId {
            time_slot: self.screening,
            label: self.shop.label(seat),
        }
    }

    fn labels(&self, seats: Seats) -> Vec<SeatLabel> {
        seats.numbers().map(|seat| self.shop.label(seat)).collect()
    }

    fn placing(&self, id: ReservationId, coupon: Option<usize>, on_site: bool) -> Placing {
        Placing {
            name: "홍길동".parse::<CustomerName>().expect("a name"),
            phone: phone(id).parse::<PhoneNumber>().expect("a number"),
            agreements: Agreements {
                privacy: true,
                house_rules: true,
            },
            // The movie is from 15, and nobody is signed in.
            said: Statement {
                age_confirmed: true,
                ..Statement::default()
            },
            coupon: coupon.map(|coupon| self.coupons[coupon].clone()),
            payment: if on_site {
                PaymentChoice::OnSite
            } else {
                PaymentChoice::BankTransfer
            },
            language: None,
        }
    }

    /// Whether everything is as the model has it, read from the log.
    pub async fn compare(&self, business: &Business) -> Result<(), String> {
        for (index, id) in self.begun.iter().enumerate() {
            let seen = stage(&*self.read::<Reservation>(id).await);
            let expected = business.reservations[index].stage;
            if seen != Some(expected) {
                return Err(format!(
                    "reservation {index} is {seen:?}, the model has {expected:?}"
                ));
            }
        }
        let number = |by: ReservationId| self.begun.iter().position(|id| *id == by);
        let as_place = |seat: Seat| match (seat, seat.holder()) {
            (Seat::Blocked, _) => Some(Place::Blocked),
            (_, Some(by)) => number(by).map(Place::Of),
            (_, None) => Some(Place::Free),
        };
        let room = SeatId {
            time_slot: self.session,
            label: SeatLabel::room(),
        };
        let seats = (0..SEATS).map(|seat| (self.seat_id(seat), business.seats[seat]));
        for (id, expected) in seats.chain([(room, business.room)]) {
            let seen = as_place(*self.read::<Seat>(&id).await);
            if seen != Some(expected) {
                return Err(format!("seat {id} is {seen:?}, the model has {expected:?}"));
            }
        }
        Ok(())
    }

    async fn read<A: Decider>(&self, id: &A::Id) -> std::sync::Arc<A> {
        self.shop.store.read::<A>(id).await.expect("the log can be read")
    }
}

fn adults(seats: Seats) -> Party {
    Party::Persons(Persons {
        adult: u8::try_from(seats.numbers().count()).expect("a few seats"),
        ..Persons::default()
    })
}

fn answered(answer: Result<Committed, Stop<Refused>>) -> Answered {
    seen(answer, |refused| refused.refusal().slug())
}

fn seen<E: std::fmt::Debug>(
    answer: Result<Committed, Stop<E>>,
    slug: impl Fn(&E) -> &'static str,
) -> Answered {
    match answer {
        Ok(committed) => Answered {
            outcome: Ok(()),
            events: committed.events.iter().map(|event| event.position).collect(),
            repeated: committed.repeated,
        },
        Err(Stop::Refused(refused)) => Answered {
            outcome: Err(slug(&refused)),
            events: Vec::new(),
            repeated: false,
        },
        Err(stop) => panic!("the store failed: {stop:?}"),
    }
}

const fn stage(reservation: &Reservation) -> Option<Stage> {
    Some(match reservation {
        Reservation::Blank => return None,
        Reservation::Held(_) => Stage::Held,
        Reservation::Lapsed(_) => Stage::Lapsed,
        Reservation::Released(_) => Stage::Released,
        Reservation::Placed(_) => Stage::Placed,
        Reservation::Attended(_) => Stage::Attended,
        Reservation::NoShow(_) => Stage::NoShow,
        Reservation::Cancelled(_) => Stage::Cancelled,
        Reservation::Expired(_) => Stage::Expired,
    })
}
