//! Who somebody is at an `OpenID` provider: the provider, and what it calls them for good; never their e-mail address, which
//! may become somebody else's.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::ids::ClaimId;

/// Characters of either part at most (`OpenID` Connect Core 1.0, section 2).
const LENGTH_MAX: usize = 255;

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    issuer: SmolStr,
    subject: SmolStr,
}

/// Why two texts are no account at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("issuer and subject must have 1 to 255 visible ASCII characters")]
pub struct NotAnIdentity;

impl Identity {
    /// The account that this issuer calls so; case counts.
    pub fn new(issuer: &str, subject: &str) -> Result<Self, NotAnIdentity> {
        let fine = |text: &str| {
            (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if fine(issuer) && fine(subject) {
            Ok(Self {
                issuer: SmolStr::new(issuer),
                subject: SmolStr::new(subject),
            })
        } else {
            Err(NotAnIdentity)
        }
    }

    /// The claim on it: one account at a provider is one customer. It is not folded: case counts.
    #[must_use]
    pub fn claim(&self) -> ClaimId {
        // Neither part has a space, so no two accounts share a name.
        ClaimId {
            scope: "customer_identity",
            name: format!("{} {}", self.issuer, self.subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://accounts.example.com";

    #[test]
    fn a_subject_is_what_the_provider_says_to_the_letter() {
        let claim = |subject: &str| Identity::new(ISSUER, subject).expect("an identity").claim();
        assert_eq!(claim("aB1"), claim("aB1"));
        assert_ne!(claim("aB1"), claim("ab1"));
        assert!(claim("aB1").is_personal());
    }

    #[test]
    fn an_empty_long_or_unprintable_part_is_none() {
        for bad in ["", " ", "a b", "a\0", "가", &"a".repeat(256)] {
            assert_eq!(Identity::new(ISSUER, bad), Err(NotAnIdentity), "{bad}");
            assert_eq!(Identity::new(bad, "1"), Err(NotAnIdentity), "{bad}");
        }
        assert!(Identity::new(ISSUER, &"a".repeat(255)).is_ok());
    }
}
