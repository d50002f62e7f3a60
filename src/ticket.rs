//! Tickets as a door scanner reads them: what they say, signed, as a short text for a QR code. Pure: no clock, no
//! network, no secret but the key that is handed in; whether a reservation still stands is the log's to say. Never asks
//! anybody.
//!
//! ```text
//!   code      = base64url without padding (RFC 4648 §5) of: payload, signature
//!   payload   = version (1 byte: 1), key id (4), reservation (8), number (2), time slot (16: UUID),
//!               start in seconds since 1970 UTC (8), people (1), length of the seats (2), seats (UTF-8, comma between)
//!   signature = Ed25519 (RFC 8032, 64 bytes) over "jari ticket" and the payload; integers are big-endian
//! ```

use std::fmt;

use aggregates::{
    fault::Fault,
    ids::{ReservationId, TimeSlotId},
    refusal::{Kind, Refusal},
    values::SeatLabel,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The form of tickets, so that another one can come later.
const VERSION: u8 = 1;
/// What is signed before the payload: a signature of ours about anything else is none of a ticket.
const CONTEXT: &[u8] = b"jari ticket";
/// Bytes of a signature.
const SIGNATURE: usize = 64;
/// Characters of a code at most.
pub const CODE_LENGTH_MAX: usize = 1_024;

/// Which key signed a ticket: written with 8 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A public key by which tickets are checked, as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PublicKey {
    /// Its id, which stands in each ticket it signed: 8 hexadecimal digits.
    #[schema(example = "9f3a01bc", pattern = "^[0-9a-f]{8}$")]
    pub key_id: String,
    /// The key itself: 32 bytes of Ed25519 as base64url without padding.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub public_key: String,
}

impl PublicKey {
    /// A key as it is published.
    #[must_use]
    pub fn of(id: KeyId, key: &VerifyingKey) -> Self {
        Self {
            key_id: id.to_string(),
            public_key: URL_SAFE_NO_PAD.encode(key.as_bytes()),
        }
    }

    fn key(&self) -> Option<VerifyingKey> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.public_key).ok()?;
        VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
    }
}

/// What a ticket says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Ticket {
    /// The reservation.
    pub reservation: ReservationId,
    /// How often the reservation had been rescheduled: older tickets than the newest are of no use.
    pub number: u16,
    /// The time slot.
    pub time_slot: TimeSlotId,
    /// When the slot begins, to the second.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// How many people come.
    pub people: u8,
    /// Their seats; `room` for an escape-room slot.
    pub seats: Vec<SeatLabel>,
}

/// Why a code is no ticket of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// It is no ticket, or damaged.
    #[error("the code is no ticket that can be read")]
    Unreadable,
    /// It was signed with a key nobody knows.
    #[error("the ticket was signed with an unknown key")]
    UnknownKey,
    /// It was altered, or made by somebody else.
    #[error("the ticket's signature is wrong: it was altered or is not ours")]
    WrongSignature,
}

impl TicketError {
    /// One of each, for the documentation.
    pub const EACH: &'static [Self] = &[Self::Unreadable, Self::UnknownKey, Self::WrongSignature];
}

impl Refusal for TicketError {
    fn slug(&self) -> &'static str {
        match self {
            Self::Unreadable => "ticket/unreadable",
            Self::UnknownKey => "ticket/unknown-key",
            Self::WrongSignature => "ticket/wrong-signature",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Unreadable => "Scan it again, or ask for the reservation's number.",
            Self::UnknownKey => "Fetch the keys again: GET /v1/ticket-keys.",
            Self::WrongSignature => "Let nobody in with it; ask for the reservation's number.",
        }
    }

    fn faults(&self) -> Vec<Fault> {
        vec![Fault::at("/code", self.to_string())]
    }
}

