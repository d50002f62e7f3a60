//! Asks the real business what a sequence asks for, each request with a key of its own. Never decides whether an answer is
//! right.

mod compare;
mod enter;
mod words;

use aggregates::{
    coupon::{Coupon, CouponCommand},
    deposit::DepositCommand,
    event::Event,
    ids::{BranchId, DepositId, ReservationId, SeatId, TimeSlotId},
    pricing::Party,
    ratings::Statement,
    reservation::{Canceller, MoneyCommand, Pay, ReservationCommand, ReservationEvent},
    rights::Authority,
    seat::SeatCommand,
    time_slot::{TimeSlot, TimeSlotCommand},
    values::{CouponCode, CustomerName, PhoneNumber},
    waitlist::{Crowd, Leaver},
};
use jari::{
    admin_commands::Administrable,
    administration::Denied,
    booking::{BatchRevoked, Joining, Places, Refused, Wanted, Wish, moved_to, revoke_all},
    store::{Committed, IdempotencyKey, Request, Stop},
};
use jiff::{SignedDuration, ToSpan as _, civil::Date};
use uuid::Uuid;

use self::words::{adults, deposit_id, won};
use super::{
    ask::{Ask, By, SINGLE, Slot},
    business::Outcome,
};
use crate::support::shop::{Shop, guest};

/// One sequence being played in a shop that others are played in too.
pub struct Player<'a> {
    shop: &'a Shop,
    cinema: BranchId,
    slots: [TimeSlotId; 3],
    /// The day of the screening.
    day: Date,
    coupons: Vec<CouponCode>,
    people: Vec<(CustomerName, PhoneNumber)>,
    begun: Vec<ReservationId>,
    /// Those who wait, and for which slot.
    entries: Vec<(ReservationId, Slot)>,
    deposits: Vec<DepositId>,
    /// What was accepted, with the number it was asked under, and what it did.
    accepted: Vec<(Ask, ReservationId, Vec<i64>)>,
    scope: String,
}

/// What an answer can be compared by.
pub struct Answered {
    pub outcome: Outcome,
    pub committed: Option<Committed>,
}

impl Answered {
    fn positions(&self) -> Vec<i64> {
        let events = self.committed.iter().flat_map(|committed| &committed.events);
        events.map(|event| event.position).collect()
    }
}

