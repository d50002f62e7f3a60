//! A thousand clients want the same fifty seats: how fast everyone has an answer; never sells one twice, or says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aggregates::ids::SeatId;

use crate::{house::House, ours::Ours, report, stock::Stock};

const CLIENTS: usize = 1_000;
/// Seats each client tries.
const TRIES: usize = 10;

/// Runs the contest on both and says what came of it.
pub async fn run(stock: &Stock, ours: &Ours, house: &Arc<House>) -> String {
    let (time_slot, labels) = house.contested();
    let seats: Arc<[SeatId]> = labels
        .iter()
        .map(|label| SeatId {
            time_slot,
            label: label.clone(),
        })
        .collect();
    let own = ours.clone();
    let (our_time, our_sold) = everyone(&seats, move |seat| {
        let own = own.clone();
        async move { own.grab(&seat).await }
    })
    .await;
    let (own, numbers) = (stock.clone(), ours.bookings.clone());
    let (stock_time, stock_sold) = everyone(&seats, move |seat| {
        let (own, id) = (own.clone(), numbers.next_number());
        async move { own.grab(id, &seat).await }
    })
    .await;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let rate = |time: Duration| (CLIENTS * TRIES) as f64 / time.as_secs_f64();
    format!(
        "### Contended: {CLIENTS} clients, {} seats, {TRIES} tries each\n\n| | answers/s | seats sold |\n|---|---:|---:|\n\
         | stock | {} | {stock_sold} |\n| Jari | {} | {our_sold} |\n",
        seats.len(),
        report::thousands(rate(stock_time)),
        report::thousands(rate(our_time)),
    )
}

async fn everyone<F, Fut>(seats: &Arc<[SeatId]>, grab: F) -> (Duration, usize)
where
    F: Fn(SeatId) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<bool, String>> + Send,
{
    let sold = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (seats, sold, grab) = (seats.clone(), sold.clone(), grab.clone());
            tokio::spawn(async move {
                for attempt in 0..TRIES {
                    let seat = seats[(client * 7 + attempt * 13) % seats.len()].clone();
                    match grab(seat).await {
                        Ok(true) => {
                            sold.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(false) => {}
                        Err(reason) => eprintln!("  {reason}"),
                    }
                }
            })
        })
        .collect();
    for client in clients {
        if let Err(error) = client.await {
            eprintln!("  a client failed: {error}");
        }
    }
    (begun.elapsed(), sold.load(Ordering::Relaxed))
}
