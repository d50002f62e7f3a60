//! Customers as the server deals with them: their unique names move with them, and who leaves is forgotten everywhere.
//! Never a password, and never an HTTP status.

use aggregates::{
    StreamId,
    claim::{Claim, ClaimCommand},
    customer::{Customer, CustomerCommand, CustomerError, Profile},
    identity::Identity,
    ids::{ClaimId, CustomerId, ReservationId},
    personal::Personal,
    reservation::Reservation,
    values::Email,
};
use jiff::civil::Date;
use projections::{reservation_list, waitlist_queue};
use sqlx::PgPool;

use crate::{
    administration::{self, Denied, NameTaken},
    store::{Committed, Request, Stop, Store, StoreError, UnitOfWork},
};

const PREFIX: &str = "customer:";
/// Reservations forgotten in one go.
const FORGOTTEN_AT_ONCE: i64 = 200;

/// How a customer is called where passwords and sessions are kept.
#[must_use]
pub fn principal(id: CustomerId) -> String {
    format!("{PREFIX}{id}")
}

/// The customer who is called so where passwords and sessions are kept.
#[must_use]
pub fn customer_of(principal: &str) -> Option<CustomerId> {
    principal.strip_prefix(PREFIX)?.parse().ok()
}

/// Who has signed up with this e-mail address.
pub async fn customer_by_email(store: &Store, email: &Email) -> Result<Option<CustomerId>, StoreError> {
    let claim = administration::stored(store.vault(), Customer::email_claim(email));
    let claim = store.read::<Claim>(&claim).await?;
    Ok(claim.owner().and_then(|owner| owner.parse().ok()))
}

/// Who signs in with this account at a provider.
pub async fn customer_by_identity(
    store: &Store,
    identity: &Identity,
) -> Result<Option<CustomerId>, StoreError> {
    let claim = administration::stored(store.vault(), identity.claim());
    let claim = store.read::<Claim>(&claim).await?;
    Ok(claim.owner().and_then(|owner| owner.parse().ok()))
}

/// Signs a customer up who comes from a provider. Whose e-mail address is in use is told so: whether it is the same
/// person, only their password tells.
pub async fn join(
    store: &Store,
    request: &Request,
    id: CustomerId,
    email: &Email,
    profile: &Profile,
    identity: &Identity,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        work.begin::<Customer>(&id).await?;
        let command = CustomerCommand::SignUp {
            email: email.clone(),
            profile: profile.clone(),
        };
        work.execute::<Customer>(&id, command).map_err(Denied::stop)?;
        work.execute::<Customer>(&id, CustomerCommand::Link(identity.clone()))
            .map_err(Denied::stop)?;
        take(work, id, identity.claim(), "/id_token").await?;
        let claim = administration::stored(work.vault(), Customer::email_claim(email));
        if work.load::<Claim>(&claim).await?.owner().is_some() {
            return Err(Denied::stop(CustomerError::EmailInUse));
        }
        take(work, id, Customer::email_claim(email), "/email").await?;
        take(work, id, Customer::nickname_claim(&profile.nickname), "/nickname").await
    };
    store.run(request, body).await
}

/// Lets a customer sign in with their account at a provider, too.
pub async fn link(
    store: &Store,
    request: &Request,
    id: CustomerId,
    identity: &Identity,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        work.load::<Customer>(&id).await?;
        work.execute::<Customer>(&id, CustomerCommand::Link(identity.clone()))
            .map_err(Denied::stop)?;
        take(work, id, identity.claim(), "/id_token").await
    };
    store.run(request, body).await
}

/// Adds the birth date of a customer that was missing.
pub async fn complete(
    store: &Store,
    request: &Request,
    id: CustomerId,
    birth_date: Date,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        unit.load::<Customer>(&id).await?;
        unit.execute::<Customer>(&id, CustomerCommand::Complete { birth_date })
            .map_err(Denied::stop)
    };
    store.run(request, body).await
}

/// Signs a customer up: e-mail address and nickname are theirs alone.
pub async fn sign_up(
    store: &Store,
    request: &Request,
    id: CustomerId,
    email: &Email,
    profile: &Profile,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        work.begin::<Customer>(&id).await?;
        let command = CustomerCommand::SignUp {
            email: email.clone(),
            profile: profile.clone(),
        };
        work.execute::<Customer>(&id, command).map_err(Denied::stop)?;
        take(work, id, Customer::email_claim(email), "/email").await?;
        take(work, id, Customer::nickname_claim(&profile.nickname), "/nickname").await
    };
    store.run(request, body).await
}

