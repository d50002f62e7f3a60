//! The server dies under load, again and again (I3, I7): what it acknowledged is there when it comes back.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};

use crate::support::{
    api::Call,
    database,
    house::{House, Sale},
    journal::Journal,
    load::{COLUMNS, Load, ROWS, settle},
    log::Log,
    process::{Server, verifies},
    waiting::eventually,
};

const ROUNDS: usize = 4;
const CUSTOMERS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_nothing_it_acknowledged() {
    let (database, journal) = (database::fresh().await, Arc::new(Journal::default()));
    let mut server = Server::start(&database.url()).await;
    let api = server.api(&journal);
    let house = House::open(&api).await;
    let coupons = [house.coupon(&api).await, house.coupon(&api).await];
    let kept = house.screening(&api, 1, 2, Sale::Long).await;
    let kept = api.done(&Call::hold(kept, &["A1", "A2"])).await.hold();
    let mut unknown = 0;
    for round in 0..ROUNDS {
        let slot = house.screening(&api, ROWS, COLUMNS, Sale::Long).await;
        let load = Load::start(std::slice::from_ref(&api), slot, &coupons, CUSTOMERS);
        load.achieves(100 + 50 * round).await;
        server.kill();
        // What was not folded any more is not wrong.
        verifies(&database.url()).await;
        let client = database.client().await;
        let open = if round % 2 == 0 {
            let open = load.stop().await;
            // Also what nobody was told of is whole, or not there at all.
            journal.agrees_with(&Log::check(&client).await);
            server.restart().await;
            open
        } else {
            // Customers who try again meet a server that is just starting.
            server.restart().await;
            load.achieves(50).await;
            load.stop().await
        };
        unknown += open.len();
        settle(&api, open).await;
        journal.agrees_with(&Log::check(&client).await);
        verifies(&database.url()).await;
        let view = api.done(&Call::show(&kept)).await.json();
        assert_eq!(
            view["state"].as_str(),
            Some("held"),
            "a hold lapsed early: {view}"
        );
    }
    let acknowledged = journal.len();
    println!("{ROUNDS} kills: {acknowledged} acknowledged, {unknown} of unknown outcome, all settled");
    assert!(server.stop().success(), "a server that is asked to end ends well");
    verifies(&database.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_of_two_servers_dies_the_other_goes_on() {
    let (database, journal) = (database::fresh().await, Arc::new(Journal::default()));
    let mut first = Server::start(&database.url()).await;
    let second = Server::start(&database.url()).await;
    let apis = [first.api(&journal), second.api(&journal)];
    let house = House::open(&apis[0]).await;
    let coupons = [house.coupon(&apis[0]).await];
    let slot = house.screening(&apis[0], ROWS, COLUMNS, Sale::Long).await;
    let one = Load::start(&apis[..1], slot, &coupons, CUSTOMERS / 2);
    let two = Load::start(&apis[1..], slot, &coupons, CUSTOMERS / 2);
    one.achieves(150).await;
    first.kill();
    let mut open = one.stop().await;
    // Not held up by a dead neighbour.
    two.achieves(100).await;
    open.extend(two.stop().await);
    // What the dead one was asked, the living one answers: under the same keys, once.
    settle(&apis[1], open).await;
    journal.agrees_with(&Log::check(&database.client().await).await);
    verifies(&database.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_does_not_keep_holds_from_lapsing() {
    let (database, journal) = (database::fresh().await, Arc::new(Journal::default()));
    let servers = [
        Server::start(&database.url()).await,
        Server::start(&database.url()).await,
    ];
    let house = House::open(&servers[0].api(&journal)).await;
    // Whichever of them works off deadlines and read models, it is frozen once.
    for (frozen, living) in [(0, 1), (1, 0)] {
        let api = servers[living].api(&journal);
        servers[frozen].freeze();
        let until = Timestamp::now() + 2.seconds();
        let slot = house.screening(&api, 1, 2, Sale::Until(until)).await;
        let hold = api.done(&Call::hold(slot, &["A1"])).await.hold();
        eventually("the hold lapses", || async {
            let view = api.done(&Call::show(&hold)).await.json();
            (view["state"].as_str() == Some("lapsed")).then_some(())
        })
        .await;
        servers[frozen].thaw();
    }
    verifies(&database.url()).await;
}
