//! Who asks and whether they may: admins by session or by the token of the configuration, holders of a reservation by its
//! token. Tokens are compared by their hashes, never taken from a URL; the table of rights is [`rights`].

pub mod presented;
pub mod rights;
mod waiter;

use std::{fmt, sync::Arc};

use aggregates::{
    customer,
    ids::{AdminId, BranchId, CustomerId, ReservationId, TimeSlotId},
    reservation::{Reservation, ReservationError},
    rights::{Authority, Permission, RightsError},
    time_slot::TimeSlot,
};
use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderMap, request::Parts},
};
use sha2::{Digest as _, Sha256};
use smol_str::{SmolStr, ToSmolStr as _};

pub use self::waiter::Waiter;
use self::{presented::bearer, rights::Needs};
use super::{
    App,
    caller::Caller,
    params::Id,
    problem::Problem,
    problems,
    sign_in::{ADMINS, CUSTOMERS},
};
use crate::{customers, people, store::Actor, vault::Session};

/// Characters an admin token must have at least.
pub const ADMIN_TOKEN_LENGTH_MIN: usize = 16;

/// The admin token, kept only as a salted hash: comparing hashes tells nothing by its duration.
#[derive(Clone)]
pub struct AdminToken {
    salt: [u8; 32],
    hash: [u8; 32],
}

impl AdminToken {
    /// The token, if it is long enough not to be guessed, and is not one of a session by its looks: those are looked up
    /// and never compared with it, so that a session that has ended is no guess.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        let salt: [u8; 32] = rand::random();
        let fits = token.len() >= ADMIN_TOKEN_LENGTH_MIN && !is_of_a_session(token);
        fits.then(|| Self {
            salt,
            hash: hash(&salt, token),
        })
    }

    fn is(&self, token: &str) -> bool {
        hash(&self.salt, token) == self.hash
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

fn is_of_a_session(token: &str) -> bool {
    [&ADMINS, &CUSTOMERS]
        .iter()
        .any(|entrance| token.starts_with(entrance.prefix))
}

/// Whether this is the token of the configuration, if there is one: the only place where one is compared with it. Wherever it was sent, one
/// that is not counts as a guess.
fn is_of_the_configuration(parts: &Parts, app: &App, token: &str) -> Result<bool, Problem> {
    if is_of_a_session(token) {
        return Ok(false);
    }
    let is = app.admin.as_ref().is_some_and(|admin| admin.is(token));
    if !is {
        let around = || Problem::new(&problems::FAULT, "the request came around the edge");
        let caller = parts.extensions.get::<Caller>().ok_or_else(around)?;
        app.limits.guess(caller.address)?;
    }
    Ok(is)
}

/// What whoever sends no token, or in another way, is told.
const TOKEN_NEEDED: &str =
    "Send the token of the reservation as Authorization: Bearer …, and check the number.";

fn hash(salt: &[u8; 32], token: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(salt)
        .chain_update(token)
        .finalize()
        .into()
}

/// Whether the request carries the token of this reservation.
pub(super) fn holds(app: &App, headers: &HeaderMap, id: ReservationId) -> bool {
    bearer(headers).is_some_and(|token| app.bookings.is_token(id, token))
}

/// An admin, and what all their roles grant.
#[derive(Debug, Clone)]
pub struct Admin {
    id: SmolStr,
    authority: Arc<Authority>,
}

impl Admin {
    /// Whoever runs the server and has its admin token: may do everything, also before anybody has an account.
    fn of_the_configuration() -> Self {
        Self {
            id: SmolStr::new_static(Actor::TOKEN),
            authority: Arc::new(Authority::whole()),
        }
    }

    /// Who signed in, whatever they may do.
    pub async fn authenticate(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let unauthorized = |why| Err(Problem::new(&problems::UNAUTHORIZED, why));
        let Some(token) = presented::token(parts, ADMINS.cookie)? else {
            return unauthorized("sign in as an admin, or send the admin token");
        };
        if is_of_the_configuration(parts, app, token)? {
            return Ok(Self::of_the_configuration());
        }
        if !token.starts_with(ADMINS.prefix) {
            return unauthorized("this is not the admin token");
        }
        match Self::signed_in(app, token).await? {
            Some((admin, ..)) => Ok(admin),
            None => unauthorized("the session has ended; sign in again"),
        }
    }

    /// Who has a session with this token, and is at work.
    async fn signed_in(app: &App, token: &str) -> Result<Option<(Self, AdminId, Session)>, Problem> {
        let Some(session) = app.sessions.find(token).await? else {
            return Ok(None);
        };
        let Some(id) = people::admin_of(&session.principal) else {
            return Ok(None);
        };
        let authority = people::authority_of(&app.store, id).await?;
        Ok(authority.map(|authority| {
            let admin = Self {
                id: id.to_smolstr(),
                authority: Arc::new(authority),
            };
            (admin, id, session)
        }))
    }

    /// As the log records them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Admin(self.id.clone())
    }

    /// What an idempotency key of theirs is unique within.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("admin:{}", self.id)
    }

    /// What they may do.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Refuses unless they may do this somewhere.
    pub fn may(&self, permission: Permission) -> Result<(), Problem> {
        if self.authority.somewhere(permission) {
            Ok(())
        } else {
            Err(Problem::refused(&RightsError::NotGranted))
        }
    }

    /// Refuses unless they may do this to what belongs to this branch; to what belongs to none, only who may everywhere.
    pub fn may_at(&self, permission: Permission, branch: Option<BranchId>) -> Result<(), Problem> {
        self.may(permission)?;
        if self.authority.at(permission, branch) {
            Ok(())
        } else {
            Err(Problem::refused(&RightsError::Elsewhere))
        }
    }

    /// Refuses unless they may do this at the branch of the slot. What there is not, the command itself refuses.
    pub async fn may_in_slot(
        &self,
        app: &App,
        permission: Permission,
        slot: TimeSlotId,
    ) -> Result<(), Problem> {
        self.may(permission)?;
        match branch_of_slot(app, slot).await? {
            Some(branch) => self.may_at(permission, Some(branch)),
            None => Ok(()),
        }
    }

    /// Refuses unless they may do this at the branch of the reservation; one of another branch is as unknown as one that is
    /// not there.
    pub async fn may_with_reservation(
        &self,
        app: &App,
        permission: Permission,
        id: ReservationId,
    ) -> Result<(), Problem> {
        self.may(permission)?;
        let branch = branch_of_reservation(app, id).await?;
        if branch.is_some() && self.may_at(permission, branch).is_err() {
            return Err(Problem::refused(&ReservationError::NotFound));
        }
        Ok(())
    }

    /// The branches a list must be limited to for them; none: it shows everything.
    #[must_use]
    pub fn sees(&self, permission: Permission) -> Option<Vec<BranchId>> {
        let branches = self.authority.branches(permission)?;
        Some(branches.into_iter().collect())
    }
}