impl Player<'_> {
    /// Asks, and tells what was answered; what is asked again is answered as before or the sequence fails.
    pub async fn ask(&mut self, ask: &Ask) -> Outcome {
        if let Ask::Pass(minutes) = ask {
            self.shop.store.let_pass(SignedDuration::from_mins(*minutes));
            return Ok(());
        }
        if let Ask::Again(back) = ask {
            if let Some(index) = self.accepted.len().checked_sub(back + 1) {
                self.ask_again(index).await;
            }
            return Ok(());
        }
        if *ask == Ask::RevokeBatch {
            self.revoke_batch().await;
            return Ok(());
        }
        let id = self.shop.bookings.next_number();
        let answered = self.send(ask, id, self.accepted.len()).await;
        if let Some(committed) = &answered.committed {
            self.remember(ask, id, committed);
            self.accepted.push((ask.clone(), id, answered.positions()));
        }
        answered.outcome
    }

    async fn ask_again(&self, index: usize) {
        let (ask, id, events) = &self.accepted[index];
        let again = self.send(ask, *id, index).await;
        let seen = (again.outcome, again.positions());
        assert_eq!(seen, (Ok(()), events.clone()), "asked again: {ask:?}");
        let repeated = again.committed.is_some_and(|committed| committed.repeated);
        assert!(repeated, "asked again: {ask:?}");
    }

    /// Counts what began: first what was asked for, then what was offered to others because of it.
    fn remember(&mut self, ask: &Ask, id: ReservationId, committed: &Committed) {
        let began = committed.events.iter().filter_map(|recorded| {
            let began = matches!(&recorded.event, Event::Reservation(ReservationEvent::Held { .. }));
            began.then(|| recorded.stream.id.parse::<ReservationId>().expect("a number"))
        });
        let mut began: Vec<ReservationId> = began.collect();
        let asked_for = moved_to(committed).unwrap_or(id);
        began.sort_by_key(|begun| *begun != asked_for);
        if let Ask::Join { slot, .. } = ask
            && !began.contains(&id)
        {
            self.entries.push((id, *slot));
        }
        if matches!(ask, Ask::Deposit { .. }) {
            self.deposits.push(deposit_id(id));
        }
        self.begun.extend(began);
    }

    async fn revoke_batch(&self) {
        let codes = &self.coupons[SINGLE..self.coupons.len() - 1];
        let request = Request::system("test", "coupons/revoke");
        let done: Result<BatchRevoked, Stop<Denied>> =
            revoke_all(&self.shop.store, &request, codes, None, None).await;
        done.expect("who used one keeps it");
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
        let by_guest = |id, command| keyed(guest(id, command));
        let (request, bookings) = (&keyed(Request::system("test", "Ask")), &self.shop.bookings);
        let wish = |slot: Slot, places, party| Wish {
            time_slot: self.slot(slot),
            places,
            party,
            accessible: false,
            said: Statement::default(),
        };
        let record = async |id: usize, command: ReservationCommand| {
            answered(bookings.record(request, self.which(id), command).await)
        };
        let settle =
            async |id: usize, command: MoneyCommand| record(id, ReservationCommand::Settle(command)).await;
        let reason = None;
        match ask {
            Ask::Hold { seats } => {
                let wish = wish(Slot::Screening, self.places(*seats), adults(seats.count()));
                answered(bookings.hold(&by_guest(new, "Hold"), new, &wish).await)
            }
            Ask::HoldRoom { slot, size } => {
                let wish = wish(*slot, Places::Room, Party::Group { size: *size });
                answered(bookings.hold(&by_guest(new, "Hold"), new, &wish).await)
            }
            Ask::Extend(id) => {
                let id = self.which(*id);
                answered(bookings.extend(&by_guest(id, "Extend"), id).await)
            }
            Ask::Change { which, seats } => {
                let (id, party) = (self.which(*which), adults(seats.count()));
                let (request, places) = (by_guest(id, "Change"), self.places(*seats));
                answered(bookings.change(&request, id, &places, &party, false).await)
            }
            Ask::Release(id) => {
                let id = self.which(*id);
                answered(bookings.release(&by_guest(id, "Release"), id).await)
            }
            Ask::Revive(id) => {
                let id = self.which(*id);
                answered(bookings.revive(&by_guest(id, "Revive"), id).await)
            }
            Ask::Place {
                which,
                who,
                coupon,
                on_site,
            } => {
                let id = self.which(*which);
                let placing = self.placing(*who, *coupon, *on_site);
                answered(bookings.place(&by_guest(id, "Place"), id, &placing).await)
            }
            Ask::MarkPaid { which, wrong } => {
                let pay = Pay {
                    amount: wrong.then(|| won(1)),
                    ..Pay::default()
                };
                answered(
                    bookings
                        .pay(request, self.which(*which), &pay, &self.nearby())
                        .await,
                )
            }
            Ask::Deposit { told, .. } => {
                let (id, receipt) = (deposit_id(new), self.receipt(told, new));
                let (known, nearby) = (&self.begun, self.nearby());
                let recorded = bookings.record_deposit(request, id, &receipt, known, &nearby);
                answered(recorded.await)
            }
            Ask::MatchDeposit { deposit, which } => {
                let (deposit, id) = (self.deposit(*deposit), self.which(*which));
                answered(bookings.match_deposit(request, deposit, id, &self.nearby()).await)
            }
            Ask::ReturnDeposit(deposit) => {
                let command = DepositCommand::Return {
                    account: None,
                    note: None,
                };
                answered(
                    bookings
                        .work_on_deposit(request, self.deposit(*deposit), &command)
                        .await,
                )
            }
            Ask::Refund { which, told, .. } => {
                let refund = MoneyCommand::Refund {
                    amount: won(told.won),
                    account: None,
                    note: None,
                    payment: None,
                };
                settle(*which, refund).await
            }
            Ask::TakeSlot(which) => answered(bookings.accept_offer(request, self.which(*which)).await),
            Ask::RefuseSlot(which) => settle(*which, MoneyCommand::DeclineOffer).await,
            Ask::Join { slot, count, who } => {
                let (name, phone) = self.people[*who].clone();
                let party = match slot {
                    Slot::Screening => adults(usize::from(*count)),
                    Slot::Session | Slot::Later => Party::Group { size: *count },
                };
                let joining = Joining {
                    time_slot: self.slot(*slot),
                    party,
                    name,
                    phone,
                    language: None,
                };
                let request = by_guest(new, "Join");
                let joined = bookings.join(&request, new, &joining, &Crowd::default);
                answered(joined.await)
            }
            Ask::Leave(entry) => {
                let (entry, slot) = self.entry(*entry);
                let request = by_guest(entry, "Leave");
                answered(
                    bookings
                        .leave(&request, slot, entry, Leaver::Customer, None)
                        .await,
                )
            }
            Ask::Accept(entry) => {
                let (entry, slot) = self.entry(*entry);
                answered(bookings.accept(&by_guest(entry, "Accept"), slot, entry).await)
            }
            Ask::Decline(entry) => {
                let (entry, slot) = self.entry(*entry);
                answered(bookings.decline(&by_guest(entry, "Decline"), slot, entry).await)
            }
            Ask::LookAfter(slot) => {
                let request = by_guest(new, "LookAfter");
                answered(bookings.look_after(&request, self.slot(*slot)).await)
            }
            Ask::MarkNotified(id) => record(*id, ReservationCommand::MarkNotified { note: None }).await,
            Ask::CheckIn(id) => record(*id, ReservationCommand::CheckIn).await,
            Ask::UndoCheckIn(id) => record(*id, ReservationCommand::UndoCheckIn { reason: None }).await,
            Ask::MarkNoShow(id) => answered(bookings.mark_no_show(request, self.which(*id)).await),
            Ask::MarkAbsent(id) => answered(bookings.mark_absent(request, self.which(*id)).await),
            Ask::LiftBar(id) => answered(bookings.lift_bar(request, self.which(*id)).await),
            Ask::Cancel { which, by } => {
                let by = match by {
                    By::Customer => Canceller::Customer,
                    By::Staff => Canceller::Staff,
                    By::Branch => Canceller::Branch,
                };
                answered(bookings.cancel(request, self.which(*which), by, None).await)
            }
            Ask::OfferMove { which, minutes } => {
                let until = self.shop.store.now() + minutes.minutes();
                let offered = bookings.offer_reschedule(request, self.which(*which), until, None);
                answered(offered.await)
            }
            Ask::Reschedule { which, seats, staff } => {
                let by = if *staff {
                    Canceller::Staff
                } else {
                    Canceller::Customer
                };
                let wanted = Wanted {
                    time_slot: self.slot(Slot::Screening),
                    places: Some(self.places(*seats)),
                    party: Some(adults(seats.count())),
                    accessible: false,
                };
                answered(
                    bookings
                        .reschedule(request, self.which(*which), by, &wanted)
                        .await,
                )
            }
            Ask::EndDue(id) => answered(bookings.end_due(request, self.which(*id)).await),
            Ask::Block(seat) => self.seat(request, *seat, SeatCommand::Block { reason }).await,
            Ask::Unblock(seat) => self.seat(request, *seat, SeatCommand::Unblock).await,
            Ask::Close(slot) => {
                let close = TimeSlotCommand::Close { reason };
                self.administer::<TimeSlot>(request, &self.slot(*slot), close)
                    .await
            }
            Ask::Reopen(slot) => {
                let reopen = TimeSlotCommand::Reopen {};
                self.administer::<TimeSlot>(request, &self.slot(*slot), reopen)
                    .await
            }
            Ask::Withdraw(slot) => {
                let withdraw = TimeSlotCommand::Withdraw { reason };
                self.administer::<TimeSlot>(request, &self.slot(*slot), withdraw)
                    .await
            }
            Ask::CloseDay => self.close_day(request).await,
            Ask::ReopenDay => self.reopen_day(request).await,
            Ask::Revoke(coupon) => {
                let revoke = CouponCommand::Revoke { reason };
                self.administer::<Coupon>(request, &self.coupons[*coupon], revoke)
                    .await
            }
            Ask::RevokeBatch | Ask::Again(_) | Ask::Pass(_) => unreachable!("not sent to anybody"),
        }
    }

    async fn seat(&self, request: &Request, seat: usize, command: SeatCommand) -> Answered {
        let seat = SeatId {
            time_slot: self.slot(Slot::Screening),
            label: self.shop.label(seat),
        };
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

    const fn slot(&self, slot: Slot) -> TimeSlotId {
        self.slots[slot as usize]
    }

    /// A reservation, or one that nobody has.
    fn which(&self, which: usize) -> ReservationId {
        self.begun.get(which).copied().unwrap_or(ReservationId::new(1))
    }

    fn entry(&self, entry: usize) -> (ReservationId, TimeSlotId) {
        let unknown = (ReservationId::new(1), Slot::Session);
        let (id, slot) = self.entries.get(entry).copied().unwrap_or(unknown);
        (id, self.slot(slot))
    }

    fn deposit(&self, deposit: usize) -> DepositId {
        let unknown = DepositId::new(Uuid::nil());
        self.deposits.get(deposit).copied().unwrap_or(unknown)
    }
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
            committed: Some(committed),
        },
        Err(Stop::Refused(refused)) => Answered {
            outcome: Err(slug(&refused)),
            committed: None,
        },
        Err(stop) => panic!("the store failed: {stop:?}"),
    }
}
