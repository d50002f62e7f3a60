//! Keeps the feed up to date with what other processes append: woken by notifications, with polling as a safety net.
//! Never reads what this process appended itself, unless it went missing.

use std::{sync::Arc, time::Duration};

use futures_util::future::poll_fn;
use tokio::{sync::mpsc, time::Instant};
use tokio_postgres::{AsyncMessage, Config, NoTls};
use uuid::Uuid;

use super::Feed;
use crate::store::{clock::Clock, reading::Reading, session::configured, unit::Desk};

const CHANNEL: &str = "jari_log";
/// Events read at once.
const READ_MAX: usize = 2_000;
/// How often the end of the log is looked up although nobody said anything.
const POLL: Duration = Duration::from_secs(1);
/// How long a gap may stay before it is read: usually the missing commit is about to be told.
const GAP_MAX: Duration = Duration::from_millis(10);
/// Notifications are sent at most this often: each is a transaction of its own.
const NOTIFY_EVERY: Duration = Duration::from_millis(20);
const RECONNECT: Duration = Duration::from_millis(500);
/// Notifications not looked at yet; beyond that the conversation begins anew, as after a lost connection.
const UNHEARD_MAX: usize = 4_096;

/// Follows the log until dropped.
pub(crate) async fn follow(feed: Feed, reading: Arc<Reading>, clock: Arc<Clock>) {
    let mut heard = feed.shared.heard.subscribe();
    let mut polled = Instant::now();
    loop {
        let behind = *heard.borrow_and_update() > feed.position();
        if behind {
            let mut reached = feed.shared.head.subscribe();
            let wanted = *feed.shared.heard.borrow();
            let filled = reached.wait_for(|head| *head >= wanted);
            if tokio::time::timeout(GAP_MAX, filled).await.is_ok() {
                continue;
            }
        } else {
            let changed = tokio::time::timeout_at(polled + POLL, heard.changed()).await;
            if matches!(changed, Ok(Ok(()))) {
                continue;
            }
        }
        heard.mark_unchanged();
        if catch_up(&feed, &reading).await {
            polled = Instant::now();
            if matches!(heard.has_changed(), Ok(false)) {
                feed.lower();
            }
        } else {
            tokio::time::sleep(RECONNECT).await;
        }
        if clock.is_stale()
            && let Ok(at) = reading.log().clock().await
        {
            clock.learn(at);
        }
    }
}

/// Reads all that is missing; false if the log was not reached.
async fn catch_up(feed: &Feed, reading: &Reading) -> bool {
    loop {
        let from = feed.position();
        match reading.after(from, READ_MAX).await {
            Ok(events) => {
                let read = events.len();
                feed.take(from + 1, events);
                if read < READ_MAX {
                    return true;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the feed cannot read the log");
                return false;
            }
        }
    }
}

/// Listens for what others append and tells others what this process appends, until dropped.
pub(crate) async fn exchange(config: Config, feed: Feed, desk: Arc<Desk>) {
    let me = Uuid::now_v7().to_string();
    let config = configured(&config, "jari feed");
    loop {
        if let Err(error) = converse(&config, &feed, &desk, &me).await {
            tracing::debug!(%error, "notifications are interrupted");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn converse(config: &Config, feed: &Feed, desk: &Desk, me: &str) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let (heard, mut hearing) = mpsc::channel(UNHEARD_MAX);
    let receiving = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message
                && heard.try_send(notification.payload().to_owned()).is_err()
            {
                break;
            }
        }
    });
    let listening = async {
        client.batch_execute(&format!("listen {CHANNEL}")).await?;
        // Who was erased while nobody listened is never told again.
        desk.forget_all();
        feed.forget();
        let notify = client.prepare("select pg_notify($1, $2)").await?;
        let mut own = feed.shared.own.subscribe();
        let mut next = Instant::now();
        loop {
            tokio::select! {
                told = hearing.recv() => match told {
                    Some(told) => hear(feed, desk, me, &told),
                    None => return Ok(()),
                },
                changed = own.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    tokio::time::sleep_until(next).await;
                    let text = format!("{me} {}", *own.borrow_and_update());
                    client.execute(&notify, &[&CHANNEL, &text]).await?;
                    next = Instant::now() + NOTIFY_EVERY;
                }
            }
        }
    };
    let ended = listening.await;
    receiving.abort();
    ended
}

fn hear(feed: &Feed, desk: &Desk, me: &str, told: &str) {
    if let Some(subject) = told.strip_prefix("erased ") {
        desk.forget(subject);
        feed.forget();
    } else if let Some((who, position)) = told.split_once(' ')
        && who != me
        && let Ok(position) = position.parse()
    {
        feed.expect(position);
    }
}