/// The branch of a time slot, which never changes; none if there is no such slot.
async fn branch_of_slot(app: &App, slot: TimeSlotId) -> Result<Option<BranchId>, Problem> {
    let slot = app.store.read::<TimeSlot>(&slot).await?;
    Ok(slot.plan().ok().map(|plan| plan.branch))
}

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    /// An admin who may do somewhere what the table of rights asks for on this route. Where it counts at one branch, the
    /// handler asks for that.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let admin = Self::authenticate(parts, app).await?;
        match needed(parts) {
            Some(Needs::Staff(permission, _) | Needs::Local(permission) | Needs::Holder(permission)) => {
                admin.may(permission)?;
                Ok(admin)
            }
            Some(Needs::Anyone | Needs::OwnSession | Needs::Customer) | None => {
                Err(Problem::refused(&RightsError::NotGranted))
            }
        }
    }
}

fn needed(parts: &Parts) -> Option<Needs> {
    let path = parts.extensions.get::<MatchedPath>()?;
    rights::of(&parts.method, path.as_str())
}

/// An admin by a session of their own, which the token of the configuration is not.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub admin: Admin,
    /// Their id.
    pub id: AdminId,
    /// By which session.
    pub session: Session,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let ended = || Problem::new(&problems::UNAUTHORIZED, "sign in as an admin");
        let token = presented::token(parts, ADMINS.cookie)?.ok_or_else(ended)?;
        let signed_in = Admin::signed_in(app, token).await?;
        let (admin, id, session) = signed_in.ok_or_else(ended)?;
        Ok(Self { admin, id, session })
    }
}

/// A customer who is signed in.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Who.
    pub id: CustomerId,
    /// By which session.
    pub session: Session,
}

impl Customer {
    /// As the log records them.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        Actor::Customer(self.id)
    }

    /// Whose session the token is; none if it is not one of customers at all.
    async fn signed_in(app: &App, token: &str) -> Result<Option<Self>, Problem> {
        if !token.starts_with(CUSTOMERS.prefix) {
            return Ok(None);
        }
        let ended = || Problem::new(&problems::UNAUTHORIZED, "the session has ended; sign in again");
        let session = app.sessions.find(token).await?.ok_or_else(ended)?;
        let id = customers::customer_of(&session.principal).ok_or_else(ended)?;
        // Who left is nobody any more, whatever is still to be forgotten of them.
        if app.store.read::<customer::Customer>(&id).await?.known().is_err() {
            return Err(ended());
        }
        Ok(Some(Self { id, session }))
    }
}

impl FromRequestParts<App> for Customer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let needed = || Problem::new(&problems::UNAUTHORIZED, "sign in as a customer");
        let token = presented::token(parts, CUSTOMERS.cookie)?.ok_or_else(needed)?;
        Self::signed_in(app, token).await?.ok_or_else(needed)
    }
}

/// The customer who is signed in, or nobody: whoever has no session is a guest.
#[derive(Debug, Clone)]
pub struct MaybeCustomer(pub Option<Customer>);

impl FromRequestParts<App> for MaybeCustomer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match presented::token(parts, CUSTOMERS.cookie)? {
            Some(token) => Customer::signed_in(app, token).await.map(Self),
            None => Ok(Self(None)),
        }
    }
}

