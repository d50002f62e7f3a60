//! Signing in with an account at an `OpenID` provider: whose account an `id_token` speaks of; never who that is here.
//!
//! The token is believed only if the provider's own key has signed it, for us, lately, and for the nonce we gave out for this
//! one sign-in (`OpenID` Connect Core 1.0, section 3.1.3.7). What a token says about keys is never looked at.

mod fetch;
mod keys;
mod token;

use std::fmt;

use aggregates::{
    identity::Identity,
    values::{Email, GivenEmail},
};
use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use self::{
    fetch::{GOOGLE_KEYS, Unreachable},
    keys::Keys,
    token::{Claims, Expected},
};
pub use self::{
    fetch::{KeysUrl, NotAKeysUrl},
    token::Wrong,
};

/// Google's name for itself.
const GOOGLE: &str = "https://accounts.google.com";
/// The other way in which Google writes it.
const GOOGLE_BARE: &str = "accounts.google.com";

/// The provider whose accounts may sign in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sign-in with Google")]
pub struct OidcArgs {
    /// The id of this service at the provider; without it nobody signs in with an account there
    #[arg(long, env = "JARI_GOOGLE_CLIENT_ID", value_name = "ID")]
    pub google_client_id: Option<String>,
    /// How the provider names itself in its tokens
    #[arg(long, env = "JARI_OIDC_ISSUER", default_value = GOOGLE, value_name = "URL")]
    pub oidc_issuer: String,
    /// Where the provider publishes its keys
    #[arg(
        long,
        env = "JARI_OIDC_JWKS_URL",
        default_value = GOOGLE_KEYS,
        value_name = "URL"
    )]
    pub oidc_jwks_url: KeysUrl,
}

impl Default for OidcArgs {
    fn default() -> Self {
        Self {
            google_client_id: None,
            oidc_issuer: GOOGLE.to_owned(),
            oidc_jwks_url: KeysUrl::google(),
        }
    }
}

/// A token as it is sent: good for one sign-in, so it is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct IdToken(String);

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(…)")
    }
}

/// What a sound token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account at the provider.
    pub identity: Identity,
    /// Its e-mail address, if the provider has verified that it is theirs.
    pub email: Option<Email>,
}

/// Why nobody is signed in by a token.
#[derive(Debug, thiserror::Error)]
pub enum NotIdentified {
    /// It is not to be believed; why, is for the operator only.
    #[error("the token is not to be believed: {0}")]
    Wrong(#[from] Wrong),
    /// The provider's keys cannot be had.
    #[error("the keys of the provider cannot be had: {0}")]
    Unreachable(#[from] Unreachable),
}

/// A provider.
#[derive(Debug)]
pub struct Provider {
    client_id: String,
    issuer: String,
    keys: Keys,
}

impl Provider {
    /// The configured provider; none if there is none.
    #[must_use]
    pub fn of(settings: &OidcArgs) -> Option<Self> {
        let client_id = settings.google_client_id.clone().filter(|id| !id.is_empty())?;
        Some(Self {
            client_id,
            issuer: settings.oidc_issuer.clone(),
            keys: Keys::at(settings.oidc_jwks_url.clone()),
        })
    }

    /// The account that a token speaks of, if it is to be believed at `now` for this nonce.
    pub async fn identify(
        &self,
        IdToken(token): &IdToken,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Account, NotIdentified> {
        let token = token::Token::parse(token)?;
        let key = self.keys.find(token.kid(), token.algorithm()).await?;
        let Some(key) = key else {
            return Err(Wrong::UnknownKey.into());
        };
        let claims = token.signed_by(&key)?;
        let expected = Expected {
            issuers: self.issuers(),
            client_id: &self.client_id,
            nonce,
            now,
        };
        claims.check(&expected)?;
        self.account(claims).map_err(NotIdentified::from)
    }

    fn issuers(&self) -> [&str; 2] {
        let other = if self.issuer == GOOGLE {
            GOOGLE_BARE
        } else {
            &self.issuer
        };
        [&self.issuer, other]
    }

    fn account(&self, claims: Claims) -> Result<Account, Wrong> {
        // Under one name, however the token spells the issuer.
        let identity = Identity::new(&self.issuer, &claims.sub).map_err(|_| Wrong::Subject)?;
        let email = claims
            .email
            .filter(|_| claims.email_verified == Some(true))
            .and_then(|email| email.parse::<GivenEmail>().ok())
            .map(Email::from);
        Ok(Account { identity, email })
    }
}
