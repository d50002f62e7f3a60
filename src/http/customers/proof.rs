//! That it is really the customer who asks, and not somebody who found their machine open: by their password, or by a
//! fresh token of the provider whose account is theirs. Never by the session alone.

use aggregates::fault::Fault;
use jiff::Timestamp;

use super::{
    super::{
        App, access::Customer, body::refuse, caller::Caller, problem::Problem, problems, sign_in::CUSTOMERS,
    },
    google::not_offered,
};
use crate::{
    customers,
    oidc::{Account, IdToken, NotIdentified, Wrong},
    vault::Typed,
};

/// After how many seconds the provider may be there again.
const AWAY_SECONDS: u64 = 5;

/// What somebody sends to prove who they are.
#[derive(Debug)]
pub(super) struct Proof {
    /// Their password.
    pub password: Option<Typed>,
    /// A token of the provider.
    pub id_token: Option<IdToken>,
    /// The nonce of ours it was given for.
    pub nonce: Option<String>,
}

impl Proof {
    /// Refuses unless it proves that `customer` asks; `field` is where their password stands.
    pub async fn of(
        self,
        app: &App,
        caller: &Caller,
        customer: &Customer,
        field: &'static str,
    ) -> Result<(), Problem> {
        match self {
            Self {
                password: Some(password),
                ..
            } => proved_by_password(app, caller, customer, &password).await,
            Self {
                password: None,
                id_token: Some(token),
                nonce: Some(nonce),
            } => {
                app.limits.guess(caller.address)?;
                let account = identified(app, &token, &nonce).await?;
                let whose = customers::customer_by_identity(&app.store, &account.identity).await?;
                if whose == Some(customer.id) {
                    Ok(())
                } else {
                    Err(wrong_token())
                }
            }
            Self {
                password: None,
                id_token: Some(_),
                nonce: None,
            } => refuse(vec![Fault::at("/nonce", "is missing; it goes with id_token")]),
            Self {
                password: None,
                id_token: None,
                nonce: _,
            } => refuse(vec![Fault::at(
                field,
                "is missing; without a password send id_token and nonce",
            )]),
        }
    }
}

/// Refuses unless this is the customer's password.
pub(super) async fn proved_by_password(
    app: &App,
    caller: &Caller,
    customer: &Customer,
    typed: &Typed,
) -> Result<(), Problem> {
    let principal = &customer.session.principal;
    CUSTOMERS.limit(app, caller, principal).await?;
    if app.credentials.check(Some(principal), typed).await? {
        Ok(())
    } else {
        let detail = "the password is wrong";
        Err(Problem::new(&problems::WRONG_CREDENTIALS, detail))
    }
}

/// The account a token speaks of; its nonce is spent by that. Why a token is not believed, only the operator reads.
pub(super) async fn identified(app: &App, token: &IdToken, nonce: &str) -> Result<Account, Problem> {
    let provider = app.provider.as_ref().ok_or_else(not_offered)?;
    let account = match provider.identify(token, nonce, Timestamp::now()).await {
        Ok(account) if app.nonces.take(nonce).await? => Ok(account),
        Ok(_) => Err(NotIdentified::Wrong(Wrong::NonceSpent)),
        Err(error) => Err(error),
    };
    account.map_err(|not_identified| match not_identified {
        NotIdentified::Wrong(why) => {
            tracing::info!(%why, "an id_token was refused");
            wrong_token()
        }
        NotIdentified::Unreachable(why) => {
            tracing::warn!(%why, "the provider's keys cannot be had");
            let detail = "the provider cannot be asked for its keys just now";
            Problem::new(&problems::PROVIDER_AWAY, detail).retry_after(AWAY_SECONDS)
        }
    })
}

fn wrong_token() -> Problem {
    let detail = "the token is not to be believed, or it is not for this sign-in";
    Problem::new(&problems::WRONG_TOKEN, detail)
}