/// Who begins a reservation: whoever has no session is a guest.
#[derive(Debug, Clone)]
pub enum Booker {
    /// A customer who is signed in.
    Customer(Customer),
    /// An admin, whatever they may do.
    Staff(Admin),
    /// Somebody else.
    Guest,
}

impl FromRequestParts<App> for Booker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let MaybeCustomer(Some(customer)) = MaybeCustomer::from_request_parts(parts, app).await? {
            return Ok(Self::Customer(customer));
        }
        // A wrong token is no reason not to sell until there were too many of them: who needs to be staff is told so by what they ask for.
        let staff = match presented::token(parts, ADMINS.cookie)? {
            Some(token) if is_of_the_configuration(parts, app, token)? => Some(Admin::of_the_configuration()),
            Some(token) if token.starts_with(ADMINS.prefix) => {
                Admin::signed_in(app, token).await?.map(|(admin, ..)| admin)
            }
            Some(_) | None => None,
        };
        Ok(staff.map_or(Self::Guest, Self::Staff))
    }
}

/// Who works on the reservation named in the path.
#[derive(Debug, Clone)]
pub enum Holder {
    /// Whoever has its token.
    Guest(ReservationId),
    /// The customer whose it is.
    Customer(ReservationId, CustomerId),
    /// Staff of its branch.
    Staff(ReservationId, Admin),
}

impl Holder {
    /// The reservation.
    #[must_use]
    pub const fn id(&self) -> ReservationId {
        match self {
            Self::Guest(id) | Self::Customer(id, _) | Self::Staff(id, _) => *id,
        }
    }

    /// As the log records it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::Guest(id) => Actor::Guest(*id),
            Self::Customer(_, customer) => Actor::Customer(*customer),
            Self::Staff(_, admin) => admin.actor(),
        }
    }

    /// What an idempotency key of theirs is unique within.
    #[must_use]
    pub fn scope(&self) -> String {
        match self {
            Self::Guest(id) => format!("reservation:{id}"),
            Self::Customer(_, customer) => customers::principal(*customer),
            Self::Staff(_, admin) => admin.scope(),
        }
    }
}

impl FromRequestParts<App> for Holder {
    type Rejection = Problem;

    /// A wrong token, none, staff of another branch, and an unknown number are refused alike; whoever sends none is told how.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Id(id) = Id::<ReservationId>::from_request_parts(parts, app).await?;
        if holds(app, &parts.headers, id) {
            return Ok(Self::Guest(id));
        }
        let not_found = || Problem::refused(&ReservationError::NotFound);
        let MaybeCustomer(customer) = MaybeCustomer::from_request_parts(parts, app).await?;
        if let Some(customer) = customer {
            let reservation = app.store.read::<Reservation>(&id).await?;
            let owner = reservation.hold().and_then(|hold| hold.customer);
            // Another customer's is as unknown as one that is not there.
            return match owner {
                Some(owner) if owner == customer.id => Ok(Self::Customer(id, owner)),
                Some(_) | None => Err(not_found()),
            };
        }
        if presented::token(parts, ADMINS.cookie)?.is_none() {
            return Err(not_found().helping(TOKEN_NEEDED));
        }
        let unknown = |problem: Problem| match problem.slug() {
            "request/unauthorized" => not_found(),
            _ => problem,
        };
        let admin = Admin::authenticate(parts, app).await.map_err(unknown)?;
        match needed(parts) {
            Some(Needs::Holder(permission) | Needs::Staff(permission, _)) => {
                admin.may(permission)?;
                let branch = branch_of_reservation(app, id).await?;
                // An unknown one is refused by the command, in the same words.
                if branch.is_some() && admin.may_at(permission, branch).is_err() {
                    return Err(not_found());
                }
                Ok(Self::Staff(id, admin))
            }
            Some(Needs::Anyone | Needs::Local(_) | Needs::OwnSession | Needs::Customer) | None => {
                Err(Problem::refused(&RightsError::NotGranted))
            }
        }
    }
}

async fn branch_of_reservation(app: &App, id: ReservationId) -> Result<Option<BranchId>, Problem> {
    let reservation = app.store.read::<Reservation>(&id).await?;
    match reservation.hold() {
        Some(hold) => branch_of_slot(app, hold.time_slot).await,
        None => Ok(None),
    }
}

/// Staff of the branch of the reservation named in the path, and nobody else.
#[derive(Debug, Clone)]
pub struct Staff(pub ReservationId, pub Admin);

impl FromRequestParts<App> for Staff {
    type Rejection = Problem;

    /// Nobody and who is not signed in are told to sign in; staff of another branch that there is no such reservation.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Admin::from_request_parts(parts, app).await?;
        match Holder::from_request_parts(parts, app).await? {
            Holder::Staff(id, admin) => Ok(Self(id, admin)),
            Holder::Guest(_) | Holder::Customer(..) => Err(Problem::refused(&RightsError::NotGranted)),
        }
    }
}