impl Ticket {
    /// The code of this ticket, signed with this key.
    #[must_use]
    pub fn signed(&self, id: KeyId, key: &SigningKey) -> String {
        let mut bytes = self.payload(id);
        let signature = key.sign(&message(&bytes));
        bytes.extend(signature.to_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn payload(&self, id: KeyId) -> Vec<u8> {
        let labels: Vec<&str> = self.seats.iter().map(SeatLabel::as_str).collect();
        let mut seats = labels.join(",").into_bytes();
        seats.truncate(usize::from(u16::MAX));
        let length = u16::try_from(seats.len()).unwrap_or(u16::MAX);
        let mut bytes = vec![VERSION];
        bytes.extend(id.0.to_be_bytes());
        bytes.extend(self.reservation.number().to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.time_slot.uuid().into_bytes());
        bytes.extend(self.starts_at.as_second().to_be_bytes());
        bytes.push(self.people);
        bytes.extend(length.to_be_bytes());
        bytes.extend(seats);
        bytes
    }
}

fn message(payload: &[u8]) -> Vec<u8> {
    [CONTEXT, payload].concat()
}

/// What a code says, if one of these keys signed it. Whether its reservation still stands is not known here.
pub fn verify(code: &str, keys: &[PublicKey]) -> Result<Ticket, TicketError> {
    if code.len() > CODE_LENGTH_MAX {
        return Err(TicketError::Unreadable);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(code)
        .map_err(|_| TicketError::Unreadable)?;
    let (payload, signature) = bytes
        .split_last_chunk::<SIGNATURE>()
        .ok_or(TicketError::Unreadable)?;
    let (id, ticket) = read(payload).ok_or(TicketError::Unreadable)?;
    let id = id.to_string();
    let known = keys.iter().find(|key| key.key_id == id);
    let key = known.and_then(PublicKey::key).ok_or(TicketError::UnknownKey)?;
    key.verify_strict(&message(payload), &Signature::from_bytes(signature))
        .map_err(|_| TicketError::WrongSignature)?;
    Ok(ticket)
}

/// A payload taken apart, to the last byte; none if it is not of our form.
fn read(payload: &[u8]) -> Option<(KeyId, Ticket)> {
    let mut rest = payload;
    let [version] = *taken(&mut rest)?;
    if version != VERSION {
        return None;
    }
    let id = KeyId(u32::from_be_bytes(*taken(&mut rest)?));
    let reservation = i64::from_be_bytes(*taken(&mut rest)?);
    let number = u16::from_be_bytes(*taken(&mut rest)?);
    let time_slot = TimeSlotId::new(Uuid::from_bytes(*taken(&mut rest)?));
    let starts_at = Timestamp::from_second(i64::from_be_bytes(*taken(&mut rest)?)).ok()?;
    let [people] = *taken(&mut rest)?;
    let length = u16::from_be_bytes(*taken(&mut rest)?);
    if rest.len() != usize::from(length) {
        return None;
    }
    let seats = std::str::from_utf8(rest).ok()?;
    let seats = seats.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    let ticket = Ticket {
        reservation: ReservationId::new(reservation),
        number,
        time_slot,
        starts_at,
        people,
        seats,
    };
    Some((id, ticket))
}

/// The next so many bytes.
fn taken<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: KeyId = KeyId(0x9f3a_01bc);

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_bytes(&[byte; 32])
    }

    fn published(byte: u8) -> PublicKey {
        PublicKey::of(ID, &key(byte).verifying_key())
    }

    fn ticket() -> Ticket {
        Ticket {
            reservation: ReservationId::new(301_422_961_418_752_000),
            number: 1,
            time_slot: TimeSlotId::new(Uuid::from_u128(7)),
            starts_at: Timestamp::constant(1_800_014_400, 0),
            people: 2,
            seats: vec!["C7".parse().expect("a label"), "C8".parse().expect("a label")],
        }
    }

    #[test]
    fn what_was_signed_is_read_as_it_was() {
        let code = ticket().signed(ID, &key(1));
        assert_eq!(verify(&code, &[published(1)]), Ok(ticket()));
        assert!(code.len() < 160, "a small QR code holds it: {}", code.len());
    }

    #[test]
    fn the_form_of_a_ticket_never_changes() {
        // Scanners that were built long ago read it; the signature was made by another implementation of RFC 8032.
        let code = [
            "AZ86AbwELt6WHoLQAAABAAAAAAAAAAAAAAAAAAAABwAAAABrSgpAAgAFQzcsQzjKaz6hGsA7Hh",
            "eRV2XPzefhSyS_0DTtQMgROCwyc5dt-B9B7PxtpbdQQKEnYRt6xMmTndiRgvO0bRCJn05Z7FoN",
        ];
        assert_eq!(ticket().signed(ID, &key(1)), code.concat());
    }

    #[test]
    fn no_altered_code_is_a_ticket() {
        let code = ticket().signed(ID, &key(1));
        let bytes = URL_SAFE_NO_PAD.decode(&code).expect("base64url");
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[place] ^= 1 << bit;
                let code = URL_SAFE_NO_PAD.encode(&altered);
                assert!(
                    verify(&code, &[published(1)]).is_err(),
                    "bit {bit} of byte {place}"
                );
            }
        }
        for end in 0..bytes.len() {
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..end]);
            assert!(verify(&cut, &[published(1)]).is_err(), "{end}");
        }
        let longer = URL_SAFE_NO_PAD.encode([&*bytes, b"A"].concat());
        assert!(verify(&longer, &[published(1)]).is_err());
    }

    #[test]
    fn a_ticket_of_somebody_else_is_none_of_ours() {
        let code = ticket().signed(ID, &key(2));
        assert_eq!(verify(&code, &[published(1)]), Err(TicketError::WrongSignature));
        let other = ticket().signed(KeyId(1), &key(1));
        assert_eq!(verify(&other, &[published(1)]), Err(TicketError::UnknownKey));
        assert_eq!(verify(&code, &[]), Err(TicketError::UnknownKey));
    }

    #[test]
    fn an_old_key_stays_good_beside_a_new_one() {
        let new = PublicKey::of(KeyId(1), &key(2).verifying_key());
        let code = ticket().signed(ID, &key(1));
        assert_eq!(verify(&code, &[new, published(1)]), Ok(ticket()));
    }

    #[test]
    fn a_signature_about_something_else_is_none_of_a_ticket() {
        let mut bytes = ticket().payload(ID);
        let signature = key(1).sign(&bytes);
        bytes.extend(signature.to_bytes());
        let code = URL_SAFE_NO_PAD.encode(bytes);
        assert_eq!(verify(&code, &[published(1)]), Err(TicketError::WrongSignature));
    }

    #[test]
    fn nonsense_is_unreadable_and_a_broken_key_unknown() {
        for code in ["", "*", "AA", "안녕", &"A".repeat(CODE_LENGTH_MAX + 1)] {
            assert_eq!(
                verify(code, &[published(1)]),
                Err(TicketError::Unreadable),
                "{code}"
            );
        }
        let broken = PublicKey {
            public_key: "short".to_owned(),
            ..published(1)
        };
        let code = ticket().signed(ID, &key(1));
        assert_eq!(verify(&code, &[broken]), Err(TicketError::UnknownKey));
    }

    #[test]
    fn every_refusal_names_the_code() {
        for error in TicketError::EACH {
            assert_eq!(error.faults()[0].pointer, "/code", "{error}");
        }
    }
}
