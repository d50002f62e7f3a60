//! Messages to customers that are due, under way or done; never their words, and never whom they are for.
//!
//! A row names an event, a notice, a way and a reservation. Who that is, is asked for when the message is sent. Any
//! number of processes may work on the rows: each is claimed by one at a time, and only the last who claimed it says how
//! it went.

use std::time::Duration;

use aggregates::ids::ReservationId;
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sqlx::PgPool;
use uuid::Uuid;

/// How often a message is tried before it counts as failed, and again after somebody asked for it.
pub const ATTEMPTS_MAX: i32 = 8;
/// How long whoever claimed a message may take to send it and say how it went.
const LEASE: Duration = Duration::from_secs(60);
/// The row of [`Deliveries::position`].
const POLICY: &str = "notifications";

/// A message to be sent one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The event that is told.
    pub position: i64,
    /// Which notice.
    pub notice: &'static str,
    /// By which way.
    pub channel: &'static str,
    /// About which reservation.
    pub reservation: ReservationId,
    /// When it is to be sent.
    pub due_at: Timestamp,
}

/// A message that this process is to send now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which one; the same with every attempt.
    pub id: Uuid,
    /// The event that is told.
    pub position: i64,
    /// Which notice.
    pub notice: String,
    /// By which way.
    pub channel: String,
    /// About which reservation.
    pub reservation: ReservationId,
    /// When it was to be sent.
    pub due_at: Timestamp,
    /// Which attempt this is, over all.
    pub attempt: i32,
    /// After which attempt it has failed.
    pub attempts_max: i32,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Whoever carries it has it.
    Sent {
        /// What they call it.
        provider_id: Option<String>,
        /// Whether the reservation is to know.
        to_be_noted: bool,
    },
    /// To be tried again after this time.
    Again(Duration, &'static str),
    /// Not to be tried again.
    Failed(&'static str),
    /// Nobody knows whether it was sent, and trying again could send it twice.
    Unknown(&'static str),
    /// There is nothing to be told any more.
    Dropped(&'static str),
}

impl Ended {
    const fn state(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Again(..) => "due",
            Self::Failed(_) => "failed",
            Self::Unknown(_) => "unknown",
            Self::Dropped(_) => "dropped",
        }
    }

    const fn after(&self) -> Duration {
        match self {
            Self::Again(after, _) => *after,
            Self::Sent { .. } | Self::Failed(_) | Self::Unknown(_) | Self::Dropped(_) => Duration::ZERO,
        }
    }

    fn provider_id(&self) -> Option<&str> {
        match self {
            Self::Sent { provider_id, .. } => provider_id.as_deref(),
            Self::Again(..) | Self::Failed(_) | Self::Unknown(_) | Self::Dropped(_) => None,
        }
    }

    const fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Sent { .. } => None,
            Self::Again(_, why) | Self::Failed(why) | Self::Unknown(why) | Self::Dropped(why) => Some(why),
        }
    }

    const fn is_to_be_noted(&self) -> bool {
        matches!(
            self,
            Self::Sent {
                to_be_noted: true,
                ..
            }
        )
    }
}

/// A message as admins see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which one.
    pub id: Uuid,
    /// The event that is told.
    pub position: i64,
    /// Which notice.
    pub notice: String,
    /// By which way.
    pub channel: String,
    /// About which reservation.
    pub reservation: ReservationId,
    /// How far it is.
    pub state: String,
    /// When it was to be sent.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// What the carrier calls it.
    pub provider_id: Option<String>,
    /// What went wrong the last time.
    pub problem: Option<String>,
    /// When any of this changed last.
    pub changed_at: Timestamp,
}

/// What became of the wish to send a message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resent {
    /// It is sent again.
    Due,
    /// It has not failed.
    NotFailed,
    /// There is no such message.
    Unknown,
}

/// All messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deliveries(PgPool);

