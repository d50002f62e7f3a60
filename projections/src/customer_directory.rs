//! Who has signed up, for staff to find (DOMAIN P1): e-mail address, nickname and phone while they may be known; never a
//! password, nor whether there is one.

mod queries;

use std::sync::Arc;

use aggregates::{
    Event, Recorded,
    customer::{Customer, CustomerEvent},
    ids::CustomerId,
    personal::Personal,
    values::{Email, Nickname, PhoneNumber},
};
use sqlx::PgConnection;

pub use self::queries::{Entry, Filter, customers};
use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::column,
    reservation_list::{comma_separated, parts},
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// Whether a customer is among us.
    Standing {
        /// They are.
        SignedUp = "signed_up",
        /// They have left.
        Left = "left",
    }
}

/// The read model.
pub struct CustomerDirectory;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whether they are among us.
    pub standing: Standing,
    /// The position of their sign-up.
    pub signed_up_position: i64,
    /// What is known of them.
    pub known: Arc<Known>,
}

/// What is known of a customer; none of it once it was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What they sign in with.
    pub email: Option<String>,
    /// What they are called.
    pub nickname: Option<String>,
    /// The number to call.
    pub phone: Option<String>,
}

impl Known {
    fn described(
        email: Option<String>,
        nickname: &Personal<Nickname>,
        phone: Option<&Personal<PhoneNumber>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            email,
            nickname: nickname.plain().map(Nickname::to_string),
            phone: phone.and_then(Personal::plain).map(PhoneNumber::to_string),
        })
    }
}

impl ReadModel for CustomerDirectory {
    const NAME: &'static str = "customer_directory";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str =
        "customer, state, signed_up_position, email, nickname, phone, phone_parts, from_position";
    const HISTORY: Option<&'static str> =
        Some("customer, state, signed_up_position, from_position, until_position");

    type Key = CustomerId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<CustomerId> {
        recorded.id_of::<Customer>()
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        let Event::Customer(event) = &recorded.event else {
            return row;
        };
        match event {
            CustomerEvent::SignedUp {
                email,
                nickname,
                phone,
                ..
            } => Some(Row {
                standing: Standing::SignedUp,
                signed_up_position: recorded.position,
                known: Known::described(email.plain().map(Email::to_string), nickname, phone.as_ref()),
            }),
            CustomerEvent::Described { nickname, phone, .. } => row.map(|row| Row {
                known: Known::described(row.known.email.clone(), nickname, phone.as_ref()),
                ..row
            }),
            CustomerEvent::EmailChanged { email } => row.map(|row| Row {
                known: Arc::new(Known {
                    email: email.plain().map(Email::to_string),
                    ..(*row.known).clone()
                }),
                ..row
            }),
            CustomerEvent::Completed { .. }
            | CustomerEvent::Linked { .. }
            | CustomerEvent::PasswordChanged => row,
            CustomerEvent::Left => row.map(|row| Row {
                standing: Standing::Left,
                known: Arc::default(),
                ..row
            }),
        }
    }

    async fn load(db: &mut PgConnection, keys: &[CustomerId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select customer, state, signed_up_position, email, nickname, phone, from_position
                 from customer_directory where customer = any ($1)"#,
            &column(keys, |key| key.uuid()),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let known = Known {
                    email: row.email,
                    nickname: row.nickname,
                    phone: row.phone,
                };
                let version = Version {
                    row: Row {
                        standing: stored(&row.state)?,
                        signed_up_position: row.signed_up_position,
                        known: Arc::new(known),
                    },
                    from: row.from_position,
                };
                Ok((CustomerId::new(row.customer), version))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        let of_phone = |put: &&Put<Self>| Some(comma_separated(parts(put.row.known.phone.as_deref()?)));
        sqlx::query!(
            r#"update customer_directory c
                  set state = u.state, email = u.email, nickname = u.nickname, phone = u.phone,
                      phone_parts = string_to_array(u.phone_parts, ',')::smallint[], from_position = u.from_position
                 from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
                   u(customer, state, email, nickname, phone, phone_parts, from_position)
                where c.customer = u.customer"#,
            &column(rows, |put| put.key.uuid()),
            column(rows, |put| put.row.standing.as_str()) as _,
            column(rows, |put| put.row.known.email.clone()) as _,
            column(rows, |put| put.row.known.nickname.clone()) as _,
            column(rows, |put| put.row.known.phone.clone()) as _,
            column(rows, of_phone) as _,
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        let Known {
            email,
            nickname,
            phone,
        } = &*row.known;
        let phone_parts: Option<Vec<i16>> = phone.as_deref().map(|phone| parts(phone).collect());
        out.row(&[
            &key.uuid(),
            &row.standing.as_str(),
            &row.signed_up_position,
            &email.as_deref(),
            &nickname.as_deref(),
            &phone.as_deref(),
            &phone_parts.as_deref(),
            from,
        ]);
    }

    fn former_tuple(
        out: &mut Tuples,
        Former {
            key,
            row,
            from,
            until,
        }: &Former<Self>,
    ) {
        out.row(&[
            &key.uuid(),
            &row.standing.as_str(),
            &row.signed_up_position,
            from,
            until,
        ]);
    }
}