/// Says something else about a customer.
pub async fn describe(
    store: &Store,
    request: &Request,
    id: CustomerId,
    profile: &Profile,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        let before = work.load::<Customer>(&id).await?.known().map_err(Denied::stop)?;
        let before = before.nickname.plain().map(Customer::nickname_claim);
        work.execute::<Customer>(&id, CustomerCommand::Describe(profile.clone()))
            .map_err(Denied::stop)?;
        let after = Customer::nickname_claim(&profile.nickname);
        if before.as_ref() != Some(&after) {
            take(work, id, after, "/nickname").await?;
            if let Some(before) = before {
                give_back(work, id, before).await?;
            }
        }
        Ok(())
    };
    store.run(request, body).await
}

/// Lets a customer sign in with another e-mail address.
pub async fn change_email(
    store: &Store,
    request: &Request,
    id: CustomerId,
    email: &Email,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        let before = work.load::<Customer>(&id).await?.known().map_err(Denied::stop)?;
        let before = before.email.plain().map(Customer::email_claim);
        work.execute::<Customer>(&id, CustomerCommand::ChangeEmail(email.clone()))
            .map_err(Denied::stop)?;
        let after = Customer::email_claim(email);
        if before.as_ref() != Some(&after) {
            take(work, id, after, "/email").await?;
            if let Some(before) = before {
                give_back(work, id, before).await?;
            }
        }
        Ok(())
    };
    store.run(request, body).await
}

/// Records that a customer has another password, which is kept elsewhere.
pub async fn password_changed(
    store: &Store,
    request: &Request,
    id: CustomerId,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        unit.load::<Customer>(&id).await?;
        unit.execute::<Customer>(&id, CustomerCommand::ChangePassword)
            .map_err(Denied::stop)
    };
    store.run(request, body).await
}

/// Lets a customer leave; their names are free again. What is known of them is forgotten by [`forget`].
pub async fn leave(store: &Store, request: &Request, id: CustomerId) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        let known = work.load::<Customer>(&id).await?.known().ok();
        let names = known.map(|known| {
            let email = known.email.plain().map(Customer::email_claim);
            let nickname = known.nickname.plain().map(Customer::nickname_claim);
            let identity = known.identity.as_ref().and_then(Personal::plain);
            [email, nickname, identity.map(Identity::claim)]
        });
        work.execute::<Customer>(&id, CustomerCommand::Leave)
            .map_err(Denied::stop)?;
        for name in names.into_iter().flatten().flatten() {
            give_back(work, id, name).await?;
        }
        Ok(())
    };
    store.run(request, body).await
}

/// Destroys the customer's key, and the keys of the reservations they made and of the entries they waited under: name, phone, address, all of it.
pub async fn forget(store: &Store, reads: &PgPool, id: CustomerId) -> Result<(), Forgetting> {
    let mut after: Option<ReservationId> = None;
    loop {
        let mut connection = reads.acquire().await?;
        let filter = reservation_list::Filter {
            customer: Some(id),
            ..reservation_list::Filter::default()
        };
        let found =
            reservation_list::reservations(&mut connection, &filter, after, FORGOTTEN_AT_ONCE).await?;
        drop(connection);
        for entry in &found {
            store
                .erase(&StreamId::of::<Reservation>(&entry.reservation))
                .await?;
        }
        after = found.last().map(|entry| entry.reservation);
        if after.is_none() {
            for (entry, ..) in waitlist_queue::of_customer(reads, id).await? {
                store.erase(&StreamId::of::<Reservation>(&entry)).await?;
            }
            store.erase(&StreamId::of::<Customer>(&id)).await?;
            return Ok(());
        }
    }
}

/// Why not everything was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum Forgetting {
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The read models failed.
    #[error(transparent)]
    Reads(#[from] sqlx::Error),
}

async fn take(
    work: &mut UnitOfWork,
    id: CustomerId,
    name: ClaimId,
    field: &'static str,
) -> Result<(), Stop<Denied>> {
    let claim = administration::stored(work.vault(), name);
    work.load::<Claim>(&claim).await?;
    work.execute::<Claim>(&claim, ClaimCommand::Take { by: id.to_string() })
        .map_err(|error| Denied::stop(NameTaken { error, field }))
}

async fn give_back(work: &mut UnitOfWork, id: CustomerId, name: ClaimId) -> Result<(), Stop<Denied>> {
    let claim = administration::stored(work.vault(), name);
    work.load::<Claim>(&claim).await?;
    work.execute::<Claim>(&claim, ClaimCommand::GiveBack { by: id.to_string() })
        .map_err(Denied::stop)
}