/// One column of a statement that writes many rows.
fn column<'a, T, C>(rows: &'a [T], value: impl FnMut(&'a T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}

struct Row {
    id: Uuid,
    position: i64,
    notice: String,
    channel: String,
    reservation: i64,
    due_at: SqlxTimestamp,
    attempts: i32,
    attempts_max: i32,
}

struct Shown {
    id: Uuid,
    position: i64,
    notice: String,
    channel: String,
    reservation: i64,
    state: String,
    due_at: SqlxTimestamp,
    attempts: i32,
    provider_id: Option<String>,
    problem: Option<String>,
    changed_at: SqlxTimestamp,
}

impl Deliveries {
    /// The messages in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Up to where the log has been looked at.
    pub async fn position(&self) -> sqlx::Result<i64> {
        sqlx::query_scalar!("select position from vault.outbox where policy = $1", POLICY)
            .fetch_one(&self.0)
            .await
    }

    /// Adds the messages about all events after `from` up to `to`, and remembers that. False: somebody else has looked at
    /// them already; nothing was added.
    pub async fn plan(&self, from: i64, to: i64, planned: &[Planned]) -> sqlx::Result<bool> {
        let mut transaction = self.0.begin().await?;
        let moved = sqlx::query!(
            "update vault.outbox set position = $3 where policy = $1 and position = $2",
            POLICY,
            from,
            to
        )
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        if !planned.is_empty() {
            sqlx::query!(
                "insert into vault.deliveries
                   (id, position, notice, channel, reservation, state, due_at, next_at, attempts_max)
                 select id, position, notice, channel, reservation, 'due', due_at, due_at, $7
                   from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
                     p(id, position, notice, channel, reservation, due_at)
                     on conflict (position, notice, channel) do nothing",
                &column(planned, |_| Uuid::now_v7()),
                &column(planned, |message| message.position),
                column(planned, |message| message.notice) as _,
                column(planned, |message| message.channel) as _,
                &column(planned, |message| message.reservation.number()),
                column(planned, |message| SqlxTimestamp::from(message.due_at)) as _,
                ATTEMPTS_MAX,
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// At most `max` messages whose time has come, for this process alone to send.
    pub async fn claim(&self, max: i64) -> sqlx::Result<Vec<Claimed>> {
        let rows = sqlx::query_as!(
            Row,
            r#"update vault.deliveries
                  set state = 'sending', attempts = attempts + 1, changed_at = clock_timestamp(),
                      leased_until = clock_timestamp() + make_interval(secs => $2)
                where id in (select id from vault.deliveries
                              where state = 'due' and next_at <= clock_timestamp()
                              order by next_at, id limit $1 for update skip locked)
            returning id, position, notice, channel, reservation, due_at as "due_at: _", attempts, attempts_max"#,
            max,
            LEASE.as_secs_f64(),
        )
        .fetch_all(&self.0)
        .await?;
        let claimed = rows.into_iter().map(|row| Claimed {
            id: row.id,
            position: row.position,
            notice: row.notice,
            channel: row.channel,
            reservation: ReservationId::new(row.reservation),
            due_at: row.due_at.to_jiff(),
            attempt: row.attempts,
            attempts_max: row.attempts_max,
        });
        Ok(claimed.collect())
    }

    /// Says how attempts ended, all in one go; answers how many. What is not this process's any more stays as it is.
    pub async fn end(&self, attempts: &[(Claimed, Ended)]) -> sqlx::Result<u64> {
        let changed = sqlx::query!(
            "update vault.deliveries d
                set state = e.state, next_at = clock_timestamp() + make_interval(secs => e.after),
                    provider_id = e.provider_id, problem = e.problem, noted = e.noted, leased_until = null,
                    changed_at = clock_timestamp()
               from unnest($1::uuid[], $2::int[], $3::text[], $4::float8[], $5::text[], $6::text[], $7::boolean[])
                 e(id, attempts, state, after, provider_id, problem, noted)
              where d.id = e.id and d.attempts = e.attempts and d.state = 'sending'",
            &column(attempts, |(claimed, _)| claimed.id),
            &column(attempts, |(claimed, _)| claimed.attempt),
            column(attempts, |(_, ended)| ended.state()) as _,
            &column(attempts, |(_, ended)| ended.after().as_secs_f64()),
            column(attempts, |(_, ended)| ended.provider_id()) as _,
            column(attempts, |(_, ended)| ended.problem()) as _,
            &column(attempts, |(_, ended)| !ended.is_to_be_noted()),
        )
        .execute(&self.0)
        .await?;
        Ok(changed.rows_affected())
    }

    /// Takes up what a process left behind while it was sending. Where sending twice does no harm it is due again;
    /// elsewhere nobody knows, and nobody tries again by itself.
    pub async fn take_up(&self, repeatable: &[String]) -> sqlx::Result<u64> {
        let left = sqlx::query!(
            "update vault.deliveries
                set state = case when channel = any($1) and attempts < attempts_max then 'due' else 'unknown' end,
                    problem = 'the server stopped while it was sending', leased_until = null,
                    next_at = clock_timestamp(), changed_at = clock_timestamp()
              where state = 'sending' and leased_until < clock_timestamp()",
            repeatable,
        )
        .execute(&self.0)
        .await?;
        Ok(left.rows_affected())
    }

    /// At most `max` messages that were sent and that their reservations do not know of: id, event, reservation.
    pub async fn unnoted(&self, max: i64) -> sqlx::Result<Vec<(Uuid, i64, ReservationId)>> {
        let rows = sqlx::query!(
            "select id, position, reservation from vault.deliveries where state = 'sent' and not noted
              order by id limit $1",
            max
        )
        .fetch_all(&self.0)
        .await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| (row.id, row.position, ReservationId::new(row.reservation)))
            .collect())
    }

    /// Remembers that the reservation knows.
    pub async fn noted(&self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query!("update vault.deliveries set noted = true where id = $1", id)
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Messages in this state, or all, newest first, before the one with this id.
    pub async fn list(
        &self,
        state: Option<&str>,
        before: Option<Uuid>,
        max: i64,
    ) -> sqlx::Result<Vec<Delivery>> {
        let rows = sqlx::query_as!(
            Shown,
            r#"select id, position, notice, channel, reservation, state, due_at as "due_at: _", attempts, provider_id,
                      problem, changed_at as "changed_at: _"
                 from vault.deliveries
                where ($1::text is null or state = $1) and ($2::uuid is null or id < $2)
                order by id desc limit $3"#,
            state,
            before,
            max,
        )
        .fetch_all(&self.0)
        .await?;
        let deliveries = rows.into_iter().map(|row| Delivery {
            id: row.id,
            position: row.position,
            notice: row.notice,
            channel: row.channel,
            reservation: ReservationId::new(row.reservation),
            state: row.state,
            due_at: row.due_at.to_jiff(),
            attempts: row.attempts,
            provider_id: row.provider_id,
            problem: row.problem,
            changed_at: row.changed_at.to_jiff(),
        });
        Ok(deliveries.collect())
    }

    /// Sends a message again that failed, or of which nobody knows whether it was sent. One that is due stays so.
    pub async fn resend(&self, id: Uuid) -> sqlx::Result<Resent> {
        let changed = sqlx::query!(
            "update vault.deliveries
                set state = 'due', due_at = clock_timestamp(), next_at = clock_timestamp(),
                    attempts_max = attempts + $2, changed_at = clock_timestamp()
              where id = $1 and state in ('failed', 'unknown')",
            id,
            ATTEMPTS_MAX,
        )
        .execute(&self.0)
        .await?;
        if changed.rows_affected() == 1 {
            return Ok(Resent::Due);
        }
        let state = sqlx::query_scalar!("select state from vault.deliveries where id = $1", id)
            .fetch_optional(&self.0)
            .await?;
        Ok(match state.as_deref() {
            Some("due") => Resent::Due,
            Some(_) => Resent::NotFailed,
            None => Resent::Unknown,
        })
    }
}
